"""Bytes from files that may be damaged or made to do harm: nothing is taken on trust."""

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.errors import DataError

# DEFLATE makes at most 1032 bytes from one; a file that declares more is lying.
INFLATION = 1032
_CHUNK = 2**24  # bytes read at a time


class Readable(Protocol):
    """A file, or a member of an archive that unpacks as it is read."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def existing(spec: str, text: str, folder: bool) -> Path:
    """The path that a spec names, `~` expanded.

    Errors    DataError: it is not there, or is a folder where a file is wanted or the reverse
    """
    try:
        path = Path(text).expanduser()
        is_there, is_folder = path.exists(), path.is_dir()
    except (RuntimeError, ValueError) as error:  # an unknown ~user; a null character
        raise DataError(f"{spec}: {text!r} is not a path: {error}") from error
    except OSError as error:
        raise unreadable(text, error) from error
    kind = "folder" if folder else "file"
    if not is_there:
        raise DataError(f"{spec}: there is no {kind} {path}", help=_nearest(path))
    if is_folder != folder:
        raise DataError(f"{spec}: {path} is not a {kind}")
    return path


def unreadable(path: str | os.PathLike[str], error: OSError) -> DataError:
    """The error of a file that the system does not give out."""
    return DataError(f"cannot read {path}: {error.strerror or error}")


def fill(file: Readable, array: NDArray[Any]) -> int:
    """Read the bytes of a contiguous array, no more; returns how many there were."""
    wanted = array.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(wanted):
        chunk = file.read(min(_CHUNK, len(wanted) - done))
        if not chunk:
            break
        wanted[done : done + len(chunk)] = chunk
        done += len(chunk)
    return done


def _nearest(path: Path) -> tuple[str, ...]:
    """How far the path is right."""
    for parent in path.absolute().parents:
        if parent.is_dir():
            return (f"the folder {parent} is there; what follows it is not",)
    return ()
