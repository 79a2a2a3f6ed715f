"""mnist:DIR and fashion:DIR: the four IDX files of MNIST and what took over its format.

    4 bytes      0, 0, 8 (unsigned bytes follow), number of dimensions: 3 for images, 1 for labels
    4 bytes each the dimensions, big-endian
    the rest     one byte a pixel, or a label

Source    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database", file formats
"""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.data.dataset import Dataset, Split
from cnnc.runtime.data.reading import INFLATION, Readable, existing, fill, unreadable
from cnnc.runtime.data.resize import SIZE_LIMIT, check_image_shape, check_size, to_input
from cnnc.runtime.errors import DataError


def load(spec: str, argument: str, shape: tuple[int, ...], raw: str) -> Dataset:
    """The images resized to shape = (C, H, W), pixels/255.

    The files lie in the folder, in its `raw` sub-folder, or in `raw` = MNIST/raw below it; they
    are called train-images-idx3-ubyte or train-images.idx3-ubyte, packed (.gz) or not.

    Errors    DataError naming the file: missing, damaged, above SIZE_LIMIT, images and labels
              that do not go together, an INPUT that is no image
    """
    folder = _folder(spec, existing(spec, argument, folder=True), raw)
    train_images, train_labels = _pair(spec, folder, "train")
    test_images, test_labels = _pair(spec, folder, "t10k")
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DataError(f"{spec}: images to train and to test on differ in size")
    check_image_shape(spec, shape, (1, train_images.shape[1], train_images.shape[2]))
    check_size(spec, len(train_images) + len(test_images), shape)
    return Dataset(
        name=spec,
        train=Split(to_input(train_images, shape, largest=255), train_labels),
        test=Split(to_input(test_images, shape, largest=255), test_labels),
        classes=1 + int(max(y.max(initial=0) for y in (train_labels, test_labels))),
        note=f"IDX files in {folder}",
    )


def _names(part: str, what: str) -> list[str]:
    """What a file may be called: what = "images-idx3" or "labels-idx1"."""
    plain = [f"{part}-{what}-ubyte", f"{part}-{what.replace('-', '.')}-ubyte"]
    return plain + [f"{name}.gz" for name in plain]


def _folder(spec: str, folder: Path, raw: str) -> Path:
    """Where the files lie."""
    places = [folder, folder / "raw", folder / raw]
    for place in places:
        if any((place / name).is_file() for name in _names("train", "images-idx3")):
            return place
    raise DataError(
        f"{spec}: no train-images-idx3-ubyte, packed (.gz) or not, in {folder}",
        help=(f"it may also lie in {places[1]} or {places[2]}",),
    )


def _pair(spec: str, folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (n, h, w) and their labels (n,)."""
    images = _read(_find(spec, folder, _names(part, "images-idx3")), dimensions=3)
    labels = _read(_find(spec, folder, _names(part, "labels-idx1")), dimensions=1)
    if len(images) != len(labels):
        raise DataError(f"{spec}: {len(images)} {part} images but {len(labels)} labels")
    if 0 in images.shape:
        raise DataError(f"{spec}: the {part} images are {images.shape}: there are no pixels")
    return images, labels.astype(np.int64)


def _find(spec: str, folder: Path, names: list[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"{spec}: {folder} has none of {', '.join(names)}")


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of one file. No more is unpacked than its header declares."""
    try:
        on_disk = path.stat().st_size
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            inflation = INFLATION if path.suffix == ".gz" else 1
            return _array(path, file, dimensions, at_most=on_disk * inflation)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged: {error}", help=("fetch it again",)) from error
    except OSError as error:
        raise unreadable(path, error) from error
    except MemoryError as error:
        raise DataError(f"{path} does not fit into memory") from error


def _array(path: Path, file: Readable, dimensions: int, at_most: int) -> NDArray[np.uint8]:
    magic = file.read(4)
    if magic != bytes((0, 0, 8, dimensions)):
        raise DataError(
            f"{path} begins with {magic.hex(' ') or 'nothing'}, an IDX file of "
            f"{'images' if dimensions == 3 else 'labels'} with 00 00 08 {dimensions:02x}",
            help=("a file packed with gzip must be called .gz",)
            if magic[:2] == b"\x1f\x8b"
            else (),
        )
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DataError(f"{path} is cut off in its header", help=("fetch it again",))
    sides = struct.unpack(f">{dimensions}I", header)
    size = prod(sides)
    if size > min(SIZE_LIMIT, at_most):
        raise DataError(
            f"{path} declares {' x '.join(map(str, sides))} bytes, more than it can hold"
            if size > at_most
            else f"{path} declares {size:,} bytes, the limit is {SIZE_LIMIT:,}"
        )
    array = np.empty(sides, np.uint8)
    read = fill(file, array)
    if read < size:
        raise DataError(f"{path} is cut off: {read:,} bytes of {size:,}", help=("fetch it again",))
    if file.read(1):  # reading on also compares gzip's checksum
        raise DataError(f"{path} goes on after the {size:,} bytes that its header declares")
    return array
