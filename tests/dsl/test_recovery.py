"""Every mistake is found, at its exact place, once, and costs no other statement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnc.dsl import nodes as n
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.parser import parse, parse_value, tokens_of
from cnnc.dsl.recovery import SYNTAX_CODES
from cnnc.dsl.source import Source

CORPUS = Path(__file__).with_name("syntax_errors.txt")
HEAD, *CASES = CORPUS.read_text("utf-8").split("====\n")


def diagnostics_of(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("text", text))[1]


def report(text: str) -> str:
    """What the corpus says about a text."""
    file, diagnostics = parse(Source("text", text))
    lines = []
    for found in diagnostics:
        assert found.span is not None
        line, column = found.span.begin
        lines.append(f"! {line}:{column} {found.code} {found.span.text}".rstrip())
    lines.append(" ".join(["=", *(type(s).__name__ for s in file.statements)]))
    return "\n".join(lines) + "\n"


def text_of(case: str) -> str:
    return re.sub(r"(?m)^[!=](?: .*)?\n", "", case).rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=text_of)
def test_corpus(case: str) -> None:
    text = text_of(case)
    assert text + "\n" + report(text) == case


def test_corpus_is_not_small() -> None:
    assert len(CASES) >= 140


def test_every_code_is_in_the_corpus_or_tested_here() -> None:
    in_corpus = set(re.findall(r"(?m)^! \S+ (E\d+)", CORPUS.read_text("utf-8")))
    elsewhere = {"E101", "E102", "E103", "E127"}
    assert in_corpus == SYNTAX_CODES.keys() - elsewhere


@pytest.mark.parametrize("case", CASES, ids=text_of)
def test_messages_are_whole(case: str) -> None:
    for found in diagnostics_of(text_of(case)):
        assert found.severity == "error"
        assert found.message
        assert not found.message.endswith(".")
        assert "  " not in found.message
        assert all(found.help), "no empty line of help"
        for lark_name in ("RPAR", "LSQB", "$END", "__ANON", "Token", "ARROW", "NAME"):
            assert lark_name not in f"{found.message} {found.label} {found.help}"


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        (
            "[CONV(3) RELU]*2",
            "a `->` is missing between these two layers",
            "write `CONV(3) -> RELU`",
        ),
        ("CONV(64,k=3->RELU", "this `(` is never closed", "write `)` before `->`"),
        ("A, B", "`,` stands where `->` belongs", "write `A -> B`"),
        ("INPUT(3 x 32 x 32)", "a shape is written without spaces and with a small x",
         "write `3x32x32`"),
        ("expect output = 10", "`=` sets a value; a comparison is written `==`",
         "write `output == 10`"),
        ("param N 2", "a `=` is missing after `N`", "write `N = 2`"),
        ('import "a.cnn', "this text in quotes is never closed", 'write `"a.cnn"`'),
        ("let pool = TRUE", "`TRUE` is written in lower case here", "write `true`"),
        ("[A -> B]*N+1", "a count that is computed stands in parentheses: `*(N+1)`",
         "write `*(N+1)`"),
        ("CONV 64 -> A", "the arguments of CONV stand in parentheses", "write `CONV(64)`"),
        ("let in = 1", "`in` is a reserved word and cannot be a name",
         "choose another name, for example `in_`"),
    ],
)  # fmt: skip
def test_the_users_own_text_is_in_the_message(text: str, message: str, help: str) -> None:
    (found,) = diagnostics_of(text)
    assert found.message == message
    assert found.help[0] == help


def test_an_open_bracket_is_shown_where_it_opens_too() -> None:
    (found,) = diagnostics_of("A -> [B(1 -> C]")
    assert found.span is not None
    assert found.span.begin.column == 11
    (related,) = found.related
    assert (related.span.begin.column, related.span.text) == (8, "(")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("let a = 1\0", [10]),
        ("A \a-> B # \u202eabc", [3, 11]),
        ("let \x1b\x1b\x1b a = 'x\x00y'", [5, 15]),
        ("A\u200b -> B", [2]),
    ],
)
def test_control_characters(text: str, places: list[int]) -> None:
    file, found = parse(Source("", text))
    assert [d.code for d in found] == ["E103"] * len(places)
    assert [d.span.begin.column for d in found if d.span] == places
    assert len(file.statements) == 1


def test_spaces_from_other_programs_are_spaces() -> None:
    assert diagnostics_of("INPUT(3x3)\u00a0->\u2003A\u3000\f\n\t-> B") == ()


def test_what_is_mended_is_in_the_tree() -> None:
    file, _ = parse(Source("", "A(64, k=3 -> [B C]*2 -> D => E"))
    right, _ = parse(Source("", "A(64, k=3) -> [B -> C]*2 -> D -> E"))
    assert file == right


def test_several_mistakes_in_one_file() -> None:
    text = """\
