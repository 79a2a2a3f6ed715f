"""Single samples from files: arrays and pictures, and all that is none."""

from __future__ import annotations

import pickle
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnc.runtime.data.resize import bilinear
from cnnc.runtime.errors import DataError
from cnnc.runtime.images import read_samples

RNG = np.random.default_rng(0)
FLOATS = RNG.normal(size=(3, 2, 4, 5)).astype("float32")
GREY = RNG.integers(0, 256, (6, 8), "uint8")
COLOUR = RNG.integers(0, 256, (6, 8, 3), "uint8")


def saved(path: Path, array: Any) -> Path:
    np.save(path, array)
    return path


def refused(path: Path, shape: tuple[int, ...]) -> DataError:
    with pytest.raises(DataError) as caught:
        read_samples(path, shape)
    assert caught.value.message.startswith((str(path), f"cannot read {path}"))
    return caught.value


# -- arrays --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "shape", "samples"),
    [
        (FLOATS, (2, 4, 5), 3),
        (FLOATS[0], (2, 4, 5), 1),
        (FLOATS[:1], (2, 4, 5), 1),
        (FLOATS[0, :1], (1, 4, 5), 1),
        (FLOATS[0, 0], (1, 4, 5), 1),  # a grey image may lack its axis of channels
        (FLOATS[:, 0], (1, 4, 5), 3),
        (FLOATS[0, 0, 0], (5,), 1),
        (FLOATS[0, 0], (5,), 4),
        (np.asfortranarray(FLOATS), (2, 4, 5), 3),
    ],
)
def test_one_sample_or_several(
    array: Any, shape: tuple[int, ...], samples: int, tmp_path: Path
) -> None:
    found = read_samples(saved(tmp_path / "a.npy", array), shape)
    assert found.dtype == "float32" and found.shape == (samples, *shape)
    assert np.array_equal(found.ravel(), array.ravel())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int64"])
def test_integers_are_divided_by_their_types_maximum(dtype: str, tmp_path: Path) -> None:
    most = np.iinfo(dtype).max
    array = np.array([0, most // 3, most], dtype)
    found = read_samples(saved(tmp_path / "a.npy", array), (3,))
    assert found[0] == pytest.approx([0, 1 / 3, 1], abs=2e-3)
    assert found[0, 2] == 1


def test_floats_and_booleans_are_taken_as_they_are(tmp_path: Path) -> None:
    doubles = saved(tmp_path / "a.npy", np.array([-3.5, 0.25, 1000.0]))
    assert read_samples(doubles, (3,)).tolist() == [[-3.5, 0.25, 1000]]
    booleans = saved(tmp_path / "b.npy", np.array([True, False, True]))
    assert read_samples(booleans, (3,)).tolist() == [[1, 0, 1]]


def test_the_suffix_may_be_upper_case(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", FLOATS).rename(tmp_path / "a.NPY")
    assert read_samples(str(path), (2, 4, 5)).shape == FLOATS.shape


def test_another_shape_is_refused_with_both(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", FLOATS)
    error = refused(path, (2, 5, 4))
    assert error.message == f"{path} has shape 3x2x4x5, and the net's INPUT is 2x5x4"
    assert error.help == ("save an array of shape (2, 5, 4) or (N, 2, 5, 4)",)
    assert refused(path, (6,)).help == ("save an array of shape (6,) or (N, 6)",)
    assert "no shape: one number" in refused(saved(path, np.float32(1)), (1,)).message


@pytest.mark.parametrize(
    ("value", "word"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1e300, "inf")]
)
def test_what_is_no_number_is_refused_with_its_place(
    value: float, word: str, tmp_path: Path
) -> None:
    """The net would make nan of it, and a class of that."""
    array = FLOATS.astype("float64")
    array[1, 0, 2, 3] = value
    error = refused(saved(tmp_path / "a.npy", array), (2, 4, 5))
    assert error.message.endswith(f"sample 1 holds {word} at (0, 2, 3)")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 2, 4, 5)), "holds no sample"),
        (np.zeros((2, 4, 5), complex), "holds complex128, not numbers"),
        (np.full((2, 4, 5), "a"), "holds <U1, not numbers"),
        (np.full((2, 4, 5), None), "is not a whole .npy array: Object arrays cannot be loaded"),
    ],
)
def test_arrays_of_something_else(array: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, array, allow_pickle=True)
    assert message in refused(path, (2, 4, 5)).message


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUM", b"hello", pickle.dumps([1]), b"PK\3\4" + bytes(50)]
)
@pytest.mark.parametrize("suffix", ["npy", "png", "jpg"])
def test_files_that_are_something_else(content: bytes, suffix: str, tmp_path: Path) -> None:
    if suffix != "npy":
        pytest.importorskip("PIL")
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    what = ".npy array" if suffix == "npy" else "picture"
    assert refused(path, (1, 4, 5)).message == f"{path} is no {what}, whatever its name says"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    for name in ("none.npy", "none.png"):
        assert refused(tmp_path / name, (1, 4, 5)).message.endswith(": No such file or directory")
    for name in ("folder.npy", "folder.jpg"):
        (tmp_path / name).mkdir()
        assert refused(tmp_path / name, (1, 4, 5)).message.endswith(": Is a directory")


