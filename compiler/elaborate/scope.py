"""What a name stands for at a place in a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Related
from cnnc.dsl.record import Record, State, fresh
from cnnc.dsl.source import Span

from .names import Taps

if TYPE_CHECKING:
    from .blocks import Block


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
        related: Iterable[Related] = (),
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(
            code, message, span, label, tuple(notes), tuple(help), tuple(related)
        )


class Unknown:
    """What is not known: a knob not set, a mistake reported. It silences what follows from it."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


MOST_STEPS = 10_000_000  # values worked out, and items of lists gone through


class Effort(State):
    """How much was worked out: a spec comes from anywhere, and may be made to take for ever."""

    steps: int = 0
    passed: Span | None = None  # where the limit was passed: one mistake, whatever follows

    def add(self, steps: int, span: Span) -> None:
        """Count steps; Mistake past the limit."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            self.passed = self.passed or span
            raise Mistake(
                "E904",
                f"the spec is more than {MOST_STEPS:,} steps to work out",
                self.passed,
                "here the limit is passed",
            )


class Repetition(Record):
    """One turn of a repeat: which of how many; `counts` are all of a repeat counted by a list.

    `count` is UNKNOWN where the repeat's own is: any list may be meant for it then. `place` is
    where the count stands, or what a `for` goes through.
    """

    index: int
    count: int | Unknown
    counts: frozenset[int] | None = None
    place: Span | None = None

    def is_meant_by(self, length: int) -> bool:
        """Whether a list of this length is per repetition of this repeat."""
        return self.count == length and (self.counts is None or self.counts == {length})


class Default(Record):
    """What a `default` statement gives an argument, with the file scope it is evaluated in."""

    value: nodes.Expr
    file: Scope


class Scope(Record):
    """What names stand for: `values` are those bound by loops and formals, or the file's knobs.

    `lets` and the knobs' own values are evaluated when they are first used, so that
    statements may stand in any order, and once: `constants` keeps them. `evaluating` holds
    those under way, to find one that needs itself. `file` is the scope of the whole file, which
    they are evaluated in, where this one is inside a loop or a block.

    imported   for the lets of other files, their scopes
    blocks     by name, those of other files too
    defaults   by layer word and argument
    taps       the names that `as` has given so far
    many       whether what stands here may be expanded more than once
    partial    whether the file could not be read whole: names that are not found may be what is
               missing, which was reported
    effort     what was worked out so far, in all files
    """

    values: Mapping[str, object] = fresh(factory=dict)
    lets: Mapping[str, nodes.Setting | nodes.Knob] = fresh(factory=dict)
    repeats: tuple[Repetition, ...] = ()
    evaluating: tuple[str, ...] = ()
    constants: dict[str, object] = fresh(factory=dict)
    file: Scope | None = None
    imported: Mapping[str, Scope] = fresh(factory=dict)
    blocks: Mapping[str, Block] = fresh(factory=dict)
    defaults: Mapping[str, Mapping[str, Default]] = fresh(factory=dict)
    taps: Taps = fresh(factory=Taps)
    many: bool = False
    partial: bool = False
    effort: Effort = fresh(factory=Effort)

    @property
    def whole(self) -> Scope:
        """The scope of the file."""
        return self.file or self

    def bind(self, values: Mapping[str, object]) -> Scope:
        """The scope inside a loop that binds names."""
        around = self.values if self.file else {}
        return self.replace(values={**around, **values}, file=self.whole)

    def inside(self, formals: Mapping[str, object], use: Scope, many: bool) -> Scope:
        """With self a file's scope: that inside a block of the file, at one of its uses."""
        return self.replace(
            values=formals, file=self, repeats=use.repeats, taps=Taps(use.taps), many=many
        )

    def at(self, use: Scope) -> Scope:
        """With self a file's scope: that of a default of the file, at a use that it serves."""
        return self.replace(repeats=use.repeats, taps=use.taps)

    def bound(self, name: str) -> Mapping[str, object] | None:
        """Where a name has its value: among those of the loops around, or the knobs."""
        if name in self.values:
            return self.values
        return self.file.values if self.file and name in self.file.values else None

    def constant(self, name: str) -> Scope:
        """The scope in which a let or a knob's own value is evaluated."""
        return self.whole.replace(repeats=(), evaluating=(*self.evaluating, name))

    def repeating(self, repetition: Repetition) -> Scope:
        """The scope inside a repetition."""
        return self.replace(repeats=(*self.repeats, repetition), many=True)

    def names(self) -> list[str]:
        """All names, for suggestions."""
        return [
            *self.values, *(self.file.values if self.file else ()), *self.lets, *self.imported,
        ]  # fmt: skip
