"""Clipping against its formula and PyTorch's clip_grad_norm_."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import garbage

from cnnc.compiler.training.clip import Clip

SHAPES: list[tuple[int, ...]] = [(4, 3, 2, 2), (4,), (50, 30), (1,)]


def clipped(most: float, grads: list[Any]) -> list[Any]:
    dtype = str(grads[0].dtype)
    changed = [grad.copy() for grad in grads]
    Clip(most).clip(
        np,
        SimpleNamespace(
            grads=tuple(changed), square=garbage((max(g.size for g in grads),), dtype),
            sums=garbage((len(grads),), dtype), factor=garbage((1,), dtype),
        ),
    )  # fmt: skip
    return changed


def gradients(dtype: str = "float64", seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def norm(grads: list[Any]) -> float:
    return float(np.sqrt(sum(np.sum(g.astype("float64") ** 2) for g in grads)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_long_gradient_keeps_its_direction_and_gets_the_length(dtype: str) -> None:
    grads = gradients(dtype)
    changed = clipped(0.5, grads)
    assert norm(changed) == pytest.approx(0.5, rel=1e-5)
    for grad, new in zip(grads, changed, strict=True):
        assert new.dtype == dtype
        assert new == pytest.approx(grad * 0.5 / norm(grads), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_short_one_stays_to_the_bit(dtype: str) -> None:
    grads = gradients(dtype)
    for most in (norm(grads) * 1.001, 1e6):
        for grad, same in zip(grads, clipped(most, grads), strict=True):
            assert np.array_equal(grad, same)


def test_no_gradient_at_all_is_no_division_by_0() -> None:
    assert not any(g.any() for g in clipped(1.0, [np.zeros(3), np.zeros((2, 2))]))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("most", [1e-3, 1, 35, 1e3])
def test_as_pytorch(torch: ModuleType, most: float, dtype: str) -> None:
    grads = gradients(dtype, seed=1)
    assert 35 < norm(grads) < 1e3
    theirs = [torch.nn.Parameter(torch.tensor(grad)) for grad in grads]
    for parameter, grad in zip(theirs, grads, strict=True):
        parameter.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_(theirs, most)
    tolerance = 1e-12 if dtype == "float64" else 1e-6
    for parameter, mine in zip(theirs, clipped(most, grads), strict=True):
        assert mine == pytest.approx(parameter.grad.numpy(), rel=tolerance, abs=1e-12)
