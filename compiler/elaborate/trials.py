"""Changes elsewhere in a net, tried out: would a layer fit then, and what would it give?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cnnc.dsl.source import Span

from ..arguments import BadValue
from ..layers.layer import Layer, Misfit, Shape
from ..net import NetLayer

# A net behind this many layers is not gone through again for each proposal.
_MOST_LAYERS = 2_000

Change = Callable[[NetLayer], Layer | None]
"""What stands in a layer's place: itself, another, or None where it is left out."""


@dataclass
class Turns:
    """How a repeat ran: where in the net each turn begins, and from which output.

    begins   for each turn the number of layers before it, and the layer whose output it gets
    end      the number of layers after the last turn, once there are any
    """

    count: Span
    times: int
    plain: bool  # whether its count is one number, the same in all turns around it
    begins: list[tuple[int, str | None]] = field(default_factory=list)
    end: int | None = None


@dataclass(frozen=True)
class Trial:
    """A layer that does not fit, with the net that leads to it."""

    layer: Layer
    use: Span
    makers: tuple[NetLayer, ...]
    by_name: Mapping[str, NetLayer]

    def before(self) -> list[NetLayer]:
        """All layers that its inputs hang on, in order; none where there are too many."""
        waiting, found = [maker.name for maker in self.makers], set[str]()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.by_name[name].inputs
            if len(found) > _MOST_LAYERS:
                return []
        return [made for name, made in self.by_name.items() if name in found]

    def line(self) -> Iterator[NetLayer]:
        """The layers before it, backwards, up to one that has several inputs or none."""
        made = self.makers[0]
        while True:
            yield made
            if len(made.inputs) != 1:
                return
            made = self.by_name[made.inputs[0]]

    def repeated(self) -> bool:
        """Whether the same text made a layer before it."""
        return any(made.span == self.use for made in self.before())

    def shapes(
        self, change: Change, stands_for: Mapping[str, str] | None = None
    ) -> tuple[Shape, ...] | None:
        """What it would get after a change of the net before it; None where that does not fit.

        stands_for   for layers that are left out, that whose output is taken instead
        """
        before = self.before()
        if not before:
            return None
        stands_for = stands_for or {}
        shapes: dict[str, Shape] = {}
        try:
            for made in before:
                if made.name in stands_for:
                    shapes[made.name] = shapes[stands_for[made.name]]
                    continue
                xs = [shapes[name] for name in made.inputs]
                layer = change(made)
                if layer is None:
                    shapes[made.name] = xs[0]
                elif xs:
                    shapes[made.name] = layer.shape_from(xs)
                else:
                    shapes[made.name] = layer.shape(())
        except (Misfit, BadValue, ArithmeticError):
            return None
        return tuple(shapes[maker.name] for maker in self.makers)

    def gives(self, change: Change, layer: Layer | None = None) -> tuple[Shape, Shape] | None:
        """What it would get and give after a change, or what another in its place would."""
        xs = self.shapes(change)
        if xs is None:
            return None
        try:
            return xs[0], (layer or self.layer).shape_from(xs)
        except (Misfit, BadValue):
            return None


def unchanged(made: NetLayer) -> Layer:
    """The change that changes nothing."""
    return made.layer


def replacing(span: Span, arguments: Mapping[str, object]) -> Change:
    """Other arguments for all layers that one place of the text made."""

    def change(made: NetLayer) -> Layer:
        return made.layer.replace(**arguments) if made.span == span else made.layer

    return change


def without(span: Span) -> Change:
    """All layers that one place of the text made left out."""

    def change(made: NetLayer) -> Layer | None:
        return None if made.span == span else made.layer

    return change


def together(changes: Sequence[Change]) -> Change:
    """Several changes at once, each of other layers."""

    def change(made: NetLayer) -> Layer | None:
        for one in changes:
            layer = one(made)
            if layer is not made.layer:
                return layer
        return made.layer

    return change
