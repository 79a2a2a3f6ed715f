"""The convolution families: each forward against its formula in loops, counts, and messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import case, layer_of

import cnnc
from cnnc import SpecError
from cnnc.compiler.layers import local, transposed, unfolding
from cnnc.compiler.layers.layer import Misfit, Shape, Weight
from cnnc.compiler.layers.registry import LAYERS

LENET = """
let c3 = [[0,1,2],[1,2,3],[2,3,4],[3,4,5],[4,5,0],[5,0,1],[0,1,2,3],[1,2,3,4],[2,3,4,5],[3,4,5,0],
          [4,5,0,1],[5,0,1,2],[0,1,3,4],[1,2,4,5],[0,2,3,5],[0,1,2,3,4,5]]
INPUT(1x32x32) -> CONV(6, 5) -> SUBSAMPLE -> TANH -> CONV(16, 5, table=c3) -> SUBSAMPLE -> TANH
-> CONV(120, 5) -> TANH -> FC(84) -> TANH -> RBF(10, [[-1, 1]*42]*10)
expect depth == 7
"""


def at(x: Any, *place: int) -> float:
    """An entry; zero outside."""
    inside = all(0 <= i < n for i, n in zip(place, x.shape, strict=True))
    return float(x[place]) if inside else 0.0


def dwconv(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    rows, columns = layer.axes(*x.shape[1:])
    total = w["bias"][f] if layer.bias else 0.0
    for i, j in product(range(layer.k[0]), range(layer.k[1])):
        row = rows.stride * r + rows.dilation * i - rows.before
        column = columns.stride * c + columns.dilation * j - columns.before
        total += w["weight"][f, 0, i, j] * at(x, f // layer.multiplier, row, column)
    return float(total)


def local_(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    rows, columns = layer.axes(*x.shape[1:])
    total = w["bias"][f, r, c] if layer.bias else 0.0
    for ch, i, j in product(range(len(x)), range(layer.k[0]), range(layer.k[1])):
        row, column = rows.stride * r + i - rows.before, columns.stride * c + j - columns.before
        total += w["weight"][r, c, f, ch, i, j] * at(x, ch, row, column)
    return float(total)


def table(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    total = w["bias"][f] if layer.bias else 0.0
    kernel = sum(map(len, layer.table[:f]))
    for channel in layer.table[f]:
        for i, j in product(range(layer.k[0]), range(layer.k[1])):
            total += w["weight"][kernel, i, j] * x[channel, r + i, c + j]
        kernel += 1
    return float(total)


def deconv(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    each = layer.filters // layer.groups
    total = w["bias"][f] if layer.bias else 0.0
    for ch, a, b in np.ndindex(x.shape):
        if ch * layer.groups // len(x) != f // each:
            continue
        for i, j in product(range(layer.k[0]), range(layer.k[1])):
            row = a * layer.stride[0] + i * layer.dilation[0] - layer.pad[0]
            column = b * layer.stride[1] + j * layer.dilation[1] - layer.pad[2]
            if (row, column) == (r, c):
                total += w["weight"][ch, f % each, i, j] * x[ch, a, b]
    return float(total)


def subsample(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    kh, kw = layer.k
    window = x[f, r * kh : (r + 1) * kh, c * kw : (c + 1) * kw]
    return float(w["weight"][f] * window.sum() + w["bias"][f])


def upsample(layer: Any, x: Any, w: dict[str, Any], f: int, r: int, c: int) -> float:
    if layer.mode == "nearest":
        return float(x[f, r // layer.factor[0], c // layer.factor[1]])
    total = 0.0
    middle = [(n + 0.5) / k - 0.5 for n, k in zip((r, c), layer.factor, strict=True)]
    for a, b in product(range(-1, x.shape[1] + 1), range(-1, x.shape[2] + 1)):
        share = max(0, 1 - abs(middle[0] - a)) * max(0, 1 - abs(middle[1] - b))
        row, column = min(max(a, 0), x.shape[1] - 1), min(max(b, 0), x.shape[2] - 1)
        total += share * x[f, row, column]
    return total


FORMULAS: dict[str, Callable[..., float]] = {
    "DWCONV": dwconv, "LOCAL": local_, "DECONV": deconv, "SUBSAMPLE": subsample,
    "UPSAMPLE": upsample, "CONV": table,
}  # fmt: skip
FEW = [
    (text, shape) for word in FORMULAS for text, shape in LAYERS[word].samples
    if word != "CONV" or "table" in text
]  # fmt: skip


@pytest.mark.parametrize("text, shape", FEW, ids=[text for text, _ in FEW])
def test_forward_is_the_formula(text: str, shape: Shape) -> None:
    given = case(text, shape, n=2)
    y = given.forward()
    formula = FORMULAS[given.layer.kind]
    for n, f, r, c in np.ndindex(y.shape):
        expected = formula(given.layer, given.x[n], given.weights, f, r, c)
        assert abs(y[n, f, r, c] - expected) < 1e-12 * max(1, np.abs(y).max()), (n, f, r, c)


def test_rbf_is_the_squared_distance() -> None:
    given = case("RBF(2, [[1, -1, 1], [-1, -1, -1]])", (3,))
    codes = np.array([[1, -1, 1], [-1, -1, -1]])
    expected = [[np.sum((x - code) ** 2) for code in codes] for x in given.x]
    assert np.allclose(given.forward(), expected, rtol=1e-14)


def test_rbf_of_an_input_near_its_code_keeps_its_digits() -> None:
    """x*x - 2*x*code + 1 would leave nothing of them in float32."""
    given = case("RBF(1, [[1, -1, 1, 1]])", (4,), n=1, dtype="float32")
    given.x[:] = [[1 + 2**-10, -1, 1, 1 - 2**-11]]
    assert given.forward()[0, 0] == 2**-20 + 2**-22


CHUNKED = [
    "CONV(4, 3, pad=1, groups=2)", "CONV(2, 3, table=[[0, 3], [1]])", "DWCONV(3, multiplier=2)",
    "LOCAL(2, 3, stride=2, pad=1)", "DECONV(2, 3, stride=2, pad=1, outpad=1)",
]  # fmt: skip


@pytest.mark.parametrize("text", CHUNKED)
@pytest.mark.parametrize("n", [1, 4, 5])
def test_few_samples_at_a_time_give_the_same(
    text: str, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work space for two samples at once, and the last turn has only one."""
    shape = (4, 5, 6)
    given = case(text, shape, n)
    y, (dx, grads) = given.forward(), given.backward()
    each = next(int(np.prod(w.shape)) for w in given.layer.buffers(1, shape) if w.name == "windows")
    for module in (unfolding, local, transposed):
        monkeypatch.setattr(module, "CHUNK", 2 * each)
    works = {w.name: w.shape for w in given.layer.buffers(n, shape)}
    chunk = works["windows"][2 if text.startswith("LOCAL") else 0]
    assert chunk == min(n, 2)
    assert np.allclose(given.forward(), y, rtol=1e-13, atol=1e-14)
    again, gradients = given.backward()
    assert np.allclose(again, dx, rtol=1e-13, atol=1e-14)
    for name, gradient in gradients.items():
        assert np.allclose(gradient, grads[name], rtol=1e-13, atol=1e-14)


