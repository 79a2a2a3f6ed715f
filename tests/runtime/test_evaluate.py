"""Evaluation against a plain computation: loss, accuracy, confusion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime.data import Split
from cnnc.runtime.evaluate import classes_of, evaluate

BODY = "INPUT(1x4x4) -> CONV(3, 3) -> RELU -> DROPOUT(0.5) -> FC(5)"


def some(n: int, places: tuple[int, ...] = (), seed: int = 0) -> Split:
    rng = np.random.default_rng(seed)
    return Split(rng.normal(size=(n, 1, 4, 4)).astype("float32"), rng.integers(0, 5, (n, *places)))


def log_softmax(scores: Any) -> Any:
    scores = scores.astype("float64")
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("end", ["", " -> SOFTMAX", " -> AUX{ FC(5) } -> FC(5) -> SOFTMAX"])
@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_loss_accuracy_and_confusion(end: str, smoothing: float) -> None:
    """Of 29 samples, which is no multiple of the batch; DROPOUT and side exits are off."""
    loss = f"cross_entropy(label_smoothing={smoothing})"
    compiled = cnnc.parse(BODY + end).compile(batch=8, loss=loss, dtype="float64")
    data = some(29)
    found = evaluate(compiled, data)

    log = log_softmax(compiled.before_softmax(data.x))  # (29, 5)
    wanted = np.eye(5)[data.y] * (1 - smoothing) + smoothing / 5  # (29, 5)
    assert found.loss == pytest.approx(-(wanted * log).sum() / 29, rel=1e-12)
    said = log.argmax(axis=1)
    assert found.accuracy == np.mean(said == data.y)
    assert found.samples == 29
    for true in range(5):
        for predicted in range(5):
            count = np.sum((data.y == true) & (said == predicted))
            assert found.confusion[true, predicted] == count


def test_a_last_softmax_changes_nothing_however_sure_the_net_is() -> None:
    """In float32 a probability below e**-103 is 0, and its logarithm is none."""
    plain = cnnc.parse(BODY).compile(batch=8)
    ending = cnnc.parse(BODY + " -> SOFTMAX").compile(batch=8)
    for name, weight in plain.weights.items():
        plain.weights[name] = weight * np.float32(10)
        ending.weights[name] = plain.weights[name]
    data = some(20)
    log = log_softmax(plain.before_softmax(data.x))[np.arange(20), data.y]  # (20,)
    assert log.min() < -200
    for compiled in (plain, ending):
        found = evaluate(compiled, data)
        assert found.loss == pytest.approx(-log.mean(), rel=1e-5)
        assert found.accuracy == evaluate(plain, data).accuracy


def test_distances_count_negative() -> None:
    codes = np.random.default_rng(1).choice([-1, 1], (5, 7))
    net = cnnc.parse(f"INPUT(1x4x4) -> FC(7) -> TANH -> RBF(5, {codes.tolist()})")
    compiled, data = net.compile(batch=8), some(20)
    distances = compiled.predict(data.x)  # (20, 5)
    found = evaluate(compiled, data)
    assert found.accuracy == np.mean(distances.argmin(axis=1) == data.y)
    log = log_softmax(-distances)[np.arange(20), data.y]  # (20,)
    assert found.loss == pytest.approx(-log.mean(), rel=1e-5)


def test_maps_are_judged_place_by_place() -> None:
    compiled = cnnc.parse("INPUT(1x4x4) -> CONV(5, 3, pad=1)").compile(batch=4)
    data = some(6, (4, 4))
    found = evaluate(compiled, data)
    log = log_softmax(compiled.before_softmax(data.x))  # (6, 5, 4, 4)
    right = np.take_along_axis(log, data.y[:, None], axis=1)  # (6, 1, 4, 4)
    assert found.loss == pytest.approx(-right.mean(), rel=1e-5)
    assert found.accuracy == np.mean(log.argmax(axis=1) == data.y)
    assert found.samples == 6 * 16


def test_one_by_one_maps_count_as_a_vector() -> None:
    net = cnnc.parse("INPUT(1x4x4) -> CONV(5, 4)")
    assert net.output_shape == (5, 1, 1)
    flat = cnnc.parse("INPUT(1x4x4) -> CONV(5, 4) -> FLATTEN")
    data = some(9)
    found, same = evaluate(net.compile(batch=4), data), evaluate(flat.compile(batch=4), data)
    assert (found.loss, found.accuracy) == (same.loss, same.accuracy)


def test_of_equal_scores_the_first_class_counts() -> None:
    assert classes_of(np.array([[1.0, 3, 3], [2, 2, 2]])).tolist() == [1, 0]
    assert classes_of(np.zeros((2, 3, 1, 1))).tolist() == [0, 0]
    assert classes_of(np.zeros((2, 3, 4, 5))).shape == (2, 4, 5)


def test_weights_and_steps_stay_as_they_are() -> None:
    compiled = cnnc.parse(BODY).compile(batch=8)
    before = {name: weight.tobytes() for name, weight in compiled.weights.items()}
    first = evaluate(compiled, some(11))
    assert evaluate(compiled, some(11)).loss == first.loss
    assert {n: w.tobytes() for n, w in compiled.weights.items()} == before
    assert compiled.steps == 0
