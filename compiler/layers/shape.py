"""Layers that change the shape alone."""

from __future__ import annotations

from math import prod
from typing import Any

from .layer import Arrays, Field, Layer, Shape


class Flatten(Layer):
    """CxHxW as a vector, channel by channel, row by row.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, C*H*W)
    Formula   y[(c*H + i)*W + j] = x[c, i, j]: the same memory in another shape
    Gradient  dx = dy in x's shape
    Errors    none
    Source    as PyTorch's Flatten
    """

    kind = "FLATTEN"
    view = True

    def shape(self, x: Shape) -> Shape:
        """(C*H*W,)."""
        return (prod(x),)

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """A vector's entries are of different places: the whole input."""
        return Field(whole, whole)

    def forward(self, xp: Any, a: Arrays) -> None:
        """Only where the memory is not shared."""
        xp.copyto(a.y, a.x.reshape(a.y.shape))

    def backward(self, xp: Any, a: Arrays) -> None:
        """Only where the memory is not shared."""
        xp.copyto(a.dx, a.dy.reshape(a.dx.shape))

    samples = (("FLATTEN", (3, 2, 4)), ("FLATTEN", (5,)))


LAYERS = (Flatten,)
