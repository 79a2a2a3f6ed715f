"""The registry: which layers there are. Adding a layer is adding its class to its family."""

from __future__ import annotations

from . import (
    activation,
    batchnorm,
    conv,
    data,
    dense,
    depthwise,
    distance,
    dropout,
    local,
    maxout,
    merge,
    norm,
    pool,
    rectifier,
    shape,
    smooth,
    subsample,
    transposed,
    unpool,
    upsample,
    whitening,
)
from .layer import Layer

FAMILIES = (
    data, whitening, conv, depthwise, local, transposed, pool, subsample, upsample, dense,
    distance, activation, rectifier, smooth, maxout, norm, batchnorm, dropout, shape, merge, unpool,
)  # fmt: skip

LAYERS: dict[str, type[Layer]] = {
    layer.word: layer for family in FAMILIES for layer in family.LAYERS
}
