"""`expect condition`: what the compiler derived, held against what the author wants."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics

from ..net import Net
from ..suggest import did_you_mean
from ..training.settings import Training
from ..values import brief, is_integer, show_shape
from .evaluate import Evaluator
from .scope import UNKNOWN, Mistake, Scope

QUANTITIES = (
    "params", "main", "trainable", "macs", "output", "depth", "receptive_field", "layers",
)  # fmt: skip


def check_expectations(
    expects: Sequence[nodes.Expect],
    net: Net | None,
    training: Training | None,
    scope: Scope,
    found: Diagnostics,
) -> None:
    """Report every expectation that does not hold, with the actual values.

    Without a net, because it has mistakes, only what is wrong with the conditions themselves.
    """
    inner = scope.bind(_quantities(net) if net else dict.fromkeys(QUANTITIES, UNKNOWN))
    for expect in expects:
        try:
            evaluator = _Condition(inner, net, training or Training())
            holds = evaluator.value(expect.condition)
            if holds is UNKNOWN:
                continue
            if not isinstance(holds, bool):
                raise Mistake(
                    "E502",
                    f"an expectation is true or false, and this is {brief(holds)}",
                    expect.condition.span,
                    help=[f"compare it: expect {_written(expect)} <= …"],
                )
        except Mistake as mistake:
            found.add(_as_expectation(mistake))
            continue
        if not holds and net is not None:
            found.add(_failed(expect, evaluator, net))


def _quantities(net: Net) -> dict[str, Any]:
    return {
        "params": net.params,
        "main": net.main,
        "trainable": net.trainable,
        "macs": net.macs,
        "output": net.output_shape,
        "depth": net.depth,
        "receptive_field": net.last.receptive_field,  # None where INPUT is a vector
        "layers": len(net.layers),
    }


class _Condition(Evaluator):
    """Evaluates a condition, with memory(batch=64) beside the usual functions.

    read      the names that it came by, with their values, and memory(batch=…)
    batches   those of memory(batch=…)
    """

    def __init__(self, scope: Scope, net: Net | None, training: Training) -> None:
        super().__init__(scope)
        self.net, self.training = net, training
        self.read: dict[str, Any] = {}
        self.batches: list[int] = []

    def _name(self, node: nodes.Name) -> Any:
        self.read[node.id] = value = super()._name(node)
        return value

    def _call(self, node: nodes.Call) -> Any:
        if node.function.id != "memory":
            return super()._call(node)
        batch: Any = self.training.batch
        for argument in node.args:
            if argument.name not in ("batch", None) or len(node.args) > 1:
                raise Mistake("E402", "memory takes batch alone", argument.span)
            batch = self.value(argument.value)
        if batch is UNKNOWN:
            return UNKNOWN
        if not is_integer(batch) or batch < 1:
            raise Mistake(
                "E403",
                f"memory's batch takes an integer of at least 1, not {brief(batch)}",
                node.span,
            )
        if self.net is None:
            return UNKNOWN
        from ..memory import memory

        text = f"memory(batch={batch})"
        if text not in self.read:
            self.read[text] = memory(self.net, self.training, batch)
            self.batches.append(batch)
        return self.read[text]


def _as_expectation(mistake: Mistake) -> Diagnostic:
    """A name or value that an expectation does not have."""
    d = mistake.diagnostic
    if d.code != "E203" or d.span is None:
        return d
    name = d.span.text
    if name == "memory":
        message = "memory is that of a batch"
        return Diagnostic("E502", message, d.span, help=("write memory(batch=64)",))
    known = (*QUANTITIES, "memory")
    help = did_you_mean(name, known) or (f"there are {', '.join(known)} and the knobs",)
    return Diagnostic("E502", f"an expectation knows nothing called {name}", d.span, help=help)


def _failed(expect: nodes.Expect, evaluator: _Condition, net: Net) -> Diagnostic:
    """The actual values, and the layers that contribute most."""
    actual = [f"{name} is {_shown(name, value)}" for name, value in evaluator.read.items()]
    notes = [f"actual: {line}" for line in actual] if len(actual) > 1 else []
    said = " and ".join(actual) if actual else "it is false"
    return Diagnostic(
        "E501",
        f"expected {_written(expect)}, but {said}",
        expect.condition.span,
        "does not hold",
        tuple(notes + _most(evaluator, net)),
    )


def _written(expect: nodes.Expect) -> str:
    """The condition on one line."""
    return " ".join(expect.condition.span.text.split())


def _shown(name: str, value: Any) -> str:
    if name in ("output", "receptive_field") and value is not None:
        return show_shape(value)
    text = f"{value:,}" if is_integer(value) else brief(value)
    return f"{text} bytes" if name.startswith("memory(") else text


def _most(evaluator: _Condition, net: Net) -> list[str]:
    """The layers that have most of each quantity that layers add up to."""
    notes: list[str] = []
    for name in evaluator.read:
        if name in ("params", "trainable", "macs"):
            notes += _largest(name, net, [getattr(layer, name) for layer in net.layers])
        elif name == "main":
            notes += _largest(name, net, [0 if x.aux else x.params for x in net.layers])
    for batch in evaluator.batches:
        amounts = [4 * (layer.params + batch * prod(layer.output)) for layer in net.layers]
        notes += _largest("bytes of weights and outputs", net, amounts)
    return notes


def _largest(what: str, net: Net, amounts: list[int]) -> list[str]:
    """A note that names the three layers that have most of something, if one has any."""
    ranked = sorted(zip(amounts, net.layers, strict=True), key=lambda pair: -pair[0])[:3]
    most = [
        f"{layer.name} {amount:,} ({100 * amount / sum(amounts):.0f} %)"
        for amount, layer in ranked
        if amount
    ]
    return [f"most {what}: {', '.join(most)}"] if most else []
