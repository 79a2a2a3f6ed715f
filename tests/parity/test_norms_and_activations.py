"""Norms, activations and what goes with them against PyTorch, in random nets, in float64.

Among them BN with its running statistics after 20 steps, for batches in several parts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import case
from tests.parity.reference import Reference, torch

import cnnc
from cnnc import SpecError

pytestmark = pytest.mark.parity

STEPS = 20
TOLERANCE = 1e-9  # largest error over largest entry
LEAST = 1e-3  # an array whose entries are all smaller is compared as if they were so large
SEEDS = range(60)


def written(word: str, *arguments: str) -> str:
    """A use of a layer; empty arguments are those that are left out."""
    given = ", ".join(a for a in arguments if a)
    return f"{word}({given})" if given else word


class Draw(random.Random):
    def chance(self, p: float) -> bool:
        return self.random() < p

    def extra(self) -> str:
        """What every layer with weights takes."""
        parts = [
            *([f"lr={self.choice((0.1, 2))}"] if self.chance(0.15) else ()),
            *([f"decay={self.choice((0, 3))}"] if self.chance(0.15) else ()),
            *(["freeze=true"] if self.chance(0.1) else ()),
        ]
        return ", ".join(parts)

    def norm(self, channels: int) -> str:
        eps = self.choice(("", "eps=0.001"))
        kind = self.choice(("BN", "BN", "BN", "LN", "GN", "LRN"))
        if kind == "LRN":
            more = self.choice(("", "beta=0.6, k=1"))
            return written("LRN", str(self.randint(1, 5)), "alpha=0.3", more)
        if kind == "GN":
            groups = self.choice([g for g in range(1, channels + 1) if channels % g == 0])
            return written("GN", str(groups), eps, self.extra())
        momentum = f"momentum={self.choice((0.01, 0.3, 1.0))}"
        more = momentum if kind == "BN" and self.chance(0.5) else ""
        return written(kind, eps, more, self.extra())

    def activation(self) -> str:
        prelu = written("PRELU", self.extra())
        return self.choice(
            (prelu, prelu, "ELU", "ELU(0.4)", "RELU6", "GELU", "SILU", "SOFTPLUS", "TANH", "RELU")
        )

    def spec(self) -> str:
        """A net in which each filter's own shift is left to a norm: its gradient would be 0."""
        channels = self.randint(1, 3)
        layers = [f"INPUT({channels}x{self.randint(5, 8)}x{self.randint(5, 8)})"]
        layers += ["WHITEN"] if self.chance(0.1) else []
        for _ in range(self.randint(1, 2)):
            channels = self.choice((2, 4, 6))
            layers += [f"CONV({channels}, {self.randint(1, 3)}, bias=false, init=lecun)"]
            layers += [self.norm(channels), self.activation()]
            layers += ["MAXOUT"] if self.chance(0.2) else []
            channels = channels // 2 if layers[-1] == "MAXOUT" else channels
            layers += ["DROPOUT2D(0)"] if self.chance(0.2) else []
        layers += self.choice(([], [], ["GLOBALPOOL"], ["GLOBALPOOL(max)"], ["@RESHAPE"]))
        if self.chance(0.5):
            units = self.choice((4, 6))
            layers += [f"FC({units}, bias=false)", self.norm(units), self.activation()]
            layers += [f"MAXOUT({self.choice((2, units // 2))})"] if self.chance(0.3) else []
        optimizer = self.choice(("sgd", "sgd(momentum=0.9)", "adam"))
        rate, decay = 0.002 if optimizer == "adam" else 0.02, self.choice((0, 0.01))
        settings = f"optimizer = {optimizer}  lr = {rate}  weight_decay = {decay}"
        return f"{' -> '.join([*layers, 'FC(3)'])}\ntrain {{ {settings} }}\n"


def spec_of(seed: int) -> str:
    """The text of a seed; drawn anew where a window does not fit."""
    draw = Draw(seed)
    while True:
        text = draw.spec()
        try:
            if "@RESHAPE" in text:
                channels, height, width = cnnc.parse(text.split(" -> @")[0]).output_shape
                shape = f"{height * channels}x{width}x1"
                text = text.replace("@RESHAPE", f"RESHAPE({shape}) -> CONV(2, 1, bias=false)")
            cnnc.parse(text)
        except SpecError as error:
            assert {d.code for d in error.diagnostics if d.severity == "error"} == {"E301"}, text
            continue
        return text


