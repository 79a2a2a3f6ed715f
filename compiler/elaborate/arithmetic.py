"""Operators and functions of expressions: as in Python, on bounded numbers and lists."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from cnnc.dsl.limits import DEEPEST

from ..values import brief, is_integer, is_number

LARGEST = 2**63  # an integer's magnitude, at most
LONGEST = 100_000  # of a list's length
MOST_ITEMS = 1_000_000  # of a list, those of lists in it too


class Refused(Exception):
    """An operation that has no result; the text says why."""


def size(value: Any) -> int:
    """How many items a list or tuple has, those of lists in it too; 0 for other values.

    Refused past the limits. Lists may share items: [a]*1000 costs nothing to make, but to compare.
    """
    items, levels = 0, 0
    level = [value] if isinstance(value, list | tuple) else []
    while level:
        items += sum(len(inner) for inner in level)
        levels += 1
        if items > MOST_ITEMS:
            raise Refused(f"a list of {items:,} items in all, and the limit is {MOST_ITEMS:,}")
        if levels > DEEPEST:
            raise Refused(f"more than {DEEPEST} lists inside one another")
        level = [item for inner in level for item in inner if isinstance(item, (list, tuple))]
    return items


def operate(op: str, left: Any, right: Any) -> Any:
    """`left op right` for + - * / // % **."""
    if isinstance(left, list) or isinstance(right, list):
        return _on_lists(op, left, right)
    if not (is_number(left) and is_number(right)):
        raise Refused(f"{brief(left)} {op} {brief(right)}: {op} takes numbers")
    if op in ("/", "//", "%") and right == 0:
        raise Refused(f"{brief(left)} {op} {brief(right)} divides by zero")
    if op == "**":
        _check_power(left, right)
    try:
        return _bounded(_OPERATORS[op](left, right))
    except (OverflowError, ZeroDivisionError):
        raise Refused(f"{brief(left)} {op} {brief(right)} is too large") from None


def _check_power(base: Any, exponent: Any) -> None:
    if is_integer(base) and is_integer(exponent) and abs(base) > 1:
        if exponent * math.log2(abs(base)) > 63:
            raise Refused(f"{brief(base)} ** {brief(exponent)} is too large")
    if base == 0 and exponent < 0:
        raise Refused(f"{brief(base)} ** {brief(exponent)} divides by zero")
    if base < 0 and not float(exponent).is_integer():
        raise Refused(f"{brief(base)} ** {brief(exponent)} is not a real number")


def _on_lists(op: str, left: Any, right: Any) -> list[object]:
    if op == "+" and isinstance(left, list) and isinstance(right, list):
        length = len(left) + len(right)
    elif op == "*" and (is_integer(left) or is_integer(right)):
        length = len(left) * max(0, right) if isinstance(left, list) else max(0, left) * len(right)
    else:
        raise Refused(
            f"{brief(left)} {op} {brief(right)}: lists take + with a list, * with a number"
        )
    if length > LONGEST:  # before it is made
        raise Refused(f"a list of {length:,} items is longer than {LONGEST:,}")
    result: list[object] = _OPERATORS[op](left, right)
    return result


def negate(op: str, value: Any) -> Any:
    """`-value`, `+value`."""
    if not is_number(value):
        raise Refused(f"{op}{brief(value)}: {op} takes a number")
    return -value if op == "-" else value


def compare(op: str, left: Any, right: Any) -> bool:
    """`left op right` for == != < <= > >=.

    Shapes compare entry by entry: 5x5 <= 7x7 holds when it holds for both. A number beside
    a shape counts for each entry (`receptive_field <= 100`); a vector's shape is its number.
    """
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _compare_shapes(op, left, right)
    if op in ("==", "!="):
        return bool(_COMPARISONS[op](left, right))
    both_text = isinstance(left, str) and isinstance(right, str)
    if not (both_text or (is_number(left) and is_number(right))):
        raise Refused(f"{brief(left)} {op} {brief(right)}: {op} takes two numbers")
    return bool(_COMPARISONS[op](left, right))


def _compare_shapes(op: str, left: Any, right: Any) -> bool:
    if is_number(left):
        left = (left,) * len(right)
    elif is_number(right):
        right = (right,) * len(left)
    if op in ("==", "!="):
        return bool(_COMPARISONS[op](left, right))
    fits = isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right)
    if not fits or not all(is_number(n) for n in (*left, *right)):
        raise Refused(f"{brief(left)} {op} {brief(right)}: the two have no common order")
    return all(_COMPARISONS[op](a, b) for a, b in zip(left, right, strict=True))


def call(name: str, values: Sequence[Any]) -> Any:
    """The value of a function of FUNCTIONS."""
    return _bounded(FUNCTIONS[name](*values))


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise Refused("the result is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("the result is not a finite number")
    return value


def _range(*bounds: Any) -> list[object]:
    if not 1 <= len(bounds) <= 3 or not all(is_integer(b) for b in bounds):
        raise Refused("range takes one to three integers")
    if len(bounds) == 3 and bounds[2] == 0:
        raise Refused("range takes a step other than 0")
    items = range(*bounds)
    if items and abs(items[-1] - items[0]) // abs(items.step) >= LONGEST:  # len() has a limit
        raise Refused(f"the range is longer than {LONGEST:,} items")
    return list(items)


def _sequence(name: str, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise Refused(f"{name} takes a list, not {brief(value)}")
    return value


def _numbers(name: str, values: tuple[Any, ...]) -> list[Any]:
    items = list(_sequence(name, values[0]) if len(values) == 1 else values)
    if not items or not all(is_number(v) for v in items):
        raise Refused(f"{name} takes numbers or a list of them, at least one")
    return items


def _number(name: str, values: tuple[Any, ...]) -> Any:
    if len(values) != 1 or not is_number(values[0]):
        raise Refused(f"{name} takes one number")
    return values[0]


def _positive(name: str, values: tuple[Any, ...], zero: bool) -> Any:
    value = _number(name, values)
    if value < 0 or (value == 0 and not zero):
        raise Refused(f"{name}({brief(value)}) is not a real number")
    return value


def _zip(*lists: Any) -> list[object]:
    items = [_sequence("zip", v) for v in lists]
    if len({len(v) for v in items}) > 1:
        lengths = ", ".join(str(len(v)) for v in items)
        raise Refused(f"zip takes lists of one length, and these have {lengths} items")
    return [tuple(row) for row in zip(*items, strict=True)]


def _round(*values: Any) -> Any:
    if len(values) == 2 and is_number(values[0]) and is_integer(values[1]) and abs(values[1]) < 20:
        return round(values[0], values[1])
    return round(_number("round", values))


def _len(*values: Any) -> int:
    if len(values) != 1:
        raise Refused("len takes one list")
    return len(_sequence("len", values[0]))


def _sum(*values: Any) -> Any:
    if len(values) != 1 or not all(is_number(v) for v in _sequence("sum", values[0])):
        raise Refused("sum takes one list of numbers")
    return sum(values[0])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "range": _range,
    "zip": _zip,
    "len": _len,
    "sum": _sum,
    "min": lambda *v: min(_numbers("min", v)),
    "max": lambda *v: max(_numbers("max", v)),
    "abs": lambda *v: abs(_number("abs", v)),
    "round": _round,
    "ceil": lambda *v: math.ceil(_number("ceil", v)),
    "floor": lambda *v: math.floor(_number("floor", v)),
    "log2": lambda *v: math.log2(_positive("log2", v, zero=False)),
    "sqrt": lambda *v: math.sqrt(_positive("sqrt", v, zero=True)),
}

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
}  # fmt: skip

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
