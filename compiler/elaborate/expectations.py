"""`expect condition`: what the compiler derived, held against what the author wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics

from ..net import Net
from ..suggest import did_you_mean
from ..training.settings import Training
from ..values import brief, is_integer
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
            evaluator = _WithMemory(inner, net, training or Training())
            holds = evaluator.value(expect.condition)
            if holds is UNKNOWN:
                continue
            if not isinstance(holds, bool):
                raise Mistake(
                    "E502",
                    f"an expectation is true or false, and this is {brief(holds)}",
                    expect.condition.span,
                    help=[f"compare it: expect {expect.condition.span.text} <= …"],
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
        "receptive_field": net.last.receptive_field or (1, 1),
        "layers": len(net.layers),
    }


class _WithMemory(Evaluator):
    """Evaluates a condition, with memory(batch=64) beside the usual functions."""

    def __init__(self, scope: Scope, net: Net | None, training: Training) -> None:
        super().__init__(scope)
        self.net, self.training = net, training
        self.memory: dict[int, int] = {}

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
            raise Mistake("E403", "memory's batch is an integer of at least 1", node.span)
        if self.net is None:
            return UNKNOWN
        from ..memory import memory

        if batch not in self.memory:
            self.memory[batch] = memory(self.net, self.training, batch)
        return self.memory[batch]


def _as_expectation(mistake: Mistake) -> Diagnostic:
    """A name or value that an expectation does not have."""
    d = mistake.diagnostic
    if d.code != "E203" or d.span is None:
        return d
    name = d.span.text
    known = (*QUANTITIES, "memory")
    help = did_you_mean(name, known) or (f"there are {', '.join(known)} and the knobs",)
    return Diagnostic("E502", f"an expectation knows nothing called {name}", d.span, help=help)


def _failed(expect: nodes.Expect, evaluator: _WithMemory, net: Net) -> Diagnostic:
    """The actual values, and the layers that contribute most."""
    actual = []
    for name in _quantities_in(expect.condition):
        value = evaluator.scope.values[name]
        text = f"{value:,}" if is_integer(value) else brief(value)
        actual.append(f"{name} is {text}")
    actual += [f"memory(batch={b}) is {n:,} bytes" for b, n in evaluator.memory.items()]
    notes = [f"actual: {line}" for line in actual]
    for name in ("params", "main", "trainable", "macs"):
        if name in _quantities_in(expect.condition):
            notes.append("most: " + _largest(net, "macs" if name == "macs" else "params"))
            break
    said = " and ".join(actual) if actual else "it is false"
    return Diagnostic(
        "E501",
        f"expected {expect.condition.span.text}, but {said}",
        expect.condition.span,
        "does not hold",
        tuple(notes[1:] if len(actual) == 1 else notes),
    )


def _quantities_in(node: Any) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.id] if node.id in QUANTITIES else []
    found: list[str] = []
    for child in nodes.children(node):
        found += [name for name in _quantities_in(child) if name not in found]
    return found


def _largest(net: Net, what: str) -> str:
    """The three layers that have most of it."""
    ranked = sorted(net.layers, key=lambda layer: -getattr(layer, what))[:3]
    total = max(1, getattr(net, what))
    return ", ".join(
        f"{layer.name} {getattr(layer, what):,} ({100 * getattr(layer, what) / total:.0f} %)"
        for layer in ranked
        if getattr(layer, what)
    )
