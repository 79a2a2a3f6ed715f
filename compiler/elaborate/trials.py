"""Changes of a net, tried out: the whole net is expanded again, with the change in its place.

One place of the text may make many layers, in a repeat or in a block that is used often, and to
change it changes them all. So what a change gives is never worked out from one layer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from cnnc.dsl.diagnostics import Diagnostics
from cnnc.dsl.record import Record, State, fresh
from cnnc.dsl.source import Span

from ..layers.layer import Layer, Shape
from ..net import NetLayer


class Change(Record):
    """What is changed at one place of the text.

    arguments  other arguments of the layers there
    instead    another layer in their place
    left_out   no layer in their place
    before     one more layer before them
    behind     one more layer at the end, where the place is a branch
    times      another count, where the place is that of a repeat
    """

    arguments: Mapping[str, object] = fresh(factory=dict)
    instead: Layer | None = None
    left_out: bool = False
    before: Layer | None = None
    behind: Layer | None = None
    times: int | None = None


Changes = Mapping[Span, Change]


class Built(Protocol):
    """A net as it was built, as far as it could be."""

    @property
    def found(self) -> Diagnostics:
        """What is wrong with it."""

    @property
    def layers(self) -> Sequence[NetLayer]:
        """Its layers."""

    @property
    def held(self) -> set[Span]:
        """The places of `::` that held."""


Retry = Callable[[Changes], Built | None]
"""Expands the net again; None where that is not worth its time."""


class Turns(State):
    """How a repeat ran: its count, and how many of its turns have begun.

    plain   whether the count is one number, the same in all turns around it
    ended   whether the last turn is over
    """

    count: Span
    times: int
    plain: bool
    begun: int = 0
    ended: bool = False


class Trial(Record):
    """A layer that does not fit, with the net that leads to it and a way to change it."""

    layer: Layer
    use: Span
    makers: tuple[NetLayer, ...]
    by_name: Mapping[str, NetLayer]
    retry: Retry | None = None

    @property
    def input(self) -> NetLayer:
        """The net's INPUT."""
        return next(iter(self.by_name.values()))

    def line(self) -> Iterator[NetLayer]:
        """The layers before it, backwards, up to one that has several inputs or none."""
        made = self.makers[0]
        while True:
            yield made
            if len(made.inputs) != 1:
                return
            made = self.by_name[made.inputs[0]]

    def again(self, changes: Changes) -> Built | None:
        """The net after some changes."""
        return self.retry(changes) if self.retry else None

    def gives(self, changes: Changes, layer: Layer | None = None) -> tuple[Shape, Shape] | None:
        """What the layer gets and gives after some changes, the last where there are several.

        None where it still does not fit, or is not reached. `layer` is one that the changes put
        in, if that is meant.
        """
        built = self.again(changes)
        return None if built is None else self.last_in(built, layer)

    def last_in(self, built: Built, layer: Layer | None = None) -> tuple[Shape, Shape] | None:
        """The same for a net that was built."""
        if built.found.at(self.use):
            return None
        there = [
            made for made in built.layers
            if (made.layer is layer if layer else made.span == self.use) and made.inputs
        ]  # fmt: skip
        return (there[-1].input_shapes[0], there[-1].output) if there else None
