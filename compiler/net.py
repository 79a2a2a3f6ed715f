"""The Net: every layer of the expanded net with its shapes, weights and costs.

What `cnnc check` shows and what is lowered to a program. It prints as a table that is
stable enough to compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

from cnnc.dsl.source import Span

from .layers.layer import Field, Layer, Shape, Weight
from .values import show_shape


@dataclass(frozen=True)
class NetLayer:
    """One layer of the expanded net.

    inputs        the names of the layers whose outputs it reads; empty for INPUT
    input_shapes  their shapes, per sample
    span          where it is written
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

    @property
    def kind(self) -> str:
        """CONV, POOL, …"""
        return self.layer.kind

    @property
    def params(self) -> int:
        """How many numbers its weights have; statistics are not counted."""
        return sum(w.size for w in self.weights if not w.statistic)

    @property
    def trainable(self) -> int:
        """How many of them are trained."""
        return sum(w.size for w in self.weights if w.trainable)

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Rows and columns of INPUT that one output sees; None where INPUT is a vector."""
        return None if self.field.size == (0, 0) else self.field.size


@dataclass(frozen=True)
class Net:
    """A whole net, in the order that data flows through it."""

    name: str | None
    layers: tuple[NetLayer, ...]

    @property
    def input_shape(self) -> Shape:
        """Of one sample."""
        return self.layers[0].output

    @property
    def output_shape(self) -> Shape:
        """Of one sample."""
        return self.layers[-1].output

    @cached_property
    def params(self) -> int:
        """How many weights it has."""
        return sum(layer.params for layer in self.layers)

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
        return deepest[self.layers[-1].name]

    def __str__(self) -> str:
        lines = [f"net {self.name or '-'}"]
        for layer in self.layers:
            shapes = ", ".join(show_shape(s) for s in layer.input_shapes)
            flow = f"{shapes} -> {show_shape(layer.output)}" if shapes else show_shape(layer.output)
            lines.append(f"  {layer.name} = {layer.layer.written()} : {flow}")
        return "\n".join(lines)


DEEP = ("CONV", "DWCONV", "LOCAL", "DECONV", "SUBSAMPLE", "FC", "RBF")


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape has."""
    return prod(shape)
