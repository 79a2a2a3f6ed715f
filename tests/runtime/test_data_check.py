"""Data that a net cannot train on is refused before training, with the numbers and a way out."""

import dataclasses

import numpy as np
import pytest

from cnnc.runtime.data import Dataset, Split, check
from cnnc.runtime.errors import DataError


def good(samples=6):
    rng = np.random.default_rng(0)
    x = rng.random((samples, 2, 4, 5), np.float32)
    return Split(x, np.arange(samples, dtype=np.int64) % 3)


def checked(train=None, test=None, shape=(2, 4, 5), outputs=3):
    check(Dataset("toy", train or good(), test or good(), 3, "made here"), shape, outputs)


def refused(**kwargs):
    with pytest.raises(DataError) as caught:
        checked(**kwargs)
    return caught.value


def test_what_fits_passes():
    checked()
    checked(outputs=4)  # a class that never occurs is no error


def test_samples_of_another_shape():
    error = refused(shape=(1, 8, 8))
    assert error.message == "toy, train: the samples are 2x4x5, the net's INPUT is 1x8x8"
    assert error.help[0] == "write INPUT(2x4x5) or use --input 2x4x5"


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_class_outside_the_outputs_in_either_part(part):
    error = refused(**{part: good()}, outputs=2)
    assert error.message == (
        "toy, train: sample 2 is of class 2, but the net has 2 outputs, for the classes 0 to 1; "
        "the labels go from 0 to 2"
    )
    assert error.help == ("give the net 3 outputs: FC(3) at its end",)


def test_only_the_test_part_is_wrong():
    test = dataclasses.replace(good(), y=np.array([0, 1, 2, 7, 0, 1]))
    assert refused(test=test).message.startswith("toy, test: sample 3 is of class 7")


@pytest.mark.parametrize(
    ("labels", "fix"),
    [
        ([1, 2, 3, 1, 2, 3], "the labels count from 1: write y - 1"),
        ([0, 1, -1, 0, 1, 2], "number the classes from 0"),
        ([0, 1, 5, 0, 1, 2], "give the net 6 outputs: FC(6) at its end"),
    ],
)
def test_the_help_fits_the_kind_of_mistake(labels, fix):
    assert refused(train=Split(good().x, np.array(labels))).help == (fix,)


def test_lengths_that_differ():
    error = refused(train=Split(good().x, good().y[:-1]))
    assert error.message == "toy, train: 6 samples but 5 labels"


def test_an_empty_split():
    assert refused(test=good(0)).message == "toy, test: there are no samples"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(bad):
    split = good()
    split.x[4, 1, 2, 3] = bad
    error = refused(train=split)
    assert error.message == f"toy, train: sample 4 holds {bad} at (1, 2, 3)"


def test_labels_that_are_no_integers():
    error = refused(train=Split(good().x, good().y.astype(float)))
    assert "float64, not integers" in error.message
    assert "astype" in error.help[0]


def test_one_hot_labels():
    error = refused(train=Split(good().x, np.eye(3)[good().y]))
    assert error.message == "toy, train: x is 6x2x4x5 and y 6x3"


def test_samples_of_another_type():
    error = refused(train=Split(good().x.astype(np.float64), good().y))
    assert error.message == "toy, train: the samples are float64, not float32"
