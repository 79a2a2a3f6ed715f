"""Mistakes of those who know other languages: their comments, indices, percents, assignments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

from .automaton import END
from .repair import CLOSERS, ELEMENTS, STATEMENTS, VALUES, Fix, Place, shortened

_BEFORE_A_LAYER = {"ARROW", "LSQB", "LBRACE", "VBAR"}


def comment(place: Place) -> Iterator[Fix]:
    """`FC(10) // the scores`, `/* my net */`."""
    text, start = place.source.text, place.token.start_pos or 0
    if text.startswith("/*", start):
        sign, close = "/*", text.find("*/", start + 2)
        end = close + 2 if close >= 0 else _end_of_line(text, start)
    elif place.type == "FLOORDIV":
        sign, end = "//", _end_of_line(text, start)
    else:
        return
    skip = 0
    while place.ahead(skip).type != END and (place.ahead(skip).start_pos or 0) < end:
        skip += 1
    said = text[start + 2 : end].removesuffix("*/").split("\n")[0].strip()
    found = place.say(
        "E117",
        f"`{sign}` begins no comment in this language",
        "a comment begins with `#`",
        f"write `{shortened(f'# {said}'.strip())}`",
        span=place.span(place.token, place.ahead(skip - 1)),
    )
    yield Fix(found, skip=skip)


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def dotted_name(place: Place) -> Iterator[Fix]:
    """`nn.Conv2d(16, 3)`: the name stays whole, for the checker to say what it is called here."""
    before, after = place.previous(), place.ahead()
    if place.token != "." or before is None or before.type != "NAME" or after.type != "NAME":
        return
    if before.end_pos != place.token.start_pos or after.start_pos != place.token.end_pos:
        return
    # Where a name is declared, a dot is a mistake of its own.
    used = place.automaton.after(place.states[-2], "FOR") or place.automaton.after_all(
        place.states[-2], ("NUMBER",)
    )
    if used is not None or place.previous_type(2) == "DEFAULT":
        whole = Token("NAME", f"{before}.{after}", before.start_pos, end_pos=after.end_pos)
        span = place.span(before, after)
        found = place.say(
            "E124",
            f"`{span.text}` is no name: names have letters, digits and `_`",
            "a dot joins nothing here",
            f"write `{after}` alone",
            span=span,
        )
        yield Fix(found, (whole,), skip=2, back=1)


def percent(place: Place) -> Iterator[Fix]:
    """`DROPOUT(50%)`."""
    at = max((i for i, token in enumerate(place.before) if token.type == "PERCENT"), default=0)
    if at == 0:
        return
    number, sign, *after = place.before[at - 1 :]
    # After a line's end, what was taken for the divisor more likely begins a chain.
    next_line = after and "\n" in place.source.text[sign.end_pos : after[0].start_pos]
    if not (next_line or (not after and place.type not in VALUES)):
        return
    if number.type != "NUMBER" or not re.fullmatch(r"\d+(\.\d+)?", number):
        return
    share = f"{float(number) / 100:g}"
    in_expect = any(place.before[start].type == "EXPECT" for start in place.starts[-2:])
    found = place.say(
        "E117",
        "there are no percents in this language",
        "`%` gives the remainder of a division",
        f"write `{share}`",
        *([f"`{share} * 100k` is {number} % of 100k"] if in_expect else []),
        span=place.span(number, sign),
    )
    again = (Token("NUMBER", share, number.start_pos, end_pos=sign.end_pos), *after)
    yield Fix(found, again, back=len(place.before) - at + 1)


def thousands(place: Place) -> Iterator[Fix]:
    """`expect params <= 1,000,000`: commas between digits."""
    first = last = place.previous()
    if place.type != "COMMA" or first is None or last is None:
        return
    if first.type != "NUMBER" or not re.fullmatch(r"\d{1,3}", first):
        return
    skip, text = 0, str(first)
    while (
        (comma := place.ahead(skip)).type == "COMMA"
        and comma.start_pos == last.end_pos
        and re.fullmatch(r"\d{3}", digits := place.ahead(skip + 1))
        and digits.start_pos == comma.end_pos
    ):
        text, last, skip = f"{text}_{digits}", digits, skip + 2
    if skip == 0:
        return
    span = place.span(first, last)
    found = place.say(
        "E106", f"`{span.text}` is no number", "`_` may stand between digits",
        f"write `{text}`", span=span,
    )  # fmt: skip
    yield Fix(found, (Token("NUMBER", text, span.start, end_pos=span.end),), skip, back=1)


def index(place: Place) -> Iterator[Fix]:
    """`CONV(widths[0], 3)`, `let a = widths[0]`."""
    name, opener, back = place.previous(), place.token, 0
    if place.type != "LSQB":  # after `let a = widths` a group may begin, so that this is the 0
        name, opener, back = place.previous(2), place.previous() or place.token, 1
        starts = place.starts
        if len(starts) < 2 or place.before[starts[-2]].type not in {"LET", "PARAM", "EXPECT"}:
            return
    elif not place.after_value:
        return
    if name is None or name.type != "NAME" or opener.type != "LSQB":
        return
    end = place.matching(place.at - back)
    if name.end_pos != opener.start_pos or end <= place.at:
        return
    found = place.say(
        "E117",
        "there are no indices in this language",
        "",
        f"a `for` goes through a list: `for v in {name} [ CONV(v) -> RELU ]`",
        span=place.span(name, place.rest[end]),
    )
    yield Fix(found, skip=end - place.at + 1, back=back)


def condition(place: Place) -> Iterator[Fix]:
    """`POOL(2) if pool -> FC(10)`."""
    if place.type != "IF" or not place.after_element:
        return
    end = 1
    while place.ahead(end).type not in {"ARROW", "VBAR", END, "ELSE", *CLOSERS, *STATEMENTS}:
        end += 1
    if end == 1:
        return
    test = place.rest[place.at + 1 : place.at + end]
    span = place.span(place.token, test[-1])
    text = place.span(test[0], test[-1]).text
    found = place.say(
        "E117",
        "what is optional is marked with `?`",
        "`?` is meant",
        f"write `{place.element_before()}?({shortened(text)})`",
        span=span,
    )
    yield Fix(found, (place.instead("QMARK"), place.new("LPAR"), *test, place.new("RPAR")), end)


def name_in_front(place: Place) -> Iterator[Fix]:
    """`stem: CONV(16)` and `stem = CONV(16)` in a chain."""
    name = place.previous()
    if name is None or name.type != "NAME" or place.previous_type(2) not in _BEFORE_A_LAYER:
        return
    if not (place.token == ":" or place.type == "EQUAL") or place.ahead().type not in ELEMENTS:
        return
    if not place.after_element:
        return
    found = place.say(
        "E117",
        "a name stands after what it names",
        "`as` is meant",
        f"write `{place.element_after(1)} as {name}`",
        span=place.span(name, place.token),
    )
    yield Fix(found, skip=1, back=1)


def layer_in_quotes(place: Place) -> Iterator[Fix]:
    """`-> "CONV" ->`."""
    inside = str(place.token)[1:-1]
    if place.type != "STRING" or not place.wants_element or place.wants_statement:
        return
    if re.fullmatch(r"[A-Za-z_]\w*", inside, re.ASCII):
        found = place.say(
            "E124", "the name of a layer stands without quotes", "", f"write `{inside}`"
        )
        yield Fix(found, (place.instead("NAME", inside),), 1)


RULES = (
    comment,
    dotted_name,
    percent,
    thousands,
    index,
    condition,
    name_in_front,
    layer_in_quotes,
)
