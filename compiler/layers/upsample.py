"""Upsampling without weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arguments import arg, one_of, window
from .layer import Array, Arrays, Field, Layer, Shape, Work

Piece = tuple[float, slice, slice]  # of one phase: factor, places in the output, in the input


class Upsample(Layer):
    """Every pixel becomes a block of pixels, equal or blended with the neighbours.

    Shapes    x (N, C, H, W)  ->  y (N, C, factor_h*H, factor_w*W)
    Formula   nearest: y[row, column] = x[row // factor_h, column // factor_w].
              bilinear, for rows and columns in the same way: y[row] = (1 - t)*x[m] + t*x[n] with
              m = row // factor, n the neighbour of m towards the place of the row's middle,
              (row + 1/2)/factor - 1/2, and t its distance from m; at the border n = m
    Gradient  dx = sum of dy over the pixels that x went to, times its factors there
    Errors    E302 the input is a vector
    Source    as PyTorch's interpolate with align_corners=False
    """

    kind = "UPSAMPLE"
    by_place = ("factor",)

    factor: tuple[int, int] = arg(window(), "rows and columns that each becomes", default=2)
    mode: str = arg(
        one_of("nearest", "bilinear"), "equal pixels, or straight lines between them",
        default="nearest",
    )  # fmt: skip

    def shape(self, x: Shape) -> Shape:
        """(C, factor_h*H, factor_w*W)."""
        channels, height, width = self.maps(x)
        return channels, height * self.factor[0], width * self.factor[1]

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """How the size grows."""
        rows, columns = (
            f"factor*in = {factor}*{n} = {factor * n}"
            for factor, n in zip(self.factor, xs[0][1:], strict=True)
        )
        return {"rows": rows, "columns": columns}

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The size stays, or takes in a neighbour where pixels are blended; the step is divided."""
        blends = [2 if self.mode == "bilinear" and f > 1 else 1 for f in self.factor]
        return field.windowed((blends[0], blends[1]), (1, 1)).stretched(self.factor)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The maps with their rows done, and room for products on either side of that."""
        channels, height, width = x
        rows = (channels, height * self.factor[0], width)
        return Work("rows", rows, use="both"), Work("product", rows, use="both")

    def forward(self, xp: Any, a: Arrays) -> None:
        """Rows, then columns."""
        self._stretch(xp, a.x, a.rows, a.product, 2)
        self._stretch(xp, a.rows, a.y, a.product, 3)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Columns, then rows."""
        self._gather(xp, a.dy, a.rows, a.product, 3)
        self._gather(xp, a.rows, a.dx, a.product, 2)

    def _stretch(self, xp: Any, x: Array, y: Array, product: Array, axis: int) -> None:
        """Write y, which is `factor` times as long along one axis."""
        for phase, pieces in self._phases(axis, x.shape[axis]):
            part = y[along(axis, phase)]  # of x's shape
            for i, (share, to, of) in enumerate(pieces):
                if i == 0:
                    xp.multiply(x, share, out=part)
                    continue
                term = product[along(axis, of)]
                xp.multiply(x[along(axis, of)], share, out=term)
                part[along(axis, to)] += term

    def _gather(self, xp: Any, dy: Array, dx: Array, product: Array, axis: int) -> None:
        """The reverse: write dx, which is `factor` times as short along one axis."""
        for phase, pieces in self._phases(axis, dx.shape[axis]):
            part = dy[along(axis, phase)]  # of dx's shape
            for i, (share, to, of) in enumerate(pieces):
                if i == 0 and phase.start == 0:
                    xp.multiply(part, share, out=dx)
                    continue
                term = product[along(axis, of)]
                xp.multiply(part[along(axis, to)], share, out=term)
                dx[along(axis, of)] += term

    def _phases(self, axis: int, size: int) -> Iterator[tuple[slice, list[Piece]]]:
        """The pixels that are first, second, … in their block, and what they are made of."""
        factor = self.factor[axis - 2]
        for first in range(factor):
            off = (first + 0.5) / factor - 0.5 if self.mode == "bilinear" else 0.0
            pieces = [(1 - abs(off), slice(0, size), slice(0, size))]
            if off < 0:
                pieces.append((-off, slice(1, size), slice(0, size - 1)))
                pieces.append((-off, slice(0, 1), slice(0, 1)))
            elif off > 0:
                pieces.append((off, slice(0, size - 1), slice(1, size)))
                pieces.append((off, slice(size - 1, size), slice(size - 1, size)))
            yield slice(first, None, factor), pieces

    samples = (
        ("UPSAMPLE", (2, 3, 4)),
        ("UPSAMPLE(3x1)", (1, 2, 3)),
        ("UPSAMPLE(2, bilinear)", (2, 4, 3)),
        ("UPSAMPLE(3x4, mode=bilinear)", (2, 3, 1)),
    )


def along(axis: int, places: slice) -> tuple[slice, ...]:
    """The index of some places along an axis of (N, C, H, W)."""
    return (*(slice(None),) * axis, places)


LAYERS = (Upsample,)
