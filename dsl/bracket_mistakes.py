"""Mistakes in brackets: never closed, closing nothing, of the wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lark import Token

from .diagnostics import Diagnostic, Related
from .repair import CLOSERS, ELEMENTS, OPENERS, TEXTS, Fix, Place, shortened, shown
from .source import Span


def closes_nothing(place: Place) -> Iterator[Fix]:
    """`)` without a `(`, or `]` where `)` belongs."""
    opener = CLOSERS.get(place.type)
    if opener is None:
        return
    text = str(place.token)
    if not place.open or _closes_later(place):
        yield Fix(
            place.say(
                "E129", f"this `{text}` closes nothing", "no bracket is open for it", "delete it"
            ),
            skip=1,
        )
    elif all(token.type != opener for token in place.open):
        innermost = place.open[-1]
        wanted = OPENERS[innermost.type]
        found = place.say(
            "E129",
            f"`{text}` cannot close `{innermost}`",
            f"`{TEXTS[wanted]}` is meant",
            f"write `{TEXTS[wanted]}`",
            related=(Related("opened here", place.span(innermost)),),
        )
        if _invented(innermost):
            found = ()
        yield Fix(found, (place.instead(wanted),), 1)
        yield Fix(found, skip=1)


def _closes_later(place: Place) -> bool:
    """Whether the innermost bracket is closed further on, so that this one is too many."""
    if place.type == OPENERS[place.innermost]:
        return False
    place = replace(place, at=place.at + 1)
    later = place.closes_next()
    return later >= 0 and place.rest[later].type == OPENERS[place.innermost]


def list_never_closed(place: Place) -> Iterator[Fix]:
    """`param N = 2 in [1, 2, M = 3`, `for f in [1, 2 [CONV(f)]`: only the list is open."""
    if place.innermost != "LSQB":
        return
    opener = place.open[-1]
    statement = place.before[place.starts[-1]].type if place.starts else ""
    if (
        place.type == "EQUAL"
        and place.previous_type(2) == "COMMA"
        and statement in {"PARAM", "LET"}
    ):
        comma, name = place.before[-2:]
        closers = [place.new(OPENERS[bracket.type]) for bracket in reversed(place.open)]
        found = _unclosed(place, place.open[::-1], place.span(comma))
        yield Fix(found, (*closers, comma, name), back=2)
    elif place.type == "LSQB" and place.after_value:
        before = next(i for i, token in enumerate(place.before) if token is opener) - 1
        if before >= 0 and place.before[before].type == "IN" and statement != "PARAM":
            yield Fix(_unclosed(place, [opener]), (place.new("RSQB"),))


def opened_twice(place: Place) -> Iterator[Fix]:
    """`CONV((64, k=3)`: a named argument in what was taken for a tuple."""
    if place.type != "EQUAL" or place.innermost != "LPAR" or not place.can("EQ"):
        return
    opener = next(i for i, token in enumerate(place.before) if token is place.open[-1])
    if opener == 0 or place.before[opener - 1].type != "LPAR":
        return
    found = place.say(
        "E128",
        "this `(` is never closed",
        "one `(` too many",
        "delete it",
        span=place.span(place.before[opener]),
    )
    back = len(place.before) - opener
    yield Fix(found, tuple(place.before[opener + 1 :]), back=back)


def group_in_parentheses(place: Place) -> Iterator[Fix]:
    """`(CONV(16) -> RELU)*2`, `{CONV(16) -> RELU}*2`, `for f in [16, 32] (CONV(f))`."""
    body = place.can("LSQB") and place.after_value and not place.wants_statement
    if place.type not in {"LPAR", "LBRACE"} or not (place.wants_element or body):
        return
    end = place.matching(place.at)
    inside = place.rest[place.at + 1 : end]
    if place.rest[end].type != OPENERS[place.type] and place.ahead().type in ELEMENTS:
        found = place.say(
            "E128", f"this `{place.token}` is never closed", "one bracket too many", "delete it"
        )
        yield Fix(found, skip=1)
        return
    if not inside or inside[0].type not in {"NAME", "LSQB", "LPAR", "AT", "FOR"}:
        return
    if not body and all(token.type != "ARROW" for token in inside):
        return
    text = place.span(inside[0], inside[-1]).text
    found = place.say(
        "E123",
        "a group of layers stands in square brackets",
        "`[ … ]` is meant",
        f"write `[{shortened(text)}]`",
        span=place.span(place.token, place.rest[end]),
    )
    yield Fix(found, (place.new("LSQB"),), 1)  # which the `)` or `}` then closes


def branches_in_other_brackets(place: Place) -> Iterator[Fix]:
    """`ADD(CONV(16) -> RELU, ID)`, `ADD[CONV(16) -> RELU | ID]`."""
    if not place.open or place.type not in {"ARROW", "VBAR", "LBRACE", "LSQB", "STAR", "AT"}:
        return
    opener = next(i for i, token in enumerate(place.before) if token is place.open[-1])
    bracket, inside = place.before[opener], place.before[opener + 1 :]
    name = place.before[opener - 1] if opener else None
    if name is None or name.type != "NAME" or name.end_pos != bracket.start_pos:
        return
    end = place.closes_next()
    if bracket.type == "LBRACE" or end < 0 or place.rest[end].type != OPENERS[bracket.type]:
        return
    if bracket.type == "LSQB" and place.type != "VBAR":
        return
    if inside and inside[0].type not in {"NAME", "LSQB", "AT", "FOR"}:
        return
    found = place.say(
        "E123",
        f"the branches of {name} stand in braces, with `|` between them",
        "`{ … | … }` is meant",
        f"write `{name}{{ … | … }}`",
        span=place.span(bracket, place.rest[end]),
    )
    brace = Token("LBRACE", "{", bracket.start_pos, end_pos=bracket.start_pos)
    back = len(place.before) - opener
    later = list(place.rest[place.at : end])
    whole = (brace, *_separated([*inside, *later]), _instead_of(place.rest[end], "RBRACE"))
    yield Fix(found, whole, len(later) + 1, back)
    yield Fix(found, (brace, *_separated(inside)), back=back)


def _separated(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same with `|` for each comma that stands in no bracket."""
    depth = 0
    for token in tokens:
        depth += (token.type in OPENERS) - (token.type in CLOSERS)
        yield _instead_of(token, "VBAR") if token.type == "COMMA" and not depth else token


