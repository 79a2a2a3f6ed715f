"""Mistakes that beginners make, each with all that `cnnc check` says: `mistakes.txt`.

`python -m tests.mistakes` writes the file anew, for its changes to be read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cnnc.api import check_source
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.render import text
from cnnc.dsl.source import Source

FILE = Path(__file__).with_name("mistakes.txt")
HEAD = """\
Mistakes that beginners make: a title, the spec, and all that `cnnc check` says about it.
`python -m tests.mistakes` writes this file anew.
"""


class Mistake(NamedTuple):
    """A mistake and what is said about it."""

    title: str
    spec: str
    said: str


def mistakes() -> Iterator[Mistake]:
    """All mistakes of the file."""
    for part in FILE.read_text("utf-8").split("\n==== ")[1:]:
        title, _, rest = part.partition("\n")
        spec, _, said = rest.partition("\n----\n")
        yield Mistake(title, spec + "\n", said.rstrip("\n") + "\n")


def found(spec: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a spec."""
    return check_source(Source("net.cnn", spec)).diagnostics


def said(spec: str) -> str:
    """What the command says about it."""
    return "\n\n".join(text(d) for d in found(spec)) + "\n"


def page() -> str:
    """The file with what is said now."""
    parts = [f"\n==== {m.title}\n{m.spec}----\n{said(m.spec)}" for m in mistakes()]
    return HEAD + "".join(parts)


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
