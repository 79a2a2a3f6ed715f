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
    "W602": Code(
        "a SIGMOID between layers",
        "Far from 0 it saturates: its gradient is almost 0, and at most 1/4 elsewhere, so that "
        "little comes through several of them; and its output is never centred on 0. RELU is the "
        "first choice; where units die LEAKYRELU or MAXOUT, else TANH. At the output, and as the "
        "gate of a MUL, a SIGMOID is in its place.",
        wrong="INPUT(3x8x8) -> FC(16) -> SIGMOID -> FC(10)\n",
        mended="INPUT(3x8x8) -> FC(16) -> RELU -> FC(10)\n",
    ),
    "W603": Code(
        "no activation between two layers with weights",
        "CONV and FC are linear, and a linear map of a linear map is one linear map: without an "
        "activation between them, two layers can represent no more than one. Pooling, BN and "
        "DROPOUT are no activations. A deliberate bottleneck (MobileNetV2's) allows it.",
        wrong="INPUT(3x8x8) -> CONV(4) -> POOL(2) -> FC(10)\n",
        mended="INPUT(3x8x8) -> CONV(4) -> RELU -> POOL(2) -> FC(10)\n",
    ),
    "W604": Code(
        "a RELU at the end",
        "The loss compares scores of any sign. A RELU at the output, or before SOFTMAX, makes all "
        "that are negative alike, and what is negative learns nothing; after SOFTMAX it changes "
        "nothing.",
        wrong="INPUT(3x8x8) -> FC(10) -> RELU -> SOFTMAX\n",
        mended="INPUT(3x8x8) -> FC(10) -> SOFTMAX\n",
    ),
    "W605": Code(
        "the same activation twice in a row",
        "RELU of RELU is RELU; others squash what is squashed already. One is enough.",
        wrong="INPUT(3x8x8) -> FC(16) -> TANH -> TANH -> FC(10)\n",
        mended="INPUT(3x8x8) -> FC(16) -> TANH -> FC(10)\n",
    ),
    "W606": Code(
        "a window wholly in the padding",
        "With as much padding as the window is long, the first or last windows see nothing of the "
        "input: their outputs are constants.",
        wrong="INPUT(3x8x8) -> CONV(4, 3, pad=3) -> RELU -> FC(10)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3, pad=1) -> RELU -> FC(10)\n",
    ),
    "W607": Code(
        "a bias right before BN",
        "BN subtracts the mean of each channel, and with it the bias; its own bias does that work. "
        "The weights cost memory and change nothing.",
        wrong="INPUT(3x8x8) -> CONV(4) -> BN -> RELU -> FC(10)\n",
        mended="INPUT(3x8x8) -> CONV(4, bias=false) -> BN -> RELU -> FC(10)\n",
    ),
    "W608": Code(
        "DROPOUT before BN",
        "While training, DROPOUT raises the variance that BN measures and remembers; in prediction "
        "nothing is dropped, and the remembered variance is wrong (Li et al. 2019).",
        wrong="INPUT(3x8x8) -> DROPOUT(0.2) -> BN -> FC(10)\n",
        mended="INPUT(3x8x8) -> BN -> DROPOUT(0.2) -> FC(10)\n",
    ),
    "W609": Code(
        "declared and never used",
        "A knob, let or block that nothing uses is often the trace of a slip: another name was "
        "meant.",
        wrong="param width = 16\nINPUT(3x8x8) -> FC(10)\n",
        mended="param width = 16\nINPUT(3x8x8) -> FC(width)\n",
    ),
    "W610": Code(
        "no lint of this name",
        "`# cnnc: allow W602` switches lints off, and lints alone: codes that begin with W.",
        wrong="# cnnc: allow W699\nINPUT(3x8x8) -> FC(10)\n",
        mended="# cnnc: allow W602\nINPUT(3x8x8) -> FC(10)\n",
    ),
    "W611": Code(
        "an input with its channels last",
        "A shape is CxHxW: the channels come first, as in PyTorch and Caffe, and not last as in "
        "Keras and in image files. 32x32x3 is 32 channels of 32 rows and 3 columns, which is "
        "hardly ever meant.",
        wrong="INPUT(32x32x3) -> CONV(4, 3) -> RELU -> FC(10)\n",
        mended="INPUT(3x32x32) -> CONV(4, 3) -> RELU -> FC(10)\n",
    ),
}
