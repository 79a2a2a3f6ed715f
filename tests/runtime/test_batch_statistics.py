"""BN in compiled nets: its gradients, its split, its running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.numerical import check_gradients

import cnnc
from cnnc.runtime.compiled import Compiled

TEXT = """
INPUT(2x7x6) -> CONV(5, 3, bias=false) -> BN -> TANH -> CONV(4, 3, bias=false)
-> BN(eps=0.01, momentum=0.3) -> SILU -> FC(6, bias=false) -> BN -> SOFTPLUS -> FC(3)
train { optimizer = sgd(momentum=0.9)  lr = 0.05 }
"""
NET = cnnc.parse(TEXT)
FROZEN = cnnc.parse(TEXT.replace("momentum=0.3", "momentum=0.3, freeze=true"))
RUNNING = ("running_mean", "running_var")


def batch(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(1, 2, (n, 2, 7, 6)), rng.integers(0, 3, n)


def prepared(net: Any = NET, **options: Any) -> Compiled:
    """With scales and shifts that are not those of the start."""
    program: Compiled = net.compile(**{"batch": 9, "dtype": "float64", **options})
    rng = np.random.default_rng(1)
    for name, weight in program.weights.items():
        if weight.ndim == 1 and not name.endswith("running_mean"):
            program.weights[name] = rng.uniform(0.5, 1.5, weight.shape).astype(program.dtype)
    return program


def statistics(program: Compiled) -> dict[str, Any]:
    return {n: w for n, w in program.weights.items() if n.split(".")[1] in RUNNING}


def worst(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(
        float(np.max(np.abs(one[n] - other[n])) / max(np.max(np.abs(other[n])), 1e-30)) for n in one
    )


@pytest.mark.parametrize("net", [NET, FROZEN], ids=["trained", "frozen"])
@pytest.mark.parametrize("shards, n", [(1, 9), (4, 9), (9, 9), (4, 2), (3, 1)])
def test_gradients_are_those_of_the_loss_over_the_whole_batch(
    net: Any, shards: int, n: int
) -> None:
    program = prepared(net, shards=shards)
    x, y = batch(n)
    _, grads = program.loss_and_grads(x, y)
    assert grads.keys() == {name for name, w in program.weights.described.items() if w.trainable}
    rng = np.random.default_rng(2)
    length = max(np.linalg.norm(g) for g in grads.values())
    for name, gradient in grads.items():
        start = program.weights[name]
        direction = rng.normal(size=start.shape)
        losses = []
        for step in (1e-5, -1e-5):
            program.weights[name] = start + step * direction
            losses.append(program.loss_and_grads(x, y)[0])
        program.weights[name] = start
        slope = (losses[0] - losses[1]) / 2e-5
        assert abs(slope - np.sum(gradient * direction)) <= 1e-7 * length, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shards", [1, 4])
def test_threads_change_no_bit(shards: int, dtype: str) -> None:
    found = set()
    for threads in (1, 2, 4):
        program = prepared(batch=16, shards=shards, threads=threads, dtype=dtype)
        losses = tuple(program.step(*batch(16 - step % 3, step)) for step in range(10))
        weights = b"".join(weight.tobytes() for weight in program.weights.values())
        found.add((losses, weights, program.predict(batch(7)[0]).tobytes()))
    assert len(found) == 1


@pytest.mark.parametrize("net", [NET, FROZEN], ids=["trained", "frozen"])
def test_shards_change_only_the_last_bits(net: Any) -> None:
    programs = [prepared(net, batch=16, shards=shards) for shards in (1, 2, 4, 16)]
    first = programs[0].loss_and_grads(*batch(16))[1]
    for program in programs[1:]:
        assert worst(program.loss_and_grads(*batch(16))[1], first) < 1e-11
    for step in range(10):
        losses = [program.step(*batch(16 - step % 5, step)) for program in programs]
        assert losses == pytest.approx([losses[0]] * 4, rel=1e-11)
    for program in programs[1:]:
        assert worst(dict(program.weights), dict(programs[0].weights)) < 1e-10


def test_shards_in_float32() -> None:
    one, four = (prepared(batch=16, shards=shards, dtype="float32") for shards in (1, 4))
    for step in range(5):
        assert one.step(*batch(16, step)) == pytest.approx(four.step(*batch(16, step)), rel=1e-4)
    assert worst(statistics(one), statistics(four)) < 1e-4


def test_only_training_moves_the_statistics() -> None:
    program = prepared()
    before = statistics(program)
    program.loss_and_grads(*batch(9))
    program.predict(batch(9)[0])
    assert worst(statistics(program), before) == 0
    program.step(*batch(9))
    assert all(np.all(after != before[name]) for name, after in statistics(program).items())


def test_statistics_are_of_the_first_layer_s_batch() -> None:
    """By hand, where nothing lies between the data and BN."""
    program = cnnc.parse("INPUT(2x7x6) -> BN(momentum=0.25) -> FC(3)").compile(
        batch=9, shards=4, dtype="float64"
    )
    x, y = batch(9)
    program.step(x, y)
    expected = 0.25 * x.mean(axis=(0, 2, 3))
    assert program.weights["bn1.running_mean"] == pytest.approx(expected, rel=1e-12)
    expected = 0.75 + 0.25 * x.var(axis=(0, 2, 3), ddof=1)
    assert program.weights["bn1.running_var"] == pytest.approx(expected, rel=1e-12)


def test_prediction_knows_no_batch() -> None:
    program = prepared()
    for step in range(5):
        program.step(*batch(9, step))
    x = batch(9)[0]
    together, alone = program.predict(x), np.concatenate([program.predict(s[None]) for s in x])
    assert np.max(np.abs(together - alone)) < 1e-14


def test_prediction_comes_close_to_training_once_the_statistics_have_settled() -> None:
    """The loss of a batch, with its own statistics and with the running ones."""
    program = prepared(shards=2)
    program.lr = 0.0
    x, y = batch(9)
    for _ in range(200):
        loss = program.step(x, y)
    scores = program.predict(x)
    log = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    # The running variance is divided by n - 1, so the two are not the same.
    assert -np.mean(log[np.arange(9), y]) == pytest.approx(loss, rel=0.05)


def test_a_single_value_a_channel_is_trained_as_its_shift() -> None:
    """PyTorch refuses such a batch; a last batch of one sample must not end a run."""
    program = cnnc.parse("INPUT(4) -> FC(3) -> BN -> FC(2)").compile(batch=4, shards=2)
    program.step(np.ones((1, 4)), np.array([1]))
    assert all(np.all(np.isfinite(weight)) for weight in program.weights.values())
    assert program.weights["bn1.running_var"].tolist() == [1, 1, 1]
    _, grads = program.loss_and_grads(np.ones((1, 4)), np.array([1]))
    assert not np.any(grads["fc1.weight"]) and np.any(grads["bn1.bias"])


def test_memory_counts_the_statistics() -> None:
    bare, with_bn = (
        cnnc.parse(f"INPUT(2x7x6) -> CONV(5, 3) -> {norm}RELU -> FC(3)").compile(batch=8).memory
        for norm in ("", "BN -> ")
    )
    assert with_bn.weights - bare.weights == 4 * 5 * 4
    assert with_bn.gradients - bare.gradients == 2 * 5 * 4
    assert with_bn.activations - bare.activations >= 8 * 5 * 5 * 4 * 4


RESIDUAL = """
INPUT(2x6x6) -> CONV(3, 3, pad=1, bias=false) -> BN -> TANH
-> ADD{ CONV(3, 3, pad=1, bias=false) -> BN | CONV(3, 1, bias=false) -> BN(freeze=true) } -> TANH
-> AUX(0.3){ GLOBALPOOL -> BN(share="head") -> FC(3) } -> GLOBALPOOL -> BN(share="head") -> FC(3)
"""


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_gradients_through_branches_side_exits_and_shared_statistics(shards: int) -> None:
    check_gradients(RESIDUAL, shards=shards, batch=5)


def test_shared_statistics_move_at_each_use() -> None:
    """As a module of PyTorch that is called twice in a step."""
    program = cnnc.parse('INPUT(2) -> BN(share="a") -> TANH -> BN(share="a") -> FC(2)').compile(
        batch=6, shards=2, dtype="float64"
    )
    x = np.random.default_rng(0).normal(size=(6, 2))
    hidden = np.tanh((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5))
    program.step(x, np.zeros(6, int))
    expected = 0.9 * (0.1 * x.mean(axis=0)) + 0.1 * hidden.mean(axis=0)
    assert program.weights["a.running_mean"] == pytest.approx(expected, rel=1e-12)
