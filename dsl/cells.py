"""How text from a spec looks on a terminal: what a character shows as, and how wide it is.

A spec is text from anywhere. Its control and formatting characters are shown and never
sent: they could rewrite the screen or hide a part of the line.
"""

from __future__ import annotations

import unicodedata

from .record import Record

_TAB = 4
_WIDTH = 120
_BEFORE = 40


def visible(text: str) -> str:
    """The text on one line, with control and formatting characters made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if c in "\t\r\n" else _shown(c) for c in text)


class CellLine(Record):
    """A line, or the part of a long one around a place, laid out in terminal cells.

    text     what to print
    first    the offset in the line of the first character shown
    columns  the cell that each shown character begins in, and the one after the last
    """

    text: str
    first: int
    columns: tuple[int, ...]

    def cells(self, start: int, end: int) -> tuple[int, int] | None:
        """The cells of the characters start … end, at least one; None where none is shown."""
        last = self.first + len(self.columns) - 1
        if start > last or (start < self.first and end <= self.first):
            return None
        begin = self.columns[max(start - self.first, 0)]
        finish = self.columns[min(end, last) - self.first]
        return begin, max(finish, begin + 1)


def lay_out(line: str, around: int) -> CellLine:
    """Lay out a line; of a long one only the part that has the character `around`."""
    first, last = 0, len(line)
    if last > _WIDTH:
        first = max(0, min(around - _BEFORE, last - _WIDTH))
        last = first + _WIDTH
    pieces = ["…"] if first else []
    column = len(pieces)
    columns = [column]
    for c in line[first:last]:
        piece = " " * (_TAB - column % _TAB) if c == "\t" else _shown(c)
        pieces.append(piece)
        column += _width(piece)
        columns.append(column)
    if last < len(line):
        pieces.append("…")
    return CellLine("".join(pieces), first, tuple(columns))


def _shown(c: str) -> str:
    if c.isprintable() or unicodedata.category(c) in ("Zs", "Mn", "Me"):
        return c
    if ord(c) < 0x20:
        return chr(0x2400 + ord(c))
    return f"<U+{ord(c):04X}>"


def _width(piece: str) -> int:
    if piece.isascii():
        return len(piece)
    return sum(_cell_width(c) for c in piece)


def _cell_width(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
