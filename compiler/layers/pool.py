"""Pooling."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from ..arguments import arg, boolean, one_of, padding, window
from ..geometry import Axis
from .layer import Arrays, Field, Layer, Samples, Shape, Work
from .windows import check_fits, missed_note, taps


class Pool(Layer):
    """The largest, or the mean, of each window of each map.

    Shapes    x (N, C, H, W)  ->  y (N, C, H', W');  H' = floor((H + pad_top + pad_bottom - kh)
              / stride) + 1; with ceil=true rounded up, and a last window that would start
              outside the input and the padding before it is dropped
    Formula   max: the largest entry, padding never wins; avg: the sum / (kh*kw), padding
              counts as zeros; with include_pad=false the sum / (entries inside the input).
              What a ceil window has beyond the padding is never counted. A window wholly in
              the padding gives 0
    Gradient  max: all of dy to the first largest entry in scan order; avg: dy spread evenly
    Errors    E301 no window fits; E302 the input is a vector
    Source    LeCun et al. 1989 (avg); Ranzato et al. 2007 (max); overlapping: Krizhevsky et
              al. 2012, section 3.4; sizes and divisors as PyTorch's MaxPool2d and AvgPool2d
    """

    kind = "POOL"
    by_place = ("k",)
    samples: ClassVar[Samples]

    k: tuple[int, int] = arg(window(), "window size", default=2)
    stride: tuple[int, int] = arg(window(), "step between windows", same_as="k")
    pad: tuple[int, int, int, int] = arg(
        padding(), "rows and columns of padding around the input", default=0
    )
    mode: str = arg(one_of("max", "avg"), "the largest entry or the mean", default="max")
    ceil: bool = arg(boolean(), "whether the output size is rounded up", default=False)
    include_pad: bool = arg(
        boolean(), "whether avg divides by the padding's entries too", default=True
    )

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and the columns as sliding windows."""
        top, bottom, left, right = self.pad
        return (
            Axis(height, self.k[0], self.stride[0], top, bottom, ceil=self.ceil),
            Axis(width, self.k[1], self.stride[1], left, right, ceil=self.ceil),
        )

    def shape(self, x: Shape) -> Shape:
        """(C, H', W')."""
        channels, height, width = self.maps(x)
        rows, columns = self.axes(height, width)
        check_fits(self, x, rows, columns)
        return channels, rows.out, columns.out

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """A window's."""
        return field.windowed(self.k, self.stride)

    def note(self, x: Shape) -> tuple[str, str] | None:
        """Rows and columns that no window reaches."""
        return missed_note(self, *self.axes(x[1], x[2]))

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """max: which tap was largest, and room to compare; avg: one over what is divided by."""
        y = self.shape(x)
        if self.mode == "avg":
            rows, columns = self.axes(x[1], x[2])
            return (
                Work("per_row", (y[1], 1), "float", False, "constant", self._inverse(rows)),
                Work("per_column", (1, y[2]), "float", False, "constant", self._inverse(columns)),
                Work("spread", y, "float", True, "backward"),
            )
        code = "uint8" if prod(self.k) <= 256 else "int32"
        return (
            Work("first", y, code, True, "saved"),
            Work("wins", y, "bool", True, "both"),
            Work("share", y, "float", True, "backward"),
        )

    def _inverse(self, axis: Axis) -> list[float]:
        count = axis.covered if self.include_pad else axis.inside
        return [1 / max(1, count(window)) for window in range(axis.out)]

    def forward(self, xp: Any, a: Arrays) -> None:
        """Go through the taps of the window, all windows at once."""
        rows, columns = self.axes(*a.x.shape[2:])
        if self.mode == "avg":
            a.y.fill(0)
            for tap in taps(rows, columns):
                a.y[tap.out] += a.x[tap.input]
            xp.multiply(a.y, a.per_row, out=a.y)
            xp.multiply(a.y, a.per_column, out=a.y)
            return
        a.y.fill(-float("inf"))
        a.first.fill(0)
        for tap in taps(rows, columns):
            x, y, wins = a.x[tap.input], a.y[tap.out], a.wins[tap.out]
            xp.greater(x, y, out=wins)
            xp.copyto(a.first[tap.out], tap.i * self.k[1] + tap.j, where=wins)
            xp.maximum(x, y, out=y)  # and not copyto: a NaN must not be lost
        for row in range(rows.out):
            if not rows.inside(row):
                a.y[:, :, row, :] = 0
        for column in range(columns.out):
            if not columns.inside(column):
                a.y[:, :, :, column] = 0

    def backward(self, xp: Any, a: Arrays) -> None:
        """Give each tap its share."""
        rows, columns = self.axes(*a.dx.shape[2:])
        a.dx.fill(0)
        if self.mode == "avg":
            xp.multiply(a.dy, a.per_row, out=a.spread)
            xp.multiply(a.spread, a.per_column, out=a.spread)
            for tap in taps(rows, columns):
                a.dx[tap.input] += a.spread[tap.out]
            return
        for tap in taps(rows, columns):
            first, wins, share = a.first[tap.out], a.wins[tap.out], a.share[tap.out]
            xp.equal(first, tap.i * self.k[1] + tap.j, out=wins)
            xp.multiply(a.dy[tap.out], wins, out=share)
            a.dx[tap.input] += share

    samples = (
        ("POOL(2)", (2, 6, 5)),
        ("POOL(3, stride=2)", (2, 7, 8)),
        ("POOL(3, stride=2, pad=1, ceil=true)", (2, 6, 7)),
        ("POOL(2, pad=2)", (1, 4, 5)),
        ("POOL(avg, 2)", (2, 4, 6)),
        ("POOL(avg, 3, stride=2, pad=(1, 0, 0, 1))", (2, 6, 7)),
        ("POOL(avg, 3, stride=2, pad=1, ceil=true, include_pad=false)", (2, 6, 7)),
    )


