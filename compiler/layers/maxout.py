"""Maxout: channels that compete."""

from __future__ import annotations

from typing import Any

from ..arguments import arg, integer
from .channels import check_divides
from .layer import Arrays, Layer, Shape, Work


class MaxOut(Layer):
    """The largest of each run of neighbouring channels, or units of a vector.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, C/pieces, H, W) or (N, K/pieces)
    Formula   y[c] = max over j < pieces of x[c*pieces + j]
    Gradient  all of dy to the first largest piece
    Errors    E311 the channels are no multiple of pieces
    Source    Goodfellow et al. 2013, section 2
    """

    kind = "MAXOUT"
    family = "activation"
    by_place = ("pieces",)

    pieces: int = arg(integer(at_least=2), "how many channels compete", default=2)

    def shape(self, x: Shape) -> Shape:
        """(C/pieces, ...)."""
        check_divides(self, x, "pieces", "E311", at_least=2)
        return (x[0] // self.pieces, *x[1:])

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """How the channels shrink."""
        return {"output": f"channels/pieces = {xs[0][0]}/{self.pieces} = {y[0]}"}

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Which piece was largest, and room to compare."""
        y = self.shape(x)
        code = "uint8" if self.pieces <= 256 else "int32"
        return (Work("first", y, code), Work("wins", y, "bool", True, "both"))

    def forward(self, xp: Any, a: Arrays) -> None:
        """Go through the pieces, all channels at once."""
        xp.copyto(a.y, a.x[:, :: self.pieces])
        a.first.fill(0)
        for j in range(1, self.pieces):
            x = a.x[:, j :: self.pieces]  # (N, C/pieces, ...)
            xp.greater(x, a.y, out=a.wins)
            xp.copyto(a.first, j, where=a.wins)
            xp.maximum(x, a.y, out=a.y)  # and not copyto: a NaN must not be lost

    def backward(self, xp: Any, a: Arrays) -> None:
        """Give each piece what it won."""
        for j in range(self.pieces):
            xp.equal(a.first, j, out=a.wins)
            xp.multiply(a.dy, a.wins, out=a.dx[:, j :: self.pieces])

    samples = (("MAXOUT", (4, 3, 3)), ("MAXOUT(4)", (8,)), ("MAXOUT(pieces=3)", (3, 2, 2)))


LAYERS = (MaxOut,)
