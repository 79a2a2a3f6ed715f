"""The values that an expression of the language can have, and how they are written back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnc.dsl.record import Record

MOST_SHOWN = 8  # items of a list in a message


class Word(Record):
    """A bare word that only an argument can understand: `same`, `avg`, `he`."""

    text: str


class Made(Record):
    """A word with arguments: `sgd(momentum=0.9)`, `normal(0.01)`."""

    word: str
    positional: tuple[object, ...]
    named: tuple[tuple[str, object], ...]


class Tapped(Record):
    """`@name` as a value: the output that has the name, and the layer that made it (a NetLayer)."""

    name: str
    maker: Any


def show(value: object) -> str:
    """A value as it would be written in a spec."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return float.__repr__(value)  # all its digits, also where it is one of NumPy's
        case str():
            quote = "'" if '"' in value else '"'
            return f"{quote}{value}{quote}"
        case Word(text):
            return text
        case Tapped(name):
            return f"@{name}"
        case Made(word, positional, named):
            parts = [show(v) for v in positional] + [f"{k}={show(v)}" for k, v in named]
            return f"{word}({', '.join(parts)})"
        case list():
            return "[" + ", ".join(show(v) for v in value) + "]"
        case tuple():
            if 1 < len(value) < 4 and all(type(v) is int and v > 0 for v in value):
                return "x".join(str(v) for v in value)
            return "(" + ", ".join(show(v) for v in value) + ("," if len(value) == 1 else "") + ")"
        case None:
            return "none"
        case _:
            return str(value)


def brief(value: object) -> str:
    """A value for a message: as `show`, the middle of a long list left out."""
    return show(_shortened(value, 2))


def _shortened(value: object, depth: int) -> object:
    if not isinstance(value, list | tuple):
        return value
    items = value if len(value) <= MOST_SHOWN else (*value[:4], Word("…"), value[-1])
    if depth == 0:
        return Word("[…]" if isinstance(value, list) else "(…)")
    return type(value)(_shortened(item, depth - 1) for item in items)


def show_shape(shape: Sequence[int]) -> str:
    """A shape as it is written: 3x32x32, or 10 for a vector."""
    return "x".join(str(n) for n in shape)


def is_integer(value: object) -> bool:
    """Whether a value is an integer (a boolean is none)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is an integer or a decimal (a boolean is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
