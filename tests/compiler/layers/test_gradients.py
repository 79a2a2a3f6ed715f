"""Every layer's backward against central differences of its forward, in float64.

And what the bodies promise: they write all of what they write, change nothing of what they
read, and compute the same for any number of samples, capacity and memory layout.
"""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import IDS, SAMPLES, Case, case

from cnnc.compiler.layers.layer import BatchStatistics, Shape

SAMPLE = pytest.mark.parametrize("text, shape", SAMPLES, ids=IDS)
STEP = 1e-5  # far below the distance to the next kink or tie
TOLERANCE = 1e-6
SMALL = 64  # entries up to which each one is differentiated


def differences(f: Callable[[Any], float], at: Any, gradient: Any, rng: Any) -> None:
    """Compare a gradient along random directions, and for each entry of small arrays."""
    for _ in range(3):
        direction = rng.normal(size=at.shape)
        slope = (f(at + STEP * direction) - f(at - STEP * direction)) / (2 * STEP)
        # A random direction's slope is about as large as the gradient is long.
        assert abs(slope - np.sum(gradient * direction)) <= TOLERANCE * np.linalg.norm(gradient)
    if at.size <= SMALL:
        slopes = np.empty(at.size)
        for i in range(at.size):
            offset = np.zeros(at.size)
            offset[i] = STEP
            offset = offset.reshape(at.shape)
            slopes[i] = (f(at + offset) - f(at - offset)) / (2 * STEP)
        error = np.max(np.abs(slopes.reshape(at.shape) - gradient))
        assert error <= TOLERANCE * np.max(np.abs(gradient))


@SAMPLE
@pytest.mark.parametrize("n", [1, 3])
def test_gradients(text: str, shape: Shape, n: int) -> None:
    given = case(text, shape, n)
    rng = np.random.default_rng(1)
    dx, grads = given.backward()

    def of_x(x: Any) -> float:
        return float(np.sum(given.dy * dataclasses.replace(given, x=x).forward()))

    assert np.any(dx)
    differences(of_x, given.x, dx, rng)
    assert grads.keys() == {w.name for w in given.described if w.trainable}
    for name, gradient in grads.items():

        def of_weight(value: Any, name: str = name) -> float:
            weights = given.weights | {name: value}
            return float(np.sum(given.dy * dataclasses.replace(given, weights=weights).forward()))

        assert np.any(gradient)
        differences(of_weight, given.weights[name], gradient, rng)


@SAMPLE
def test_samples_do_not_mix(text: str, shape: Shape) -> None:
    """Each sample alone gives what it gives among others: y, dx, and its share of dweight."""
    given = case(text, shape, 3)
    y, (dx, grads) = given.forward(), given.backward()
    if given.layer.random:
        return  # a sample's place in the batch is part of it: see test_dropout.py
    if isinstance(given.layer, BatchStatistics):
        return  # they mix on purpose: see test_batchnorm.py
    alone = [
        dataclasses.replace(given, x=given.x[i : i + 1], dy=given.dy[i : i + 1], capacity=1)
        for i in range(3)
    ]
    close(np.concatenate([one.forward() for one in alone]), y)
    gradients = [one.backward() for one in alone]
    close(np.concatenate([one for one, _ in gradients]), dx)
    for name, gradient in grads.items():
        close(sum(each[name] for _, each in gradients), gradient)


@SAMPLE
def test_room_for_more_samples_changes_nothing(text: str, shape: Shape) -> None:
    given = case(text, shape, 3)
    roomy = dataclasses.replace(given, capacity=7)
    assert np.array_equal(roomy.forward(), given.forward())
    for mine, its in zip(flat(given), flat(roomy), strict=True):
        close(its, mine)


@SAMPLE
def test_inputs_may_lie_anyhow_in_memory(text: str, shape: Shape) -> None:
    given = case(text, shape, 3)
    scattered = dataclasses.replace(
        given, x=strided(given.x), dy=np.asfortranarray(given.dy),
        weights={name: strided(w) for name, w in given.weights.items()},
    )  # fmt: skip
    close(scattered.forward(), given.forward())
    for mine, its in zip(flat(given), flat(scattered), strict=True):
        close(its, mine)


@SAMPLE
def test_what_is_not_asked_for_is_left_out(text: str, shape: Shape) -> None:
    """No dx for the first layer, no gradient for what is frozen: the rest is the same."""
    given = case(text, shape, 3)
    dx, grads = given.backward()
    if not grads:
        return
    none, all_weights = given.backward(dx=False)
    assert none is None
    for name in grads:
        assert np.array_equal(all_weights[name], grads[name])
    only_dx, nothing = given.backward(trained=())
    assert not nothing and np.array_equal(only_dx, dx)
    for name in grads:
        _, one = given.backward(dx=False, trained=(name,))
        assert one.keys() == {name} and np.array_equal(one[name], grads[name])


@SAMPLE
def test_float32_stays_float32(text: str, shape: Shape) -> None:
    single, double = case(text, shape, 3, dtype="float32"), case(text, shape, 3)
    assert single.forward().dtype == "float32"
    close(single.forward(), double.forward(), 1e-5)
    for mine, its in zip(flat(double), flat(single), strict=True):
        assert its.dtype == "float32"
        close(its, mine, 1e-5)


@SAMPLE
def test_bodies_allocate_nothing_that_grows_with_the_batch(text: str, shape: Shape) -> None:
    """Measured is what NumPy allocates in a body beyond the planned arrays.

    It takes buffers of up to 8192 numbers to convert types, so both batches are larger.
    """
    assert allocated(text, shape, 17_000) <= allocated(text, shape, 8_500) + 256


def allocated(text: str, shape: Shape, n: int) -> int:
    given = case(text, shape, n)
    peaks = []

    def measured(body: Any) -> Any:
        def call(xp: Any, a: Any) -> None:
            body(xp, a)  # once before: what is built only once does not count
            tracemalloc.start()
            body(xp, a)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

        return call

    for body in given.bodies:
        setattr(given.layer, body, measured(getattr(given.layer, body)))
    given.forward()
    given.backward()
    return max(peaks)


def flat(given: Case) -> list[Any]:
    dx, grads = given.backward()
    return [dx, *grads.values()]


def strided(array: Any) -> Any:
    """The same numbers, every second one of a larger array."""
    larger = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    larger[..., ::2] = array
    return larger[..., ::2]


def close(one: Any, other: Any, tolerance: float = 1e-12) -> None:
    assert np.shape(one) == np.shape(other)
    assert np.max(np.abs(one - other)) <= tolerance * np.max(np.abs(other))
