"""Mending a text with mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from .diagnostics import Diagnostic
from .source import Source, Span


def mend(
    source: Source, tokens: Sequence[Token], parser: InteractiveParser
) -> tuple[list[Token] | None, list[Diagnostic]]:
    """Tokens that parse, and what was wrong."""
    for token in [*tokens, Token("$END", "", len(source.text), end_pos=len(source.text))]:
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            span = Span(source, token.start_pos or 0, token.end_pos or 0)
            return None, [Diagnostic("E104", f"`{token}` cannot stand here", span)]
    return None, []