net lenet-5
param N 2
let a = 1 +
block f(x) = [CONV(x RELU]
INPUT(1x28x28) -> CONV(6, 5 -> RELU] -> FC(10)
expect output = 10
train { batch = 64, lr 0.1 }
let last = 1
"""
    file, found = parse(Source("", text))
    assert [(d.code, d.span.begin.line) for d in found if d.span] == [
        ("E124", 1), ("E118", 2), ("E119", 3), ("E120", 4), ("E128", 4),
        ("E128", 5), ("E129", 5), ("E116", 6), ("E118", 7),
    ]  # fmt: skip
    assert [type(s) for s in file.statements] == [
        n.Net, n.Param, n.Let, n.Block, n.Chain, n.Expect, n.Train, n.Let,
    ]  # fmt: skip


def test_too_many_mistakes_end_the_reading() -> None:
    found = diagnostics_of("".join(f"let a{i}\n" for i in range(80)))
    assert [d.code for d in found] == ["E119"] * 50 + ["E127"]


def test_a_sign_that_is_wrong_everywhere_is_one_report() -> None:
    first, second = diagnostics_of("A, B, C => D" + ", E" * 8)
    assert (first.message, second.message) == (
        "`,` stands where `->` belongs",
        "`=>` stands where `->` belongs",
    )
    assert [r.span.begin.column for r in first.related] == [5, 13, 16, 19, 22]
    assert [r.message for r in first.related] == [
        *["here too"] * 4, "here too, and at 4 more places",
    ]  # fmt: skip


def test_values_with_mistakes() -> None:
    value, found = parse_value(Source("--set N", "[1, 2"))
    assert value is None
    assert [d.code for d in found] == ["E128"]
    assert found[0].span is not None
    assert found[0].span.source.name == "--set N"


CORRECT = """\
net classic
param N = 2 in [1, 2, 3], M = 2
default CONV(width, 3, pad=same)
INPUT(3x224x224) -> CENTER
-> for f, n in [(64, 2), (128, 2)]
   [ [CONV(f, 3, pad=1) -> RELU]*n -> POOL(2) ] :: 512x7x7
-> [FC(4096) -> RELU]*2 -> FC(1000)
block inception(c1, r3, p) =
  CONCAT{ CONV(c1, 1) -> RELU
        | CONV(r3, 1) -> RELU -> POOL(3, pad=1)
        | [CONV(p)]?(project) } -> RELU
expect params <= 600k and output == 10
train { batch = 64  epochs = 10  optimizer = sgd(momentum=0.9) }
"""


def test_a_token_too_few_or_too_many_is_found_where_it_is() -> None:
    """Leave out or double every token in turn: nearly always one message, on that line."""
    source = Source("", CORRECT)
    found = right_line = one = 0
    for token in tokens_of(source):
        start, end = token.start_pos or 0, token.end_pos or 0
        line = source.position(start).line
        for new in ("", CORRECT[start:end] + " " + CORRECT[start:end]):
            diagnostics = diagnostics_of(CORRECT[:start] + new + CORRECT[end:])
            if not diagnostics:
                continue
            found += 1
            one += len(diagnostics) == 1
            first = diagnostics[0].span
            assert first is not None
            right_line += first.begin.line == line
    assert found > 200
    assert right_line / found > 0.95
    assert one / found > 0.9
