"""Convolutions without weight sharing."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, boolean, integer, padding, window
from ..geometry import Axis
from .initializers import Zero
from .layer import Array, Arrays, Field, Shape, Weight, Weighted, Work
from .unfolding import CHUNK, chunks
from .windows import Padding, check_fits, gather, missed_note, scatter, sliding


class Local(Weighted):
    """CONV whose filters are others at every position of the output.

    Shapes    x (N, C, H, W)  ->  y (N, filters, H', W'), weight (H', W', filters, C, kh, kw),
              bias (filters, H', W');  H' and W' as CONV's
    Formula   y[f, row, column] = bias[f, row, column] + sum over c, i, j of
              weight[row, column, f, c, i, j] * x[c, stride*row + i - pad, …] (zero outside)
    Gradient  dweight = dy times the window at each position, dx = dy spread back through
              weight, dbias = sum of dy over the samples
    Errors    E301 no window fits; E302 the input is a vector
    Source    LeCun 1989 (Generalization and network design strategies); Taigman et al. 2014
              (DeepFace), section 3
    """

    kind = "LOCAL"
    by_place = ("filters", "k")
    backward_reads = ("x", "weight")

    filters: int = arg(integer(at_least=1), "how many filters, the output's channels")
    k: tuple[int, int] = arg(window(), "kernel size", default=3)
    stride: tuple[int, int] = arg(window(), "step between windows", default=1)
    pad: Padding = arg(
        padding("valid", "same"), "rows and columns of zeros around the input", default=0
    )
    bias: bool = arg(boolean(), "whether a bias is added", default=True)

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and the columns as sliding windows."""
        return sliding(height, width, self.k, self.stride, self.pad)

    def shape(self, x: Shape) -> Shape:
        """(filters, H', W')."""
        _, height, width = self.maps(x)
        rows, columns = self.axes(height, width)
        check_fits(self, x, rows, columns)
        return self.filters, rows.out, columns.out

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(H', W', filters, C, kh, kw) and the bias."""
        filters, height, width = self.shape(x)
        trained = not self.freeze
        weight = Weight(
            "weight", (height, width, filters, x[0], *self.k), self.init, trainable=trained,
            fan_in=x[0] * prod(self.k), fan_out=filters * prod(self.k),
        )  # fmt: skip
        bias = Weight("bias", (filters, height, width), Zero(), trainable=trained)
        return (weight, bias) if self.bias else (weight,)

    def macs(self, x: Shape) -> int:
        """Each weight once: H' * W' * filters * C * kh * kw."""
        return self.weights(x)[0].size

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """A window's."""
        return field.windowed(self.k, self.stride)

    def note(self, x: Shape) -> tuple[str, str] | None:
        """Rows and columns that no window reaches."""
        return missed_note(self, *self.axes(x[1], x[2]))

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Windows and outputs of a few samples, position by position.

        The whole weight is read once for each few samples: so many that the windows are as
        large as the weight, where they do not fit a cache anyway.
        """
        filters, height, width = self.shape(x)
        taps = x[0] * prod(self.k)
        chunk = max(1, min(n, max(CHUNK // (height * width * taps), filters)))
        works = (
            Work("windows", (height, width, chunk, x[0], *self.k), "float", False, "both"),
            Work("sums", (height * width, chunk, filters), "float", False, "both"),
        )
        if chunk == n:
            return works
        partial = Work("partial", (height * width, filters, taps), "float", False, "backward")
        return (*works, partial)

    def forward(self, xp: Any, a: Arrays) -> None:
        """Unfold, then one matrix product a position."""
        filters, height, width = a.y.shape[1:]
        weight = a.weight.reshape(height * width, filters, -1)  # (P, F, K)
        for some in chunks(len(a.x), a.windows.shape[2]):
            sums = a.sums[:, : some.stop - some.start]  # (P, n, F)
            xp.matmul(self._unfold(a, some), weight.swapaxes(1, 2), out=sums)
            y = sums.reshape(height, width, -1, filters)  # (H', W', n, F)
            xp.copyto(a.y[some], y.transpose(2, 3, 0, 1))
        if self.bias:
            xp.add(a.y, a.bias, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        if self.bias and a.dbias is not None:
            xp.sum(a.dy, axis=0, out=a.dbias)
        filters, height, width = a.dy.shape[1:]
        weight = a.weight.reshape(height * width, filters, -1)  # (P, F, K)
        axes = self.axes(*a.x.shape[2:])
        for some in chunks(len(a.x), a.windows.shape[2]):
            sums = a.sums[:, : some.stop - some.start]  # (P, n, F)
            dy = sums.reshape(height, width, -1, filters)  # (H', W', n, F)
            xp.copyto(dy, a.dy[some].transpose(2, 3, 0, 1))
            if a.dweight is not None:
                dweight = a.dweight.reshape(weight.shape)  # (P, F, K)
                into = a.partial if some.start else dweight
                xp.matmul(sums.swapaxes(1, 2), self._unfold(a, some), out=into)
                if some.start:
                    xp.add(dweight, a.partial, out=dweight)
            if a.dx is not None:
                windows = a.windows[:, :, : sums.shape[1]]  # (H', W', n, C, kh, kw)
                xp.matmul(sums, weight, out=windows.reshape(*sums.shape[:2], -1))
                scatter(windows.transpose(2, 3, 4, 5, 0, 1), a.dx[some], *axes)

    def _unfold(self, a: Arrays, some: slice) -> Array:
        """The windows of some samples, (P, n, C*kh*kw)."""
        x = a.x[some]  # (n, C, H, W)
        windows = a.windows[:, :, : len(x)]  # (H', W', n, C, kh, kw)
        gather(x, windows.transpose(2, 3, 4, 5, 0, 1), *self.axes(*x.shape[2:]))
        height, width = windows.shape[:2]
        return windows.reshape(height * width, len(x), -1)

    samples = (
        ("LOCAL(2, 3)", (2, 5, 4)),
        ("LOCAL(3, 2x3, stride=2x1, pad=(1, 0, 2, 1), bias=false)", (2, 4, 5)),
        ("LOCAL(1, 3, stride=2, pad=same)", (1, 5, 6)),
    )


LAYERS = (Local,)
