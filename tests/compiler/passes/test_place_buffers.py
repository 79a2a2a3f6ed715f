"""Placing buffers: never on top of one another, close to the least that is possible."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnc
from cnnc.compiler.lower import lower
from cnnc.compiler.passes.pipeline import compile_program
from cnnc.compiler.passes.place_buffers import (
    ALIGNMENT,
    Lifetime,
    lifetimes,
    live_peak,
    place,
)
from cnnc.compiler.program import Purpose

LENET = """
INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2) -> CONV(16, 5) -> TANH -> POOL(avg, 2)
-> FC(120) -> TANH -> FC(84) -> TANH -> FC(10)
"""
ALEXNET = """
INPUT(3x227x227) -> CONV(96, 11, stride=4) -> RELU -> POOL(3, stride=2)
-> CONV(256, 5, pad=2, groups=2) -> RELU -> POOL(3, stride=2) -> CONV(384, 3, pad=1) -> RELU
-> [CONV([384, 256], 3, pad=1, groups=2) -> RELU]*2 -> POOL(3, stride=2)
-> [FC(4096) -> RELU -> DROPOUT]*2 -> FC(1000)
"""
VGG = """
INPUT(3x224x224) -> for f, n in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
[ [CONV(f, 3, pad=1) -> RELU]*n -> POOL(2) ] -> [FC(4096) -> RELU -> DROPOUT]*2 -> FC(1000)
"""
SMALL = "INPUT(2x8x8) -> CENTER -> CONV(4, 3) -> SIGMOID -> POOL(2) -> FC(3) -> SOFTMAX"
NETS = {"lenet": LENET, "alexnet": ALEXNET, "vgg": VGG, "small": SMALL}
PURPOSES: tuple[Purpose, ...] = ("train", "gradients", "predict")

LIVES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(0, 30)), max_size=40
).map(
    lambda rows: [
        Lifetime(f"b{i}", size * ALIGNMENT, min(a, b), max(a, b))
        for i, (size, a, b) in enumerate(rows)
    ]
)


def overlap(one: Lifetime, other: Lifetime, offsets: dict[str, int]) -> bool:
    start, end = offsets[one.name], offsets[one.name] + one.bytes
    return start < offsets[other.name] + other.bytes and offsets[other.name] < end


@given(LIVES)
def test_no_two_that_are_alive_at_once_overlap(lives: list[Lifetime]) -> None:
    offsets, size = place(lives)
    assert offsets.keys() == {life.name for life in lives}
    for one, other in combinations(lives, 2):
        together = any(
            one.first <= step <= one.last and other.first <= step <= other.last
            for step in range(31)
        )
        assert together == one.meets(other)
        assert not (together and overlap(one, other, offsets))
    assert all(at >= 0 and at % ALIGNMENT == 0 for at in offsets.values())
    assert size == max((offsets[life.name] + life.bytes for life in lives), default=0)


@given(LIVES)
def test_live_peak_is_the_most_at_one_step(lives: list[Lifetime]) -> None:
    at_once = [sum(b.bytes for b in lives if b.first <= step <= b.last) for step in range(31)]
    assert live_peak(lives) == max(at_once)
    assert live_peak(lives) <= place(lives)[1] <= sum(b.bytes for b in lives)


@given(LIVES)
def test_the_order_in_which_they_are_given_changes_nothing(lives: list[Lifetime]) -> None:
    assert place(lives) == place(lives[::-1])


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("batch, parts", [(64, 1), (64, 4), (1, 1)])
def test_plans_of_nets_are_close_to_the_least(
    net: str, purpose: Purpose, batch: int, parts: int
) -> None:
    checked = cnnc.parse(NETS[net])
    lowered = lower(checked.checked.require(), purpose, checked.training, batch, parts)
    plan = compile_program(lowered).plan
    assert plan is not None
    # For one sample the work space of a convolution is what counts, and gaps are larger.
    most = 1.12 if batch == 1 else 1.03
    assert plan.live_peak <= plan.part_bytes <= most * plan.live_peak + 1024
    everything = sum(life.bytes for life in lifetimes(lowered, "part"))
    assert plan.part_bytes < (0.8 if purpose == "predict" else 0.95) * everything


def test_a_buffer_lives_from_its_first_touch_to_its_last() -> None:
    checked = cnnc.parse("INPUT(1x4x4) -> CONV(2, 3, pad=1) -> RELU -> FLATTEN -> FC(3)")
    lowered = lower(checked.checked.require(), "gradients", checked.training, 2)
    names = [f"{s.name} {s.op}" for s in lowered.steps]
    assert names == [
        "conv1 forward", "relu1 forward", "fc1 forward", "loss forward", "loss backward",
        "fc1 backward", "relu1 backward", "conv1 backward", "loss mean",
    ]  # fmt: skip
    lives = {b.name: (b.first, b.last) for b in lifetimes(lowered, "part")}
    assert lives["input1"] == (-1, 7)  # from the start, for CONV's backward reads it
    assert lives["conv1"] == (0, 1)
    assert lives["relu1"] == (1, 6)  # its view goes into FC, in both directions
    assert lives["fc1"] == (2, 9)  # a result: to the end
    assert lives["d(relu1)"] == (5, 6) if "d(relu1)" in lives else lives["d(flatten1)"] == (5, 6)
    assert lives["conv1.windows.forward"] == (0, 0)
    assert lives["conv1.windows.backward"] == (7, 7)
    assert "flatten1" not in lives and "d(input1)" not in lowered.buffers
