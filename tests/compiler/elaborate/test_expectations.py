"""`expect`: every quantity that can be expected, and what a failed expectation says."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, error, errors

LENET = """
INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2)
-> CONV(16, 5) -> TANH -> POOL(avg, 2) -> FC(120) -> TANH -> FC(84) -> TANH -> FC(10)
"""
SMALL = "param N = 2\nlet classes = 3\nINPUT(1x4x4) -> CONV(2, 3) -> RELU -> FC(3, freeze=true)\n"


@pytest.mark.parametrize(
    "condition",
    [
        "params == 61_706",
        "main == 61_706",
        "trainable == 61_706",
        "macs == 117_600 + 240_000 + 48_000 + 10_080 + 840",
        "output == 10",
        "10 == output",
        "output == (10,)",
        "depth == 5",
        "layers == 12",
        "receptive_field == 28x28",
        "receptive_field >= 28",
        "receptive_field <= 28x29",
        "not receptive_field < 28x29",
        "60k <= params < 62k",
        "params < macs and depth < layers",
        "params == 1 or output == 10",
        "max([params, macs]) == macs",
    ],
)
def test_what_holds(condition: str) -> None:
    assert errors(f"{LENET}expect {condition}") == []


@pytest.mark.parametrize(
    ("condition", "actual"),
    [
        ("params < 61_706", "params is 61,706"),
        ("main > 61_706", "main is 61,706"),
        ("trainable != 61_706", "trainable is 61,706"),
        ("macs <= 416_519", "macs is 416,520"),
        ("output == 11", "output is 10"),
        ("output == 10x1x1", "output is 10"),
        ("depth == 12", "depth is 5"),
        ("layers == 5", "layers is 12"),
        ("receptive_field == 32x32", "receptive_field is 28x28"),
        ("receptive_field > 28x27", "receptive_field is 28x28"),
        ("params == 61_706 and output == 11", "params is 61,706 and output is 10"),
        ("params < 3 and output == 11", "params is 61,706"),  # the rest was not asked
        ("false", "it is false"),
    ],
)
def test_a_failed_one_shows_what_is(condition: str, actual: str) -> None:
    found = error(f"{LENET}expect {condition}")
    assert (found.code, found.span and found.span.text) == ("E501", condition)
    assert found.message == f"expected {condition}, but {actual}"


def test_memory_is_what_training_takes() -> None:
    """One FC of 4 inputs: by hand, in bytes of float32.

    Weights 2*4 + 2 = 10, as many gradients and velocities of sgd with momentum; and what a
    batch of 8 keeps alive is at least its output and the gradient of that.
    """
    text = "INPUT(4) -> FC(2)\n"
    kept = 4 * 3 * 10
    assert errors(f"{text}expect memory(batch=8) >= {kept + 4 * 8 * 2 * 2}") == []
    assert errors(f"{text}expect memory(8) == memory(batch=8)") == []
    assert errors(f"{text}expect memory(batch=8) < memory(batch=9)") == []
    assert errors(f"{text}expect memory() == memory(64)") == []
    assert errors(f"{text}train {{ batch = 5 }} expect memory() == memory(5)") == []
    plain = f"{text}train {{ optimizer = sgd }}\n"
    measured = error(f"{text}expect memory(8) == 0").message
    assert f"{int(measured.split()[-2].replace(',', '')) - 4 * 10:,} bytes" in (
        error(f"{plain}expect memory(8) == 0").message
    )


def test_a_failed_one_names_the_layers_that_have_most() -> None:
    (note,) = error(f"{LENET}expect params < 50k").notes
    assert note == "most params: fc1 48,120 (78 %), fc2 10,164 (16 %), conv2 2,416 (4 %)"
    (note,) = error(f"{LENET}expect macs < 300k").notes
    assert note == "most macs: conv2 240,000 (58 %), conv1 117,600 (28 %), fc1 48,000 (12 %)"
    assert error(f"{LENET}expect depth < 3").notes == ()


def test_layers_that_have_none_are_not_named() -> None:
    found = error(f"{SMALL}expect trainable == params")
    assert found.message.endswith("but trainable is 20 and params is 47")
    assert found.notes == (
        "actual: trainable is 20",
        "actual: params is 47",
        "most trainable: conv1 20 (100 %)",
        "most params: fc1 27 (57 %), conv1 20 (43 %)",
    )
    assert error("INPUT(4) -> RELU expect params > 0").notes == ()


def test_memory_names_the_layers_with_large_outputs_or_weights() -> None:
    found = error("INPUT(1x4x4) -> CONV(2, 3, pad=1) -> FC(3) expect memory(batch=2) < 3")
    assert " is " in found.message and found.message.endswith(" bytes")
    conv, fc, data = 4 * (20 + 2 * 32), 4 * (99 + 2 * 3), 4 * 2 * 16
    whole = conv + fc + data
    assert found.notes == (
        f"most bytes of weights and outputs: fc1 {fc} ({100 * fc / whole:.0f} %),"
        f" conv1 {conv} ({100 * conv / whole:.0f} %), input1 {data} ({100 * data / whole:.0f} %)",
    )


def test_knobs_and_lets_are_known_and_shown() -> None:
    assert errors(f"{SMALL}expect N == 2 and output == classes") == []
    assert error(f"{SMALL}expect output == classes + N").message == (
        "expected output == classes + N, but output is 3 and classes is 3 and N is 2"
    )


def test_a_condition_over_several_lines_is_one_line_in_the_message() -> None:
    found = error(f"{SMALL}expect output ==\n     4")
    assert found.message == "expected output == 4, but output is 3"


@pytest.mark.parametrize(
    ("condition", "code", "place", "help"),
    [
        ("parms < 3", "E502", "parms", "did you mean params?"),
        ("Params < 3", "E502", "Params", "did you mean params?"),
        ("conv1 < 3", "E502", "conv1", "there are params, main,"),
        ("memory < 3", "E502", "memory", "write memory(batch=64)"),
        ("params", "E502", "params", "compare it: expect params <= …"),
        ("output", "E502", "output", "compare it"),
        ("zzz(params) < 3", "E208", "zzz", "there are range, zip"),
        ("memory(size=3) < 3", "E402", "size=3", ""),
        ("memory(1, 2) < 3", "E402", "1", ""),
        ("memory(batch=0) < 3", "E403", "memory(batch=0)", ""),
        ("memory(batch=1.5) < 3", "E403", "memory(batch=1.5)", ""),
        ("memory(batch=true) < 3", "E403", "memory(batch=true)", ""),
        ('params < "3"', "E406", 'params < "3"', ""),
        ("output < 3x3x3", "E406", "output < 3x3x3", ""),
        ("not params", "E407", "params", ""),
        ("params and true", "E407", "params", ""),
    ],
)
def test_conditions_that_are_none(condition: str, code: str, place: str, help: str) -> None:
    found = error(f"{SMALL}expect {condition}")
    assert (found.code, found.span and found.span.text) == (code, place)
    assert help in "\n".join(found.help)


def test_a_vector_has_no_receptive_field() -> None:
    text = "INPUT(4) -> FC(2)\nexpect receptive_field"
    assert error(f"{text} == 1x1").message.endswith("but receptive_field is none")
    assert errors(f"{text} < 3x3") == ["E406 receptive_field < 3x3"]


def test_without_a_net_only_the_conditions_themselves_are_judged() -> None:
    text = "INPUT(1x4x4) -> POOL(5)\nexpect params == 1\nexpect parms == 1\nexpect memory(0) < 1"
    assert errors(text) == ["E301 POOL(5)", "E502 parms", "E403 memory(0)"]
    assert errors("let a = 1\nexpect params == 1") == []  # a library: no net to judge


def test_every_expectation_is_judged_and_those_of_unknown_knobs_are_not() -> None:
    text = f"{SMALL}expect output == 4\nexpect layers == 4\nexpect params == 4"
    assert errors(text) == ["E501 output == 4", "E501 params == 4"]
    assert errors("INPUT(3x8x8) -> RELU*Q\nexpect layers == Q") == ["E204 Q"]


def test_a_failed_one_leaves_no_net() -> None:
    assert checked(f"{SMALL}expect output == 3").net is not None
    assert checked(f"{SMALL}expect output == 4").net is None


def test_main_leaves_side_exits_out() -> None:
    text = "INPUT(4) -> FC(6) -> RELU -> AUX{ FC(3) } -> FC(3)\nexpect "
    main, side = (4 * 6 + 6) + (6 * 3 + 3), 6 * 3 + 3
    assert errors(f"{text}main == {main} and params == {main + side}") == []
    assert errors(f"{text}macs == 4 * 6 + 6 * 3 and depth == 2 and layers == 5") == []
    (note,) = error(f"{text}main == 1").notes
    assert note == "most main: fc1 30 (59 %), fc3 21 (41 %)"
