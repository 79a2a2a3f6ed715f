"""E4xx: values and words of arguments."""

from __future__ import annotations

from .code import Code

CODES = {
    "E401": Code(
        "an argument that must be given",
        "The layer's table has no default for it: the use gives it, `--set LAYER.arg=VALUE`, or "
        "`default LAYER(arg=VALUE)`.",
        wrong="INPUT(3x8x8) -> CONV -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4) -> RELU -> FC(9)\n",
    ),
    "E402": Code(
        "no such argument",
        "The layer or the function takes no argument of this name.",
        wrong="INPUT(3x9x9) -> CONV(4, strides=2)\n",
        mended="INPUT(3x9x9) -> CONV(4, stride=2)\n",
    ),
    "E403": Code(
        "a value that the argument cannot have",
        "The value is of the wrong kind, outside its range, or none of the words that the argument "
        "knows.",
        wrong="INPUT(3x8x8) -> DROPOUT(1.5)\n",
        mended="INPUT(3x8x8) -> DROPOUT(0.5)\n",
    ),
    "E404": Code(
        "too many arguments",
        "There are more arguments by position than the layer has places for.",
        wrong="INPUT(3x8x8) -> FLATTEN(3)\n",
        mended="INPUT(3x8x8) -> FLATTEN\n",
    ),
    "E405": Code(
        "an argument given twice",
        "By position and by name, or twice by name.",
        wrong="INPUT(3x8x8) -> CONV(4, filters=8)\n",
        mended="INPUT(3x8x8) -> CONV(filters=8)\n",
    ),
    "E406": Code(
        "an expression without a value",
        "The operation cannot be done with these values.",
        wrong="INPUT(3x8x8) -> FC(1 // 0)\n",
        mended="INPUT(3x8x8) -> FC(10 // 1)\n",
    ),
    "E407": Code(
        "not true or false",
        "A condition is `true`, `false`, 1, 0 or a comparison.",
        wrong="INPUT(3x8x8) -> CONV(4)?(2) -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4)?(2 > 1) -> RELU -> FC(9)\n",
    ),
    "E408": Code(
        "a repeat count that is none",
        "A chain is repeated a whole number of times, 0 or more.",
        wrong="INPUT(3x8x8) -> [TANH -> POOL(1)]*(1/2) -> FC(9)\n",
        mended="INPUT(3x8x8) -> [TANH -> POOL(1)]*1 -> FC(9)\n",
    ),
    "E409": Code(
        "an optional group without its condition",
        "`POOL?` asks for the knob `pool`. A group has no such name, so its condition is written.",
        wrong="INPUT(3x8x8) -> [CONV(4) -> RELU]? -> FC(9)\n",
        mended="param deep = true\nINPUT(3x8x8) -> [CONV(4) -> RELU]?(deep) -> FC(9)\n",
    ),
    "E410": Code(
        "a for that does not go with its list",
        "`for a, b in items` takes as many values from each item as it has names.",
        wrong="INPUT(3x8x8) -> for f, n in [4, 8] [ CONV(f) -> RELU ] -> FC(9)\n",
        mended="INPUT(3x8x8) -> for f in [4, 8] [ CONV(f) -> RELU ] -> FC(9)\n",
    ),
    "E411": Code(
        "branches that are not as they should be",
        "CONCAT, ADD and MUL merge two branches or more, `ADD{ a | b }`; an empty branch is `ID`. "
        "AUX has one chain, with a layer in it, and stands in no other AUX. Other layers have no "
        "braces.",
        wrong="INPUT(3x8x8) -> ADD{ CONV(3, 3, pad=1) }\n",
        mended="INPUT(3x8x8) -> ADD{ CONV(3, 3, pad=1) | ID }\n",
    ),
}
