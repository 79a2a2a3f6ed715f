"""Mistakes in the words and forms of statements: `blok b() = …`, `block b = …`, `N = 2`."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from .automaton import END
from .diagnostics import Diagnostic
from .repair import ELEMENTS, LITERALS, SIGNS, STATEMENTS, Fix, Place, shortened, shown

# What other languages call statements.
_CALLED = {
    "def": "block", "define": "block", "function": "block", "func": "block", "fn": "block",
    "fun": "block", "class": "block", "module": "block", "macro": "block", "const": "let",
    "var": "let", "val": "let", "assert": "expect", "require": "expect", "include": "import",
    "use": "import", "from": "import", "parameter": "param", "arg": "param", "training": "train",
}  # fmt: skip


def meant_statement(word: str) -> str | None:
    """The word that begins a statement, of which another is a slip or a translation."""
    small = word.lower()
    if small in _CALLED:
        return _CALLED[small]
    words = [kind.lower() for kind in STATEMENTS]
    if small in words:
        return small
    from difflib import get_close_matches

    return next(iter(get_close_matches(small, words, n=1, cutoff=0.75)), None)


def misspelt_statement(place: Place) -> Iterator[Fix]:
    """`exepct params < 3`, `parm N = 2`, `def b() = …`, `improt "blocks.cnn"`."""
    for start in reversed(place.starts[-2:]):
        word = place.before[start]
        meant = meant_statement(word) if word.type == "NAME" else None
        if meant is None or not _on_one_line(place, word):
            continue
        found = place.say(
            "E126",
            f"`{word}` is written `{meant}`" + (" in this language" if word in _CALLED else ""),
            f"`{meant}` is meant",
            f"write `{meant} {_rest_of_line(place, word)}`",
            span=place.span(word),
        )
        kind = meant.upper()
        statement = Token(kind, meant, word.start_pos, end_pos=word.end_pos)
        again = (statement, *place.before[start + 1 :])
        back = len(place.before) - start
        if kind == "IMPORT" and place.type == "STRING":
            skip = 1
            while _begins_in_line(place, place.ahead(skip)):
                skip += 1
            yield Fix(found, (*again, place.token), skip, back)
        yield Fix(found, again, back=back)
        if kind == "BLOCK":
            opened = again if again[-1].type == "RPAR" else (*again, *_parentheses(place))
            yield from _body(place, found, opened, back)


def _on_one_line(place: Place, word: Token) -> bool:
    """Whether a word and what comes right after it stand on one line."""
    index = next(i for i, token in enumerate(place.before) if token is word) + 1
    after = place.before[index] if index < len(place.before) else place.token
    return "\n" not in place.source.text[word.start_pos : after.start_pos]


def _begins_in_line(place: Place, token: Token) -> bool:
    between = place.source.text[place.token.start_pos : token.start_pos]
    return token.type != END and "\n" not in between


def _rest_of_line(place: Place, word: Token) -> str:
    text = place.source.text[word.end_pos :].partition("\n")[0].partition("#")[0]
    return shortened(text.strip())


def _parentheses(place: Place) -> tuple[Token, Token]:
    return place.new("LPAR"), place.new("RPAR")


def _body(
    place: Place, found: tuple[Diagnostic, ...], opened: tuple[Token, ...], back: int = 0
) -> Iterator[Fix]:
    """Ways into the chain of a block, whatever stands where its `=` belongs."""
    equals = place.new("EQUAL")
    if place.type == "EQUAL":
        yield Fix(found, opened, back=back)
    elif place.type == "LBRACE":
        yield Fix(found, (*opened, equals, place.new("LSQB")), 1, back)
    elif place.token == ":" or place.type == "ARROW":
        yield Fix(found, (*opened, equals), 1, back)
    elif place.type in ELEMENTS:
        yield Fix(found, (*opened, equals), back=back)


def block_without_parentheses(place: Place) -> Iterator[Fix]:
    """`block b = …`, `block b f, s = …`, `block b: …`."""
    if place.previous_type(2) != "BLOCK" or place.previous_type() != "NAME":
        return
    name = place.previous()
    names = _formals(place)
    if names and place.ahead(len(names)).type == "EQUAL":
        written = place.span(names[0], names[-1]).text
        found = place.say(
            "E123",
            f"the formals of block {name} stand in parentheses",
            "without parentheses",
            f"write `block {name}({written}) = …`",
            span=place.span(names[0], names[-1]),
        )
        opener, closer = _parentheses(place)
        yield Fix(found, (opener, *names, closer), len(names))
        return
    found = place.say(
        "E123",
        f"after the name of a block its formals stand in parentheses, and {name} has none",
        "`()` is missing before this",
        f"write `block {name}() = …`",
        f"write `block {name}(filters) = …` where each use gives a number of its own",
        span=place.gap(),
    )
    yield from _body(place, found, _parentheses(place))


def _formals(place: Place) -> list[Token]:
    """`f, s=1` before a `=`."""
    end = 0
    while place.ahead(end).type == "NAME":
        end += 1
        if place.ahead(end).type == "EQUAL" and place.ahead(end + 1).type in LITERALS:
            end += 2
        if place.ahead(end).type != "COMMA":
            break
        end += 1
    return list(place.rest[place.at : place.at + end])


def block_without_equals(place: Place) -> Iterator[Fix]:
    """`block b(f) { … }`, `block b(f) -> …`."""
    if place.previous_type() != "RPAR" or not place.can("EQUAL") or not place.starts:
        return
    words = place.before[place.starts[-1] :]
    if words[0].type != "BLOCK" or place.type not in {"LBRACE", "ARROW"}:
        return
    head = place.span(words[0], words[-1]).text
    sign = "braces" if place.type == "LBRACE" else "arrow"
    found = place.say(
        "E118",
        f"a block and its chain are joined by `=`, without {sign}",
        "`=` is meant",
        f"write `{shortened(head)} = …`",
    )
    yield from _body(place, found, ())


def assigned_chain(place: Place) -> Iterator[Fix]:
    """`x = INPUT(3x32x32)`, `x = CONV(16, 3)(x)`, `net = INPUT(3x32x32)`."""
    name, first = place.previous(), place.ahead()
    alone = bool(place.starts) and place.starts[-1] == len(place.before) - 1
    if place.type != "EQUAL" or name is None or not alone:
        return
    if name.type not in {"NAME", "NET"} or first.type not in ELEMENTS:
        return
    end = place.at + 1 if place.ahead(2).type != "LPAR" else place.matching(place.at + 2)
    follows = place.rest[end + 1]
    called = follows.type == "LPAR" and follows.start_pos == place.rest[end].end_pos
    layer_like = first[0].isupper() and end > place.at + 1
    if first.type == "NAME" and not (layer_like or called or follows.type == "ARROW"):
        return
    if first.type == "LSQB" and place.rest[place.matching(place.at + 1) + 1].type != "ARROW":
        return
    layer = place.element_after(1)
    found = place.say(
        "E117",
        "a chain is no value, and has no `=`",
        "assigned to nothing",
        f"write the chain by itself: `{layer} -> …`",
        f"`as` names an output: `{layer} as {name if name.type == 'NAME' else 'x'}`",
        span=place.span(name, place.token),
    )
    last = place.matching(end + 1) if called else end
    if called and last > end:
        yield Fix(found, tuple(place.rest[place.at + 1 : end + 1]), last - place.at + 1, back=1)
    yield Fix(found, skip=1, back=1)


def net_with_a_body(place: Place) -> Iterator[Fix]:
    """`net = LeNet`, `net LeNet = INPUT(…)`, `net LeNet: …`, `net LeNet { … }`."""
    if not (place.type in {"EQUAL", "LBRACE", "ARROW"} or place.token == ":"):
        return
    if place.previous_type() == "NET" and place.ahead().type in {"NAME", "STRING"}:
        name = str(place.ahead()).strip("\"'")
        found = place.say(
            "E117", "nothing stands between `net` and its name", f"no `{place.token}` here",
            f"write `net {name}`",
        )  # fmt: skip
        if name.isidentifier():
            yield Fix(found, (Token("NAME", name, place.token.end_pos),), 2)
        return
    if place.previous_type(2) != "NET" or place.previous_type() != "NAME":
        return
    if place.type == "ARROW" and not place.same_line():
        return
    found = place.say(
        "E117",
        "nothing joins `net` and its name to the chain: each stands by itself",
        f"no `{place.token}` here",
        f"write `net {place.previous()}`, and below it the chain: `INPUT(3x32x32) -> …`",
    )
    if place.type == "LBRACE":
        yield Fix(found, (place.new("LSQB"),), 1)
    yield Fix(found, skip=1)


def statement_without_word(place: Place) -> Iterator[Fix]:
    """`N = 2` alone, `param N = 2 M = 3`."""
    name = place.previous()
    starts = place.starts
    alone = bool(starts) and starts[-1] == len(place.before) - 1
    if place.type != "EQUAL" or name is None or name.type != "NAME" or not alone:
        return
    again = place.rest[place.at - 1]
    setting = f"{name} = {place.element_after(1)}"
    if len(starts) > 1 and place.before[starts[-2]].type in {"PARAM", "LET"}:
        found = place.say(
            "E120",
            f"a comma is missing before `{name}`",
            "`,` is missing before this",
            f"write `, {setting}`",
            span=place.span(name),
        )
        yield Fix(found, (place.new("COMMA"), again), back=1)
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
    if len(starts) < 2 or starts[-1] != len(place.before) - 1 or place.type not in SIGNS:
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


def missing_braces(place: Place) -> Iterator[Fix]:
    """`train batch = 64`, `train(batch=64, lr=0.1)`."""
    if place.previous_type() != "TRAIN" or not place.can("LBRACE"):
        return
    brace = place.new("LBRACE")
    inside = "batch = 64"
    if place.type in {"LPAR", "LSQB"} and (end := place.matching(place.at)) > place.at:
        inside = shortened(place.span(place.token, place.rest[end]).text[1:-1].strip())
    found = place.say(
        "E123",
        "the settings of `train` stand in `{ … }`",
        "`{` is missing",
        f"write `train {{ {inside} }}`",
        span=place.gap(),
    )
    yield Fix(found, (brace,))
    yield Fix(found, (brace,), 1)
    yield Fix(found, back=1)


RULES = (
    misspelt_statement,
    block_without_parentheses,
    block_without_equals,
    assigned_chain,
    net_with_a_body,
    statement_without_word,
    settings_without_word,
    loose_name,
    missing_braces,
)
