"""Finding all syntax errors of a text, and mending as much of it as is safe.

Tokens go through the parser's automaton one by one. Where one can't stand, rules that each
know one kind of mistake look at the place and offer fixes. A fix is taken if the tokens that
follow it parse. Where none is, the statement is left out up to where the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lark import Token
from lark.parsers.lalr_interactive_parser import InteractiveParser

from . import (
    borrowed_mistakes,
    bracket_mistakes,
    chain_mistakes,
    misspellings,
    statement_mistakes,
    value_mistakes,
)
from .automaton import END, Automaton, State
from .diagnostics import Diagnostic, Related
from .repair import ELEMENTS, MISTAKES, OPENERS, STATEMENTS, TEXTS, Fix, Place, shown
from .source import Source, Span

# What each code of this stage means; docs and examples for each are in `codes/syntax.py`.
# E110 also stands for a second chain, and E111 and E112 for files without a net: those are
# found when the whole file is checked.
SYNTAX_CODES: dict[str, str] = {
    "E101": "a file cannot be read",
    "E102": "a file is not UTF-8 text",
    "E103": "a control character stands in the text",
    "E104": "a character means nothing in this language",
    "E105": "a text in quotes is not closed",
    "E106": "a number is misspelled, or letters follow it directly",
    "E107": "a shape is written with spaces or another sign than x",
    "E108": "a `->` is missing between two layers",
    "E109": "something else stands where `->` belongs",
    "E110": "an arrow has no layer on one side",
    "E113": "a group, a branch or a block is empty",
    "E114": "a repetition has no count, or one that cannot be",
    "E115": "a reserved word is used as a name",
    "E116": "`=` and `==` are mixed up",
    "E117": "a sign or a word is that of another language",
    "E118": "a `=` is missing",
    "E119": "a value or a shape is missing",
    "E120": "a comma is missing, or there is one too many",
    "E121": "an argument without a name follows one with a name",
    "E122": "a `for` is incomplete",
    "E123": "arguments do not stand in parentheses",
    "E124": "a name is missing, or is none",
    "E125": "something cannot stand where it does",
    "E126": "a statement has no word, or a misspelled one, that says what it is",
    "E127": "there are too many syntax errors to go on",
    "E128": "a bracket is never closed",
    "E129": "a bracket closes nothing, or one of another kind",
}

_RULES = (
    *statement_mistakes.RULES,
    *borrowed_mistakes.RULES,
    *bracket_mistakes.RULES,
    *misspellings.RULES,
    *chain_mistakes.RULES,
    *value_mistakes.RULES,
)
_MOST_REPORTED = 50
_ABOUT_SIGNS = ("E104", "E109", "E117")
_MOST_PLACES = 5  # that one report shows beside its own
# How many tokens have to parse after a fix: at first more, so that the best fix wins; then
# fewer, since the next mistake may follow closely.
_LOOK_AHEADS = (3, 1)


def mend(
    source: Source, tokens: Sequence[Token], parser: InteractiveParser
) -> tuple[list[Token] | None, list[Diagnostic]]:
    """Tokens that parse, as many of the text's as possible, and what was wrong.

    None instead of tokens where nothing is left, as for a value that can't be mended.
    """
    end = tokens[-1].end_pos if tokens else len(source.text)
    rest = [*tokens, Token(END, "", end, end_pos=end)]
    mended, found = _Recovery(source, rest, Automaton(parser)).run()
    return mended, _folded(found)


class _Recovery:
    def __init__(self, source: Source, rest: Sequence[Token], automaton: Automaton) -> None:
        self.source = source
        self.rest = rest
        self.automaton = automaton
        self.at = 0
        self.kept: list[Token] = []
        self.states: list[State] = [automaton.start]
        self.starts: list[int] = []
        self.found: list[Diagnostic] = []
        self.reported_at = -1

    def run(self) -> tuple[list[Token] | None, list[Diagnostic]]:
        while True:
            token = self.rest[self.at]
            if self.push(token):
                self.at += 1
                if token.type == END:
                    return self.kept[:-1], self.found
                continue
            place = self.place()
            fix = self.fix(place)
            if fix is not None:
                self.report(fix.diagnostics)
                self.apply(fix)
            else:
                self.report(self.diagnosis(place))
                if not self.skip_statement():
                    return None, self.found
            if len(self.found) >= _MOST_REPORTED:
                self.give_up()

    def place(self) -> Place:
        return Place(
            self.source,
            self.automaton,
            self.kept,
            self.states,
            self.starts,
            self.rest,
            self.at,
        )

    def push(self, token: Token) -> bool:
        """Accept a token, if it can stand here."""
        state = self.automaton.after(self.states[-1], token.type)
        if state is None:
            return False
        if token.type in ELEMENTS | STATEMENTS and self.begins_statement():
            self.starts.append(len(self.kept))
        self.kept.append(token)
        self.states.append(state)
        return True

    def begins_statement(self) -> bool:
        return self.automaton.after(self.states[-1], "NET") is not None

    def take_back(self, count: int) -> None:
        if count:
            del self.kept[-count:]
            del self.states[-count:]
        while self.starts and self.starts[-1] >= len(self.kept):
            self.starts.pop()

    def report(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep diagnostics, unless they are about the token that the last ones were about."""
        if self.at != self.reported_at:
            self.found.extend(diagnostics)
        self.reported_at = self.at

    # -- fixes ----------------------------------------------------------------------------

    def fix(self, place: Place) -> Fix | None:
        """The first fix after which the text goes on."""
        for rules in (_RULES, bracket_mistakes.LAST_RULES, (_any_repair,)):
            for look_ahead in _LOOK_AHEADS:
                for rule in rules:
                    for fix in rule(place):
                        if self.works(fix, look_ahead):
                            return fix
        return None

    def works(self, fix: Fix, look_ahead: int) -> bool:
        if fix.back > len(self.kept):
            return False
        state: State | None = self.states[len(self.kept) - fix.back]
        state = self.automaton.after_all(state, (t.type for t in fix.insert))
        following = self.at + fix.skip
        if following >= len(self.rest):
            return False
        for index in range(following, min(following + look_ahead, len(self.rest))):
            kind = self.rest[index].type
            if kind in MISTAKES and index > self.at:
                return state is not None
            if state is None:
                return False
            state = self.automaton.after(state, kind)
        return state is not None

    def apply(self, fix: Fix) -> None:
        self.take_back(fix.back)
        for token in fix.insert:
            accepted = self.push(token)
            assert accepted
        self.at += fix.skip

    # -- where no fix works ---------------------------------------------------------------

    def diagnosis(self, place: Place) -> tuple[Diagnostic, ...]:
        """What the rules take the place for, though none of their fixes works."""
        for rule in (*_RULES, *bracket_mistakes.LAST_RULES):
            for fix in rule(place):
                if fix.diagnostics:
                    return fix.diagnostics
        return _cannot_stand(place)

    def skip_statement(self) -> bool:
        """Leave out the statement in hand; False where the text is no file of statements."""
        start = self.starts[-1] if self.starts else 0
        progress = len(self.kept) > start
        self.take_back(len(self.kept) - start)
        if not self.begins_statement():
            return False
        if not progress:
            self.at += 1
        while not self.can_go_on_at(self.at):
            self.at += 1
        return True

    def can_go_on_at(self, index: int) -> bool:
        """Whether a statement begins here, as far as can be told without parsing."""
        token = self.rest[index]
        if token.type == END or token.type in STATEMENTS:
            return True
        if token.type not in ELEMENTS or index == 0:
            return False
        before = self.rest[index - 1]
        first_of_its_line = self.source.position(token.start_pos or 0).column == 1
        return first_of_its_line and before.type in {
            "NAME", "NUMBER", "SHAPE", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE", "QMARK",
        }  # fmt: skip

    def give_up(self) -> None:
        """Read no further after so many mistakes."""
        place = self.rest[self.at]
        self.at = len(self.rest) - 1
        start = self.starts[-1] if self.starts else 0
        if self.automaton.after(self.states[-1], END) is None:
            self.take_back(len(self.kept) - start)
        self.found = self.found[:_MOST_REPORTED]
        self.found.append(
            Diagnostic(
                "E127",
                f"there are more than {_MOST_REPORTED} syntax errors; the rest is not read",
                Span(self.source, place.start_pos or 0, place.end_pos or 0),
            )
        )


