"""Every code has its entry, every entry its code, and every example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnc.compiler.elaborate.check import check
from cnnc.dsl.codes import CODES, FAMILIES
from cnnc.dsl.codes.__main__ import page
from cnnc.dsl.parser import parse
from cnnc.dsl.source import Source

ROOT = Path(__file__).parent.parent.parent
SOURCES = [
    path
    for part in ("cli", "compiler", "dsl")
    for path in (ROOT / part).rglob("*.py")
    if path.parent != ROOT / "dsl/codes"
]
EXAMPLES = [name for name, code in CODES.items() if code.wrong]
# The file itself is what is wrong, or too long to show; E112 comes of compiling a library.
WITHOUT_EXAMPLE = {"E101", "E102", "E112", "E127", "E212", "E901"}


def codes_of(text: str) -> list[str]:
    """The codes of everything that `cnnc check` finds."""
    file, syntax = parse(Source("example.cnn", text))
    return [diagnostic.code for diagnostic in check(file, syntax).diagnostics]


def test_the_codes_in_the_sources_are_those_with_an_entry() -> None:
    used = {
        code for path in SOURCES for code in re.findall(r'"([EW]\d{3})"', path.read_text("utf-8"))
    }
    assert sorted(used - CODES.keys()) == [], "they need an entry in dsl/codes/"
    assert sorted(CODES.keys() - used) == [], "nothing gives them"


def test_no_code_stands_in_two_families() -> None:
    assert len(CODES) == sum(map(len, FAMILIES.values()))
    families = {name[:2] for name in CODES}
    assert families <= {"E1", "E2", "E3", "E4", "E5", "W6", "E9"}
    for codes in FAMILIES.values():
        assert len({name[:2] for name in codes}) == 1


def test_all_but_a_few_have_an_example() -> None:
    assert CODES.keys() - EXAMPLES == WITHOUT_EXAMPLE


@pytest.mark.parametrize("name", EXAMPLES)
def test_wrong_example_gives_its_code_and_no_other(name: str) -> None:
    assert set(codes_of(CODES[name].wrong)) == {name}


@pytest.mark.parametrize("name", EXAMPLES)
def test_mended_example_is_right(name: str) -> None:
    assert codes_of(CODES[name].mended) == []


def test_page_is_fresh() -> None:
    written = (ROOT / "docs/diagnostics.md").read_text("utf-8")
    assert written == page(), "run `make docs`"
