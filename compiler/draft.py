"""A program under construction: its buffers and steps so far, and the words to add more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .layers.layer import Work
from .layers.merge import Merge
from .net import Net, NetLayer
from .program import Buffer, Home, Purpose, Step
from .training.settings import Training


class Sum:
    """Adds several arrays in a fixed order: gradients of parts, or of several uses."""

    word = "sum"

    def add(self, xp: Any, a: Any) -> None:
        """a.total = a.terms[0] + a.terms[1] + …"""
        xp.copyto(a.total, a.terms[0])
        for term in a.terms[1:]:
            xp.add(a.total, term, out=a.total)

    def mean(self, xp: Any, a: Any) -> None:
        """The same, times a.scale."""
        self.add(xp, a)
        xp.multiply(a.total, a.scale, out=a.total)


class Scale:
    """Multiplies by a plain number: the loss of a side exit, distances that count negative."""

    word = "scale"

    def scale(self, xp: Any, a: Any) -> None:
        """a.y = a.x * a.factor"""
        xp.multiply(a.x, a.factor, out=a.y)


def gradient(name: str) -> str:
    """The name of a buffer's gradient; no layer can be called so."""
    return f"d({name})"


@dataclass(frozen=True)
class Judged:
    """An exit in a program: its layer, the buffer of its scores, the weight of its loss.

    side   "other " for the second target of samples that are mixed: buffers are named so
    """

    layer: NetLayer
    scores: str
    weight: float
    aux: bool = False
    side: str = ""

    @property
    def target(self) -> str:
        """The buffer of the classes that it is judged by."""
        return f"{self.side}target"

    @property
    def scale(self) -> str:
        """The buffer of the scale of its loss: the target's share, over what is judged."""
        return f"{self.side}scale"

    @property
    def loss(self) -> str:
        """How its loss is called."""
        return self.side + (f"{self.layer.name}.loss" if self.aux else "loss")


@dataclass
class Draft:
    """What `lower` writes a program down in."""

    net: Net
    purpose: Purpose
    training: Training
    batch: int
    parts: int
    dtype: str
    buffers: dict[str, Buffer] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """The most samples of a part."""
        return -(-self.batch // self.parts)

    def buffer(self, name: str, shape: tuple[int, ...], home: Home, **more: Any) -> str:
        """Declare a buffer, and give its name back."""
        more.setdefault("dtype", "float")
        self.buffers[name] = Buffer(name, shape, home=home, **more)
        return name

    def declare_weights(self) -> None:
        """A buffer for each weight."""
        for name, weight in self.net.weights.items():
            self.buffer(name, weight.shape, "weight")

    def works(
        self, owner: str, works: tuple[Work, ...], ops: tuple[str, ...], home: Home = "part"
    ) -> dict[str, str]:
        """The buffers that a body asked for, for one of its two directions."""
        arrays = {}
        for work in works:
            name = f"{owner}.{work.name}"
            if work.use == "constant":
                arrays[work.name] = self.buffer(
                    name, work.shape, "constant", dtype=work.dtype, values=work.values
                )
            elif work.use == "saved" or work.use in ops:
                scratch = work.use != "saved"
                if scratch:  # not kept from one direction to the other: two buffers
                    name = f"{name}.{ops[0]}"
                arrays[work.name] = self.buffer(
                    name, work.shape, home,
                    dtype=work.dtype, per_sample=work.per_sample, scratch=scratch,
                )  # fmt: skip
        return arrays

    def step(
        self, name: str, op: str, body: Any, reads: Mapping[str, Any], writes: Mapping[str, Any],
        work: Mapping[str, str] | None = None, *, split: bool = True,
        numbers: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        """Add a step."""
        self.steps.append(
            Step(name, op, body, {**reads, **writes, **(work or {})}, _named(reads), _named(writes),
                 split, numbers or {})
        )  # fmt: skip

    def weights(self, layer: NetLayer) -> dict[str, Any]:
        """A layer's weights as a body gets them."""
        return {w.name: name for name, w in layer.stored_weights()}


def inputs_of(layer: NetLayer) -> dict[str, Any]:
    """The inputs as a body gets them, and what it takes of what another layer saved."""
    if isinstance(layer.layer, Merge):
        return {"xs": layer.inputs}
    taken = {name: f"{layer.partner}.{name}" for name in layer.layer.takes}
    return {"x": layer.inputs[0], **taken}


def _named(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    names: list[str] = []
    for value in arrays.values():
        if isinstance(value, str):
            names.append(value)
        elif value:
            names.extend(value)
    return tuple(names)
