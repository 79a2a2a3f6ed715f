"""Optimizers against their formulas, and against PyTorch."""

from __future__ import annotations

import tracemalloc
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import garbage, locked

from cnnc.compiler.arguments import BadValue
from cnnc.compiler.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

OPTIMIZERS = [
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.5, nesterov=True),
    Adam(),
    Adam(beta1=0.5, beta2=0.9, eps=1e-3),
    Adam(beta1=0, beta2=0),
    Adam(amsgrad=True, beta2=0.5),
    AdamW(),
    AdamW(beta1=0.8, beta2=0.95, eps=1e-4, amsgrad=True),
    RMSprop(),
    RMSprop(alpha=0.9, eps=1e-3, momentum=0.8),
    RMSprop(centered=True),
    RMSprop(alpha=0.5, centered=True, momentum=0.9),
]
STEPS = 24
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


def numbers(steps: int = STEPS) -> tuple[Any, list[Any]]:
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


def test_adamws_decay_takes_a_part_of_the_weight() -> None:
    weight, none = numbers()[0], [np.zeros((3, 4))] * 3
    shrunk = run(AdamW(), weight, none, lr=0.1, factor=0.5, decay=0.2)
    for number, mine in enumerate(shrunk, start=1):
        assert mine == pytest.approx(weight * (1 - 0.1 * 0.5 * 0.2) ** number, rel=1e-12)


def test_adamw_without_decay_is_adam() -> None:
    weight, grads = numbers()
    for one, other in zip(run(AdamW(), weight, grads), run(Adam(), weight, grads), strict=True):
        assert np.array_equal(one, other)


def test_rmsprop_by_hand() -> None:
    weight, ones = np.zeros(1), [np.ones(1)] * 3
    # v = 1/2, 3/4, 7/8 of 1
    expected = -np.cumsum(0.1 / np.sqrt([0.5, 0.75, 0.875]))
    assert np.ravel(run(RMSprop(alpha=0.5), weight, ones)) == pytest.approx(expected, rel=1e-6)
    # the variance is v - v^2 = 1/4, 3/16, 7/64
    expected = -np.cumsum(0.1 / np.sqrt([1 / 4, 3 / 16, 7 / 64]))
    centered = run(RMSprop(alpha=0.5, centered=True), weight, ones)
    assert np.ravel(centered) == pytest.approx(expected, rel=1e-6)


def test_amsgrad_never_forgets_a_large_gradient() -> None:
    weight, grads = np.zeros(1), [np.array([100.0]), *[np.ones(1)] * 200]
    plain, kept = (Adam(beta2=0.5, amsgrad=a) for a in (False, True))
    last = [abs(np.diff(np.ravel(run(o, weight, grads)))[-1]) for o in (plain, kept)]
    assert last[0] == pytest.approx(0.1, rel=1e-3) and last[1] < 0.002


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_gradients_have_no_variance_below_0(dtype: str) -> None:
    """Rounding would take its root to nan, in a run whose loss has become flat."""
    gradient = np.full(100, 0.1, dtype) * np.arange(1, 101, dtype=dtype)
    optimizer = RMSprop(alpha=0.5, centered=True)
    assert np.all(np.isfinite(run(optimizer, np.zeros(100, dtype), [gradient] * 200)))


@OPTIMIZER
def test_decay_pulls_as_a_gradient_would(optimizer: Optimizer) -> None:
    if isinstance(optimizer, AdamW):
        return
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
    assert single[-1] == pytest.approx(double[-1], abs=2e-5)


@OPTIMIZER
def test_an_update_allocates_nothing_as_large_as_a_weight(optimizer: Optimizer) -> None:
    names = ("weight", "grad", *optimizer.states(), *optimizer.work)
    given = {name: np.ones(500_000, "float32") for name in names}
    arrays = SimpleNamespace(
        **given, lr=np.ones(1, "float32"), step=np.ones(1), lr_factor=1.0, decay=0.1
    )
    optimizer.update(np, arrays)
    tracemalloc.start()
    try:
        optimizer.update(np, arrays)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(BadValue):
        SGD(nesterov=True)


def theirs_of(optimizer: Optimizer, weight: Any, decay: float) -> Any:
    """PyTorch's optimizer with the same arguments."""
    from tests.parity.training import optimizer_of

    return optimizer_of(optimizer, [{"params": [weight], "lr": 0.1, "weight_decay": decay}])


@pytest.mark.parity
@OPTIMIZER
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_as_pytorch(torch: ModuleType, optimizer: Optimizer, decay: float, dtype: str) -> None:
    weight, grads = numbers()
    weight, grads = weight.astype(dtype), [g.astype(dtype) for g in grads]
    theirs = torch.tensor(weight, requires_grad=True)
    stepping = theirs_of(optimizer, theirs, decay)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    for mine, grad in zip(run(optimizer, weight, grads, decay=decay), grads, strict=True):
        theirs.grad = torch.tensor(grad)
        stepping.step()
        assert mine == pytest.approx(theirs.detach().numpy(), rel=tolerance, abs=tolerance)


@pytest.mark.parity
@pytest.mark.parametrize("cls", [SGD, Adam, AdamW, RMSprop])
def test_defaults_are_pytorchs(torch: ModuleType, cls: type[Optimizer]) -> None:
    stepping = theirs_of(cls(), torch.zeros(1, requires_grad=True), 0)
    assert stepping.defaults == type(stepping)([torch.zeros(1)]).defaults
    assert stepping.defaults["weight_decay"] == cls.usual_decay
