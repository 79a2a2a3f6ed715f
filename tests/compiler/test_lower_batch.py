"""Which steps a layer with statistics over the batch becomes, and where parts meet."""

from __future__ import annotations

import pytest

import cnnc
from cnnc.compiler.lower import lower
from cnnc.compiler.passes.pipeline import compile_program
from cnnc.compiler.program import Program, Purpose

FORWARD = ["partial", "combine", "finish"]
TRACKED = ["partial", "combine", "track", "finish"]
BACKWARD = ["backward_partial", "backward_combine", "backward_finish"]


def program(chain: str, purpose: Purpose, parts: int) -> Program:
    net = cnnc.parse(f"INPUT(2x6x6) -> {chain} -> FC(3)")
    return compile_program(lower(net.checked.require(), purpose, net.training, 8, parts))


def ops(found: Program, name: str = "bn1") -> list[str]:
    return [step.op for step in found.steps if step.name == name]


@pytest.mark.parametrize(
    "purpose, parts, expected",
    [
        ("predict", 1, ["forward"]),
        ("predict", 4, ["forward"]),
        ("gradients", 4, [*FORWARD, *BACKWARD]),
        ("train", 4, [*TRACKED, *BACKWARD]),
        ("gradients", 1, [*FORWARD, "backward_partial", "backward_finish"]),
        ("train", 1, [*TRACKED, "backward_partial", "backward_finish"]),
    ],
)
def test_steps_by_purpose_and_parts(purpose: Purpose, parts: int, expected: list[str]) -> None:
    assert ops(program("CONV(4, 3) -> BN -> RELU", purpose, parts)) == expected


def test_parts_meet_where_they_must_and_nowhere_else() -> None:
    found = program("CONV(4, 3) -> BN -> RELU", "train", 4)
    split = {step.op: step.split for step in found.steps if step.name == "bn1"}
    assert split == {
        "partial": True, "combine": False, "track": False, "finish": True,
        "backward_partial": True, "backward_combine": False, "backward_finish": True,
    }  # fmt: skip
    meetings = [not split for split, _ in found.phases()]
    assert meetings == [False, True, False, True, False, True]  # the last sums and updates


def test_running_statistics_are_written_by_training_alone() -> None:
    for purpose in ("train", "gradients", "predict"):
        found = program("CONV(4, 3) -> BN -> RELU", purpose, 2)  # type: ignore[arg-type]
        written = {name for step in found.steps for name in step.writes}
        running = {"bn1.running_mean", "bn1.running_var"}
        assert written & running == (running if purpose == "train" else set())
        readers = {s.op for s in found.steps if running & set(s.reads)}
        expected = {"train": {"track"}, "gradients": set(), "predict": {"forward"}}
        assert readers == expected[purpose]


@pytest.mark.parametrize("parts", [1, 3])
def test_no_gradient_below_the_first_that_is_trained(parts: int) -> None:
    """BN as the first layer with weights: its own gradients are all that is needed."""
    found = program("BN -> RELU", "gradients", parts)
    assert ops(found) == [*FORWARD, "backward_partial"]
    found = program("BN(freeze=true) -> RELU", "gradients", parts)
    assert ops(found) == FORWARD


@pytest.mark.parametrize("parts", [1, 3])
def test_frozen_it_still_sums_for_what_lies_below(parts: int) -> None:
    found = program("CONV(4, 3) -> BN(freeze=true) -> RELU", "train", parts)
    assert ops(found)[-1] == "backward_finish"
    gradients = {name for name, b in found.buffers.items() if b.home == "gradient"}
    assert gradients == {
        "d(conv1.weight)", "d(conv1.bias)", "d(fc1.weight)", "d(fc1.bias)",
    }  # fmt: skip
    assert not [step for step in found.steps if step.op == "update" and "bn1" in step.name]
