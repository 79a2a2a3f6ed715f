"""Numbers as they are written: `61_706`, `100k`, `1.5M`, `512MB`, `1e-4`, `3x32x32`."""

from __future__ import annotations

import re

_SUFFIXES = {
    "k": 10**3, "M": 10**6, "G": 10**9,
    "KB": 2**10, "MB": 2**20, "GB": 2**30,
}  # fmt: skip

# Past this many digits a number is beyond every limit. (CPython refuses to convert more than
# 4,300 digits with a ValueError, and takes quadratic time up to there.)
_MOST_DIGITS = 40


def number_value(text: str) -> int | float | None:
    """The value of a number, an int where it is whole and written without an exponent.

    None where it is too large for any use.

    >>> number_value("1.5k"), number_value("512MB"), number_value("0.5"), number_value("2.5M")
    (1500, 536870912, 0.5, 2500000)
    """
    match = re.fullmatch(r"([0-9_]*)(?:\.([0-9]*))?(?:([eE][+-]?[0-9]+)|([KMG]B|[kMG]))?", text)
    if match is None:
        raise ValueError(f"{text!r} is no number")
    whole, fraction, exponent, suffix = match.groups()
    digits = whole.replace("_", "").lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return None
    if exponent is not None or (fraction is not None and suffix is None):
        value = float(text.replace("_", ""))
        return None if value == float("inf") else value
    fraction = (fraction or "").rstrip("0")[:_MOST_DIGITS]
    scaled = int(digits + fraction or "0") * _SUFFIXES.get(suffix, 1)
    unit = int("1" + "0" * len(fraction))
    return scaled // unit if scaled % unit == 0 else scaled / unit


def integers(shape: str) -> tuple[int, ...]:
    """The dims of a shape; one with too many digits is just a very large number."""
    return tuple(
        int(d[-_MOST_DIGITS:]) if len(d) <= _MOST_DIGITS else 10**_MOST_DIGITS
        for d in (part.lstrip("0") or "0" for part in shape.split("x"))
    )
