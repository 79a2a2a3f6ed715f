"""Reader and writer of the safetensors format, with checksums.

    8 bytes   length N of the header, unsigned, little-endian
    N bytes   header: JSON, name -> {"dtype", "shape", "data_offsets": [begin, end]}, and
              "__metadata__": text -> text
    the rest  the arrays' bytes, C order, little-endian, without gaps, in the order of the offsets

Own, and not the package's: that writes the bytes of an array that is not contiguous in the wrong
order, does not sync, and cannot tell a flipped bit. Files go both ways between the two.

The checksums are entries of the metadata, which other readers ignore: "cnnc.crc32" over length and
header (its own eight digits read as zeros) and "cnnc.crc32.NAME" over the bytes of each array.

Source    https://github.com/safetensors/safetensors, "Format"
"""

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.errors import RunError
from cnnc.runtime.files import write_atomic

HEADER_LIMIT = 100_000_000  # bytes, as in the package
DIMENSIONS_LIMIT = 32  # what every NumPy takes
CHECKSUM = "cnnc.crc32"
METADATA = "__metadata__"

DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}
_WORDS = {dtype: word for word, dtype in DTYPES.items()}


@dataclass(frozen=True)
class _Entry:
    """Where an array lies; offsets count bytes from the end of the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def save(
    path: str | os.PathLike[str],
    tensors: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays and texts to one file, in one step; equal input gives equal bytes.

    Arrays are stored contiguous, the widest types first (so that each is aligned), then by name.

    Errors    RunError naming the path: a type the format lacks, a reserved name, a text that is
              none, a file that cannot be written
    """
    arrays = {name: _storable(path, name, array) for name, array in tensors.items()}
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header = _header(path, {name: arrays[name] for name in names}, metadata or {})

    def write(file: BinaryIO) -> None:
        file.write(header)
        for name in names:
            file.write(_bytes(arrays[name]))

    write_atomic(path, write)


