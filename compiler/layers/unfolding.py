"""Convolution as a matrix product with unfolded windows: what CONV, DWCONV and DECONV share."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any, ClassVar

from ..geometry import Axis
from ..values import show_shape
from .layer import Array, Arrays, Field, Layer, Misfit, Shape, Weight, Weighted, Work
from .windows import Padding, check_fits, gather, missed_note, scatter, sliding, tried

CHUNK = 1 << 18  # numbers of the unfolded windows that are worked on at once: they fit a cache


class Unfolding(Weighted):
    """The base of CONV and DWCONV: filters that slide over groups of the input's channels."""

    backward_reads: ClassVar[tuple[str, ...]] = ("x", "weight")

    k: tuple[int, int]
    stride: tuple[int, int]
    pad: Padding
    dilation: tuple[int, int]
    bias: bool

    def split(self, channels: int) -> tuple[int, int]:
        """How many groups the channels make, and how many filters each group has."""
        raise NotImplementedError

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The rows and the columns as sliding windows."""
        return sliding(height, width, self.k, self.stride, self.pad, self.dilation)

    def shape(self, x: Shape) -> Shape:
        """(filters, H', W')."""
        channels, height, width = self.maps(x)
        rows, columns = self.axes(height, width)
        check_fits(self, x, rows, columns)
        groups, filters = self.split(channels)
        return groups * filters, rows.out, columns.out

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(filters, C/groups, kh, kw) and the bias."""
        kh, kw = self.k
        groups, filters = self.split(x[0])
        each = x[0] // groups
        weight = Weight(
            "weight", (groups * filters, each, kh, kw), self.init,
            fan_in=each * kh * kw, fan_out=filters * kh * kw, trainable=not self.freeze,
        )  # fmt: skip
        return (weight, self.bias_weight(groups * filters)) if self.bias else (weight,)

    def macs(self, x: Shape) -> int:
        """Filters * (C/groups) * kh * kw * H' * W'."""
        _, height, width = self.shape(x)
        return self.weights(x)[0].size * height * width

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
        filters, height, width = self.shape(x)
        chunk = max(1, min(n, CHUNK // (x[0] * kh * kw * height * width)))
        groups, _ = self.split(x[0])
        partial = Work(
            "partial", (chunk, filters, x[0] // groups * kh * kw), per_sample=False, use="backward"
        )
        if self.pointwise:
            return (partial,)
        unfolded = (chunk, x[0], kh, kw, height, width)
        return (Work("windows", unfolded, per_sample=False, use="both"), partial)

    def dense(self, xp: Any, a: Arrays) -> Array:
        """The weight as (filters, C/groups, kh, kw)."""
        return a.weight

    def forward(self, xp: Any, a: Arrays) -> None:
        """Unfold, then one matrix product a sample and group."""
        n = len(a.x)
        g, f = self.split(a.x.shape[1])
        weight = self.dense(xp, a).reshape(1, g, f, -1)  # (1, G, F/G, K)
        y = a.y.reshape(n, g, f, -1)  # (N, G, F/G, P)
        for some in chunks(n, n if self.pointwise else len(a.windows)):
            xp.matmul(weight, self._unfold(a, some, g), out=y[some])
        if self.bias:
            xp.add(a.y, a.bias.reshape(-1, 1, 1), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Dweight sums dy times the windows; dx folds weight times dy back."""
        if a.dweight is not None:
            self.gradient(xp, a, a.dweight)
        if self.bias and a.dbias is not None:
            xp.sum(a.dy, axis=(0, 2, 3), out=a.dbias)
        if a.dx is None:
            return
        n = len(a.x)
        g, f = self.split(a.x.shape[1])
        dy = a.dy.reshape(n, g, f, -1)  # (N, G, F/G, P)
        weight = self.dense(xp, a).reshape(1, g, f, -1).swapaxes(2, 3)  # (1, G, K, F/G)
        if self.pointwise:
            spread(xp, weight, dy, a.dx.reshape(n, g, -1, dy.shape[3]))
            return
        axes = self.axes(*a.x.shape[2:])
        for some in chunks(n, len(a.windows)):
            windows = a.windows[: some.stop - some.start]  # (n, C, kh, kw, H', W')
            flat = windows.reshape(len(windows), g, -1, dy.shape[3])  # (n, G, K, P)
            spread(xp, weight, dy[some], flat)
            scatter(windows, a.dx[some], *axes)

    def gradient(self, xp: Any, a: Arrays, into: Array) -> None:
        """Write that of the dense weight."""
        g, f = self.split(a.x.shape[1])
        dy = a.dy.reshape(len(a.x), g, f, -1)  # (N, G, F/G, P)
        partial = a.partial.reshape(len(a.partial), g, f, -1)  # (chunk, G, F/G, K)
        for some in chunks(len(a.x), len(partial)):
            windows = self._unfold(a, some, g)  # (n, G, K, P)
            add_products(xp, dy[some], windows, partial, into.reshape(partial.shape[1:]), some)

    def _unfold(self, a: Arrays, some: slice, groups: int) -> Array:
        """The windows of some samples, (n, G, C/G*kh*kw, H'*W')."""
        x = a.x[some]  # (n, C, H, W)
        if self.pointwise:
            return x.reshape(len(x), groups, -1, x.shape[2] * x.shape[3])
        windows = a.windows[: len(x)]  # (n, C, kh, kw, H', W')
        gather(x, windows, *self.axes(*x.shape[2:]))
        return windows.reshape(len(x), groups, -1, windows.shape[4] * windows.shape[5])


def chunks(n: int, step: int) -> Iterator[slice]:
    """0 … n in runs of `step`."""
    for i in range(0, n, step):
        yield slice(i, min(n, i + step))


def spread(xp: Any, weight: Array, dy: Array, out: Array) -> None:
    """Out (n, G, K, P) = weight (1, G, K, F) @ dy (n, G, F, P)."""
    if dy.shape[2] == 1:  # several times as fast: BLAS is slow at products with no sum in them
        xp.multiply(weight, dy, out=out)
    else:
        xp.matmul(weight, dy, out=out)


def add_products(
    xp: Any, left: Array, windows: Array, partial: Array, into: Array, some: slice
) -> None:
    """Add left (n, G, A, P) times windows (n, G, K, P), summed over samples and P, to `into`.

    into     (G, A, K)         written anew by the first samples
    partial  (chunk, G, A, K)  work space
    """
    each = partial[: len(windows)]
    xp.matmul(left, windows.swapaxes(2, 3), out=each)
    if some.start:
        xp.add(each[0], into, out=each[0])
    xp.sum(each, axis=0, out=into)


def check_groups(layer: Layer, x: Shape, groups: int, filters: int) -> None:
    """Misfit where the groups do not divide the input's channels and the filters."""
    for what, n in (("the input's {} channels", x[0]), ("the {} filters", filters)):
        if n % groups:
            changes = _near_groups(x[0], groups, filters)
            raise Misfit(
                "E303",
                f"{layer.shown()}: {groups} groups do not divide {what.format(n)}",
                f"gets {show_shape(x)}",
                rule=f"{n} / {groups} = {n / groups:g}, and must be a whole number",
                fixes=tried(layer, x, changes),
                changes=changes,
            )


def _near_groups(channels: int, groups: int, filters: int) -> list[dict[str, object]]:
    """The nearest numbers of groups that divide the channels, with filters that they divide."""
    small = [g for g in range(1, isqrt(channels) + 1) if channels % g == 0]
    divisors = sorted({*small, *(channels // g for g in small)}, key=lambda g: abs(g - groups))
    changes: list[dict[str, object]] = []
    for g in divisors[:2]:
        for f in sorted({max(1, filters // g) * g, -(-filters // g) * g}):
            change = {"groups": g, "filters": f}
            given = {"groups": groups, "filters": filters}
            changes.append({name: n for name, n in change.items() if n != given[name]})
    return changes
