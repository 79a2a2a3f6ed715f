"""How the weights of layers start, through the compiled net."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnnc


def weights(text: str) -> dict[str, Any]:
    return dict(cnnc.parse(f"INPUT(3x4x4) -> {text}").compile(batch=1).weights)


@pytest.mark.parametrize("text", ["BN", "LN", "GN(3)"])
def test_norms_start_as_the_identity(text: str) -> None:
    started = {name.split(".")[1]: value.tolist() for name, value in weights(text).items()}
    assert started.pop("weight") == [1, 1, 1]
    assert started.pop("bias") == [0, 0, 0]
    if text == "BN":
        assert started == {"running_mean": [0, 0, 0], "running_var": [1, 1, 1]}


def test_prelu_starts_at_a_quarter() -> None:
    assert weights("PRELU")["prelu1.weight"].tolist() == [0.25] * 3


def test_init_is_for_the_weight_and_not_for_the_bias() -> None:
    """As a residual net's last BN starts: its block then changes nothing."""
    zero = weights("BN(init=zero)")
    assert not np.any(zero["bn1.weight"]) and not np.any(zero["bn1.bias"])
    assert zero["bn1.running_var"].tolist() == [1, 1, 1]
    assert weights("PRELU(init=constant(-0.5))")["prelu1.weight"].tolist() == [-0.5] * 3


def test_constant_is_for_every_layer() -> None:
    started = weights("CONV(2, 3, init=constant(0.125))")
    assert np.all(started["conv1.weight"] == 0.125) and not np.any(started["conv1.bias"])
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse("INPUT(3x4x4) -> FC(2, init=constant)")
    assert [d.code for d in raised.value.diagnostics] == ["E403"]


def test_whiten_starts_as_the_identity_and_pca_as_nothing() -> None:
    started = weights("WHITEN -> PCA(2)")
    assert np.array_equal(started["whiten1.matrix"], np.eye(48))
    assert not np.any(started["whiten1.mean"]) and not np.any(started["pca1.matrix"])
