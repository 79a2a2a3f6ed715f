"""A compiled net from outside: steps, gradients, predictions, weights, and what is refused."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime.compiled import Compiled, usual_shards

TEXT = """
INPUT(2x9x8) -> CENTER -> CONV(6, 3, pad=1) -> RELU -> POOL(3, stride=2) -> DROPOUT(0.3)
-> CONV(8, 3) -> TANH -> FC(12) -> LEAKYRELU -> FC(5) -> SOFTMAX
train { optimizer = sgd(momentum=0.9, nesterov=true)  weight_decay = 0.01 }
"""
NET = cnnc.parse(TEXT)
PLAIN = cnnc.parse(TEXT.replace("-> DROPOUT(0.3)", ""))


def batch(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2, 9, 8)), rng.integers(0, 5, n)


def digest(program: Compiled) -> str:
    found = hashlib.sha256()
    for name, weight in program.weights.items():
        found.update(name.encode() + weight.tobytes())
    return found.hexdigest()


def worst(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest error over the largest entry, of all arrays."""
    assert one.keys() == other.keys()
    return max(
        float(np.max(np.abs(one[n] - other[n])) / max(np.max(np.abs(other[n])), 1e-30)) for n in one
    )


# -- threads and shards --------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 4, 5])
@pytest.mark.parametrize("optimizer", ["sgd(momentum=0.9)", "adam"])
def test_threads_change_no_bit(shards: int, optimizer: str) -> None:
    digests, losses = set(), set()
    for threads in (1, 2, 4):
        program = NET.compile(batch=16, shards=shards, threads=threads, optimizer=optimizer)
        seen = [program.step(*batch(16 - step % 3, step)) for step in range(10)]
        losses.add(tuple(seen))
        digests.add((digest(program), program.predict(batch(7)[0]).tobytes()))
    assert len(digests) == len(losses) == 1


def test_shards_change_only_the_last_bits() -> None:
    """Dropout too depends on a sample's place in the batch, and not in its part."""
    programs = [NET.compile(batch=16, shards=s, dtype="float64") for s in (1, 2, 3, 16)]
    for step in range(10):
        losses = [program.step(*batch(16 - step % 5, step)) for program in programs]
        assert losses == pytest.approx([losses[0]] * 4, rel=1e-12)
    for program in programs[1:]:
        assert worst(dict(program.weights), dict(programs[0].weights)) < 1e-11


def test_the_usual_shards_follow_from_the_batch_alone() -> None:
    shards = {b: usual_shards(b) for b in (1, 7, 8, 15, 16, 31, 32, 64, 1000)}
    assert shards == {1: 1, 7: 1, 8: 1, 15: 1, 16: 2, 31: 3, 32: 4, 64: 4, 1000: 4}
    assert NET.compile(batch=64, threads=1).shards == NET.compile(batch=64, threads=8).shards == 4


@pytest.mark.parametrize("n", range(1, 8))
def test_a_smaller_batch_is_trained_as_one_of_its_own_size(n: int) -> None:
    """Also where it is smaller than the number of shards."""
    large = PLAIN.compile(batch=7, shards=5, dtype="float64")
    small = PLAIN.compile(batch=n, shards=1, dtype="float64")
    for step in range(3):
        assert large.step(*batch(n, step)) == pytest.approx(small.step(*batch(n, step)), rel=1e-12)
    assert worst(dict(large.weights), dict(small.weights)) < 1e-12


# -- purposes ------------------------------------------------------------------------------


def test_gradients_change_nothing() -> None:
    program = NET.compile(batch=8)
    program.step(*batch(8))
    before, state = digest(program), {n: s.copy() for n, s in program.state().items()}
    first, grads = program.loss_and_grads(*batch(8, 1))
    again, same = program.loss_and_grads(*batch(8, 1))
    assert first == again and worst(grads, same) == 0
    assert digest(program) == before
    assert all(np.array_equal(state[name], s) for name, s in program.state().items())
    assert program.step(*batch(8, 1)) == first  # with the dropout that this step has


