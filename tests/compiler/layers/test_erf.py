"""The error function, and GELU made of it, against Python's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import case

from cnnc.compiler.layers.erf import erf

NUMBERS = np.concatenate(
    [
        np.linspace(-7, 7, 28_001), np.linspace(-40, 40, 2001),
        [sign * 10.0**-power for sign in (-1, 1) for power in range(0, 300, 7)],
    ]
)  # fmt: skip


def erf_of(x: Any) -> Any:
    out, work = np.full_like(x, np.nan), np.full_like(x, np.nan)
    erf(np, x, out, work)
    return out


def test_float64() -> None:
    expected = np.array([math.erf(x) for x in NUMBERS])
    assert np.max(np.abs(erf_of(NUMBERS) - expected)) < 1e-15


def test_float32() -> None:
    x = NUMBERS.astype("float32")
    expected = np.array([math.erf(v) for v in x])
    got = erf_of(x)
    assert got.dtype == "float32"
    assert np.max(np.abs(got - expected)) < 5e-7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ends_and_symmetry(dtype: str) -> None:
    ends = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    assert np.array_equal(erf_of(ends), [0, 0, 1, -1, np.nan], equal_nan=True)
    assert np.signbit(erf_of(ends)[1])
    x = NUMBERS.astype(dtype)
    assert np.array_equal(erf_of(-x), -erf_of(x))


def test_gelu_and_its_slope() -> None:
    given = case("GELU", (len(NUMBERS),), 1)
    given.x, given.dy = NUMBERS[None], np.ones((1, len(NUMBERS)))
    phi = [0.5 * math.erfc(-x / math.sqrt(2)) for x in NUMBERS]
    density = np.exp(-0.5 * NUMBERS**2) / math.sqrt(2 * math.pi)
    scale = np.maximum(np.abs(NUMBERS), 1)
    assert np.max(np.abs(given.forward() - NUMBERS * phi) / scale) < 1e-15
    assert np.max(np.abs(given.backward()[0] - (phi + NUMBERS * density)) / scale) < 1e-15
