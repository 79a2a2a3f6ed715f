"""The Net: every layer of the expanded net with its shapes, weights and costs.

What `cnnc check` shows and what is lowered to a program. It prints as a table that is
stable enough to compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import prod
from typing import NamedTuple

from cnnc.dsl.record import Record, fresh
from cnnc.dsl.source import Span

from .geometry import Axis
from .layers.layer import Field, Layer, Shape, Weight
from .values import show_shape


class NetLayer(Record):
    """One layer of the expanded net.

    inputs        the names of the layers whose outputs it reads; empty for INPUT
    input_shapes  their shapes, per sample
    span          where it is written
    stored        the name that its weights are stored under: its own, or that of `share=`
    counted       whether its weights count here, and not at a layer before that shares them
    aux           whether it stands in a side exit
    partner       the layer whose positions it takes, for UNPOOL
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output: Shape
    weights: tuple[Weight, ...]
    macs: int
    field: Field
    span: Span
    stored: str = ""
    counted: bool = True
    aux: bool = False
    partner: str | None = None

    @property
    def kind(self) -> str:
        """CONV, POOL, …"""
        return self.layer.kind

    @property
    def params(self) -> int:
        """How many numbers its weights have; statistics are not counted."""
        return self.counted * sum(w.size for w in self.weights if not w.statistic)

    @property
    def trainable(self) -> int:
        """How many of them are trained."""
        return self.counted * sum(w.size for w in self.weights if w.trainable)

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Rows and columns of INPUT that one output sees; None where INPUT is a vector."""
        return None if self.field.size == (0, 0) else self.field.seen

    @property
    def axes(self) -> tuple[Axis, Axis] | None:
        """The rows and the columns that its window slides over; None without a window."""
        if len(self.inputs) != 1 or len(self.input_shapes[0]) != 3:
            return None
        return self.layer.axes(*self.input_shapes[0][1:])

    def stored_weights(self) -> Iterator[tuple[str, Weight]]:
        """Its weights by the names that they are stored under: conv1.weight."""
        for weight in self.weights:
            yield f"{self.stored}.{weight.name}", weight


class Exit(NamedTuple):
    """An output that training judges, and the factor on its loss."""

    layer: NetLayer
    weight: float


class Net(Record):
    """A whole net, in the order that data flows through it.

    last   the layer that makes the net's output
    aux    its side exits
    text   a spec of the same net without knobs, repeats, blocks or defaults
    rates  by layer, a factor on the learning rate besides its own: of fine-tuning
    """

    name: str | None
    layers: tuple[NetLayer, ...]
    last: NetLayer
    aux: tuple[Exit, ...] = ()
    text: str = ""
    rates: Mapping[str, float] = fresh(factory=dict)

    @property
    def input_shape(self) -> Shape:
        """Of one sample."""
        return self.layers[0].output

    @property
    def output_shape(self) -> Shape:
        """Of one sample."""
        return self.last.output

    @cached_property
    def params(self) -> int:
        """How many weights it has, side exits' too."""
        return sum(layer.params for layer in self.layers)

    @cached_property
    def main(self) -> int:
        """How many of its weights are used in prediction: without those of side exits alone."""
        main = [layer for layer in self.layers if not layer.aux]
        used = dict(pair for layer in main for pair in layer.stored_weights())
        return sum(weight.size for weight in used.values() if not weight.statistic)

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """All weights and statistics by name, those that several layers share once."""
        found: dict[str, Weight] = {}
        for layer in self.layers:
            for name, weight in layer.stored_weights():
                found.setdefault(name, weight)
        return found

    @cached_property
    def trainable(self) -> int:
        """How many of them are trained."""
        return sum(layer.trainable for layer in self.layers)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def depth(self) -> int:
        """Layers with multiplications by weights, on the longest path."""
        deepest: dict[str, int] = {}
        for layer in self.layers:
            below = max((deepest[name] for name in layer.inputs), default=0)
            deepest[layer.name] = below + (layer.kind in DEEP)
        return deepest[self.last.name]

    def __str__(self) -> str:
        lines = [f"net {self.name or '-'}"]
        for layer in self.layers:
            shapes = ", ".join(show_shape(s) for s in layer.input_shapes)
            flow = f"{shapes} -> {show_shape(layer.output)}" if shapes else show_shape(layer.output)
            inputs = ", ".join(layer.inputs)
            made = f"{layer.layer.written()} of {inputs}" if inputs else layer.layer.written()
            lines.append(f"  {layer.name} = {made} : {flow}")
        return "\n".join(lines)


DEEP = ("CONV", "DWCONV", "LOCAL", "DECONV", "SUBSAMPLE", "FC", "RBF")


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape has."""
    return prod(shape)
