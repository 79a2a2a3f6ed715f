"""Diagnostics for other programs: GitHub's workflow commands, and SARIF 2.1.0."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .cells import visible
from .codes import CODES
from .diagnostics import Diagnostic
from .source import Span

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def github(diagnostic: Diagnostic) -> str:
    """A line that GitHub shows at its place in a pull request: `::error file=…::message`."""
    level = "notice" if diagnostic.severity == "note" else diagnostic.severity
    properties = {"title": f"cnnc {diagnostic.code}"}
    if span := diagnostic.span:
        properties = {
            "file": span.source.name,
            "line": str(span.begin.line),
            "endLine": str(span.finish.line),
            "col": str(span.begin.column),
            "endColumn": str(span.finish.column),
            **properties,
        }
    said = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items())
    return f"::{level} {said}::{_escape(_message(diagnostic))}"


def sarif(diagnostics: Iterable[Diagnostic], version: str) -> dict[str, Any]:
    """A SARIF log with one run of this `version` of cnnc, for code scanning services."""
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    driver = {"name": "cnnc", "version": version, "rules": [_rule(code) for code in codes]}
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, codes) for diagnostic in found],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    entry = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.explanation},
    }


def _result(diagnostic: Diagnostic, codes: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": diagnostic.severity,
        "message": {"text": _message(diagnostic)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span)]
    if diagnostic.related:
        result["relatedLocations"] = [
            {**_location(related.span), "id": number, "message": {"text": related.message}}
            for number, related in enumerate(diagnostic.related, 1)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    path = Path(span.source.name)
    # As bytes: a file name need not be UTF-8.
    uri = path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
    region = {
        "startLine": span.begin.line,
        "startColumn": span.begin.column,
        "endLine": span.finish.line,
        "endColumn": span.finish.column,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _message(diagnostic: Diagnostic) -> str:
    """The message and what would mend it, for readers that show no source lines."""
    lines = [diagnostic.message, *(f"help: {line}" for line in diagnostic.help)]
    return "\n".join(map(visible, lines))


def _escape(text: str, more: str = "") -> str:
    """GitHub's escapes; properties need `:` and `,` escaped too."""
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)
