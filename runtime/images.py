"""Single samples from files: arrays, and pictures where Pillow is installed."""

from __future__ import annotations

import os
import struct
import tokenize
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from cnnc.compiler.layers.layer import Array, Shape
from cnnc.compiler.values import show_shape

from .data.reading import unreadable
from .data.resize import bilinear
from .errors import DataError

PICTURES = (".png", ".jpg", ".jpeg")
# What a damaged file makes NumPy and Pillow raise, besides OSError.
DAMAGE = (ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError, RecursionError,
          struct.error, zlib.error, tokenize.TokenError)  # fmt: skip


def read_samples(file: str | os.PathLike[str], shape: Shape) -> Array:
    """The samples in a file, (N, *shape) float32; DataError where they are not of the shape.

    An .npy holds one sample or several; a picture is made grey for one channel and RGB for
    three, and resized (bilinear, as the data sets are) to the net's height and width. Integers
    are divided by their type's maximum.
    """
    path = Path(file)
    if path.suffix.lower() in PICTURES:
        return _picture(path, shape)[None]
    if path.suffix.lower() != ".npy":
        raise DataError(
            f"{path}: what kind of file is this?",
            help=(f"it reads .npy arrays and {', '.join(PICTURES)} pictures",),
        )
    array = _array(path)
    wanted = [shape, shape[1:]] if len(shape) == 3 and shape[0] == 1 else [shape]
    if array.shape not in wanted and array.shape[1:] not in wanted:
        given = f"shape {show_shape(array.shape)}" if array.shape else "no shape: one number"
        sides = ", ".join(map(str, shape))
        raise DataError(
            f"{path} has {given}, and the net's INPUT is {show_shape(shape)}",
            help=(f"save an array of shape ({sides}{',' * (len(shape) == 1)}) or (N, {sides})",),
        )
    if array.size == 0:
        raise DataError(f"{path} holds no sample")
    samples = _scaled(array).reshape(-1, *shape)  # (N, *shape)
    for index, sample in enumerate(samples):
        if not np.isfinite(sample).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(sample))[0])
            raise DataError(f"{path}: sample {index} holds {sample[place]} at {place}")
    return samples


def _array(path: Path) -> Array:
    """The array of an .npy file; nothing in it is run."""
    try:
        with open(path, "rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise DataError(f"{path} is no .npy array, whatever its name says")
            file.seek(0)
            array = np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise unreadable(path, error) from None
    except DAMAGE as error:
        raise DataError(f"{path} is not a whole .npy array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path} holds {array.dtype}, not numbers")
    return array


def _scaled(array: Array) -> Array:
    if array.dtype.kind in "iu":
        return array.astype("float32") / np.float32(np.iinfo(array.dtype).max)
    with np.errstate(over="ignore"):  # what became infinite is reported
        return array.astype("float32")


def _picture(path: Path, shape: Shape) -> Array:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
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
        with warnings.catch_warnings(action="ignore"), Image.open(path) as opened:
            picture: Any = ImageOps.exif_transpose(opened)  # as it was held
            # Grey of 16 bits, which `convert` would cut off at 255.
            deep = picture.mode.startswith("I")
            if not deep:
                picture = picture.convert("L" if shape[0] == 1 else "RGB")
            pixels: Array = np.asarray(picture, "float32")  # (h, w) or (h, w, 3)
    except UnidentifiedImageError:
        raise DataError(f"{path} is no picture, whatever its name says") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is not a whole picture: {error}") from None
    channels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # (1 or 3, h, w)
    channels = channels / np.float32(65535 if deep else 255)
    sized = bilinear(channels, shape[1], shape[2])  # (1 or 3, H, W)
    return np.ascontiguousarray(np.broadcast_to(sized, shape))  # (C, H, W)