def comma_between_branches(place: Place) -> Iterator[Fix]:
    """`ADD{ CONV(16), ID }`."""
    if place.type != "COMMA" or place.innermost != "LBRACE" or not place.after_element:
        return
    found = place.say(
        "E109", "`,` stands where `|` belongs: branches are separated by it", "`|` is meant",
        f"write `{place.element_before()} | {place.element_after(1)}`",
    )  # fmt: skip
    yield Fix(() if _invented(place.open[-1]) else found, (place.instead("VBAR"),), 1)


def _instead_of(token: Token, kind: str) -> Token:
    return Token(kind, TEXTS[kind], token.start_pos, end_pos=token.end_pos)


def never_closed(place: Place) -> Iterator[Fix]:
    """`CONV(64 -> RELU`: what is open is closed as far out as it takes."""
    insert: list[Token] = []
    opened: list[Token] = []
    for opener in reversed(place.open):
        insert.append(place.new(OPENERS[opener.type]))
        if not _invented(opener):
            opened.append(opener)
        yield Fix(_unclosed(place, opened), tuple(insert))


def _unclosed(
    place: Place, opened: Sequence[Token], gap: Span | None = None
) -> tuple[Diagnostic, ...]:
    if not opened:
        return ()
    closers = "".join(TEXTS[OPENERS[opener.type]] for opener in opened)
    help = [] if len(opened) > 1 else _before_a_count(place, opened[0])
    if len(opened) == 1:
        message = f"this `{opened[0]}` is never closed"
    else:
        message = f"{len(opened)} brackets are never closed: {' '.join(map(str, opened))}"
    if gap is not None:
        where = f"before `{gap.text}`"
    else:
        where = "at the end" if place.type == "$END" else f"before {shown(place.token)}"
    return place.say(
        "E128",
        message,
        f"`{closers}` is missing here",
        f"write `{closers}` {where}",
        *help,
        span=gap or place.gap(),
        related=tuple(Related("opened here", place.span(opener)) for opener in opened),
    )


def _before_a_count(place: Place, opener: Token) -> list[str]:
    """`[CONV -> RELU*2 -> FC`: the group may have ended before the `*`."""
    first = next(i for i, token in enumerate(place.before) if token is opener)
    depth = 0
    for index in range(first + 1, len(place.before)):
        token = place.before[index]
        depth += (token.type in OPENERS) - (token.type in CLOSERS)
        if opener.type == "LSQB" and token.type == "STAR" and depth == 0:
            group = place.span(opener, place.before[index - 1]).text
            count = place.before[index + 1] if index + 1 < len(place.before) else ""
            return [f"or before `*{count}`, to repeat it all: `{shortened(group)}]*{count}`"]
    return []


def _invented(opener: Token) -> bool:
    """Whether recovery put this bracket there: what follows from it is no second mistake."""
    return opener.start_pos == opener.end_pos


RULES = (
    list_never_closed,
    opened_twice,
    group_in_parentheses,
    branches_in_other_brackets,
    comma_between_branches,
    closes_nothing,
)
# To close what is open often parses, so it is tried only after all that is more exact.
LAST_RULES = (never_closed,)