def load(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays and the metadata of a file, in the file's order; the checksums are taken out.

    Everything is checked before an array is made, so that no file makes this allocate more than
    its own size. Files without checksums, from other tools, are read too.

    Errors    RunError naming the path and what is wrong in it
    """
    try:
        with open(path, "rb") as file:
            return _read(path, file)
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise RunError(f"cannot read {path}: it does not fit into memory") from error


def _storable(path: str | os.PathLike[str], name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The same array, contiguous and little-endian."""
    little = array.dtype.newbyteorder("<")
    if little not in _WORDS:
        raise RunError(
            f"cannot write {path}: {name} is of type {array.dtype}",
            help=(f"types that the format has: {', '.join(map(str, _WORDS))}",),
        )
    return np.asarray(array, dtype=little, order="C")


def _bytes(array: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array, not copied."""
    return array.reshape(-1).view(np.uint8).data


def _header(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> bytes:
    """Length and header, padded so that the arrays begin at a multiple of 8."""
    for key, value in metadata.items():
        if {type(key), type(value)} != {str}:
            raise RunError(f"cannot write {path}: metadata {key!r}: {value!r} is not text")
        if key.startswith(CHECKSUM):
            raise RunError(f"cannot write {path}: the metadata key {key} is reserved")
    if METADATA in arrays:
        raise RunError(f"cannot write {path}: the tensor name {METADATA} is reserved")

    checksums = {f"{CHECKSUM}.{name}": _crc(_bytes(array)) for name, array in arrays.items()}
    table: dict[str, object] = {
        METADATA: {CHECKSUM: "0" * 8, **checksums, **dict(sorted(metadata.items()))}
    }
    begin = 0
    for name, array in arrays.items():
        end = begin + array.nbytes
        word = _WORDS[array.dtype]
        table[name] = {"dtype": word, "shape": array.shape, "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise RunError(
            f"cannot write {path}: its header of {len(text):,} bytes is above {HEADER_LIMIT:,}"
        )
    header = struct.pack("<Q", len(text)) + text
    return header.replace(_entry_of("0" * 8), _entry_of(_crc(header)), 1)


def _entry_of(digits: str) -> bytes:
    """The header's checksum as it stands in the header: nothing else can hold these quotes."""
    return f'"{CHECKSUM}":"{digits}"'.encode()


def _crc(data: bytes | memoryview) -> str:
    return f"{zlib.crc32(data):08x}"


def _read(
    path: str | os.PathLike[str], file: BinaryIO
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    if len(start) < 8:
        raise _damaged(path, f"it has {size} bytes, fewer than the 8 of the header's length")
    length = struct.unpack("<Q", start)[0]
    if length > HEADER_LIMIT:
        raise _damaged(path, f"a header of {length:,} bytes is above {HEADER_LIMIT:,}")
    if length > size - 8:
        raise _damaged(path, f"its header of {length:,} bytes ends after the file's {size:,}")
    text = file.read(length)
    table = _parse(path, text)
    metadata = _metadata(path, table.pop(METADATA, {}))
    entries = sorted(
        (_entry(path, name, value) for name, value in table.items()),
        key=lambda entry: (entry.begin, entry.end),
    )
    _check_cover(path, entries, size - 8 - length)
    checksums = {key: metadata.pop(key) for key in list(metadata) if key.startswith(CHECKSUM)}
    if checksums:
        _check_header(path, start + text, checksums, entries)

    tensors = {}
    for entry in entries:
        array = _array(path, file, entry)
        if checksums and checksums[f"{CHECKSUM}.{entry.name}"] != _crc(_bytes(array)):
            raise _damaged(path, f"the bytes of {entry.name} do not have their checksum")
        tensors[entry.name] = array
    return tensors, metadata


def _parse(path: str | os.PathLike[str], text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            raise ValueError("a name stands twice")
        return table

    try:
        table = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not valid: {error}") from error
    if not isinstance(table, dict) or not text.startswith(b"{"):
        raise _damaged(path, "its header is not a JSON object")
    return table


def _metadata(path: str | os.PathLike[str], value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise _damaged(path, "its metadata is not a table of texts")
    return value


def _entry(path: str | os.PathLike[str], name: str, value: object) -> _Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(path, f"{name} does not have exactly dtype, shape and data_offsets")
    word, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(word, str) or word not in DTYPES:
        raise _damaged(path, f"{name} is of type {word!r}, which is none of {', '.join(DTYPES)}")
    if not _is_sizes(shape) or len(shape) > DIMENSIONS_LIMIT:
        raise _damaged(path, f"{name} has a shape that is none")
    if not _is_sizes(offsets) or len(offsets) != 2:
        raise _damaged(path, f"{name} has offsets that are none")
    entry = _Entry(name, DTYPES[word], tuple(shape), *offsets)
    needed = prod(entry.shape) * entry.dtype.itemsize
    if entry.end - entry.begin != needed:
        raise _damaged(
            path,
            f"{name} needs {needed:,} bytes for its type and shape, and has "
            f"{entry.end - entry.begin:,}",
        )
    return entry


def _is_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _check_cover(path: str | os.PathLike[str], entries: list[_Entry], size: int) -> None:
    """The arrays, sorted by place, must cover the `size` bytes after the header exactly once."""
    place = 0
    for entry in entries:
        if entry.begin != place:
            what = "overlaps the array before it" if entry.begin < place else "follows a hole"
            raise _damaged(path, f"{entry.name} at byte {entry.begin:,} {what}")
        place = entry.end
    if place != size:
        raise _damaged(path, f"its arrays take {place:,} bytes, and it has {size:,} for them")


def _check_header(
    path: str | os.PathLike[str], header: bytes, checksums: dict[str, str], entries: list[_Entry]
) -> None:
    expected = {CHECKSUM, *(f"{CHECKSUM}.{entry.name}" for entry in entries)}
    if set(checksums) != expected:
        raise _damaged(path, "its checksums do not belong to its arrays")
    digits = checksums[CHECKSUM]
    if _crc(header.replace(_entry_of(digits), _entry_of("0" * 8), 1)) != digits:
        raise _damaged(path, "its header does not have its checksum")


def _array(path: str | os.PathLike[str], file: BinaryIO, entry: _Entry) -> NDArray[Any]:
    """The next array of the file."""
    try:
        array = np.empty(entry.shape, entry.dtype)
    except ValueError as error:  # an empty array with sides beyond what NumPy counts
        raise _damaged(path, f"{entry.name} has a shape that is none: {error}") from error
    if file.readinto(_bytes(array)) != array.nbytes:  # type: ignore[attr-defined]
        raise _damaged(path, f"it ended while {entry.name} was read")
    return array


def _damaged(path: str | os.PathLike[str], what: str) -> RunError:
    return RunError(f"{path} is not a whole safetensors file: {what}")
