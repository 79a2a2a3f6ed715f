"""How diagnostics look. Each expected text is what a user sees, character by character."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnc.dsl.diagnostics import Diagnostic, Related, SpecError
from cnnc.dsl.render import as_json, plain, summary, text
from cnnc.dsl.source import Source, Span

LENET = Source(
    "lenet.cnn",
    "net lenet\nINPUT(1x28x28)\n  -> CONV(6, 5, pad=2)\n-> CONV(16, 5) -> RELU -> POOL(3)\n",
)


def at(source: Source, what: str) -> Span:
    """The place of the first occurrence of a text."""
    start = source.text.index(what)
    return Span(source, start, start + len(what))


def found(source: Source, what: str, label: str = "", **more: object) -> Diagnostic:
    return Diagnostic("E301", "it does not fit", at(source, what), label, **more)  # type: ignore[arg-type]


def same(actual: str, expected: str) -> None:
    assert actual == dedent(expected).strip("\n")


POOL = Diagnostic(
    "E301",
    "POOL(3) does not fit: its input is 2x2",
    at(LENET, "POOL(3)"),
    "needs at least 3x3, gets 16x2x2 from relu2",
    notes=("rule: out = floor((in + 2*pad - k)/stride) + 1\n= floor((2 + 0 - 3)/3) + 1 = 0",),
    help=("POOL(2) gives 16x1x1", "POOL(3, pad=1) gives 16x1x1"),
)


def test_whole_look() -> None:
    same(
        text(POOL),
        """
        error[E301]: POOL(3) does not fit: its input is 2x2
          --> lenet.cnn:4:27
           |
         4 | -> CONV(16, 5) -> RELU -> POOL(3)
           |                           ^^^^^^^ needs at least 3x3, gets 16x2x2 from relu2
           |
           = rule: out = floor((in + 2*pad - k)/stride) + 1
             = floor((2 + 0 - 3)/3) + 1 = 0
           = help: POOL(2) gives 16x1x1
           = help: POOL(3, pad=1) gives 16x1x1
        """,
    )


def test_related_places_in_the_same_file() -> None:
    related = (
        Related("made here", at(LENET, "CONV(6, 5, pad=2)")),
        Related("the net", at(LENET, "lenet")),
    )
    same(
        text(found(LENET, "POOL(3)", "here", related=related)),
        """
        error[E301]: it does not fit
          --> lenet.cnn:4:27
           |
         1 | net lenet
           |     ----- the net
         2 | INPUT(1x28x28)
         3 |   -> CONV(6, 5, pad=2)
           |      ----------------- made here
         4 | -> CONV(16, 5) -> RELU -> POOL(3)
           |                           ^^^^^^^ here
        """,
    )


def test_related_place_in_another_file_has_its_own_arrow() -> None:
    main = Source("main.cnn", "\n" * 11 + "-> small(3)")
    same(
        text(
            found(main, "small(3)", "used here", related=(Related("body", at(LENET, "POOL(3)")),))
        ),
        """
        error[E301]: it does not fit
           --> main.cnn:12:4
            |
         12 | -> small(3)
            |    ^^^^^^^^ used here
           --> lenet.cnn:4:27
            |
          4 | -> CONV(16, 5) -> RELU -> POOL(3)
            |                           ------- body
        """,
    )


def test_lines_far_apart_are_left_out() -> None:
    source = Source("a.cnn", "first\n2\n3\n4\nfifth\n")
    same(
        text(found(source, "fifth", "again", related=(Related("before", at(source, "first")),))),
        """
        error[E301]: it does not fit
          --> a.cnn:5:1
           |
         1 | first
           | ----- before
        ...
         5 | fifth
           | ^^^^^ again
        """,
    )


def test_two_places_on_one_line() -> None:
    source = Source("a.cnn", "CONV as a -> CONV as a")
    span = Span(source, 21, 22)
    diagnostic = Diagnostic("E2", "twice", span, "again", related=(Related("a", at(source, "a ")),))
    same(
        text(diagnostic),
        """
        error[E2]: twice
          --> a.cnn:1:22
           |
         1 | CONV as a -> CONV as a
           |         - a
           |                      ^ again
        """,
    )


def test_short_place_over_several_lines_is_shown_whole() -> None:
    source = Source("a.cnn", "-> CONCAT{ CONV(3)\n\n   | CONV(5) }\n-> FC")
    same(
        text(found(source, "CONCAT{ CONV(3)\n\n   | CONV(5) }", "the sizes differ")),
        """
        error[E301]: it does not fit
          --> a.cnn:1:4
           |
         1 | -> CONCAT{ CONV(3)
           |    ^^^^^^^^^^^^^^^
         2 |
         3 |    | CONV(5) }
           |    ^^^^^^^^^^^ the sizes differ
        """,
    )


def test_long_place_is_shown_by_its_first_and_last_line() -> None:
    source = Source("a.cnn", "[\n 1\n 2\n 3\n 4\n]*N\n")
    same(
        text(found(source, source.text, "N")),
        """
        error[E301]: it does not fit
          --> a.cnn:1:1
           |
         1 | [
           | ^
        ...
         6 | ]*N
           | ^^^ N
        """,
    )


@pytest.mark.parametrize(
    ("line", "what", "shown", "below"),
    [
        ("\tPOOL(3)", "POOL", "    POOL(3)", "    ^^^^"),
        ("a\tPOOL(3)", "POOL", "a   POOL(3)", "    ^^^^"),
        ("# 層層 POOL", "POOL", "# 層層 POOL", "       ^^^^"),
        ("→ 層 x", "層", "→ 層 x", "  ^^"),
        ("e\u0301e\u0301 x", "x", "e\u0301e\u0301 x", "   ^"),
        ("a\x1b[31m x", "x", "a␛[31m x", "       ^"),
        ("\u202ex\x7f", "x", "<U+202E>x<U+007F>", "        ^"),
    ],
)
def test_the_caret_is_below_the_character(line: str, what: str, shown: str, below: str) -> None:
    rows = text(found(Source("a.cnn", line), what)).splitlines()
    assert rows[3:] == [f" 1 | {shown}", f"   | {below}"]


def test_place_at_the_end_of_a_file_has_a_caret_after_it() -> None:
    source = Source("a.cnn", "INPUT(3")
    end = Span(source, 7, 7)
    assert text(Diagnostic("E1", "unfinished", end)).splitlines()[3:] == [
        " 1 | INPUT(3",
        "   |        ^",
    ]
    empty = Source("a.cnn", "INPUT\n")
    assert text(Diagnostic("E1", "unfinished", Span(empty, 6, 6))).splitlines()[3:] == [
        " 2 |",
        "   | ^",
    ]


def test_long_line_is_clipped_around_the_caret() -> None:
    source = Source("a.cnn", "a" * 300 + "XYZ" + "b" * 300)
    rows = text(found(source, "XYZ")).splitlines()
    assert rows[3] == " 1 | …" + "a" * 40 + "XYZ" + "b" * 77 + "…"
    assert rows[4] == "   | " + " " * 41 + "^^^"


def test_long_line_is_shown_again_for_a_place_far_off() -> None:
    source = Source("a.cnn", "first" + "a" * 300 + "XYZ")
    rows = text(
        found(source, "XYZ", "here", related=(Related("there", at(source, "first")),))
    ).splitlines()
    assert rows[3].endswith("XYZ")
    assert rows[4].endswith("^^^ here")
    assert rows[5].startswith(" 1 | first")
    assert rows[6] == "   | ----- there"


def test_without_a_place() -> None:
    diagnostic = Diagnostic("E101", "no.cnn does not exist", help=("see cnnc new",))
    assert text(diagnostic) == "error[E101]: no.cnn does not exist\n   = help: see cnnc new"
    assert plain(diagnostic) == "error[E101]: no.cnn does not exist"


def test_note_without_a_name_is_a_note() -> None:
    assert text(Diagnostic("E1", "m", notes=("CONV: 5",))) == "error[E1]: m\n   = note: CONV: 5"


def test_text_of_the_spec_cannot_steer_the_terminal() -> None:
    source = Source("a\x1b[2J.cnn", "\x1b]0;title\x07")
    diagnostic = Diagnostic(
        "E1", "bad \x1b[31m", Span(source, 0, 1), "\x9b1m", ("n: \x1b",), ("\x07",)
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text(diagnostic))
    assert not re.search("[\x00-\x1f\x7f-\x9f]", plain(diagnostic))


def test_colour_adds_nothing_but_colour() -> None:
    coloured = text(POOL, colour=True)
    assert coloured.startswith("\x1b[1;31merror[E301]\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text(POOL)


def test_plain() -> None:
    assert plain(POOL) == "lenet.cnn:4:27: error[E301]: POOL(3) does not fit: its input is 2x2"
    assert str(SpecError([POOL, POOL])) == f"{plain(POOL)}\n{plain(POOL)}"


def test_summary() -> None:
    warning = Diagnostic("W601", "m", severity="warning")
    note = Diagnostic("W602", "m", severity="note")
    assert summary([POOL, warning, POOL]) == "2 errors, 1 warning"
    assert summary([note]) == "1 note"
    assert summary([]) == ""


def test_json() -> None:
    other = Source("blocks.cnn", "\nblock b() = POOL(3)")
    diagnostic = Diagnostic(
        "E301",
        "m",
        at(LENET, "INPUT(1x28x28)\n  -> CONV"),
        help=("h",),
        related=(Related("used", at(LENET, "lenet")), Related("body", at(other, "POOL(3)"))),
    )
    assert as_json(diagnostic, "lenet.cnn") == {
        "code": "E301",
        "severity": "error",
        "message": "m",
        "line": 2,
        "column": 1,
        "end_line": 3,
        "end_column": 10,
        "notes": [],
        "help": ["h"],
        "related": [
            {"message": "used", "line": 1, "column": 5, "end_line": 1, "end_column": 10},
            {
                "message": "body",
                "line": 2,
                "column": 13,
                "end_line": 2,
                "end_column": 20,
                "file": "blocks.cnn",
            },
        ],
    }
    assert as_json(diagnostic, "main.cnn")["file"] == "lenet.cnn"


def test_json_without_a_place() -> None:
    report = as_json(Diagnostic("E101", "m"), "a.cnn")
    assert report["line"] is None
    assert "file" not in report


@given(st.text(), st.integers(0), st.integers(0))
def test_any_place_of_any_text_can_be_shown(content: str, start: int, end: int) -> None:
    source = Source("a.cnn", content)
    start, end = sorted((start % (len(content) + 1), end % (len(content) + 1)))
    diagnostic = Diagnostic("E1", "m", Span(source, start, end), "label")
    assert "^" in text(diagnostic)
    assert text(diagnostic).count(" label") >= 1
