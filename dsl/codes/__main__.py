"""`python -m cnnc.dsl.codes FILE` writes docs/diagnostics.md; `make docs` runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill

from . import FAMILIES, Code

HEAD = """\
# Diagnostics

What each code means. `make docs` writes this page from `dsl/codes/`, and a test checks every
example: the first gives the code, the second does not.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, codes in FAMILIES.items():
        parts.append(f"## {family}\n")
        parts += [_section(name, code) for name, code in sorted(codes.items())]
    return "\n".join(parts)


def _section(name: str, code: Code) -> str:
    lines = [f"### {name}: {code.title}", "", fill(code.explanation, 100), ""]
    if code.wrong:
        lines += [f"Gives {name}:", "", *_example(code.wrong)]
    if code.mended:
        lines += ["Mended:", "", *_example(code.mended)]
    return "\n".join(lines)


def _example(text: str) -> list[str]:
    tested = "<!-- not run: tests/dsl/test_codes.py checks it -->"
    return [tested, "```cnn", text.strip("\n"), "```", ""]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
