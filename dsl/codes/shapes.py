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
        "CONV, POOL and their like move a window over maps CxHxW, and a few other layers need maps "
        "as well. After FC or FLATTEN there is only a vector.",
        wrong="INPUT(1x8x8) -> FC(10) -> RELU -> CONV(4)\n",
        mended="INPUT(1x8x8) -> CONV(4) -> RELU -> FC(10)\n",
    ),
    "E303": Code(
        "groups that do not divide the channels",
        "CONV and DECONV with groups split input channels and filters into equal parts, and GN the "
        "channels.",
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
    "E306": Code(
        "a table of connections that does not go with the layer",
        "CONV's `table` has one list a filter, of the input channels that the filter sees. "
        "Channels are counted from 0.",
        wrong="INPUT(3x8x8) -> CONV(2, 3, table=[[0, 1], [2, 3]])\n",
        mended="INPUT(3x8x8) -> CONV(2, 3, table=[[0, 1], [1, 2]])\n",
    ),
    "E307": Code(
        "codes that do not go with the units or the input",
        "RBF has one code a unit, and each code one entry, -1 or 1, for each number of the input.",
        wrong="INPUT(3) -> RBF(2, [[1, -1], [-1, 1]])\n",
        mended="INPUT(3) -> RBF(2, [[1, -1, 1], [-1, 1, 1]])\n",
    ),
    "E308": Code(
        "a transposed convolution that crops all it makes",
        "DECONV's `pad` takes rows and columns away from the output. Here none is left. The "
        "message fills the shape rule in with this layer's numbers.",
        wrong="INPUT(1x1x1) -> DECONV(4, 3, pad=2)\n",
        mended="INPUT(1x1x1) -> DECONV(4, 3, pad=1)\n",
    ),
    "E310": Code(
        "a new shape of another size",
        "RESHAPE keeps all numbers, so the new shape must have as many as the old one.",
        wrong="INPUT(3x8x8) -> RESHAPE(12x8x8) -> CONV(4, 1)\n",
        mended="INPUT(3x8x8) -> RESHAPE(12x4x4) -> CONV(4, 1)\n",
    ),
    "E311": Code(
        "channels that are no multiple of the pieces",
        "MAXOUT takes the largest of each run of `pieces` channels, or units of a vector, and no "
        "channel may be left over.",
        wrong="INPUT(3x8x8) -> CONV(10, 3) -> MAXOUT(4)\n",
        mended="INPUT(3x8x8) -> CONV(12, 3) -> MAXOUT(4)\n",
    ),
    "E312": Code(
        "more components than numbers",
        "PCA(k) keeps k of the components of a sample, and there are only as many as a sample has "
        "numbers.",
        wrong="INPUT(1x4x4) -> PCA(20) -> FC(10)\n",
        mended="INPUT(1x4x4) -> PCA(12) -> FC(10)\n",
    ),
    "E313": Code(
        "a covariance that is too large",
        "PCA and WHITEN are fitted with a matrix that has a row and a column for every number of a "
        "sample. It must have fewer than 2**31 numbers, so a sample at most 46,340.",
        wrong="INPUT(3x224x224) -> WHITEN -> CONV(8, 3)\n",
        mended="INPUT(3x96x96) -> WHITEN -> CONV(8, 3)\n",
    ),
    "E315": Code(
        "branches that do not go together",
        "ADD and MUL work entry by entry, so their branches have one shape; a vector of C or maps "
        "Cx1x1 are spread over all positions. CONCAT puts channels side by side: height and width "
        "agree. The places of all branches are shown with their shapes.",
        wrong="INPUT(3x8x8) -> ADD{ CONV(8, 3, pad=1) | ID }\n",
        mended="INPUT(3x8x8) -> ADD{ CONV(8, 3, pad=1) | CONV(8, 1) }\n",
    ),
    "E316": Code(
        "weights that cannot be shared",
        "Layers with the same `share=` use one set of weights, so all of these have the same "
        "shape and are all trained, or all frozen.",
        wrong='INPUT(3x8x8) -> CONV(3, 3, share="w") -> RELU -> CONV(4, 3, share="w")\n',
        mended='INPUT(3x8x8) -> CONV(3, 3, share="w") -> RELU -> CONV(3, 3, share="w")\n',
    ),
    "E317": Code(
        "a tap of the wrong kind",
        "UNPOOL takes the positions that a max POOL remembers; other layers have none.",
        wrong="INPUT(3x8x8) -> CONV(3, 3, pad=1) as a -> UNPOOL(@a)\n",
        mended="INPUT(3x8x8) -> POOL(2) as a -> UNPOOL(@a)\n",
    ),
    "E318": Code(
        "a side exit that gives another shape than the net",
        "AUX's chain and the net are judged by the same classes, so their outputs have one shape.",
        wrong="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> AUX{ FC(5) } -> FC(10)\n",
        mended="INPUT(3x8x8) -> CONV(4, 3) -> RELU -> AUX{ FC(10) } -> FC(10)\n",
    ),
    "E319": Code(
        "not the shape that the POOL gives",
        "UNPOOL(@pool) undoes that POOL: its input is of the shape that the POOL gives, its output "
        "of the shape that the POOL got.",
        wrong="INPUT(3x8x8) -> POOL(2) as a -> CONV(5, 3, pad=1) -> UNPOOL(@a)\n",
        mended="INPUT(3x8x8) -> POOL(2) as a -> CONV(3, 3, pad=1) -> UNPOOL(@a)\n",
    ),
}
