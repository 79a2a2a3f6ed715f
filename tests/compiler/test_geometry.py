"""The window rule against counting positions one by one, and against PyTorch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType

import pytest

from cnnc.compiler.geometry import Axis, overlap, same_padding, transposed


def random_axes(count: int, seed: int) -> Iterator[Axis]:
    draw = random.Random(seed)
    for _ in range(count):
        yield Axis(
            size=draw.randint(1, 14),
            kernel=draw.randint(1, 6),
            stride=draw.randint(1, 5),
            before=draw.choice((0, 0, 1, 2, 3, 7)),
            after=draw.choice((0, 0, 1, 2, 3, 7)),
            dilation=draw.choice((1, 1, 1, 2, 3)),
            ceil=draw.random() < 0.4,
        )


AXES = list(random_axes(10_000, seed=1))


def touched(axis: Axis, window: int) -> list[int]:
    """The input rows that the taps of a window lie on; rows of padding are below 0 or too large."""
    start = window * axis.stride - axis.before
    return [start + tap * axis.dilation for tap in range(axis.kernel)]


def count_windows(axis: Axis) -> int:
    """Windows placed one after the other until one leaves the input and its padding."""
    end = axis.size + axis.after
    windows = 0
    while touched(axis, windows)[-1] < end:
        windows += 1
    if not axis.ceil:
        return windows
    # One window more, where rows are left over behind the last, or where the first is already
    # too long by less than a stride. The last goes if it starts behind the input.
    last_end = touched(axis, windows)[-1] + 1 - axis.stride
    windows += last_end < end
    starts_behind = windows > 0 and touched(axis, windows - 1)[0] >= axis.size
    return windows - starts_behind


def test_out_counts_the_windows() -> None:
    for axis in AXES:
        assert max(axis.out, 0) == count_windows(axis), axis


def test_rows_names_the_windows_that_have_a_tap_inside() -> None:
    for axis in AXES:
        for tap in range(axis.kernel):
            first, last, row = axis.rows(tap)
            rows = [touched(axis, window)[tap] for window in range(axis.out)]
            inside = [window for window, r in enumerate(rows) if 0 <= r < axis.size]
            assert list(range(first, last)) == inside, (axis, tap)
            if inside:
                assert row == rows[first], (axis, tap)


def test_missed_counts_the_rows_that_one_more_window_would_reach() -> None:
    for axis in AXES:
        last = [touched(axis, window)[-1] for window in range(axis.out)]
        one_more = touched(axis, axis.out)[0]
        missed = [row for row in range(axis.size) if row >= one_more and row > max(last, default=0)]
        assert axis.missed == (len(missed) if last else 0), axis


def test_inside_and_covered_count_taps() -> None:
    for axis in AXES:
        for window in range(axis.out):
            rows = touched(axis, window)
            assert axis.inside(window) == sum(0 <= r < axis.size for r in rows), axis
            padded = range(-axis.before, axis.size + axis.after)
            assert axis.covered(window) == sum(r in padded for r in rows), axis


def test_the_kinds_of_axes_all_occur() -> None:
    """The tests above would prove little on axes that are all alike."""
    assert sum(axis.out < 1 for axis in AXES) > 100
    assert sum(axis.missed > 0 for axis in AXES) > 500
    assert sum(axis.out > 1 and axis.out != Axis(**{**vars_of(axis), "ceil": False}).out
               for axis in AXES if axis.ceil) > 200  # fmt: skip
    assert sum(any(not axis.inside(w) for w in range(axis.out)) for axis in AXES) > 500


def vars_of(axis: Axis) -> dict[str, int]:
    return {name: getattr(axis, name) for name in Axis.__match_args__}


def test_same_padding_divides_the_size_by_the_stride() -> None:
    draw = random.Random(2)
    for _ in range(10_000):
        size, kernel = draw.randint(1, 30), draw.randint(1, 7)
        stride, dilation = draw.randint(1, 6), draw.randint(1, 3)
        before, after = same_padding(size, kernel, stride, dilation)
        axis = Axis(size, kernel, stride, before, after, dilation)
        assert axis.out == -(-size // stride), axis
        assert before <= after <= before + 1, axis
        if before + after:  # no more than is needed
            assert Axis(size, kernel, stride, before, after - 1, dilation).out < axis.out, axis


def random_transposed(count: int, seed: int) -> Iterator[dict[str, int]]:
    draw = random.Random(seed)
    for _ in range(count):
        stride, dilation = draw.randint(1, 5), draw.choice((1, 1, 2, 3, 4))
        yield {
            "size": draw.randint(1, 9), "kernel": draw.randint(1, 6), "stride": stride,
            "before": draw.choice((0, 0, 1, 2, 5)), "after": draw.choice((0, 0, 1, 3)),
            "dilation": dilation, "extra": draw.randint(0, max(stride, dilation) - 1),
        }  # fmt: skip


def test_transposed_lays_the_taps_of_each_input_row_over_the_output() -> None:
    fits = 0
    for a in random_transposed(5_000, seed=5):
        axis = transposed(**a)
        hit = [
            [row * a["stride"] + tap * a["dilation"] for tap in range(a["kernel"])]
            for row in range(a["size"])
        ]  # before cropping
        rows = range(a["before"], hit[-1][-1] + 1 + a["extra"] - a["after"])
        assert axis.size == rows.stop - rows.start, a
        if axis.size < 1:
            continue
        fits += 1
        assert axis.out == a["size"], a
        for tap in range(a["kernel"]):
            first, last, row = axis.rows(tap)
            inside = [i for i, taps in enumerate(hit) if taps[tap] in rows]
            assert list(range(first, last)) == inside, (a, tap)
            if inside:
                assert row == hit[first][tap] - a["before"], (a, tap)
    assert 3_000 < fits < 4_990


def test_overlap_counts_the_input_rows_that_hit_one_output_row() -> None:
    for kernel in range(1, 8):
        for stride in range(1, 7):
            for dilation in range(1, 7):
                most, step = overlap(kernel, stride, dilation)
                hits: dict[int, list[int]] = {}
                for window in range(100):
                    for tap in range(kernel):
                        hits.setdefault(window * stride + tap * dilation, []).append(window)
                assert most == max(map(len, hits.values()))
                steps = {b - a for w in hits.values() for a, b in pairwise(w)}
                assert steps <= {step} and (most == 1 or steps)


@pytest.mark.parity
def test_conv_transpose2d_has_the_same_size(torch: ModuleType) -> None:
    tried = 0
    for a in random_transposed(2_000, seed=6):
        axis = transposed(**a)
        if a["before"] != a["after"] or axis.size < 1:
            continue
        tried += 1
        y = torch.nn.functional.conv_transpose2d(
            torch.zeros(1, 1, a["size"], 1), torch.zeros(1, 1, a["kernel"], 1),
            stride=(a["stride"], 1), padding=(a["before"], 0), dilation=(a["dilation"], 1),
            output_padding=(a["extra"], 0),
        )  # fmt: skip
        assert y.shape[2] == axis.size, a
    assert tried > 300


@pytest.mark.parity
def test_conv2d_has_the_same_size(torch: ModuleType) -> None:
    tried = 0
    for axis in random_axes(4_000, seed=3):
        if axis.before != axis.after or axis.ceil:
            continue
        tried += 1
        x, weight = torch.zeros(1, 1, axis.size, 1), torch.zeros(1, 1, axis.kernel, 1)

        def out(axis: Axis = axis, x: object = x, weight: object = weight) -> int:
            y = torch.nn.functional.conv2d(
                x, weight, stride=(axis.stride, 1), padding=(axis.before, 0),
                dilation=(axis.dilation, 1),
            )  # fmt: skip
            return int(y.shape[2])

        if axis.out < 1:
            with pytest.raises(RuntimeError, match="size"):
                out()
        else:
            assert out() == axis.out, axis
    assert tried > 300


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["max", "avg"])
def test_pooling_has_the_same_size(torch: ModuleType, mode: str) -> None:
    pool = getattr(torch.nn.functional, f"{mode}_pool2d")
    tried = 0
    for axis in random_axes(4_000, seed=4):
        # What PyTorch has not: padding of more than half a window, holes in an average.
        if axis.before != axis.after or axis.before > axis.kernel // 2 or axis.dilation > 1:
            continue
        tried += 1
        arguments = ((axis.kernel, 1), (axis.stride, 1), (axis.before, 0))
        x = torch.zeros(1, 1, axis.size, 1)
        if axis.out < 1:
            with pytest.raises(RuntimeError, match="too small"):
                pool(x, *arguments, ceil_mode=axis.ceil)
        else:
            assert pool(x, *arguments, ceil_mode=axis.ceil).shape[2] == axis.out, axis
    assert tried > 300
