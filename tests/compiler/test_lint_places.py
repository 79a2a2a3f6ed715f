"""Every lint: specs that it warns of, at the exact place, and near misses that it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from cnnc.api import check_source
from cnnc.dsl.codes import CODES
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Source

# «…» is the place that the warning points at, ‹…› the second one.
WARNED = {
    "W602": [
        "INPUT(3x8x8) -> FC(16) -> «SIGMOID» -> ‹FC(10)›",
        "INPUT(3x8x8) -> CONV(4) -> «SIGMOID» -> ‹POOL(2)› -> FC(10)",
        "INPUT(3x8x8) -> [FC(16) -> «SIGMOID»]*2 -> FC(10)",
        "INPUT(3x8x8) -> FC(9) -> «SIGMOID» as s -> ‹FC(10)›",
        "block b(n) = FC(n) -> «SIGMOID»\nINPUT(3x8x8) -> b(9) -> ‹FC(10)›",
    ],
    "W603": [
        "INPUT(3x8x8) -> ‹CONV(4)› -> «CONV(4)» -> RELU -> FC(10)",
        "INPUT(3x8x8) -> ‹CONV(4)› -> POOL(2) -> BN -> «FC(10)»",
        "INPUT(3x8x8) -> ‹FC(16)› -> DROPOUT(0.5) -> «FC(10)»",
        "INPUT(3x8x8) -> ‹LOCAL(4, 3)› -> FLATTEN -> «FC(10)»",
        "INPUT(3x8x8) -> CONV(3, 1) -> RELU -> ADD{ ‹CONV(3, 1)› -> «CONV(3, 1)» | ID } -> RELU"
        " -> FC(9)",
    ],
    "W604": [
        "INPUT(3x8x8) -> FC(10) -> «RELU»",
        "INPUT(3x8x8) -> FC(10) -> «RELU» -> ‹SOFTMAX›",
        "INPUT(3x8x8) -> CONV(10, 8) -> «RELU»",
        "INPUT(3x8x8) -> AUX(0.3){ FC(10) -> «RELU» } -> FC(10)",
    ],
    "W605": [
        "INPUT(3x8x8) -> FC(16) -> ‹TANH› -> «TANH» -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> ‹RELU› -> «RELU» -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> [«‹RELU›»]*2 -> FC(10)",
        "block b() = «RELU»\nINPUT(3x8x8) -> FC(16) -> ‹RELU› -> b -> FC(10)",
    ],
    "W606": [
        "INPUT(3x8x8) -> «CONV(4, 3, pad=3)» -> RELU -> FC(10)",
        "INPUT(3x8x8) -> «POOL(2, pad=2)» -> FC(10)",
        "INPUT(3x8x8) -> «CONV(4, 3, pad=(0, 0, 3, 0))» -> RELU -> FC(10)",
        "INPUT(3x8x8) -> [«CONV(4, 1, pad=1)» -> RELU]*2 -> FC(10)",
    ],
    "W607": [
        "INPUT(3x8x8) -> «CONV(4)» -> ‹BN› -> RELU -> FC(10)",
        "INPUT(3x8x8) -> «FC(16)» -> ‹BN› -> RELU -> FC(10)",
        "INPUT(3x8x8) -> «DWCONV(3, bias=true)» -> ‹BN› -> RELU -> FC(10)",
        "default CONV(8, 1)\nINPUT(3x8x8) -> «CONV» -> ‹BN› -> RELU -> FC(10)",
    ],
    "W608": [
        "INPUT(3x8x8) -> «DROPOUT(0.2)» -> ‹BN› -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> «DROPOUT(0.2)» -> RELU -> ‹BN› -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> RELU -> «DROPOUT2D(0.2)» -> POOL(2) -> ‹BN› -> FC(10)",
    ],
    "W609": [
        "param «width» = 16\nINPUT(3x8x8) -> FC(10)",
        "let a = 3, «b» = a\nINPUT(3x8x8) -> FC(10)",
        "block «b»(n) = FC(n)\nINPUT(3x8x8) -> FC(10)",
        "param pool = true, «pol» = true\nINPUT(3x8x8) -> POOL? -> FC(10)",
    ],
    "W610": [
        "# cnnc: allow «W699»\nINPUT(3x8x8) -> FC(10)",
        "INPUT(3x8x8) -> FC(10)  # cnnc: allow W602, «E301»",
        "# cnnc: allow «sigmoid»\nINPUT(3x8x8) -> FC(10)",
    ],
    "W611": [
        "«INPUT(32x32x3)» -> FC(10)",
        "«INPUT(28x28x1)» -> CONV(6, 5x1) -> TANH -> FC(10)",
        "net A\n«INPUT((480, 640, 3))» :: 480x640x3 -> FC(10)",
    ],
}  # fmt: skip
SILENT = {
    "W602": [
        "INPUT(3x8x8) -> FC(1) -> SIGMOID",
        "INPUT(3x8x8) -> CONV(3, 1) -> MUL{ ID | CONV(3, 1) -> SIGMOID } -> FC(10)",
        "INPUT(3x8x8) -> AUX(0.3){ FC(10) -> SIGMOID } -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> TANH -> FC(10)",
    ],
    "W603": [
        "INPUT(3x8x8) -> CONV(4) -> RELU -> CONV(4) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> MAXOUT -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> LRN -> FC(10)",
        "INPUT(3x8x8) -> DWCONV(3) -> CONV(4, 1) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(3, 1) -> ADD{ CONV(3, 1) -> RELU | ID } -> FC(10)",
    ],
    "W604": [
        "INPUT(3x8x8) -> FC(10)",
        "INPUT(3x8x8) -> FC(10) -> SOFTMAX",
        "INPUT(3x8x8) -> FC(16) -> RELU -> FC(10) -> SOFTMAX",
        "INPUT(3x8x8) -> FC(10) -> LEAKYRELU",
    ],
    "W605": [
        "INPUT(3x8x8) -> FC(16) -> RELU -> TANH -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> RELU -> BN -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> RELU -> ADD{ ID | CONV(4, 1) -> RELU } -> RELU -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> RELU -> RELU?(false) -> FC(10)",
    ],
    "W606": [
        "INPUT(3x8x8) -> CONV(4, 3, pad=2) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4, 3, pad=3, dilation=2) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4, 7, pad=same) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> POOL(3, stride=1, pad=2) -> FC(10)",
    ],
    "W607": [
        "INPUT(3x8x8) -> CONV(4, bias=false) -> BN -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> RELU -> BN -> FC(10)",
        "INPUT(3x8x8) -> CONV(3, 1) as c -> BN -> RELU -> ADD{ ID | @c } -> FC(10)",
        "INPUT(3x8x8) -> CONV(4) -> LN -> RELU -> FC(10)",
    ],
    "W608": [
        "INPUT(3x8x8) -> BN -> DROPOUT(0.2) -> FC(10)",
        "INPUT(3x8x8) -> DROPOUT(0.2) -> CONV(4, bias=false) -> BN -> RELU -> FC(10)",
        "INPUT(3x8x8) -> DROPOUT(0.2) -> LN -> FC(10)",
        "INPUT(3x8x8) -> [DROPOUT(0.2) -> BN]*0 -> FC(10)",
    ],
    "W609": [
        "param width = 16\nINPUT(3x8x8) -> FC(width)",
        "param pool = true\nINPUT(3x8x8) -> POOL? -> FC(10)",
        "let a = 3\nlet b = a\nINPUT(3x8x8) -> FC(10)\nexpect output > b",
        "let rate = 0.1\nINPUT(3x8x8) -> FC(10)\ntrain { lr = rate }",
        "let a = 3\nblock b(n) = FC(n)",  # a library: other files use it
        "INPUT(3x8x8) -> FC(10) as unused",
    ],
    "W610": [
        "# cnnc: allow W602 W603, W611\nINPUT(3x8x8) -> FC(10)",
        "# cnnc allow W699 is not for cnnc\nINPUT(3x8x8) -> FC(10)",
        "# cnnc: allows W699\nINPUT(3x8x8) -> FC(10)",
    ],
    "W611": [
        "INPUT(3x32x32) -> FC(10)",
        "INPUT(64x8x8) -> FC(10)",
        "INPUT(6x128x1) -> CONV(8, 3x1) -> RELU -> FC(10)",  # a row of measurements
        "INPUT(4x4x4) -> FC(10)",
        "INPUT(3) -> FC(10)",
    ],
}  # fmt: skip


def marked(text: str, marks: str) -> tuple[str, tuple[int, int] | None]:
    """The text without any marks, and what of it these two stand around."""
    plain = text.translate(str.maketrans("", "", "«»‹›"))
    begin, _, rest = text.partition(marks[0])
    if not rest:
        return plain, None
    inside = rest.partition(marks[1])[0].translate(str.maketrans("", "", "«»‹›"))
    start = len(begin.translate(str.maketrans("", "", "«»‹›")))
    return plain, (start, start + len(inside))


def found(text: str) -> tuple[Diagnostic, ...]:
    return check_source(Source("net.cnn", text)).diagnostics


def place(span: Any) -> tuple[int, int]:
    return span.start, span.end


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(code, text) for code, texts in table.items() for text in texts]


@pytest.mark.parametrize(("code", "text"), cases(WARNED))
def test_a_warning_at_its_exact_place(code: str, text: str) -> None:
    plain, at = marked(text, "«»")
    warned = [d for d in found(plain) if d.code == code]
    assert [place(d.span) for d in warned] == [at]
    assert warned[0].severity == "warning" and warned[0].help
    second = marked(text, "‹›")[1]
    if second is not None:
        assert place(warned[0].related[0].span) == second


@pytest.mark.parametrize(("code", "text"), cases(SILENT))
def test_a_near_miss_passes(code: str, text: str) -> None:
    assert code not in [d.code for d in found(text)]
    assert all(d.severity != "error" for d in found(text))


def test_every_lint_is_tried_both_ways() -> None:
    lints = {code for code in CODES if code.startswith("W")} - {"W601"}
    assert WARNED.keys() == SILENT.keys() == lints
    assert all(len(texts) >= 3 for table in (WARNED, SILENT) for texts in table.values())


SWITCHED = [(code, text) for code, text in cases(WARNED) if code != "W610"]


@pytest.mark.parametrize(("code", "text"), SWITCHED)
def test_a_comment_allows_it(code: str, text: str) -> None:
    plain = marked(text, "«»")[0]
    rest = [d.code for d in found(plain) if d.code != code]
    for comment in (
        f"# cnnc: allow {code}\n{plain}",
        f"{plain}\n#cnnc:allow W601,{code} because\n",
    ):
        codes = [d.code for d in found(comment)]
        assert code not in codes
        assert [c for c in codes if c != "W610"] == rest
    other = "W602" if code != "W602" else "W603"
    assert code in [d.code for d in found(f"# cnnc: allow {other}\n{plain}")]


@pytest.mark.parametrize("code", WARNED)
def test_strict_makes_it_an_error(code: str, cnnc: Any, tmp_path: Any) -> None:
    (tmp_path / "a.cnn").write_text(marked(WARNED[code][0], "«»")[0], "utf-8")
    assert cnnc("check", "-q", "a.cnn").returncode == 0
    strict = cnnc("check", "-q", "--strict", "a.cnn")
    assert strict.returncode == 1
    assert f"error[{code}]" in strict.stdout
