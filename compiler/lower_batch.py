"""Lowering of layers with statistics over the batch: each part, all together, each part again.

    forward    bn1 partial (split) -> combine (joint) -> track (joint, training) -> finish (split)
    backward   bn1 backward_partial (split) -> backward_combine (joint) -> backward_finish (split)

A program has a meeting more each way for such a layer. What a single part has on the way back
is what the batch has, so there it needs none.
"""

from __future__ import annotations

from collections.abc import Mapping

from .draft import Draft
from .layers.layer import BatchStatistics
from .net import NetLayer


def forward(draft: Draft, layer: NetLayer, kind: BatchStatistics) -> None:
    """The steps that write the layer's output; its buffer is declared."""
    name, x, shape = layer.name, layer.inputs[0], layer.input_shapes[0]
    works = kind.buffers(draft.samples, shape)
    parts = {
        w.name: draft.buffer(f"{name}.{w.name}.part", w.shape, "part") for w in kind.partials(shape)
    }
    wholes = {
        w.name: draft.buffer(_whole(layer, w.name), w.shape, "joint") for w in kind.wholes(shape)
    }
    trained, running = _weights(draft, layer)
    work = draft.works(name, works, ("partial",))
    draft.step(name, "partial", kind, {"x": x}, parts, work)
    work = draft.works(name, works, ("combine",), "joint")
    draft.step(name, "combine", kind, _of_all(parts), wholes, work, split=False)
    if draft.purpose == "train":
        work = draft.works(name, works, ("track",), "joint")
        reads = {**wholes, **running}
        draft.step(name, "track", kind, reads, running, work, split=False)
    work = draft.works(name, works, ("finish",))
    draft.step(name, "finish", kind, {"x": x, **wholes, **trained}, {"y": name}, work)


def backward(
    draft: Draft,
    layer: NetLayer,
    kind: BatchStatistics,
    dy: str,
    writes: Mapping[str, str | None],
) -> None:
    """The steps that write a part's share of the weights' gradients, and dx where it is needed.

    writes   as for any other layer: dx, and where the shares of dweight, … go
    """
    name, shape = layer.name, layer.input_shapes[0]
    works = kind.buffers(draft.samples, shape)
    trained, _ = _weights(draft, layer)
    wholes = {w.name: _whole(layer, w.name) for w in kind.wholes(shape)}
    known = {"x": layer.inputs[0], "y": name, **trained, **wholes}
    reads = {"dy": dy} | {k: known[k] for k in kind.backward_reads}
    shares: dict[str, str] = {}
    for weight in layer.weights:
        if not weight.statistic:
            grad = f"d{weight.name}"
            # Where it is frozen there is no place for it, and dx needs it none the less.
            shares[grad] = writes[grad] or draft.buffer(f"{name}.{grad}.part", weight.shape, "part")
    work = draft.works(name, works, ("backward_partial",))
    draft.step(name, "backward_partial", kind, reads, shares, work)
    if writes["dx"] is None:
        return
    sums = shares
    if draft.parts > 1:
        sums = {
            grad: draft.buffer(_whole(layer, grad), draft.buffers[share].shape, "joint")
            for grad, share in shares.items()
        }
        draft.step(name, "backward_combine", kind, _of_all(shares), sums, split=False)
    work = draft.works(name, works, ("backward_finish",))
    dx = {"dx": writes["dx"]}
    draft.step(name, "backward_finish", kind, {**reads, **sums}, dx, work)


def _whole(layer: NetLayer, statistic: str) -> str:
    return f"{layer.name}.{statistic}.batch"


def _weights(draft: Draft, layer: NetLayer) -> tuple[dict[str, str], dict[str, str]]:
    """What a body calls the weights, and the running statistics."""
    statistics = {w.name for w in layer.weights if w.statistic}
    names = draft.weights(layer)
    return (
        {k: v for k, v in names.items() if k not in statistics},
        {k: v for k, v in names.items() if k in statistics},
    )


def _of_all(parts: dict[str, str]) -> dict[str, str]:
    """What a joint step calls what each part has."""
    return {f"part_{name}": buffer for name, buffer in parts.items()}
