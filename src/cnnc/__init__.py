"""A language and a compiler for convolutional networks.

    net = cnnc.load("examples/lenet5.cnn")
    run = cnnc.train("examples/lenet5.cnn", data="digits", out="runs/a")

The folders dsl/, compiler/, runtime/, grammars/ and cli/ at the top of the repository
are the sub-packages of this one. `import cnnc` loads none of them, nor NumPy or Lark:
each public name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from os.path import abspath, dirname, isdir, join
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import Net, load, parse, train
    from .dsl.diagnostics import Diagnostic, SpecError
    from .runtime.errors import DataError, RunError

__all__ = [
    "load",
    "parse",
    "train",
    "Net",
    "SpecError",
    "Diagnostic",
    "RunError",
    "DataError",
    "__version__",
]

__version__ = "0.1.0"

_MODULES = {
    "load": "api",
    "parse": "api",
    "train": "api",
    "Net": "api",
    "SpecError": "dsl.diagnostics",
    "Diagnostic": "dsl.diagnostics",
    "RunError": "runtime.errors",
    "DataError": "runtime.errors",
}

_here = dirname(abspath(__file__))
if not isdir(join(_here, "dsl")):  # a checkout whose symbolic links were lost
    __path__.append(dirname(dirname(_here)))


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
