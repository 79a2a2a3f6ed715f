"""Data layers take their statistics from the training set, before training starts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import SimpleNamespace

import numpy as np

from cnnc.compiler.layers.layer import Array, Unfit
from cnnc.compiler.net import NetLayer

from .compiled import Compiled
from .errors import RunError

CHUNK = 256  # samples at once


def fit_data_layers(compiled: Compiled, x: Array, keep: Collection[str] = ()) -> list[str]:
    """Fit every data layer on x (N, *input), each on what those before it make of it.

    keep   the names of layers that have their statistics already

    Returns the names of the layers that were fitted. RunError where x does not do for one.
    """
    done: list[NetLayer] = []
    for layer in compiled.net.layers:
        if layer.layer.family != "data":
            continue
        before = tuple(done)
        done.append(layer)
        if layer.name in keep:
            continue

        def batches(before: tuple[NetLayer, ...] = before) -> Iterator[Array]:
            for start in range(0, len(x), CHUNK):
                yield _prepared(compiled, before, x[start : start + CHUNK])

        try:
            statistics = layer.layer.fit(np, batches)
        except Unfit as unfit:
            raise RunError(f"{layer.name} cannot be fitted: {unfit}") from None
        for name, statistic in statistics.items():
            compiled.weights[f"{layer.stored}.{name}"] = np.asarray(statistic, compiled.dtype)
    return [layer.name for layer in done if layer.name not in keep]


def _prepared(compiled: Compiled, layers: tuple[NetLayer, ...], x: Array) -> Array:
    for layer in layers:
        y = np.empty((len(x), *layer.output), compiled.dtype)
        arrays = {w.name: compiled.weights[name] for name, w in layer.stored_weights()}
        for work in layer.layer.buffers(len(x), x.shape[1:]):  # numbers a sample, all of them
            arrays[work.name] = np.empty((len(x), *work.shape), compiled.dtype)
        layer.layer.forward(np, SimpleNamespace(x=x, y=y, **arrays))
        x = y
    return x
