"""The way back through a max pooling."""

from __future__ import annotations

from typing import Any

from ..arguments import arg, tap
from ..geometry import Axis
from ..values import Tapped, show_shape
from .layer import Arrays, Field, Layer, Misfit, Shape, Work
from .pool import Pool
from .windows import taps


class Unpool(Layer):
    """Puts each entry back to where a max POOL found it, and zeros elsewhere.

    Shapes    x (N, C, H', W'), as the POOL gives  ->  y (N, C, H, W), as it got
    Formula   y at the place of the largest entry of a window = x of the window; where windows
              overlap and share a place, their entries are added
    Gradient  dx = dy at the window's place
    Errors    E302 the input is a vector; E317 @name is no max POOL; E319 the input is not of
              the shape that the POOL gives
    Source    Badrinarayanan et al. 2017 (SegNet), section 3; as PyTorch's MaxUnpool2d, which
              leaves open what overlapping windows give
    """

    kind = "UNPOOL"
    by_place = ("pool",)
    takes = ("first",)

    pool: Tapped = arg(tap(), "the POOL whose positions are taken")

    def partner_name(self) -> str | None:
        """The POOL's."""
        name: str = self.pool.maker.name
        return name

    def shape(self, x: Shape) -> Shape:
        """What the POOL got."""
        self.maps(x)
        maker = self.pool.maker
        if not isinstance(maker.layer, Pool) or maker.layer.mode != "max":
            raise Misfit(
                "E317",
                f"{self.shown()} needs a max POOL, and {self.pool.name} is {maker.kind}",
                rule="UNPOOL takes the positions at which a max POOL found its entries",
                fixes=self._for_no_pool(x),
            )
        if x != maker.output:
            given, got = show_shape(maker.output), show_shape(maker.input_shapes[0])
            raise Misfit(
                "E319",
                f"{self.shown()} does not fit: its input is {show_shape(x)}, and"
                f" {self.pool.name} gives {given}",
                f"gets {show_shape(x)}",
                rule=f"UNPOOL goes from what the POOL gives, {given}, to what it got, {got}",
            )
        shape: Shape = maker.input_shapes[0]
        return shape

    def _for_no_pool(self, x: Shape) -> list[str]:
        doubled = show_shape((x[0], 2 * x[1], 2 * x[2]))
        return [
            f"name a POOL that gives {show_shape(x)}: POOL(2) as {self.pool.name}, for {doubled}",
            f"UPSAMPLE(2) gives {doubled}, without positions",
        ]

    def _axes(self) -> tuple[Axis, Axis]:
        maker = self.pool.maker
        rows, columns = maker.layer.axes(*maker.input_shapes[0][1:])
        return rows, columns

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """As wide; neighbours are as far apart as before the POOL."""
        return field.stretched(self.pool.maker.layer.stride)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Room for one tap's entries."""
        return (
            Work("wins", x, "bool", True, "both"),
            Work("part", x, "float", True, "both"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """Tap by tap, all windows at once."""
        columns = self.pool.maker.layer.k[1]
        a.y.fill(0)
        for tap_ in taps(*self._axes()):
            wins, part = a.wins[tap_.out], a.part[tap_.out]  # (N, C, …)
            xp.equal(a.first[tap_.out], tap_.i * columns + tap_.j, out=wins)
            xp.multiply(a.x[tap_.out], wins, out=part)
            a.y[tap_.input] += part

    def backward(self, xp: Any, a: Arrays) -> None:
        """The same places, read."""
        columns = self.pool.maker.layer.k[1]
        a.dx.fill(0)
        for tap_ in taps(*self._axes()):
            wins, part = a.wins[tap_.out], a.part[tap_.out]  # (N, C, …)
            xp.equal(a.first[tap_.out], tap_.i * columns + tap_.j, out=wins)
            xp.multiply(a.dy[tap_.input], wins, out=part)
            a.dx[tap_.out] += part


LAYERS = (Unpool,)
