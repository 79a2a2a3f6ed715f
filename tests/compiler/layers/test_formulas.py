"""What layers compute against their formulas, written out sample by sample and entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import Case, case

from cnnc.compiler.layers.layer import Shape

FORMULAS: list[tuple[str, Shape, Callable[[Case, Any], Any]]] = []  # of one sample


def formula(text: str, shape: Shape) -> Callable[[Any], Any]:
    def register(function: Callable[[Case, Any], Any]) -> Callable[[Case, Any], Any]:
        FORMULAS.append((text, shape, function))
        return function

    return register


@formula("PRELU", (3, 2, 4))
def prelu(given: Case, x: Any) -> Any:
    slopes = given.weights["weight"]
    return np.array([np.where(x[c] > 0, x[c], slopes[c] * x[c]) for c in range(3)])


@formula("RELU6", (2, 5, 6))
@formula("RELU6", (40,))
def relu6(given: Case, x: Any) -> Any:
    return np.clip(x, 0, 6)


@formula("ELU", (40,))
def elu(given: Case, x: Any) -> Any:
    return [v if v > 0 else np.exp(v) - 1 for v in x]


@formula("ELU(0.3)", (40,))
def elu_scaled(given: Case, x: Any) -> Any:
    return [v if v > 0 else 0.3 * (np.exp(v) - 1) for v in x]


@formula("SILU", (40,))
def silu(given: Case, x: Any) -> Any:
    return x / (1 + np.exp(-x))


@formula("SOFTPLUS", (40,))
def softplus(given: Case, x: Any) -> Any:
    return np.log(1 + np.exp(x))


@formula("MAXOUT(3)", (6, 2, 4))
def maxout(given: Case, x: Any) -> Any:
    return np.stack([x[0:3].max(axis=0), x[3:6].max(axis=0)])


@formula("LRN(5, alpha=0.5, beta=0.6, k=1.5)", (7, 2, 2))
def lrn(given: Case, x: Any) -> Any:
    return np.array(
        [
            x[c]
            / (1.5 + 0.5 / 5 * sum(x[j] ** 2 for j in range(c - 2, c + 3) if 0 <= j < 7)) ** 0.6
            for c in range(7)
        ]
    )


@formula("LRN(2, alpha=3)", (4, 2, 2))
def lrn_even(given: Case, x: Any) -> Any:
    """The extra channel of an even window lies before."""
    squares = [x[c] ** 2 + (x[c - 1] ** 2 if c else 0) for c in range(4)]
    return np.array([x[c] / (2 + 3 / 2 * squares[c]) ** 0.75 for c in range(4)])


@formula("LN", (4, 2, 3))
def ln(given: Case, x: Any) -> Any:
    y = np.empty_like(x)
    for i in range(2):
        for j in range(3):
            at = x[:, i, j]
            hat = (at - at.mean()) / np.sqrt(at.var() + 1e-5)
            y[:, i, j] = hat * given.weights["weight"] + given.weights["bias"]
    return y


@formula("LN(eps=0.1)", (9,))
def ln_of_a_vector(given: Case, x: Any) -> Any:
    hat = (x - x.mean()) / np.sqrt(x.var() + 0.1)
    return hat * given.weights["weight"] + given.weights["bias"]


@formula("GN(2)", (6, 2, 3))
def gn(given: Case, x: Any) -> Any:
    groups = (x[:3], x[3:])
    hat = np.concatenate([(g - g.mean()) / np.sqrt(g.var() + 1e-5) for g in groups])
    weight, bias = given.weights["weight"], given.weights["bias"]
    return hat * weight[:, None, None] + bias[:, None, None]


@formula("GLOBALPOOL", (3, 2, 4))
def globalpool(given: Case, x: Any) -> Any:
    return [[[m.mean()]] for m in x]


@formula("GLOBALPOOL(max)", (3, 2, 4))
def globalpool_max(given: Case, x: Any) -> Any:
    return [[[m.max()]] for m in x]


@formula("RESHAPE(4x3x2)", (2, 3, 4))
def reshape(given: Case, x: Any) -> Any:
    return x.reshape(4, 3, 2)


@formula("PCA(4)", (2, 2, 3))
def pca(given: Case, x: Any) -> Any:
    return given.weights["matrix"] @ (x.reshape(-1) - given.weights["mean"])


@formula("WHITEN(pca)", (2, 2, 3))
def whiten(given: Case, x: Any) -> Any:
    return (given.weights["matrix"] @ (x.reshape(-1) - given.weights["mean"])).reshape(2, 2, 3)


@pytest.mark.parametrize(
    "text, shape, expected", FORMULAS, ids=[f.__name__ for _, _, f in FORMULAS]
)
def test_forward(text: str, shape: Shape, expected: Any) -> None:
    given = case(text, shape, 4)
    given.x = given.x * 8  # beyond RELU6's ends
    y = np.array([expected(given, x) for x in given.x])
    assert given.forward() == pytest.approx(y, rel=1e-13, abs=1e-13)


def test_ties_go_to_the_first() -> None:
    """Also where all is equal, as in a channel of zeros behind a RELU."""
    pool = case("GLOBALPOOL(max)", (2, 2, 2), 1)
    pool.x = np.zeros((1, 2, 2, 2))
    pool.x[0, 1, 1] = 5  # the last two
    dx, _ = pool.backward()
    assert np.flatnonzero(dx).tolist() == [0, 6]
    out = case("MAXOUT(3)", (3,), 1)
    out.x = np.array([[1.0, 2.0, 2.0]])
    assert np.flatnonzero(out.backward()[0]).tolist() == [1]


@pytest.mark.parametrize("text", ["ELU", "SOFTPLUS", "SILU", "GELU", "RELU6", "PRELU"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_numbers_do_not_overflow(text: str, dtype: str) -> None:
    given = case(text, (4,), 1, dtype=dtype)
    given.x = np.array([[-1e4, -200.0, 200.0, 1e4]], dtype)
    given.dy = np.ones((1, 4), dtype)
    with np.errstate(over="raise", invalid="raise"):
        y, (dx, _) = given.forward(), given.backward()
    assert np.all(np.isfinite(y)) and np.all(np.isfinite(dx))
    kept = [6, 6] if text == "RELU6" else [200, 1e4]
    assert y[0, 2:].tolist() == kept


@pytest.mark.parametrize("text, shape", [("MAXOUT", (4,)), ("GLOBALPOOL(max)", (1, 2, 2))])
def test_a_nan_is_not_lost(text: str, shape: Shape) -> None:
    given = case(text, shape, 1)
    given.x = np.full((1, *shape), np.nan)
    assert np.isnan(given.forward()).all()
