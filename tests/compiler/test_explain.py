"""Every formula that `cnnc explain` fills in gives the number that the checker derived."""

from __future__ import annotations

import re
from math import ceil, floor, prod

import pytest

import cnnc
from cnnc.compiler.explain import MOST_PARTS, Explained, explain, front_share, parts
from cnnc.compiler.layers.registry import LAYERS
from cnnc.compiler.net import Net, NetLayer
from cnnc.compiler.values import show_shape

# Chains that have what single layers don't: strides that multiply jumps, holes, two axes.
CHAINS = [
    "INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2) -> CONV(16, 5) -> FC(10)",
    "INPUT(3x65x44) -> CONV(8, 3x5, stride=2x1, pad=(1, 0, 2, 1)) -> RELU -> POOL(3, stride=2)"
    " -> CONV(4, 3, dilation=2x3, groups=2, bias=false) -> POOL(3, stride=2, pad=1, ceil=true)",
    "INPUT(784) -> FC(300, bias=false) -> RELU -> FC(10)",
    "INPUT(3x9x9) -> CENTER -> NORMALIZE(range) -> CONV(2, 3, stride=3, pad=same) -> FLATTEN",
    "INPUT(2x6x6) -> CONCAT{ CONV(3, 3, pad=1) | ADD{ CONV(2, 1) | ID } | AVGPOOL(3, stride=1,"
    " pad=1) } -> UPSAMPLE(2) -> CONV(1, 3) -> AUX{ FC(2) } -> DECONV(3, 3, stride=2) -> FC(2)",
    'INPUT(2x6x6) -> [CONV(2, 3, pad=1, share="a") -> RELU]*2 -> FC(2)',
]
SAMPLES = [
    f"INPUT({show_shape(x)}) -> {written}"
    for layer in LAYERS.values()
    if layer.family != "input"
    for written, x in layer.samples
]
ARITHMETIC = re.compile(r"(?:floor|ceil|[\d\s.()*/+-])+")
# What stands between numbers, and what it means there.
WORDS = [
    (r", [\d,]+ times as many$|, those of .*|, and \d+ without .*|;.*", ""),
    (r" weights, each used at ", "*"),
    (r" weights, each used once| positions of the input| positions| weights", ""),
    (r"\((weight|bias|one a use|a bias an output)\)", ""),
    (r"(?<=\d),(?=\d{3}\b)", ""),
]


def net_of(text: str) -> Net:
    return cnnc.parse(text).checked.require()


def explained(text: str) -> dict[str, Explained]:
    return {one.layer.name: one for one in explain(net_of(text))}


def values(text: str) -> list[float]:
    """What the numeric sides of `formula = numbers = result` come to."""
    for words, meaning in WORDS:
        text = re.sub(words, meaning, text)
    sides = [side for side in text.split(" = ") if ARITHMETIC.fullmatch(side)]
    return [eval(side, {"floor": floor, "ceil": ceil}) for side in sides]


def check(one: Explained, count: float, line: str) -> None:
    """The line exists, is one true equation, and ends in the number."""
    found = values(one.how[line])
    assert len(found) >= 2, one.how[line]
    assert set(found) == {count}, one.how[line]


@pytest.mark.parametrize("text", CHAINS + SAMPLES)
def test_every_formula_is_true(text: str) -> None:
    for one in explain(net_of(text)):
        layer = one.layer
        assert one.how["output"].startswith(show_shape(layer.output))
        for line, size in zip(("rows", "columns"), window(layer), strict=False):
            check(one, size, line)
        counts = {
            "weights": sum(w.size for w in layer.weights if not w.statistic),
            "macs": layer.macs,
            "without_sharing": one.without_sharing,
            "fully_connected": one.fully_connected,
        }
        for line, count in counts.items():
            if count:
                check(one, count, line)
            else:
                assert "=" not in one.how.get(line, "")