def _folded(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Who takes a sign for another does so all over the file: that is reported once."""
    first: dict[str, Diagnostic] = {}
    places: dict[str, list[Span]] = {}
    for d in found:
        key = d.message if d.code in _ABOUT_SIGNS else str(len(first))
        first.setdefault(key, d)
        places.setdefault(key, []).extend([d.span] if d.span else [])
    folded = []
    for key, d in first.items():
        others = places[key][1 : 1 + _MOST_PLACES]
        more = len(places[key]) - 1 - len(others)
        said = ["here too"] * len(others)
        if more:
            said[-1] += f", and at {more} more places"
        related = tuple(map(Related, said, others))
        folded.append(d.replace(related=(*d.related, *related)))
    return folded


def _any_repair(place: Place) -> Iterator[Fix]:
    """One token left out, put in or replaced, whatever parses."""
    found = _cannot_stand(place)
    expected = sorted(place.automaton.expected(place.states[-1]) & TEXTS.keys())
    # A word that begins a statement is never given up: more stands behind it.
    if place.type not in STATEMENTS:
        yield Fix(found, skip=1)
    for kind in expected:
        yield Fix(found, (place.new(kind),))
    if place.type in STATEMENTS:
        return
    for kind in expected:
        if kind not in OPENERS:
            yield Fix(found, (place.instead(kind),), 1)


def _cannot_stand(place: Place) -> tuple[Diagnostic, ...]:
    expected = list(_expected(place))
    if place.type == END:
        what = "the text ends too early"
    else:
        what = f"{shown(place.token)} cannot stand here"
    label = f"expected {' or '.join(expected[:4])}" if expected else ""
    return place.say("E125", what, label)


def _expected(place: Place) -> Iterator[str]:
    """What could stand here, in words."""
    if place.wants_statement:
        yield "a statement"
    elif place.wants_element:
        yield "a layer"
    elif place.wants_value:
        yield "a value"
    elif place.wants_name:
        yield "a name"
    kinds = ("ARROW", "EQUAL", "COMMA", "LPAR", "LBRACE", "RPAR", "RSQB", "RBRACE", "IN", "ELSE")
    for kind in kinds:
        if place.can(kind) and not (place.wants_value or place.wants_element):
            yield f"`{TEXTS[kind]}`"
    if place.can("STRING") and not place.wants_value:
        yield "a text in quotes"