class MaxPool(Pool):
    """POOL with mode=max.

    Shapes    as POOL
    Formula   as POOL's max
    Gradient  as POOL's max
    Errors    as POOL
    Source    as POOL
    """

    word = "MAXPOOL"
    mode = "max"
    samples = (("MAXPOOL(3, stride=1, pad=1)", (2, 4, 5)),)


class AvgPool(Pool):
    """POOL with mode=avg.

    Shapes    as POOL
    Formula   as POOL's avg
    Gradient  as POOL's avg
    Errors    as POOL
    Source    as POOL
    """

    word = "AVGPOOL"
    mode = "avg"
    samples = (("AVGPOOL(3, stride=1, pad=1)", (2, 4, 5)),)


class GlobalPool(Layer):
    """The mean, or the largest, of each map as a whole.

    Shapes    x (N, C, H, W)  ->  y (N, C, 1, 1)
    Formula   avg: y[c] = the sum of x[c] / (H*W); max: its largest entry
    Gradient  avg: dy spread evenly; max: all of dy to the first largest entry in scan order
    Errors    E302 the input is a vector
    Source    Lin et al. 2014, section 3.2 (avg); as PyTorch's AdaptiveAvgPool2d(1) and
              AdaptiveMaxPool2d(1)
    """

    kind = "GLOBALPOOL"
    by_place = ("mode",)

    mode: str = arg(one_of("avg", "max"), "the mean or the largest entry", default="avg")

    def shape(self, x: Shape) -> Shape:
        """(C, 1, 1)."""
        return self.maps(x)[0], 1, 1

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """What each number is of."""
        return {"output": "a number a map"}

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The whole input."""
        return Field.everything(whole)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """max: which entry was largest, and room to find it again; avg: nothing."""
        if self.mode == "avg":
            return ()
        places = x[1] * x[2]
        return (
            Work("first", (x[0],), "int64"),
            Work("index", (places,), "int64", False, "constant", range(places)),
            Work("wins", (x[0], places), "bool", True, "both"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        if self.mode == "avg":
            xp.mean(a.x, axis=(2, 3), keepdims=True, out=a.y)
            return
        xp.max(a.x, axis=(2, 3), keepdims=True, out=a.y)
        y = a.y.reshape(*a.first.shape, 1)  # (N, C, 1)
        xp.equal(a.x.reshape(a.wins.shape), y, out=a.wins)  # (N, C, H*W)
        xp.argmax(a.wins, axis=2, out=a.first)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.copyto(a.dx, a.dy)
        if self.mode == "avg":
            xp.multiply(a.dx, 1 / prod(a.dx.shape[2:]), out=a.dx)
            return
        xp.equal(a.index, a.first[:, :, None], out=a.wins)
        xp.multiply(a.dx, a.wins.reshape(a.dx.shape), out=a.dx)

    samples = (("GLOBALPOOL", (3, 2, 4)), ("GLOBALPOOL(max)", (2, 3, 4)))


LAYERS = (Pool, MaxPool, AvgPool, GlobalPool)
