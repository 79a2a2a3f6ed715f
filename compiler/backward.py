"""The backward half of a program.

Backward bodies write and never add: what an output's users contribute to its gradient, and what
the uses of a shared weight do, is added up by steps of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import lower_batch
from .draft import Draft, Judged, Scale, Sum, gradient, inputs_of
from .layers.layer import BatchStatistics, Weight
from .layers.merge import Merge
from .net import NetLayer


@dataclass
class Backward:
    """Writes down the steps from the losses back to the weights."""

    draft: Draft
    shares: dict[str, list[str]] = field(default_factory=dict)  # of weights with several uses

    @cached_property
    def uses(self) -> Counter[str]:
        """How many layers use a weight."""
        layers = self.draft.net.layers
        return Counter(name for layer in layers for name, _ in layer.stored_weights())

    def run(self, layers: list[NetLayer], exits: list[Judged]) -> None:
        """All steps, from the losses to the weights' gradients of each part."""
        needed = self._needed(layers)
        # gradients that the users of a layer's output have contributed so far
        terms: dict[str, list[str]] = {}
        for exit in exits:
            if needed[exit.layer.name]:
                terms.setdefault(exit.layer.name, []).append(self._backward_of_loss(exit))
        for layer in reversed(layers):
            if needed[layer.name] and layer.inputs and layer.name in terms:
                dy = self._total(layer.name, layer.output, terms[layer.name])
                self._backward_of(layer, dy, needed, terms)
        self._sum_uses()

    def _backward_of_loss(self, exit: Judged) -> str:
        """The gradient of the loss for an exit's layer."""
        loss, name, shape = self.draft.training.loss, exit.loss, exit.layer.output
        scale = exit.scale
        if exit.weight != 1:
            scale = self.draft.buffer(f"{name}.scale", (1,), "part")
            self.draft.step(name, "scale", Scale(), {"x": exit.scale}, {"y": scale},
                       numbers={"factor": exit.weight})  # fmt: skip
        name_of_dx = exit.side + gradient(exit.scores)
        dx = self.draft.buffer(name_of_dx, shape, "part", per_sample=True)
        works = loss.buffers(self.draft.samples, shape)
        work = self.draft.works(name, works, ("backward", "both"))
        saved = {w.name: work[w.name] for w in works if w.use == "saved"}
        self.draft.step(
            name, "backward", loss, {"scale": scale, **saved}, {"dx": dx},
            {k: v for k, v in work.items() if k not in saved},
        )  # fmt: skip
        if exit.scores == exit.layer.name:
            return dx
        name_of_dx = exit.side + gradient(exit.layer.name)
        below = self.draft.buffer(name_of_dx, shape, "part", per_sample=True)
        self.draft.step(exit.layer.name, "scale", Scale(), {"x": dx}, {"y": below},
                   numbers={"factor": -1.0})  # fmt: skip
        return below

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
        total = self.draft.buffer(f"{gradient(name)}.total", shape, "part", per_sample=True)
        self.draft.step(name, "add", Sum(), {"terms": tuple(terms)}, {"total": total})
        return total

    def _gradient_below(
        self, below: str, shape: tuple[int, ...], terms: dict[str, list[str]], view: str | None
    ) -> str:
        """A buffer for what a layer contributes to the gradient of its input."""
        so_far = terms.setdefault(below, [])
        dx = gradient(below) + (f".{len(so_far)}" if so_far else "")
        self.draft.buffer(dx, shape, "part", per_sample=True, view_of=view)
        so_far.append(dx)
        return dx

    def _backward_of(
        self, layer: NetLayer, dy: str, needed: Mapping[str, bool], terms: dict[str, list[str]]
    ) -> None:
        kind = layer.layer
        if isinstance(kind, Merge):
            self._backward_of_merge(layer, kind, dy, needed, terms)
            return
        below, dx = layer.inputs[0], None
        if needed[below]:
            view = dy if kind.view else None
            dx = self._gradient_below(below, layer.input_shapes[0], terms, view)
        if kind.view:
            return
        writes: dict[str, Any] = {"dx": dx}
        for name, weight in layer.stored_weights():
            writes[f"d{weight.name}"] = self._weight_gradient(name, weight)
        if not any(writes.values()):
            return
        if isinstance(kind, BatchStatistics):
            lower_batch.backward(self.draft, layer, kind, dy, writes)
            return
        works = kind.buffers_from(self.draft.samples, layer.input_shapes)
        work = self.draft.works(layer.name, works, ("backward", "both"))
        saved = {w.name: work[w.name] for w in works if w.use == "saved"}
        rest = {k: v for k, v in work.items() if k not in saved}
        reads = {"dy": dy, **self._known(layer), **saved}
        self.draft.step(layer.name, "backward", kind, reads, writes, rest)

    def _backward_of_merge(
        self, layer: NetLayer, kind: Merge, dy: str, needed: Mapping[str, bool],
        terms: dict[str, list[str]],
    ) -> None:  # fmt: skip
        """One step for each branch, or none where its gradient is the output's own."""
        shapes = layer.input_shapes
        for index, below in enumerate(layer.inputs):
            if not needed[below]:
                continue
            if kind.passes_gradient(index, shapes):
                terms.setdefault(below, []).append(dy)
                continue
            dx = self._gradient_below(below, shapes[index], terms, None)
            works = kind.buffers_from(self.draft.samples, shapes)
            work = self.draft.works(f"{layer.name}.{index}", works, ("backward", "both"))
            self.draft.step(
                layer.name, "backward", kind, {"dy": dy, **self._known(layer)}, {"dx": dx}, work,
                numbers={"index": index, "start": kind.start(index, shapes)},
            )  # fmt: skip

    def _known(self, layer: NetLayer) -> dict[str, Any]:
        """What a backward body reads besides dy and what forward saved."""
        known = {**inputs_of(layer), "y": layer.name, **self.draft.weights(layer)}
        wanted = (*layer.layer.backward_reads, *layer.layer.takes)
        return {k: v for k, v in known.items() if k in wanted}

    def _weight_gradient(self, name: str, weight: Weight) -> str | None:
        """Where a part writes its share: the whole gradient itself where there is one part.

        A weight that several layers share has a buffer for each use, added up afterwards.
        """
        if not weight.trainable:
            return None
        self.draft.buffer(gradient(name), weight.shape, "gradient")
        if self.uses[name] > 1:
            so_far = self.shares.setdefault(name, [])
            use = self.draft.buffer(f"{gradient(name)}.{len(so_far)}", weight.shape, "part")
            so_far.append(use)
            return use
        return self._part_gradient(name)

    def _part_gradient(self, name: str) -> str:
        if self.draft.parts == 1:
            return gradient(name)
        return self.draft.buffer(f"{gradient(name)}.part", self.draft.buffers[name].shape, "part")

    def _sum_uses(self) -> None:
        for name, terms in self.shares.items():
            self.draft.step(name, "add", Sum(), {"terms": tuple(terms)},
                       {"total": self._part_gradient(name)})  # fmt: skip