# -- counts and weights -------------------------------------------------------------------


def test_lenet_5_has_the_60000_parameters_of_its_paper() -> None:
    net = cnnc.parse(LENET)
    params = {layer.name: layer.params for layer in net.layers if layer.params}
    assert params == {
        "conv1": 156, "subsample1": 12, "conv2": 1_516, "subsample2": 32, "conv3": 48_120,
        "fc1": 10_164,
    }  # fmt: skip
    assert net.params == net.trainable == 60_000
    macs = {layer.name: layer.macs for layer in net.layers if layer.macs}
    assert macs == {
        "conv1": 6 * 25 * 784, "conv2": 60 * 25 * 100, "conv3": 120 * 400, "fc1": 84 * 120,
        "rbf1": 840,
    }  # fmt: skip
    assert net.layers[-1].receptive_field == (32, 32)


@pytest.mark.parametrize(
    "text, x, y, weights, macs",
    [
        ("DWCONV(3, pad=1)", (8, 6, 7), (8, 6, 7), {"weight": (8, 1, 3, 3), "bias": (8,)},
         8 * 9 * 42),
        ("DWCONV(2x1, 2, multiplier=3, bias=false)", (4, 6, 6), (12, 3, 3),
         {"weight": (12, 1, 2, 1)}, 12 * 2 * 9),
        ("LOCAL(5, 3, stride=2)", (2, 7, 9), (5, 3, 4),
         {"weight": (3, 4, 5, 2, 3, 3), "bias": (5, 3, 4)}, 5 * 2 * 9 * 12),
        ("DECONV(6, 4, stride=2, pad=1)", (8, 5, 7), (6, 10, 14),
         {"weight": (8, 6, 4, 4), "bias": (6,)}, 8 * 6 * 16 * 35),
        ("DECONV(6, 3, groups=2, outpad=1, stride=2, bias=false)", (4, 2, 2), (6, 6, 6),
         {"weight": (4, 3, 3, 3)}, 4 * 3 * 9 * 4),
        ("DECONV(1, 2, pad=(1, 0, 0, 1))", (1, 3, 3), (1, 3, 3),
         {"weight": (1, 1, 2, 2), "bias": (1,)}, 36),
        ("CONV(2, 3, table=[[0], [2, 1]])", (3, 4, 5), (2, 2, 3),
         {"weight": (3, 3, 3), "bias": (2,)}, 3 * 9 * 6),
        ("UPSAMPLE(3x2)", (4, 5, 6), (4, 15, 12), {}, 0),
        ("SUBSAMPLE(2x3)", (4, 5, 6), (4, 2, 2), {"weight": (4,), "bias": (4,)}, 0),
        ("RBF(1, [[1, 1, -1, 1]])", (1, 2, 2), (1,), {}, 4),
    ],
)  # fmt: skip
def test_shapes_weights_and_macs(
    text: str, x: Shape, y: Shape, weights: dict[str, Shape], macs: int
) -> None:
    layer = layer_of(text, x)
    assert layer.shape(x) == y
    assert {w.name: w.shape for w in layer.weights(x)} == weights
    assert layer.macs(x) == macs


