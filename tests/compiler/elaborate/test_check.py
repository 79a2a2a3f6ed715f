"""The way through all checks: what is reported beside what, and what is left of a file."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, error, errors, net

from cnnc.dsl.diagnostics import SpecError

# -- beside syntax errors -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # names of layers, and values on other lines
        ("INPUT(3x8x8) -> CONVV(4) -> FC(3", ["E201 CONVV", "E128 "]),
        ("INPUT(3x8x8)\n-> CONV(0) -> FC(3, speed=2)\n-> FC(3", ["E403 0", "E402 speed", "E128 "]),
        ("INPUT(3x8x8)\n-> FC(3, 3, units=4)\n-> FC(3", ["E403 3", "E405 units", "E128 "]),
        ("net 3\nINPUT(3x8x8) -> RELU(1)", ["E124 3", "E404 1"]),
        ("train { lr 0 }\ndefault FC(0)", ["E118 0", "E403 0"]),
        ("train { lr = 0\n batch 3 }", ["E403 0", "E118 3"]),
        # values on the same line may be wrong because of what was mended
        ("INPUT(3x8x8) -> CONV(4, pad=\"2)", ['E105 "2']),
        ("INPUT(3x8x8) -> POOL(avg 2)", ["E118 2"]),
        ("INPUT(3x8x8) -> FC(4 - * 3, speed=4)", ["E125 *"]),
        ("train { optimizer = sgd(momentum=-1 x\n=3) }", ["E120 x"]),
        # shapes, names of values and what is missing hang on what could not be read
        ("INPUT(3x8x8) -> POOL(9) -> -> FC(3) :: 4", ["E110 ->"]),
        ("let a =\nnet B\nINPUT(3x8x8) -> FC(a)*N -> CONV", ["E119 ="]),
        ("param N 2\nINPUT(3x8x8) -> FC(3)*N\nexpect params == 1", ["E118 2"]),
        ("INPUT(4) -> for train in [1, 2] [FC(units)]", ["E115 train"]),
        ("let a = ; 3\nINPUT(4) -> FC(a) -> FC(b) -> c", ["E104 ;"]),
        # a block whose formals may not be those that are meant is not judged in its uses
        ("block b(x, y=) = FC(x)\nINPUT(4)\n-> b(3, 4) -> b(z=3)", ["E119 ="]),
        ("block b(x) =\n FC(x,, 3)\nINPUT(4)\n-> b(3, 4)", ["E404 4", "E120 ,"]),
    ],
)  # fmt: skip
def test_what_is_reported_beside_syntax_errors(text: str, found: list[str]) -> None:
    assert sorted(errors(text)) == sorted(found)


def test_a_file_with_syntax_errors_has_no_net_and_keeps_its_name_and_knobs() -> None:
    result = checked("net A\nparam N = 2\nINPUT(3x8x8) => RELU*N", {"N": 3, "Z": 1})
    assert (result.ok, result.net, result.training) == (False, None, None)
    assert (result.name, dict(result.knobs)) == ("A", {"N": 2})


# -- chains ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n\n", "# only a comment\n"])
def test_an_empty_file(text: str) -> None:
    assert errors(text) == ["E111 "]


def test_a_file_without_a_chain_is_a_library() -> None:
    result = checked("let a = 3\ndefault CONV(a)\nparam b = a\n")
    assert result.ok and result.net is None and result.training is not None
    assert errors("let a = 3\ndefault CONV(-a)\ntrain { lr = 0 }") == ["E403 -a", "E403 0"]
    with pytest.raises(SpecError) as caught:
        result.require()
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E112", "a.cnn has no chain, so there is no net in it")


def test_each_further_chain_is_reported() -> None:
    text = "INPUT(3x8x8) -> RELU\nlet a = 1\nRELU\nlet b = 2\n[RELU -> FOO]*2\n"
    assert errors(text) == ["E110 RELU", "E110 [RELU -> FOO]*2"]


@pytest.mark.parametrize(
    ("text", "found", "help"),
    [
        ("INPUT(3x8x8) -> RELU\nPOOL(2) -> FC(3)", "E108 POOL(2)", "write `RELU -> POOL(2)`"),
        ("INPUT(3x8x8) RELU -> FC(3)", "E108 RELU", "write `INPUT(3x8x8) -> RELU`"),
        ("INPUT(3x8x8) -> [RELU]x3 -> FC(3)", "E114 x3", "write `[RELU]*3`"),
        ("INPUT(3x8x8) -> RELU stem -> ADD{ ID | @stem } -> FC(3)", "E108 stem",
         "write `RELU as stem` to name the output"),
        ("block b() = RELU\nINPUT(3x8x8) -> TANH b -> FC(3)", "E108 b", "write `TANH -> b`"),
        ("block b() = RELU\nTANH\nINPUT(3x8x8) -> b -> FC(3)", "E108 TANH",
         "write `RELU -> TANH`"),
    ],
)  # fmt: skip
def test_chains_side_by_side_are_one(text: str, found: str, help: str) -> None:
    """What comes after the missing sign is checked as if it stood there."""
    assert errors(text) == [found]
    assert error(text).help[0] == help
    assert [d.code for d in checked(f"{text} :: 4").diagnostics] == [found[:4], "E304"]


def test_the_chain_that_begins_with_input_is_the_net() -> None:
    """An arrow is missing in a block, and what follows is read as the first chain."""
    text = "block b(f) =\n  CONV(f, 3)\n  RELU\nINPUT(3x8x8) -> b(4) -> FC(3)"
    (found,) = checked(text).diagnostics
    assert (found.code, found.span and found.span.text) == ("E108", "RELU")


def test_a_name_that_is_given_twice_is_one_mistake() -> None:
    text = "INPUT(3x8x8) -> RELU as a -> POOL(2) as a -> CONCAT{ ID | @a -> POOL(4) } -> FC(3)"
    assert errors(text) == ["E216 a"]


@pytest.mark.parametrize(
    "text",
    [
        "INPUT(3x8x8) -> RELU", "INPUT(3x8x8)", "[INPUT(3x8x8)] -> RELU",
        "[INPUT(3x8x8) -> RELU]*1", "INPUT(3x8x8)*1 -> RELU", "INPUT(3x8x8)?(true) -> RELU",
        "INPUT? -> RELU\ndefault INPUT(3x8x8)", "INPUT(3x8x8) :: 3x8x8 -> RELU",
        "for s in [3x8x8] [INPUT(s) -> RELU]",
    ],
)  # fmt: skip
def test_input_heads_the_net_however_it_is_wrapped(text: str) -> None:
    assert [layer.name for layer in net(text).layers][:1] == ["input1"]


@pytest.mark.parametrize(
    "text",
    ["INPUT(3x8x8)?(false) -> RELU", "INPUT(3x8x8)*0 -> RELU", "[INPUT(3x8x8) -> RELU]*0",
     "for s in [] [INPUT(s)] -> RELU"],
)  # fmt: skip
def test_an_input_that_is_left_out(text: str) -> None:
    assert [code.split()[0] for code in errors(text)] == ["E213"]


@pytest.mark.parametrize("word", ["INPT", "INPUTT", "Input", "input", "IPUT"])
def test_a_misspelt_input_is_no_missing_one(word: str) -> None:
    for text in (f"{word}(3x8x8) -> RELU", f"[{word} -> RELU]*2 -> CONV(4, 99) :: 7"):
        assert errors(text) == [f"E201 {word}"]


# -- the train block ------------------------------------------------------------------


def test_the_train_block_is_read_with_its_defaults() -> None:
    training = checked("let b = 8\nINPUT(4) -> FC(2)\ntrain { batch = 2 * b, lr = 0.5 }").training
    assert training is not None
    assert (training.batch, training.lr, training.epochs, training.seed) == (16, 0.5, 10, 0)
    plain = checked("INPUT(4) -> FC(2)").training
    assert plain is not None and (plain.batch, plain.lr) == (64, 0.01)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("batch = 0", "E403 0"),
        ("batch = 1.5", "E403 1.5"),
        ("lr = 0", "E403 0"),
        ("epochs = true", "E403 true"),
        ("speed = 3", "E402 speed"),
        ("lr = 0.1  lr = 0.2", "E405 lr"),
        ("lr = nope", "E203 nope"),
        ("optimizer = adm", "E203 adm"),
        ("optimizer = adm(beta1=0.9)", "E208 adm"),
        ("schedule = 3", "E403 3"),
        ("augment = [crop(2), nope]", "E203 nope"),
        ("loss = crossentropy", "E203 crossentropy"),
    ],
)
def test_settings_that_are_wrong(settings: str, found: str) -> None:
    assert errors(f"INPUT(4) -> FC(2)\ntrain {{ {settings} }}") == [found]


def test_a_wrong_setting_is_reported_beside_a_wrong_net() -> None:
    assert errors("train { lr = 0 }\nINPUT(1x4x4) -> POOL(9)") == ["E403 0", "E301 POOL(9)"]


# -- everything at once ---------------------------------------------------------------


def test_mistakes_of_all_kinds_are_reported_in_the_order_of_the_text() -> None:
    text = """net A
net B
param N = 4 in [1, 2], a = 1, a = 2
let b = 1 // 0
default FC(0)
INPUT(3x8x8)
-> CONV(4, 3, groups=2)
-> NOPE
-> POOL(3, strid=2)
-> FC(nope)
-> RELU?(3)
-> [RELU]*1.5
train { lr = 0 }
expect parms < 3
"""
    found = checked(text).diagnostics
    assert [(d.code, d.span.begin.line) for d in found if d.span] == [
        ("E209", 2), ("E205", 3), ("E209", 3), ("E406", 4), ("E403", 5), ("E303", 7), ("E201", 8),
        ("E402", 9), ("E203", 10), ("E407", 11), ("E408", 12), ("E403", 13), ("E502", 14),
    ]  # fmt: skip


def test_a_note_is_no_error() -> None:
    result = checked("INPUT(1x9x9) -> POOL(2)")
    assert [(d.code, d.severity) for d in result.diagnostics] == [("W601", "note")]
    assert result.ok and result.net is not None and result.require() is result.net