TEXTS = [spec_of(seed) for seed in SEEDS]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The nets are too small for several: PyTorch's would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def close(mine: Any, theirs: Any, what: str) -> None:
    theirs = np.asarray(theirs)
    assert np.shape(mine) == theirs.shape, what
    error = np.max(np.abs(mine - theirs))
    assert error <= TOLERANCE * max(np.max(np.abs(theirs)), LEAST), f"{what}: {error}"


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_gradients_steps_and_statistics(seed: int) -> None:
    net = cnnc.parse(TEXTS[seed])
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    batch = draw.randint(4, 9)
    program = net.compile(batch=batch, seed=seed, shards=draw.randint(1, 4), dtype="float64")
    for name, weight in program.weights.items():
        kind = name.split(".")[1]
        if weight.ndim == 1:  # starts at 0 or 1, which would hide mistakes
            low = -0.5 if kind in ("bias", "mean", "running_mean") else 0.5
            program.weights[name] = rng.uniform(low, low + 1, weight.shape)
        elif kind == "matrix":
            program.weights[name] = weight + rng.normal(0, 0.1, weight.shape)
    reference = Reference(net, dict(program.weights))

    def data(n: int) -> tuple[Any, Any]:
        return rng.normal(size=(n, *net.input_shape)), rng.integers(0, 3, n)

    for n in (batch, 2):  # PyTorch refuses a single value a channel
        x, y = data(n)
        close(program.predict(x), reference.scores(x).detach().numpy(), "scores")
        loss, grads = program.loss_and_grads(x, y)
        theirs = reference.grads(x, y)
        close(loss, reference.loss(x, y).item(), "loss")
        assert grads.keys() == theirs.keys()
        for name in grads:
            close(grads[name], theirs[name], f"gradient of {name}")
    for step in range(STEPS):
        x, y = data(batch - step % 3)
        close(program.step(x, y), reference.step(x, y), f"loss of step {step}")
    for name, weight in reference.weights.items():
        close(program.weights[name], weight.detach().numpy(), name)
    x, _ = data(batch)
    close(program.predict(x), reference.scores(x).detach().numpy(), "scores after training")


@pytest.mark.parametrize("text", ["ELU", "ELU(0.4)", "RELU6", "GELU", "SILU", "SOFTPLUS"])
def test_activations_far_and_near(text: str) -> None:
    """Each entry, and its slope, to about the last digit."""
    net = cnnc.parse(f"INPUT(1) -> {text}")
    layer, reference = net.layers[-1], Reference(net, {})
    given = case(text, (1,), 1)
    given.x = np.concatenate([np.linspace(-39, 39, 7801), 10.0 ** np.arange(-12, 0)])[:, None]
    given.dy = np.ones_like(given.x)
    x = torch.tensor(given.x, requires_grad=True)
    y = getattr(reference, layer.kind.lower())(layer, x)
    y.sum().backward()
    scale = np.maximum(np.abs(given.x), 1)
    assert np.max(np.abs(given.forward() - y.detach().numpy()) / scale) < 1e-15
    assert np.max(np.abs(given.backward()[0] - x.grad.numpy()) / scale) < 1e-15


def test_the_nets_use_everything() -> None:
    texts = "\n".join(TEXTS)
    for part in (
        "BN ", "BN(eps", "momentum=0.01", "momentum=1.0", "LN ", "LN(eps", "GN(1", "GN(2", "GN(4",
        "LRN(1", "LRN(2", "LRN(5", "beta=0.6", "PRELU ", "PRELU(freeze", "ELU ", "ELU(0.4)",
        "RELU6", "GELU", "SILU", "SOFTPLUS", "MAXOUT ", "MAXOUT(3)", "GLOBALPOOL ",
        "GLOBALPOOL(max)", "RESHAPE", "DROPOUT2D", "WHITEN", "lr=2", "decay=3", "freeze=true",
        "adam", "weight_decay = 0.01",
    ):  # fmt: skip
        assert part in texts, part
    nets = [cnnc.parse(text) for text in TEXTS]
    norms = [layer for net in nets for layer in net.layers if layer.kind in ("BN", "LN", "GN")]
    for kind in ("BN", "LN", "GN"):
        for rank in (1, 3):
            assert sum(n.kind == kind and len(n.output) == rank for n in norms) > 2, (kind, rank)
    frozen = [layer for layer in norms if layer.layer.freeze]
    assert {layer.kind for layer in frozen} >= {"BN"}