def test_gradients_are_for_the_trainable_weights_in_their_shapes() -> None:
    net = cnnc.parse(TEXT.replace("CONV(8, 3)", "CONV(8, 3, freeze=true)"))
    program = net.compile(batch=4)
    _, grads = program.loss_and_grads(*batch(4))
    trainable = {n for n in program.weights if not n.startswith(("conv2", "center"))}
    assert grads.keys() == trainable
    for name, grad in grads.items():
        assert grad.shape == program.weights[name].shape and grad.dtype == "float32"


def test_gradients_are_copies() -> None:
    program = PLAIN.compile(batch=4)
    _, grads = program.loss_and_grads(*batch(4))
    kept = {name: grad.copy() for name, grad in grads.items()}
    program.loss_and_grads(*batch(4, 1))
    assert worst(grads, kept) == 0


def test_a_step_moves_against_the_gradient_by_lr() -> None:
    program = PLAIN.compile(batch=4, optimizer="sgd", dtype="float64")
    decay = PLAIN.training.weight_decay
    for program.lr in (0.5, 0.0, 0.01):
        before = dict(program.weights)
        loss, grads = program.loss_and_grads(*batch(4))
        assert program.step(*batch(4)) == loss  # the loss before the update
        for name, grad in grads.items():
            expected = before[name] - program.lr * (grad + decay * before[name])
            assert program.weights[name] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_training_makes_the_loss_small() -> None:
    program = PLAIN.compile(batch=16)
    losses = [program.step(*batch(16)) for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 29])
def test_predict_takes_any_number_of_samples(n: int) -> None:
    program = NET.compile(batch=8, shards=3, dtype="float64")
    x = batch(n)[0]
    scores = program.predict(x)
    assert scores.shape == (n, 5)
    alone = np.concatenate([program.predict(one[None]) for one in x])
    assert np.max(np.abs(scores - alone)) < 1e-14
    assert scores.sum(axis=1) == pytest.approx(np.ones(n))  # SOFTMAX


def test_predict_leaves_dropout_out() -> None:
    program, plain = NET.compile(batch=8), PLAIN.compile(batch=8)
    for name, weight in program.weights.items():
        plain.weights[name] = weight
    x, _ = batch(8)
    assert np.array_equal(program.predict(x), plain.predict(x))
    assert program.step(*batch(8)) != plain.step(*batch(8))


def test_dropout_is_anew_in_each_step_and_the_same_for_the_same_seed() -> None:
    def losses(seed: int) -> list[float]:
        program = NET.compile(batch=8, seed=seed)
        program.lr = 0.0
        for name, weight in NET.compile(batch=8, seed=0).weights.items():
            program.weights[name] = weight
        return [program.step(*batch(8)) for _ in range(5)]

    first = losses(1)
    assert len(set(first)) == 5
    assert losses(1) == first
    assert not set(losses(2)) & set(first)


# -- what came before ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_results_do_not_depend_on_earlier_calls(seed: int) -> None:
    """A random sequence of calls, each compared with that of a program that saw only the steps."""
    draw = random.Random(seed)
    used, fresh = (NET.compile(batch=9, shards=4, seed=seed, threads=2) for _ in range(2))
    for call in range(30):
        n = draw.randint(1, 9)
        x, y = batch(n, 100 * seed + call)
        kind = draw.choice(("step", "grads", "predict"))
        if kind == "step":
            assert used.step(x, y) == fresh.step(x, y)
        elif kind == "grads":
            alone = NET.compile(batch=9, shards=4, seed=seed, threads=1)
            for name, weight in used.weights.items():
                alone.weights[name] = weight
            alone.steps = used.steps
            mine, its = used.loss_and_grads(x, y), alone.loss_and_grads(x, y)
            assert mine[0] == its[0] and worst(mine[1], its[1]) == 0
        else:
            alone = NET.compile(batch=9, shards=4, seed=seed, threads=1)
            for name, weight in used.weights.items():
                alone.weights[name] = weight
            assert np.array_equal(used.predict(x), alone.predict(x))
    assert digest(used) == digest(fresh)


# -- weights -------------------------------------------------------------------------------


