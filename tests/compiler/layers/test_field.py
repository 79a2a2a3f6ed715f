"""Receptive fields against counting the input rows that each output's gradient reaches."""

from __future__ import annotations

import random
from math import prod

import numpy as np
import pytest
from tests.compiler.layers.harness import Case

import cnnc
from cnnc.compiler.layers.layer import Field

ROWS = 200  # of the input: enough that an output in the middle sees nothing of the border


def counted(text: str) -> int:
    """The most rows of the input that any output depends on, all weights being 1."""
    layers = cnnc.parse(f"INPUT(1x{ROWS}x1) -> {text}").layers[1:]
    outputs = layers[-1].output[1]
    middle = range(outputs // 2 - 10, outputs // 2 + 10)
    dy = np.zeros((len(middle), *layers[-1].output))
    for sample, row in enumerate(middle):
        dy[sample, 0, row, 0] = 1
    for layer in reversed(layers):
        x = np.arange(prod(layer.input_shapes[0]), dtype="float64").reshape(layer.input_shapes[0])
        weights = {w.name: np.ones(w.shape) for w in layer.weights}
        given = Case(layer.layer, np.repeat(x[None], len(dy), 0), weights, dy, len(dy))
        dy, _ = given.backward(trained=())
    seen = np.any(dy, axis=(1, 3))  # (samples, rows)
    # A DECONV whose stride is larger than its kernel has outputs that see nothing.
    return max(int(np.ptp(np.flatnonzero(row))) + 1 for row in seen if row.any())


def derived(text: str) -> int:
    field = cnnc.parse(f"INPUT(1x{ROWS}x1) -> {text}").layers[-1].receptive_field
    assert field is not None and field[1] == 1
    return field[0]


@pytest.mark.parametrize(
    "text",
    [
        "CONV(1, 3x1)", "CONV(1, 3x1, dilation=2)", "DWCONV(5x1, stride=2x1) -> CONV(1, 3x1)",
        "LOCAL(1, 4x1, stride=3x1) -> SUBSAMPLE(2x1)", "CONV(1, 2x1, table=[[0]])",
        "POOL(avg, 2x1) -> CONV(1, 3x1) -> UPSAMPLE(2x1) -> CONV(1, 3x1)",
        "UPSAMPLE(3x1)", "UPSAMPLE(3x1, bilinear)", "UPSAMPLE(2x1) -> CONV(1, 2x1)",
        "UPSAMPLE(3x1) -> CONV(1, 3x1)", "UPSAMPLE(3x1) -> CONV(1, 5x1)",
        "POOL(avg, 4x1) -> UPSAMPLE(4x1, bilinear)", "DECONV(1, 2x1, stride=2x1)",
        "CONV(1, 3x1, stride=2x1) -> DECONV(1, 4x1, stride=2x1, pad=(1, 1, 0, 0)) -> CONV(1, 3x1)",
    ],
)  # fmt: skip
def test_rows_seen(text: str) -> None:
    assert derived(text) == counted(text)


def test_rows_seen_by_deconv() -> None:
    draw = random.Random(1)
    for _ in range(60):
        stride, dilation = draw.randint(1, 5), draw.randint(1, 4)
        text = (
            f"POOL(avg, {draw.randint(1, 3)}x1) ->"
            f" DECONV(1, {draw.randint(1, 7)}x1, stride={stride}x1, dilation={dilation}x1)"
        )
        assert derived(text) == counted(text), text


def test_the_step_is_exact_whatever_it_is_divided_by() -> None:
    """In floating point 3 * (1/3) comes out right and others do not: 1/49 * 49 < 1."""
    for factor in range(1, 200):
        field = Field((1, 1)).stretched((factor, 1)).windowed((1 + factor, 1), (factor, 1))
        assert field.seen == (2, 1)
        assert field == Field((2, 1)), "whole numbers are counted in whole rows again"
    field = Field((1, 1)).windowed((2, 2), (2, 2)).stretched((2, 2))
    assert field == Field((2, 2))


def test_a_merge_takes_the_larger() -> None:
    third = Field((4, 4)).stretched((3, 1)).windowed((2, 1), (1, 1))  # 4 1/3, step 1/3
    half = Field((4, 5)).stretched((2, 1))  # 4, step 1/2
    for merged in (third.merged(half), half.merged(third)):
        assert merged.seen == (5, 5)
        assert merged.jump[0] * 2 == merged.parts[0]  # 1/2
        assert merged.size[0] * 3 == 13 * merged.parts[0]  # 4 1/3
    assert Field((3, 1), (2, 1)).merged(Field((1, 2))) == Field((3, 2), (2, 1))
