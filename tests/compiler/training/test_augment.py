"""Augmentations: what they may change, how often, and that their input stays."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnc.compiler.training.augment import Crop, Flip


def draws_of(*streams: list[int]) -> Any:
    return lambda stream: np.array(streams[stream], "uint32")


def images(n: int, shape: tuple[int, ...] = (2, 4, 5)) -> Any:
    return np.arange(1, 1 + n * int(np.prod(shape)), dtype="float32").reshape(n, *shape)


def test_flip_mirrors_left_and_right_where_the_draw_is_odd() -> None:
    x = images(4)
    before = x.copy()
    flipped = Flip().apply(np, x, draws_of([0, 1, 2, 7]))
    assert np.array_equal(flipped, np.stack([x[0], x[1, :, :, ::-1], x[2], x[3, :, :, ::-1]]))
    assert np.array_equal(x, before) and flipped.dtype == x.dtype


def test_crop_cuts_the_old_size_out_of_the_padded_image() -> None:
    x = images(3)
    before = x.copy()
    # 2*1 + 1 = 3 places each way: 0, 1, 2; larger draws wrap round
    cropped = Crop(pad=1).apply(np, x, draws_of([1, 0, 5], [1, 2, 3]))
    assert cropped.shape == x.shape and cropped.flags.c_contiguous
    assert np.array_equal(cropped[0], x[0])  # the middle
    assert np.array_equal(cropped[1, :, 1:, :-1], x[1, :, :-1, 1:])  # from top right
    assert not cropped[1, :, 0].any() and not cropped[1, :, :, -1].any()
    assert np.array_equal(cropped[2, :, :-1, 1:], x[2, :, 1:, :-1])  # from bottom left
    assert not cropped[2, :, -1].any() and not cropped[2, :, :, 0].any()
    assert np.array_equal(x, before)


def test_crop_without_padding_changes_nothing() -> None:
    x = images(2)
    assert np.array_equal(Crop(pad=0).apply(np, x, draws_of([9, 8], [7, 6])), x)


def test_every_place_of_a_crop_occurs() -> None:
    n = 500
    rng = np.random.default_rng(0)
    streams = rng.integers(0, 2**32, (2, n), dtype="uint32")
    x = np.zeros((n, 1, 5, 5), "float32")
    x[:, 0, 2, 2] = 1
    cropped = Crop(pad=2).apply(np, x, lambda stream: streams[stream])
    assert (cropped.sum(axis=0) > 0).all()
