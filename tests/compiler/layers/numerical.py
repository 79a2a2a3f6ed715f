"""Gradients of a whole compiled net against differences, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

import cnnc

STEP = 1e-6


def check_gradients(text: str, *, shards: int = 2, batch: int = 4, seed: int = 0) -> None:
    """Compare each weight's gradient along a random direction with the loss's difference.

    The weights are random; the net should be smooth, or its kinks far from there.
    """
    net = cnnc.parse(text)
    program = net.compile(batch=batch, shards=shards, dtype="float64")
    rng = np.random.default_rng(seed)
    for name in program.weights:
        program.weights[name] = rng.normal(size=program.weights[name].shape) * 0.5
    x = rng.normal(size=(batch, *net.input_shape))
    classes = net.output_shape[0]
    rest = net.output_shape[1:]
    places = () if rest == (1, 1) else rest
    y = rng.integers(0, classes, (batch, *places))
    _, gradients = program.loss_and_grads(x, y)
    assert gradients, "nothing is trained"
    for name, gradient in gradients.items():
        weight = program.weights[name]
        direction = rng.normal(size=weight.shape)

        def loss(step: float, name: str = name, w: Any = weight, d: Any = direction) -> float:
            program.weights[name] = w + step * d
            return program.loss_and_grads(x, y)[0]

        slope = (loss(STEP) - loss(-STEP)) / (2 * STEP)
        program.weights[name] = weight
        expected = float((gradient * direction).sum())
        scale = max(abs(slope), float(np.abs(gradient).max()), 1e-3)
        assert abs(slope - expected) <= 1e-6 * scale, f"{name}: {expected} against {slope}"
