"""The one form of a spec: the words of the text with canonical space and line breaks.

Only white space, `→` and the commas between settings of `train` change, so the meaning can't.
Comments stay where they are: behind the same word, or on their own line before the same word.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from .diagnostics import SpecError
from .layout import Layout
from .parser import parse, tokens_of
from .source import Source
from .spacing import Comment, gap, words


def format_source(source: Source) -> str:
    """The text in canonical form; SpecError where it has syntax errors."""
    file, diagnostics = parse(source)
    if any(d.severity == "error" for d in diagnostics):
        raise SpecError(diagnostics)
    text, tokens = source.text, tokens_of(source)
    starts = [t.start_pos or 0 for t in tokens]
    # A statement begins with the token that its place begins with.
    firsts = [bisect_left(starts, s.span.start) for s in file.statements]
    lines: list[str] = []
    end_of_last = 0
    for first, end in pairwise([*firsts, len(tokens)]):
        statement = tokens[first:end]
        comments, breaks = gap(text, end_of_last, starts[first])
        _write_comments(lines, comments)
        if breaks > 1:
            _blank(lines)
        lines.extend(Layout(words(text, statement)).write())
        end_of_last = statement[-1].end_pos or 0
    comments, _ = gap(text, end_of_last, len(text))
    _write_comments(lines, comments)
    return "".join(line + "\n" for line in lines)


def _write_comments(lines: list[str], comments: Sequence[Comment]) -> None:
    """Write the comments between two statements."""
    for comment in comments:
        if not comment.own_line and lines:
            lines[-1] += "  " + comment.text
            continue
        if comment.blank_before:
            _blank(lines)
        lines.append(comment.text)


def _blank(lines: list[str]) -> None:
    if lines and lines[-1]:
        lines.append("")
