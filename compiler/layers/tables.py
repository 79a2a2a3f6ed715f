"""Arguments that are tables: CONV's connections, RBF's codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..arguments import BadValue, Type
from ..values import Word, is_integer

MOST = 1_000_000  # integers in a table


def lists_of_integers(wanted: str, fits: Callable[[Sequence[int]], bool]) -> Type:
    """A list of lists of integers, each of which fits; an empty one never does."""

    def parse(value: object) -> object:
        if not (
            isinstance(value, list | tuple)
            and value
            and all(isinstance(row, list | tuple) and row for row in value)
        ):
            raise BadValue(wanted)
        if sum(map(len, value)) > MOST:
            raise BadValue(f"at most {MOST:,} numbers in all")
        if not all(all(map(is_integer, row)) and fits(row) for row in value):
            raise BadValue(wanted)
        return tuple(map(tuple, value))

    return Type(wanted, parse, takes_list=True)


def or_none(type: Type) -> Type:
    """What a type takes, or the word `none`."""

    def parse(value: object) -> object:
        if value is None or (isinstance(value, Word) and value.text == "none"):
            return None
        return type.parse(value)

    return type.replace(wanted=f"{type.wanted}, or none", parse=parse, words=(*type.words, "none"))
