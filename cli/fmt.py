"""`cnnc fmt`: formats specs where they lie."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command import Command
from .options import complete_spec
from .output import write_diagnostics, write_error

if TYPE_CHECKING:
    from cnnc.dsl.diagnostics import Diagnostic


@click.command(
    "fmt",
    cls=Command,
    examples=[
        "cnnc fmt lenet5.cnn",
        "cnnc fmt --check examples/*.cnn",
        "cnnc fmt - < lenet5.cnn",
    ],
)
@click.option("--check", is_flag=True, help="Change nothing; status 1 where a file would change.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_spec)
def command(files: Sequence[str], check: bool) -> int:
    """Write specs in the one usual form. Comments are kept; what they mean stays the same.

    FILE is changed in place; `-` reads standard input and writes standard output. A file with
    a syntax error is left as it is.
    """
    from cnnc.dsl.diagnostics import SpecError

    found: list[Diagnostic] = []
    changed = failed = 0
    for file in files:
        try:
            changed += _format(file, check)
        except SpecError as error:
            found += error.diagnostics
        except OSError as error:
            write_error(f"{file}: {error.strerror or error}")
            failed += 1
    if check and changed:
        sys.stderr.write(f"{changed} of {len(files)} would change\n")
    write_diagnostics(found)
    return int(bool(found or failed or (check and changed)))


def _format(file: str, check: bool) -> bool:
    """Format one file; return whether that changed it, or would."""
    from cnnc.dsl.format import format_source
    from cnnc.dsl.parser import read_source

    source = read_source(file)
    formatted = format_source(source)
    if file == "-":
        if not check:
            sys.stdout.write(formatted)
        return formatted != source.text
    path = Path(file)
    # Compared with the bytes: read_source drops a byte order mark and carriage returns.
    if path.read_bytes() == formatted.encode():
        return False
    if check:
        sys.stdout.write(f"would change {file}\n")
    else:
        _replace(path, formatted)
        sys.stderr.write(f"formatted {file}\n")
    return True


def _replace(path: Path, text: str) -> None:
    """Write a file so that after a crash it is the old one or the new one, whole."""
    # A link stays one, and its target is replaced.
    path = path.resolve()
    old = path.stat()
    if not os.access(path, os.W_OK):
        raise PermissionError(13, "may not be written", str(path))
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(PermissionError):
            os.chown(name, old.st_uid, old.st_gid)
        os.chmod(name, old.st_mode & 0o7777)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
