"""The names that `as` gives to layers and outputs, and what `@name` reaches."""

from __future__ import annotations

from collections.abc import Mapping

from cnnc.dsl.record import Record, State, fresh
from cnnc.dsl.source import Span

from ..layers.layer import Field, Shape
from ..net import NetLayer


class Tensor(Record):
    """What flows from one layer to the next: the layer that made it.

    maker   None where it is not known, which silences what follows
    """

    maker: NetLayer | None = None

    @property
    def shape(self) -> Shape | None:
        """Of one sample; None where it is not known."""
        return self.maker.output if self.maker else None

    @property
    def field(self) -> Field:
        """Its receptive field."""
        return self.maker.field if self.maker else Field((1, 1))


NOT_KNOWN = Tensor()


class Label(Record):
    """A name that an `as` gives to one output: the whole of it (enc.2), and where it stands."""

    name: str
    span: Span


class Given(Record):
    """An output that has a name."""

    label: Label
    tensor: Tensor


class Taps(State):
    """The names given so far, as one body of a spec sees them: its own, then those around it.

    places   of all names that the body gives, further on too
    """

    around: Taps | None = None
    given: dict[str, Given] = fresh(factory=dict)
    places: Mapping[str, Span] = fresh(factory=dict)

    def give(self, name: str, given: Given) -> None:
        """Name an output; `@name` means the last that was given the name."""
        self.given[name] = self.given[given.label.name] = given

    def find(self, name: str) -> Given | None:
        """What `@name` reaches, or None."""
        taps: Taps | None = self
        while taps is not None:
            if name in taps.given:
                return taps.given[name]
            taps = taps.around
        return None

    def place(self, name: str) -> Span | None:
        """Where a name is given, further on too; None where nothing gives it."""
        taps: Taps | None = self
        while taps is not None:
            if name in taps.given:
                return taps.given[name].label.span
            if name in taps.places:
                return taps.places[name]
            taps = taps.around
        return None

    def names(self) -> list[str]:
        """All names, for suggestions."""
        return [*self.given, *(self.around.names() if self.around else ())]
