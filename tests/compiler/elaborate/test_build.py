"""The expanded net: names, shapes, costs and receptive fields, and what does not fit."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, error, errors, net

from cnnc.compiler.values import show_shape

# -- names ----------------------------------------------------------------------------


def test_layers_are_named_by_kind_and_ordinal_in_the_expanded_net() -> None:
    text = """INPUT(3x32x32) -> CENTER
    -> [[CONV(4, 3, pad=1) -> RELU]*2 -> MAXPOOL -> AVGPOOL -> POOL?(false)]*2
    -> ID -> FC(3) -> TANH -> FC(2) -> SOFTMAX"""
    assert [layer.name for layer in net(text).layers] == [
        "input1", "center1", "conv1", "relu1", "conv2", "relu2", "pool1", "pool2", "conv3", "relu3",
        "conv4", "relu4", "pool3", "pool4", "fc1", "tanh1", "fc2", "softmax1",
    ]  # fmt: skip


def test_the_kind_of_every_pooling_is_pool() -> None:
    layers = net("INPUT(1x8x8) -> POOL -> MAXPOOL -> AVGPOOL").layers
    assert [layer.kind for layer in layers] == ["INPUT", "POOL", "POOL", "POOL"]


def test_each_layer_knows_its_inputs_and_where_it_is_written() -> None:
    text = "INPUT(1x8x8)\n-> [CONV(2, 3) -> ID]*2\n-> FC(3)"
    layers = net(text).layers
    assert [layer.inputs for layer in layers] == [(), ("input1",), ("conv1",), ("conv2",)]
    assert [layer.input_shapes for layer in layers[1:]] == [
        ((1, 8, 8),), ((2, 6, 6),), ((2, 4, 4),)
    ]  # fmt: skip
    assert [layer.span.text for layer in layers] == [
        "INPUT(1x8x8)", "CONV(2, 3)", "CONV(2, 3)", "FC(3)"
    ]  # fmt: skip
    assert [layer.span.begin for layer in layers] == [(1, 1), (2, 5), (2, 5), (3, 4)]


# -- shapes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("CONV(5, 3)", "5x6x10"),
        ("CONV(5, 3, pad=1)", "5x8x12"),
        ("CONV(5, 3, pad=same)", "5x8x12"),
        ("CONV(5, 3, stride=2, pad=same)", "5x4x6"),
        ("CONV(5, 4, stride=5, pad=same)", "5x2x3"),
        ("CONV(5, 3, pad=valid)", "5x6x10"),
        ("CONV(5, 3x1, pad=1x0)", "5x8x12"),
        ("CONV(5, 3, pad=(0, 1, 2, 3))", "5x7x15"),
        ("CONV(5, 3, stride=2x3)", "5x3x4"),
        ("CONV(5, 3, dilation=2)", "5x4x8"),
        ("CONV(6, 3, groups=3)", "6x6x10"),
        ("CONV(5)", "5x6x10"),
        ("POOL", "3x4x6"),
        ("POOL(3)", "3x2x4"),
        ("POOL(3, stride=2)", "3x3x5"),
        ("POOL(3, stride=2, ceil=true)", "3x4x6"),
        ("POOL(avg, 2x3)", "3x4x4"),
        ("MAXPOOL(3, stride=1, pad=1)", "3x8x12"),
        ("RELU", "3x8x12"),
        ("DROPOUT", "3x8x12"),
        ("ID", "3x8x12"),
        ("FLATTEN", "288"),
        ("FC(7)", "7"),
        ("FC(7) -> RELU", "7"),
    ],
)
def test_shapes(layer: str, shape: str) -> None:
    text = f"INPUT(3x8x12) -> {layer}"
    assert show_shape(net(text).output_shape) == shape
    assert errors(f"{text} :: {shape}") == []


@pytest.mark.parametrize("shape", ["3x8x12", "(3, 8, 12)", "(c, c + 5, 12)", "3x8x12 :: 3x8x12"])
def test_claims_that_hold(shape: str) -> None:
    assert errors(f"let c = 3\nINPUT(3x8x12) -> RELU :: {shape} -> FC(2) :: 2") == []
    assert errors(f"let c = 3\n[INPUT(3x8x12) :: {shape} -> RELU]*1 :: {shape}") == []


@pytest.mark.parametrize("shape", ["2", "1x1", "(2, 1)", "2x1x1", "(1,)", "3", "two + 1"])
def test_claims_that_do_not_hold(shape: str) -> None:
    shape = f"({shape})" if "+" in shape else shape
    text = f"let two = 2\nINPUT(3x8x8)\n-> FC(4) -> RELU\n:: {shape}\n-> FC(3)"
    found = error(text)
    assert (found.code, found.span and found.span.text) == ("E304", shape)
    assert found.span and found.span.begin.line == 4
    assert found.message.startswith("the shape is 4 here, not ")
    assert found.help[-1] == ":: 4 says what is there"
    assert [related.span.text for related in found.related] == ["RELU"]


def test_a_claim_after_a_group_is_of_its_last_turn() -> None:
    text = "INPUT(3x8x8) -> [POOL(2)]*2 :: 3x{0}x{0} -> [POOL(2) :: 3x1x1]*1"
    assert errors(text.format(2)) == []
    assert errors(text.format(4)) == ["E304 3x4x4"]
    assert errors("INPUT(3x8x8) -> [POOL(2) :: 3x4x4]*2") == ["E304 3x4x4"]


@pytest.mark.parametrize("shape", ["0x1x1", "(3, 0, 8)", "(3, 8.0, 8)", "('a', 1)", "()", "0"])
def test_claims_that_are_no_shapes(shape: str) -> None:
    assert errors(f"INPUT(3x8x8) -> RELU :: {shape}") == [f"E403 {shape}"]


# -- receptive fields -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "field"),
    [
        ("CONV(2, 3)", (3, 3)),
        ("CONV(2, 3) -> CONV(2, 3)", (5, 5)),
        ("CONV(2, 3, stride=2) -> CONV(2, 3)", (7, 7)),
        ("CONV(2, 3, dilation=2)", (5, 5)),
        ("CONV(2, 1x5) -> POOL(2x1)", (2, 5)),
        ("POOL(2) -> POOL(2) -> CONV(2, 3)", (12, 12)),
        ("CONV(2, 3, pad=1) -> RELU -> DROPOUT", (3, 3)),
        ("[CONV(2, 3, pad=1)]*20", (41, 41)),  # not clipped at the border
        ("CONV(2, 3) -> FC(2)", (32, 24)),
        ("FLATTEN", (32, 24)),
    ],
)
def test_receptive_fields(chain: str, field: tuple[int, int]) -> None:
    layers = net(f"INPUT(1x32x24) -> {chain}").layers
    assert layers[0].receptive_field == (1, 1)
    assert layers[-1].receptive_field == field


def test_a_vector_has_none() -> None:
    assert {layer.receptive_field for layer in net("INPUT(4) -> FC(2) -> RELU").layers} == {None}


# -- what does not fit ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("POOL(9)", "E301 POOL(9)"),
        ("CONV(4, 9)", "E301 CONV(4, 9)"),
        ("CONV(4, 1x9)", "E301 CONV(4, 1x9)"),
        ("CONV(4, 5, dilation=2)", "E301 CONV(4, 5, dilation=2)"),
        ("CONV(4, 3, groups=2)", "E303 CONV(4, 3, groups=2)"),
        ("CONV(4, 3, groups=3)", "E303 CONV(4, 3, groups=3)"),
        ("FC(3) -> CONV(4)", "E302 CONV(4)"),
        ("FLATTEN -> POOL", "E302 POOL"),
        ("RELU -> CENTER", "E305 CENTER"),
        ("FC(3) -> NORMALIZE(range)", "E305 NORMALIZE(range)"),
        ("RELU -> INPUT(3x8x8)", "E305 INPUT(3x8x8)"),
        ("RELU -> INPUT", "E305 INPUT"),
        ("RELU -> INPUT(0)", "E305 INPUT(0)"),
    ],
)
def test_one_mistake_is_one_error_whatever_follows(chain: str, found: str) -> None:
    text = f"INPUT(3x8x8) -> {chain}"
    assert errors(text) == [found]
    if not found.startswith("E305"):  # after which the shape is known
        assert errors(f"{text} -> CONV(9, 99) -> CONV(2, groups=5) :: 7 -> FC(3)") == [found]
        assert errors(f"{text}\nexpect params == 1") == [found]


def test_data_layers_stand_right_after_input() -> None:
    assert errors("INPUT(3x8x8) -> CENTER -> NORMALIZE -> CENTER(pixel) -> RELU") == []
    assert errors("INPUT(3x8x8) -> ID -> [CENTER]*2 -> NORMALIZE?(true)") == []
    assert errors("CENTER -> RELU", input="3x8x8") == []


def test_input_twice() -> None:
    assert errors("[INPUT(3x8x8) -> RELU]*2") == ["E305 INPUT(3x8x8)"]
    assert errors("INPUT(3x8x8)*2") == ["E305 INPUT(3x8x8)"]


def test_what_does_not_fit_says_where_its_input_comes_from() -> None:
    text = "INPUT(1x12x12)\n-> CONV(16, 5) -> POOL(3)\n-> RELU -> POOL(3)"
    found = error(text)
    assert found.label == "needs at least 3x3, gets 16x2x2 from relu1"
    assert found.notes == (
        "rule: out = floor((in + 2*pad - k)/stride) + 1 = floor((2 + 2*0 - 3)/3) + 1 = 0",
        "sizes: input1 12x12 -> conv1 8x8 -> pool1 2x2",
    )
    assert [(r.message, r.span.text) for r in found.related] == [
        ("relu1 makes 16x2x2 here", "RELU")
    ]  # fmt: skip
    assert found.help == (
        "POOL(2) gives 16x1x1",
        "POOL(3, pad=1) gives 16x1x1",
        "CONV(16, 5, pad=2) before it gives 16x12x12, and POOL(3) then gives 16x1x1",
        "without POOL(3) before it: POOL(3) then gets 16x8x8 and gives 16x2x2",
    )


def test_rows_that_a_stride_never_reaches_are_a_note_with_the_padding_that_does() -> None:
    (note,) = checked("INPUT(1x9x8) -> RELU -> POOL(2)").diagnostics
    assert (note.code, note.severity) == ("W601", "note")
    assert note.message == "POOL(2) never reaches the last 1 of 9 rows"
    assert note.label == "gets 1x9x8 from relu1"
    assert note.help == ("pad=(0, 1, 0, 0) reaches them (top, bottom, left, right)",)
    assert checked("INPUT(1x9x8) -> POOL(2, pad=(0, 1, 0, 0))").diagnostics == ()
    assert checked("INPUT(1x8x8) -> POOL(2, pad=(0, 1, 0, 1))").diagnostics == ()  # padding only


# -- limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INPUT(1x32768x65536)", "E905 INPUT(1x32768x65536)"),
        ("INPUT(1x32768x65535)", ""),
        ("INPUT(2147483647)", ""),
        ("INPUT(2147483648)", "E905 INPUT(2147483648)"),
        ("INPUT((2**31, 1, 1))", "E905 INPUT((2**31, 1, 1))"),
        ("INPUT(4) -> FC(2147483647)", ""),
        ("INPUT(4) -> FC(2147483648)", "E905 FC(2147483648)"),
        ("INPUT(3x1000x1000) -> CONV(10_000, 3)", "E905 CONV(10_000, 3)"),
        ("INPUT(3x9x9) -> CONV(4, 3, pad=50_000)", "E905 CONV(4, 3, pad=50_000)"),
        ("INPUT(3x9x9) -> CONV(1, 1, stride=2**40)", ""),
    ],
)
def test_tensors_have_fewer_than_2_to_31_numbers(text: str, found: str) -> None:
    assert errors(text) == ([found] if found else [])
    if found:
        assert "the limit is 2,147,483,647" in error(text).message
        assert errors(f"{text} -> FC(3) -> POOL(9) :: 7") == [found]
