"""The registry: which layers there are. Adding a layer is adding its class to its family."""

from __future__ import annotations

from . import (
    activation,
    conv,
    data,
    dense,
    depthwise,
    distance,
    dropout,
    local,
    merge,
    pool,
    shape,
    subsample,
    transposed,
    unpool,
    upsample,
)
from .layer import Layer

FAMILIES = (
    data, conv, depthwise, local, transposed, pool, subsample, upsample, dense, distance,
    activation, dropout, shape, merge, unpool,
)  # fmt: skip

LAYERS: dict[str, type[Layer]] = {
    layer.word: layer for family in FAMILIES for layer in family.LAYERS
}

# What the language has and this version does not: refused by name, never ignored.
NOT_BUILT_YET = (
    "PCA", "WHITEN", "GLOBALPOOL",
    "PRELU", "ELU", "RELU6", "GELU", "SILU", "SOFTPLUS", "MAXOUT", "LRN", "BN", "LN", "GN",
    "DROPOUT2D", "RESHAPE",
)  # fmt: skip
