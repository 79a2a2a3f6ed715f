"""Opening a run's folder again, for the commands that use what it learned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnc.runtime.compiled import Compiled


def open_run(folder: str) -> Compiled:
    """The trained net of a run: its spec compiled as for training, its weights loaded."""
    from cnnc.api import load
    from cnnc.compiler.elaborate.settings import WrongUse
    from cnnc.runtime.errors import RunError
    from cnnc.runtime.run import OPTIONS, load_weights, read_settings, read_spec

    net, settings = load(read_spec(folder)), read_settings(folder)
    try:
        compiled = net.compile(
            batch=settings.batch, seed=settings.seed, shards=settings.shards, loss=settings.loss
        )
    except WrongUse as wrong:  # of the file, not of the command
        raise RunError(f"{folder}/{OPTIONS}: {wrong.message}", wrong.help) from None
    load_weights(compiled, folder)
    return compiled


def json_number(value: float) -> float | None:
    """A number for JSON, which has no word for nan and infinity."""
    return float(value) if math.isfinite(value) else None
