"""What beginners read: one report for each mistake, at its place, in words of the language."""

from __future__ import annotations

import re

import pytest
from tests.mistakes import FILE, Mistake, found, mistakes, page, said

MISTAKES = list(mistakes())
# Words of the implementation, which nobody outside it needs to know.
JARGON = (
    "token", "parser", "lexer", "grammar", "AST", "node", "span", "tensor", "None", "null",
    "expression", "statement list", "identifier", "literal", "unresolved", "exception", "builder",
    "scope", "elaborat", "LALR", "RPAR", "LSQB", "unexpected",
)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.title)
def test_what_is_said(mistake: Mistake) -> None:
    assert said(mistake.spec) == mistake.said, (
        "run `python -m tests.mistakes`, and read what changed"
    )


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.title)
def test_one_report_that_helps(mistake: Mistake) -> None:
    (only,) = found(mistake.spec)
    assert only.span is not None and only.span.source.text == mistake.spec
    assert only.help, "nothing says what to do"
    assert only.message[0].islower() or not only.message[0].isalpha() or only.message[:2].isupper()
    words = " ".join((only.message, only.label, *only.help, *only.notes))
    for word in JARGON:
        assert not re.search(rf"\b{word}", words) or word in mistake.spec, word


def test_shapes_that_do_not_fit_have_a_second_place_and_two_changes() -> None:
    shapes = [d for m in MISTAKES for d in found(m.spec) if d.code.startswith("E3")]
    assert len(shapes) >= 20
    for d in shapes:
        assert len(d.help) >= 2, d.message
        made_of_input = "from input1" in d.label
        assert d.related or made_of_input or d.code in ("E306", "E307"), d.message


def test_there_are_many() -> None:
    assert len(MISTAKES) >= 100
    assert len({m.spec for m in MISTAKES}) == len(MISTAKES)
    assert FILE.read_text("utf-8") == page()
