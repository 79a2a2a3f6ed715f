"""E2xx: names, knobs, and what must be set."""

from __future__ import annotations

from .code import Code

CODES = {
    "E201": Code(
        "no such layer",
        "Layers are named by kind, in upper case. `cnnc check` suggests the nearest name.",
        wrong="INPUT(3x8x8) -> CONVV(4)\n",
        mended="INPUT(3x8x8) -> CONV(4)\n",
    ),
    "E203": Code(
        "nothing has this name",
        "A name in an expression is a knob, a constant of `let`, or a name of a `for` around it.",
        wrong="let width = 4\nINPUT(3x8x8) -> CONV(widht)\n",
        mended="let width = 4\nINPUT(3x8x8) -> CONV(width)\n",
    ),
    "E204": Code(
        "a knob that must be set",
        "A repeat count or a choice that names nothing declared is a free knob: `--set NAME=VALUE` "
        "gives it a value, or `param NAME = VALUE` in the spec.",
        wrong="INPUT(3x8x8) -> [CONV(4, 3, pad=1) -> RELU]*N -> FC(9)\n",
        mended="param N = 2\nINPUT(3x8x8) -> [CONV(4, 3, pad=1) -> RELU]*N -> FC(9)\n",
    ),
    "E205": Code(
        "a value that the knob may not take",
        "`param N = 2 in [1, 2, 3]` lists the values of N.",
        wrong="param N = 4 in [1, 2, 3]\nINPUT(3x8x8) -> [TANH -> POOL(1)]*N -> FC(9)\n",
        mended="param N = 3 in [1, 2, 3]\nINPUT(3x8x8) -> [TANH -> POOL(1)]*N -> FC(9)\n",
    ),
    "E206": Code(
        "a list that goes with no repeat",
        "A list where one value is expected is per repetition of the enclosing repeat whose count "
        "is the list's length. There is none, or there are two; a `for` says which is meant.",
        wrong="INPUT(3x8x8) -> [CONV([4, 8, 16], 3, pad=1) -> RELU]*2 -> FC(9)\n",
        mended="INPUT(3x8x8) -> [CONV([4, 8], 3, pad=1) -> RELU]*2 -> FC(9)\n",
    ),
    "E207": Code(
        "a constant that needs itself",
        "A `let` may use constants that stand further down, but not, around some corners, itself.",
        wrong="let a = b + 1, b = a\nINPUT(3x8x8) -> FC(a)\n",
        mended="let a = b + 1, b = 9\nINPUT(3x8x8) -> FC(a)\n",
    ),
    "E208": Code(
        "no such function",
        "Expressions may call range, zip, len, min, max, sum, abs, round, ceil, floor, log2 and "
        "sqrt.",
        wrong="INPUT(3x8x8) -> FC(pow(2, 3))\n",
        mended="INPUT(3x8x8) -> FC(2**3)\n",
    ),
    "E209": Code(
        "said twice",
        "A name is declared once, and a file has one `net` and one `train` statement.",
        wrong="let a = 4\nlet a = 8\nINPUT(3x8x8) -> FC(a)\n",
        mended="let a = 4\nINPUT(3x8x8) -> FC(a)\n",
    ),
    "E210": Code(
        "a file that cannot be imported",
        "The path of `import` is relative to the file that it stands in.",
        wrong='import "blocks.cnn"\nINPUT(3x8x8) -> FC(10)\n',
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E211": Code(
        "an import from outside",
        "A spec is data from anywhere: it reads files of the folder of the file that is checked "
        "and of folders in it, and no others.",
        wrong='import "../blocks.cnn"\nINPUT(3x8x8) -> FC(10)\n',
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E212": Code(
        "a file that imports itself",
        "Directly, or around other files. What several files need goes into one that imports none "
        "of them.",
    ),
    "E213": Code(
        "no input shape",
        "The chain begins without INPUT, or INPUT says no shape: `--input 3x32x32` gives one, or "
        "`INPUT(3x32x32)` in the spec.",
        wrong="CONV(4) -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4) -> RELU -> FC(9)\n",
    ),
    "E214": Code(
        "a block that uses itself",
        "A block is expanded in place, so one that uses itself, directly or around others, would "
        "never end. What repeats is written `[ … ]*N`.",
        wrong="block a(n) = CONV(n, 3) -> TANH -> a(n)\nINPUT(3x8x8) -> a(4)\n",
        mended="block a(n) = [CONV(n, 3) -> TANH]*2\nINPUT(3x8x8) -> a(4)\n",
    ),
    "E215": Code(
        "no output of this name",
        "`@name` reaches an output that `as name` named further up the chain, or around the "
        "block. In a block it sees the block's own names first; names inside a block are not seen "
        "outside.",
        wrong="INPUT(3x8x8) -> CONV(3, 1) -> ADD{ ID | @stem }\n",
        mended="INPUT(3x8x8) -> CONV(3, 1) as stem -> RELU -> ADD{ ID | @stem } -> FC(9)\n",
    ),
    "E216": Code(
        "a name that is taken",
        "Each layer has a name of its own: that which `as` gives, or its kind and number. Where "
        "the text stands in a repeat or in a block used twice, names are numbered: stem.1, stem.2.",
        wrong="INPUT(3x8x8) -> CONV(3, 1) as a -> RELU -> CONV(3, 1) as a\n",
        mended="INPUT(3x8x8) -> CONV(3, 1) as a -> RELU -> CONV(3, 1) as b\n",
    ),
    "E217": Code(
        "a tap in the wrong place",
        "`@name` heads a branch of a merge: what flows there comes from the named output, and not "
        "from the merge's input. An output inside a side exit cannot be reached from outside.",
        wrong="INPUT(3x8x8) -> CONV(3, 1) as a -> RELU -> @a -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(3, 1) as a -> RELU -> ADD{ ID | @a } -> FC(9)\n",
    ),
}
