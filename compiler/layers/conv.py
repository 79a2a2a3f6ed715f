"""Convolutions."""

from __future__ import annotations

from typing import Any

from ..arguments import BadValue, arg, boolean, integer, padding, window
from ..values import show_shape
from .layer import Array, Arrays, Misfit, Shape, Weight, Work
from .tables import lists_of_integers, or_none
from .unfolding import Unfolding, check_groups
from .windows import Padding, tried

CONNECTIONS = lists_of_integers(
    "a list of lists of input channels, counted from 0, one list a filter, none empty and in"
    " none a channel twice",
    lambda row: min(row) >= 0 and len({*row}) == len(row),
)


class Conv(Unfolding):
    """Filters that slide over the input maps.

    Shapes    x (N, C, H, W)  ->  y (N, filters, H', W'), weight (filters, C/groups, kh, kw),
              bias (filters,);  H' = floor((H + pad_top + pad_bottom - dilation*(kh-1) - 1)
              / stride) + 1, W' likewise; pad=same makes H' = ceil(H/stride), the odd row of
              padding at the bottom or right; pad=valid is no padding. With a table: weight
              (connections, kh, kw), one kernel for each channel that the table names, in its
              order
    Formula   y[f] = bias[f] + sum over c, i, j of weight[f, c, i, j] * x[c] at row
              stride*row + dilation*i - pad (zero outside); a cross-correlation, not flipped.
              With a table: c runs over the channels in the filter's list
    Gradient  dweight = dy correlated with x, dx = dy spread back through weight,
              dbias = sum of dy
    Errors    E301 no window fits; E302 the input is a vector; E303 groups do not divide the
              input's channels or the filters; E306 a table with another number of lists than
              filters, or with channels that the input does not have
    Source    LeCun et al. 1989; groups: Krizhevsky et al. 2012, section 3.2; dilation: Yu and
              Koltun 2016; table: LeCun et al. 1998, table I; sizes as PyTorch's Conv2d
    """

    kind = "CONV"
    by_place = ("filters", "k")

    filters: int = arg(integer(at_least=1), "how many filters, the output's channels")
    k: tuple[int, int] = arg(window(), "kernel size", default=3)
    stride: tuple[int, int] = arg(window(), "step between windows", default=1)
    pad: Padding = arg(
        padding("valid", "same"), "rows and columns of zeros around the input", default=0
    )
    dilation: tuple[int, int] = arg(window(), "step between the kernel's taps", default=1)
    groups: int = arg(integer(at_least=1), "parts of the channels that do not mix", default=1)
    bias: bool = arg(boolean(), "whether a bias is added", default=True)
    table: tuple[tuple[int, ...], ...] | None = arg(
        or_none(CONNECTIONS), "which channels each filter sees; none is all", default=None
    )

    def check(self) -> None:
        """A table says already what groups say."""
        if self.table is not None and self.groups > 1:
            raise BadValue("groups or a table, not both")

    def split(self, channels: int) -> tuple[int, int]:
        """As given."""
        return self.groups, self.filters // self.groups

    def shape(self, x: Shape) -> Shape:
        """(filters, H', W')."""
        self.maps(x)
        check_groups(self, x, self.groups, self.filters)
        y = super().shape(x)
        if self.table is not None:
            self._check_table(x, self.table)
        return y

    def _check_table(self, x: Shape, table: tuple[tuple[int, ...], ...]) -> None:
        if len(table) != self.filters:
            raise Misfit(
                "E306",
                f"the table has {len(table)} lists, and {self.shown()} has {self.filters} filters",
                f"{self.filters} filters and {len(table)} lists",
                rule="the table has one list a filter",
                fixes=tried(self, x, [{"filters": len(table)}, {"table": None}]),
            )
        highest, channels = max(map(max, table)), x[0]
        if highest < channels:
            return
        from_1 = [[c - 1 for c in row] for row in table]
        changes: list[dict[str, object]] = [{"table": None}]
        if min(map(min, from_1)) == 0 and highest == channels:
            changes.insert(0, {"table": from_1})
        fixes = tried(self, x, changes)
        if len(changes) > 1:
            fixes[0] = f"count the channels from 0, not from 1: {fixes[0]}"
        more = (highest + 1, *x[1:])
        fixes.append(f"an input of {show_shape(more)} gives {show_shape(self.shape(more))}")
        raise Misfit(
            "E306",
            f"the table names channel {highest}, and the input has {channels}, from 0 to"
            f" {channels - 1}",
            f"gets {show_shape(x)}",
            rule=f"channels count from 0: {highest} < {channels} does not hold",
            fixes=fixes,
        )

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(filters, C/groups, kh, kw), or (connections, kh, kw), and the bias."""
        weight, *bias = super().weights(x)
        if self.table is not None:
            kernels, (kh, kw) = sum(map(len, self.table)), self.k
            weight = Weight(
                "weight", (kernels, kh, kw), self.init, trainable=not self.freeze,
                fan_in=max(1, kernels * kh * kw // self.filters),  # those of a mean filter
                fan_out=max(1, kernels * kh * kw // x[0]),
            )  # fmt: skip
        return (weight, *bias)

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """The formula of the weights."""
        formula, numbers = "filters*(C/groups)", f"{self.filters}*({xs[0][0]}/{self.groups})"
        if self.table is not None:
            formula, numbers = "connections", str(sum(map(len, self.table)))
        formula, numbers = f"{formula}*kh*kw", f"{numbers}*{self.k[0]}*{self.k[1]}"
        if self.bias:
            formula, numbers = f"{formula} + filters", f"{numbers} + {self.filters}"
        return {"output": "a map a filter", "weights": f"{formula} = {numbers}"}

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """With a table also the dense weight, its gradient, and where the kernels go in it."""
        works = super().buffers(n, x)
        if self.table is None:
            return works
        dense = (self.filters, x[0], *self.k)
        places = [f * x[0] + c for f, row in enumerate(self.table) for c in row]
        return (
            *works,
            Work("places", (len(places),), "int64", False, "constant", places),
            Work("filled", dense, "float", False, "both"),
            Work("dfilled", dense, "float", False, "backward"),
        )

    def dense(self, xp: Any, a: Arrays) -> Array:
        """The weight as (filters, C/groups, kh, kw): zero where a table connects nothing."""
        if self.table is None:
            return a.weight
        a.filled.fill(0)
        kernels = a.filled.reshape(-1, *self.k)  # (filters*C, kh, kw)
        kernels[a.places] = a.weight
        return a.filled

    def gradient(self, xp: Any, a: Arrays, into: Array) -> None:
        """Of a dense weight's only the connected kernels' is wanted."""
        if self.table is None:
            super().gradient(xp, a, into)
            return
        super().gradient(xp, a, a.dfilled)
        xp.copyto(into, a.dfilled.reshape(-1, *self.k)[a.places])

    samples = (
        ("CONV(4, 3)", (3, 7, 7)),
        ("CONV(2, 3, pad=1)", (2, 5, 6)),
        ("CONV(3, 2x3, stride=2x1, pad=(1, 0, 2, 1))", (2, 6, 7)),
        ("CONV(4, 3, stride=2, pad=same)", (3, 7, 8)),
        ("CONV(4, 3, dilation=2, pad=2, groups=2)", (4, 7, 7)),
        ("CONV(5, 1, bias=false)", (3, 4, 4)),
        ("CONV(2, 5, stride=3)", (1, 12, 11)),
        ("CONV(3, 2, table=[[0, 1], [2], [3, 0, 2]])", (4, 4, 5)),
        ("CONV(2, 1, bias=false, table=[[1], [1, 0]])", (2, 3, 3)),
    )


LAYERS = (Conv,)
