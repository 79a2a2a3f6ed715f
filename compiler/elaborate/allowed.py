"""`# cnnc: allow W602`: a comment that switches lints off.

It holds for what is written in its file; in the file that is checked, for all that is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cnnc.dsl.diagnostics import Diagnostic, Diagnostics
from cnnc.dsl.source import Source, Span

from ..suggest import did_you_mean

COMMENT = re.compile(r"#[ \t]*cnnc:[ \t]*allow\b([^\n]*)")
WORD = re.compile(r"[^\s,]+")


def without_allowed(found: Iterable[Diagnostic], source: Source) -> tuple[Diagnostic, ...]:
    """What is left of warnings and notes; and what is wrong with the comments of `source`."""
    everywhere, wrong = _allowed(source)
    by_source: dict[int, set[str]] = {}
    kept = []
    for diagnostic in found:
        codes = everywhere
        if diagnostic.span is not None and diagnostic.span.source is not source:
            there = diagnostic.span.source
            if id(there) not in by_source:
                by_source[id(there)] = _allowed(there)[0]
            codes = everywhere | by_source[id(there)]
        if diagnostic.severity == "error" or diagnostic.code not in codes:
            kept.append(diagnostic)
    whole = Diagnostics()
    whole.extend((*kept, *wrong))
    return whole.sorted()


def _allowed(source: Source) -> tuple[set[str], tuple[Diagnostic, ...]]:
    codes: set[str] = set()
    wrong = []
    for comment in COMMENT.finditer(source.text):
        from cnnc.dsl.codes import CODES  # only a file with such a comment needs them

        for word in WORD.finditer(comment[1]):
            if word[0] in CODES and word[0].startswith("W"):
                codes.add(word[0])
                continue
            start = comment.start(1) + word.start()
            lints = [code for code in CODES if code.startswith("W")]
            wrong.append(
                Diagnostic(
                    "W610", f"{word[0]} is no lint that a comment can switch off",
                    Span(source, start, start + len(word[0])),
                    help=did_you_mean(word[0], lints) or (f"lints are {', '.join(lints)}",),
                    severity="warning",
                )
            )  # fmt: skip
    return codes, tuple(wrong)
