"""The parser's states as values, to try out what could follow without parsing anything.

Lark's own parser keeps its stack in place. Here a stack is a linked list that is never
changed, so a state can be kept and taken up again at no cost, which recovery does a lot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

END = "$END"


@dataclass(frozen=True, slots=True)
class State:
    """A stack of the LALR automaton: the number of its top, and what lies below."""

    top: int
    below: State | None


class Automaton:
    """The tables of the grammar for one start symbol."""

    def __init__(self, parser: InteractiveParser) -> None:
        conf = parser.parser_state.parse_conf
        self._table: Mapping[int, Mapping[str, tuple[Any, Any]]] = conf.states
        self._end: int = conf.end_state
        self.start = State(conf.start_state, None)

    def after(self, state: State, token_type: str) -> State | None:
        """The state after one more token; None where that token can't stand."""
        while True:
            action, target = self._table[state.top].get(token_type, (None, None))
            if action is None:
                return None
            if action is Shift:
                return State(target, state)
            for _ in target.expansion:
                assert state.below is not None
                state = state.below
            goto = self._table[state.top][target.origin.name][1]
            state = State(goto, state)
            if token_type == END and goto == self._end:
                return state

    def after_all(self, state: State | None, token_types: Iterable[str]) -> State | None:
        """The state after several tokens; None where one of them can't stand."""
        for token_type in token_types:
            if state is None:
                return None
            state = self.after(state, token_type)
        return state

    def expected(self, state: State) -> set[str]:
        """The token types that can stand next."""
        candidates = (t for t in self._table[state.top] if t.isupper())
        return {t for t in candidates if self.after(state, t) is not None}
