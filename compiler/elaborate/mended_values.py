"""What may be meant by a value that an argument does not take; each proposal is one it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arguments import Argument, BadValue
from ..values import Word, is_integer, is_number, show


def mended_value(argument: Argument, value: Any) -> list[str]:
    """Help for a wrong value."""
    found = []
    for meant, why in _candidates(argument, value):
        try:
            argument.type.parse(meant)
        except BadValue:
            continue
        found.append(why.format(show(meant)))
    return found or _example(argument)


def _example(argument: Argument) -> list[str]:
    """A value that the argument takes, where none is like the one that was given."""
    if argument.type.wanted.startswith("an output named"):
        return ["name the output, as in POOL(2) as p, and write @p"]
    if not argument.required:
        return [f"leave it out for its default, {argument.default_text()}"]
    for value in (16, 10, 0.5, True, (3, 32, 32)):
        try:
            argument.type.parse(value)
        except BadValue:
            continue
        return [f"write a value such as {show(value)}"]
    return []


def _candidates(argument: Argument, value: Any) -> Iterator[tuple[Any, str]]:
    name = argument.name
    if argument.type.takes_list and not isinstance(value, list):
        yield [value], f"write a list: {name}={{}}"
    if isinstance(value, str):
        yield Word(value.lower()), f"write the word without quotes: {name}={{}}"
        number = _number(value)
        if number is not None:
            yield number, "write it without quotes: {}"
    elif isinstance(value, bool):
        return
    elif is_integer(value):
        if value in (0, 1):
            yield value == 1, f"write {name}={{}}"
        yield value / 100, f"write {{}} for {value} of 100"
        yield str(value), f"write {name}={{}}"
    elif is_number(value):
        if float(value).is_integer():
            yield int(value), "write {}, or use // where you divide"
        yield value / 100, f"write {{}} for {value:g} of 100"
    elif isinstance(value, tuple) and all(is_integer(n) for n in value):
        if len(value) == 4:
            yield value[1:], "the batch is no part of a spec: write {}"
        elif len(value) == 2:
            yield (1, *value), "channels come first: {} for grey maps"
            yield (3, *value), "or {} for colours"
        if len({*value}) == 1 and len(value) != 2:
            yield value[0], "write {}"


def _number(text: str) -> int | float | None:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None
