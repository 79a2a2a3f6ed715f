"""docs/layers.md, written from the layers themselves.

python -m cnnc.compiler.reference docs/layers.md
"""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path

from .arguments import Declared
from .layers.initializers import INITIALIZERS
from .layers.layer import Layer
from .layers.merge import Merge
from .layers.registry import FAMILIES
from .layers.side_exit import Aux
from .training.augment import AUGMENTATIONS
from .training.losses import LOSSES
from .training.optimizers import OPTIMIZERS
from .training.schedules import SCHEDULES
from .training.settings import Training
from .values import show_shape

HEAD = """\
# Layers

<!-- Written by `make docs` from compiler/layers and compiler/training: change it there. -->

Shapes are of one sample, `CxHxW` or a vector `K`; N counts the samples. An argument may be given
by place, in this order, or by name; a word goes to the argument that takes it. A gradient is that
of the loss: `dx` for `x`.
"""

SECTION = re.compile(r"^([A-Z][a-z]+) {2,}(.*)$")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family in FAMILIES:
        title = (family.__doc__ or "").split("\n")[0].rstrip(".")
        parts.append(f"## {title}\n")
        parts += [_layer(layer) for layer in family.LAYERS]
    parts.append("## Side exits\n")
    parts.append(_entry(Aux, "###"))
    parts.append("## Initialisers, for `init=`\n")
    parts += [_entry(cls, "###") for cls in INITIALIZERS]
    parts.append("# Training\n\nThe settings of a `train { … }` block.\n")
    parts.append(_arguments(Training))
    for title, classes in (
        ("Optimizers", OPTIMIZERS),
        ("Schedules", SCHEDULES),
        ("Losses", LOSSES),
        ("Augmentations", AUGMENTATIONS),
    ):
        parts.append(f"## {title}\n")
        parts += [_entry(cls, "###") for cls in classes]
    return "\n".join(parts)


def sections(cls: type[Declared]) -> tuple[str, dict[str, str]]:
    """A class's docstring: its text before the sections, and the sections by name."""
    text: list[str] = []
    found: dict[str, str] = {}
    current = ""
    for line in cleandoc(cls.__doc__ or "").split("\n"):
        start = SECTION.match(line)
        if start:
            current = start[1]
            found[current] = start[2].strip()
        elif current:
            found[current] = f"{found[current]} {line.strip()}".strip()
        else:
            text.append(line)
    return "\n".join(text).strip(), found


def _layer(layer: type[Layer]) -> str:
    entry = _entry(layer, "###")
    lines = [f"`INPUT({show_shape(x)}) -> {written}`" for written, x in layer.samples[:3]]
    if issubclass(layer, Merge):
        for written, branches in layer.merged[:3]:
            text = " | ".join(map(show_shape, branches))
            lines.append(f"`{written}{{ … }}` of {text}")
    if not lines:
        return entry
    return entry + "\nExamples: " + ", ".join(lines) + "\n"


def _entry(cls: type[Declared], level: str) -> str:
    text, found = sections(cls)
    lines = [f"{level} {cls.word}\n", text + "\n"]
    if cls.arguments:
        lines.append(_arguments(cls))
    lines += [f"- **{name}**: {_escaped(value)}" for name, value in found.items()]
    return "\n".join(lines).rstrip("\n") + "\n"


def _arguments(cls: type[Declared]) -> str:
    rows = ["| argument | default | takes | meaning |", "|---|---|---|---|"]
    for name, argument in cls.arguments.items():
        default = argument.default_text()
        rows.append(f"| `{name}` | {default} | {argument.type.wanted} | {argument.help} |")
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    """Formulas have stars and underscores that Markdown would take for emphasis."""
    return re.sub(r"([*_<>|])", r"\\\1", text)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
