"""The arguments of a use: which value goes where, and what is wrong with it."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import error, errors, layers

HEAD = "param width = 4, small = 0\nINPUT(3x12x12) -> "


@pytest.mark.parametrize(
    ("use", "written"),
    [
        ("CONV(4)", "CONV(4)"),
        ("CONV(4, 5)", "CONV(4, 5)"),
        ("CONV(4, 5, 2)", "CONV(4, 5, stride=2)"),
        ("CONV(4, 5, 2, 1)", "CONV(4, 5, stride=2, pad=1)"),
        ("CONV(k=5, filters=4)", "CONV(4, 5)"),
        ("CONV(4, pad=same, k=5)", "CONV(4, 5, pad=same)"),
        ("CONV(width + 1, 5)", "CONV(5, 5)"),
        ("CONV(4, 1x3)", "CONV(4, 1x3)"),
        ("CONV(4, (1, 3))", "CONV(4, 1x3)"),
        # a bare word goes to the argument that takes it, wherever it stands
        ("CONV(4, 5, same)", "CONV(4, 5, pad=same)"),
        ("CONV(same, 4, 5)", "CONV(4, 5, pad=same)"),
        ("CONV(4, zero, 5)", "CONV(4, 5, init=zero)"),
        ("CONV(4, normal(0.1), 5)", "CONV(4, 5, init=normal(0.1))"),
        ("POOL(avg, 3)", "POOL(3, mode=avg)"),
        ("POOL(3, avg)", "POOL(3, mode=avg)"),
        ("POOL(3, 2, avg, 1)", "POOL(3, stride=2, pad=1, mode=avg)"),
        ("POOL(3, 2, 1, ceil=true)", "POOL(3, stride=2, pad=1, ceil=true)"),
        ("POOL", "POOL"),
        ("POOL()", "POOL"),
        ("DROPOUT(0.25)", "DROPOUT(0.25)"),
        ("TANH(scale=1.7159, slope=2/3)", "TANH(scale=1.7159, slope=0.6666666666666666)"),
        ("TANH(2)", "TANH(scale=2)"),
    ],
)
def test_values_find_their_arguments(use: str, written: str) -> None:
    assert layers(HEAD + use) == [written]


def test_a_word_wins_over_a_name() -> None:
    text = "param same = 3, avg = 2\nINPUT(3x12x12) -> CONV(4, pad=same) -> POOL(avg, k=avg)"
    assert layers(text) == ["CONV(4, pad=same)", "POOL(2, mode=avg)"]


def test_a_knob_can_hold_a_word_as_a_text() -> None:
    text = "param padding = 'same'\nINPUT(3x12x12) -> CONV(4, pad=padding)"
    assert layers(text) == ['CONV(4, pad="same")']
    assert layers(text, {"padding": "2"}) == ["CONV(4, pad=2)"]
    assert errors(text, {"padding": "'smae'"}) == ["E403 padding"]


@pytest.mark.parametrize(
    ("use", "found"),
    [
        # E402: no such argument
        ("CONV(4, strid=2)", "E402 strid"),
        ("CONV(4, Stride=2)", "E402 Stride"),
        ("POOL(2, filters=3)", "E402 filters"),
        ("AVGPOOL(2, mode=max)", "E402 mode"),
        ("RELU(slope=1)", "E402 slope"),
        # E404: too many
        ("RELU(1)", "E404 1"),
        ("FLATTEN(avg)", "E404 avg"),
        ("DROPOUT(0.5, 1)", "E404 1"),
        ("POOL(max, 2, 2, 0, false, true, 9)", "E404 9"),
        ("ID(1)", "E404 1"),
        # E405: twice
        ("CONV(4, filters=4)", "E405 filters"),
        ("CONV(4, k=3, k=3)", "E405 k"),
        ("CONV(4, same, pad=1)", "E405 pad"),
        ("POOL(avg, mode=max)", "E405 mode"),
        ("POOL(avg, avg, 3)", "E405 avg"),
        ("POOL(max, 3, avg, 2)", "E405 avg"),
        # E403: of the wrong kind, or out of range
        ("CONV(0)", "E403 0"),
        ("CONV(4.0)", "E403 4.0"),
        ("CONV(8 / 2)", "E403 8 / 2"),
        ("CONV(true)", "E403 true"),
        ("CONV('4')", "E403 '4'"),
        ("CONV((4, 4))", "E403 (4, 4)"),
        ("CONV(4, 0x3)", "E403 0x3"),
        ("CONV(4, 3x3x3)", "E403 3x3x3"),
        ("CONV(4, stride=0)", "E403 0"),
        ("CONV(4, pad=-1)", "E403 -1"),
        ("CONV(4, pad=(1, 2, 3))", "E403 (1, 2, 3)"),
        ("CONV(4, bias=1)", "E403 1"),
        ("CONV(small)", "E403 small"),
        ("CONV(4, lr=-0.1)", "E403 -0.1"),
        ("DROPOUT(1)", "E403 1"),
        ("DROPOUT(-0.5)", "E403 -0.5"),
        ("POOL(3, pad=same)", "E203 same"),
        ("POOL(3, mode=3)", "E403 3"),
        ("CONV(4, init=3)", "E403 3"),
        ("TANH(scale=0)", "E403 TANH(scale=0)"),
        # E203, E208: names and words that nothing knows
        ("CONV(widht)", "E203 widht"),
        ("CONV(4, pad=smae)", "E203 smae"),
        ("POOL(agv, 3)", "E203 agv"),
        ("CONV(4, init=hee)", "E203 hee"),
        ("CONV(4, init=nromal(0.1))", "E208 nromal"),
        # E201: layers
        ("CONVV(4)", "E201 CONVV"),
        ("conv(4)", "E201 conv"),
        ("relu", "E201 relu"),
        ("id", "E201 id"),
    ],
)
def test_one_wrong_argument_is_one_error(use: str, found: str) -> None:
    assert errors(HEAD + use) == [found]
    assert errors(f"{HEAD}[{use} -> RELU]*3 -> CONV(4, 99) :: 7\nexpect params == 1") == [found]


def test_every_wrong_argument_of_a_use_is_reported() -> None:
    use = "CONV(0, 3, speed=1, stride=0, pad=nope, pad=2)"
    assert errors(HEAD + use) == ["E403 0", "E402 speed", "E403 0", "E203 nope", "E405 pad"]


def test_a_missing_argument_is_reported_beside_a_wrong_one() -> None:
    assert errors(HEAD + "CONV(k=0)") == ["E401 CONV(k=0)", "E403 0"]


@pytest.mark.parametrize(
    ("use", "message", "help"),
    [
        ("CONV(4, strid=2)", "CONV has no argument strid", "did you mean stride?"),
        ("CONV(4, padding=2)", "CONV has no argument padding",
         "padding is called pad here: pad=2"),
        ("RELU(1)", "RELU has no place for this argument",
         "write RELU alone: it takes no arguments"),
        ("CONV(0)", "CONV's filters takes an integer of at least 1, not 0", ""),
        ("CONV(4.0)", "CONV's filters takes an integer of at least 1, not 4.0", "write 4, or use"),
        ("CONV(4.5)", "CONV's filters takes an integer of at least 1, not 4.5", ""),
        ("CONV(4, pad=smae)", "nothing is called smae here", "did you mean same?"),
        ("CONV(widht)", "nothing is called widht here", "did you mean width?"),
        ("CONV(zzz)", "nothing is called zzz here", "declare it: `param zzz = …` for a knob"),
        ("CONVV(4)", "there is no layer CONVV", "did you mean CONV?"),
        ("conv(4)", "there is no layer conv",
         "layers are written in upper case: CONV(4)"),
        ("id", "there is no layer id", "layers are written in upper case: ID"),
        ("ZZZ(4)", "there is no layer ZZZ", "there are INPUT, "),
    ],
)  # fmt: skip
def test_messages(use: str, message: str, help: str) -> None:
    found = error(HEAD + use)
    assert found.message == message
    assert help in "\n".join(found.help)


def test_arguments_too_many_are_reported_once() -> None:
    assert errors(HEAD + "RELU(1, 2, 3, slope=4)") == ["E404 1", "E402 slope"]
    found = error("INPUT(3, 32, 32) -> RELU")
    assert (found.code, found.span and found.span.begin) == ("E404", (1, 10))
    assert "write the shape as one value: INPUT(3x32x32)" in found.help
