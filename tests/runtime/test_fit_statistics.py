"""Data layers are fitted on the training set, each on what those before it make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime import fit
from cnnc.runtime.fit import fit_data_layers

RNG = np.random.default_rng(0)
# Channels of different scale, off centre.
X = (RNG.normal(size=(37, 2, 3, 4)) * [[[3.0]], [[0.5]]] + [[[5.0]], [[-2.0]]]).astype("float32")


def fitted(layers: str, x: Any = X, dtype: str = "float64") -> tuple[Any, list[str]]:
    shape = "x".join(map(str, x.shape[1:]))
    compiled = cnnc.parse(f"INPUT({shape}) -> {layers} -> FC(3)").compile(batch=4, dtype=dtype)
    return compiled, fit_data_layers(compiled, x)


@pytest.mark.parametrize("chunk", [1, 10, 37, 256])
def test_every_sample_counts_whatever_is_read_at_once(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "CHUNK", chunk)
    compiled, names = fitted("CENTER -> NORMALIZE -> NORMALIZE(range, pixel)")
    assert names == ["center1", "normalize1", "normalize2"]
    mean = X.mean(axis=(0, 2, 3), dtype="float64")  # (2,)
    std = X.std(axis=(0, 2, 3), dtype="float64")  # (2,)
    assert compiled.weights["center1.mean"] == pytest.approx(mean, rel=1e-12)
    assert compiled.weights["normalize1.std"] == pytest.approx(std, rel=1e-12)
    prepared = (X - mean[:, None, None]) / std[:, None, None]  # (37, 2, 3, 4)
    assert compiled.weights["normalize2.min"] == pytest.approx(prepared.min(axis=0), rel=1e-10)
    assert compiled.weights["normalize2.max"] == pytest.approx(prepared.max(axis=0), rel=1e-10)


@pytest.mark.parametrize("per", ["channel", "pixel"])
def test_data_come_out_centred_and_scaled(per: str) -> None:
    compiled, _ = fitted(f"CENTER({per}) -> NORMALIZE(std, {per})", dtype="float32")
    mean, std = compiled.weights["center1.mean"], compiled.weights["normalize1.std"]
    if per == "channel":
        mean, std = mean[:, None, None], std[:, None, None]
    prepared = (X - mean) / std  # (37, 2, 3, 4)
    axes = (0, 2, 3) if per == "channel" else 0
    assert prepared.mean(axis=axes) == pytest.approx(0, abs=1e-5)
    assert prepared.std(axis=axes) == pytest.approx(1, abs=1e-5)


def test_what_never_changes_is_divided_by_one() -> None:
    x = np.full((5, 1, 2, 2), 0.1, "float32")
    x[:, 0, 0, 0] = [0, 1, 2, 3, 4]
    compiled, _ = fitted("NORMALIZE(std, pixel) -> NORMALIZE(range, pixel)", x)
    std = compiled.weights["normalize1.std"][0]
    assert std[0, 0] == pytest.approx(np.sqrt(2)) and std[1].tolist() == [1, 1]
    assert np.isfinite(compiled.predict(x)).all()


def test_a_vector_is_fitted_too() -> None:
    compiled, _ = fitted("CENTER", X.reshape(37, -1))
    assert compiled.weights["center1.mean"] == pytest.approx(
        X.reshape(37, -1).mean(axis=0, dtype="float64"), rel=1e-12
    )


def test_fitting_changes_nothing_else() -> None:
    before = X.copy()
    compiled, _ = fitted("CENTER")
    fresh = cnnc.parse("INPUT(2x3x4) -> CENTER -> FC(3)").compile(batch=4, dtype="float64")
    for name in ("fc1.weight", "fc1.bias"):
        assert np.array_equal(compiled.weights[name], fresh.weights[name])
    assert np.array_equal(X, before)


def test_a_net_without_data_layers() -> None:
    assert fitted("RELU")[1] == []
