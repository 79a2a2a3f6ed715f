"""Mistakes in values, settings and arguments: `=`, commas, missing values."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from .automaton import END
from .diagnostics import Diagnostic
from .repair import LITERALS, OPENERS, SIGNS, STATEMENTS, VALUES, Fix, Place, shortened, shown


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


def missing_equals(place: Place) -> Iterator[Fix]:
    """`param N 2`, `CONV(k 3)`, `block f(x) CONV(x)`."""
    before = place.previous()
    if before is None or not place.can("EQUAL"):
        return
    # On a new line, what would be the value more likely begins a chain.
    if place.type not in VALUES or (place.innermost == "" and not place.same_line()):
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
    ends = place.type in {"COMMA", "RBRACE", END, *STATEMENTS} or not place.same_line()
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


def list_in_braces(place: Place) -> Iterator[Fix]:
    """`param N = 2 in {1, 2, 3}`."""
    if place.type != "LBRACE" or not place.wants_value:
        return
    end = place.matching(place.at)
    span = place.span(place.token, place.rest[end])
    found = place.say(
        "E117",
        "a list stands in square brackets",
        "`[ … ]` is meant",
        f"write `{shortened(f'[{span.text[1:-1].strip()}]')}`",
        span=span,
    )
    yield Fix(found, (place.new("LSQB"),), 1)  # which the `}` then closes


def missing_else(place: Place) -> Iterator[Fix]:
    """`CONV(16 if deep)`."""
    if not place.can("ELSE") or place.type in VALUES:
        return
    found = place.say(
        "E119",
        "this `if` has no `else`",
        "which value else?",
        "write `16 if deep else 8`: a value is wanted in either case",
        span=place.gap(),
    )
    yield Fix(found, (place.new("ELSE"), place.new("NUMBER", "1")))


def missing_value(place: Place) -> Iterator[Fix]:
    """`CONV(64, k=)`, `let a =`, `1 +`."""
    before = place.previous()
    if before is None or not place.wants_value or place.type in VALUES:
        return
    if place.type in SIGNS and before.type in SIGNS:
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
    commas,
    missing_equals,
    list_in_braces,
    missing_else,
    missing_value,
)
