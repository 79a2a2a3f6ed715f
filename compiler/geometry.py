"""The arithmetic of sliding windows, in one place for every layer that has one.

    out = floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1

With `ceil`, floor becomes ceiling and a last window that would start outside the input
plus the padding before it is dropped (Caffe's and PyTorch's convention). A first window that
is too long by less than a stride counts then, too.
"""

from __future__ import annotations

from functools import cached_property
from math import gcd

from cnnc.dsl.record import Record


class Axis(Record):
    """One axis of a sliding window. `before` and `after` are rows of padding."""

    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def reach(self) -> int:
        """How many rows one window covers, holes included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def room(self) -> int:
        """How far the first window can slide; below 0 where even that one does not fit."""
        room = self.size + self.before + self.after - self.reach
        return room + self.stride - 1 if self.ceil else room

    @cached_property
    def out(self) -> int:
        """How many windows fit; 0 where none does."""
        out = max(0, self.room // self.stride + 1)
        if not self.ceil:
            return out
        return out - 1 if (out - 1) * self.stride >= self.size + self.before else out

    @property
    def missed(self) -> int:
        """How many rows of the input at its end no window reaches (rows of padding do not count).

        Rows between a window and the next, where the stride is larger than the kernel, are
        skipped on purpose: what is missed starts where one more window would start.
        """
        if self.out < 1:
            return 0
        start = self.out * self.stride - self.before
        end = start - self.stride + self.reach
        return max(0, self.size - max(start, end, 0))

    def rows(self, tap: int) -> tuple[int, int, int]:
        """Where tap number `tap` of the kernel lies inside the input.

        Returns (first, last, row): the windows first … last-1 have it inside, and window
        `first` has it on input row `row`; the following windows step by `stride`.
        """
        shift = tap * self.dilation - self.before  # input row of window 0
        first = max(0, -(shift // self.stride))
        last = min(self.out, (self.size - 1 - shift) // self.stride + 1)
        return first, max(first, last), first * self.stride + shift

    def inside(self, window: int) -> int:
        """How many taps of a window lie inside the input."""
        start = window * self.stride - self.before
        return sum(0 <= start + t * self.dilation < self.size for t in range(self.kernel))

    def covered(self, window: int) -> int:
        """How many taps of a window lie inside the input or its padding (for ceil: not beyond)."""
        end = self.size + self.before + self.after
        start = window * self.stride
        return sum(start + t * self.dilation < end for t in range(self.kernel))


def transposed(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int, extra: int
) -> Axis:
    """The output of a transposed convolution: the axis whose windows are the rows of its input.

        out = (size - 1)*stride + dilation*(kernel - 1) + 1 - before - after + extra

    `before` and `after` are rows cropped, `extra` rows added behind: the windows end that much
    before the output's last row and what is cropped after it, so `after` may come out negative.
    """
    spread = (size - 1) * stride + dilation * (kernel - 1) + 1
    return Axis(spread - before - after + extra, kernel, stride, before, after - extra, dilation)


def overlap(kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """How many windows have a tap on one and the same row at most, and the step between them.

    Tap t of window w lies on row w*stride + t*dilation; from one that hits a row to the next,
    t changes by stride/gcd and w by dilation/gcd.
    """
    common = gcd(stride, dilation)
    return -(-kernel * common // stride), dilation // common


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Padding (before, after) that makes out = ceil(size / stride); the odd row comes after."""
    out = -(-size // stride)
    total = max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - size)
    return total // 2, total - total // 2
