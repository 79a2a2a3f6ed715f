"""`--set` and `--input`: what they change, and how they are used wrongly."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, errors, layers, net

from cnnc.compiler.elaborate.settings import WrongUse

FAMILY = """
param N = 2 in [1, 2, 3], width = 4
let double = 2 * width
default CONV(width, 3, pad=same)
INPUT(3x8x8) -> [CONV -> RELU?]*N -> CONV(double) -> [POOL]?(deep) -> RELU*M -> FC(10)
"""
SETS = {"deep": "true", "M": "1"}


def test_a_knob_takes_any_value_of_the_language() -> None:
    assert layers(FAMILY, {**SETS, "N": "1", "width": "2 * 3", "relu": "false"}) == [
        "CONV(6, 3, pad=same)", "CONV(12, 3, pad=same)", "POOL", "RELU", "FC(10)"
    ]  # fmt: skip
    assert checked(FAMILY, {**SETS, "width": "1k"}).knobs == {
        "N": 2, "width": 1000, "relu": True, "deep": True, "M": 1
    }  # fmt: skip


def test_a_value_may_be_one_of_python() -> None:
    given = {"N": 1, "deep": False, "M": 2, "width": 3, "FC.bias": False}
    assert layers(FAMILY, given)[-3:] == ["RELU", "RELU", "FC(10, bias=false)"]
    text = "param ks = 3\nINPUT(3x8x8) -> [CONV(4, ks)]*2"
    assert layers(text, {"ks": [1, (3, 1)]}) == ["CONV(4, 1)", "CONV(4, 3x1)"]


def test_a_knob_that_may_take_few_values() -> None:
    assert errors(FAMILY, {**SETS, "N": 4}) == ["E205 N = 2 in [1, 2, 3]"]
    assert errors(FAMILY, {**SETS, "N": 3}) == []


def test_an_argument_is_set_for_uses_that_do_not_give_it() -> None:
    text = "INPUT(3x8x8) -> CONV(4) -> CONV(k=1)"
    assert layers(text, {"CONV.filters": 8, "CONV.k": "1x3", "CONV.pad": "(0, 0, 1, 1)"}) == [
        "CONV(4, 1x3, pad=(0, 0, 1, 1))", "CONV(8, 1, pad=(0, 0, 1, 1))"
    ]  # fmt: skip


def test_an_argument_may_be_set_to_what_a_knob_says() -> None:
    text = "param w = 4\nINPUT(3x8x8) -> CONV(k=1) -> RELU*w"
    assert layers(text, {"CONV.filters": "w + 1"})[0] == "CONV(5, 1)"


@pytest.mark.parametrize(
    ("value", "found"),
    [("0", "E403 0"), ("-1", "E403 -1"), ("'a'", "E403 'a'"), ("nope", "E203 nope"),
     ("1 // 0", "E406 1 // 0"), ("[1, 2]", "E206 [1, 2]")],
)  # fmt: skip
def test_a_value_that_an_argument_does_not_take_is_an_error(value: str, found: str) -> None:
    assert errors("INPUT(3x8x8) -> CONV(k=1)", {"CONV.filters": value}) == [found]


def test_input_replaces_the_shape_whatever_the_use_says() -> None:
    for text in (
        "INPUT(3x8x8) -> RELU",
        "INPUT -> RELU",
        "RELU",
        "default INPUT(5)\nINPUT -> RELU",
    ):
        assert net(text, input="1x4x4").input_shape == (1, 4, 4)
        assert net(text, input="(2, 2 * 2, 4)").input_shape == (2, 4, 4)
        assert net(text, input="7").input_shape == (7,)
    assert net("INPUT -> RELU", {"INPUT.size": "3x4x4"}).input_shape == (3, 4, 4)
    assert net("RELU", {"INPUT.size": "3x4x4"}).input_shape == (3, 4, 4)
    assert net("default INPUT(3x4x4)\nRELU").input_shape == (3, 4, 4)
    assert net("RELU", {"INPUT.size": "3x4x4"}, "5").input_shape == (5,)


# -- wrong use ------------------------------------------------------------------------


def wrong(text: str, name: str, value: object = 1) -> WrongUse:
    with pytest.raises(WrongUse) as caught:
        checked(text, {name: value})
    return caught.value


@pytest.mark.parametrize(
    ("name", "near"),
    [("n", "N"), ("Width", "width"), ("widht", "width"), ("dep", "deep"), ("rleu", "relu")],
)
def test_a_knob_that_the_spec_does_not_have(name: str, near: str) -> None:
    error = wrong(FAMILY, name)
    assert error.message == f"a.cnn has no knob {name}; it has N, width, relu, deep, M"
    assert error.help == (f"did you mean {near}?",)


def test_names_that_are_no_knobs() -> None:
    assert wrong(FAMILY, "double").message.startswith("a.cnn has no knob double")  # a constant
    assert wrong(FAMILY, "zzz").help == ()
    assert wrong("INPUT(4) -> FC(3)", "N").message == "a.cnn has no knob N; it has none"
    loop = "INPUT(4) -> for n in [1] [RELU*n]"
    assert wrong(loop, "n").message == "a.cnn has no knob n; it has none"


@pytest.mark.parametrize(
    ("name", "message", "help"),
    [
        ("CONVV.k", "a.cnn has no layer CONVV; it has INPUT, CONV", ("did you mean CONV?",)),
        ("conv.k", "a.cnn has no layer conv; it has INPUT, CONV", ("did you mean CONV?",)),
        ("FC.units", "a.cnn has no layer FC; it has INPUT, CONV", ()),
        (".k", "a.cnn has no layer without a name; it has INPUT, CONV", ()),
        ("CONV.filter", "CONV has no argument filter; it takes", ("did you mean filters?",)),
        ("CONV.K", "CONV has no argument K; it takes filters, k", ("did you mean k?",)),
        ("CONV.", "CONV has no argument without a name; it takes filters, k", ()),
        ("CONV.k.k", "CONV has no argument k.k; it takes filters, k", ()),
        (
            "INPUT.shape",
            "INPUT has no argument shape; it takes size",
            ("shape is called size here: size=1",),
        ),
        (
            "CONV.kernel_size",
            "CONV has no argument kernel_size; it takes filters, k",
            ("kernel_size is called k here: k=1",),
        ),
    ],
)
def test_arguments_that_cannot_be_set(name: str, message: str, help: tuple[str, ...]) -> None:
    error = wrong("INPUT(3x8x8) -> CONV(4)", name)
    assert error.message.startswith(message)
    assert error.help == help


def test_an_argument_of_a_misspelt_layer_is_no_second_mistake() -> None:
    assert errors("INPUT(3x8x8) -> CONVV(4)", {"CONVV.k": 1}) == ["E201 CONVV"]


@pytest.mark.parametrize("value", ["", "3 4", "(", "3x", "a -> b", "N=3", "True"])
def test_what_is_no_value(value: str) -> None:
    assert wrong(FAMILY, "N", value).message == (
        f"--set N takes a value of the language, and {value!r} is none"
    )
    with pytest.raises(WrongUse, match=r"^--input takes a value of the language"):
        checked(FAMILY, SETS, value)


def test_a_knob_without_a_value() -> None:
    assert wrong(FAMILY, "N", "width").message == "--set N=…: nothing is called width here"
    assert "divides by zero" in wrong(FAMILY, "N", "1 // 0").message


@pytest.mark.parametrize("shape", ["3x32", "3x0x8", "1x2x3x4", "0", "-3", "1.5", "'3x8x8'", "CONV"])
def test_what_is_no_shape(shape: str) -> None:
    with pytest.raises(WrongUse) as caught:
        checked("INPUT(3x8x8) -> RELU", None, shape)
    assert caught.value.message == f"--input takes a shape such as 3x32x32 or 10, not {shape}"