def weight_of(text: str, x: Shape) -> Weight:
    return layer_of(text, x).weights(x)[0]


def test_fans_count_what_feeds_an_output_and_what_an_input_feeds() -> None:
    fans = {
        text: (weight_of(text, x).fan_in, weight_of(text, x).fan_out)
        for text, x in (
            ("CONV(6, 3, groups=2)", (4, 5, 5)), ("DWCONV(3, multiplier=2)", (5, 5, 5)),
            ("LOCAL(6, 3)", (4, 5, 5)), ("DECONV(6, 4, stride=2)", (4, 5, 5)),
            ("CONV(2, 3, table=[[0, 1, 2], [3]])", (4, 5, 5)), ("SUBSAMPLE(2x3)", (4, 5, 5)),
        )
    }  # fmt: skip
    assert fans == {
        "CONV(6, 3, groups=2)": (18, 27), "DWCONV(3, multiplier=2)": (9, 18),
        "LOCAL(6, 3)": (36, 54), "DECONV(6, 4, stride=2)": (16, 96),
        "CONV(2, 3, table=[[0, 1, 2], [3]])": (18, 9), "SUBSAMPLE(2x3)": (6, 1),
    }  # fmt: skip


def test_local_filters_are_orthogonal_at_each_position() -> None:
    weight = weight_of("LOCAL(3, 3, init=orthogonal)", (2, 4, 5))
    start = weight.init.fill(np.random.default_rng(0), weight.shape, 18, 27)
    for filters in start.reshape(-1, 3, 18):
        assert np.allclose(filters @ filters.T, np.eye(3), atol=1e-12)
    assert not np.allclose(start[0, 0], start[1, 0])


