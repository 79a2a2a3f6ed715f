"""Transposed convolutions."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import BadValue, arg, boolean, integer, padding, window
from ..geometry import Axis, overlap, transposed
from ..values import show_shape
from .layer import Array, Arrays, Field, Misfit, Shape, Weight, Weighted, Work
from .unfolding import CHUNK, add_products, check_groups, chunks, spread
from .windows import gather, scatter, tried


class Deconv(Weighted):
    """Filters that every input pixel spreads over the output: CONV backwards.

    Shapes    x (N, C, H, W)  ->  y (N, filters, H', W'), weight (C, filters/groups, kh, kw),
              bias (filters,);  H' = (H - 1)*stride - pad_top - pad_bottom + dilation*(kh - 1)
              + outpad + 1, W' likewise
    Formula   y[f] at row r = bias[f] + sum over c, i, j of weight[c, f, i, j] * x[c] at the row
              with stride*row + dilation*i - pad = r: CONV's dx for its dy. pad crops the
              output, outpad adds rows and columns at the bottom and right
    Gradient  dx = dy correlated with weight, as CONV does it; dweight = x correlated with dy,
              dbias = sum of dy
    Errors    E302 the input is a vector; E303 groups do not divide the input's channels or the
              filters; E308 pad crops the whole output; E403 outpad is neither smaller than
              stride nor than dilation
    Source    Zeiler et al. 2010 (Deconvolutional networks); Dumoulin and Visin 2016, chapter 4;
              as PyTorch's ConvTranspose2d
    """

    kind = "DECONV"
    by_place = ("filters", "k")
    backward_reads = ("x", "weight")

    filters: int = arg(integer(at_least=1), "how many filters, the output's channels")
    k: tuple[int, int] = arg(window(), "kernel size", default=3)
    stride: tuple[int, int] = arg(window(), "step in the output between inputs", default=1)
    pad: tuple[int, int, int, int] = arg(
        padding(), "rows and columns cropped off the output", default=0
    )
    outpad: tuple[int, int] = arg(
        window(at_least=0), "rows and columns added at the bottom and right", default=0
    )
    dilation: tuple[int, int] = arg(window(), "step between the kernel's taps", default=1)
    groups: int = arg(integer(at_least=1), "parts of the channels that do not mix", default=1)
    bias: bool = arg(boolean(), "whether a bias is added", default=True)

    def check(self) -> None:
        """More rows behind than the windows can end before are never reached by any."""
        steps = zip(self.outpad, self.stride, self.dilation, strict=True)
        if any(out >= max(stride, dilation) for out, stride, dilation in steps):
            raise BadValue("an outpad smaller than its stride or its dilation")

    def output_axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and columns of the output, whose windows are the input's for a height, width."""
        (kh, kw), (sh, sw), (dh, dw) = self.k, self.stride, self.dilation
        top, bottom, left, right = self.pad
        return (
            transposed(height, kh, sh, top, bottom, dh, self.outpad[0]),
            transposed(width, kw, sw, left, right, dw, self.outpad[1]),
        )

    def shape(self, x: Shape) -> Shape:
        """(filters, H', W')."""
        _, height, width = self.maps(x)
        check_groups(self, x, self.groups, self.filters)
        rows, columns = self.output_axes(height, width)
        if rows.size < 1 or columns.size < 1:
            raise self._cropped(x, rows, columns)
        return self.filters, rows.size, columns.size

    def _cropped(self, x: Shape, rows: Axis, columns: Axis) -> Misfit:
        axes, pads = (rows, columns), (self.pad[:2], self.pad[2:])
        which = 0 if rows.size < 1 else 1
        axis, (before, after) = axes[which], pads[which]
        whole = [axis.size + sum(pad) for axis, pad in zip(axes, pads, strict=True)]
        longer = [a.kernel + max(0, -(-(1 - a.size) // a.dilation)) for a in axes]
        return Misfit(
            "E308",
            f"{self.shown()} crops all of its output: {before} and {after} of"
            f" {whole[which]} {('rows', 'columns')[which]}",
            f"gets {show_shape(x)}",
            rule=f"out = {self._rule(x, which, axis)}",
            fixes=tried(self, x, [{"pad": (min(whole) - 1) // 2}, {"k": tuple(longer)}]),
        )

    def _rule(self, x: Shape, which: int, axis: Axis) -> str:
        """The output size's rule with the numbers of the rows (0) or the columns (1) filled in."""
        before, after = self.pad[2 * which : 2 * which + 2]
        even = before == after
        return (
            f"(in - 1)*stride - {'2*pad' if even else 'pad_begin - pad_end'}"
            " + dilation*(k - 1) + outpad + 1"
            f" = ({x[1 + which]} - 1)*{axis.stride}"
            f" - {f'2*{before}' if even else f'{before} - {after}'}"
            f" + {axis.dilation}*({axis.kernel} - 1) + {self.outpad[which]} + 1 = {axis.size}"
        )

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """Its own rule of the size: the window slides over the output."""
        rows, columns = self.output_axes(*xs[0][1:])
        return {
            "output": "a map a filter",
            "rows": self._rule(xs[0], 0, rows),
            "columns": self._rule(xs[0], 1, columns),
        }

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(C, filters/groups, kh, kw) and the bias."""
        each, taps = self.filters // self.groups, prod(self.k)
        weight = Weight(
            "weight", (x[0], each, *self.k), self.init, trainable=not self.freeze,
            # An output is hit by one in stride*stride taps.
            fan_in=max(1, x[0] // self.groups * taps // prod(self.stride)), fan_out=each * taps,
        )  # fmt: skip
        return (weight, self.bias_weight(self.filters)) if self.bias else (weight,)

    def macs(self, x: Shape) -> int:
        """C * (filters/groups) * kh * kw * H * W: what is cropped is counted too."""
        return self.weights(x)[0].size * x[1] * x[2]

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """That of the most inputs that one output sees; the step is divided by the stride."""
        rows, columns = (overlap(*a) for a in zip(self.k, self.stride, self.dilation, strict=True))
        seen = field.windowed((rows[0], columns[0]), (1, 1), (rows[1], columns[1]))
        return seen.stretched(self.stride)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Windows of the output for a few samples, and their weight gradients before the sum."""
        channels, height, width = x
        unfolded = (self.filters, *self.k, height, width)
        chunk = max(1, min(n, CHUNK // prod(unfolded)))
        each = self.filters // self.groups * prod(self.k)
        return (
            Work("windows", (chunk, *unfolded), "float", False, "both"),
            Work("partial", (chunk, channels, each), "float", False, "backward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """One matrix product a sample and group, and its windows laid over each other."""
        x, weight = self._grouped(a.x), self._kernels(a.weight)
        axes = self.output_axes(*a.x.shape[2:])
        for some in chunks(len(x), len(a.windows)):
            windows = a.windows[: some.stop - some.start]  # (n, F, kh, kw, H, W)
            flat = windows.reshape(len(windows), self.groups, -1, x.shape[3])  # (n, G, K, P)
            spread(xp, weight.swapaxes(2, 3), x[some], flat)
            scatter(windows, a.y[some], *axes)
        if self.bias:
            xp.add(a.y, a.bias.reshape(-1, 1, 1), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Unfold dy as CONV unfolds x."""
        if self.bias and a.dbias is not None:
            xp.sum(a.dy, axis=(0, 2, 3), out=a.dbias)
        if a.dweight is None and a.dx is None:
            return
        x, weight = self._grouped(a.x), self._kernels(a.weight)
        axes = self.output_axes(*a.x.shape[2:])
        for some in chunks(len(x), len(a.windows)):
            windows = a.windows[: some.stop - some.start]  # (n, F, kh, kw, H, W)
            gather(a.dy[some], windows, *axes)
            flat = windows.reshape(len(windows), self.groups, -1, x.shape[3])  # (n, G, K, P)
            if a.dweight is not None:
                dweight = a.dweight.reshape(weight.shape[1:])  # (G, C/G, K)
                partial = a.partial.reshape(-1, *dweight.shape)  # (chunk, G, C/G, K)
                add_products(xp, x[some], flat, partial, dweight, some)
            if a.dx is not None:
                xp.matmul(weight, flat, out=self._grouped(a.dx)[some])

    def _grouped(self, x: Array) -> Array:
        """(N, C, H, W) as (N, G, C/G, P)."""
        return x.reshape(len(x), self.groups, -1, x.shape[2] * x.shape[3])

    def _kernels(self, weight: Array) -> Array:
        """(C, F/G, kh, kw) as (1, G, C/G, K)."""
        return weight.reshape(1, self.groups, len(weight) // self.groups, -1)

    samples = (
        ("DECONV(3)", (2, 4, 5)),
        ("DECONV(2, 3x2, stride=2x3, pad=(1, 0, 2, 1), outpad=1x2)", (3, 3, 4)),
        ("DECONV(4, 3, stride=2, dilation=3, outpad=2, groups=2)", (2, 3, 3)),
        ("DECONV(4, 2, stride=2, groups=2, bias=false)", (4, 3, 2)),
        ("DECONV(1, 1)", (3, 3, 3)),
    )


LAYERS = (Deconv,)
