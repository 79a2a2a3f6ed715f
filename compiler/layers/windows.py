"""Sliding windows over maps: what all layers that have windows share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from cnnc.dsl.record import Record

from ..geometry import Axis, same_padding
from ..values import show_shape
from .layer import Array, Layer, Misfit, Shape

Pair = tuple[int, int]
Padding = tuple[int, int, int, int] | str  # top, bottom, left, right, or a word


def sliding(
    height: int, width: int, k: Pair, stride: Pair, pad: Padding, dilation: Pair = (1, 1)
) -> tuple[Axis, Axis]:
    """The rows and the columns of maps as axes that a window slides over."""
    if pad == "same":
        top, bottom = same_padding(height, k[0], stride[0], dilation[0])
        left, right = same_padding(width, k[1], stride[1], dilation[1])
    else:
        top, bottom, left, right = (0, 0, 0, 0) if isinstance(pad, str) else pad
    return (
        Axis(height, k[0], stride[0], top, bottom, dilation[0]),
        Axis(width, k[1], stride[1], left, right, dilation[1]),
    )


class Tap(Record):
    """One tap (i, j) of a kernel: which outputs have it inside the input, and where there."""

    i: int
    j: int
    out: tuple[Any, ...]  # of (N, C, Ho, Wo)
    input: tuple[Any, ...]  # of (N, C, H, W)


@cache
def taps(rows: Axis, columns: Axis) -> tuple[Tap, ...]:
    """The taps of a window, in scan order, without those that never lie inside the input."""
    found = []
    for i in range(rows.kernel):
        top, bottom, y = rows.rows(i)
        for j in range(columns.kernel):
            left, right, x = columns.rows(j)
            if top < bottom and left < right:
                out = (..., slice(top, bottom), slice(left, right))
                y_end = y + (bottom - top - 1) * rows.stride + 1
                x_end = x + (right - left - 1) * columns.stride + 1
                at = (..., slice(y, y_end, rows.stride), slice(x, x_end, columns.stride))
                found.append(Tap(i, j, out, at))
    return tuple(found)


def gather(x: Array, into: Array, rows: Axis, columns: Axis) -> None:
    """Lay the windows of x (N, C, H, W) out as into (N, C, kh, kw, Ho, Wo); padding is zero."""
    if rows.before or rows.after or columns.before or columns.after:
        into.fill(0)
    for tap in taps(rows, columns):
        into[:, :, tap.i, tap.j][tap.out] = x[tap.input]


def scatter(windows: Array, into: Array, rows: Axis, columns: Axis) -> None:
    """The reverse: add each window's entries to where they came from, into (N, C, H, W)."""
    into.fill(0)
    for tap in taps(rows, columns):
        into[tap.input] += windows[:, :, tap.i, tap.j][tap.out]


def check_fits(layer: Layer, x: Shape, rows: Axis, columns: Axis) -> None:
    """Misfit where no window fits: the rule with the numbers filled in, and what would fit."""
    bad = rows if rows.out < 1 else columns
    if bad.out >= 1:
        return
    height, width = x[1], x[2]
    need = tuple(max(1, axis.size - axis.room) for axis in (rows, columns))
    changes = _changes(layer, rows, columns)
    fixes = tried(layer, x, changes)
    if "filters" not in layer.arguments and {rows.size, columns.size} == {1}:
        fixes.insert(0, f"leave it out: the shape stays {show_shape(x)}")
    raise Misfit(
        "E301",
        f"{layer.shown()} does not fit: its input is {height}x{width}",
        f"needs at least {need[0]}x{need[1]}, gets {show_shape(x)}",
        rule=rule(bad),
        fixes=fixes,
        changes=changes,
    )


def rule(axis: Axis) -> str:
    """The output size's rule with an axis's numbers filled in."""
    a = axis
    how = "ceil" if a.ceil else "floor"
    pads = f"2*{a.before}" if a.before == a.after else f"{a.before} + {a.after}"
    names = "2*pad" if a.before == a.after else "pad_begin + pad_end"
    room = a.size + a.before + a.after - a.reach
    value = (-(-room // a.stride) if a.ceil else room // a.stride) + 1
    if a.dilation == 1:
        return (
            f"out = {how}((in + {names} - k)/stride) + 1"
            f" = {how}(({a.size} + {pads} - {a.kernel})/{a.stride}) + 1 = {value}"
        )
    return (
        f"out = {how}((in + {names} - dilation*(k - 1) - 1)/stride) + 1"
        f" = {how}(({a.size} + {pads} - {a.dilation}*({a.kernel} - 1) - 1)/{a.stride}) + 1"
        f" = {value}"
    )


def _changes(layer: Layer, rows: Axis, columns: Axis) -> list[dict[str, object]]:
    """Changes of this layer alone that may make it fit."""
    changes: list[dict[str, object]] = []

    def largest(a: Axis) -> int:
        return min(a.kernel, (a.size + a.before + a.after - 1) // a.dilation + 1)

    smaller = (largest(rows), largest(columns))
    if "filters" in layer.arguments or smaller != (1, 1):  # a pooling of 1 does nothing
        changes.append({"k": smaller[0] if smaller[0] == smaller[1] else smaller})
    short = max(a.reach - a.size for a in (rows, columns))
    changes.append({"pad": -(-short // 2)})
    if max(rows.dilation, columns.dilation) > 1:
        changes.append({"dilation": 1})
    return changes


def tried(layer: Layer, x: Shape, candidates: Iterable[dict[str, object]]) -> list[str]:
    """Those changes of a layer's arguments that make it fit, with the size that each gives."""
    found = []
    for change in candidates:
        if not change.keys() <= layer.arguments.keys():
            continue
        try:
            changed = layer.replace(**change)
            found.append(f"{changed.shown()} gives {show_shape(changed.shape(x))}")
        except (Misfit, ValueError):
            continue
    return found


def missed_note(layer: Layer, rows: Axis, columns: Axis) -> tuple[str, str] | None:
    """A note where a stride never reaches the last rows or columns."""
    if not (rows.missed or columns.missed):
        return None
    parts = [
        f"the last {a.missed} of {a.size} {what}"
        for a, what in ((rows, "rows"), (columns, "columns"))
        if a.missed
    ]
    message = f"{layer.shown()} never reaches {' and '.join(parts)}"
    if "pad" not in layer.arguments:
        sizes = show_shape([a.size - a.missed for a in (rows, columns)])
        return message, f"maps of {sizes} have nothing left over"
    needed = (_reaching(rows), _reaching(columns))
    pads = (rows.before, needed[0], columns.before, needed[1])
    even = len({*pads}) == 1
    pad = str(pads[0]) if even else f"({pads[0]}, {pads[1]}, {pads[2]}, {pads[3]})"
    return (
        message,
        f"pad={pad} reaches them (top, bottom, left, right)" if not even
        else f"pad={pad} reaches them",
    )  # fmt: skip


def _reaching(axis: Axis) -> int:
    """How much padding after the end makes the last window reach the last row."""
    if not axis.missed:
        return axis.after
    return axis.out * axis.stride + axis.reach - axis.before - axis.size
