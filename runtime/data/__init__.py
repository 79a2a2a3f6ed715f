"""Data sets by name: `load("digits", (1, 32, 32))`, `load("npz:cells.npz", (3, 64, 64))`.

A source is a row of SOURCES and a file of this folder with its `load`.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from cnnc.runtime.data import digits, idx, npz, random
from cnnc.runtime.data.dataset import Dataset, Split, check
from cnnc.runtime.errors import DataError

__all__ = ["Dataset", "Split", "load", "check", "SOURCES"]


@dataclass(frozen=True)
class Request:
    """What a source is asked for."""

    spec: str  # as it was written: npz:cells.npz
    argument: str  # what follows the colon: cells.npz
    shape: tuple[int, ...]  # of the net's INPUT
    seed: int
    classes: int | None  # the net's outputs


@dataclass(frozen=True)
class Source:
    """A row of the table of sources."""

    argument: str  # what follows the colon, as the help writes it; "" for nothing
    load: Callable[[Request], Dataset]


SOURCES = {
    "digits": Source("", lambda r: digits.load(r.shape)),
    "npz": Source("FILE", lambda r: npz.load(r.spec, r.argument, r.shape)),
    "mnist": Source("DIR", lambda r: idx.load(r.spec, r.argument, r.shape, "MNIST/raw")),
    "fashion": Source("DIR", lambda r: idx.load(r.spec, r.argument, r.shape, "FashionMNIST/raw")),
    "random": Source("N", lambda r: random.load(r.spec, r.argument, r.shape, r.seed, r.classes)),
}
NOT_BUILT_YET = ("cifar10", "cifar100", "folder")


def load(spec: str, shape: tuple[int, ...], seed: int = 0, classes: int | None = None) -> Dataset:
    """The data set that `spec` names, for a net whose INPUT has this shape.

    `seed` and `classes`, the number of the net's outputs, matter to random:N only. Samples that
    do not fit the net otherwise are found by `check`.

    Errors    DataError: no such source, files missing or damaged, an INPUT that it cannot serve
    """
    name, colon, argument = spec.partition(":")
    if name in NOT_BUILT_YET:
        raise DataError(
            f"{name}: is not built yet", help=("save the arrays with np.savez, use npz:FILE",)
        )
    source = SOURCES.get(name)
    if source is None:
        raise DataError(f"there is no data source {name!r}", help=_suggestions(spec, name))
    if source.argument and not argument:
        raise DataError(
            f"{name} needs to know its {source.argument}", help=(f"write {_usage(name)}",)
        )
    if colon and not source.argument:
        raise DataError(f"{spec}: {name} takes nothing after it", help=(f"write {name}",))
    return source.load(Request(spec, argument, shape, seed, classes))


def _usage(name: str) -> str:
    argument = SOURCES[name].argument
    return f"{name}:{argument}" if argument else name


def _suggestions(spec: str, name: str) -> tuple[str, ...]:
    known = f"the sources are {', '.join(_usage(name) for name in SOURCES)}"
    if name.endswith(".npz"):
        return (f"did you mean npz:{spec}?", known)
    near = difflib.get_close_matches(name.lower(), [*SOURCES, *NOT_BUILT_YET], n=1)
    if near and near[0] in SOURCES:
        return (f"did you mean {_usage(near[0])}?", known)
    return (known,)
