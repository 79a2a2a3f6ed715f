"""Mistakes in values, settings and arguments: `=`, commas, missing values."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from .automaton import END
from .diagnostics import Diagnostic
from .repair import LITERALS, OPENERS, STATEMENTS, VALUES, Fix, Place, shortened, shown

_SIGNS = {
    "PLUS", "MINUS", "STAR", "SLASH", "FLOORDIV", "PERCENT", "POWER", "AND", "OR", "NOT",
    "EQ", "NE", "LE", "GE", "LESSTHAN", "MORETHAN", "IF", "ELSE",
}  # fmt: skip


def equals(place: Place) -> Iterator[Fix]:
    """`expect output = 10`, `let a == 3`."""
    if place.type == "EQUAL" and place.can("EQ"):
        found = place.say(
            "E116",
            "`=` sets a value; a comparison is written `==`",
            "`==` is meant",
            f"write `{place.previous()} == {place.ahead()}`",
        )
        yield Fix(found, (place.instead("EQ"),), 1)
    elif place.type == "EQ" and place.can("EQUAL"):
        found = place.say(
            "E116",
            "`==` compares; a value is set with `=`",
            "`=` is meant",
            f"write `{place.previous()} = {place.ahead()}`",
        )
        yield Fix(found, (place.instead("EQUAL"),), 1)


def statement_without_word(place: Place) -> Iterator[Fix]:
    """`N = 2` alone, `param N = 2 M = 3`, `Param N = 2`."""
    name = place.previous()
    starts = place.starts
    alone = bool(starts) and starts[-1] == len(place.before) - 1
    if place.type != "EQUAL" or name is None or name.type != "NAME" or not alone:
        return
    again = place.rest[place.at - 1]
    setting = f"{name} = {shortened(str(place.ahead()))}"
    word = place.previous(2)
    if len(starts) > 1 and place.before[starts[-2]].type in {"PARAM", "LET"}:
        found = place.say(
            "E120",
            f"a comma is missing before `{name}`",
            "`,` is missing before this",
            f"write `, {setting}`",
            span=place.span(name),
        )
        yield Fix(found, (place.new("COMMA"), again), back=1)
    elif word is not None and word.type == "NAME" and word.lower() in {"param", "let"}:
        small = word.lower()
        found = place.say(
            "E126",
            f"`{word}` is written `{small}`",
            f"`{small}` is meant",
            f"write `{small} {setting}`",
            span=place.span(word),
        )
        yield Fix(found, (place.new(small.upper()), again), back=2)
    else:
        found = place.say(
            "E126",
            f"`{setting}` needs a word before it that says what it is",
            "`let` or `param` is missing",
            f"write `let {setting}` for a constant",
            f"write `param {setting}` for a knob that `--set {name}=…` changes",
            span=place.span(name),
        )
        yield Fix(found, (place.new("LET"), again), back=1)


def loose_name(place: Place) -> Iterator[Fix]:
    """`expect output params < 3`: by the `<`, the second name was taken for a chain."""
    starts = place.starts
    if len(starts) < 2 or starts[-1] != len(place.before) - 1 or place.type not in _SIGNS:
        return
    name = place.before[-1]
    if name.type != "NAME" or place.before[starts[-2]].type not in {"EXPECT", "LET", "PARAM"}:
        return
    found = place.say(
        "E125", f"{shown(name)} cannot stand here", "one name too many", span=place.span(name)
    )
    yield Fix(found, back=1)


def settings_without_word(place: Place) -> Iterator[Fix]:
    """`{ batch = 64 }` without `train` before it."""
    if place.type != "LBRACE" or not place.wants_statement or place.ahead(2).type != "EQUAL":
        return
    found = place.say(
        "E126",
        "`train` is missing before these settings",
        "",
        f"write `train {{ {place.ahead(1)} = …`",
    )
    yield Fix(found, (place.new("TRAIN", "train"),))


def missing_equals(place: Place) -> Iterator[Fix]:
    """`param N 2`, `CONV(k 3)`, `block f(x) CONV(x)`."""
    before = place.previous()
    if before is None or not place.can("EQUAL"):
        return
    if place.type not in VALUES:
        yield from _no_value(place, before)
        return
    if place.can("COMMA") and not _names_without_equals(place):
        return
    if before.type == "NAME":
        help = f"write `{before} = {shortened(str(place.token))}`"
    else:
        help = f"write `= {place.element_after()}`"
    found = place.say(
        "E118", f"a `=` is missing after `{before}`", "`=` is missing here", help, span=place.gap()
    )
    yield Fix(found, (place.new("EQUAL"),))


def _no_value(place: Place, name: Token) -> Iterator[Fix]:
    """`let a` and then nothing, `param N, M = 2`."""
    ends = place.type in {"COMMA", "RBRACE", END, *STATEMENTS}
    if place.can("COMMA") or name.type != "NAME" or not ends:
        return
    found = place.say(
        "E119", f"`{name}` gets no value", "a value belongs after it",
        f"write `{name} = ` and its value", span=place.span(name),
    )  # fmt: skip
    for back, skip in ((2, 0), (1, 0), (1, 1)):
        yield Fix(found, back=back, skip=skip)


def _names_without_equals(place: Place) -> bool:
    """Whether this is the 3 of `CONV(k 3)`, and not of `CONV(64 3)`."""
    return (
        place.type in LITERALS
        and place.previous_type() == "NAME"
        and place.previous_type(2) in {"LPAR", "COMMA"}
        and place.can("EQUAL")
    )


def commas(place: Place) -> Iterator[Fix]:
    """`CONV(64 3)`, `CONV(64,, 3)`, `let a = 1,`."""
    before = place.previous_type()
    if place.type == "COMMA" and (before == "COMMA" or before in OPENERS):
        yield Fix(
            place.say("E120", "there is a comma too many", "nothing stands before it", "delete it"),
            skip=1,
        )
    elif place.can("COMMA") and place.type in VALUES and not place.first_in_line():
        if _names_without_equals(place):
            return
        found = place.say(
            "E120",
            f"a comma is missing before {shown(place.token)}",
            "`,` is missing before this",
            f"write `{place.previous()}, {shortened(str(place.token))}`",
        )
        yield Fix(found, (place.new("COMMA"),))
    elif before == "COMMA" and place.wants_name:
        yield Fix(_one_comma_too_many(place, 1), back=1)
    elif (
        place.previous_type(2) == "COMMA"
        and before == "NAME"
        and place.can("EQUAL")
        and not place.can("COMMA")
        and not place.innermost
        and place.type not in LITERALS
        and "\n" in place.span(place.previous(2), place.previous()).text
    ):
        # After `let a = 1,` the head of a chain was taken for the next name.
        chain_begins = place.rest[place.at - 1]
        yield Fix(_one_comma_too_many(place, 2), (chain_begins,), back=2)


def _one_comma_too_many(place: Place, count: int) -> tuple[Diagnostic, ...]:
    return place.say(
        "E120",
        "nothing follows this comma",
        "a comma too many",
        "delete it",
        span=place.span(place.previous(count)),
    )


def missing_braces(place: Place) -> Iterator[Fix]:
    """`train batch = 64`."""
    if place.previous_type() == "TRAIN" and place.can("LBRACE"):
        found = place.say(
            "E123",
            "the settings of `train` stand in `{ … }`",
            "`{` is missing",
            "write `train { batch = 64 }`",
            span=place.gap(),
        )
        yield Fix(found, (place.new("LBRACE"),))
        yield Fix(found, (place.new("LBRACE"),), 1)
        yield Fix(found, back=1)


def missing_value(place: Place) -> Iterator[Fix]:
    """`CONV(64, k=)`, `let a =`, `1 +`."""
    before = place.previous()
    if before is None or not place.wants_value or place.type in VALUES:
        return
    if place.type in _SIGNS and before.type in _SIGNS:
        found = place.say("E125", f"`{place.token}` cannot follow `{before}`", "one sign too many")
        yield Fix(found, skip=1)
    if before.type in OPENERS:
        if place.type != "RPAR":
            return
    help = [f"write `{place.previous(2)} = ` and its value"] if before.type == "EQUAL" else []
    found = place.say(
        "E119",
        f"a value is missing after `{before}`",
        "a value belongs after it",
        *help,
        span=place.span(before),
    )
    # Take away what has no value: the sign, the argument, the setting, the whole statement.
    for back, skip in ((1, 0), (3, 0), (2, 0), (2, 1), (1, 1)):
        if back == 1 and before.type == "EQUAL":
            continue
        yield Fix(found, back=back, skip=skip)
    if place.starts:
        whole = len(place.before) - place.starts[-1]
        yield Fix(found, back=whole)
        if place.type not in STATEMENTS:
            yield Fix(found, back=whole, skip=1)


RULES = (
    equals,
    statement_without_word,
    settings_without_word,
    loose_name,
    commas,
    missing_equals,
    missing_braces,
    missing_value,
)
