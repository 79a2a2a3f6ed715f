"""Layers that drop at random. Randomness is counted, not drawn: see `counted.py`."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, number
from .counted import bits
from .layer import Arrays, Layer, Shape, Work


class Dropout(Layer):
    """Sets each entry to zero with probability p while training, and scales up the others.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = x * kept / (1 - p); in prediction y = x
    Gradient  dx = dy * kept / (1 - p)
    Errors    none
    Source    Srivastava et al. 2014; inverted as in PyTorch
    """

    kind = "DROPOUT"
    by_place = ("p",)
    random = True
    training_only = True

    p: float = arg(number(at_least=0, below=1), "probability that an entry is dropped", default=0.5)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """What was kept, and room to compute it."""
        return (
            Work("kept", x, "bool", True, "saved"),
            Work("bits", x, "uint32", True, "forward"),
            Work("mixed", x, "uint32", True, "forward"),
            Work("start", (), "uint32", True, "forward"),
            Work("stir", (), "uint32", True, "forward"),
            Work("index", x, "uint32", False, "constant", range(prod(x))),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """Keep where a number from (seed, step, layer, sample, entry) is large enough."""
        bits(xp, a.bits, a.mixed, a.start, a.stir, index=a.index, sample=a.sample, key=a.key)
        xp.greater_equal(a.bits, min(round(self.p * 2**32), 2**32 - 1), out=a.kept)
        self._scaled(xp, a, a.x, a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """The same entries."""
        self._scaled(xp, a, a.dy, a.dx)

    def _scaled(self, xp: Any, a: Arrays, source: Any, into: Any) -> None:
        xp.multiply(source, 1 / (1 - self.p), out=into)
        xp.multiply(into, a.kept, out=into)

    samples = (("DROPOUT", (3, 4, 5)), ("DROPOUT(0.2)", (7,)))


LAYERS = (Dropout,)