@pytest.mark.parametrize("name", ["a.txt", "a", "a.npz"])
def test_other_kinds_of_files(name: str, tmp_path: Path) -> None:
    error = refused(tmp_path / name, (1, 4, 5))
    assert "what kind of file is this?" in error.message
    assert error.help == ("it reads .npy arrays and .png, .jpg, .jpeg pictures",)


# -- pictures ------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path: Path) -> Any:
    """Writes a picture of these pixels: picture(array, "png", exif=...)."""
    image = pytest.importorskip("PIL.Image")

    def write(array: Any, suffix: str = "png", mode: str = "", **options: Any) -> Path:
        path = tmp_path / f"a.{suffix}"
        made = image.fromarray(array)
        (made.convert(mode) if mode else made).save(path, **options)
        return path

    return write


def test_a_picture_of_the_inputs_size(picture: Any) -> None:
    grey = read_samples(picture(GREY), (1, 6, 8))
    assert grey.dtype == "float32" and np.array_equal(grey, GREY[None, None] / np.float32(255))
    colour = read_samples(picture(COLOUR), (3, 6, 8))
    assert np.array_equal(colour, COLOUR.transpose(2, 0, 1)[None] / np.float32(255))


def test_grey_for_colour_and_colour_for_grey(picture: Any) -> None:
    found = read_samples(picture(GREY), (3, 6, 8))
    assert np.array_equal(found, np.repeat(GREY[None, None] / np.float32(255), 3, axis=1))
    found = read_samples(picture(COLOUR), (1, 6, 8))
    luma = COLOUR @ np.array([0.299, 0.587, 0.114]) / 255
    assert np.max(np.abs(found[0, 0] - luma)) < 1 / 255


def test_transparent_and_indexed_pictures(picture: Any) -> None:
    assert read_samples(picture(COLOUR, mode="RGBA"), (3, 6, 8)).shape == (1, 3, 6, 8)
    found = read_samples(picture(GREY, mode="P"), (1, 6, 8))
    assert np.array_equal(found, GREY[None, None] / np.float32(255))


def test_sixteen_bits_are_not_cut_off(picture: Any) -> None:
    deep = RNG.integers(0, 65536, (6, 8), "uint16")
    expected = deep[None, None] / np.float32(65535)
    assert np.array_equal(read_samples(picture(deep), (1, 6, 8)), expected)
    assert np.array_equal(read_samples(picture(deep), (3, 6, 8)), np.repeat(expected, 3, axis=1))


@pytest.mark.parametrize("size", [(3, 4), (12, 9), (6, 8)])
def test_resizing_is_that_of_the_data_sets(picture: Any, size: tuple[int, int]) -> None:
    """What the net was trained on, and what it is asked about, must be made alike."""
    expected = bilinear(COLOUR.transpose(2, 0, 1) / np.float32(255), *size)
    assert np.array_equal(read_samples(picture(COLOUR), (3, *size))[0], expected)


def test_a_jpeg_is_turned_as_it_was_held(picture: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    smooth = np.linspace(0, 255, 48).reshape(6, 8).astype("uint8")
    exif = image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    path = picture(smooth, "jpg", exif=exif, quality=100)
    found = read_samples(path, (1, 8, 6))[0, 0] * 255
    assert np.max(np.abs(found - np.rot90(smooth, -1).astype("float32"))) < 8


@pytest.mark.parametrize("shape", [(2, 6, 8), (48,)])
def test_an_input_that_no_picture_has(picture: Any, shape: tuple[int, ...]) -> None:
    message = refused(picture(GREY), shape).message
    assert "is a picture of 1 or 3 channels, and the net's INPUT is " in message


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    error = refused(tmp_path / "a.png", (1, 4, 5))
    assert error.message.endswith("is a picture, and reading it needs Pillow")
    assert error.help == ('pip install "cnnc[images]"',)


@pytest.mark.parametrize("kind", ["npy", "png", "jpg"])
def test_damage_anywhere_is_an_error_or_harmless(kind: str, tmp_path: Path, picture: Any) -> None:
    path = saved(tmp_path / "a.npy", GREY) if kind == "npy" else picture(GREY, kind)
    whole = path.read_bytes()
    outcomes = set()
    for seed in range(150):
        draw = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3))):
            damaged[draw.randrange(min(len(whole), draw.choice((130, 10**6))))] = draw.randrange(
                256
            )
        path.write_bytes(damaged[: draw.choice((len(whole), draw.randrange(len(whole))))])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                assert read_samples(path, (1, 6, 8)).shape[1:] == (1, 6, 8)
                outcomes.add("read")
            except DataError:
                outcomes.add("refused")
    assert "refused" in outcomes
