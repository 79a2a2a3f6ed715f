"""What a mistake looks like to the rules that recognise one: a place, and fixes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lark import Token

from .automaton import END, Automaton, State
from .diagnostics import Diagnostic, Related
from .source import Source, Span

STATEMENTS = {"NET", "PARAM", "LET", "DEFAULT", "BLOCK", "IMPORT", "EXPECT", "TRAIN"}
OPERATOR_WORDS = {"FOR", "IN", "AS", "IF", "ELSE", "AND", "OR", "NOT", "TRUE", "FALSE"}
RESERVED = STATEMENTS | OPERATOR_WORDS
ELEMENTS = {"NAME", "LSQB", "FOR", "AT"}
LITERALS = {"NUMBER", "SHAPE", "STRING", "TRUE", "FALSE"}
# What stands between two values, or before one.
SIGNS = {
    "PLUS", "MINUS", "STAR", "SLASH", "FLOORDIV", "PERCENT", "POWER", "AND", "OR", "NOT",
    "EQ", "NE", "LE", "GE", "LESSTHAN", "MORETHAN", "IF", "ELSE",
}  # fmt: skip
VALUES = LITERALS | {"NAME", "LSQB", "LPAR", "MINUS", "PLUS", "NOT"}
OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}
# The tokens of no rule; `mistake` in the grammar lists them.
MISTAKES = {
    "SPACED_SHAPE", "SPACED_NUMBER", "WRONG_ARROW", "BAD_NUMBER", "OPEN_STRING", "ODD_WORD", "ODD",
}  # fmt: skip

TEXTS = {
    "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "LBRACE": "{", "RBRACE": "}",
    "COMMA": ",", "EQUAL": "=", "ARROW": "->", "STAR": "*", "POWER": "**", "EQ": "==",
    "NE": "!=", "LE": "<=", "GE": ">=", "MINUS": "-", "SLASH": "/", "COLONS": "::",
    "VBAR": "|", "IN": "in", "AND": "and", "OR": "or", "NOT": "not", "ELSE": "else",
    "LET": "let", "PARAM": "param", "QMARK": "?", "AT": "@", "TRUE": "true", "FALSE": "false",
}  # fmt: skip

_LONGEST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the tokens that may mend a mistake, and what to say about it.

    The last `back` tokens before the place are taken away, then `insert` is put there, then
    `skip` tokens after the place are left out. Without diagnostics the fix belongs to a
    mistake that was reported before.
    """

    diagnostics: tuple[Diagnostic, ...]
    insert: tuple[Token, ...] = ()
    skip: int = 0
    back: int = 0


Rule = Callable[["Place"], Iterable[Fix]]


