"""The codes of all diagnostics: what each means, with a wrong example and the mended one.

A code's number is never used again for another mistake.
"""

from __future__ import annotations

from . import expectations, limits, lints, names, shapes, syntax, values
from .code import Code

FAMILIES = {
    "Syntax": syntax.CODES,
    "Names and knobs": names.CODES,
    "Shapes": shapes.CODES,
    "Values": values.CODES,
    "Expectations": expectations.CODES,
    "Lints": lints.CODES,
    "Limits": limits.CODES,
}

CODES: dict[str, Code] = {
    code: text for family in FAMILIES.values() for code, text in family.items()
}

__all__ = ["CODES", "FAMILIES", "Code"]
