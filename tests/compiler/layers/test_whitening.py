"""Fits of PCA and WHITEN against scikit-learn and against what they promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from cnnc.compiler.layers.layer import Unfit
from cnnc.compiler.layers.whitening import PCA, Whiten

N, SHAPE = 203, (2, 3, 4)
K = 24


def images(seed: int = 0, n: int = N, shape: tuple[int, ...] = SHAPE) -> Any:
    """Numbers that go together, around means that differ, in float32."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    mixed = rng.normal(size=(n, size)) @ rng.normal(size=(size, size)) + rng.normal(0, 5, size)
    return mixed.reshape(n, *shape).astype("float32")


def in_batches(x: Any, step: int = 50) -> Callable[[], Iterator[Any]]:
    return lambda: (x[start : start + step] for start in range(0, len(x), step))


def turned(found: dict[str, Any], x: Any) -> Any:
    return (x.reshape(len(x), -1) - found["mean"]) @ found["matrix"].T


@pytest.mark.parametrize("k", [1, 5, K])
def test_pca_is_scikit_learns_but_for_signs(k: int) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = images()
    found = PCA(k=k).fit(np, in_batches(x))
    assert found["matrix"].shape == (k, K) and found["matrix"].dtype == "float64"
    theirs = decomposition.PCA(k, svd_solver="full").fit(x.reshape(N, K).astype("float64"))
    assert found["mean"] == pytest.approx(theirs.mean_, rel=1e-12)
    signs = np.sign(np.sum(found["matrix"] * theirs.components_, axis=1, keepdims=True))
    assert found["matrix"] == pytest.approx(signs * theirs.components_, abs=1e-9)
    ours = turned(found, x).var(axis=0, ddof=1)
    assert ours == pytest.approx(theirs.explained_variance_, rel=1e-9)


def test_the_largest_entry_of_each_component_is_positive() -> None:
    """So that a fit does not depend on the library that finds eigenvectors."""
    for fitted in (PCA(k=K), Whiten(mode="pca")):
        matrix = fitted.fit(np, in_batches(images()))["matrix"]
        largest = np.take_along_axis(matrix, np.abs(matrix).argmax(axis=1)[:, None], axis=1)
        assert np.all(largest > 0)


def test_batches_change_nothing_that_matters() -> None:
    x = images()
    one, other = (PCA(k=4).fit(np, in_batches(x, step)) for step in (N, 7))
    assert one["matrix"] == pytest.approx(other["matrix"], abs=1e-11)


@pytest.mark.parametrize("mode", ["zca", "pca"])
def test_white_is_uncorrelated_with_variance_1(mode: str) -> None:
    x = images()
    y = turned(Whiten(mode=mode, eps=0).fit(np, in_batches(x)), x)
    assert y.mean(axis=0) == pytest.approx(np.zeros(K), abs=1e-9)
    assert y.T @ y / N == pytest.approx(np.eye(K), abs=1e-8)


def test_zca_stays_as_close_as_it_can() -> None:
    """Of all ways to make numbers white it has the symmetric matrix (Kessy et al. 2018)."""
    x = images()
    zca, pca = (Whiten(mode=m).fit(np, in_batches(x)) for m in ("zca", "pca"))
    assert zca["matrix"] == pytest.approx(zca["matrix"].T, abs=1e-12)
    off = x.reshape(N, K) - zca["mean"]
    assert np.sum((turned(zca, x) - off) ** 2) < np.sum((turned(pca, x) - off) ** 2)


@pytest.mark.parametrize("mode", ["zca", "pca"])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_formula_with_eps(mode: str, eps: float) -> None:
    x = images().astype("float64").reshape(N, K)
    off = x - x.mean(axis=0)
    variances, vectors = np.linalg.eigh(off.T @ off / N)
    root = vectors @ np.diag(1 / np.sqrt(variances + eps)) @ vectors.T
    found = Whiten(mode=mode, eps=eps).fit(np, in_batches(images()))["matrix"]
    if mode == "zca":
        assert found == pytest.approx(root, abs=1e-9)
    else:
        assert found.T @ found == pytest.approx(root @ root, abs=1e-8)
        shrunk = np.linalg.norm(found, axis=1)  # the largest variance first
        assert shrunk == pytest.approx(1 / np.sqrt(variances[::-1] + eps))


def test_whitening_is_scikit_learns() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = images()
    y = turned(Whiten(mode="pca", eps=0).fit(np, in_batches(x)), x)
    whitened = decomposition.PCA(whiten=True, svd_solver="full").fit_transform(
        x.reshape(N, K).astype("float64")
    )
    # Its variances are divided by n - 1.
    assert np.abs(y) == pytest.approx(np.abs(whitened) * np.sqrt(N / (N - 1)), abs=1e-7)


@pytest.mark.parametrize("mode", ["zca", "pca"])
@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_what_does_not_vary_stays_finite(mode: str, eps: float) -> None:
    """The border of scanned digits is always 0; so is the variance of a repeated channel."""
    x = images()
    x[:, 0, 0] = 3.0
    x[:, 1, 1] = x[:, 1, 2]
    found = Whiten(mode=mode, eps=eps).fit(np, in_batches(x))
    assert np.all(np.isfinite(found["matrix"]))
    y = turned(found, x)
    assert np.max(np.abs(y)) < 20
    unseen = turned(found, images(1))
    assert np.all(np.isfinite(unseen))
    if eps == 0:  # no variance of rounding errors is blown up
        assert np.max(np.abs(found["matrix"])) < 1e3
    same = Whiten(mode=mode, eps=eps).fit(np, in_batches(np.ones((9, *SHAPE), "float32")))
    assert np.all(np.isfinite(same["matrix"]))


def test_pca_needs_as_many_samples_as_it_keeps() -> None:
    x = images(n=9)
    assert PCA(k=9).fit(np, in_batches(x))["matrix"].shape == (9, K)
    with pytest.raises(Unfit, match=r"PCA\(10\) needs at least 10 training samples, not 9"):
        PCA(k=10).fit(np, in_batches(x))
