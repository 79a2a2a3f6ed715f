"""The engine: how a batch is split, what a bound step allocates, and stale memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnc
from cnnc.compiler.lower import lower
from cnnc.compiler.passes.pipeline import compile_program
from cnnc.compiler.program import Purpose
from cnnc.runtime.engine import MOST_BINDINGS, Engine, split_batch
from cnnc.runtime.team import Team

# Every layer there is, on maps large enough that NumPy's own buffers (8192 numbers) are full.
NET = cnnc.parse(
    """
    INPUT(2x24x24) -> CENTER -> NORMALIZE(range)
    -> CONV(4, 3, pad=same) -> RELU -> DROPOUT(0.3) -> POOL(3, stride=2, pad=1)
    -> CONV(4, 3, pad=1, groups=2) -> LEAKYRELU -> POOL(avg, 3, stride=1, pad=1)
    -> CONV(4, 1) -> SIGMOID -> FLATTEN -> FC(40) -> TANH -> FC(5) -> SOFTMAX
    train { optimizer = adam  weight_decay = 0.1  clip = 1  augment = [mixup] }
    """
)
PURPOSES: tuple[Purpose, ...] = ("train", "gradients", "predict")
PURPOSE = pytest.mark.parametrize("purpose", PURPOSES)


def engine(purpose: Purpose, batch: int, parts: int = 1, threads: int = 1) -> Engine:
    net = NET.checked.require()
    program = compile_program(lower(net, purpose, NET.training, batch, parts))
    rng = np.random.default_rng(0)
    shared = {
        name: rng.normal(0, 0.1, buffer.shape).astype("float32")
        for name, buffer in program.buffers.items()
        if buffer.home == "weight"
    }
    shared["normalize1.max"] = np.full_like(shared["normalize1.min"], 2)
    made = Engine(program, shared, Team(threads))
    shares = (("scale", 0.7 / batch), ("other scale", 0.3 / batch))
    for name, value in (("lr", 0.01), ("step", 1), *shares):
        if name in shared:
            shared[name][0] = value
    return made


def inputs(purpose: Purpose, n: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    found = {"input1": rng.normal(size=(n, 2, 24, 24)).astype("float32")}
    targets = {"train": ("target", "other target"), "gradients": ("target",), "predict": ()}
    return found | {name: rng.integers(0, 5, n) for name in targets[purpose]}


@given(st.integers(0, 1000), st.integers(1, 40))
def test_parts_differ_by_at_most_one_sample(n: int, parts: int) -> None:
    counts = split_batch(n, parts)
    assert len(counts) == parts and sum(counts) == n
    assert max(counts) - min(counts) <= 1
    assert list(counts) == sorted(counts, reverse=True)  # empty parts come last


@PURPOSE
@pytest.mark.parametrize("parts", [1, 2])
def test_a_bound_step_allocates_nothing_that_grows_with_the_batch(
    purpose: Purpose, parts: int
) -> None:
    # In one thread: what several allocate at the same moment would depend on chance.
    def peak(batch: int) -> int:
        made, given = engine(purpose, batch, parts), inputs(purpose, batch)
        for _ in range(2):
            made.run(given)
        tracemalloc.start()
        try:
            made.run(given)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The smallest tensor of the added samples, FC(5)'s output, is 64*5*4 = 1280 bytes.
    assert peak(128) <= peak(64) + 1000


@PURPOSE
def test_nothing_is_read_that_this_run_did_not_write(purpose: Purpose) -> None:
    """Arenas full of NaNs, as a run before may leave them, show in no result."""
    clean, dirty = engine(purpose, 6, 2), engine(purpose, 6, 2, threads=2)
    for n in (6, 3, 1, 5):
        for arena in (*dirty._arenas, dirty._joint):
            arena.fill(0xFF)
        expected = clean.run(inputs(purpose, n))
        found = dirty.run(inputs(purpose, n))
        for name in clean.program.results:
            for mine, its in zip(found, expected, strict=True):
                assert np.array_equal(mine[name], its[name]), (n, name)
        for name, buffer in clean.program.buffers.items():
            if buffer.home in ("weight", "gradient", "optimizer"):
                assert np.array_equal(dirty.shared[name], clean.shared[name]), name


def test_parts_without_samples_give_no_results() -> None:
    made = engine("predict", 8, 4)
    assert [len(part["softmax1"]) for part in made.run(inputs("predict", 6))] == [2, 2, 1, 1]
    assert [len(part["softmax1"]) for part in made.run(inputs("predict", 2))] == [1, 1]


def test_only_so_many_sizes_stay_bound() -> None:
    made = engine("predict", MOST_BINDINGS + 4)
    for n in range(1, MOST_BINDINGS + 5):
        made.run(inputs("predict", n))
    assert len(made._bindings) == MOST_BINDINGS
    assert (1,) not in made._bindings and (MOST_BINDINGS + 4,) in made._bindings


def test_arrays_given_by_the_caller_are_used_and_not_replaced() -> None:
    made = engine("train", 4)
    weight = made.shared["conv1.weight"]
    before = weight.copy()
    made.run(inputs("train", 4))
    assert made.shared["conv1.weight"] is weight
    assert not np.array_equal(weight, before)


def test_inputs_stay_as_they_are() -> None:
    made, given = engine("train", 4), inputs("train", 4)
    before = {name: array.copy() for name, array in given.items()}
    made.run(given)
    assert all(np.array_equal(given[name], before[name]) for name in before)
