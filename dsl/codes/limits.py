"""E9xx: a spec is data from anywhere, and larger than what cnnc takes."""

from __future__ import annotations

from .code import Code

CODES = {
    "E901": Code(
        "too much text",
        "A file may have 1 MiB of text. Nothing of a larger one is read.",
    ),
    "E902": Code(
        "too deep",
        "Brackets may stand 200 deep inside one another.",
        wrong=f"INPUT(3x8x8) -> {'[' * 201}RELU{']' * 201} -> FC(9)\n",
        mended="INPUT(3x8x8) -> [[RELU]] -> FC(9)\n",
    ),
    "E903": Code(
        "a number too large",
        "A number may be up to 2^63, and each dimension of a shape below 2^31.",
        wrong="INPUT(3x8x8) -> FC(10_000_000_000_000_000_000)\n",
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E904": Code(
        "too many layers",
        "The net may expand to 100,000 layers. They are counted before they are built.",
        wrong="INPUT(3x8x8) -> [[[TANH -> POOL(1)]*1000]*1000]*1000 -> FC(9)\n",
        mended="INPUT(3x8x8) -> [[TANH -> POOL(1)]*10]*10 -> FC(9)\n",
    ),
    "E905": Code(
        "a tensor too large",
        "What a layer makes of one sample may have fewer than 2^31 numbers.",
        wrong="INPUT(3x1000x1000) -> CONV(10_000, 3)\n",
        mended="INPUT(3x1000x1000) -> CONV(10, 3)\n",
    ),
}
