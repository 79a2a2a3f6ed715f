"""npz:FILE: four arrays that NumPy's savez or savez_compressed wrote.

x_train, x_test    samples (n, C, H, W); (n, H, W) serves for an INPUT of one channel
y_train, y_test    classes (n,), counted from 0, of an integer type
"""

import ast
import re
import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.data.dataset import Dataset, Split, text_of
from cnnc.runtime.data.reading import INFLATION, existing, fill, unreadable
from cnnc.runtime.data.resize import SIZE_LIMIT
from cnnc.runtime.errors import DataError

KEYS = ("x_train", "y_train", "x_test", "y_test")
_NUMBERS = re.compile("[<>|=]?[biuf](1|2|4|8|16)")  # types as their header writes them
_HEADER_LIMIT = 10_000  # bytes, NumPy's own
_DIMENSIONS_LIMIT = 32  # what every NumPy takes
# What a damaged file makes zipfile and the reading of a literal raise.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
           TypeError, SyntaxError, OverflowError)  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """What a member of the zip file says of its array, before the array is read."""

    shape: tuple[int, ...]
    fortran: bool  # columns first
    dtype: np.dtype[Any]


def load(spec: str, argument: str, shape: tuple[int, ...]) -> Dataset:
    """The arrays of a file, for a net whose INPUT has this shape.

    Integer samples are divided by their type's maximum, others taken as they are, as float32.
    No array is read before all four have shown their sizes, and nothing in the file is run.

    Errors    DataError naming file and array: missing, damaged, more than SIZE_LIMIT, of a type
              or an order of axes that is not meant
    """
    path = existing(spec, argument, folder=False)
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _arrays(spec, archive)
    except _DAMAGE as error:
        raise DataError(
            f"{spec}: not a whole .npz file: {error}",
            help=("write it with np.savez(FILE, x_train=…, y_train=…, x_test=…, y_test=…)",),
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    except MemoryError as error:
        raise DataError(f"{spec}: its arrays do not fit into memory") from error

    _check_same_scale(spec, arrays["x_train"].dtype, arrays["x_test"].dtype)
    train, test = (
        Split(
            _with_channel(f"{spec}, x_{part}", _samples(spec, f"x_{part}", arrays), shape),
            _labels(f"{spec}, y_{part}", arrays[f"y_{part}"]),
        )
        for part in ("train", "test")
    )
    largest = max(int(y.max(initial=-1)) for y in (train.y, test.y))
    return Dataset(spec, train, test, classes=max(largest + 1, 1), note=f"arrays of {path}")


def _arrays(spec: str, archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    """The four arrays as they are stored."""
    names = set(archive.namelist())
    missing = [key for key in KEYS if f"{key}.npy" not in names]
    if missing:
        there = ", ".join(sorted(name.removesuffix(".npy") for name in names)[:20]) or "nothing"
        raise DataError(
            f"{spec}: {', '.join(missing)} missing; the file holds {there}",
            help=("np.savez(FILE, x_train=…, y_train=…, x_test=…, y_test=…)",),
        )
    total = sum(_declared_size(spec, archive, key) for key in KEYS)
    if total > SIZE_LIMIT:
        raise DataError(
            f"{spec}: its arrays take {total / 2**30:,.1f} GiB, "
            f"the limit is {SIZE_LIMIT // 2**30} GiB",
            help=("use fewer or smaller samples",),
        )
    return {key: _array(spec, archive, key) for key in KEYS}


def _declared_size(spec: str, archive: zipfile.ZipFile, key: str) -> int:
    """Bytes that an array takes, here or as float32, once its header has been believed."""
    info = archive.getinfo(f"{key}.npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The others inflate without a bound, and NumPy does not write them.
        raise DataError(f"{spec}: {key} is compressed in a way that np.savez never uses")
    if info.file_size > INFLATION * info.compress_size:
        raise DataError(
            f"{spec}: {key} says that {info.compress_size:,} bytes unpack to {info.file_size:,}"
        )
    with archive.open(info) as file:
        header = _header(spec, key, file)
        body = info.file_size - file.tell()
    needed = prod(header.shape) * header.dtype.itemsize
    if body != needed:
        raise DataError(
            f"{spec}: {key} has {body:,} bytes, its shape {text_of(header.shape)} of "
            f"{header.dtype} takes {needed:,}"
        )
    return prod(header.shape) * max(header.dtype.itemsize, 4)


def _header(spec: str, key: str, file: IO[bytes]) -> _Header:
    """Reads up to the first byte of the array: a magic, a version, a length, a Python literal.

    Not by NumPy's reader, which lets errors of Python's tokenizer through.

    Source    numpy.lib.format, "Format Version 1.0" to "3.0"
    """
    start = file.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise DataError(f"{spec}: {key} does not begin as an array of version 1, 2 or 3")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _HEADER_LIMIT:
        raise DataError(f"{spec}: {key} has a header of {length:,} bytes")
    table = ast.literal_eval(file.read(length).decode("utf-8").strip())
    if not isinstance(table, dict) or set(table) != {"descr", "fortran_order", "shape"}:
        raise DataError(f"{spec}: {key} has a header that is none")
    word, fortran, shape = table["descr"], table["fortran_order"], table["shape"]
    if word == "|O":
        raise DataError(
            f"{spec}: {key} holds Python objects, which are never read: they could run code",
            help=("save an array of numbers; samples of equal shape stack with np.stack",),
        )
    if not isinstance(word, str) or not _NUMBERS.fullmatch(word):
        raise DataError(f"{spec}: {key} is of type {word!r:.50}, not of numbers")
    if type(shape) is not tuple or len(shape) > _DIMENSIONS_LIMIT:
        raise DataError(f"{spec}: {key} has a shape that is none")
    if not all(type(side) is int and 0 <= side < 2**63 for side in shape):
        raise DataError(f"{spec}: {key} has a shape that is none")
    return _Header(shape, bool(fortran), np.dtype(word))


def _array(spec: str, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """An array as it is stored; its last byte read, zipfile compares the checksum."""
    with archive.open(f"{key}.npy") as file:
        header = _header(spec, key, file)
        array: NDArray[Any] = np.empty(header.shape[:: -1 if header.fortran else 1], header.dtype)
        read = fill(file, array)
    if read < array.nbytes:
        raise DataError(f"{spec}: {key} is cut off: {read:,} bytes of {array.nbytes:,}")
    return array.T if header.fortran else array


def _check_same_scale(spec: str, train: np.dtype[Any], test: np.dtype[Any]) -> None:
    if train != test and (train.kind in "iu" or test.kind in "iu"):
        raise DataError(
            f"{spec}: x_train is {train} and x_test {test}, so they would be scaled differently",
            help=("save both in the same type",),
        )


def _samples(spec: str, key: str, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Stored samples as float32: images of integers in 0…1."""
    x = arrays[key]
    if x.dtype.kind not in "iu":
        with np.errstate(over="ignore"):  # `check` reports what became infinite
            return np.ascontiguousarray(x, np.float32)
    limit = int(np.iinfo(x.dtype).max)
    largest = max(int(a.max(initial=0)) for a in (arrays["x_train"], arrays["x_test"]))
    if x.dtype.itemsize >= 4 and 0 < largest < limit >> 16:
        raise DataError(
            f"{spec}: {key} is {x.dtype} with values up to {largest}; divided by the type's "
            f"maximum, {limit}, nothing would be left of them",
            help=(f'save {key}.astype("uint8")', f'or save {key}.astype("float32") / {largest}'),
        )
    scaled = x.astype(np.float32, order="C")
    scaled /= np.float32(limit)
    return scaled


def _with_channel(
    where: str, x: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """The samples, (n, H, W) as (n, 1, H, W) for an INPUT of one channel.

    Other wrong shapes are left to `check`, save those that an order of axes explains.
    """
    sample = x.shape[1:]
    if sample == shape or x.ndim == 0:
        return x
    if len(shape) == 3 and shape[0] == 1 and sample == shape[1:]:
        return x[:, None]
    if len(shape) == 3 and len(sample) == 3 and (sample[2], *sample[:2]) == shape:
        raise DataError(
            f"{where}: the samples are {text_of(sample)}, channels last; the net's INPUT is "
            f"{text_of(shape)}, channels first",
            help=("save x.transpose(0, 3, 1, 2)",),
        )
    if prod(sample) == prod(shape):
        sides = ", ".join(map(str, shape))
        raise DataError(
            f"{where}: the samples are {text_of(sample)}, the net's INPUT is {text_of(shape)}",
            help=(f"if only the shape is another, save x.reshape(-1, {sides})",),
        )
    return x


def _labels(where: str, y: NDArray[Any]) -> NDArray[np.int64]:
    if y.dtype.kind not in "iu" or y.ndim != 1:
        shape = text_of(y.shape) or "one number"
        if y.ndim == 2 and y.shape[1] > 1:
            fix = "save y.argmax(axis=1), if each row marks its class"
        else:
            fix = 'save y.reshape(-1).astype("int64")'
        raise DataError(
            f"{where}: labels are a row of integers; these are {y.dtype}, {shape}", help=(fix,)
        )
    if len(y) and int(y.max()) >= 2**63:
        raise DataError(f"{where}: {int(y.max())} is no class number")
    return y.astype(np.int64)
