"""Losses against their definition, central differences and PyTorch."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import Arrays, garbage, locked

from cnnc.compiler.layers.layer import Shape
from cnnc.compiler.training.losses import CrossEntropy

SHAPES: list[Shape] = [(5,), (1,), (4, 1, 1), (3, 2, 4)]
SMOOTHINGS = [0.0, 0.1, 0.75]


def run(loss: CrossEntropy, x: Any, target: Any, batch: int | None = None) -> tuple[float, Any]:
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


def scores(loss: CrossEntropy, shape: Shape, n: int = 4, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, shape[0], (n, *loss.places(shape)))
    return rng.normal(size=(n, *shape)), target


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_value_is_the_definitions(shape: Shape, smoothing: float) -> None:
    loss = CrossEntropy(label_smoothing=smoothing)
    x, target = scores(loss, shape)
    expected = 0.0
    flat = x.reshape(*x.shape[:2], -1)
    for i, places in enumerate(target.reshape(len(x), -1)):
        for place, right in enumerate(places):
            p = np.exp(flat[i, :, place]) / np.exp(flat[i, :, place]).sum()
            q = np.full(shape[0], smoothing / shape[0])
            q[right] += 1 - smoothing
            expected -= np.sum(q * np.log(p))
    assert run(loss, x, target)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shape", SHAPES[::2])
def test_the_gradient_is_that_of_the_batch_mean(shape: Shape, smoothing: float) -> None:
    loss = CrossEntropy(label_smoothing=smoothing)
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


@pytest.mark.parity
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_as_pytorch(torch: ModuleType, shape: Shape, smoothing: float) -> None:
    loss = CrossEntropy(label_smoothing=smoothing)
    x, target = scores(loss, shape)
    value, dx = run(loss, x, target)
    if loss.places(shape) == ():
        target = target.reshape(len(x), *(1,) * (x.ndim - 2))
    theirs = torch.tensor(x, requires_grad=True)
    mean = torch.nn.functional.cross_entropy(
        theirs, torch.tensor(target), label_smoothing=smoothing
    )
    mean.backward()
    assert value / target.size == pytest.approx(mean.item(), rel=1e-12, abs=1e-14)
    assert np.max(np.abs(theirs.grad.numpy() - dx)) <= 1e-14
