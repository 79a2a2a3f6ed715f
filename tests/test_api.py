"""`cnnc.load`, `cnnc.parse` and the net that they give."""

from __future__ import annotations

from pathlib import Path

import pytest

import cnnc
from cnnc import Net, SpecError

SPEC = """net Small
param N = 1 in [1, 2], width = 4
default CONV(width, 3, pad=same)
INPUT(3x8x8) -> [CONV -> RELU]*N -> POOL? -> FC(10, freeze=true)
train { batch = 16  lr = 0.5 }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "small.cnn"
    file.write_text(SPEC)
    return file


def test_a_net_says_what_it_is(path: Path) -> None:
    for net in (cnnc.load(path), cnnc.load(str(path)), cnnc.parse(SPEC)):
        assert isinstance(net, Net)
        assert net.name == "Small"
        assert (net.input_shape, net.output_shape) == ((3, 8, 8), (10,))
        assert net.params == 4 * 27 + 4 + 10 * 64 + 10
        assert net.trainable == 4 * 27 + 4
        assert net.macs == 4 * 27 * 64 + 10 * 64
        assert [layer.name for layer in net.layers] == ["input1", "conv1", "relu1", "pool1", "fc1"]
        assert [layer.output for layer in net.layers][1:3] == [(4, 8, 8), (4, 8, 8)]
        assert (net.training.batch, net.training.lr, net.training.epochs) == (16, 0.5, 10)
        assert net.diagnostics == ()
        assert repr(net).startswith("net Small\n  input1 = INPUT(3x8x8) : 3x8x8\n")


def test_set_takes_texts_and_values(path: Path) -> None:
    net = cnnc.load(path, set={"N": 2, "width": "2 * 3", "pool": False, "CONV.k": 1})
    assert [layer.layer.written() for layer in net.layers][1:] == [
        "CONV(6, 1, pad=same)", "RELU", "CONV(6, 1, pad=same)", "RELU", "FC(10, freeze=true)"
    ]  # fmt: skip
    assert cnnc.parse("CONV -> FC", set={"CONV.filters": 4, "FC.units": 2}, input="1x4x4").params
    words = cnnc.parse("param p = 0\nINPUT(1x4x4) -> CONV(2, 3, pad=p)", set={"p": "'same'"})
    assert words.output_shape == (2, 4, 4)


def test_input_takes_a_text_or_a_tuple(path: Path) -> None:
    for given in ("1x6x6", "(1, 6, 6)", (1, 6, 6)):
        assert cnnc.load(path, input=given).input_shape == (1, 6, 6)
    assert cnnc.parse("FC(3)", input="5").input_shape == (5,)
    assert cnnc.parse("FC(3)", input=(5,)).input_shape == (5,)


def test_a_spec_with_errors_raises_with_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "wrong.cnn"
    file.write_text("INPUT(3x8x8)\n-> CONV(0) -> NOPE\n")
    with pytest.raises(SpecError) as caught:
        cnnc.load(file)
    assert [d.code for d in caught.value.diagnostics] == ["E403", "E201"]
    assert [d.severity for d in caught.value.diagnostics] == ["error", "error"]
    text = str(caught.value)
    assert text.splitlines()[0].startswith(f"{file}:2:9: error[E403]: CONV's filters takes")
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "E111"), ("let a = 3", "E112"), ("INPUT(4) ->", "E110"), ("RELU", "E213"),
     ("INPUT(4) -> FC(3)\nexpect params == 1", "E501")],
)  # fmt: skip
def test_what_has_no_net(text: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        cnnc.parse(text)
    assert [d.code for d in caught.value.diagnostics] == [code]
    assert str(caught.value).startswith("<text>:")


def test_a_text_can_have_a_name() -> None:
    with pytest.raises(SpecError, match=r"^mine\.cnn:1:1: "):
        cnnc.parse("NOPE", input="4", name="mine.cnn")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.cnn", tmp_path):
        with pytest.raises(SpecError) as caught:
            cnnc.load(path)
        (found,) = caught.value.diagnostics
        assert (found.code, found.span) == ("E101", None)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"set": {"M": 1}}, r"<text> has no knob M; it has N, width, pool"),
        ({"set": {"CONV.kk": 1}}, "CONV has no argument kk"),
        ({"set": {"LRN.k": 1}}, "<text> has no layer LRN"),
        ({"set": {"N": "1 2"}}, "--set N takes a value of the language"),
        ({"set": {"N": None}}, "--set N=…: nothing is called none here"),
        ({"set": {"N": object()}}, "--set N takes a value of the language"),
        ({"input": "3x8"}, "--input takes a shape such as 3x32x32 or 10, not 3x8"),
        ({"input": (3, 8)}, "--input takes a shape such as 3x32x32 or 10, not 3x8"),
        ({"input": (3, 0, 8)}, "--input takes a shape such as 3x32x32 or 10"),
    ],
)
def test_wrong_use_is_a_value_error_that_says_why(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError) as caught:
        cnnc.parse(SPEC, **given)  # type: ignore[arg-type]
    assert str(caught.value).startswith(why)
    assert not isinstance(caught.value, SpecError)


def test_a_value_that_a_knob_may_not_take_is_an_error_of_the_spec() -> None:
    with pytest.raises(SpecError) as caught:
        cnnc.parse(SPEC, set={"N": 3})
    assert [d.code for d in caught.value.diagnostics] == ["E205"]


def test_notes_stay_with_the_net() -> None:
    net = cnnc.parse("INPUT(1x7x7) -> POOL(2)")
    assert [(d.code, d.severity) for d in net.diagnostics] == [("W601", "note")]


@pytest.mark.parametrize(
    "text",
    [
        SPEC,
        "INPUT((1, 2*4, 8)) -> CENTER -> for f in [2, 3] [CONV(f, 3, pad=(0, 1, 0, 1)) -> TANH(2)]"
        " -> AVGPOOL(2x1) -> ID -> [POOL]?(false) -> FC(4, init=normal(0.5), lr=2) -> SOFTMAX",
        "param p = 'same'\nINPUT(3x8x8) -> CONV(4, pad=p) -> [CONV([4, 6], pad=[1, 1, 1, 1])]*2",
        "INPUT(10) -> FC(3)",
    ],
)
def test_the_expanded_net_is_a_spec_of_the_same_net(text: str) -> None:
    net = cnnc.parse(text)
    again = cnnc.parse(net.expanded())
    assert repr(again) == repr(net)
    assert again.expanded() == net.expanded()
    assert not set("[]*?") & set(net.expanded().replace("[1, 1, 1, 1]", "")), "no repeats"
    shapes = [[(w.name, w.shape) for w in layer.weights] for layer in net.layers]
    assert [[(w.name, w.shape) for w in layer.weights] for layer in again.layers] == shapes
    assert (again.params, again.trainable, again.macs) == (net.params, net.trainable, net.macs)


def test_expanded_is_a_line_a_layer() -> None:
    net = cnnc.parse(SPEC)
    assert net.expanded() == (
        "net Small\n\nINPUT(3x8x8)\n-> CONV(4, 3, pad=same)\n-> RELU\n-> POOL\n"
        "-> FC(10, freeze=true)\n"
    )


def test_the_public_names_are_there_and_no_others() -> None:
    assert {name for name in dir(cnnc) if name in cnnc.__all__} == set(cnnc.__all__)
    for name in cnnc.__all__:
        assert getattr(cnnc, name) is not None
    with pytest.raises(AttributeError, match="module 'cnnc' has no attribute 'laod'"):
        cnnc.laod  # noqa: B018