def test_weights_by_name() -> None:
    program = NET.compile(batch=4)
    shapes = {name: weight.shape for name, weight in program.weights.items()}
    assert shapes == {
        "center1.mean": (2,),
        "conv1.weight": (6, 2, 3, 3), "conv1.bias": (6,),
        "conv2.weight": (8, 6, 3, 3), "conv2.bias": (8,),
        "fc1.weight": (12, 16), "fc1.bias": (12,), "fc2.weight": (5, 12), "fc2.bias": (5,),
    }  # fmt: skip
    assert len(program.weights) == 9
    program.weights["fc1.weight"][...] = 7  # of a copy
    assert not np.any(program.weights["fc1.weight"] == 7)
    program.weights["fc1.bias"] = np.arange(12, dtype="float32")
    assert np.array_equal(program.weights["fc1.bias"], np.arange(12))


def test_weights_refuse_what_does_not_fit() -> None:
    program = NET.compile(batch=4)
    with pytest.raises(KeyError, match=r"no weight 'conv3.weight'.*conv1.weight"):
        program.weights["conv3.weight"] = np.zeros(1)
    with pytest.raises(KeyError, match="no weight"):
        program.weights["nothing"]
    with pytest.raises(ValueError, match=r"fc1.bias has shape 12, not 13"):
        program.weights["fc1.bias"] = np.zeros(13, "float32")
    with pytest.raises(ValueError, match=r"fc1.bias is float32, and float64 would lose"):
        program.weights["fc1.bias"] = np.zeros(12)
    with pytest.raises(TypeError, match="keeps all its weights"):
        del program.weights["fc1.bias"]


def test_weights_start_from_the_seed_each_for_itself() -> None:
    one, same = NET.compile(batch=4, seed=3), NET.compile(batch=8, seed=3, shards=2)
    other = NET.compile(batch=4, seed=4)
    assert digest(one) == digest(same) != digest(other)
    longer = cnnc.parse(TEXT.replace("FC(5)", "FC(5) -> FC(5)")).compile(batch=4, seed=3)
    for name, weight in one.weights.items():
        assert np.array_equal(longer.weights[name], weight)


def test_he_is_the_usual_start() -> None:
    weight = cnnc.parse("INPUT(8x9x9) -> CONV(64, 5)").compile(batch=1).weights["conv1.weight"]
    assert weight.std() == pytest.approx(np.sqrt(2 / (8 * 25)), rel=0.02)
    assert abs(weight.mean()) < 0.01


# -- what comes in -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.zeros((2, 2, 9, 9)), [0, 1], r"x is \(N, 2, 9, 8\).*has shape \(2, 2, 9, 9\)"),
        (np.zeros((2, 9, 8)), [0, 1], r"INPUT\(2x9x8\), and has shape \(2, 9, 8\)"),
        (np.float32(1), [0], r"has shape \(\)"),
        (np.zeros((5, 2, 9, 8)), [0] * 5, "1 to 4 samples, not 5"),
        (np.zeros((0, 2, 9, 8)), [], "1 to 4 samples, not 0"),
        (np.full((1, 2, 9, 8), "a"), [0], "x holds numbers, not <U1"),
        (np.zeros((1, 2, 9, 8), complex), [0], "x holds numbers, not complex128"),
        (np.zeros((2, 2, 9, 8)), [0], r"y has shape \(2,\), not \(1,\)"),
        (np.zeros((2, 2, 9, 8)), [[0, 1]], r"y has shape \(2,\), not \(1, 2\)"),
        (np.zeros((2, 2, 9, 8)), [0.0, 1.0], "y holds integer classes, not float64"),
        (np.zeros((2, 2, 9, 8)), [True, False], "y holds integer classes, not bool"),
        (np.zeros((2, 2, 9, 8)), [0, 5], "y has class 5, and the net has 5 outputs: 0 to 4"),
        (np.zeros((2, 2, 9, 8)), [-1, 0], "y has class -1"),
    ],
)
def test_wrong_data_is_refused_with_the_numbers(x: Any, y: Any, message: str) -> None:
    program = NET.compile(batch=4)
    before = digest(program)
    for call in (program.step, program.loss_and_grads):
        with pytest.raises(ValueError, match=message):
            call(x, np.array(y) if y else np.zeros(0, int))
    assert digest(program) == before