@dataclass
class Place:
    """Where the parser came to a stop: what it accepted, and what comes.

    before   the tokens accepted so far, mended
    states   the automaton before each of them, and now
    starts   where in `before` the statements begin
    rest     all tokens of the text, with END as the last
    at       the index in `rest` of the token that can't stand
    """

    source: Source
    automaton: Automaton
    before: list[Token]
    states: list[State]
    starts: list[int]
    rest: Sequence[Token]
    at: int
    _can: dict[str, bool] = field(default_factory=dict)

    @property
    def token(self) -> Token:
        """The token that can't stand here."""
        return self.rest[self.at]

    @property
    def type(self) -> str:
        """Its type."""
        return self.token.type

    def ahead(self, count: int = 1) -> Token:
        """The token `count` places after it, END past the end."""
        return self.rest[min(self.at + count, len(self.rest) - 1)]

    def previous(self, count: int = 1) -> Token | None:
        """The accepted token `count` places before it."""
        return self.before[-count] if count <= len(self.before) else None

    def previous_type(self, count: int = 1) -> str:
        """Its type, or the empty string."""
        token = self.previous(count)
        return token.type if token is not None else ""

    def can(self, token_type: str) -> bool:
        """Whether a token of this type could stand here."""
        if token_type not in self._can:
            state = self.automaton.after(self.states[-1], token_type)
            self._can[token_type] = state is not None
        return self._can[token_type]

    # Only one kind of place takes each of these tokens.

    @property
    def wants_statement(self) -> bool:
        """A statement may begin here."""
        return self.can("NET")

    @property
    def wants_element(self) -> bool:
        """A layer, group, `for` or tap may begin here, and no value."""
        return self.can("FOR")

    @property
    def wants_value(self) -> bool:
        """A value begins here."""
        return self.can("NUMBER") and self.can("STRING")

    @property
    def wants_name(self) -> bool:
        """Only a name can stand here."""
        others = ("FOR", "NUMBER", "NET", "OR", "ARROW")
        return self.can("NAME") and not any(self.can(other) for other in others)

    @property
    def after_element(self) -> bool:
        """An element of a chain is complete here."""
        return self.can("ARROW")

    @property
    def after_value(self) -> bool:
        """A value is complete here."""
        return self.can("OR")

    @cached_property
    def open(self) -> list[Token]:
        """The brackets that are open here, the outermost first."""
        found: list[Token] = []
        for token in self.before:
            if token.type in OPENERS:
                found.append(token)
            elif token.type in CLOSERS:
                found.pop()
        return found

    @property
    def innermost(self) -> str:
        """The type of the innermost open bracket, or the empty string."""
        return self.open[-1].type if self.open else ""

    def same_line(self) -> bool:
        """Whether the token stands on the line of the one before it."""
        before = self.previous()
        if before is None:
            return False
        return "\n" not in self.source.text[before.end_pos : self.token.start_pos]

    def first_in_line(self) -> bool:
        """Whether the token stands at the very beginning of a line."""
        return self.source.position(self.token.start_pos or 0).column == 1

    def gap(self) -> Span:
        """Where something is missing: the token, or the end of the line before it."""
        before = self.previous()
        if before is None or (self.same_line() and self.type != END):
            return self.span()
        end = before.end_pos or 0
        return Span(self.source, end, end)

    # -- making fixes ---------------------------------------------------------------------

    def new(self, token_type: str, text: str | None = None) -> Token:
        """A token that the text lacks: empty, right after the last one."""
        before = self.previous()
        place = before.end_pos if before is not None else self.token.start_pos
        text = TEXTS[token_type] if text is None else text
        return Token(token_type, text, place, end_pos=place)

    def instead(self, token_type: str, text: str | None = None) -> Token:
        """A token in the place of the one that can't stand."""
        text = TEXTS[token_type] if text is None else text
        return Token(token_type, text, self.token.start_pos, end_pos=self.token.end_pos)

    def nothing(self) -> Token:
        """`ID`, the layer that changes nothing, where a layer is missing."""
        return self.new("NAME", "ID")

    def span(self, first: Token | None = None, last: Token | None = None) -> Span:
        """The place of the token, or from one token to another."""
        first = first if first is not None else self.token
        last = last if last is not None else first
        return Span(self.source, first.start_pos or 0, last.end_pos or 0)

    def say(
        self,
        code: str,
        message: str,
        label: str = "",
        *help: str,
        span: Span | None = None,
        related: tuple[Related, ...] = (),
    ) -> tuple[Diagnostic, ...]:
        """One diagnostic at the token, or at `span`."""
        place = span if span is not None else self.span()
        return (Diagnostic(code, message, place, label, help=help, related=related),)

    # -- texts for messages ---------------------------------------------------------------

    def element_before(self) -> str:
        """The text of the element that ends here, shortened."""
        depth, first = 0, len(self.before)
        lowest = self.starts[-1] if self.starts else 0
        while first > lowest:
            kind = self.before[first - 1].type
            if depth == 0 and kind in {"ARROW", "VBAR", *OPENERS}:
                break
            depth += (kind in CLOSERS) - (kind in OPENERS)
            first -= 1
        if first == len(self.before):
            return ""
        return shortened(self.span(self.before[first], self.before[-1]).text)

    def element_after(self, skip: int = 0) -> str:
        """The text of the element that begins with the token or `skip` tokens later."""
        first = last = min(self.at + skip, len(self.rest) - 1)
        if self.rest[first].type == "NAME" and self.rest[first + 1].type == "LPAR":
            last += 1
        if self.rest[last].type in OPENERS:
            last = self.matching(last)
        return shortened(self.span(self.rest[first], self.rest[last]).text)

    def matching(self, opener: int) -> int:
        """The index in `rest` of what closes a bracket there; the bracket's own where none does."""
        depth = 0
        for index in range(opener, len(self.rest)):
            kind = self.rest[index].type
            depth += (kind in OPENERS) - (kind in CLOSERS)
            if depth == 0:
                return index
            if kind in STATEMENTS:
                break
        return opener

    def closes_next(self) -> int:
        """The index in `rest` of the first bracket from here on that closes none opened there.

        -1 where there is none in this statement.
        """
        depth = 0
        for index in range(self.at, len(self.rest)):
            kind = self.rest[index].type
            depth += (kind in OPENERS) - (kind in CLOSERS)
            if depth < 0:
                return index
            if kind in STATEMENTS:
                break
        return -1


def shown(token: Token) -> str:
    """A token as messages name it."""
    return "the end of the text" if token.type == END else f"`{shortened(str(token))}`"


def shortened(text: str) -> str:
    """A text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
