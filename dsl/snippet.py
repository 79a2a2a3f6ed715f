"""Excerpts of a source with places marked in them, as an error message shows them.

4 | -> CONV(16, 5) -> RELU -> POOL(3)
  |                           ^^^^^^^ needs at least 3x3, gets 16x2x2 from relu2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .cells import lay_out, visible
from .record import Record
from .source import Source, Span

Paint = Callable[[str, str], str]
"""Puts a text into a style: `paint("gutter", " 4 | ")`."""

_WHOLE = 4
"""A place of up to this many lines is shown whole, a longer one by its first and last."""


class Mark(Record):
    """A place to mark, `^^^ label` in `style` for the mistake, `--- label` for related ones."""

    span: Span
    label: str
    style: str

    @property
    def rule(self) -> str:
        """The character that underlines it."""
        return "-" if self.style == "related" else "^"


class _Part(Record):
    """What of a mark stands on one line: offsets in the line, end exclusive."""

    mark: Mark
    start: int
    end: int
    label: str


def gutter_width(marks: Sequence[Mark]) -> int:
    """The digits of the largest line number that an excerpt with these marks shows."""
    return max((len(str(mark.span.finish.line)) for mark in marks), default=1)


def excerpt(marks: Sequence[Mark], width: int, paint: Paint) -> list[str]:
    """The lines of one source that the marks are on, each with its marks below it."""
    source = marks[0].span.source
    parts: dict[int, list[_Part]] = {}
    for mark in marks:
        for number, part in _split(mark):
            parts.setdefault(number, []).append(part)

    rows: list[str] = []
    previous = None
    for number in sorted(parts):
        if previous is not None and number - previous == 2:
            rows += _line_rows(source, number - 1, [], width, paint)
        elif previous is not None and number - previous > 2:
            rows.append(paint("gutter", "..."))
        rows += _line_rows(source, number, parts[number], width, paint)
        previous = number
    return rows


def _split(mark: Mark) -> list[tuple[int, _Part]]:
    """The parts of a mark by line number. A line break at its end does not count."""
    span = mark.span
    end = span.start + len(span.text.rstrip())
    begin = span.source.position(span.start)
    finish = span.source.position(max(end, span.start))
    if begin.line == finish.line:
        return [(begin.line, _Part(mark, begin.column - 1, finish.column - 1, mark.label))]

    numbers = list(range(begin.line, finish.line + 1))
    if len(numbers) > _WHOLE:
        numbers = [begin.line, finish.line]
    parts = []
    for number in numbers:
        line = span.source.line(number)
        start = len(line) - len(line.lstrip())
        stop = len(line.rstrip())
        if number == begin.line:
            start = begin.column - 1
        if number == finish.line:
            stop = finish.column - 1
        if start < stop:
            label = mark.label if number == finish.line else ""
            parts.append((number, _Part(mark, start, stop, label)))
    return parts


def _line_rows(
    source: Source, number: int, parts: list[_Part], width: int, paint: Paint
) -> list[str]:
    """A line and its marks; a long line once more for each mark too far from the others."""
    line = source.line(number)
    margin = paint("gutter", f" {number:>{width}} |")
    below = paint("gutter", f" {'':>{width}} |")
    # The mistake itself decides what of a long line is shown first.
    waiting = sorted(parts, key=lambda part: (part.mark.style == "related", part.start))
    rows: list[str] = []
    while True:
        shown = lay_out(line, waiting[0].start if waiting else 0)
        rows.append(f"{margin} {shown.text}".rstrip())
        near = [(shown.cells(part.start, part.end), part) for part in waiting]
        for cells, part in sorted(near, key=lambda item: item[1].start):
            if cells is not None:
                underline = part.mark.rule * (cells[1] - cells[0])
                text = paint(part.mark.style, f"{underline} {visible(part.label)}".rstrip())
                rows.append(f"{below} {' ' * cells[0]}{text}")
        waiting = [part for cells, part in near if cells is None]
        if not waiting:
            return rows
