"""Random specs over the whole language: every layer, every form of a chain."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from cnnc.compiler.arguments import Argument
from cnnc.compiler.layers.merge import Merge
from cnnc.compiler.layers.registry import LAYERS

Texts = st.SearchStrategy[str]
KNOBS = ("n", "width", "deep")
SMALL = ("1", "2", "3", "4")


def value(argument: Argument) -> Texts:
    """A value that an argument mostly takes."""
    kind = argument.type
    if kind.words:
        words = [w for w in kind.words if w not in ("normal", "uniform", "multistep")]
        return st.sampled_from(words)
    if kind.wanted.startswith("true"):
        return st.sampled_from(["true", "false"])
    if "HxW" in kind.wanted:
        return st.sampled_from(["1", "2", "3", "1x2", "3x1", "0"])
    if kind.wanted.startswith("a text"):
        return st.sampled_from(['"a"', '"b"'])
    if kind.wanted.startswith("an integer"):
        return st.sampled_from([*SMALL, "8", "width", "n + 1", "4 * n"])
    if kind.wanted.startswith("a number"):
        return st.sampled_from(["0.5", "0.1", "1", "1e-3"])
    if kind.wanted.startswith("a list"):
        return st.sampled_from(["[[0], [0]]", "[[1, -1], [1, 1]]"])
    if kind.wanted.startswith("an output"):
        return st.sampled_from(["@p", "@s"])
    return st.sampled_from(["1x4x4", "16", "2x8x8"])


@st.composite
def layer(draw: Callable[..., str]) -> str:
    """Any layer, with what it needs and some of what it takes."""
    word = draw(st.sampled_from([w for w, cls in LAYERS.items() if not issubclass(cls, Merge)]))
    if word == "INPUT":
        return "ID"
    arguments = LAYERS[word].arguments
    given = []
    for name, argument in arguments.items():
        rare = name in ("share", "table", "codes", "groups", "dilation", "lr", "decay", "init")
        if argument.required or draw(st.integers(0, 12 if rare else 3)) == 0:
            given.append(f"{name}={draw(value(argument))}")
    return f"{word}({', '.join(given)})" if given else word


# Layers that keep height and width, so that most nets hold.
KEEPING = st.sampled_from(
    ["CONV(4, 3, pad=1)", "CONV(width, 1)", "CONV(4, pad=same)", "RELU", "TANH", "BN", "LRN",
     "CONV(8, 3, pad=1, bias=false)", "DWCONV(3, pad=1)", "PRELU", "LEAKYRELU(0.1)", "GELU",
     "DROPOUT(0.1)", "POOL(3, stride=1, pad=1)", "LN", "ID", "MAXOUT", "SILU", "GN(1)", "b(4)",
     "b(width)", "c", "CONV(4, 1, share=\"w\")", "RELU6", "ELU", "SOFTPLUS", "DROPOUT2D(0.1)",
     "SIGMOID", "TANH(1.7, 0.7)", "LOCAL(2, 1)", "[POOL(2) as p -> UNPOOL(@p)]?(false)"]
)  # fmt: skip
SHRINKING = st.sampled_from(
    ["POOL", "POOL(2)", "AVGPOOL(2)", "CONV(6, 3, stride=2)", "SUBSAMPLE(2)", "LOCAL(2, 3)",
     "UPSAMPLE(2)", "DECONV(4, 2, stride=2)", "POOL(2) as p", "MAXPOOL(3, stride=2, ceil=true)"]
)  # fmt: skip
single = st.one_of(KEEPING, KEEPING, KEEPING, KEEPING, KEEPING, SHRINKING, layer())
NAMES = st.integers(0, 99).map("t{}".format)


def chains(elements: Texts, most: int = 4) -> Texts:
    """Elements with arrows between them."""
    return st.lists(elements, min_size=1, max_size=most).map(" -> ".join)


def around(inner: Texts) -> Texts:
    """The forms that an element can be part of."""
    chain = chains(inner, 3)
    count = st.sampled_from(["2", "3", "n", "(n + 1)", "0", "1", "2", "n", "[1, 2]"])
    switch = st.sampled_from(["deep", "n > 1", "true", "false", "not deep"])
    branch = st.one_of(chain, st.just("ID"), st.just("@s"), chain.map(lambda c: f"@s -> {c}"))
    return st.one_of(
        chain.map(lambda c: f"[{c}]"),
        st.builds("[{}]*{}".format, chain, count),
        st.builds("[{}]?({})".format, chain, switch),
        st.builds("for f in [4, 8] [{}]".format, chain),
        st.builds("for f, k in zip([4, 8], [1, 3]) [CONV(f, k, pad=same) -> {}]".format, chain),
        st.builds("[CONV([4, 8], 3, pad=1) -> {}]*2".format, chain),
        st.builds("CONCAT{{ {} | {} }}".format, branch, branch),
        st.builds("ADD{{ {} -> CONV(4, 1) | CONV(4, 1) }}".format, chain),
        st.builds("MUL{{ ID | {} -> GLOBALPOOL -> SIGMOID }}".format, chain),
        st.builds("AUX(0.3){{ {} -> FC(3) }}".format, chain),
        st.builds("[{}] as {}".format, chain, NAMES),
        st.builds("{} as {}".format, inner, NAMES),
        st.builds("[POOL(2) as {0} -> {1} -> UNPOOL(@{0})]".format, NAMES, st.just("RELU")),
        st.builds("[CONV(4, 1) :: {} -> {}]".format, st.just("4x16x16"), inner),
    )


elements = st.recursive(single, around, max_leaves=6)
SHAPES = st.sampled_from(["4x16x16", "4x16x16", "3x24x16", "8x17x19", "1x32x32", "16"])
HEADS = st.sampled_from(
    ["", " -> CENTER", " -> NORMALIZE(std)", " -> CENTER -> WHITEN", " -> PCA(16)"]
)
TAILS = st.sampled_from(
    [
        "",
        " -> FC(3)",
        " -> RELU -> FC(3)",
        " -> FC(3) -> SOFTMAX",
        " -> FC(2) -> RBF(2, codes=[[1, -1], [1, 1]])",
    ]
)
EXTRA = st.lists(
    st.sampled_from(
        ["expect params < 1M", "expect output == 3", "expect macs > 0 or deep", "net Random",
         "train { batch = 8  optimizer = adam  lr = 0.01 }", "expect receptive_field <= 64x64",
         "train { schedule = cosine(warmup=1), augment = [flip] }", "expect depth < 9",
         "default CONV(4, 3, pad=1)", "default FC(bias=false)", "expect memory(batch=2) < 1GB"]
    ),
    max_size=3,
)  # fmt: skip
FRONT = """\
param n = 2 in [1, 2, 3], deep = true
let width = 4
block b(f, k=3) = CONV(f, k, pad=same) -> RELU
block c() = [b(4)]*2 -> BN
"""


@st.composite
def specs(draw: Callable[..., str]) -> str:
    """A whole spec; most hold."""
    body = draw(chains(elements))
    first = " -> CONV(4, 3, pad=1) as s" if draw(st.integers(0, 5)) else ""
    net = f"INPUT({draw(SHAPES)}){draw(HEADS)}{first} -> {body}{draw(TAILS)}"
    statements = [FRONT, net, *draw(EXTRA)]
    return "\n".join(statements) + "\n"
