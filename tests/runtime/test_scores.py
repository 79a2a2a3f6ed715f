"""Scores as probabilities."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import cnnc
from cnnc.runtime.scores import probabilities

PLAIN = cnnc.parse("INPUT(4) -> FC(3)").compile(batch=2)
SOFTMAX = cnnc.parse("INPUT(4) -> FC(3) -> SOFTMAX").compile(batch=2)
SCORES = np.array([[1.0, 2, 4], [1000, 0, -1000], [0, 0, 0]])


def test_softmax_of_the_scores() -> None:
    shares = probabilities(PLAIN, SCORES)
    e = np.exp(SCORES[0])
    assert shares[0] == pytest.approx(e / e.sum())
    assert shares[1].tolist() == [1, 0, 0]  # however large they are
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1])


def test_what_ends_in_softmax_is_taken_as_it_is() -> None:
    shares = np.array([[0.2, 0.3, 0.5]])
    assert np.array_equal(probabilities(SOFTMAX, shares), shares)
    assert probabilities(SOFTMAX, SCORES.reshape(3, 3, 1, 1)).shape == (3, 3)


def test_one_by_one_maps_are_a_vector_and_maps_stay_maps() -> None:
    assert np.array_equal(
        probabilities(PLAIN, SCORES.reshape(3, 3, 1, 1)), probabilities(PLAIN, SCORES)
    )
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    shares = probabilities(PLAIN, maps)
    assert shares.shape == maps.shape
    assert shares.sum(axis=1) == pytest.approx(np.ones((2, 4, 5)))


def test_scores_of_nothing() -> None:
    assert probabilities(PLAIN, SCORES[:0]).shape == (0, 3)


def test_scores_that_ran_away_are_nan_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shares = probabilities(PLAIN, np.array([[np.inf, 0, 1], [np.nan, 0, 1]]))
    assert np.isnan(shares[:, 0]).all()
