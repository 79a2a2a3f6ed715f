"""Optimizers against their formulas, and against PyTorch."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import garbage, locked

from cnnc.compiler.arguments import BadValue
from cnnc.compiler.training.optimizers import SGD, Adam, Optimizer

OPTIMIZERS = [
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.5, nesterov=True),
    Adam(),
    Adam(beta1=0.5, beta2=0.9, eps=1e-3),
    Adam(beta1=0, beta2=0),
]
OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)


def run(
    optimizer: Optimizer, weight: Any, grads: list[Any], *, lr: float = 0.1, factor: float = 1.0,
    decay: float = 0.0,
) -> list[Any]:  # fmt: skip
    """The weight after each step."""
    weight = weight.copy()
    dtype = str(weight.dtype)
    state = {name: np.zeros_like(weight) for name in optimizer.states()}
    seen = []
    for number, grad in enumerate(grads, start=1):
        work = {name: garbage(weight.shape, dtype) for name in optimizer.work}
        optimizer.update(
            np,
            SimpleNamespace(
                **state, **work, weight=weight, grad=locked(grad),
                lr=locked(np.array([lr], dtype)), step=locked(np.array([number], "float64")),
                lr_factor=factor, decay=decay,
            ),
        )  # fmt: skip
        seen.append(weight.copy())
    return seen


def numbers(steps: int = 12) -> tuple[Any, list[Any]]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 4)), [rng.normal(size=(3, 4)) for _ in range(steps)]


def test_sgd_by_hand() -> None:
    weight, ones = np.zeros(1), [np.ones(1)] * 3
    assert [w[0] for w in run(SGD(), weight, ones)] == pytest.approx([-0.1, -0.2, -0.3])
    # v = 1, 1.5, 1.75
    assert [w[0] for w in run(SGD(momentum=0.5), weight, ones)] == pytest.approx(
        [-0.1, -0.25, -0.425]
    )
    # g + momentum*v = 1.5, 1.75, 1.875
    assert [w[0] for w in run(SGD(momentum=0.5, nesterov=True), weight, ones)] == pytest.approx(
        [-0.15, -0.325, -0.5125]
    )


def test_adams_first_step_is_the_learning_rate() -> None:
    for scale in (1e-3, 1.0, 1e3):
        weight = run(Adam(), np.zeros(2), [scale * np.array([1.0, -1.0])])[0]
        assert weight == pytest.approx(np.array([-0.1, 0.1]), rel=1e-4)


@OPTIMIZER
def test_decay_pulls_as_a_gradient_would(optimizer: Optimizer) -> None:
    weight, grads = numbers(1)
    plain = run(optimizer, weight, [grads[0] + 0.3 * weight])[0]
    assert run(optimizer, weight, grads, decay=0.3)[0] == pytest.approx(plain, rel=1e-12)


@OPTIMIZER
def test_a_layers_factor_scales_the_learning_rate(optimizer: Optimizer) -> None:
    weight, grads = numbers()
    scaled = run(optimizer, weight, grads, lr=0.1, factor=0.25)[-1]
    assert scaled == pytest.approx(run(optimizer, weight, grads, lr=0.025)[-1], rel=1e-12)
    frozen = run(optimizer, weight, grads, factor=0)[-1]
    assert np.array_equal(frozen, weight)


@OPTIMIZER
def test_float32_is_close_to_float64(optimizer: Optimizer) -> None:
    weight, grads = numbers()
    single = run(optimizer, weight.astype("float32"), [g.astype("float32") for g in grads])
    double = run(optimizer, weight, grads)
    assert single[-1].dtype == "float32"
    assert single[-1] == pytest.approx(double[-1], abs=1e-5)


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(BadValue):
        SGD(nesterov=True)


@pytest.mark.parity
@OPTIMIZER
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_as_pytorch(torch: ModuleType, optimizer: Optimizer, decay: float) -> None:
    weight, grads = numbers()
    theirs = torch.tensor(weight, requires_grad=True)
    if isinstance(optimizer, SGD):
        stepping = torch.optim.SGD(
            [theirs], lr=0.1, momentum=optimizer.momentum, nesterov=optimizer.nesterov,
            weight_decay=decay,
        )  # fmt: skip
    else:
        assert isinstance(optimizer, Adam)
        stepping = torch.optim.Adam(
            [theirs], lr=0.1, betas=(float(optimizer.beta1), float(optimizer.beta2)),
            eps=optimizer.eps, weight_decay=decay,
        )  # fmt: skip
    for mine, grad in zip(run(optimizer, weight, grads, decay=decay), grads, strict=True):
        theirs.grad = torch.tensor(grad)
        stepping.step()
        assert mine == pytest.approx(theirs.detach().numpy(), rel=1e-10, abs=1e-12)
