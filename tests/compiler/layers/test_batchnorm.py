"""BN's bodies: statistics of parts put together, running statistics, prediction."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.batches import BatchCase
from tests.compiler.layers.harness import Case, case

from cnnc.compiler.layers.batchnorm import BN

SPLITS = [(12,), (6, 6), (1, 11), (5, 4, 3), (1,) * 12]


def statistics(x: Any, split: tuple[int, ...]) -> Any:
    """Those of the batch, taken in parts."""
    ends = np.cumsum(split)
    parts = [slice(end - n, end) for n, end in zip(split, ends, strict=True)]

    class Split(BatchCase):
        @property
        def parts(self) -> list[slice]:
            return parts

    given = case("BN", x.shape[1:], len(x), dtype=str(x.dtype))
    split_case = Split(given.layer, x, given.weights, given.dy, given.capacity)
    return SimpleNamespace(**split_case.statistics())


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("shape", [(3, 2, 4), (5,)])
def test_statistics_of_parts_are_those_of_the_whole(
    split: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).normal(3, 2, (12, *shape))
    found = statistics(x, split)
    axes = (0, *range(2, x.ndim))
    assert found.count == x.size / x.shape[1]
    assert found.mean == pytest.approx(x.mean(axis=axes), rel=1e-13)
    assert found.m2 / found.count == pytest.approx(x.var(axis=axes), rel=1e-13)
    assert found.rstd == pytest.approx(1 / np.sqrt(x.var(axis=axes) + 1e-5), rel=1e-13)


@pytest.mark.parametrize("split", SPLITS)
def test_a_mean_far_from_zero_costs_no_digits(split: tuple[int, ...]) -> None:
    """A difference of squares would leave nothing of a variance of 1 beside 1e9 squared."""
    x = 1e9 + np.random.default_rng(0).normal(size=(12, 2, 8, 8))
    found = statistics(x, split)
    assert found.m2 / found.count == pytest.approx(x.var(axis=(0, 2, 3)), rel=1e-6)
    single = statistics((x - 1e9 + 1000).astype("float32"), split)
    assert single.m2 / single.count == pytest.approx(x.var(axis=(0, 2, 3)), rel=1e-3)


def tracked(values: Any, momentum: float) -> tuple[Any, Any]:
    """Running mean and variance after a batch (N, C)."""
    n, channels = values.shape
    layer = BN(momentum=momentum)
    a: dict[str, Any] = {
        "count": np.array([float(n)]), "mean": values.mean(axis=0),
        "m2": n * values.var(axis=0), "rstd": np.full(channels, np.nan),
        "running_mean": np.full(channels, 0.5), "running_var": np.full(channels, 2.0),
    }  # fmt: skip
    for work in layer.buffers(n, (channels,)):
        if work.use == "track":
            a[work.name] = np.full(work.shape, np.nan)
    layer.track(np, SimpleNamespace(**a))
    return a["running_mean"], a["running_var"]


@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("n", [2, 3, 50])
def test_running_statistics_move_by_momentum(momentum: float, n: int) -> None:
    values = np.random.default_rng(n).normal(size=(n, 4))
    mean, variance = tracked(values, momentum)
    assert mean == pytest.approx((1 - momentum) * 0.5 + momentum * values.mean(axis=0))
    assert variance == pytest.approx((1 - momentum) * 2 + momentum * values.var(axis=0, ddof=1))


def test_one_value_has_a_mean_and_no_variance() -> None:
    mean, variance = tracked(np.array([[7.0]]), 0.1)
    assert mean == pytest.approx([0.9 * 0.5 + 0.7])
    assert variance == [2.0]


def test_one_value_gives_the_bias() -> None:
    given = case("BN", (4,), 1)
    assert np.array_equal(given.forward(), given.weights["bias"][None])
    dx, grads = given.backward()
    assert not np.any(dx) and not np.any(grads["weight"])
    assert np.array_equal(grads["bias"], given.dy[0])


def test_prediction_takes_the_running_statistics() -> None:
    """Sample by sample: through the plain harness, which locks what is read."""
    of_batch = case("BN(eps=0.1)", (3, 2, 4), 5)
    w = {name: value[:, None, None] for name, value in of_batch.weights.items()}
    w["running_var"] = of_batch.weights["running_var"][:, None, None] + 2
    weights = of_batch.weights | {"running_var": of_batch.weights["running_var"] + 2}
    given = Case(of_batch.layer, of_batch.x, weights, of_batch.dy, 5)
    hat = (given.x - w["running_mean"]) / np.sqrt(w["running_var"] + 0.1)
    assert given.forward() == pytest.approx(hat * w["weight"] + w["bias"], rel=1e-13)


def test_prediction_allocates_nothing_that_grows_with_the_batch() -> None:
    def peak(n: int) -> int:
        x = np.ones((n, 3, 2, 4))
        a = {name: np.ones(3) for name in ("weight", "bias", "running_mean", "running_var")}
        arrays = SimpleNamespace(x=x, y=np.empty_like(x), factor=np.empty(3), **a)
        tracemalloc.start()
        BN().forward(np, arrays)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(17_000) <= peak(8_500) + 256


def test_two_classes_of_samples_mix() -> None:
    """What one sample becomes depends on the others: that is the point."""
    given = case("BN", (2, 2, 2), 3)
    before = given.forward()
    given.x = given.x.copy()
    given.x[2] += 1
    assert np.max(np.abs(given.forward()[0] - before[0])) > 0.01
