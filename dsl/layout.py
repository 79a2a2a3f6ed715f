"""Breaking a statement into lines.

A statement that fits on a line stays on one. Else its outermost parts are put on as few lines
as they fit on: the elements of a chain, the items of a list, the operands of a value. Only a
part that does not fit on a line of its own is broken inside. What a part is aligned with is
where its first word stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from .spacing import Comment, Inside, Word

WIDTH = 100

# Brackets deeper than this are kept on a line: there is no room to indent them anyway.
_DEEPEST = 80
# What follows a part on its line is counted up to the first bracket longer than this.
_SHORT = 20
_OPERATORS = {"AND", "OR", "IF", "ELSE", "PLUS", "MINUS"}

Range = tuple[int, int]


class Layout:
    """Writes the words of one statement."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self.lines: list[str] = []
        self._line = ""
        self._indent = 0
        self._depth = 0
        self._commented = -1
        # Sums over the words before each index, to know width and breaks of a range at once.
        self._widths = [0, *accumulate(len(w.space) + len(w.text) for w in words)]
        self._breaks = [0, *accumulate(bool(w.breaks or w.comments) for w in words)]

    def write(self) -> list[str]:
        """The lines of the statement."""
        words, count = self.words, len(self.words)
        kind = words[0].type
        if self._fits(0, count, 0) and not self._broken(0, count):
            self._flat(0, count)
        elif words[0].inside is Inside.CHAIN:
            self._chain(0, count, 0)
        elif kind == "BLOCK":
            self._block()
        elif kind == "TRAIN":
            self._put(0)
            self._bracket(1, count - 1, 0)
        else:
            self._put(0)
            self._fill(self._items(1, count), 0, self._operands)
        self._new_line(0)
        return self.lines

    def _block(self) -> None:
        count = len(self.words)
        body = 1 + next(i for i in self._outermost(0, count) if self.words[i].type == "EQUAL")
        self._element(0, body, 0)
        self._indent = 2
        if not self.words[body].comments:
            self._new_line(2)
        self._comments(body)
        self._chain(body, count, 0)

    # -- words ----------------------------------------------------------------------------

    def _new_line(self, indent: int) -> None:
        self.lines.append(self._line.rstrip())
        self._line = " " * indent

    def _put(self, index: int) -> None:
        """Write a word, after the comments before it."""
        self._comments(index)
        word = self.words[index]
        self._line += word.text if self._fresh else word.space + word.text

    @property
    def _fresh(self) -> bool:
        return not self._line.strip()

    def _comments(self, index: int) -> None:
        """Write the comments before a word, once, and go to a new line after them."""
        comments: tuple[Comment, ...] = self.words[index].comments
        if not comments or self._commented == index:
            return
        self._commented = index
        for comment in comments:
            if comment.own_line and not self._fresh:
                self._new_line(self._indent)
            self._line += comment.text if self._fresh else "  " + comment.text
            self._new_line(self._indent)

    def _flat(self, start: int, end: int) -> None:
        for index in range(start, end):
            self._put(index)

    # -- measures -------------------------------------------------------------------------

    def _column(self, index: int) -> int:
        """The column where a word will stand on this line."""
        return len(self._line) + (0 if self._fresh else len(self.words[index].space))

    def _width(self, start: int, end: int) -> int:
        """The width of a range on one line."""
        if start >= end:
            return 0
        return self._widths[end] - self._widths[start] - len(self.words[start].space)

    def _fits(self, start: int, end: int, tail: int) -> bool:
        return self._column(start) + self._width(start, end) + tail <= WIDTH

    def _broken(self, start: int, end: int) -> bool:
        """Whether a break must be within a range, after its first word."""
        return self._breaks[end] > self._breaks[start + 1]

    def _tail(self, start: int, end: int, tail: int) -> int:
        """How much must stand on the line after a part that ends at `start`."""
        index = start
        while index < end:
            word = self.words[index]
            if word.partner > 0 and self._width(index, word.partner + 1) > _SHORT:
                return self._widths[index + 1] - self._widths[start]
            if word.holds is Inside.BODY:
                return self._widths[index] - self._widths[start]
            index = max(index, word.partner) + 1
        return self._widths[end] - self._widths[start] + tail

    # -- parts of a range, at its outermost level -------------------------------------------

    def _outermost(self, start: int, end: int) -> Iterator[int]:
        index = start
        while index < end:
            yield index
            index = max(index, self.words[index].partner) + 1

    def _cut(self, start: int, end: int, starts: Callable[[int], bool]) -> list[Range]:
        """The range in parts; `starts` says of a word whether a part begins with it."""
        cuts = [i for i in self._outermost(start, end) if i > start and starts(i)]
        return list(zip([start, *cuts], [*cuts, end], strict=True))

    def _items(self, start: int, end: int) -> list[Range]:
        return self._cut(start, end, lambda i: self.words[i - 1].type == "COMMA")

    # -- layouts --------------------------------------------------------------------------

    def _fill(
        self, parts: Sequence[Range], tail: int, inside: Callable[[int, int, int], None]
    ) -> None:
        """Put parts on as few lines as they fit on; `inside` breaks one that fits on none."""
        indent, self._indent = self._indent, self._column(parts[0][0])
        several_lines = False
        for number, (start, end) in enumerate(parts):
            after = tail if number == len(parts) - 1 else 0
            breaks = self._broken(start, end)
            if self.words[start].comments:
                self._comments(start)
            elif number and (
                self.words[start].breaks
                or several_lines
                or breaks
                or not self._fits(start, end, after)
            ):
                self._new_line(self._indent)
            line = len(self.lines)
            if not breaks and self._fits(start, end, after):
                self._flat(start, end)
            else:
                inside(start, end, after)
            several_lines = len(self.lines) > line
        self._indent = indent

    def _chain(self, start: int, end: int, tail: int) -> None:
        elements = self._cut(start, end, lambda i: self.words[i].type == "ARROW")
        self._fill(elements, tail, self._element)

    def _operands(self, start: int, end: int, tail: int) -> None:
        operands = self._cut(start, end, self._is_operator)
        if len(operands) > 1:
            self._fill(operands, tail, self._element)
        else:
            self._element(start, end, tail)

    def _is_operator(self, index: int) -> bool:
        # The sign of -1 has no space after it.
        return self.words[index].type in _OPERATORS and self.words[index + 1].space != ""

    def _element(self, start: int, end: int, tail: int) -> None:
        """Words and brackets one after the other; those that don't fit are broken inside."""
        indent = self._indent
        for index in self._outermost(start, end):
            word = self.words[index]
            if word.type == "FOR":
                self._indent = self._column(index)
            if word.partner < 0:
                self._put(index)
                continue
            if word.holds is Inside.BODY and not word.comments:
                self._new_line(self._indent)
            self._comments(index)
            after = self._tail(word.partner + 1, end, tail)
            closed = word.partner + 1
            if self._fits(index, closed, after) and not self._broken(index, closed):
                self._flat(index, closed)
            else:
                self._bracket(index, word.partner, after)
        self._indent = indent

    def _bracket(self, start: int, end: int, tail: int) -> None:
        holds = self.words[start].holds
        if self._depth > _DEEPEST or end == start + 1:
            self._flat(start, end + 1)
            return
        self._depth += 1
        if holds is Inside.BRANCHES:
            self._branches(start, end, tail)
        elif holds is Inside.SETTINGS:
            self._settings(start, end)
        else:
            self._put(start)
            if holds is Inside.VALUES:
                self._fill(self._items(start + 1, end), tail + 1, self._operands)
            else:
                self._chain(start + 1, end, tail + 1)
            self._put(end)
        self._depth -= 1

    def _branches(self, start: int, end: int, tail: int) -> None:
        """One branch a line, each `|` below the brace."""
        indent, self._indent = self._indent, self._column(start)
        self._put(start)
        branches = self._cut(start + 1, end, lambda i: self.words[i].type == "VBAR")
        for first, last in branches:
            if self.words[first].type == "VBAR":
                if not self.words[first].comments:
                    self._new_line(self._indent)
                self._put(first)
                first += 1
            self._chain(first, last, tail + 2 if last == end else 0)
        self._put(end)
        self._indent = indent

    def _settings(self, start: int, end: int) -> None:
        """One setting a line."""
        self._put(start)
        self._indent = 2
        settings = self._cut(
            start + 1, end, lambda i: i + 1 < end and self.words[i + 1].type == "EQUAL"
        )
        for first, last in settings:
            if not self.words[first].comments:
                self._new_line(2)
            self._comments(first)
            self._operands(first, last, 0)
        self._indent = 0
        if not self.words[end].comments:
            self._new_line(0)
        self._put(end)
