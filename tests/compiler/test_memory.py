"""What `memory(batch=…)` and `.memory` count, against a calculation by hand."""

from __future__ import annotations

import pytest

import cnnc
from cnnc.compiler.memory import memory, memory_of

# All sizes are whole lines of 64 bytes for a batch of 16, so that rounding adds nothing.
TEXT = "INPUT(1x4x4) -> CONV(2, 3, pad=1) -> RELU -> FC(4)"
FLOAT = 4
WEIGHTS = (2 * 9 + 2 + 4 * 32 + 4) * FLOAT
BATCH = 16
INPUT, CONV, FC = (n * BATCH * FLOAT for n in (16, 32, 4))


def counted(optimizer: str, shards: int = 1) -> cnnc.runtime.compiled.Memory:  # type: ignore[name-defined]
    return cnnc.parse(TEXT).compile(batch=BATCH, optimizer=optimizer, shards=shards).memory


@pytest.mark.parametrize("optimizer, arrays", [("sgd", 0), ("sgd(momentum=0.9)", 1), ("adam", 2)])
def test_weights_gradients_and_state(optimizer: str, arrays: int) -> None:
    found = counted(optimizer)
    assert (found.weights, found.gradients, found.optimizer) == (WEIGHTS, WEIGHTS, arrays * WEIGHTS)
    assert found.total == (
        (2 + arrays) * WEIGHTS + found.activations + found.workspace
    )  # fmt: skip


def test_activations_are_those_of_the_fullest_step() -> None:
    """That of RELU's backward: the data, relu1, its gradient, that of conv1, scores and loss.

    In FC's backward stand conv1's place d(fc1) and the target's; in the loss the log and the
    wanted probabilities are saved, which is less.
    """
    found = counted("sgd")
    loss = 64  # one number
    relu_backward = INPUT + 3 * CONV + FC + loss
    assert found.activations == relu_backward


def test_statistics_count_as_weights_and_frozen_layers_have_no_gradients() -> None:
    text = TEXT.replace("CONV", "CENTER(pixel) -> CONV").replace("pad=1", "pad=1, freeze=true")
    found = cnnc.parse(text).compile(batch=BATCH, optimizer="adam").memory
    trained = (4 * 32 + 4) * FLOAT
    assert found.weights == WEIGHTS + 16 * FLOAT
    assert (found.gradients, found.optimizer) == (trained, 2 * trained)


def test_expect_memory_is_one_part_in_float32_without_work_space() -> None:
    net = cnnc.parse(TEXT)
    found = net.compile(batch=BATCH, shards=1).memory  # SGD with momentum, as a spec without train
    assert memory(net.checked.require(), net.training, BATCH) == found.total - found.workspace
    assert cnnc.parse(f"{TEXT}\nexpect memory(batch={BATCH}) == {found.total - found.workspace}")


def test_prediction_needs_less() -> None:
    program = cnnc.parse(TEXT).compile(batch=BATCH, shards=1)
    needs = memory_of(program.program("predict"))
    assert needs.gradients == needs.optimizer == 0
    assert needs.activations == 2 * CONV < program.memory.activations


def test_float64_is_twice_as_much_and_parts_add_up() -> None:
    net = cnnc.parse(TEXT)
    single = net.compile(batch=BATCH, shards=1).memory
    double = net.compile(batch=BATCH, shards=1, dtype="float64").memory
    assert double.weights == 2 * single.weights
    assert 1.9 * single.activations < double.activations <= 2 * single.activations
    parts = net.compile(batch=BATCH, shards=4).memory
    assert parts.weights == single.weights
    assert single.activations < parts.activations < 2 * single.activations


def test_the_arenas_are_what_is_planned() -> None:
    program = cnnc.parse(TEXT).compile(batch=BATCH, shards=2)
    plan = program.program("train").plan
    assert plan is not None
    assert plan.part_bytes * 2 + plan.joint_bytes == (
        program.memory.activations + program.memory.workspace
    )  # fmt: skip
