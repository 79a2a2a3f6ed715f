"""Layers that drop at random. Randomness is counted, not drawn: see `counted.py`."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from ..arguments import arg, number
from .counted import bits
from .layer import Arrays, Layer, Samples, Shape, Work


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
    samples: ClassVar[Samples]

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


class Dropout2d(Dropout):
    """Sets whole channels to zero with probability p while training, and scales up the others.

    Shapes    x (N, C, H, W)  ->  y (N, C, H, W)
    Formula   y[c] = x[c] * kept[c] / (1 - p); in prediction y = x
    Gradient  dx[c] = dy[c] * kept[c] / (1 - p)
    Errors    E302 the input is a vector
    Source    Tompson et al. 2015, section 3.2, SpatialDropout; as PyTorch's Dropout2d
    """

    kind = "DROPOUT2D"

    p: float = arg(
        number(at_least=0, below=1), "probability that a channel is dropped", default=0.5
    )

    def shape(self, x: Shape) -> Shape:
        """The input's."""
        return self.maps(x)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """As DROPOUT's, a number a channel."""
        return super().buffers(n, (x[0], 1, 1))

    samples = (("DROPOUT2D", (6, 2, 3)), ("DROPOUT2D(0.2)", (3, 3, 2)))


LAYERS = (Dropout, Dropout2d)
