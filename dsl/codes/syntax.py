"""E1xx: the text is no spec."""

from __future__ import annotations

from .code import Code

CODES = {
    "E101": Code(
        "the file cannot be read",
        "The file does not exist, is a folder, or this user may not read it. `-` reads standard "
        "input.",
    ),
    "E102": Code(
        "the file is not UTF-8",
        "Specs are UTF-8 text. The message names the first byte that is none; most editors can "
        "save the file as UTF-8.",
    ),
    "E103": Code(
        "a control character",
        "A spec is text that everyone sees alike: characters that show nothing, steer a terminal "
        "or turn the direction of writing are refused, in comments too.",
        wrong="INPUT(3x8x8) -> CONV(4)\x01 -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4) -> RELU -> FC(9)\n",
    ),
    "E104": Code(
        "something that cannot stand here",
        "The text is right up to this place, and nothing in the language goes on like this.",
        wrong="INPUT(3x8x8) -> CONV(4); -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4) -> RELU -> FC(9)\n",
    ),
    "E105": Code(
        "a text in quotes that does not end",
        "A text in quotes ends on the line that it begins on.",
        wrong='INPUT(3x8x8) -> CONV(4, init="he) -> RELU -> FC(9)\n',
        mended="INPUT(3x8x8) -> CONV(4, init=he) -> RELU -> FC(9)\n",
    ),
    "E106": Code(
        "a number that is none",
        "Numbers are written 64, 61_706, 0.05, 1e-4, 100k, 1.5M or 512MB.",
        wrong="INPUT(3x8x8) -> FC(10Q)\n",
        mended="INPUT(3x8x8) -> FC(10k)\n",
    ),
    "E107": Code(
        "a shape with spaces",
        "A shape is one word with small letters x: `3x32x32`. Where its numbers are expressions it "
        "is a tuple: `(3, size, size)`.",
        wrong="INPUT(3 x 8 x 8) -> FC(10)\n",
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E108": Code(
        "an arrow is missing",
        "Two layers stand side by side. `a -> b` says that b reads what a gives.",
        wrong="INPUT(3x8x8) -> [CONV(4) RELU] -> FC(10)\n",
        mended="INPUT(3x8x8) -> [CONV(4) -> RELU] -> FC(10)\n",
    ),
    "E109": Code(
        "another sign in place of an arrow",
        "Chains are written with `->` or `→`.",
        wrong="INPUT(3x8x8) => FC(10)\n",
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E110": Code(
        "an arrow without a layer on one side, or a second chain",
        "An arrow stands between two elements of a chain. A file has one chain, the net: a line "
        "that lost its arrow begins a second one.",
        wrong="INPUT(3x8x8) -> -> FC(10)\n",
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E111": Code(
        "an empty file",
        "There is no statement in the file, only white space and comments.",
        wrong="# nothing yet\n",
        mended="INPUT(3x8x8) -> FC(10)\n",
    ),
    "E112": Code(
        "no net where one is needed",
        "A file without a chain is a library of blocks, lets and defaults. It can be checked, but "
        "there is nothing to train or compile.",
    ),
    "E113": Code(
        "an empty group or branch",
        "Brackets hold a chain. A branch that changes nothing is written `ID`.",
        wrong="INPUT(3x8x8) -> []*2 -> FC(10)\n",
        mended="INPUT(3x8x8) -> [TANH -> POOL(1)]*2 -> FC(10)\n",
    ),
    "E114": Code(
        "a repetition without a right count",
        "`x*N` repeats x. The count is a number, a name, a list, or an expression in parentheses.",
        wrong="INPUT(3x8x8) -> [CONV(4, 3, pad=1) -> RELU]* -> FC(10)\n",
        mended="INPUT(3x8x8) -> [CONV(4, 3, pad=1) -> RELU]*2 -> FC(10)\n",
    ),
    "E115": Code(
        "a reserved word as a name",
        "The words that begin statements, and `for in as if else and or not true false`, cannot be "
        "names.",
        wrong="param net = 4\nINPUT(3x8x8) -> FC(net)\n",
        mended="param width = 4\nINPUT(3x8x8) -> FC(width)\n",
    ),
    "E116": Code(
        "= and == mixed up",
        "`=` sets a value, `==` compares two.",
        wrong="INPUT(3x8x8) -> FC(10)\nexpect output = 10\n",
        mended="INPUT(3x8x8) -> FC(10)\nexpect output == 10\n",
    ),
    "E117": Code(
        "a word or sign of another language",
        "What is meant is clear, and written differently here.",
        wrong="param deep = True\nINPUT(3x8x8) -> CONV(4)?(deep) -> RELU -> FC(9)\n",
        mended="param deep = true\nINPUT(3x8x8) -> CONV(4)?(deep) -> RELU -> FC(9)\n",
    ),
    "E118": Code(
        "a missing =",
        "Knobs, constants, blocks and the settings of `train` are written `NAME = value`.",
        wrong="param N 2\nINPUT(3x8x8) -> [TANH -> POOL(1)]*N -> FC(9)\n",
        mended="param N = 2\nINPUT(3x8x8) -> [TANH -> POOL(1)]*N -> FC(9)\n",
    ),
    "E119": Code(
        "a value or a shape is missing",
        "After `=`, an operator or `::` stands what it is about.",
        wrong="INPUT(3x8x8) -> RELU :: -> FC(10)\n",
        mended="INPUT(3x8x8) -> RELU :: 3x8x8 -> FC(10)\n",
    ),
    "E120": Code(
        "a comma missing, or one too many",
        "Arguments and items of lists are separated by one comma each.",
        wrong="INPUT(3x8x8) -> CONV(4 3) -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> FC(9)\n",
    ),
    "E121": Code(
        "an argument without a name after one with a name",
        "As in Python, arguments by position come first: after a named one it is not clear which "
        "argument is meant.",
        wrong="INPUT(3x8x8) -> CONV(k=3, 4)\n",
        mended="INPUT(3x8x8) -> CONV(4, k=3)\n",
    ),
    "E122": Code(
        "a malformed for",
        "`for f, n in [(16, 1), (32, 2)] [ … ]`: names without parentheses, `in`, a list, and the "
        "chain in brackets.",
        wrong="INPUT(3x8x8) -> for f [4, 8] [ CONV(f) -> RELU ] -> FC(9)\n",
        mended="INPUT(3x8x8) -> for f in [4, 8] [ CONV(f) -> RELU ] -> FC(9)\n",
    ),
    "E123": Code(
        "arguments without round parentheses",
        "A layer's arguments stand in round parentheses right after its name.",
        wrong="INPUT(3x8x8) -> CONV[4, 3] -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> FC(9)\n",
    ),
    "E124": Code(
        "no name where one belongs",
        "`net`, `param`, `let`, `block` and `as` are followed by a name: letters, digits and `_`, "
        "without quotes.",
        wrong='net "LeNet"\nINPUT(3x8x8) -> FC(10)\n',
        mended="net LeNet\nINPUT(3x8x8) -> FC(10)\n",
    ),
    "E125": Code(
        "something that does not belong here",
        "The text is right up to this place. The message says what could stand here.",
        wrong="INPUT(3x8x8) -> FC(4 - * 3)\n",
        mended="INPUT(3x8x8) -> FC(4 * 3)\n",
    ),
    "E126": Code(
        "a statement without its word",
        "All statements but the chain begin with a word that says what they are: net, param, let, "
        "default, block, import, expect or train.",
        wrong="width = 4\nINPUT(3x8x8) -> FC(width)\n",
        mended="let width = 4\nINPUT(3x8x8) -> FC(width)\n",
    ),
    "E127": Code(
        "too many syntax errors",
        "After many syntax errors the rest of the text is not read: this may be no spec at all.",
    ),
    "E128": Code(
        "a bracket that is never closed",
        "Each `(`, `[` and `{` is closed by its own kind. The message points at the bracket that "
        "stayed open.",
        wrong="INPUT(3x8x8) -> CONV(4, 3 -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> FC(9)\n",
    ),
    "E129": Code(
        "a bracket that closes nothing",
        "There is no open bracket of this kind.",
        wrong="INPUT(3x8x8) -> CONV(4, 3)) -> RELU -> FC(9)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> FC(9)\n",
    ),
}