def window(layer: NetLayer) -> tuple[int, ...]:
    """The sizes that the rule of a layer's size gives, before ceil=true drops a last window."""
    if layer.axes is not None:
        return tuple(axis.room // axis.stride + 1 for axis in layer.axes)
    return layer.output[1:] if layer.kind in ("DECONV", "UPSAMPLE") else ()


def test_the_lines_of_a_convolution() -> None:
    conv = explained(CHAINS[0])["conv1"]
    assert conv.how == {
        "output": "6x28x28, a map a filter",
        "rows": "floor((in + 2*pad - k)/stride) + 1 = floor((28 + 2*2 - 5)/1) + 1 = 28",
        "columns": "floor((in + 2*pad - k)/stride) + 1 = floor((28 + 2*2 - 5)/1) + 1 = 28",
        "weights": "filters*(C/groups)*kh*kw + filters = 6*(1/1)*5*5 + 6 = 156",
        "macs": "6*1*5*5 weights, each used at 28*28 positions = 117,600",
        "receptive_field": "5x5: size + (k-1)*dilation*jump = 1 + (5-1)*1*1 = 5",
        "without_sharing": "28*28 positions * 156 weights = 122,304, 784 times as many",
        "fully_connected": "(6*28*28)*(1*28*28 + 1) = 3,692,640, 23,671 times as many",
    }


@pytest.mark.parametrize(
    ("text", "name", "local"),
    [
        # H'*W'*filters*(C*kh*kw + 1), and without biases
        (CHAINS[0], "conv1", 28 * 28 * 6 * (1 * 5 * 5 + 1)),
        (CHAINS[0], "conv2", 10 * 10 * 16 * (6 * 5 * 5 + 1)),
        ("INPUT(2x5x6) -> CONV(3, 2, bias=false)", "conv1", 4 * 5 * 3 * (2 * 2 * 2)),
        ("INPUT(4x5x5) -> CONV(6, 3, groups=2)", "conv1", 3 * 3 * 6 * (2 * 3 * 3 + 1)),
    ],
)
def test_without_sharing_each_position_has_its_own_weights(
    text: str, name: str, local: int
) -> None:
    assert explained(text)[name].without_sharing == local


def test_fully_connected_layers_share_nothing() -> None:
    fc = explained(CHAINS[0])["fc1"]
    assert (fc.without_sharing, fc.fully_connected) == (None, None)
    assert fc.how["macs"] == "10*1600 weights, each used once = 16,000"


def test_receptive_field_and_jump_for_rows_and_columns() -> None:
    found = explained(CHAINS[1])
    assert found["conv1"].how["receptive_field"] == (
        "3x5: size + (k-1)*dilation*jump = 1 + (3-1)*1*1 = 3 for rows,"
        " 1 + (5-1)*1*1 = 5 for columns"
    )
    assert found["pool1"].how["jump"] == (
        "from an output to the next, in rows of INPUT:"
        " jump*stride = 2*2 = 4 for rows, 1*2 = 2 for columns"
    )
    assert "jump" not in found["conv2"].how
    assert found["relu1"].how["receptive_field"] == "3x5, as its input's"
    assert explained(CHAINS[0])["fc1"].how["receptive_field"] == "28x28, the whole input"
    assert "receptive_field" not in explained(CHAINS[2])["fc1"].how  # INPUT has no rows


def test_window_that_ceil_drops_is_told() -> None:
    pool = explained("INPUT(1x5x8) -> POOL(1, stride=3, pad=0, ceil=true)")["pool1"]
    assert pool.how["columns"].endswith("= 4, and 3 without the last, which would start outside"
                                        " the input")  # fmt: skip
    assert pool.layer.output == (1, 2, 3)


def test_statistics_are_counted_apart() -> None:
    how = explained(CHAINS[3])["normalize1"].how
    assert how["weights"] == "min 3 and max 3, not trained: counted apart"


def test_branches_are_explained_by_their_inputs() -> None:
    found = explained(CHAINS[4])
    assert found["concat1"].how == {
        "output": "7x6x6, channels 3 + 2 + 2 = 7",
        "receptive_field": "3x3, the largest of its inputs'",
    }
    assert found["add1"].how["output"] == "2x6x6, as its inputs"


def test_field_in_parts_of_a_row() -> None:
    """After UPSAMPLE neighbours see half a row further on."""
    found = explained("INPUT(1x8x8) -> UPSAMPLE(2) -> CONV(1, 2) -> POOL(2)")
    assert found["conv1"].how["receptive_field"] == (
        "2x2: size + (k-1)*dilation*jump = 1 + (2-1)*1*(1/2) = 3/2, that is parts of 2"
    )
    assert found["pool1"].how["jump"].endswith("jump*stride = (1/2)*2 = 1")


def test_past_a_layer_that_sees_everything_no_window_sees_more() -> None:
    how = explained("INPUT(2x8x8) -> GN(2) -> POOL(2)")["pool1"].how
    assert how["receptive_field"] == "8x8, as its input's"
    assert "jump" not in how


def test_layer_in_a_side_exit_has_weights_and_no_macs() -> None:
    how = explained(CHAINS[4])["fc1"].how
    assert "= 202" in how["weights"]
    assert "macs" not in how


def test_shared_weights_are_explained_where_they_are_used_again() -> None:
    found = explained(CHAINS[5])
    assert found["conv1"].how["weights"].endswith("= 38")
    assert found["conv2"].how["weights"].endswith("= 38, those of a: counted where they are used"
                                                  " first")  # fmt: skip
    assert found["conv2"].layer.params == 0


# -- where numbers sit ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *CHAINS,
        "INPUT(3x64x64) -> [[CONV(8, 3, pad=1) -> RELU]*8 -> POOL(2)]*5 -> FC(10)",
        "INPUT(1x300x300) -> [CONV(2, 3) -> RELU]*120 -> FC(2)",
    ],
)
def test_parts_add_up_and_are_few(text: str) -> None:
    net = net_of(text)
    # A FLATTEN is its input's memory.
    outputs = sum(prod(layer.output) for layer in net.layers if not layer.layer.view)
    for of, total in (("weights", net.params), ("macs", net.macs), ("activations", outputs)):
        found = parts(net, of)  # type: ignore[arg-type]
        assert sum(part.count for part in found) == total
        assert len(found) <= MOST_PARTS


