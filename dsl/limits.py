"""What a text may be at most. A spec comes from anywhere, so this is checked before use."""

from __future__ import annotations

import re

from . import nodes as n
from .diagnostics import Diagnostic
from .source import Source, Span

LARGEST_TEXT = 2**20
DEEPEST = 200
LARGEST_INTEGER = 2**63
LARGEST_DIM = 2**31 - 1

_SKIP_OR_BRACKET = re.compile(r"""#[^\n]*|"[^"\n]*"|'[^'\n]*'|[\[({]|[\])}]""")
_SHOWN = 24


def text_diagnostic(source: Source) -> Diagnostic | None:
    """E901 for a text that is too long, E902 for brackets too deep inside one another."""
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_TEXT:
        return Diagnostic(
            "E901",
            f"the text has more than {LARGEST_TEXT:,} bytes (1 MiB), which is the limit",
            Span(source, 0, 0),
            label="nothing of it was read",
            help=("move blocks into files of their own and `import` them",),
        )
    depth = 0
    for match in _SKIP_OR_BRACKET.finditer(source.text):
        if match[0] in "[({":
            depth += 1
            if depth > DEEPEST:
                return too_deep(Span(source, match.start(), match.end()), "brackets")
        elif match[0] in "])}":
            depth = max(depth - 1, 0)
    return None


def too_deep(span: Span, what: str) -> Diagnostic:
    """E902: more than 200 brackets, operators or postfixes inside one another."""
    return Diagnostic(
        "E902",
        f"more than {DEEPEST} {what} inside one another, which is the limit",
        span,
        label=f"this is the {DEEPEST + 1}st",
        help=("say it in steps, with `let` for values and `block` for chains",),
    )


def too_large_number(span: Span) -> Diagnostic:
    """E903 for a number above 2^63."""
    return Diagnostic(
        "E903",
        f"the number {_shortened(span.text)} is larger than the limit of 2^63",
        span,
        label="too large",
    )


def too_large_dim(span: Span) -> Diagnostic:
    """E903 for a dim of 2^31 or more."""
    return Diagnostic(
        "E903",
        f"the shape {_shortened(span.text)} has a dimension of 2^31 or more, which is the limit",
        span,
        label="too large",
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


_POSTFIXES = (n.Repeat, n.Optional, n.Named, n.Shaped)
_OPERATORS = (n.ListValue, n.TupleValue, n.Unary, n.Binary, n.Compare, n.Logical,
              n.Conditional, n.Call)  # fmt: skip


def nesting_diagnostic(node: n.Node) -> Diagnostic | None:
    """E902 where values or postfixes nest too deep without brackets: `not not …`, `x???…`."""
    waiting: list[tuple[n.Node, int, int]] = [(node, 0, 0)]
    while waiting:
        node, values, postfixes = waiting.pop()
        values += isinstance(node, _OPERATORS)
        postfixes += isinstance(node, _POSTFIXES)
        if values > DEEPEST:
            return too_deep(node.span, "values")
        if postfixes > DEEPEST:
            return too_deep(node.span, "postfixes (`*`, `?`, `as`, `::`)")
        waiting.extend((child, values, postfixes) for child in n.children(node))
    return None
