"""Mistakes inside one token: numbers, shapes, strings, and signs and words of other languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

from .automaton import END
from .characters import described
from .repair import ELEMENTS, LITERALS, RESERVED, STATEMENTS, Fix, Place
from .source import Span

# What signs of other languages, or signs that only look right, are meant to be.
_MEANT = {
    "&&": ("AND",), "&": ("AND",), "!": ("NOT",), "<>": ("NE",), "≠": ("NE",),
    "≤": ("LE",), "≥": ("GE",), ":=": ("EQUAL",), ":": ("EQUAL", "COLONS"),
    "^": ("POWER", "STAR"), "×": ("STAR",), "·": ("STAR",), "−": ("MINUS",), "–": ("MINUS",),
    "÷": ("SLASH",), "，": ("COMMA",), "（": ("LPAR",), "）": ("RPAR",), "｜": ("VBAR",),
}  # fmt: skip
_SUFFIXES = {"k": "k", "m": "M", "g": "G", "kb": "KB", "mb": "MB", "gb": "GB"}
# What may be glued to a name by those who take it for a part of the name.
_GLUED = {"NAME", "NUMBER", "MINUS", "PLUS", "SLASH", "ODD", "ODD_WORD", "BAD_NUMBER"}
_WORDS = {"AND": "AND", "OR": "OR", "NOT": "NOT", "&&": "AND", "||": "OR"}


def spaced_shape(place: Place) -> Iterator[Fix]:
    """`3 x 32 x 32`, `3X32X32`."""
    if place.type != "SPACED_SHAPE":
        return
    meant = "x".join(re.findall("[0-9]+", str(place.token)))
    found = place.say(
        "E107",
        "a shape is written without spaces and with a small x",
        f"`{meant}` is meant",
        f"write `{meant}`",
    )
    yield Fix(found, (place.instead("SHAPE", meant),), 1)
    yield Fix(found, (), 1)


def spaced_number(place: Place) -> Iterator[Fix]:
    """`expect params < 10 M`."""
    if place.type != "SPACED_NUMBER":
        return
    number, suffix = str(place.token).split()
    meant = number + _SUFFIXES[suffix.lower()]
    found = place.say(
        "E106",
        "a number and its suffix stand together",
        f"`{meant}` is meant",
        f"write `{meant}`",
    )
    yield Fix(found, (place.instead("NUMBER", meant),), 1)
    yield Fix(found, (), 1)


def bad_number(place: Place) -> Iterator[Fix]:
    """`64abc`, `3x`, `10kb`, `1.2.3`."""
    if place.type != "BAD_NUMBER":
        return
    text = str(place.token)
    digits = re.match(r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?|\.[0-9]+", text)
    number = digits[0] if digits else "0"
    rest = text[len(number) :]
    message = f"`{text}` is neither a number nor a name"
    help = (f"names begin with a letter: `{rest}{number}`" if rest.isidentifier() else "",)
    if rest.lower() in _SUFFIXES:
        number += _SUFFIXES[rest.lower()]
        message = f"`{rest}` is no suffix of a number; they are k, M, G, KB, MB and GB"
        help = (f"write `{number}`",)
    elif items := re.fullmatch(r"([0-9]+)\.\.+([0-9]+)", text):
        message = f"`{text}` is no range"
        help = (f"write `range({items[1]}, {int(items[2]) + 1})`, which ends before its second",)
    elif re.fullmatch("[0-9]+(x[0-9]+)*x", text):
        message = f"the shape `{text}` ends in its x"
        help = (f"a shape has a number on each side of an x: `{text}{number}`",)
    elif re.fullmatch(r"[0-9_.]+", text):
        message = f"`{text}` is no number"
        help = ("a number has at most one point, and `_` stands between two digits",)
    found = place.say("E106", message, "here", *filter(None, help))
    yield Fix(found, (place.instead("NUMBER", number),), 1)
    yield Fix(found, (place.instead("NAME", f"_{text}"),), 1)
    yield Fix(found, (), 1)


def open_string(place: Place) -> Iterator[Fix]:
    """`"conv1` without its second quote."""
    if place.type != "OPEN_STRING":
        return
    text = str(place.token)
    found = place.say(
        "E105",
        "this text in quotes is never closed",
        f"no second {text[0]} on this line",
        f"write `{text}{text[0]}`",
    )
    yield Fix(found, (place.instead("STRING", text + text[0]),), 1)
    yield Fix(found, (), 1)


def odd_word(place: Place) -> Iterator[Fix]:
    """`größe`, or a Cyrillic letter that looks like a Latin one."""
    if place.type != "ODD_WORD":
        return
    text = str(place.token)
    odd = next((c for c in text if not c.isascii()), text[0])
    found = place.say(
        "E104",
        f"`{text}` has a letter that names cannot have: {described(odd)}",
        "not a name",
        "names have the letters a to z and A to Z, digits and `_`",
    )
    yield Fix(found, (place.instead("NAME", text),), 1)
    yield Fix(found, (), 1)


def odd_sign(place: Place) -> Iterator[Fix]:
    """A sign that belongs to no token: `;`, `&&`, `$`, typographic quotes."""
    if place.type != "ODD":
        return
    text = str(place.token)
    for kind in _MEANT.get(text, ()):
        if place.can(kind):
            meant = place.instead(kind)
            written = f"{place.previous()} = {place.ahead()}" if kind == "EQUAL" else str(meant)
            if kind == "STAR" and place.after_element:
                written = f"{place.element_before()}*{place.ahead()}"
            yield Fix(
                place.say(
                    "E117",
                    f"`{text}` is written `{meant}` in this language",
                    f"`{meant}` is meant",
                    f"write `{written}`",
                ),
                (meant,),
                1,
            )
    if text[0] in "“”„‘’«»" and len(text) > 1:
        straight = f'"{text[1:-1]}"'
        found = place.say(
            "E117", "texts stand in straight quotes", f"`{straight}` is meant", f"write {straight}"
        )
        yield Fix(found, (place.instead("STRING", straight),), 1)
    if text.startswith("```"):
        found = place.say("E104", "a Markdown fence is no part of a spec", "", "delete it")
        yield Fix(found, skip=1)
        return
    what = f"`{text}`" if text.isascii() and text.isprintable() else described(text[0])
    help = ("delete it",)
    if text == ";" and place.innermost == "LPAR":
        help = ("arguments are separated by `,`",)
    elif text == ";":
        help = ("nothing ends a statement or a line; leave it out",)
    found = place.say("E104", f"{what} means nothing in this language", "not understood", *help)
    if text in ";,." and place.innermost == "LPAR":
        yield Fix(found, (place.instead("COMMA"),), 1)
    following = place.ahead()
    if following.type in ELEMENTS and place.after_element:
        between = place.source.text[place.token.end_pos : following.start_pos]
        if place.innermost or "\n" not in between:
            yield Fix(found, (place.instead("ARROW"),), 1)
    if place.wants_element:
        yield Fix(found, (), 1)
        yield Fix(found, (place.nothing(),), 1)
    yield Fix(found, (), 1)


def word_of_another_language(place: Place) -> Iterator[Fix]:
    """`a AND b`, `a || b`."""
    text = str(place.token)
    skip = 1
    if place.type == "VBAR" and place.ahead().type == "VBAR":
        text, skip = "||", 2
    kind = _WORDS.get(text)
    if kind is None or not place.after_value or not place.can(kind):
        return
    meant = place.instead(kind)
    span = place.span(place.token, place.ahead(skip - 1))
    found = place.say(
        "E117",
        f"`{text}` is written `{meant}` in this language",
        f"`{meant}` is meant",
        f"write `{meant}`",
        span=span,
    )
    yield Fix(found, (meant,), skip)


def word_taken_for_a_layer(place: Place) -> Iterator[Fix]:
    """`a > 1 AND b > 2`: by the second `>`, AND and b were taken for chains."""
    if len(place.starts) < 2:
        return
    first = place.starts[-2]
    word = place.before[first]
    kind = _WORDS.get(str(word))
    if kind is None or place.starts[-1] != first + 1:
        return
    meant = place.new(kind)
    found = place.say(
        "E117",
        f"`{word}` is written `{meant}` in this language",
        f"`{meant}` is meant",
        f"write `{meant}`",
        span=place.span(word),
    )
    back = len(place.before) - first
    yield Fix(found, (meant, *place.before[first + 1 :]), back=back)


def reserved_name(place: Place) -> Iterator[Fix]:
    """`let in = 3`: a reserved word where a name belongs."""
    if place.type not in RESERVED or not place.can("NAME"):
        return
    if place.wants_value and place.type in {"IN", "IF", "ELSE", "AND", "OR", "AS"}:
        return
    # A word that begins a statement, on a new line, more likely does just that.
    if place.type in STATEMENTS and not place.same_line():
        return
    text = str(place.token)
    found = place.say(
        "E115",
        f"`{text}` is a reserved word and cannot be a name",
        "a name belongs here",
        f"choose another name, for example `{text}_`",
    )
    yield Fix(found, (place.instead("NAME", text + "_"),), 1)


def missing_name(place: Place) -> Iterator[Fix]:
    """`net "LeNet"`, `let = 3`, `x as`: no name where only a name can stand."""
    if not place.wants_name or place.previous_type() not in {
        "NET", "PARAM", "LET", "BLOCK", "DEFAULT", "FOR", "AS", "AT",
    }:  # fmt: skip
        return
    word = place.previous()
    inside = str(place.token)[1:-1]
    if place.type == "STRING" and re.fullmatch(r"[A-Za-z_]\w*", inside, re.ASCII):
        found = place.say(
            "E124", f"the name after `{word}` stands without quotes", "", f"write `{word} {inside}`"
        )
        yield Fix(found, (place.instead("NAME", inside),), 1)
        return
    found = place.say(
        "E124", f"`{word}` needs a name after it", "a name belongs here", span=place.gap()
    )
    if place.type in {"EQUAL", "LPAR"}:
        yield Fix(found, (place.new("NAME", "_"),))
    if place.type in LITERALS:
        yield Fix(found, (place.instead("NAME", "_"),), 1)
    yield Fix(found, back=1)
    if place.starts:
        whole = len(place.before) - place.starts[-1]
        yield Fix(found, back=whole)
        yield Fix(found, back=whole, skip=1)


def doubled(place: Place) -> Iterator[Fix]:
    """`net net`, `let a a = 1`, `pad=1 1`: a word twice in a row."""
    before = place.previous()
    if before is None or before.type != place.type or before != place.token:
        return
    if place.after_element or place.type not in {"NAME", "EQUAL", "LBRACE", *LITERALS, *RESERVED}:
        return
    # In `CONV(3 3)` a comma is missing.
    if place.innermost in {"LPAR", "LSQB"} and place.type in {"NAME", *LITERALS}:
        if place.previous_type(2) != "EQUAL" and place.ahead().type != "EQUAL":
            return
    text = str(before)
    found = place.say("E125", f"`{text}` stands here twice", "once too often", "delete one of them")
    yield Fix(found, skip=1)


def path_without_quotes(place: Place) -> Iterator[Fix]:
    """`import blocks.cnn`, `import` alone."""
    if place.previous_type() != "IMPORT" or place.type in {"OPEN_STRING", "ODD"}:
        return
    skip, last = 0, place.token
    if place.same_line() and place.type not in STATEMENTS and place.type != END:
        skip = 1
        while place.ahead(skip).start_pos == last.end_pos and place.ahead(skip).type != END:
            last = place.ahead(skip)
            skip += 1
    if skip:
        path = place.span(place.token, last)
        found = place.say(
            "E124",
            "the file to import stands in quotes",
            "without quotes",
            f'write `import "{path.text}"`',
            span=path,
        )
        yield Fix(found, (Token("STRING", f'"{path.text}"', path.start, end_pos=path.end),), skip)
    found = place.say(
        "E124",
        "`import` needs a file after it",
        "which file?",
        'write `import "blocks.cnn"`',
        span=place.gap(),
    )
    yield Fix(found, back=1)


def broken_name(place: Place) -> Iterator[Fix]:
    """`net lenet-5`, `let a.b = 3`: signs glued to a name where it is declared."""
    name = place.previous()
    if place.previous_type(2) not in {"NET", "PARAM", "LET", "BLOCK", "AS"} or name is None:
        return
    if name.type != "NAME":
        return
    word = place.before[-2]
    if word.type == "NET" and "\n" in place.source.text[word.end_pos : name.start_pos]:
        end_of_net = Span(place.source, word.end_pos or 0, word.end_pos or 0)
        missing = place.say(
            "E124", "`net` needs a name after it", "a name belongs here", span=end_of_net
        )
        yield Fix(missing, (name,), back=2)
        return
    skip, end = 0, name
    while (
        place.ahead(skip).start_pos == end.end_pos
        and place.ahead(skip).type in _GLUED | RESERVED
        and skip < 9
    ):
        end = place.ahead(skip)
        skip += 1
    if skip == 0:
        return
    span = place.span(name, end)
    meant = re.sub(r"\W+", "_", span.text, flags=re.ASCII).strip("_")
    found = place.say(
        "E124",
        f"`{span.text}` is no name: names have letters, digits and `_`",
        "not a name",
        f"write `{word} {meant}`",
        span=span,
    )
    yield Fix(found, skip=skip)


RULES = (
    doubled,
    path_without_quotes,
    spaced_shape,
    spaced_number,
    bad_number,
    broken_name,
    open_string,
    odd_word,
    odd_sign,
    word_of_another_language,
    word_taken_for_a_layer,
    reserved_name,
    missing_name,
)
