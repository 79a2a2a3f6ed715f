"""Mistakes in chains: arrows, empty groups and branches, counts, `for`, arguments."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from .automaton import END
from .repair import CLOSERS, ELEMENTS, LITERALS, STATEMENTS, VALUES, Fix, Place, shown

_BEFORE_AN_ELEMENT = {"LSQB", "LBRACE", "VBAR", "EQUAL"}
_NO_ARROWS = {"COMMA", "MORETHAN", "MINUS", "EQUAL", "PLUS", "SLASH", "LESSTHAN", "GE", "VBAR"}
_ARITHMETIC = {"PLUS", "MINUS", "SLASH", "FLOORDIV", "PERCENT"}


def wrong_arrow(place: Place) -> Iterator[Fix]:
    """`A => B`, `A, B`, `A > B`, `A ->> B`."""
    skip = 0
    while place.ahead(skip).type in _NO_ARROWS | {"WRONG_ARROW"} and skip < 3:
        skip += 1
    if skip == 0:
        return
    following = place.ahead(skip)
    span = place.span(place.token, place.ahead(skip - 1))
    if place.previous_type() == "ARROW":
        found = place.say(
            "E109", f"`{span.text}` after an arrow means nothing", "", "write `->` alone", span=span
        )
        yield Fix(found, skip=skip)
        return
    if following.type not in ELEMENTS and place.type != "WRONG_ARROW":
        return
    if place.after_element:
        meant = f"{place.element_before()} -> {place.element_after(skip)}"
        message = f"`{span.text}` stands where `->` belongs"
        help = [f"write `{meant}`"]
        if span.text == "<-":
            message = "`<-` points backwards: a chain goes from INPUT to the output"
            help = [f"write `{place.element_after(skip)} -> {place.element_before()}`"]
        if span.text == "+":
            help.append("`ADD{ a | b }` adds the outputs of two branches")
        if place.type == "VBAR":
            help.append("`|` separates the branches of CONCAT{ … }, ADD{ … } and MUL{ … }")
        found = place.say("E109", message, "`->` is meant", *help, span=span)
        yield Fix(found, (place.instead("ARROW"),), skip)
    if place.type == "WRONG_ARROW":
        found = place.say("E109", f"`{span.text}` is no sign of this language", "", "write `->`")
        yield Fix(found, (place.new("RPAR"), place.instead("ARROW")), 1)
        yield Fix(found, skip=1)


def missing_arrow(place: Place) -> Iterator[Fix]:
    """`[CONV RELU]`."""
    if not place.after_element or place.type not in ELEMENTS:
        return
    # A new line where a bracket is open that is never closed: the bracket is the mistake.
    if place.first_in_line() and place.closes_next() < 0:
        return
    meant = f"{place.element_before()} -> {place.element_after()}"
    found = place.say(
        "E108",
        "a `->` is missing between these two layers",
        "`->` is missing before this",
        f"write `{meant}`",
    )
    yield Fix(found, (place.new("ARROW"),))


def missing_layer(place: Place) -> Iterator[Fix]:
    """`-> (64, 3)`, `-> ?`: what belongs to a layer, without the layer."""
    before = place.previous_type()
    if place.type not in {"LPAR", "LBRACE", "QMARK", "STAR", "COLONS", "AS"}:
        return
    if not place.wants_element or before not in {"ARROW", "LSQB", "LBRACE", "VBAR", "EQUAL"}:
        if not place.wants_statement or place.after_element or place.type in {"LBRACE", "STAR"}:
            return
    found = place.say(
        "E124",
        f"the name of a layer is missing before {shown(place.token)}",
        "whose is this?",
    )
    yield Fix(found, (place.nothing(),))


def loose_arrow(place: Place) -> Iterator[Fix]:
    """`A -> -> B`, `A ->` at the end, `[ -> A ]`."""
    before = place.previous()
    if before is not None and before.type == "ARROW" and place.wants_element:
        if place.type == "ARROW":
            found = place.say("E110", "there is no layer between these two arrows")
            yield Fix(found, skip=1)
        elif place.type in {"VBAR", END, *CLOSERS, *STATEMENTS}:
            found = place.say(
                "E110",
                "nothing follows this arrow",
                "a layer belongs after it",
                "write the layer that follows, or delete the arrow",
                span=place.span(before),
            )
            yield Fix(found, back=1)
    elif place.type == "ARROW" and (place.wants_element or place.wants_statement):
        found = place.say(
            "E110",
            "nothing stands before this arrow",
            "a layer belongs before it",
            "a chain begins with a layer, as in `INPUT(3x32x32) -> CONV(16)`",
        )
        yield Fix(found, skip=1)


def empty(place: Place) -> Iterator[Fix]:
    """`[]`, `CONCAT{ a | }`, a block without a body."""
    before = place.previous()
    if before is None or before.type not in _BEFORE_AN_ELEMENT or not place.wants_element:
        return
    if place.type not in {"VBAR", END, *CLOSERS, *STATEMENTS}:
        return
    ends_block = before.type == "EQUAL"
    if place.type in CLOSERS and ends_block:
        return
    what = {"LSQB": "this group is empty", "EQUAL": "this block has no layers"}
    message = what.get(before.type, "this branch is empty")
    last = before if ends_block or place.type in STATEMENTS | {END} else place.token
    help = (
        "`[ … ]` holds at least one layer"
        if before.type == "LSQB"
        else "`ID` is the layer that changes nothing"
    )
    found = place.say("E113", message, "a layer belongs here", help, span=place.span(before, last))
    yield Fix(found, (place.nothing(),))


def bad_count(place: Place) -> Iterator[Fix]:
    """`x*`, `x*-1`, `x**2`, `x*N+1`, `x*max(a, b)`."""
    star, before = place.previous(2), place.previous()
    if place.type == "POWER" and place.after_element:
        found = place.say(
            "E114", "a repetition is written with one `*`", "", "write `*` and the count"
        )
        yield Fix(found, (place.instead("STAR"),), 1)
    elif before is not None and before.type == "STAR" and _wants_count(place):
        if place.type == "MINUS" and place.ahead().type == "NUMBER":
            span = place.span(place.token, place.ahead())
            found = place.say(
                "E114", f"a count cannot be {span.text}", "below zero", "`*0` leaves it out",
                span=span,
            )  # fmt: skip
            yield Fix(found, back=1, skip=2)
            return
        if place.type in LITERALS:
            found = place.say(
                "E114", f"{shown(place.token)} is no count", "a whole number belongs here"
            )
            yield Fix(found, back=1, skip=1)
            return
        found = place.say(
            "E114",
            "a count is missing after this `*`",
            "how many times?",
            f"write `{place.element_before()}2`, or a name, a list or `(…)` in place of the 2",
            span=place.span(before),
        )
        yield Fix(found, back=1)
        yield Fix(found, back=1, skip=1)
    elif star is not None and before is not None and star.type == "STAR" and place.after_element:
        if place.type == "LPAR" and before.type == "NAME":
            end = place.matching(place.at)
        elif place.type in _ARITHMETIC and place.ahead().type in {"NUMBER", "NAME"}:
            end = place.at + 1
        else:
            return
        span = place.span(before, place.rest[end])
        found = place.say(
            "E114",
            f"a count that is computed stands in parentheses: `*({span.text})`",
            "without parentheses",
            f"write `*({span.text})`",
            span=span,
        )
        yield Fix(found, skip=end - place.at + 1)


def count_in_front(place: Place) -> Iterator[Fix]:
    """`2*[CONV(16) -> RELU]`."""
    if place.type != "NUMBER" or not place.wants_element or place.ahead().type != "STAR":
        return
    if place.ahead(2).type not in ELEMENTS | {"LPAR"}:
        return
    found = place.say(
        "E114",
        "the count of a repetition stands after what it repeats",
        "this belongs behind it",
        f"write `{place.element_after(2)}*{place.token}`",
        span=place.span(place.token, place.ahead()),
    )
    yield Fix(found, skip=2)


def _wants_count(place: Place) -> bool:
    return place.can("NUMBER") and place.can("LSQB") and not place.can("STRING")


def missing_shape(place: Place) -> Iterator[Fix]:
    """`x ::` without a shape."""
    before = place.previous()
    if before is None or before.type != "COLONS":
        return
    found = place.say(
        "E119",
        "a shape is missing after this `::`",
        "which shape?",
        "write the shape that is expected, as in `:: 64x16x16`",
        span=place.span(before),
    )
    yield Fix(found, back=1)
    yield Fix(found, back=1, skip=1)


def incomplete_for(place: Place) -> Iterator[Fix]:
    """`for f [1, 2] [CONV(f)]`, `for (a, b) in …`, `for f in list CONV(f)`."""
    example = "write `for f in [64, 128] [ CONV(f) -> RELU ]`"
    if place.previous_type() == "FOR" and place.type == "LPAR":
        end = place.matching(place.at)
        names = [t for t in place.rest[place.at + 1 : end] if t.type in {"NAME", "COMMA"}]
        meant = "".join(f"{t} " if t.type == "COMMA" else str(t) for t in names)
        found = place.say(
            "E122",
            "the names of a `for` stand without parentheses",
            "no parentheses here",
            f"write `for {meant} in …`",
        )
        yield Fix(found, tuple(names), end - place.at + 1)
    elif place.can("IN") and place.previous_type() == "NAME" and not place.after_value:
        found = place.say(
            "E122", "`in` is missing in this `for`", "`in` belongs here", example, span=place.gap()
        )
        if place.type not in {"LSQB", "LPAR", "NUMBER"}:
            yield Fix(found, (place.instead("IN"),), 1)
        yield Fix(found, (place.new("IN"),))
    elif place.can("LSQB") and place.after_value and not place.wants_statement:
        if place.type == "COMMA":
            yield from _list_without_bracket(place)
            return
        found = place.say(
            "E122",
            "the chain that a `for` repeats stands in `[ … ]`",
            "`[` is missing",
            example,
            span=place.gap(),
        )
        bracket = place.new("LSQB")
        if place.type in {"ARROW", "LBRACE"}:
            yield Fix(found, (bracket,), 1)
        if place.type in ELEMENTS:
            yield Fix(found, (bracket,))
        else:
            yield Fix(found, (bracket, place.nothing(), place.new("RSQB")))


def _list_without_bracket(place: Place) -> Iterator[Fix]:
    """`for f in 1, 2] [CONV(f)]`."""
    found = place.say(
        "E122",
        "the items of a `for` stand in a list",
        "`[` is missing before them",
        "write `for f in [64, 128] [ CONV(f) -> RELU ]`",
    )
    end = place.closes_next()
    if end >= 0:
        yield Fix(found, skip=end - place.at + 1)
    skip = 0
    while place.ahead(skip).type in LITERALS | {"COMMA", "NAME"}:
        skip += 1
    yield Fix(found, skip=skip)


def missing_parenthesis(place: Place) -> Iterator[Fix]:
    """`[CONV 64, 3) -> RELU]`: only the `(` is missing."""
    before, end = place.previous(), place.closes_next()
    if before is None or before.type not in {"NAME", "QMARK"} or not place.can("LPAR"):
        return
    if (
        place.innermost == "LPAR"
        or end <= place.at
        or place.rest[end].type != "RPAR"
        or place.type not in VALUES
    ):
        return
    if any(token.type in {"ARROW", "VBAR"} for token in place.rest[place.at : end]):
        return
    found = place.say(
        "E123", f"a `(` is missing after `{before}`", "`(` is missing before this",
        f"write `{before}({place.span(place.token, place.rest[end]).text}`",
    )  # fmt: skip
    yield Fix(found, (place.new("LPAR"),))


def arguments_without_parentheses(place: Place) -> Iterator[Fix]:
    """`CONV 64`, `CONV[64, 3]`, `default CONV`."""
    name = place.previous()
    if name is None:
        return
    if (
        name.type in {"LSQB", "LBRACE"}
        and place.previous_type(2) == "NAME"
        and place.type in LITERALS
    ):
        layer = place.previous(2)
        end = place.matching(place.at - 1)
        if layer is None or end < place.at:
            return
        args = list(place.rest[place.at : end])
        span = place.span(name, place.rest[end])
        found = place.say(
            "E123",
            f"the arguments of {layer} stand in round parentheses",
            "",
            f"write `{layer}({span.text[1:-1].strip()})`",
            span=span,
        )
        opener, closer = place.new("LPAR"), place.new("RPAR")
        yield Fix(found, (opener, *args, closer), len(args) + 1, back=1)
    elif name.type == "NAME" and place.can("LPAR") and place.type in LITERALS:
        skip = 0
        while place.ahead(skip).type in LITERALS | {"COMMA"}:
            skip += 1
        if place.after_value:
            return
        span = place.span(place.token, place.ahead(skip - 1))
        found = place.say(
            "E123",
            f"the arguments of {name} stand in parentheses",
            "without parentheses",
            f"write `{name}({span.text})`",
            span=span,
        )
        values: list[Token] = list(place.rest[place.at : place.at + skip])
        yield Fix(found, (place.new("LPAR"), *values, place.new("RPAR")), skip)
    elif place.previous_type(2) == "DEFAULT" and name.type == "NAME":
        found = place.say(
            "E123",
            f"`default {name}` does not say what the default is",
            "arguments belong after it",
            f"write its arguments, as in `default {name}(…)`",
            span=place.span(name),
        )
        yield Fix(found, back=2)


RULES = (
    loose_arrow,
    missing_layer,
    empty,
    bad_count,
    count_in_front,
    missing_shape,
    missing_parenthesis,
    arguments_without_parentheses,
    wrong_arrow,
    missing_arrow,
    incomplete_for,
)
