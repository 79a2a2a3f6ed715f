"""E3xx: shapes that do not go together."""

from __future__ import annotations

from .code import Code

CODES = {
    "E301": Code(
        "a window larger than its input",
        "The output would have no row or no column. The message fills the shape rule in with this "
        "layer's numbers, and the help lists changes that fit with the size that each gives.",
        wrong="INPUT(1x8x8) -> POOL(9)\n",
        mended="INPUT(1x8x8) -> POOL(8)\n",
    ),
    "E302": Code(
        "a vector where maps are needed",
        "CONV and POOL move a window over maps CxHxW. After FC or FLATTEN there is only a vector.",
        wrong="INPUT(1x8x8) -> FC(10) -> CONV(4)\n",
        mended="INPUT(1x8x8) -> CONV(4) -> FC(10)\n",
    ),
    "E303": Code(
        "groups that do not divide the channels",
        "CONV with groups splits input channels and filters into equal parts.",
        wrong="INPUT(3x8x8) -> CONV(4, 3, groups=2)\n",
        mended="INPUT(4x8x8) -> CONV(4, 3, groups=2)\n",
    ),
    "E304": Code(
        "not the shape that :: demands",
        "`x :: 64x16x16` is a promise that the checker keeps an eye on.",
        wrong="INPUT(3x8x8) -> CONV(4, 3) :: 4x8x8\n",
        mended="INPUT(3x8x8) -> CONV(4, 3, pad=1) :: 4x8x8\n",
    ),
    "E305": Code(
        "a layer in the wrong place",
        "INPUT heads the net, and the layers that prepare the data come right after it.",
        wrong="INPUT(3x8x8) -> CONV(4) -> CENTER\n",
        mended="INPUT(3x8x8) -> CENTER -> CONV(4)\n",
    ),
}
