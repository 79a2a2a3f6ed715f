"""Single samples from files: arrays, and pictures where Pillow is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from cnnc.compiler.layers.layer import Array, Shape
from cnnc.compiler.values import show_shape

from .errors import DataError

PICTURES = (".png", ".jpg", ".jpeg")


def read_samples(file: str | os.PathLike[str], shape: Shape) -> Array:
    """The samples in a file, (N, *shape) float32; DataError where they are not of the shape.

    An .npy holds one sample or several; a picture is made grey for one channel and RGB for
    three, and resized (bilinear) to the net's height and width. Integers are divided by their
    type's maximum.
    """
    path = Path(file).expanduser()
    if path.suffix.lower() in PICTURES:
        return _picture(path, shape)[None]
    if path.suffix.lower() != ".npy":
        raise DataError(
            f"{path}: what kind of file is this?",
            help=(f"it reads .npy arrays and {', '.join(PICTURES)} pictures",),
        )
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise DataError(f"{path} holds no array of numbers")
    wanted = [shape, shape[1:]] if len(shape) == 3 and shape[0] == 1 else [shape]
    if array.shape not in wanted and array.shape[1:] not in wanted:
        given = f"shape {show_shape(array.shape)}" if array.shape else "no shape: one number"
        raise DataError(
            f"{path} has {given}, and the net's INPUT is {show_shape(shape)}",
            help=(f"save an array of shape {shape} or (N, {', '.join(map(str, shape))})",),
        )
    if array.size == 0:
        raise DataError(f"{path} holds no sample")
    return _scaled(array).reshape(-1, *shape)


def _scaled(array: Array) -> Array:
    if array.dtype.kind in "iu":
        return array.astype("float32") / np.float32(np.iinfo(array.dtype).max)
    return array.astype("float32")


def _picture(path: Path, shape: Shape) -> Array:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise DataError(
            f"{path} is a picture, and reading it needs Pillow",
            help=('pip install "cnnc[images]"',),
        ) from None
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DataError(
            f"{path} is a picture of 1 or 3 channels, and the net's INPUT is {show_shape(shape)}"
        )
    try:
        with Image.open(path) as picture:
            mode: Any = "L" if shape[0] == 1 else "RGB"
            sized = picture.convert(mode).resize((shape[2], shape[1]), Image.Resampling.BILINEAR)
            pixels = np.asarray(sized, dtype="float32") / 255  # (H, W) or (H, W, 3)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    return pixels.reshape(1, *pixels.shape) if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
