"""What a name stands for at a place in a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Span


class Mistake(Exception):
    """One mistake, found deep inside an expression; whoever can go on without it reports it."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        help: Iterable[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, span, label, tuple(notes), tuple(help))


class Unknown:
    """What is not known: a knob not set, a mistake reported. It silences what follows from it."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Repetition:
    """One turn of a repeat: which of how many; `counts` are all of a repeat counted by a list."""

    index: int
    count: int
    counts: frozenset[int] | None = None

    def is_meant_by(self, length: int) -> bool:
        """Whether a list of this length is per repetition of this repeat."""
        return self.count == length and (self.counts is None or self.counts == {length})


@dataclass(frozen=True)
class Scope:
    """What names stand for: those bound by loops, then the file's lets and knobs.

    `lets` are evaluated where they are used, so that statements may stand in any order;
    `evaluating` holds those under way, to find a let that needs itself.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    lets: Mapping[str, nodes.Setting] = field(default_factory=dict)
    repeats: tuple[Repetition, ...] = ()
    evaluating: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set)

    def bind(self, values: Mapping[str, object]) -> Scope:
        """The scope inside a loop that binds names."""
        return replace(self, values={**self.values, **values})

    def repeating(self, repetition: Repetition) -> Scope:
        """The scope inside a repetition."""
        return replace(self, repeats=(*self.repeats, repetition))

    def names(self) -> list[str]:
        """All names, for suggestions."""
        return [*self.values, *self.lets]
