"""DROPOUT's counted randomness: its statistics, and what it depends on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import Arrays

from cnnc.compiler.layers.counted import key_of
from cnnc.compiler.layers.dropout import Dropout, Dropout2d

SHAPE = (8, 16, 16)


def kept(p: float, key: int, first: int, n: int) -> Any:
    """Which entries of the samples first … first+n-1 of a batch are kept."""
    layer = Dropout(p=p)
    a = Arrays(layer.buffers(n, SHAPE), n, "float64").of("forward")
    y = np.empty((n, *SHAPE))
    a |= {"x": np.ones_like(y), "y": y, "key": np.array([key], "uint32")}
    layer.forward(np, SimpleNamespace(**a, sample=np.arange(first, first + n, dtype="uint32")))
    assert np.array_equal(a["kept"], y > 0)
    return a["kept"]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.999])
def test_the_share_that_is_kept_is_one_minus_p(p: float) -> None:
    mask = kept(p, key_of(0, 1, 2), 0, 200)
    deviation = np.sqrt(p * (1 - p) / mask.size)
    assert abs(mask.mean() - (1 - p)) < 4 * deviation
    # The same for each sample's and each entry's share: no row or place is special.
    for axes in ((1, 2, 3), (0,)):
        shares = mask.mean(axis=axes)
        expected = np.sqrt(p * (1 - p) * shares.size / mask.size)
        assert 0.9 < shares.std() / expected < 1.1


def test_what_is_kept_is_scaled_so_that_the_mean_stays() -> None:
    layer = Dropout(p=0.25)
    a = Arrays(layer.buffers(64, SHAPE), 64, "float64").of("forward")
    x = np.full((64, *SHAPE), 3.0)
    y = np.empty_like(x)
    a |= {"key": np.array([5], "uint32"), "sample": np.arange(64, dtype="uint32")}
    layer.forward(np, SimpleNamespace(**a, x=x, y=y))
    assert set(np.unique(y)) == {0.0, 4.0}
    assert abs(y.mean() - 3) < 0.03


def test_nothing_is_dropped_with_p_0() -> None:
    assert kept(0.0, 1, 0, 50).all()


def test_the_same_key_gives_the_same_mask_and_another_key_another() -> None:
    first = kept(0.5, 1, 0, 20)
    assert np.array_equal(first, kept(0.5, 1, 0, 20))
    assert 0.49 < (first == kept(0.5, 2, 0, 20)).mean() < 0.51


def test_samples_and_neighbours_are_independent() -> None:
    mask = kept(0.5, 7, 0, 100)
    for other in (np.roll(mask, 1, axis=0), np.roll(mask, 1, axis=3), np.roll(mask, 1, axis=1)):
        assert 0.49 < (mask == other).mean() < 0.51


@pytest.mark.parametrize("parts", [(12,), (5, 4, 3), (1,) * 12])
def test_the_split_into_parts_changes_nothing(parts: tuple[int, ...]) -> None:
    starts = [sum(parts[:i]) for i in range(len(parts))]
    pieces = [kept(0.5, 3, start, n) for start, n in zip(starts, parts, strict=True)]
    assert np.array_equal(np.concatenate(pieces), kept(0.5, 3, 0, 12))


def test_keys_of_neighbouring_steps_and_layers_differ() -> None:
    keys = {key_of(seed, s, layer) for seed in range(9) for s in range(99) for layer in range(9)}
    assert len(keys) > 9 * 99 * 9 - 5  # of 8,019 numbers of 32 bits, about 0.007 pairs collide
    assert all(0 <= key < 2**32 for key in keys)
    ones = sum(key.bit_count() for key in keys) / len(keys)
    assert 15.8 < ones < 16.2


def test_dropout2d_drops_whole_channels() -> None:
    layer = Dropout2d(p=0.3)
    a = Arrays(layer.buffers(500, SHAPE), 500, "float64").of("forward")
    x = np.random.default_rng(0).uniform(1, 2, (500, *SHAPE))
    y = np.empty_like(x)
    a |= {"key": np.array([5], "uint32"), "sample": np.arange(500, dtype="uint32")}
    layer.forward(np, SimpleNamespace(**a, x=x, y=y))
    channels = (y != 0).reshape(500, SHAPE[0], -1)
    assert np.array_equal(channels.all(axis=2), channels.any(axis=2))
    assert np.allclose(y[y != 0], (x / 0.7)[y != 0], rtol=1e-15)
    # Of 4,000 channels of 500 samples, and of the 500 channels at each place.
    mask = channels.any(axis=2)
    assert abs(mask.mean() - 0.7) < 4 * np.sqrt(0.3 * 0.7 / mask.size)
    assert np.all(np.abs(mask.mean(axis=0) - 0.7) < 4 * np.sqrt(0.3 * 0.7 / 500))
    assert 0.5 < (mask[1:] == mask[:-1]).mean() < 0.66  # 0.58 where samples are independent
