"""One number a channel (or a unit of a vector): what layers that have them share."""

from __future__ import annotations

from math import isqrt

from ..values import show_shape
from .layer import Array, Layer, Misfit, Shape


def spread(vector: Array, x: Array) -> Array:
    """A vector (C,) in a shape that broadcasts over x (N, C, ...)."""
    return vector.reshape(-1, *(1,) * (x.ndim - 2))


def others(x: Array) -> tuple[int, ...]:
    """The axes of x (N, C, ...) that a number a channel is summed over."""
    return (0, *range(2, x.ndim))


def check_divides(layer: Layer, x: Shape, argument: str, code: str, at_least: int = 1) -> None:
    """Misfit where an argument does not divide the channels, with the nearest that do."""
    n, given = x[0], getattr(layer, argument)
    if n % given == 0:
        return
    low = [d for d in range(1, isqrt(n) + 1) if n % d == 0]
    fits = [d for d in {*low, *(n // d for d in low)} if d >= at_least]
    what = ("channel" if len(x) == 3 else "unit") + "s" * (n > 1)
    changes = [{argument: d} for d in sorted(sorted(fits, key=lambda d: abs(d - given))[:2])]
    fixes = []
    for change in changes:
        changed = layer.replace(**change)
        fixes.append(f"{changed.written()} gives {show_shape(changed.shape(x))}")
    raise Misfit(
        code,
        f"{layer.written()}: {argument}={given} does not divide {n} {what}",
        f"gets {show_shape(x)}",
        rule=f"{n} / {given} = {n / given:g}, and must be a whole number",
        fixes=fixes,
        changes=changes,
    )
