"""Characters that no text should have: NUL, other control characters, direction marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .diagnostics import Diagnostic
from .source import Source, Span

# Tab, line feed, form feed and carriage return separate. Direction marks can make a text look
# like another than it is. The lexer skips all of these, so each run is one diagnostic.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+"
)


def character_diagnostics(source: Source) -> Iterator[Diagnostic]:
    """One E103 for each run of control characters, also inside comments and strings."""
    for match in _CONTROL.finditer(source.text):
        name = described(match[0][0])
        yield Diagnostic(
            "E103",
            f"the control character {name} cannot stand in a spec",
            Span(source, match.start(), match.end()),
            label="invisible here",
            help=("delete it",),
        )


def described(character: str) -> str:
    """`U+00E9 (LATIN SMALL LETTER E WITH ACUTE)`: a character by number and name."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")
