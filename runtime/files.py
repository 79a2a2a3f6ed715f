"""Files that are whole at every moment: written under another name, synced, renamed.

A process that is killed, a disk that is full or a power cut leaves either the old file or the
new one. The order is what makes it so: the data is on the disk before the name points at it
(fsync, then rename), and the name is on the disk before the caller goes on (fsync of the folder).
"""

import errno
import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from cnnc.runtime.errors import RunError

# .NAME.PID.COUNT.tmp
_TEMPORARY = re.compile(r"\..+\.(?P<pid>[0-9]+)\.[0-9]+\.tmp")
_count = itertools.count()
_in_use: set[Path] = set()


def write_atomic(path: str | os.PathLike[str], data: bytes | Callable[[BinaryIO], object]) -> None:
    """Put `data`, or what `data(file)` writes, at `path` in one step.

    A symbolic link is followed, so that it stays one. Permissions are a new file's (umask).

    Errors    RunError naming the path: no space, no permission, no folder, not a regular file.
              Until the rename the old file is untouched and the temporary one is removed again.
              What `data(file)` raises comes through after the same cleaning.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise RunError(f"cannot write {path}: it is not a regular file")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{next(_count)}.tmp")
    _in_use.add(temporary)
    try:
        _write_synced(temporary, data)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}", help=_advice(error, target)
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
        _in_use.discard(temporary)


def remove_stale(folder: str | os.PathLike[str]) -> list[Path]:
    """Remove the temporary files that killed processes left in `folder`; returns which.

    A file counts as left when its process no longer runs, or is this one and is not writing it.
    Processes of other machines cannot be seen: call it only under the lock of the run.

    Errors    RunError naming the folder or file that cannot be read or removed.
    """
    removed = []
    try:
        for path in sorted(Path(os.path.realpath(folder)).iterdir()):
            match = _TEMPORARY.fullmatch(path.name)
            if match and path not in _in_use and not _runs_elsewhere(int(match["pid"])):
                path.unlink(missing_ok=True)
                removed.append(path)
    except OSError as error:
        raise RunError(f"cannot clean {folder}: {error.strerror or error}") from error
    return removed


def _write_synced(path: Path, data: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file that must not exist yet ("x" is O_CREAT | O_EXCL) through to the disk."""
    with open(path, "xb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            data(file)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Write a folder's list of names through to the disk."""
    if os.name != "posix":
        return  # other systems do not open folders
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(descriptor)


def _runs_elsewhere(pid: int) -> bool:
    """Whether another process than this one has this number."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _advice(error: OSError, target: Path) -> tuple[str, ...]:
    if error.errno == errno.ENOENT:
        return (f"make the folder {target.parent}",)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (f"make room where {target.parent} is, or write elsewhere",)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (f"write where you may, or change the permissions of {target.parent}",)
    return ()
