"""Fine-tuning: a net begins with the weights of another that has the same layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cnnc.compiler.layers.layer import Array
from cnnc.compiler.net import Net, NetLayer
from cnnc.compiler.training.settings import Training
from cnnc.compiler.values import show_shape

from .errors import RunError


@dataclass(frozen=True)
class Reuse:
    """What a net takes from elsewhere.

    source   the run or the file
    layers   the names of the layers that are reused
    fresh    those that start anew, each with the reason
    weights  the weights and statistics of the reused layers
    """

    source: str
    layers: tuple[str, ...]
    fresh: tuple[tuple[str, str], ...]
    weights: Mapping[str, Array]


def reuse(net: Net, source: str, there: Mapping[str, Array]) -> Reuse:
    """What a net can take of other weights: layers whose weights are all there, of their shapes.

    source, there   where the weights come from, and the weights by name

    Errors    RunError where no layer can be reused
    """
    reused: list[NetLayer] = []
    fresh: list[tuple[str, str]] = []
    for layer in net.layers:
        why = _difference(layer, there)
        if why is not None:
            fresh.append((layer.name, why))
        elif layer.weights:
            reused.append(layer)
    if not reused:
        reasons = tuple(f"{name}: {why}" for name, why in fresh[:4]) or ("the net has no weights",)
        raise RunError(f"no layer of the net can be reused from {source}", reasons)
    names = [name for layer in reused for name, _ in layer.stored_weights()]
    weights = {name: there[name].astype("float32") for name in names}
    return Reuse(source, tuple(layer.name for layer in reused), tuple(fresh), weights)


def with_rates(net: Net, training: Training, reused: Collection[str]) -> Net:
    """The net with fine-tuning's factors on the learning rates of all layers."""
    rates = {
        layer.name: training.lr_reused if layer.name in reused else training.lr_new
        for layer in net.layers
    }
    return net.replace(rates=rates)


def _difference(layer: NetLayer, there: Mapping[str, Array]) -> str | None:
    """Why a layer cannot be reused; None where it can."""
    for name, weight in layer.stored_weights():
        if name not in there:
            return f"{name} is not there"
        if there[name].shape != weight.shape:
            shapes = show_shape(weight.shape), show_shape(there[name].shape) or "a number"
            return f"{weight.name} is {shapes[0]} here and {shapes[1]} there"
        if there[name].dtype.kind != "f":
            return f"{weight.name} is {there[name].dtype} there"
    return None
