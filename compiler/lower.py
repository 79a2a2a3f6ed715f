"""Net to Program: forward, loss, backward and update as a list of steps.

Gradients exist only where something needs them: none for the data, none for frozen weights,
none below the first layer that is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .layers.layer import Layer, Weight, Work
from .net import Net, NetLayer
from .program import Buffer, Home, Program, Purpose, Step
from .training.losses import Loss
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


def gradient(name: str) -> str:
    """The name of a buffer's gradient; no layer can be called so."""
    return f"d({name})"


def lower(
    net: Net,
    purpose: Purpose,
    training: Training,
    batch: int,
    parts: int = 1,
    dtype: str = "float32",
) -> Program:
    """The program for a net; its buffers are not placed yet (see `passes`)."""
    lowering = _Lowering(net, purpose, training, batch, min(parts, batch), dtype)
    return lowering.program()


def usual_shards(batch: int) -> int:
    """How many parts a batch makes by default: none smaller than 8 samples, at most 4."""
    return max(1, min(4, batch // 8))


@dataclass
class _Lowering:
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
        return -(-self.batch // self.parts)

    def program(self) -> Program:
        layers = self._live_layers()
        self._declare_weights()
        inputs = [self.net.layers[0].name]
        for layer in layers:
            self._forward(layer)
        results = [layers[-1].name]
        if self.purpose != "predict":
            inputs.append("target")
            self._loss(layers[-1])
            self._backward(layers)
            results.append("loss")
            self._meet(layers)
        if self.purpose == "train":
            self._update()
        return Program(
            self.purpose, self.batch, self.parts, self.dtype, self.buffers, tuple(self.steps),
            tuple(inputs), tuple(results),
        )  # fmt: skip

    def _live_layers(self) -> list[NetLayer]:
        """The layers that run: the loss takes the scores before a last SOFTMAX."""
        layers = list(self.net.layers)
        if self.purpose != "predict" and layers[-1].layer.family == "output":
            layers.pop()
        return layers

    # -- buffers ----------------------------------------------------------------------

    def _buffer(self, name: str, shape: tuple[int, ...], home: Home, **more: Any) -> str:
        more.setdefault("dtype", "float")
        self.buffers[name] = Buffer(name, shape, home=home, **more)
        return name

    def _declare_weights(self) -> None:
        for layer in self.net.layers:
            for weight in layer.weights:
                self._buffer(f"{layer.name}.{weight.name}", weight.shape, "weight")

    def _works(self, owner: str, works: tuple[Work, ...], ops: tuple[str, ...]) -> dict[str, str]:
        """The buffers that a body asked for, for one of its two directions."""
        arrays = {}
        for work in works:
            name = f"{owner}.{work.name}"
            if work.use == "constant":
                arrays[work.name] = self._buffer(
                    name, work.shape, "constant", dtype=work.dtype, values=work.values
                )
            elif work.use == "saved" or work.use in ops:
                scratch = work.use != "saved"
                if scratch:  # not kept from one direction to the other: two buffers
                    name = f"{name}.{ops[0]}"
                arrays[work.name] = self._buffer(
                    name, work.shape, "part",
                    dtype=work.dtype, per_sample=work.per_sample, scratch=scratch,
                )  # fmt: skip
        return arrays

    def _step(
        self, name: str, op: str, body: Any, reads: Mapping[str, Any], writes: Mapping[str, Any],
        work: Mapping[str, str] | None = None, *, split: bool = True,
        numbers: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        self.steps.append(
            Step(name, op, body, {**reads, **writes, **(work or {})}, _named(reads), _named(writes),
                 split, numbers or {})
        )  # fmt: skip

    # -- forward ----------------------------------------------------------------------

    def _forward(self, layer: NetLayer) -> None:
        kind, name = layer.layer, layer.name
        skipped = self.purpose == "predict" and kind.training_only
        if skipped or kind.view:
            self._buffer(name, layer.output, "part", per_sample=True, view_of=layer.inputs[0])
            return
        self._buffer(name, layer.output, "part", per_sample=True)
        if not layer.inputs:
            return
        reads: dict[str, Any] = {"x": layer.inputs[0]} | self._weights(layer)
        reads |= self._randomness(layer)
        writes: dict[str, Any] = {"y": name}
        works = kind.buffers(self.samples, layer.input_shapes[0])
        saved = {w.name for w in works if w.use == "saved"}
        work = self._works(name, works, ("forward", "both"))
        writes |= {k: v for k, v in work.items() if k in saved}
        rest = {k: v for k, v in work.items() if k not in saved}
        self._step(name, "forward", kind, reads, writes, rest)

    def _weights(self, layer: NetLayer) -> dict[str, Any]:
        return {w.name: f"{layer.name}.{w.name}" for w in layer.weights}

    def _randomness(self, layer: NetLayer) -> dict[str, Any]:
        if not layer.layer.random:
            return {}
        self._buffer("sample", (), "control", dtype="uint32", per_sample=True)
        key = self._buffer(f"{layer.name}.key", (1,), "control", dtype="uint32")
        return {"key": key, "sample": "sample"}

    # -- loss -------------------------------------------------------------------------

    def _loss(self, scores: NetLayer) -> None:
        loss: Loss = self.training.loss
        rest = loss.places(scores.output)
        self._buffer("target", rest, "part", dtype="int64", per_sample=True)
        self._buffer("scale", (1,), "control")
        self._buffer("part loss", (1,), "part")
        works = loss.buffers(self.samples, scores.output)
        saved = {w.name for w in works if w.use == "saved"}
        work = self._works("loss", works, ("forward", "both"))
        self._step(
            "loss", "forward", loss, {"x": scores.name, "target": "target"},
            {"loss": "part loss", **{k: v for k, v in work.items() if k in saved}},
            {k: v for k, v in work.items() if k not in saved},
        )  # fmt: skip

    # -- backward ---------------------------------------------------------------------

    def _backward(self, layers: list[NetLayer]) -> None:
        needed = self._needed(layers)
        scores = layers[-1]
        if not needed[scores.name]:
            return
        loss = self.training.loss
        works = loss.buffers(self.samples, scores.output)
        self._buffer(gradient(scores.name), scores.output, "part", per_sample=True)
        work = self._works("loss", works, ("backward", "both"))
        saved = {w.name: work[w.name] for w in works if w.use == "saved"}
        self._step(
            "loss", "backward", loss, {"scale": "scale", **saved},
            {"dx": gradient(scores.name)},
            {k: v for k, v in work.items() if k not in saved},
        )  # fmt: skip
        # gradients that the users of a layer's output have contributed so far
        terms: dict[str, list[str]] = {scores.name: [gradient(scores.name)]}
        for layer in reversed(layers):
            if needed[layer.name] and layer.inputs:
                dy = self._total(layer.name, layer.output, terms[layer.name])
                self._backward_of(layer, dy, needed, terms)

    def _needed(self, layers: list[NetLayer]) -> dict[str, bool]:
        """Whether an output's gradient is needed: something at or below it is trained."""
        needed: dict[str, bool] = {}
        for layer in layers:
            below = any(needed[name] for name in layer.inputs)
            needed[layer.name] = below or any(w.trainable for w in layer.weights)
        return needed

    def _total(self, name: str, shape: tuple[int, ...], terms: list[str]) -> str:
        if len(terms) == 1:
            return terms[0]
        total = self._buffer(f"{gradient(name)}.total", shape, "part", per_sample=True)
        self._step(name, "add", Sum(), {"terms": tuple(terms)}, {"total": total})
        return total

    def _backward_of(
        self, layer: NetLayer, dy: str, needed: Mapping[str, bool], terms: dict[str, list[str]]
    ) -> None:
        kind, below = layer.layer, layer.inputs[0]
        dx = None
        if needed[below]:
            so_far = terms.setdefault(below, [])
            suffix = f".{len(so_far)}" if so_far else ""
            dx = f"{gradient(below)}{suffix}"
            view = dy if kind.view else None
            self._buffer(dx, layer.input_shapes[0], "part", per_sample=True, view_of=view)
            so_far.append(dx)
        if kind.view:
            return
        writes: dict[str, Any] = {"dx": dx}
        for weight in layer.weights:
            writes[f"d{weight.name}"] = self._weight_gradient(layer, weight)
        if not any(writes.values()):
            return
        reads: dict[str, Any] = {"dy": dy}
        known = {"x": below, "y": layer.name, **self._weights(layer)}
        reads |= {k: v for k, v in known.items() if k in kind.backward_reads}
        works = kind.buffers(self.samples, layer.input_shapes[0])
        work = self._works(layer.name, works, ("backward", "both"))
        saved = {w.name: work[w.name] for w in works if w.use == "saved"}
        rest = {k: v for k, v in work.items() if k not in saved}
        self._step(layer.name, "backward", kind, {**reads, **saved}, writes, rest)

    def _weight_gradient(self, layer: NetLayer, weight: Weight) -> str | None:
        """Where a part writes its share: the whole gradient itself where there is one part."""
        if not weight.trainable:
            return None
        name = f"{layer.name}.{weight.name}"
        self._buffer(gradient(name), weight.shape, "gradient")
        if self.parts == 1:
            return gradient(name)
        return self._buffer(f"{gradient(name)}.part", weight.shape, "part")

    # -- joint steps ------------------------------------------------------------------

    def _meet(self, layers: list[NetLayer]) -> None:
        """Sum what the parts have, in the order of the parts: the same bits on every machine."""
        self._buffer("loss", (1,), "joint")
        self._step("loss", "mean", Sum(), {"terms": "part loss", "scale": "scale"},
                   {"total": "loss"}, split=False)  # fmt: skip
        if self.parts == 1:
            return
        for name, buffer in list(self.buffers.items()):
            if buffer.home == "gradient":
                self._step(name[2:-1], "add", Sum(), {"terms": f"{name}.part"}, {"total": name},
                           split=False)  # fmt: skip

    def _update(self) -> None:
        optimizer = self.training.optimizer
        self._buffer("lr", (1,), "control")
        self._buffer("step", (1,), "control", dtype="float64")
        for layer in self.net.layers:
            for weight in layer.weights:
                name = f"{layer.name}.{weight.name}"
                if gradient(name) not in self.buffers:
                    continue
                state = {
                    s: self._buffer(f"{name}.{s}", weight.shape, "optimizer")
                    for s in optimizer.states()
                }
                work = {
                    w: self._buffer(f"{name}.{w}", weight.shape, "joint", scratch=True)
                    for w in optimizer.work
                }
                self._step(
                    name, "update", optimizer,
                    {"grad": gradient(name), "lr": "lr", "step": "step"},
                    {"weight": name, **state}, work, split=False,
                    numbers=factors(layer.layer, self.training),
                )  # fmt: skip


def factors(layer: Layer, training: Training) -> dict[str, float]:
    """A layer's factor on the learning rate, and the weight decay that acts on it."""
    decay = training.weight_decay * getattr(layer, "decay", 1.0)
    return {"lr_factor": getattr(layer, "lr", 1.0), "decay": decay}


def _named(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    names: list[str] = []
    for value in arrays.values():
        if isinstance(value, str):
            names.append(value)
        elif value:
            names.extend(value)
    return tuple(names)
