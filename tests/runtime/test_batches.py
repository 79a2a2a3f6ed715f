"""Shuffling and augmentation: counted from (seed, epoch, sample), and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnc.compiler.training.augment import Crop, Flip
from cnnc.runtime.batches import batches, shuffled
from cnnc.runtime.data import Split

N = 23


def numbered(n: int = N) -> Split:
    """Sample i is full of i + 1, save for a mark that shows flips and crops."""
    x = np.ones((n, 2, 4, 5), "float32") * np.arange(1, n + 1)[:, None, None, None]
    x = x.astype("float32")
    x[:, :, 1, 1] += 0.5
    return Split(x, np.arange(n))


def joined(batch: int, seed: int = 0, epoch: int = 0, augment: Any = ()) -> tuple[Any, Any]:
    """All of an epoch's samples, by class, which here is the sample's number."""
    found = list(batches(numbered(), batch, seed, epoch, augment))
    x, y = (np.concatenate(part) for part in zip(*found, strict=True))
    return x[y.argsort()], y


@pytest.mark.parametrize("batch", [1, 5, 8, 22, 23, 24, 1000])
def test_every_sample_once_and_a_smaller_batch_last(batch: int) -> None:
    found = list(batches(numbered(), batch, 0, 0))
    whole, rest = divmod(N, batch)
    assert [len(x) for x, _ in found] == [batch] * whole + [rest] * (rest > 0)
    x, y = joined(batch)
    assert sorted(y) == list(range(N))
    assert np.array_equal(x, numbered().x)  # with the class that it had


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    orders = {(s, e): tuple(shuffled(N, s, e)) for s in (0, 1, 2**40) for e in range(4)}
    assert len(set(orders.values())) == len(orders)
    for (seed, epoch), order in orders.items():
        assert sorted(order) == list(range(N)) != list(order)
        assert tuple(shuffled(N, seed, epoch)) == order
        assert joined(5, seed, epoch)[1].tolist() == list(order)
        assert joined(8, seed, epoch)[1].tolist() == list(order)


def test_a_sample_comes_everywhere_in_the_order() -> None:
    places = [int(np.flatnonzero(shuffled(10, 0, epoch) == 3)[0]) for epoch in range(300)]
    counts = np.bincount(places, minlength=10)
    assert counts.min() > 10 and counts.max() < 60


def test_augmentation_depends_on_seed_epoch_and_sample_but_not_on_the_batch() -> None:
    augment = (Flip(), Crop(pad=2))
    x, _ = joined(5, 3, 1, augment)
    assert not np.array_equal(x, numbered().x)
    assert np.array_equal(joined(23, 3, 1, augment)[0], x)
    assert np.array_equal(joined(1, 3, 1, augment)[0], x)
    assert not np.array_equal(joined(5, 3, 2, augment)[0], x)
    assert not np.array_equal(joined(5, 4, 1, augment)[0], x)


def test_about_half_are_flipped_others_in_each_epoch() -> None:
    flips = [joined(8, 0, epoch, (Flip(),))[0][:, 0, 1, 3] % 1 == 0.5 for epoch in range(40)]
    share = np.mean(flips, axis=0)  # (N,), of the epochs in which a sample was flipped
    assert 0.45 < np.mean(share) < 0.55
    assert share.min() > 0.1 and share.max() < 0.9


def test_two_of_a_kind_do_not_undo_each_other() -> None:
    """Each augmentation of the list has numbers of its own."""
    once, twice = joined(8, 0, 0, (Flip(),))[0], joined(8, 0, 0, (Flip(), Flip()))[0]
    assert not np.array_equal(twice, numbered().x) and not np.array_equal(twice, once)


def test_the_data_set_stays_as_it_is() -> None:
    split = numbered()
    for x, _ in batches(split, 4, 0, 0):
        x[...] = -1
    for x, _ in batches(split, 4, 0, 0, (Flip(), Crop(pad=1))):
        x[...] = -1
    assert np.array_equal(split.x, numbered().x) and np.array_equal(split.y, numbered().y)