def test_a_refused_step_does_not_count() -> None:
    """Its number is in DROPOUT's key and in Adam's means."""
    program, other = NET.compile(batch=4), NET.compile(batch=4)
    x, y = batch(4)
    for wrong in ((*batch(5),), (x, y + 5), (x[:, :1], y)):
        with pytest.raises(ValueError):
            program.step(*wrong)
    assert program.steps == 0
    assert program.step(*batch(4)) == other.step(*batch(4))


def test_predict_of_nothing_is_nothing() -> None:
    assert NET.compile(batch=4).predict(batch(0)[0]).shape == (0, 5)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool"])
def test_numbers_of_any_type_are_taken(dtype: str) -> None:
    program = PLAIN.compile(batch=4)
    x = (batch(4)[0] > 0).astype(dtype)
    y = np.array([0, 1, 2, 3], "uint8")
    assert program.step(x, y) == PLAIN.compile(batch=4).step(x.astype("float32"), y.astype(int))


def test_maps_are_judged_per_pixel() -> None:
    program = cnnc.parse("INPUT(1x4x5) -> CONV(3, 3, pad=1)").compile(batch=2)
    x, y = np.zeros((2, 1, 4, 5)), np.zeros((2, 4, 5), int)
    assert program.step(x, y) == pytest.approx(np.log(3))
    with pytest.raises(ValueError, match=r"y has shape \(2, 4, 5\), not \(2,\)"):
        program.step(x, y[:, 0, 0])


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"batch": 0}, "batch is an integer of at least 1, not 0"),
        ({"shards": 0}, "shards is an integer of at least 1"),
        ({"threads": -1}, "threads is an integer of at least 1, not -1"),
        ({"dtype": "float16"}, "dtype is float32 or float64, not float16"),
        ({"device": "tpu"}, "'tpu' is not built yet"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NET.compile(**{"batch": 4, **wrong})


@pytest.mark.parametrize(
    "option, message",
    [
        ({"optimizer": "rmsprop(0.9, 1e-8, 0, true, 0, 1)"}, "rmsprop has no place for this"),
        ({"optimizer": "sgd(momentum=-1)"}, "momentum takes a number of at least 0, not -1"),
        ({"optimizer": "adam(beta=1)"}, "optimizer: adam has no argument beta"),
        ({"optimizer": "sgd(nesterov=true)"}, "nesterov=true with a momentum above 0"),
        ({"loss": "hing"}, "loss takes cross_entropy or mse or hinge, not 'hing'"),
        ({"optimizer": "adam(weight_decay=1)"}, "weight_decay takes what adam"),
    ],
)
def test_wrong_words_of_training_are_refused(option: dict[str, str], message: str) -> None:
    with pytest.raises((ValueError, cnnc.SpecError), match=message):
        NET.compile(batch=4, **option)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["loss", "target", "scale", "lr", "step", "sample", "total"])
def test_a_layer_may_be_called_like_a_buffer_of_the_program(name: str) -> None:
    text = (
        "INPUT(1x4x4){} -> CONV(2, 3){} -> DROPOUT{} -> AUX{{ FC(3){} }} -> POOL(2){} as pool"
        " -> FC(3){}"
    )
    x = np.random.default_rng(0).normal(size=(4, 1, 4, 4))
    y = np.array([0, 1, 2, 0])
    plain = cnnc.parse(text.format(*[""] * 6)).compile(batch=4, shards=2)
    expected = [plain.step(x, y), plain.step(x, y)]
    for place in (0, 1, 2, 3, 5):
        marks = [f" as {name}" if i == place else "" for i in range(6)]
        program = cnnc.parse(text.format(*marks)).compile(batch=4, shards=2)
        assert [program.step(x, y), program.step(x, y)] == expected
        np.testing.assert_array_equal(program.predict(x), plain.predict(x))
