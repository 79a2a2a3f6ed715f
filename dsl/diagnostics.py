"""What is wrong with a spec, and where.

A `Diagnostic` is data; `render.py` makes text and JSON of it. The meaning of each
code is in `codes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from .record import Record
from .source import Span

Severity = Literal["error", "warning", "note"]


class Related(Record):
    """A second place that a diagnostic points at, and what it has to do with it."""

    message: str
    span: Span


class Diagnostic(Record):
    """One mistake, with the place, the arithmetic and what would mend it.

    message   one sentence that names the layer, the wanted and the given value
    span      the characters it is about; None where no text is at hand (a missing file)
    label     a few words at the caret
    notes     `name: text` lines, for example the shape rule with the numbers filled in
    help      changes that would mend it, the likeliest first
    related   other places that the mistake involves
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    severity: Severity = "error"


class SpecError(Exception):
    """A spec does not hold. `.diagnostics` has every mistake that was found, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self._text())

    def _text(self) -> str:
        from .render import plain

        return "\n".join(plain(d) for d in self.diagnostics)


class Diagnostics:
    """Collects diagnostics while a stage runs, so that all are reported at once.

    A repeat or a block checks the same text several times: a second diagnostic with the
    same code at the same place is dropped.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}
        self._around: list[Related] = []

    @contextmanager
    def within(self, place: Related) -> Iterator[None]:
        """Inside, every diagnostic also points at `place`: the use of a block, say."""
        self._around.append(place)
        try:
            yield
        finally:
            self._around.pop()

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, unless the same mistake was already reported at this place."""
        if self._around:
            around = tuple(reversed(self._around))
            diagnostic = diagnostic.replace(related=(*diagnostic.related, *around))
        span = diagnostic.span
        place = (span.source.name, span.start, span.end) if span else (diagnostic.message,)
        self._found.setdefault((diagnostic.code, *place), diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep several."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def at(self, span: Span) -> bool:
        """Whether an error was found at exactly this place."""
        return any(d.span == span and d.severity == "error" for d in self._found.values())

    @property
    def failed(self) -> bool:
        """Whether an error (not only warnings and notes) was found."""
        return any(d.severity == "error" for d in self._found.values())

    def sorted(self) -> tuple[Diagnostic, ...]:
        """In order of place in the text."""

        def place(d: Diagnostic) -> tuple[int, str, int]:
            return (0, "", 0) if d.span is None else (1, d.span.source.name, d.span.start)

        return tuple(sorted(self._found.values(), key=place))

    def raise_if_failed(self) -> None:
        """Raise `SpecError` with everything that was found, if any of it is an error."""
        if self.failed:
            raise SpecError(self.sorted())
