"""Every change that help proposes for a shape is made, and gives the size that it promises."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compiler.elaborate.promises import checked, promise

from cnnc.dsl.codes import CODES

# What is promised without a size that a layer gives: there is nothing more to hold.
OTHERWISE = (
    r"leave it out: the shape stays .*",
    r":: [0-9x]+ says what is there",
)

# Each has one layer that does not fit, and nothing after it that could not.
MISFITS = {
    "E301": [
        "INPUT(1x8x8) -> POOL(9)",
        "INPUT(1x12x12) -> CONV(16, 5) -> POOL(3) -> RELU -> POOL(3)",
        "INPUT(1x4x4) -> RELU -> POOL(5)",
        "INPUT(1x4x9) -> RELU -> CONV(2, 5x2, stride=3)",
        "INPUT(1x6x6) -> CONV(2, 3) -> CONV(2, 3, dilation=2)",
        "INPUT(1x3x3) -> RELU -> AVGPOOL(4, stride=2, ceil=false)",
        "INPUT(3x32x32) -> [CONV(16, 3) -> RELU -> POOL(2)]*3 -> CONV(32, 5) -> RELU -> FC(10)",
        "INPUT(3x32x32) -> [CONV(16, 3, pad=1) -> RELU -> POOL]*6 -> FC(10)",
        "param N = 4\nINPUT(3x28x28) -> [CONV(8, 3) -> RELU -> POOL]*N -> FC(10)",
        "INPUT(3x28x28) -> for f in [8, 16, 32, 64] [CONV(f, 3) -> RELU -> POOL(2)] -> FC(10)",
        "INPUT(1x28x28) -> CONV(6, 5) -> TANH -> POOL(2) -> CONV(16, 5) -> TANH -> POOL(2)"
        " -> CONV(120, 5) -> TANH -> FC(10)",
        "INPUT(32x32x3) -> CONV(16, 5) -> RELU -> FC(10)",
        "INPUT(3x4x32) -> CONV(8, 5x3) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(8, 3, dilation=4) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> SUBSAMPLE(9) -> FC(10)",
        "INPUT(2x12x12) -> CONV(5, 2, stride=2) -> POOL(3) -> [MAXPOOL(4, stride=3)]*3",
        "INPUT(3x9x9) -> CONV(4, 3) -> RELU -> POOL(2) -> DWCONV(5) -> FC(2)",
        "INPUT(3x9x9) -> [CONV(4, 3) -> RELU]*2 -> [POOL(2)]*3 -> FC(2)",
        "block b(f) = CONV(f, 5) -> RELU -> POOL(2)\nINPUT(3x20x20) -> b(4) -> b(8) -> b(9)",
    ],
    "E302": [
        "INPUT(3x32x32) -> FC(100) -> RELU -> CONV(16, 3) -> FC(10)",
        "INPUT(3x32x32) -> FLATTEN -> CONV(16, 3) -> FC(10)",
        "INPUT(3x32x32) -> FC(10) -> RELU -> POOL(2)",
        "INPUT(784) -> CONV(16, 3) -> RELU -> FC(10)",
        "INPUT(3*8*8) -> RELU -> POOL(2)",
        "INPUT(7) -> LOCAL(4, 1) -> RELU",
        "INPUT(3x8x8) -> FC(16) -> DROPOUT2D(0.2) -> FC(10)",
        "INPUT(3x8x8) -> FC(16) -> RELU -> GLOBALPOOL -> FC(10)",
    ],
    "E303": [
        "INPUT(3x32x32) -> CONV(16, 3, groups=4) -> RELU -> FC(10)",
        "INPUT(4x32x32) -> CONV(6, 3, groups=4) -> RELU -> FC(10)",
        "INPUT(3x32x32) -> CONV(10, 3) -> GN(4) -> RELU -> FC(10)",
        "INPUT(3x9x9) -> [CONV(6, 3) -> RELU]*2 -> CONV(8, 3, groups=4) -> FC(1)",
        "INPUT(3x9x9) -> DECONV(8, 3, groups=4) -> FC(1)",
    ],
    "E304": [
        "INPUT(3x32x32) -> CONV(16, 3) -> RELU :: 16x32x32 -> FC(10)",
        "INPUT(3x32x32) -> CONV(16, 3) -> RELU -> FC(10) :: 100",
        "INPUT(3x32x32) -> [CONV(16, 3) -> RELU -> POOL(2)]*2 :: 16x8x8 -> FC(10)",
        "INPUT(3x32x32) -> CONV(16, 3) -> RELU -> FLATTEN :: 16384 -> FC(10)",
    ],
    "E306": [
        "INPUT(3x32x32) -> CONV(2, 3, table=[[0, 1], [2, 3]]) -> RELU -> FC(10)",
        "INPUT(3x32x32) -> CONV(3, 3, table=[[0, 1], [2]]) -> RELU -> FC(10)",
    ],
    "E308": ["INPUT(1x1x1) -> DECONV(4, 3, pad=2) -> FC(10)"],
    "E311": [
        "INPUT(3x32x32) -> CONV(10, 3) -> MAXOUT(4) -> FC(10)",
        "INPUT(1x32x32) -> MAXOUT -> FC(10)",
        "INPUT(1x32x32) -> FC(7) -> RELU -> MAXOUT -> FC(10)",
    ],
    "E315": [
        "INPUT(3x32x32) -> CONV(16, 3, pad=1) -> ADD{ CONV(32, 3, pad=1) -> RELU | ID } -> FC(1)",
        "INPUT(3x32x32) -> CONV(16, 3, pad=1) -> ADD{ CONV(16, 3) -> RELU | ID } -> FC(1)",
        "INPUT(3x32x32) -> CONV(16, 3, pad=1) -> ADD{ CONV(32, 3, stride=2, pad=1) | ID } -> FC(1)",
        "INPUT(3x32x32) -> CONV(16, 3) -> CONCAT{ CONV(8, 1) | CONV(8, 3) | CONV(8, 5) } -> FC(1)",
        "INPUT(3x32x32) -> CONCAT{ CONV(8, 3) -> RELU | FC(10) } -> FC(10)",
        "INPUT(3x32x32) -> CONV(8, 3) -> RELU -> ADD{ FC(10) | ID } -> FC(10)",
        "INPUT(3x32x32) -> FC(10) -> RELU -> ADD{ FC(20) | ID } -> FC(10)",
        "INPUT(3x30x30) -> CONV(8, 3, pad=1) as e -> POOL(2) -> POOL(2) -> UPSAMPLE(4)"
        " -> CONCAT{ ID | @e } -> FC(1)",
        "INPUT(3x8x8) -> CONV(8, 3) -> MUL{ ID | GLOBALPOOL -> FC(4) -> RELU -> FC(6) } -> FC(1)",
        "INPUT(3x8x8) -> CONCAT{ POOL(2) | CONV(4, 3, pad=1) -> RELU | ID } -> FC(1)",
    ],
    "E316": [
        'INPUT(3x8x8) -> CONV(3, 3, pad=1, share="a") -> CONV(4, 3, pad=1, share="a") -> FC(1)',
        'INPUT(3x8x8) -> CONV(4, 3, pad=1, share="a") -> CONV(4, 3, pad=1, share="a") -> FC(1)',
        'INPUT(3x8x8) -> CONV(3, 1, share="a") -> CONV(3, 1, share="a", freeze=true) -> FC(1)',
    ],
}  # fmt: skip
CASES = [(code, text) for code, texts in MISFITS.items() for text in texts]


@pytest.mark.parametrize("code, text", CASES, ids=[f"{c}-{t}" for c, t in CASES])
def test_two_changes_at_least_and_each_holds_what_it_promises(code: str, text: str) -> None:
    found = checked(text).diagnostics
    assert [d.code for d in found if d.severity == "error"] == [code]
    lines = found[0].help
    assert 2 <= len(lines) <= 4
    for line in lines:
        if not any(re.fullmatch(other, line) for other in OTHERWISE):
            promised = promise(found[0], line)
            assert promised is not None, f"what does this promise? {line}"
            assert promised.kept(), f"{line}\n{promised.text}"


checked("INPUT(1)")  # raises the recursion limit, which hypothesis would notice

LAYERS = st.sampled_from(
    ["CONV(4, 3)", "CONV(6, 5)", "CONV(8, 3, pad=1)", "CONV(5, 2, stride=2)", "POOL(2)", "POOL(3)",
     "POOL(3, stride=2)", "RELU", "TANH", "AVGPOOL(2)", "DWCONV(3)", "SUBSAMPLE(2)",
     "CONV(4, 3, dilation=2)", "MAXPOOL(4, stride=3)", "CONV(3, 4, stride=3)", "LOCAL(2, 3)"]
)  # fmt: skip
GROUPS = st.builds(
    lambda layers, times: f"[{' -> '.join(layers)}]*{times}",
    st.lists(LAYERS, min_size=1, max_size=3),
    st.integers(2, 4),
)


@settings(max_examples=60)
@given(
    st.integers(4, 40),
    st.integers(4, 40),
    st.lists(st.one_of(LAYERS, GROUPS), min_size=1, max_size=5),
)
def test_promises_for_random_nets(height: int, width: int, parts: list[str]) -> None:
    text = f"INPUT(2x{height}x{width}) -> {' -> '.join(parts)}"
    found = [d for d in checked(text).diagnostics if d.severity == "error"]
    for d in found:
        assert len(d.help) >= 2
        for line in d.help:
            promised = promise(d, line)
            if promised is None:
                assert any(re.fullmatch(other, line) for other in OTHERWISE), line
            elif (net := checked(promised.text).net) is None:
                # Further on something else may not fit: no mistake is left at this place.
                left = checked(promised.text).diagnostics
                assert all(e.span and e.span.start != promised.at for e in left), line
            else:
                assert net and promised.kept(), f"{line}\n{promised.text}"


SHAPES = [name for name in CODES if name.startswith("E3")]


@pytest.mark.parametrize("code", SHAPES)
def test_every_code_about_shapes_has_two_changes(code: str) -> None:
    (found,) = checked(CODES[code].wrong).diagnostics
    assert found.code == code
    assert len(found.help) >= 2
    assert len({*found.help}) == len(found.help)
