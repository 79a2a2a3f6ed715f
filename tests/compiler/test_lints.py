"""Lints: what is doubtful, and what only looks so."""

from __future__ import annotations

import pytest

import cnnc


def codes(text: str) -> list[str]:
    return [d.code for d in cnnc.parse(text).diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        "INPUT(3x8x8) -> CONV(4, 3) -> CONV(4, 3) -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4, 3) -> POOL(2) -> DROPOUT(0.5) -> FC(10)",
        "INPUT(3x8x8) -> CONV(4, 3) as c -> POOL(2) -> FC(10) -> ADD{ ID | FC(10) }",
    ],
)
def test_no_activation(text: str) -> None:
    assert set(codes(text)) == {"W603"}


@pytest.mark.parametrize(
    "text",
    [
        "INPUT(3x8x8) -> CONV(4, 3) -> RELU -> POOL(2) -> FC(10)",
        # What is read by others too could not be made by one layer.
        "INPUT(3x8x8) -> CONV(4, 3) -> MUL{ ID | POOL(6) -> FC(4) -> SIGMOID } -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(4, 3) -> POOL(6) -> MUL{ ID | FC(4) -> SIGMOID } -> RELU -> FC(10)",
        "INPUT(3x8x8) -> CONV(3, 3, pad=1) as c -> CONV(3, 1) -> RELU -> ADD{ ID | @c } -> FC(10)",
    ],
)
def test_an_activation_stands_between(text: str) -> None:
    assert codes(text) == []
