"""The words of a statement, each with the space, comments and break before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from lark import Token

from .repair import ELEMENTS, LITERALS, OPENERS

_ENDS_VALUE = LITERALS | {"NAME", "RPAR", "RSQB"}
_SIGNS = {"PLUS", "MINUS"}
_COMMENT_OR_BREAK = re.compile(r"#[^\n]*|\n")


class Inside(Enum):
    """What stands between two brackets, or in a statement."""

    VALUES = auto()  # arguments, lists, tuples, values
    CHAIN = auto()  # [ a -> b ]
    BODY = auto()  # the [ … ] of a `for`
    BRANCHES = auto()  # CONCAT{ a | b }
    SETTINGS = auto()  # train { … }


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; `own_line` where nothing but space stands before it on its line."""

    text: str
    own_line: bool
    blank_before: bool


@dataclass(slots=True)
class Word:
    """A token as it will be written.

    space     what separates it from the word before it on the same line
    comments  the comments between the two
    breaks    whether a line break before it is kept
    inside    what it is part of
    partner   for an opening bracket, where in the statement the closing one is
    holds     for an opening bracket, what stands in it
    """

    type: str
    text: str
    space: str
    comments: tuple[Comment, ...]
    breaks: bool
    inside: Inside
    partner: int = -1
    holds: Inside = Inside.VALUES


def gap(text: str, start: int, end: int) -> tuple[tuple[Comment, ...], int]:
    """The comments between two tokens, and how many line breaks stand after the last."""
    comments: list[Comment] = []
    breaks = 0 if start else 2  # the first line of a text is a line of its own
    for match in _COMMENT_OR_BREAK.finditer(text, start, end):
        if match[0] == "\n":
            breaks += 1
        else:
            blank = breaks > 1 and (start > 0 or bool(comments))
            comments.append(Comment(match[0].rstrip(), breaks > 0, blank))
            breaks = 0
    return tuple(comments), breaks


def words(text: str, tokens: Sequence[Token]) -> list[Word]:
    """The words of one statement; the comments before its first one are left out."""
    found: list[Word] = []
    inside = [Inside.CHAIN if tokens[0].type in ELEMENTS else Inside.VALUES]
    open_at: list[int] = []
    held: tuple[Comment, ...] = ()  # the comments before a comma that is dropped
    broken = False
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        kind = token.type
        comments: tuple[Comment, ...] = ()
        if before is not None:
            comments, _ = gap(text, before.end_pos or 0, token.start_pos or 0)
            broken = "\n" in text[before.end_pos : token.start_pos]
        if kind == "COMMA" and inside[-1] is Inside.SETTINGS:
            held += comments
            continue
        after = _next_is_on_a_new_line(text, tokens, index)
        word = Word(
            kind,
            "->" if kind == "ARROW" else str(token),
            "",
            held + comments,
            _breaks(kind, found, broken or (kind == "ARROW" and after)),
            inside[-1],
        )
        held = ()
        if kind in OPENERS:
            word.holds = _holds(kind, found, inside, len(open_at))
            if word.holds is Inside.BODY:
                inside.pop()
                word.inside = inside[-1]
            open_at.append(len(found))
            inside.append(Inside.CHAIN if word.holds is Inside.BODY else word.holds)
        elif kind in OPENERS.values():
            inside.pop()
            word.inside = inside[-1]
            found[open_at.pop()].partner = len(found)
        elif kind == "EQUAL" and tokens[0].type == "BLOCK" and not open_at:
            inside[0] = Inside.CHAIN
        if kind == "FOR":
            inside.append(Inside.VALUES)  # up to the `[` of its body
        word.space = _space(found, word)
        found.append(word)
    return found


def _next_is_on_a_new_line(text: str, tokens: Sequence[Token], index: int) -> bool:
    if index + 1 == len(tokens):
        return False
    return "\n" in text[tokens[index].end_pos : tokens[index + 1].start_pos]


def _breaks(kind: str, found: Sequence[Word], broken: bool) -> bool:
    """Breaks are kept before arrows, before `|`, and before the first setting of `train`."""
    first_setting = len(found) == 2 and found[0].type == "TRAIN"
    return broken and (kind in {"ARROW", "VBAR"} or first_setting)


def _holds(kind: str, found: Sequence[Word], inside: Sequence[Inside], depth: int) -> Inside:
    before = found[-1].type if found else ""
    if kind == "LBRACE":
        return Inside.SETTINGS if before == "TRAIN" else Inside.BRANCHES
    if kind == "LPAR" or before == "STAR":
        return Inside.VALUES
    if inside[-1] in {Inside.CHAIN, Inside.BRANCHES}:
        return Inside.CHAIN
    # Only in `for f in items [` does a value end right before a `[`.
    return Inside.BODY if before in _ENDS_VALUE else Inside.VALUES


def _space(found: Sequence[Word], word: Word) -> str:
    """What stands between the last word and this one on one line."""
    if not found:
        return ""
    before, kind = found[-1], word.type
    if before.type in {"LPAR", "LSQB", "AT"} or kind in {"RPAR", "RSQB", "COMMA", "QMARK"}:
        return ""
    if kind == "LPAR" and before.type in {"NAME", "QMARK"}:
        return ""
    if kind == "NUMBER" and before.type == "NAME":  # the .2 of @enc.2
        return ""
    if kind == "LBRACE" and word.holds is Inside.BRANCHES:
        return ""
    if _is_repeat(word) or _is_repeat(before):
        return ""
    if "EQUAL" in {kind, before.type} and word.inside is Inside.VALUES and _in_brackets(found):
        return ""
    if before.type in _SIGNS and (len(found) == 1 or found[-2].type not in _ENDS_VALUE):
        return ""
    if word.inside is Inside.SETTINGS and kind == "NAME" and before.type in _ENDS_VALUE:
        return "  "
    return " "


def _is_repeat(word: Word) -> bool:
    """Whether this is the `*` of x*N, not of a product."""
    return word.type == "STAR" and word.inside in {Inside.CHAIN, Inside.BRANCHES}


def _in_brackets(found: Sequence[Word]) -> bool:
    return any(w.type in OPENERS and w.partner < 0 for w in found)
