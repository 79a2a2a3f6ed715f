"""What the commands print: colour where it is wanted, diagnostics, errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from cnnc.dsl.diagnostics import Diagnostic


def use_colour(stream: TextIO) -> bool:
    """Whether to write colour to a stream: on a terminal, unless NO_COLOR or FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def write_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO | None = None) -> None:
    """Print diagnostics, each with its lines of source, and how many there are.

    To standard error, unless they are the result that was asked for.
    """
    from cnnc.dsl.render import summary, text

    stream = stream or sys.stderr
    found = list(diagnostics)
    colour = use_colour(stream)
    for diagnostic in found:
        stream.write(text(diagnostic, colour) + "\n\n")
    if found:
        stream.write(summary(found) + "\n")


def write_error(message: str, help: Iterable[str] = ()) -> None:
    """Print `error: …` and `help: …` lines to standard error."""
    from cnnc.dsl.cells import visible

    colour = use_colour(sys.stderr)

    def name(word: str, code: str) -> str:
        return f"\x1b[{code}m{word}:\x1b[0m" if colour else f"{word}:"

    lines = [f"{name('error', '1;31')} {visible(message)}"]
    lines += [f"{name('help', '1')} {visible(line)}" for line in help]
    sys.stderr.write("\n".join(lines) + "\n")