# -- what does not fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, x, code, rule, fixes",
    [
        ("DWCONV(5)", (3, 4, 4), "E301", "floor((4 + 2*0 - 5)/1) + 1 = 0",
         ("DWCONV(4) gives 3x1x1", "DWCONV(5, pad=1) gives 3x2x2")),
        ("LOCAL(2, 5)", (3, 4, 4), "E301", "= 0",
         ("LOCAL(2, 4) gives 2x1x1", "LOCAL(2, 5, pad=1) gives 2x2x2")),
        ("SUBSAMPLE(3)", (2, 2, 5), "E301", "floor((2 + 2*0 - 3)/3) + 1 = 0",
         ("SUBSAMPLE(2x3) gives 2x1x1",
          "an input of 2x4x10: SUBSAMPLE(3) then gets 2x4x10 and gives 2x1x3")),
        ("DECONV(4, 3, pad=2)", (2, 1, 2), "E308",
         "(1 - 1)*1 - 2*2 + 1*(3 - 1) + 0 + 1 = -1",
         ("DECONV(4, 3, pad=1) gives 4x1x2", "DECONV(4, 5x4, pad=2) gives 4x1x1")),
        ("DECONV(4, 1, pad=(0, 0, 2, 1), outpad=1, stride=2)", (2, 3, 1), "E308",
         "(1 - 1)*2 - 2 - 1 + 1*(1 - 1) + 1 + 1 = -1",
         ("DECONV(4, 1, stride=2, pad=0, outpad=1) gives 4x6x2",
          "DECONV(4, 1x3, stride=2, pad=(0, 0, 2, 1), outpad=1) gives 4x6x1")),
        ("DECONV(4, groups=2)", (3, 5, 5), "E303", "3 / 2 = 1.5",
         ("DECONV(4, groups=1) gives 4x7x7", "DECONV(3, groups=3) gives 3x7x7",
          "DECONV(6, groups=3) gives 6x7x7")),
        ("CONV(3, 1, groups=2)", (4, 5, 5), "E303", "3 / 2 = 1.5",
         ("CONV(2, 1, groups=2) gives 2x5x5", "CONV(4, 1, groups=2) gives 4x5x5",
          "CONV(3, 1, groups=1) gives 3x5x5")),
        ("CONV(3, 1, table=[[0], [1]])", (2, 5, 5), "E306", "one list a filter",
         ("CONV(2, 1, table=[[0], [1]]) gives 2x5x5", "CONV(3, 1, table=none) gives 3x5x5")),
        ("CONV(2, 1, table=[[1], [2]])", (2, 5, 5), "E306", "2 < 2 does not hold",
         ("count the channels from 0, not from 1: CONV(2, 1, table=[[0], [1]]) gives 2x5x5",
          "CONV(2, 1, table=none) gives 2x5x5", "an input of 3x5x5 gives 2x5x5")),
        ("RBF(3, [[1, 1]])", (2,), "E307", "each unit has one code",
         ("RBF(1, codes=[[1, 1]]) gives 1",
          "add 2 of the codes: RBF(3, codes=[[1, 1]]) then gives 3")),
        ("RBF(1, [[1, 1]])", (3,), "E307", "2 == 3 does not hold",
         ("codes of 3 entries each give 1",
          "FC(2) before it gives 2, and RBF(1, codes=[[1, 1]]) then gives 1")),
        ("RBF(2, [[1, 1], [1]])", (2,), "E307", "1 == 2 does not hold",
         ("codes of 2 entries each give 2",
          "FC(2) before it, and codes of 2 entries each, give 2")),
    ],
)  # fmt: skip
def test_a_misfit_gives_the_rule_and_changes_that_fit(
    text: str, x: Shape, code: str, rule: str, fixes: tuple[str, ...]
) -> None:
    with pytest.raises(SpecError) as raised:
        layer_of(text, x)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == code
    assert rule in diagnostic.notes[0]
    assert diagnostic.help[: len(fixes)] == fixes
    for fix in fixes:  # those that change this layer alone hold what they promise
        change = re.fullmatch(r"(?:count .*: )?([A-Z]+\(.*\)) gives ([0-9x]+)", fix)
        if change:
            layer = layer_of(change[1], x)
            assert "x".join(map(str, layer.shape(x))) == change[2]


