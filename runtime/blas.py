"""BLAS is held to one thread while parts run: the parts are the parallelism.

NumPy's wheels carry an OpenBLAS whose number of threads is set through its C interface. Where
NumPy was built on another BLAS, its own environment variables say how many threads it takes.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PREFIXES = ("scipy_openblas", "openblas")
SUFFIXES = ("64_", "")


@cache
def _controls() -> tuple[Any, Any] | None:
    """The functions that set and get the number of threads, or None where none is found."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for library in sorted(folder.glob("*openblas*")):
            loaded = ctypes.CDLL(str(library))
            for prefix in PREFIXES:
                for suffix in SUFFIXES:
                    setter = getattr(loaded, f"{prefix}_set_num_threads{suffix}", None)
                    getter = getattr(loaded, f"{prefix}_get_num_threads{suffix}", None)
                    if setter and getter:
                        return setter, getter
    return None


class _Hold:
    """How many are inside `one_thread` now, and how many threads were set before the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.before = 1


_hold = _Hold()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside; what was set before holds again afterwards.

    The setting is the whole process's: of several that are inside at a time, nested or in
    threads of their own, the first sets it and the last puts it back.
    """
    controls = _controls()
    if controls is None:
        yield
        return
    setter, getter = controls
    with _hold.lock:
        if _hold.inside == 0:
            _hold.before = getter()
            setter(1)
        _hold.inside += 1
    try:
        yield
    finally:
        with _hold.lock:
            _hold.inside -= 1
            if _hold.inside == 0:
                setter(_hold.before)
