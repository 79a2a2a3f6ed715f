"""Augmentations: what they may change, how often, and that their input stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cnnc.compiler.arguments import BadValue
from cnnc.compiler.training.augment import Augmentation, Crop, Cutout, Flip, Jitter, Rotate


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


# -- against direct loops ------------------------------------------------------------------

KINDS = [
    Flip(), Crop(pad=2), Rotate(), Rotate(deg=180), Jitter(), Jitter(brightness=0.9, contrast=0),
    Jitter(brightness=0, contrast=1), Cutout(n=1), Cutout(n=3), Cutout(n=4), Cutout(n=20),
]  # fmt: skip
KIND = pytest.mark.parametrize("kind", KINDS, ids=str)


def counted(n: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    streams = rng.integers(0, 2**32, (2, n), dtype="uint32")
    return lambda stream: streams[stream]


def unit(draw: Any) -> float:
    """A draw as a number in -1 … 1."""
    return int(draw) / 2**31 - 1


def plainly(kind: Augmentation, image: Any, draws: list[Any]) -> Any:
    """One image (C, H, W), pixel by pixel."""
    _, height, width = image.shape

    def at(c: int, row: int, column: int) -> float:
        inside = 0 <= row < height and 0 <= column < width
        return float(image[c, row, column]) if inside else 0.0

    changed = np.empty(image.shape)
    for c, row, column in np.ndindex(image.shape):
        if isinstance(kind, Flip):
            value = at(c, row, width - 1 - column if draws[0] % 2 else column)
        elif isinstance(kind, Crop):
            top, left = (int(d) % (2 * kind.pad + 1) - kind.pad for d in draws)
            value = at(c, row + top, column + left)
        elif isinstance(kind, Cutout):
            middle, across = int(draws[0]) % height, int(draws[1]) % width
            rows = range(middle - kind.n // 2, middle - kind.n // 2 + kind.n)
            columns = range(across - kind.n // 2, across - kind.n // 2 + kind.n)
            value = 0.0 if row in rows and column in columns else at(c, row, column)
        elif isinstance(kind, Jitter):
            brightness = 1 + kind.brightness * unit(draws[0])
            contrast = 1 + kind.contrast * unit(draws[1])
            mean = brightness * float(np.mean(image.astype("float64")))
            value = mean + contrast * (brightness * at(c, row, column) - mean)
        else:
            assert isinstance(kind, Rotate)
            angle = math.radians(kind.deg * unit(draws[0]))
            down, right = row - (height - 1) / 2, column - (width - 1) / 2
            y = (height - 1) / 2 + math.cos(angle) * down + math.sin(angle) * right
            x = (width - 1) / 2 - math.sin(angle) * down + math.cos(angle) * right
            value = sum(
                max(0, 1 - abs(y - r)) * max(0, 1 - abs(x - s)) * at(c, r, s)
                for r in range(height)
                for s in range(width)
            )
        changed[c, row, column] = value
    return changed


@KIND
@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 6, 4), (3, 1, 1)])
def test_as_a_direct_loop(kind: Augmentation, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 2, (8, *shape)).astype("float32")
    before, draws = x.copy(), counted(8)
    changed = kind.apply(np, x, draws)
    expected = [plainly(kind, x[i], [draws(0)[i], draws(1)[i]]) for i in range(8)]
    assert changed.shape == x.shape and changed.dtype == "float32"
    assert np.max(np.abs(changed - expected)) < 2e-6
    assert np.array_equal(x, before)


@KIND
def test_a_sample_alone_is_changed_as_among_others(kind: Augmentation) -> None:
    """To the bit: a batch of another size, or a part of one, changes nothing."""
    x = np.random.default_rng(2).normal(size=(7, 3, 16, 17)).astype("float32")
    draws = counted(7)
    together = kind.apply(np, x, draws)
    for i in range(7):
        alone = kind.apply(np, x[i : i + 1], lambda stream, i=i: draws(stream)[i : i + 1])
        assert np.array_equal(alone[0], together[i])


@KIND
def test_the_data_may_lie_anyhow_in_memory(kind: Augmentation) -> None:
    x = np.random.default_rng(2).normal(size=(4, 6, 6, 3)).astype("float32").transpose(0, 3, 1, 2)
    there = kind.apply(np, x, counted(4))
    assert np.max(np.abs(there - kind.apply(np, np.ascontiguousarray(x), counted(4)))) < 1e-6


@KIND
def test_images_and_no_vectors(kind: Augmentation) -> None:
    kind.require((3, 8, 8))
    with pytest.raises(BadValue, match=f"{kind.word} for maps CxHxW, and INPUT is the vector 64"):
        kind.require((64,))


def test_a_quarter_turn_moves_whole_pixels() -> None:
    x = images(2, (2, 4, 4))
    quarter = [0, 2**32 - 1]  # -90 and, but for rounding, 90 degrees
    turned = Rotate(deg=90).apply(np, x, draws_of(quarter))
    for image, result, k in zip(x, turned, (-1, 1), strict=True):
        assert result == pytest.approx(np.rot90(image, k, (1, 2)), abs=1e-4)


def test_no_turn_changes_nothing() -> None:
    x = images(1)
    assert np.array_equal(Rotate().apply(np, x, draws_of([2**31])), x)


def test_jitter_reaches_both_ends_and_keeps_the_mean_of_contrast() -> None:
    x = images(2)
    ends = Jitter(brightness=0.5, contrast=0.1).apply(np, x, draws_of([0, 2**32 - 1], [2**31] * 2))
    assert ends == pytest.approx(np.stack([0.5 * x[0], 1.5 * x[1]]), rel=1e-6)
    flat = Jitter(brightness=0, contrast=1).apply(np, x, draws_of([7, 7], [0, 0]))
    assert flat == pytest.approx(np.broadcast_to(x.mean((1, 2, 3), keepdims=True), x.shape))
    with pytest.raises(BadValue):
        Jitter(brightness=0, contrast=0)


def test_every_square_of_cutout_occurs_and_is_cut_off_at_the_border() -> None:
    n = 400
    streams = np.random.default_rng(0).integers(0, 2**32, (2, n), dtype="uint32")
    holes = Cutout(n=2).apply(np, np.ones((n, 1, 3, 4), "float32"), lambda s: streams[s]) == 0
    sizes = {(int(h.any(1).sum()), int(h.any(0).sum())) for h in holes[:, 0]}
    assert sizes == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert len({h.tobytes() for h in holes}) == 12 and holes.any(0).all()
