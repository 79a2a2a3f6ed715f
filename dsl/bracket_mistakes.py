"""Mistakes in brackets: never closed, closing nothing, of the wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lark import Token

from .diagnostics import Diagnostic, Related
from .repair import CLOSERS, OPENERS, TEXTS, Fix, Place, shown


def closes_nothing(place: Place) -> Iterator[Fix]:
    """`)` without a `(`, or `]` where `)` belongs."""
    opener = CLOSERS.get(place.type)
    if opener is None:
        return
    text = str(place.token)
    if not place.open:
        yield Fix(
            place.say("E129", f"this `{text}` closes nothing", "no bracket is open", "delete it"),
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


def never_closed(place: Place) -> Iterator[Fix]:
    """`CONV(64 -> RELU`: what is open is closed as far out as it takes."""
    insert: list[Token] = []
    opened: list[Token] = []
    for opener in reversed(place.open):
        insert.append(place.new(OPENERS[opener.type]))
        if not _invented(opener):
            opened.append(opener)
        yield Fix(_unclosed(place, opened), tuple(insert))


def _unclosed(place: Place, opened: Sequence[Token]) -> tuple[Diagnostic, ...]:
    if not opened:
        return ()
    closers = "".join(TEXTS[OPENERS[opener.type]] for opener in opened)
    if len(opened) == 1:
        message = f"this `{opened[0]}` is never closed"
    else:
        message = f"{len(opened)} brackets are never closed: {' '.join(map(str, opened))}"
    where = "at the end" if place.type == "$END" else f"before {shown(place.token)}"
    return place.say(
        "E128",
        message,
        f"`{closers}` is missing here",
        f"write `{closers}` {where}",
        span=place.gap(),
        related=tuple(Related("opened here", place.span(opener)) for opener in opened),
    )


def _invented(opener: Token) -> bool:
    """Whether recovery put this bracket there: what follows from it is no second mistake."""
    return opener.start_pos == opener.end_pos


RULES = (closes_nothing, never_closed)
