"""Each numbered invariant of a program: what breaks it, and that it is told by its number."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import cnnc
from cnnc.compiler.lower import lower
from cnnc.compiler.passes import verify as module
from cnnc.compiler.passes.pipeline import compile_program
from cnnc.compiler.passes.place_buffers import PlaceBuffers
from cnnc.compiler.passes.verify import InvalidProgram, verify
from cnnc.compiler.program import Plan, Program, Purpose, Step

NET = cnnc.parse("INPUT(1x6x6) -> CONV(2, 3) -> RELU -> POOL(2) -> FLATTEN -> FC(3)")


def program(purpose: Purpose = "train", parts: int = 1) -> Program:
    return lower(NET.checked.require(), purpose, NET.training, 8, parts)


def with_step(made: Program, name: str, op: str, **changes: Any) -> Program:
    """The program with one of its steps changed."""
    steps = [
        replace(s, **changes) if (s.name, s.op) == (name, op) else s for s in made.steps
    ]  # fmt: skip
    assert list(made.steps) != steps
    return replace(made, steps=tuple(steps))


def step_of(made: Program, name: str, op: str) -> Step:
    return next(s for s in made.steps if (s.name, s.op) == (name, op))


def broken(invariant: int, made: Program, message: str) -> None:
    with pytest.raises(InvalidProgram, match=message) as raised:
        verify(made)
    assert raised.value.invariant == invariant
    assert str(raised.value).startswith(f"invariant {invariant}: ")


@pytest.mark.parametrize("purpose", ["train", "gradients", "predict"])
@pytest.mark.parametrize("parts", [1, 3])
def test_what_the_compiler_makes_holds(purpose: Purpose, parts: int) -> None:
    seen = []
    made = compile_program(program(purpose, parts), lambda name, p: seen.append((name, p.plan)))
    assert made.plan is not None
    assert seen == [("lower", None), ("place-buffers", made.plan)]


def test_every_invariant_has_a_number_and_a_test() -> None:
    numbers = re.findall(r"^(\d+)\. ", module.__doc__ or "", re.MULTILINE)
    tests = [re.findall(r"^test_(\d+)_", name) for name in globals()]
    assert numbers == sorted({n for found in tests for n in found}, key=int)
    assert numbers == [str(i + 1) for i in range(len(numbers))]


def test_1_a_buffer_that_is_not_declared() -> None:
    made = program()
    without = {name: b for name, b in made.buffers.items() if name != "relu1.positive.backward"}
    broken(1, replace(made, buffers=without), "relu1 backward touches relu1.positive.backward")


@pytest.mark.parametrize("where", ["reads", "writes"])
def test_1_a_name_that_only_the_lists_have(where: str) -> None:
    broken(1, with_step(program(), "relu1", "forward", **{where: ("nowhere",)}), "nowhere")


@pytest.mark.parametrize("where", ["inputs", "results"])
def test_1_an_input_or_result_that_is_not_declared(where: str) -> None:
    broken(1, replace(program(), **{where: ("nowhere",)}), "nowhere")


def test_1_a_view_of_what_is_not_declared() -> None:
    made = program()
    view = replace(made.buffers["flatten1"], view_of="nowhere")
    broken(1, replace(made, buffers={**made.buffers, "flatten1": view}), "nowhere")


def test_2_a_buffer_that_is_read_before_it_is_written() -> None:
    made = program()
    first, second, *rest = made.steps
    broken(
        2, replace(made, steps=(second, first, *rest)), "relu1 forward reads conv1 before"
    )  # fmt: skip


def test_2_an_input_that_is_not_listed() -> None:
    broken(2, replace(program(), inputs=("input1",)), "loss forward reads target before")


def test_2_gradients_are_written_in_the_program_that_reads_them() -> None:
    made = program(parts=2)
    without = tuple(s for s in made.steps if (s.name, s.op) != ("fc1.bias", "add"))
    broken(2, replace(made, steps=without), r"fc1.bias update reads d\(fc1.bias\) before")


def test_3_a_buffer_that_two_steps_write() -> None:
    made = program()
    broken(3, replace(made, steps=(made.steps[0], *made.steps)), "conv1 forward writes conv1")


def test_3_an_input_that_is_written() -> None:
    made = program()
    wrong = with_step(made, "conv1", "forward", writes=("input1",))
    broken(3, wrong, "conv1 forward writes input1")


def test_3_a_view_of_what_is_written_is_the_same_memory() -> None:
    made = program()
    wrong = with_step(made, "fc1", "forward", writes=("flatten1",))
    broken(3, wrong, "fc1 forward writes flatten1")


@pytest.mark.parametrize("name", ["conv1.weight", "loss", "d(fc1.bias)"])
def test_4_a_part_that_writes_what_all_share(name: str) -> None:
    made = program(parts=2)
    writes = (*step_of(made, "relu1", "forward").writes, name)
    broken(4, with_step(made, "relu1", "forward", writes=writes), f"writes {re.escape(name)}")


def test_4_one_part_may_write_gradients() -> None:
    made = program(parts=1)
    assert "d(fc1.bias)" in step_of(made, "fc1", "backward").writes
    verify(made)


def test_5_a_view_of_another_size() -> None:
    made = program()
    view = replace(made.buffers["flatten1"], shape=(9,))
    wrong = replace(made, buffers={**made.buffers, "flatten1": view})
    broken(5, wrong, "flatten1 is a view of pool1 of another size")


@pytest.mark.parametrize("change", [{"dtype": "int64"}, {"per_sample": False}])
def test_5_a_view_with_other_numbers(change: dict[str, Any]) -> None:
    made = program()
    view = replace(made.buffers["flatten1"], **change)
    broken(5, replace(made, buffers={**made.buffers, "flatten1": view}), "flatten1 is a view")


def test_6_a_result_that_nothing_writes() -> None:
    made = program("gradients")
    without = tuple(s for s in made.steps if s.op != "mean")
    broken(6, replace(made, steps=without), "nothing writes the result loss")


def planned(**changes: Any) -> Program:
    made = PlaceBuffers().run(program())
    assert made.plan is not None
    return replace(made, plan=replace(made.plan, **changes))


def offsets() -> dict[str, int]:
    plan = planned().plan
    assert isinstance(plan, Plan)
    return dict(plan.offsets)


def test_7_a_buffer_without_a_place() -> None:
    without = {name: at for name, at in offsets().items() if name != "relu1"}
    broken(7, planned(offsets=without), "relu1 has no place")


@pytest.mark.parametrize("other", ["conv1", "pool1"])
@pytest.mark.parametrize("shift", [0, 64])
def test_7_buffers_that_overlap_while_both_are_alive(other: str, shift: int) -> None:
    wrong = {**offsets(), "relu1": offsets()[other] + shift}
    large = planned(offsets=wrong, part_bytes=10**9)
    broken(7, large, "overlap")


@pytest.mark.parametrize("at", [-64, 10**6])
def test_7_a_place_outside_the_arena(at: int) -> None:
    broken(7, planned(offsets={**offsets(), "relu1": at}), "relu1")


def test_7_a_place_that_is_not_aligned() -> None:
    at = offsets()["relu1"]
    moved = {n: o + (o >= at) * 4 for n, o in offsets().items()}
    broken(7, planned(offsets=moved, part_bytes=10**9), "64")
