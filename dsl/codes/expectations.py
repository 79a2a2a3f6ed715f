"""E5xx: what a spec expects of itself."""

from __future__ import annotations

from .code import Code

CODES = {
    "E501": Code(
        "an expectation that does not hold",
        "The message has the actual value and the layers that contribute most to it.",
        wrong="INPUT(3x8x8) -> FC(10)\nexpect params <= 1k\n",
        mended="INPUT(3x8x8) -> FC(10)\nexpect params <= 2k\n",
    ),
    "E502": Code(
        "an expectation of nothing that is known",
        "`expect` is followed by a condition over params, main, trainable, macs, output, depth, "
        "receptive_field, memory(batch=…), layers and the knobs.",
        wrong="INPUT(3x8x8) -> FC(10)\nexpect parms <= 2k\n",
        mended="INPUT(3x8x8) -> FC(10)\nexpect params <= 2k\n",
    ),
}
