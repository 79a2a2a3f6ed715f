"""`as` names and `@` taps: how layers are called, what a tap reaches, what it does not."""

from __future__ import annotations

import pytest

import cnnc


def names(text: str) -> list[str]:
    return [layer.name for layer in cnnc.parse(text).layers[1:]]


def inputs(text: str, name: str) -> tuple[str, ...]:
    return next(layer.inputs for layer in cnnc.parse(text).layers if layer.name == name)


def codes(text: str) -> list[str]:
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(text)
    return [d.code for d in raised.value.diagnostics]


@pytest.mark.parametrize(
    "chain, expected",
    [
        ("CONV(2, 1) -> CONV(2, 1) as a -> CONV(2, 1)", ["conv1", "a", "conv3"]),
        ("MAXPOOL(1) -> AVGPOOL(1) -> POOL(1)", ["pool1", "pool2", "pool3"]),
        ("[RELU as r]*3 -> RELU", ["r.1", "r.2", "r.3", "relu4"]),
        ("[RELU as r]*1", ["r.1"]),
        ("for f in [2, 3] [ CONV(f, 1) as c -> [RELU as r]*2 ]",
         ["c.1", "r.1", "r.2", "c.2", "r.3", "r.4"]),
        ("ADD{ RELU | ID } as sum -> CONCAT{ ID | ID }", ["relu1", "sum", "concat1"]),
        ("[CONV(2, 1) -> RELU] as g -> RELU", ["conv1", "relu1", "relu2"]),
        ("RELU? as r -> RELU as s?", ["r", "s"]),
        ("RELU :: 3x6x6 as r", ["r"]),
        ("RELU as conv1 -> RELU", ["conv1", "relu2"]),
        ("RELU as r.2 -> RELU as r.1", ["r.2", "r.1"]),
    ],
)  # fmt: skip
def test_names(chain: str, expected: list[str]) -> None:
    assert names(f"INPUT(3x6x6) -> {chain}") == expected


def test_names_in_blocks_are_numbered_where_the_block_stands_twice() -> None:
    once = "block b() = RELU as r -> CONV(3, 1)\nINPUT(3x6x6) -> b()"
    assert names(once) == ["r", "conv1"]
    assert names(once + " -> b()") == ["r.1", "conv1", "r.2", "conv2"]
    inner = "block a() = RELU as r\nblock b() = a()\nINPUT(3x6x6) -> b() -> b()"
    assert names(inner) == ["r.1", "r.2"]
    two = "block a() = RELU as r\nblock b() = RELU as r\nINPUT(3x6x6) -> a() -> b() -> RELU as s"
    assert names(two) == ["r.1", "r.2", "s"]


@pytest.mark.parametrize(
    "chain, name, expected",
    [
        ("RELU as a -> TANH -> ADD{ ID | @a }", "add1", ("tanh1", "a")),
        ("[RELU as a]*3 -> TANH -> ADD{ @a | @a.1 }", "add1", ("a.3", "a.1")),
        ("[RELU as a -> TANH -> ADD{ ID | @a }]*2", "add2", ("tanh2", "a.2")),
        ("[RELU -> TANH] as a -> RELU -> ADD{ ID | @a }", "add1", ("relu2", "tanh1")),
        ("RELU? as a -> ADD{ @a -> RELU | ID }", "add1", ("relu2", "a")),
        ("ADD{ RELU as a | TANH } -> ADD{ ID | @a }", "add2", ("add1", "a")),
        ("ADD{ RELU as a | @a -> TANH }", "add1", ("a", "tanh1")),
        ("ID as a -> RELU -> ADD{ ID | @a }", "add1", ("relu1", "input1")),
        ("RELU as a -> ADD{ [[@a as b]] -> TANH | @b }", "add1", ("tanh1", "a")),
    ],
)
def test_what_a_tap_reaches(chain: str, name: str, expected: tuple[str, ...]) -> None:
    assert inputs(f"INPUT(3x6x6) -> {chain}", name) == expected


def test_a_block_sees_its_own_names_then_those_around_it() -> None:
    text = (
        "block b() = TANH as a -> RELU -> ADD{ ID | @a | @out }\n"
        "INPUT(3x6x6) -> RELU as a -> SIGMOID as out -> b() -> ADD{ ID | @a }"
    )
    assert inputs(text, "add1") == ("relu2", "a.2", "out")
    assert inputs(text, "add2") == ("add1", "a.1")
    hidden = "block b() = TANH as t\nINPUT(3x6x6) -> b() -> ADD{ ID | @t }"
    assert codes(hidden) == ["E215"]


def test_a_tap_may_be_an_argument_of_a_block() -> None:
    text = (
        "block up(skip, f) = CONV(f, 1) -> CONCAT{ ID | @skip }\n"
        "INPUT(3x6x6) -> RELU as a -> TANH as b -> up(@a, 2) -> up(@b, 4)"
    )
    assert inputs(text, "concat1") == ("conv1", "a")
    assert inputs(text, "concat2") == ("conv2", "b")


@pytest.mark.parametrize(
    "chain, expected",
    [
        ("RELU as a -> TANH as a", ["E216"]),
        ("RELU as conv1 -> CONV(2, 1)", ["E216"]),
        ("[RELU as a.1]*2", ["E216"]),
        ("ADD{ ID | @a } -> RELU as a", ["E215"]),
        ("RELU?(false) as a -> ADD{ ID | @b }", ["E215"]),
        ("[RELU as a]*0 -> ADD{ ID | @a }", ["E215"]),
        ("RELU as a -> TANH -> @a", ["E217"]),
        ("RELU as a -> [@a -> TANH]*2", ["E217"]),
        ("AUX{ RELU as a -> FC(2) } -> ADD{ ID | @a } -> FC(2)", ["E217"]),
        ("POOL(9) as a -> ADD{ ID | @a } -> UNPOOL(@a)", ["E301"]),
    ],
)
def test_mistakes(chain: str, expected: list[str]) -> None:
    assert codes(f"INPUT(3x6x6) -> {chain}") == expected


def test_a_tap_at_the_very_front() -> None:
    assert codes("@a -> RELU") == ["E217", "E213"]


@pytest.mark.parametrize(
    "text",
    [
        "INPUT(3x6x6) -> [CONV(3, 1) as c -> ADD{ ID | @c -> RELU }]*2 -> ADD{ @c.1 | @c }",
        "block b(f) = ADD{ CONV(f, 1) as c | @s } -> RELU as out\n"
        "INPUT(3x6x6) -> [ID -> CONV(4, 1)] as s -> b(4) -> b(4) as last -> CONCAT{ @s | @last }"
        " -> AUX(0.5){ FC(2) as side } -> POOL?(false) as p -> CONCAT{ @p | ID } -> FC(2)",
        "net n\nINPUT(4x8x8) -> CENTER -> POOL(2) as p -> [TANH as t]*2 -> UNPOOL(@p)"
        ' -> CONV(4, 3, share="w") -> CONV(4, 3, share="w") -> MUL{ ID | POOL(avg, 4) } as m',
    ],
)
def test_the_expanded_text_is_a_spec_of_the_same_net(text: str) -> None:
    net = cnnc.parse(text).checked.require()
    again = cnnc.parse(net.text).checked.require()
    assert str(again) == str(net)
    assert again.text == net.text
    assert [(e.layer.name, e.weight) for e in again.aux] == [
        (e.layer.name, e.weight) for e in net.aux
    ]
    assert list(again.weights) == list(net.weights)
