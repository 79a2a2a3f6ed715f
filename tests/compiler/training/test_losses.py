"""Losses against their definition, central differences and PyTorch."""

from __future__ import annotations

import tracemalloc
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import Arrays, garbage, locked

from cnnc.compiler.arguments import BadValue
from cnnc.compiler.layers.layer import Shape
from cnnc.compiler.training.losses import MSE, CrossEntropy, Hinge, Loss

SHAPES: list[Shape] = [(5,), (1,), (4, 1, 1), (3, 2, 4)]
LOSSES = [
    CrossEntropy(), CrossEntropy(label_smoothing=0.1), CrossEntropy(label_smoothing=0.75),
    MSE(), Hinge(),
]  # fmt: skip
LOSS = pytest.mark.parametrize("loss", LOSSES, ids=str)


def run(loss: Loss, x: Any, target: Any, batch: int | None = None) -> tuple[float, Any]:
    """The loss summed over the samples, and the gradient of the mean over the batch's samples."""
    n, shape = len(x), x.shape[1:]
    places = int(np.prod(loss.places(shape)))
    arrays = Arrays(loss.buffers(n + 2, shape), n, str(x.dtype))
    value, dx = garbage((1,), str(x.dtype)), garbage(x.shape, str(x.dtype))
    given = {"x": locked(x), "target": locked(target)}
    loss.forward(np, SimpleNamespace(**arrays.of("forward"), **given, loss=value))
    scale = locked(np.array([1 / ((batch or n) * places)], x.dtype))
    loss.backward(np, SimpleNamespace(**arrays.of("backward"), scale=scale, dx=dx))
    return float(value[0]), dx


def scores(loss: Loss, shape: Shape, n: int = 4, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, shape[0], (n, *loss.places(shape)))
    return rng.normal(size=(n, *shape)), target


def at_one_place(loss: Loss, x: Any, right: int) -> float:
    """The definition, for scores (K,) and the right class."""
    k = len(x)
    if isinstance(loss, CrossEntropy):
        q = np.full(k, loss.label_smoothing / k)
        q[right] += 1 - loss.label_smoothing
        return -float(np.sum(q * np.log(np.exp(x) / np.exp(x).sum())))
    if isinstance(loss, MSE):
        return float(np.mean((x - np.eye(k)[right]) ** 2))
    return float(sum(max(0, 1 + x[j] - x[right]) for j in range(k) if j != right))


@LOSS
@pytest.mark.parametrize("shape", SHAPES)
def test_the_value_is_the_definitions(shape: Shape, loss: Loss) -> None:
    x, target = scores(loss, shape)
    flat = x.reshape(*x.shape[:2], -1)
    expected = sum(
        at_one_place(loss, flat[i, :, place], right)
        for i, places in enumerate(target.reshape(len(x), -1))
        for place, right in enumerate(places)
    )
    assert run(loss, x, target)[0] == pytest.approx(expected, rel=1e-12)


@LOSS
@pytest.mark.parametrize("shape", SHAPES[::2])
def test_the_gradient_is_that_of_the_batch_mean(shape: Shape, loss: Loss) -> None:
    x, target = scores(loss, shape)
    _, dx = run(loss, x, target, batch=10)  # these samples are a part of a batch of 10
    judged = 10 * int(np.prod(loss.places(shape)))
    slopes = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = 1e-5
        slopes[i] = run(loss, x + step, target)[0] - run(loss, x - step, target)[0]
    assert np.max(np.abs(slopes / 2e-5 / judged - dx)) <= 1e-8 * np.max(np.abs(dx))


def test_huge_scores_neither_overflow_nor_lose_the_gradient() -> None:
    loss = CrossEntropy()
    x = np.array([[1e4, 0.0, -1e4]], "float32")
    value, dx = run(loss, x, np.array([1]))
    assert value == pytest.approx(1e4)
    assert dx == pytest.approx(np.array([[1.0, -1.0, 0.0]]))


@LOSS
@pytest.mark.parametrize("shape", [(12,), (5, 40, 40)])
def test_bodies_allocate_nothing_that_grows_with_the_batch(shape: Shape, loss: Loss) -> None:
    def peak(n: int) -> int:
        x, target = scores(loss, shape, n)
        x = x.astype("float32")
        arrays = Arrays(loss.buffers(n, shape), n, "float32")
        value, dx, scale = (garbage(s, "float32") for s in ((1,), x.shape, (1,)))
        forward = SimpleNamespace(**arrays.of("forward"), x=x, target=target, loss=value)
        backward = SimpleNamespace(**arrays.of("backward"), scale=scale, dx=dx)
        tracemalloc.start()
        try:
            loss.forward(np, forward)
            loss.backward(np, backward)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # NumPy's own buffers, of 8192 numbers, are full in both.
    assert peak(8192) <= peak(4096) + 1000 if shape == (12,) else peak(16) <= peak(8) + 1000


def test_hinge_by_hand() -> None:
    x = np.array([[1.0, 0.5, 3.0, -9.0], [5.0, 1.0, 2.0, 3.9]])
    value, dx = run(Hinge(), x, np.array([0, 0]))
    assert value == pytest.approx(0.5 + 3.0)  # the second sample is right by more than 1
    assert np.array_equal(dx, [[-1.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]])


def test_a_margin_of_exactly_1_costs_nothing() -> None:
    value, dx = run(Hinge(), np.array([[2.0, 1.0]]), np.array([0]))
    assert value == 0 and not dx.any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_right_class_has_no_margin_of_its_own(dtype: str) -> None:
    """Scores that float32 rounds when 1 is added."""
    x = np.array([[1e7 / 3, -1e9, -1e9], [1e-9, -3.0, -3.0]], dtype)
    value, dx = run(Hinge(), x, np.array([0, 0]))
    assert value == 0 and not dx.any()


def test_mse_by_hand() -> None:
    value, dx = run(MSE(), np.array([[0.5, 1.0], [1.0, 0.0]]), np.array([0, 0]))
    assert value == pytest.approx((0.25 + 1) / 2)
    assert dx == pytest.approx(np.array([[-0.25, 0.5], [0, 0]]))


def test_hinge_refuses_one_output() -> None:
    with pytest.raises(BadValue, match="2 outputs"):
        Hinge().require((1,))
    Hinge().require((2, 4, 4))


@pytest.mark.parity
@LOSS
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_as_pytorch(torch: ModuleType, shape: Shape, loss: Loss, dtype: str) -> None:
    from tests.parity.training import loss_of

    x, target = scores(loss, shape)
    x = x.astype(dtype)
    value, dx = run(loss, x, target)
    theirs = torch.tensor(x, requires_grad=True)
    mean = loss_of(loss, theirs, target)
    mean.backward()
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    assert value / target.size == pytest.approx(mean.item(), rel=tolerance, abs=1e-14)
    assert np.max(np.abs(theirs.grad.numpy() - dx)) <= tolerance
