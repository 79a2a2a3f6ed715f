"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arguments import arg, boolean, integer, padding, window
from ..geometry import Axis, same_padding
from ..values import show_shape
from .layer import Arrays, Field, Misfit, Shape, Weight, Weighted, Work
from .windows import check_fits, gather, missed_note, scatter

CHUNK = 1 << 18  # numbers of the unfolded windows that are worked on at once: they fit a cache


class Conv(Weighted):
    """Filters that slide over the input maps.

    Shapes    x (N, C, H, W)  ->  y (N, filters, H', W'), weight (filters, C/groups, kh, kw),
              bias (filters,);  H' = floor((H + pad_top + pad_bottom - dilation*(kh-1) - 1)
              / stride) + 1, W' likewise; pad=same makes H' = ceil(H/stride), the odd row of
              padding at the bottom or right; pad=valid is no padding
    Formula   y[f] = bias[f] + sum over c, i, j of weight[f, c, i, j] * x[c] at row
              stride*row + dilation*i - pad (zero outside); a cross-correlation, not flipped
    Gradient  dweight = dy correlated with x, dx = dy spread back through weight,
              dbias = sum of dy
    Errors    E301 no window fits; E302 the input is a vector; E303 groups divide neither
              the input's channels or the filters
    Source    LeCun et al. 1989; groups: Krizhevsky et al. 2012, section 3.2; dilation: Yu and
              Koltun 2016; sizes as PyTorch's Conv2d
    """

    kind = "CONV"
    by_place = ("filters", "k")
    later = ("table",)
    backward_reads = ("x", "weight")

    filters: int = arg(integer(at_least=1), "how many filters, the output's channels")
    k: tuple[int, int] = arg(window(), "kernel size", default=3)
    stride: tuple[int, int] = arg(window(), "step between windows", default=1)
    pad: tuple[int, int, int, int] | str = arg(
        padding("valid", "same"), "rows and columns of zeros around the input", default=0
    )
    dilation: tuple[int, int] = arg(window(), "step between the kernel's taps", default=1)
    groups: int = arg(integer(at_least=1), "parts of the channels that do not mix", default=1)
    bias: bool = arg(boolean(), "whether a bias is added", default=True)

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and the columns as sliding windows."""
        (kh, kw), (sh, sw), (dh, dw) = self.k, self.stride, self.dilation
        if self.pad == "same":
            top, bottom = same_padding(height, kh, sh, dh)
            left, right = same_padding(width, kw, sw, dw)
        elif isinstance(self.pad, str):
            top = bottom = left = right = 0
        else:
            top, bottom, left, right = self.pad
        return (
            Axis(height, kh, sh, top, bottom, dh),
            Axis(width, kw, sw, left, right, dw),
        )

    def shape(self, x: Shape) -> Shape:
        """(filters, H', W')."""
        channels, height, width = self.maps(x)
        for what, n in (("input's channels", channels), ("filters", self.filters)):
            if n % self.groups:
                fits = [g for g in range(1, n + 1) if n % g == 0]
                near = sorted(fits, key=lambda g: abs(g - self.groups))[:2]
                raise Misfit(
                    "E303",
                    f"{self.written()}: {self.groups} groups do not divide the {n} {what}",
                    f"gets {show_shape(x)}",
                    rule=f"{n} / {self.groups} = {n / self.groups:g}, and must be a whole number",
                    fixes=[f"groups={g} gives {n // g} a group" for g in sorted(near)],
                )
        rows, columns = self.axes(height, width)
        check_fits(self, x, rows, columns)
        return self.filters, rows.out, columns.out

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(filters, C/groups, kh, kw) and the bias."""
        kh, kw = self.k
        each = x[0] // self.groups
        weight = Weight(
            "weight", (self.filters, each, kh, kw), self.init,
            fan_in=each * kh * kw, fan_out=self.filters // self.groups * kh * kw,
            trainable=not self.freeze,
        )  # fmt: skip
        return (weight, self.bias_weight(self.filters)) if self.bias else (weight,)

    def macs(self, x: Shape) -> int:
        """Filters * (C/groups) * kh * kw * H' * W'."""
        _, height, width = self.shape(x)
        return self.filters * (x[0] // self.groups) * self.k[0] * self.k[1] * height * width

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """A window's."""
        return field.windowed(self.k, self.stride, self.dilation)

    def note(self, x: Shape) -> tuple[str, str] | None:
        """Rows and columns that no window reaches."""
        return missed_note(self, *self.axes(x[1], x[2]))

    @property
    def pointwise(self) -> bool:
        """Whether the windows are the pixels themselves, so that nothing needs unfolding."""
        return self.k == self.stride == (1, 1) and self.pad in ("valid", "same", (0, 0, 0, 0))

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Unfolded windows of a few samples, and their weight gradients before they are summed."""
        kh, kw = self.k
        _, height, width = self.shape(x)
        each = x[0] * kh * kw * height * width
        chunk = max(1, min(n, CHUNK // each))
        partial = Work(
            "partial", (chunk, self.filters, x[0] // self.groups * kh * kw),
            per_sample=False, use="backward",
        )  # fmt: skip
        if self.pointwise:
            return (partial,)
        unfolded = (chunk, x[0], kh, kw, height, width)
        return (Work("windows", unfolded, per_sample=False, use="both"), partial)

    def forward(self, xp: Any, a: Arrays) -> None:
        """Unfold, then one matrix product a sample and group."""
        n, g, f = len(a.x), self.groups, self.filters // self.groups
        weight = a.weight.reshape(1, g, f, -1)  # (1, G, F/G, K)
        y = a.y.reshape(n, g, f, -1)  # (N, G, F/G, P)
        for some in chunks(n, n if self.pointwise else len(a.windows)):
            xp.matmul(weight, self._unfold(a, some), out=y[some])
        if self.bias:
            xp.add(a.y, a.bias.reshape(-1, 1, 1), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Dweight sums dy times the windows; dx folds weight times dy back."""
        n, g, f = len(a.x), self.groups, self.filters // self.groups
        dy = a.dy.reshape(n, g, f, -1)  # (N, G, F/G, P)
        if a.dweight is not None:
            partial = a.partial.reshape(len(a.partial), g, f, -1)  # (chunk, G, F/G, K)
            dweight = a.dweight.reshape(g, f, -1)  # (G, F/G, K)
            for some in chunks(n, len(partial)):
                windows = self._unfold(a, some)  # (n, G, K, P)
                each = partial[: len(windows)]
                xp.matmul(dy[some], windows.swapaxes(2, 3), out=each)
                if some.start:
                    xp.add(each[0], dweight, out=each[0])
                xp.sum(each, axis=0, out=dweight)
        if self.bias and a.dbias is not None:
            xp.sum(a.dy, axis=(0, 2, 3), out=a.dbias)
        if a.dx is not None:
            weight = a.weight.reshape(1, g, f, -1).swapaxes(2, 3)  # (1, G, K, F/G)
            if self.pointwise:
                xp.matmul(weight, dy, out=a.dx.reshape(n, g, -1, dy.shape[3]))
                return
            axes = self.axes(*a.x.shape[2:])
            for some in chunks(n, len(a.windows)):
                windows = a.windows[: some.stop - some.start]  # (n, C, kh, kw, H', W')
                flat = windows.reshape(len(windows), g, -1, dy.shape[3])  # (n, G, K, P)
                xp.matmul(weight, dy[some], out=flat)
                scatter(windows, a.dx[some], *axes)

    def _unfold(self, a: Arrays, some: slice) -> Any:
        """The windows of some samples, (n, G, C/G*kh*kw, H'*W')."""
        x = a.x[some]  # (n, C, H, W)
        if self.pointwise:
            return x.reshape(len(x), self.groups, -1, x.shape[2] * x.shape[3])
        windows = a.windows[: len(x)]  # (n, C, kh, kw, H', W')
        gather(x, windows, *self.axes(*x.shape[2:]))
        return windows.reshape(len(x), self.groups, -1, windows.shape[4] * windows.shape[5])

    samples = (
        ("CONV(4, 3)", (3, 7, 7)),
        ("CONV(2, 3, pad=1)", (2, 5, 6)),
        ("CONV(3, 2x3, stride=2x1, pad=(1, 0, 2, 1))", (2, 6, 7)),
        ("CONV(4, 3, stride=2, pad=same)", (3, 7, 8)),
        ("CONV(4, 3, dilation=2, pad=2, groups=2)", (4, 7, 7)),
        ("CONV(5, 1, bias=false)", (3, 4, 4)),
        ("CONV(2, 5, stride=3)", (1, 12, 11)),
    )


def chunks(n: int, step: int) -> Iterator[slice]:
    """0 … n in runs of `step`."""
    for i in range(0, n, step):
        yield slice(i, min(n, i + step))


LAYERS = (Conv,)
