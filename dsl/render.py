"""Diagnostics as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .cells import visible
from .diagnostics import Diagnostic, Related
from .snippet import Mark, Paint, excerpt, gutter_width
from .source import Span

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "related": "1;34",
    "gutter": "1;34",
    "message": "1",
}


def plain(diagnostic: Diagnostic) -> str:
    """One line: `lenet.cnn:4:27: error[E301]: POOL(3) does not fit: its input is 2x2`."""
    place = f"{_place(diagnostic.span)}: " if diagnostic.span else ""
    return f"{place}{_heading(diagnostic)}{visible(diagnostic.message)}"


def text(diagnostic: Diagnostic, colour: bool = False) -> str:
    """The diagnostic with the lines it is about, its notes and its help."""
    paint = _coloured if colour else _uncoloured
    heading = paint(diagnostic.severity, _heading(diagnostic).rstrip(": "))
    rows = [heading + paint("message", f": {visible(diagnostic.message)}")]

    excerpts = _excerpts(diagnostic)
    width = max((gutter_width(marks) for marks in excerpts), default=1)
    bar = paint("gutter", f" {'':>{width}} |")
    for marks in excerpts:
        rows.append(f" {'':>{width}}{paint('gutter', '-->')} {_place(marks[0].span)}")
        rows += [bar, *excerpt(marks, width, paint)]
    remarks = [*map(_note, diagnostic.notes), *(f"help: {line}" for line in diagnostic.help)]
    if remarks and excerpts:
        rows.append(bar)
    for remark in remarks:
        rows += _remark(remark, width, paint)
    return "\n".join(rows)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many there are of each severity: `2 errors, 1 warning`; empty where there are none."""
    severities = [d.severity for d in diagnostics]
    counts = [(severities.count(name), name) for name in ("error", "warning", "note")]
    return ", ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in counts if n)


def as_json(diagnostic: Diagnostic, file_name: str) -> dict[str, Any]:
    """The diagnostic as `cnnc check --format json` gives it, within the report on `file_name`."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_json_place(diagnostic.span, file_name),
        "notes": list(diagnostic.notes),
        "help": list(diagnostic.help),
        "related": [
            {"message": related.message, **_json_place(related.span, file_name)}
            for related in diagnostic.related
        ],
    }


def _json_place(span: Span | None, file_name: str) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(("line", "column", "end_line", "end_column"))
    place: dict[str, Any] = {
        "line": span.begin.line,
        "column": span.begin.column,
        "end_line": span.finish.line,
        "end_column": span.finish.column,
    }
    if span.source.name != file_name:
        place["file"] = span.source.name
    return place


def _heading(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.severity}[{diagnostic.code}]: "


def _place(span: Span) -> str:
    return f"{visible(span.source.name)}:{span.begin.line}:{span.begin.column}"


def _excerpts(diagnostic: Diagnostic) -> list[list[Mark]]:
    """The marks of each source, the mistake's own first."""
    marks = []
    if diagnostic.span is not None:
        marks.append(Mark(diagnostic.span, diagnostic.label, diagnostic.severity))
    marks += map(_related_mark, diagnostic.related)
    by_source: dict[str, list[Mark]] = {}
    for mark in marks:
        by_source.setdefault(mark.span.source.name, []).append(mark)
    return list(by_source.values())


def _related_mark(related: Related) -> Mark:
    return Mark(related.span, related.message, "related")


def _note(line: str) -> str:
    """A note says what it is, as in `rule: out = …`; one that does not is a `note:`."""
    return line if re.match(r"[a-z ]+: ", line) else f"note: {line}"


def _remark(remark: str, width: int, paint: Paint) -> list[str]:
    """`= help: …`, further lines of it below its first."""
    name, _, rest = remark.partition(": ")
    first, *others = rest.split("\n")
    sign = paint("gutter", "=")
    rows = [f" {'':>{width}} {sign} {paint('message', f'{name}:')} {visible(first)}"]
    indent = " " * (width + 4)
    return rows + [f"{indent}{visible(line)}".rstrip() for line in others]


def _uncoloured(style: str, text: str) -> str:
    return text


def _coloured(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"
