"""Mistakes in brackets: never closed, closing nothing, of the wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lark import Token

from .diagnostics import Diagnostic, Related
from .repair import CLOSERS, OPENERS, TEXTS, Fix, Place, shown
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
        span=gap or place.gap(),
        related=tuple(Related("opened here", place.span(opener)) for opener in opened),
    )


def _invented(opener: Token) -> bool:
    """Whether recovery put this bracket there: what follows from it is no second mistake."""
    return opener.start_pos == opener.end_pos


RULES = (list_never_closed, opened_twice, closes_nothing)
# To close what is open often parses, so it is tried only after all that is more exact.
LAST_RULES = (never_closed,)