@pytest.mark.parametrize(
    "text, said",
    [
        ("CONV(2, 3, groups=2, table=[[0], [1]])", "groups or a table, not both"),
        ("CONV(1, 3, table=[])", "CONV's table takes a list of lists of input channels"),
        ("CONV(1, 3, table=[[]])", "none empty"),
        ("CONV(1, 3, table=[[1, 0, 1]])", "none a channel twice"),
        ("CONV(1, 3, table=[[-1]])", "counted from 0"),
        ("CONV(1, 3, table=[0, 1])", "a list of lists"),
        ("CONV(1, 3, table=[[0.5]])", "a list of lists"),
        ("CONV(20, 3, table=[range(100_000)]*20)", "and the limit is 1,000,000"),
        ("RBF(1, [[1, 0, 1]])", "a list of lists of -1 and 1"),
        ("RBF(1, [[true, 1, 1]])", "a list of lists of -1 and 1"),
        ("DECONV(1, outpad=1)", "an outpad smaller than its stride or its dilation"),
        ("DECONV(1, stride=2x3, outpad=2)", "an outpad smaller than its stride or its dilation"),
        ("UPSAMPLE(2, mode=cubic)", "nothing is called cubic"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        layer_of(text, (3, 5, 5))
    (diagnostic,) = raised.value.diagnostics
    assert said in diagnostic.message
    assert len(diagnostic.message) < 300


def test_a_hypothetical_input_is_not_what_is_reported() -> None:
    """The window does not fit, and the table is wrong too."""
    layer = layer_of("CONV(1, 3, table=[[0]])", (1, 3, 3))
    with pytest.raises(Misfit) as raised:
        layer.replace(table=[[5]]).shape((1, 2, 2))
    assert raised.value.code == "E301" and "1x2x2" in raised.value.label


@pytest.mark.parametrize("text", ["DWCONV(3, stride=3)", "LOCAL(1, 3, stride=3)"])
def test_rows_left_out_are_noted_with_the_padding_that_reaches_them(text: str) -> None:
    layer: Any = layer_of(text, (2, 8, 9))
    message, help = layer.note((2, 8, 9))
    assert "the last 2 of 8 rows" in message
    assert help.startswith("pad=(0, 1, 0, 0)")
    assert layer.replace(pad=(0, 1, 0, 0)).note((2, 8, 9)) is None


def test_rows_that_subsample_leaves_out_are_noted_with_the_size_that_has_none() -> None:
    layer = layer_of("SUBSAMPLE(2x4)", (2, 7, 10))
    note = layer.note((2, 7, 10))
    assert note == (
        "SUBSAMPLE(2x4) never reaches the last 1 of 7 rows and the last 2 of 10 columns",
        "maps of 6x8 have nothing left over",
    )
    assert layer.note((2, 6, 8)) is None


def test_a_long_table_is_written_whole_and_shown_short() -> None:
    layer = cnnc.parse(LENET).layers[4].layer
    assert layer.written().startswith("CONV(16, 5, table=[[0, 1, 2], [1, 2, 3]")
    assert layer.shown() == "CONV(16, 5, table=…)"