def test_deep_net_is_shown_by_stages_and_a_deeper_one_by_stretches() -> None:
    net = net_of("INPUT(3x64x64) -> [[CONV(8, 3, pad=1) -> RELU]*8 -> POOL(2)]*5 -> FC(10)")
    stages = parts(net, "activations")
    assert [(p.first, p.last, p.note) for p in stages[:2]] == [
        ("input1", "relu8", "64x64"), ("pool1", "relu16", "32x32")
    ]  # fmt: skip
    assert (stages[-1].first, stages[-1].note) == ("fc1", "vectors")
    net = net_of("INPUT(1x300x300) -> [CONV(2, 3) -> RELU]*120 -> FC(2)")
    stretches = parts(net, "activations")
    assert (stretches[0].first, stretches[0].last, stretches[0].note) == ("input1", "relu5", "")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("INPUT(784) -> FC(10)", None),
        ("INPUT(10) -> FC(20, bias=false) -> FC(5, bias=false)", 200 / 300),
        ("INPUT(10) -> FC(4, bias=false) -> FC(5, bias=false) -> FC(10, bias=false)", 50 / 110),
        ("INPUT(3x8x8)", None),
    ],
)
def test_front_share(text: str, share: float | None) -> None:
    found = front_share(net_of(text))
    assert found == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize("file", ["lenet5", "alexnet", "vgg16", "vgg_small", "pattern"])
def test_usual_nets_are_heavy_at_their_end(file: str, root) -> None:
    share = front_share(cnnc.load(root / f"examples/{file}.cnn").checked.require())
    assert share is not None
    assert share < 0.5
