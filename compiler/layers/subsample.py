"""Trainable subsampling."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, window
from ..geometry import Axis
from .layer import Arrays, Field, Shape, Weight, Weighted, Work
from .windows import check_fits, missed_note, sliding, taps


class Subsample(Weighted):
    """LeNet-5's S layers: the sum of each window times a coefficient of the map, plus a bias.

    Shapes    x (N, C, H, W)  ->  y (N, C, H', W'), weight (C,), bias (C,);
              H' = floor((H - kh)/kh) + 1, W' likewise: windows lie side by side
    Formula   y[c] = weight[c] * (sum of the window of x[c]) + bias[c]
    Gradient  dx = weight[c] * dy for all of the window, dweight = sum of dy times the window's
              sum, dbias = sum of dy
    Errors    E301 no window fits; E302 the input is a vector
    Source    LeCun et al. 1998, section II.B
    """

    kind = "SUBSAMPLE"
    by_place = ("k",)
    backward_reads = ("weight",)

    k: tuple[int, int] = arg(window(), "window size, and the step between windows", default=2)

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and the columns as sliding windows."""
        return sliding(height, width, self.k, self.k, "valid")

    def shape(self, x: Shape) -> Shape:
        """(C, H', W')."""
        channels, height, width = self.maps(x)
        rows, columns = self.axes(height, width)
        check_fits(self, x, rows, columns)
        return channels, rows.out, columns.out

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(C,) and the bias."""
        weight = Weight("weight", x[:1], self.init, prod(self.k), 1, not self.freeze)
        return weight, self.bias_weight(x[0])

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """A window's."""
        return field.windowed(self.k, self.k)

    def note(self, x: Shape) -> tuple[str, str] | None:
        """Rows and columns that no window reaches."""
        return missed_note(self, *self.axes(x[1], x[2]))

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The windows' sums, and room for products."""
        y = self.shape(x)
        return (Work("sums", y), Work("product", y, use="backward"))

    def forward(self, xp: Any, a: Arrays) -> None:
        """Go through the taps of the window, all windows at once."""
        a.sums.fill(0)
        for tap in taps(*self.axes(*a.x.shape[2:])):
            a.sums[tap.out] += a.x[tap.input]
        xp.multiply(a.sums, a.weight.reshape(-1, 1, 1), out=a.y)
        xp.add(a.y, a.bias.reshape(-1, 1, 1), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Each tap gets the same."""
        if a.dweight is not None:
            xp.multiply(a.dy, a.sums, out=a.product)
            xp.sum(a.product, axis=(0, 2, 3), out=a.dweight)
        if a.dbias is not None:
            xp.sum(a.dy, axis=(0, 2, 3), out=a.dbias)
        if a.dx is not None:
            xp.multiply(a.dy, a.weight.reshape(-1, 1, 1), out=a.product)
            a.dx.fill(0)  # what no window reaches
            for tap in taps(*self.axes(*a.dx.shape[2:])):
                a.dx[tap.input] = a.product[tap.out]

    samples = (
        ("SUBSAMPLE", (2, 4, 6)),
        ("SUBSAMPLE(2x3)", (3, 5, 7)),
    )


LAYERS = (Subsample,)
