"""Layers that change the shape alone."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

from ..arguments import arg, shape
from ..values import show_shape
from .layer import Arrays, Field, Layer, Misfit, Shape


class View(Layer):
    """The base of layers whose output is the input's memory in another shape."""

    view = True

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """What was neighbours is none any more: the whole input."""
        return Field.everything(whole)

    def forward(self, xp: Any, a: Arrays) -> None:
        """Only where the memory is not shared."""
        xp.copyto(a.y, a.x.reshape(a.y.shape))

    def backward(self, xp: Any, a: Arrays) -> None:
        """Only where the memory is not shared."""
        xp.copyto(a.dx, a.dy.reshape(a.dx.shape))


class Flatten(View):
    """CxHxW as a vector, channel by channel, row by row.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, C*H*W)
    Formula   y[(c*H + i)*W + j] = x[c, i, j]: the same memory in another shape
    Gradient  dx = dy in x's shape
    Errors    none
    Source    as PyTorch's Flatten
    """

    kind = "FLATTEN"

    def shape(self, x: Shape) -> Shape:
        """(C*H*W,)."""
        return (prod(x),)

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """What the length is made of."""
        return {"output": "*".join(map(str, xs[0]))}

    samples = (("FLATTEN", (3, 2, 4)), ("FLATTEN", (5,)))


class Reshape(View):
    """The same numbers, in the same order, in another shape.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, *size), of as many numbers
    Formula   y[(c*H' + i)*W' + j] = x[(c*H + i)*W + j], both read channel by channel, row by row
    Gradient  dx = dy in x's shape
    Errors    E310 the new shape has not as many numbers
    Source    as PyTorch's reshape, the samples apart
    """

    kind = "RESHAPE"
    by_place = ("size",)

    size: Shape = arg(shape(3, 1), "the new shape of one sample, CxHxW or K")

    def shape(self, x: Shape) -> Shape:
        """The new one."""
        if prod(x) != prod(self.size):
            old, new = (" * ".join(map(str, s)) for s in (x, self.size))
            raise Misfit(
                "E310",
                f"{self.written()} has {prod(self.size)} numbers, and its input {prod(x)}",
                f"gets {show_shape(x)}",
                rule=f"{old} = {prod(x)}, {new} = {prod(self.size)}, and they must be equal",
                fixes=[f"RESHAPE({show_shape(s)}) keeps all {prod(x)}" for s in self._near(x)],
            )
        return self.size

    def _near(self, x: Shape) -> list[Shape]:
        """Shapes of as many numbers that keep the wanted rows and columns, or channels."""
        n, found = prod(x), list[Shape]()
        if len(self.size) == 3:
            channels, height, width = self.size
            if n % (height * width) == 0:
                found.append((n // (height * width), height, width))
            for c in (channels, 3, 1):
                side = isqrt(n // c)
                if c * side * side == n:
                    found.append((c, side, side))
        return list(dict.fromkeys((*found, (n,), x)))[:3]

    samples = (
        ("RESHAPE(2x4x3)", (3, 2, 4)),
        ("RESHAPE(6)", (1, 2, 3)),
        ("RESHAPE(4x1x2)", (8,)),
    )


LAYERS = (Flatten, Reshape)
