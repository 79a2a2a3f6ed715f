"""Bilinear resizing: half-pixel centres, and the same numbers as PyTorch."""

import numpy as np
import pytest

from cnnc.runtime.data.resize import bilinear, check_size, to_input
from cnnc.runtime.errors import DataError

SIZES = [(32, 32), (8, 8), (7, 11), (3, 16), (1, 1), (28, 5)]


def images(n=3, height=8, width=8):
    return np.random.default_rng(1).random((n, height, width), np.float32)


def test_twice_as_large_by_hand():
    row = np.array([[[0.0, 1.0, 3.0]]], np.float32)
    # The centres of the output lie at -0.25, 0.25, 0.75, 1.25, 1.75, 2.25.
    assert bilinear(row, 1, 6).tolist() == [[[0.0, 0.25, 0.75, 1.5, 2.5, 3.0]]]


def test_the_same_size_changes_nothing():
    assert np.array_equal(bilinear(images(), 8, 8), images())


@pytest.mark.parametrize("size", SIZES)
def test_values_stay_between_smallest_and_largest(size):
    resized = bilinear(images(), *size)
    assert resized.shape == (3, *size)
    assert images().min() - 1e-6 <= resized.min() <= resized.max() <= images().max() + 1e-6


@pytest.mark.parity
@pytest.mark.parametrize("size", SIZES)
def test_the_same_as_pytorch(size):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make parity")
    x = images(height=9, width=6)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(x)[None], size=size, mode="bilinear", align_corners=False
    )[0]
    assert np.abs(bilinear(x, *size) - theirs.numpy()).max() < 1e-6


def test_pixels_are_divided_and_repeated_over_channels():
    x = np.array([[[0, 255], [51, 102]]] * 3000, np.uint8)  # more than one block
    x[2999] = 255
    samples = to_input(x, (2, 2, 2), largest=255)
    assert samples.dtype == np.float32
    assert samples.shape == (3000, 2, 2, 2)
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert np.allclose(samples[0, 0], [[0, 1], [0.2, 0.4]], atol=1e-7)
    assert samples[2999].min() == 1


def test_more_than_the_limit_is_refused_before_it_is_made():
    with pytest.raises(DataError, match=r"toy: 1797 samples of 3x10000x10000 take 2,008 GiB"):
        check_size("toy", 1797, (3, 10_000, 10_000))
