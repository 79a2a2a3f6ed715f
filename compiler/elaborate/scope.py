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
    """One turn of a repeat: which of how many; `counts` are all of a repeat counted by a list.

    `count` is UNKNOWN where the repeat's own is: any list may be meant for it then.
    """

    index: int
    count: int | Unknown
    counts: frozenset[int] | None = None

    def is_meant_by(self, length: int) -> bool:
        """Whether a list of this length is per repetition of this repeat."""
        return self.count == length and (self.counts is None or self.counts == {length})


@dataclass(frozen=True)
class Scope:
    """What names stand for: `values` are those bound by loops, or the knobs of the file.

    `lets` and the knobs' own values are evaluated when they are first used, so that
    statements may stand in any order, and once: `constants` keeps them. `evaluating` holds
    those under way, to find one that needs itself. `file` is the scope of the whole file, which
    they are evaluated in, where this one is inside a loop.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    lets: Mapping[str, nodes.Setting | nodes.Knob] = field(default_factory=dict)
    repeats: tuple[Repetition, ...] = ()
    evaluating: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set)
    constants: dict[str, object] = field(default_factory=dict)
    file: Scope | None = None

    def bind(self, values: Mapping[str, object]) -> Scope:
        """The scope inside a loop that binds names."""
        around = self.values if self.file else {}
        return replace(self, values={**around, **values}, file=self.file or self)

    def bound(self, name: str) -> Mapping[str, object] | None:
        """Where a name has its value: among those of the loops around, or the knobs."""
        if name in self.values:
            return self.values
        return self.file.values if self.file and name in self.file.values else None

    def constant(self, name: str) -> Scope:
        """The scope in which a let or a knob's own value is evaluated."""
        file = self.file or self
        return replace(file, repeats=(), evaluating=(*self.evaluating, name))

    def repeating(self, repetition: Repetition) -> Scope:
        """The scope inside a repetition."""
        return replace(self, repeats=(*self.repeats, repetition))

    def names(self) -> list[str]:
        """All names, for suggestions."""
        return [*self.values, *(self.file.values if self.file else ()), *self.lets]
