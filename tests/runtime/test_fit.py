"""Data layers are fitted on the training set, each on what those before it make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime.compiled import Compiled
from cnnc.runtime.errors import RunError
from cnnc.runtime.fit import fit_data_layers

N = 600  # more than are taken at once


def images(n: int = N) -> Any:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(n, 12)) @ rng.normal(size=(12, 12)) + rng.normal(0, 3, 12)
    return mixed.reshape(n, 3, 2, 2).astype("float32")


def compiled(chain: str, dtype: str = "float64") -> Compiled:
    program: Compiled = cnnc.parse(f"INPUT(3x2x2) -> {chain}").compile(batch=32, dtype=dtype)
    return program


def test_pca_refuses_to_run_before_it_is_fitted() -> None:
    program = compiled("CENTER -> PCA(4) -> FC(2)")
    x, y = images(8), np.zeros(8, int)
    message = r"pca1, PCA\(4\), is not fitted: cnnc.train fits it.*pca1.mean and pca1.matrix"
    for call in (program.step, program.loss_and_grads):
        with pytest.raises(ValueError, match=message):
            call(x, y)
    with pytest.raises(ValueError, match=message):
        program.predict(x)
    assert fit_data_layers(program, images()) == ["center1", "pca1"]
    assert np.isfinite(program.step(x, y))
    assert program.predict(x).shape == (8, 2)


def test_each_of_several_pcas_must_be_fitted() -> None:
    program = compiled("PCA(6) -> PCA(4) -> FC(2)")
    program.weights["pca1.matrix"] = np.eye(6, 12)
    with pytest.raises(ValueError, match="pca2, "):
        program.predict(images(8))
    program.weights["pca2.matrix"] = np.eye(4, 6)
    assert program.predict(images(8)).shape == (8, 2)


def test_whiten_changes_nothing_before_it_is_fitted() -> None:
    program, plain = compiled("WHITEN -> FC(2)"), compiled("FC(2)")
    for name, weight in plain.weights.items():
        program.weights[name] = weight
    assert np.array_equal(program.predict(images(8)), plain.predict(images(8)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_is_fitted_on_what_those_before_it_make(dtype: str) -> None:
    program = compiled("WHITEN(eps=0) -> PCA(5) -> NORMALIZE -> FC(2)", dtype)
    x = images()
    assert fit_data_layers(program, x) == ["whiten1", "pca1", "normalize1"]
    w = {name: weight.astype("float64") for name, weight in program.weights.items()}
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    white = (x.reshape(N, 12) - w["whiten1.mean"]) @ w["whiten1.matrix"].T
    assert white.T @ white / N == pytest.approx(np.eye(12), abs=tolerance)
    parts = (white - w["pca1.mean"]) @ w["pca1.matrix"].T
    assert w["pca1.matrix"] @ w["pca1.matrix"].T == pytest.approx(np.eye(5), abs=tolerance)
    assert w["normalize1.std"] == pytest.approx(parts.std(axis=0), rel=tolerance)
    scores = (parts / w["normalize1.std"]) @ w["fc1.weight"].T
    assert program.predict(x) == pytest.approx(scores, abs=10 * tolerance)


def test_too_few_samples_are_an_error_of_the_run() -> None:
    program = compiled("PCA(10) -> FC(2)")
    with pytest.raises(RunError, match=r"pca1 cannot be fitted: PCA\(10\) needs at least 10"):
        fit_data_layers(program, images(9))


def test_a_run_is_fitted_on_its_training_set(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from cnnc.runtime import data

    spec = tmp_path / "pca.cnn"
    spec.write_text("INPUT(1x8x8) -> PCA(20) -> WHITEN(eps=0.01) -> FC(10) train { epochs = 10 }")
    run = cnnc.train(str(spec), data="digits", out=str(tmp_path / "run"))
    x = data.load("digits", (1, 8, 8), run.compiled.training.seed, 10).train.x
    mean = x.reshape(len(x), 64).mean(axis=0, dtype="float64")
    assert run.compiled.weights["pca1.mean"] == pytest.approx(mean, abs=1e-6)
    assert run.accuracy > 0.85
