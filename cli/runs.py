"""Opening a run's folder again, for the commands that use what it learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnc.runtime.compiled import Compiled


def open_run(folder: str) -> Compiled:
    """The trained net of a run: its spec compiled, its weights loaded."""
    from cnnc.api import load
    from cnnc.runtime.run import load_weights, read_loss, read_spec

    compiled = load(read_spec(folder)).compile(loss=read_loss(folder))
    load_weights(compiled, folder)
    return compiled
