"""Source texts and places in them. Every node of every stage carries a `Span`."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from .record import Record


class Position(NamedTuple):
    """A place in a text as a reader counts it: line and column from 1."""

    line: int
    column: int


class Source(Record):
    """A text and the name that messages give it (`<stdin>` for standard input)."""

    name: str
    text: str

    # A text is long, and compared with every span.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")
        return starts

    def position(self, offset: int) -> Position:
        """The line and column of a character offset (0 … len(text))."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its line break."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class Span(Record):
    """The characters `start` (inclusive) to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def begin(self) -> Position:
        """Where it begins."""
        return self.source.position(self.start)

    @property
    def finish(self) -> Position:
        """Where it ends: the column after its last character."""
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this to the end of `other`."""
        return Span(self.source, self.start, other.end)
