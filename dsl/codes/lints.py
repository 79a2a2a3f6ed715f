"""W6xx: what holds, and is worth a second look."""

from __future__ import annotations

from .code import Code

CODES = {
    "W601": Code(
        "rows that a window never reaches",
        "The stride skips the last rows or columns of the input. That is no mistake; the note says "
        "how many are dropped and which padding reaches them.",
        wrong="INPUT(1x9x9) -> POOL(2)\n",
        mended="INPUT(1x8x8) -> POOL(2)\n",
    ),
}
