"""Net to Program: forward, loss, backward and update as a list of steps.

Gradients exist only where something needs them: none for the data, none for frozen weights,
none below the first layer that is trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from . import lower_batch
from .backward import Backward
from .draft import Draft, Judged, Scale, Sum, gradient, inputs_of
from .layers.layer import BatchStatistics
from .net import Exit, Net, NetLayer
from .program import Program, Purpose
from .training.clip import Clip
from .training.settings import Training

OWN_NAMES = {"loss", "target", "scale", "lr", "step", "sample"}  # others have a space or a bracket


def lower(
    net: Net,
    purpose: Purpose,
    training: Training,
    batch: int,
    parts: int = 1,
    dtype: str = "float32",
) -> Program:
    """The program for a net; its buffers are not placed yet (see `passes`)."""
    lowering = _Lowering(apart(net), purpose, training, batch, min(parts, batch), dtype)
    return lowering.program()


def apart(net: Net) -> Net:
    """The net as a program knows it: layers called like a buffer of the program's own renamed.

    Their weights keep their names, which have a dot and cannot be taken.
    """
    taken = OWN_NAMES & {layer.name for layer in net.layers}
    if not taken:
        return net

    def name(old: str) -> str:
        return f"{old} (layer)" if old in taken else old

    layers = {
        layer.name: layer.replace(
            name=name(layer.name),
            inputs=tuple(map(name, layer.inputs)),
            partner=layer.partner and name(layer.partner),
        )
        for layer in net.layers
    }
    return net.replace(
        layers=tuple(layers.values()),
        last=layers[net.last.name],
        aux=tuple(Exit(layers[exit.layer.name], exit.weight) for exit in net.aux),
        rates={name(old): rate for old, rate in net.rates.items()},
    )


def usual_shards(batch: int) -> int:
    """How many parts a batch makes by default: none smaller than 8 samples, at most 4."""
    return max(1, min(4, batch // 8))


@dataclass
class _Lowering(Draft):
    """Forward, losses, meetings and update."""

    def program(self) -> Program:
        """The whole of it."""
        self.declare_weights()
        inputs = [self.net.layers[0].name]
        if self.purpose == "predict":
            for layer in self.net.layers:
                if not layer.aux:
                    self._forward(layer)
            results = [self.net.last.name]
        else:
            judged = self._judged()
            layers = self._live_layers()
            for layer in layers:
                self._forward(layer)
            exits = [self._scores(exit, number > 0) for number, exit in enumerate(judged)]
            results = [exits[0].scores, "loss"]
            targets = [exits]
            if self.purpose == "train" and self.training.mixup is not None:
                targets.append([replace(exit, side="other ") for exit in exits])
            means = []
            for exits in targets:
                inputs.append(exits[0].target)
                for exit in exits:
                    self._loss(exit)
                means.append((self._total_loss(exits), exits[0].scale))
            Backward(self).run(layers, [exit for exits in targets for exit in exits])
            self._meet(means)
        if self.purpose == "train":
            self._update()
        return Program(
            self.purpose, self.batch, self.parts, self.dtype, self.buffers, tuple(self.steps),
            tuple(inputs), tuple(results),
        )  # fmt: skip

    def _judged(self) -> list[Exit]:
        """The outputs that a loss is taken of; for most losses, of a SOFTMAX its input."""
        by_name = {layer.name: layer for layer in self.net.layers}
        found = []
        for layer, weight in (Exit(self.net.last, 1.0), *self.net.aux):
            if layer.layer.family == "output" and self.training.loss.of_scores:
                layer = by_name[layer.inputs[0]]
            found.append(Exit(layer, weight))
        return found

    def _live_layers(self) -> list[NetLayer]:
        """The layers that run in training: for most losses not a SOFTMAX that is an output."""
        if not self.training.loss.of_scores:
            return list(self.net.layers)
        outputs = {exit.layer.name for exit in (Exit(self.net.last, 1.0), *self.net.aux)}
        return [
            layer
            for layer in self.net.layers
            if not (layer.name in outputs and layer.layer.family == "output")
        ]

    # -- forward ----------------------------------------------------------------------

    def _forward(self, layer: NetLayer) -> None:
        kind, name = layer.layer, layer.name
        skipped = self.purpose == "predict" and kind.training_only
        if skipped or kind.view:
            self.buffer(name, layer.output, "part", per_sample=True, view_of=layer.inputs[0])
            return
        self.buffer(name, layer.output, "part", per_sample=True)
        if not layer.inputs:
            return
        if isinstance(kind, BatchStatistics) and self.purpose != "predict":
            lower_batch.forward(self, layer, kind)
            return
        reads: dict[str, Any] = inputs_of(layer) | self.weights(layer)
        reads |= self._randomness(layer)
        writes: dict[str, Any] = {"y": name}
        works = kind.buffers_from(self.samples, layer.input_shapes)
        saved = {w.name for w in works if w.use == "saved"}
        work = self.works(name, works, ("forward", "both"))
        writes |= {k: v for k, v in work.items() if k in saved}
        rest = {k: v for k, v in work.items() if k not in saved}
        self.step(name, "forward", kind, reads, writes, rest)

    def _randomness(self, layer: NetLayer) -> dict[str, Any]:
        if not layer.layer.random:
            return {}
        self.buffer("sample", (), "control", dtype="uint32", per_sample=True)
        key = self.buffer(f"{layer.name}.key", (1,), "control", dtype="uint32")
        return {"key": key, "sample": "sample"}

    # -- loss -------------------------------------------------------------------------

    def _scores(self, exit: Exit, aux: bool) -> Judged:
        """What the loss is taken of. RBF's distances count negative."""
        layer, weight = exit
        if layer.layer.family != "distance":
            return Judged(layer, layer.name, weight, aux)
        scores = self.buffer(f"{layer.name}.scores", layer.output, "part", per_sample=True)
        self.step(layer.name, "scale", Scale(), {"x": layer.name}, {"y": scores},
                   numbers={"factor": -1.0})  # fmt: skip
        return Judged(layer, scores, weight, aux)

    def _loss(self, exit: Judged) -> None:
        loss, name = self.training.loss, exit.loss
        shape = exit.layer.output
        self.buffer(exit.target, loss.places(shape), "part", dtype="int64", per_sample=True)
        self.buffer(exit.scale, (1,), "control")
        self.buffer(f"part {name}", (1,), "part")
        works = loss.buffers(self.samples, shape)
        saved = {w.name for w in works if w.use == "saved"}
        work = self.works(name, works, ("forward", "both"))
        self.step(
            name, "forward", loss, {"x": exit.scores, "target": exit.target},
            {"loss": f"part {name}", **{k: v for k, v in work.items() if k in saved}},
            {k: v for k, v in work.items() if k not in saved},
        )  # fmt: skip

    def _total_loss(self, exits: list[Judged]) -> str:
        """Of the net and its side exits, each times its weight, for one of the targets."""
        if len(exits) == 1:
            return f"part {exits[0].loss}"
        terms = [f"part {exits[0].loss}"]
        for exit in exits[1:]:
            weighed = self.buffer(f"weighed {exit.loss}", (1,), "part")
            self.step(exit.loss, "scale", Scale(), {"x": f"part {exit.loss}"}, {"y": weighed},
                       numbers={"factor": exit.weight})  # fmt: skip
            terms.append(weighed)
        total = self.buffer(f"part {exits[0].side}total", (1,), "part")
        self.step("total", "add", Sum(), {"terms": tuple(terms)}, {"total": total})
        return total

    # -- joint steps ------------------------------------------------------------------

    def _meet(self, targets: list[tuple[str, str]]) -> None:
        """Sum what the parts have, in the order of the parts: the same bits on every machine.

        targets   for each, the parts' losses and what they are scaled by
        """
        means = []
        for terms, scale in targets:
            name = "loss" if len(targets) == 1 else f"mean {terms}"
            means.append(self.buffer(name, (1,), "joint"))
            self.step("loss", "mean", Sum(), {"terms": terms, "scale": scale}, {"total": name},
                      split=False)  # fmt: skip
        if len(means) > 1:
            self.buffer("loss", (1,), "joint")
            self.step("loss", "add", Sum(), {"terms": tuple(means)}, {"total": "loss"},
                      split=False)  # fmt: skip
        if self.parts == 1:
            return
        for name, buffer in list(self.buffers.items()):
            if buffer.home == "gradient":
                self.step(name[2:-1], "add", Sum(), {"terms": f"{name}.part"}, {"total": name},
                           split=False)  # fmt: skip

    def _clip(self, most: float) -> None:
        """All gradients together, in the order in which the program has them."""
        grads = {name: b for name, b in self.buffers.items() if b.home == "gradient"}
        if not grads:
            return
        largest = max(prod(b.shape) for b in grads.values())
        work = {
            "square": self.buffer("clip square", (largest,), "joint", scratch=True),
            "sums": self.buffer("clip sums", (len(grads),), "joint", scratch=True),
            "factor": self.buffer("clip factor", (1,), "joint", scratch=True),
        }
        both = {"grads": tuple(grads)}
        self.step("gradients", "clip", Clip(most), both, both, work, split=False)

    def _update(self) -> None:
        if self.training.clip is not None:
            self._clip(self.training.clip)
        optimizer = self.training.optimizer
        self.buffer("lr", (1,), "control")
        self.buffer("step", (1,), "control", dtype="float64")
        updated = set()
        for layer in self.net.layers:
            for name, weight in layer.stored_weights():
                if gradient(name) not in self.buffers or name in updated:
                    continue
                updated.add(name)
                state = {
                    s: self.buffer(f"{name}.{s}", weight.shape, "optimizer")
                    for s in optimizer.states()
                }
                work = {
                    w: self.buffer(f"{name}.{w}", weight.shape, "joint", scratch=True)
                    for w in optimizer.work
                }
                self.step(
                    name, "update", optimizer,
                    {"grad": gradient(name), "lr": "lr", "step": "step"},
                    {"weight": name, **state}, work, split=False,
                    numbers=self._factors(layer),
                )  # fmt: skip

    def _factors(self, layer: NetLayer) -> dict[str, float]:
        """A layer's factor on the learning rate, and the weight decay that acts on it."""
        rate = getattr(layer.layer, "lr", 1.0) * self.net.rates.get(layer.name, 1.0)
        decay = self.training.weight_decay * getattr(layer.layer, "decay", 1.0)
        return {"lr_factor": rate, "decay": decay}
