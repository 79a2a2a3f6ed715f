"""Calls the bodies of a layer, a loss or an optimizer with exactly the arrays they declare.

What a body is to write is filled with garbage beforehand, so that what it leaves out shows;
what it reads is locked, so that a change raises ValueError; what it did not ask for is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np

import cnnc
from cnnc.compiler.layers.layer import BatchStatistics, Layer, Shape, Weight, Work
from cnnc.compiler.layers.merge import Merge
from cnnc.compiler.layers.registry import LAYERS
from cnnc.compiler.values import show_shape

KEY = 12345

SAMPLES = [
    (text, shape)
    for layer in LAYERS.values()
    if not issubclass(layer, Merge)
    for text, shape in layer.samples
]  # as written, input shape
IDS = [f"{text} on {show_shape(shape)}" for text, shape in SAMPLES]


def layer_of(text: str, shape: Shape) -> Layer:
    """The layer that a text of the language means, on an input of a shape."""
    size = show_shape(shape) if len(shape) > 1 else shape[0]
    layer: Layer = cnnc.parse(f"INPUT({size}) -> {text}").layers[-1].layer
    return layer


def garbage(shape: Shape, dtype: str) -> Any:
    """An array whose entries nobody can take for results."""
    if np.dtype(dtype).kind == "f":
        return np.full(shape, np.nan, dtype)
    array = np.empty(shape, dtype)
    array.view("uint8")[...] = 1 if dtype == "bool" else 0xA5
    return array


def locked(array: Any) -> Any:
    """A view that nobody can write to."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass
class Arrays:
    """The planned arrays of one body: what it saved stays for its other direction."""

    works: tuple[Work, ...]
    n: int
    dtype: str
    saved: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.saved = {w.name: self._fresh(w) for w in self.works if w.use == "saved"}

    def _fresh(self, work: Work) -> Any:
        dtype = self.dtype if work.dtype == "float" else work.dtype
        if work.use == "constant":
            return np.array(list(work.values), dtype).reshape(work.shape)
        return garbage((self.n, *work.shape) if work.per_sample else work.shape, dtype)

    def of(self, direction: str) -> dict[str, Any]:
        """What the body gets: in `backward` it may only read what `forward` saved."""
        arrays = {}
        for work in self.works:
            if work.use == "saved":
                array = self.saved[work.name]
                arrays[work.name] = locked(array) if direction == "backward" else array
            elif work.use == "constant":
                arrays[work.name] = locked(self._fresh(work))
            elif work.use in (direction, "both"):
                arrays[work.name] = self._fresh(work)
        return arrays


@dataclass
class Case:
    """A layer with an input, weights and the gradient of its output.

    capacity  the most samples that the planned arrays are for
    xp, wrap  the array module, and what makes its arrays of NumPy's
    """

    layer: Layer
    x: Any
    weights: dict[str, Any]
    dy: Any
    capacity: int
    xp: Any = np
    wrap: Callable[[Any], Any] = lambda array: array

    bodies = ("forward", "backward")

    @property
    def described(self) -> tuple[Weight, ...]:
        """Its weights, as it declares them."""
        return self.layer.weights(self.x.shape[1:])

    def arrays(self) -> Arrays:
        """Fresh planned arrays."""
        works = self.layer.buffers(self.capacity, self.x.shape[1:])
        return Arrays(works, len(self.x), str(self.x.dtype))

    def forward(self, arrays: Arrays | None = None) -> Any:
        """The output."""
        arrays = arrays or self.arrays()
        a = {name: locked(w) for name, w in self.weights.items()} | arrays.of("forward")
        a |= {"x": locked(self.x)}
        if self.layer.random:
            a |= {"key": locked(np.array([KEY], "uint32"))}
            a |= {"sample": locked(np.arange(len(self.x), dtype="uint32"))}
        y = garbage((len(self.x), *self.layer.shape(self.x.shape[1:])), str(self.x.dtype))
        self._call(self.layer.forward, {**a, "y": y})
        return y

    def backward(
        self, *, dx: bool = True, trained: Iterable[str] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The gradients: of x, None unless asked for, and of the weights that are trained."""
        arrays = self.arrays()
        y = self.forward(arrays)
        known = {"x": self.x, "y": y, **self.weights}
        a = {n: locked(v) for n, v in known.items() if n in self.layer.backward_reads}
        a |= arrays.of("backward") | {"dy": locked(self.dy)}
        a |= {"dx": garbage(self.x.shape, str(self.x.dtype)) if dx else None}
        names = {w.name for w in self.described if w.trainable}
        names &= names if trained is None else set(trained)
        for weight in self.described:
            array = garbage(weight.shape, str(self.x.dtype)) if weight.name in names else None
            a[f"d{weight.name}"] = array
        self._call(self.layer.backward, a)
        return a["dx"], {name: a[f"d{name}"] for name in sorted(names)}

    def _call(self, body: Callable[..., None], a: dict[str, Any]) -> None:
        body(self.xp, SimpleNamespace(**{name: self._wrapped(v) for name, v in a.items()}))

    def _wrapped(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._wrapped, value))
        return None if value is None else self.wrap(value)


def case(
    text: str, shape: Shape, n: int = 3, *, capacity: int | None = None, dtype: str = "float64",
    seed: int = 0,
) -> Case:  # fmt: skip
    """A case with numbers far from kinks and ties: distinct, and none near 0."""
    rng = np.random.default_rng(seed)
    from tests.compiler.layers.batches import BatchCase

    layer = layer_of(text, shape)
    x = spaced(rng, (n, *shape)).astype(dtype)
    weights = {}
    for weight in layer.weights(shape):
        values = 0.5 + spaced(rng, weight.shape)
        if weight.name == "max":  # of NORMALIZE(range): above its min
            values += 3
        weights[weight.name] = values.astype(dtype)
    dy = rng.normal(size=(n, *layer.shape(shape))).astype(dtype)
    made = BatchCase if isinstance(layer, BatchStatistics) else Case
    return made(layer, x, weights, dy, capacity or n)


def spaced(rng: np.random.Generator, shape: Shape) -> Any:
    """Numbers in -1 … 1 in random order, evenly spaced and none at 0."""
    count = prod(shape)
    even = (2 * np.arange(count) + 1) / (2 * count)  # 0 … 1
    values = np.where(even < 0.5, even * 1.9 - 1, even * 1.9 - 0.9)
    return rng.permutation(values).reshape(shape)
