"""Text that fits the terminal: its width, wrapped lines, headings, bars."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import wrap

from cnnc.dsl.cells import visible

from .output import use_colour

NARROWEST = 48  # below this, formulas would be cut into single terms
WIDEST = 100  # to which bars grow
EIGHTHS = " ▏▎▍▌▋▊▉█"


def width() -> int:
    """How many characters a line may have: as COLUMNS says, or the terminal; else 80."""
    return max(NARROWEST, get_terminal_size().columns)


def heading(text: str, first: str = "") -> str:
    """A text in lines that fit, bold where standard output takes colour."""
    lines = wrapped(text, first, "    ")
    if not use_colour(sys.stdout):
        return lines
    return "\n".join(f"\x1b[1m{line}\x1b[0m" for line in lines.split("\n"))


def wrapped(text: str, first: str = "", indent: str = "") -> str:
    """A text in lines that fit; `first` stands before the first of them, `indent` before others."""
    text = visible(text)
    if len(first) + len(text) <= width():
        return first + text
    lines = wrap(
        text, width(), initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(lines)


def bar(share: float, room: int) -> str:
    """A bar for a share of 0 … 1, `room` characters at most; of # where blocks can't be shown."""
    if not _shows(EIGHTHS):
        return "#" * round(share * room)
    eighths = max(round(share * room * 8), 1 if share > 0 else 0)
    whole, rest = divmod(eighths, 8)
    return EIGHTHS[-1] * whole + (EIGHTHS[rest] if rest else "")


def _shows(text: str) -> bool:
    """Whether standard output can show a text, as its encoding says."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
