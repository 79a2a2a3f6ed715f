"""Changes elsewhere that would make a layer fit: each is tried out before it is named."""

from __future__ import annotations

from collections.abc import Mapping

from ..layers.conv import Conv
from ..layers.layer import Layer, Misfit
from ..net import NetLayer
from ..values import show_shape


def padding_before(layer: Layer, before: NetLayer, by_name: Mapping[str, NetLayer]) -> list[str]:
    """What padding the nearest convolution before a layer would give it, if that fits."""
    between: list[NetLayer] = []
    while not isinstance(before.layer, Conv):
        if len(before.inputs) != 1:
            return []
        between.append(before)
        before = by_name[before.inputs[0]]
    pad = max(before.layer.k) // 2
    changed = before.layer.replace(pad=pad)
    if pad == 0 or changed.pad == before.layer.pad:
        return []
    try:
        after = changed.shape(before.input_shapes[0])
        x = after
        for made in reversed(between):
            x = made.layer.shape(x)
        last = layer.shape(x)
    except Misfit:
        return []
    then = f"{layer.shown()} then gives {show_shape(last)}"
    return [f"{changed.shown()} before it gives {show_shape(after)}, and {then}"]
