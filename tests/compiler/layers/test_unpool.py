"""UNPOOL: values and gradients, and the taps that it takes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.compiler.layers.numerical import check_gradients

import cnnc


def test_entries_go_back_to_where_the_pool_found_them() -> None:
    program = cnnc.parse("INPUT(1x4x5) -> MAXPOOL(2) as p -> UNPOOL(@p)").compile(batch=2)
    x = np.random.default_rng(0).permutation(40).reshape(2, 1, 4, 5).astype("float32")
    expected = np.zeros_like(x)
    for sample in range(2):
        for row in (0, 2):
            for column in (0, 2):  # the fifth column is never reached
                window = x[sample, 0, row : row + 2, column : column + 2]
                i, j = np.unravel_index(window.argmax(), (2, 2))
                expected[sample, 0, row + i, column + j] = window.max()
    np.testing.assert_array_equal(program.predict(x), expected)


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("pool", ["POOL(2)", "POOL(3, stride=2, pad=1)", "POOL(2, stride=3)"])
def test_gradients(pool: str, shards: int) -> None:
    check_gradients(
        f"INPUT(2x6x7) -> CONV(3, 3, pad=1) -> TANH -> {pool} as p -> CONV(3, 3, pad=1)"
        " -> UNPOOL(@p) -> CONV(2, 1)",
        shards=shards,
    )


@pytest.mark.parametrize(
    "chain, code",
    [
        ("CONV(3, 1) as p -> UNPOOL(@p)", "E317"),
        ("POOL(avg, 2) as p -> UNPOOL(@p)", "E317"),
        ("POOL(2) as p -> CONV(3, 1) -> UNPOOL(@p)", "E319"),
        ("POOL(2) as p -> POOL(2) -> UNPOOL(@p)", "E319"),
        ("POOL(2) as p -> FLATTEN -> UNPOOL(@p)", "E302"),
        ("POOL(2) as p -> UNPOOL(@q)", "E215"),
        ("POOL(2) as p -> UNPOOL(3)", "E403"),
        ("POOL(2) as p -> UNPOOL", "E401"),
    ],
)
def test_what_it_refuses(chain: str, code: str) -> None:
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(f"INPUT(2x8x8) -> {chain}")
    assert [d.code for d in raised.value.diagnostics] == [code]
