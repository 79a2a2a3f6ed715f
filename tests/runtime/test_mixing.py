"""Mixed samples and clipped gradients in whole steps: what they are, and on any threads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.compiler.training.augment import Mixup
from cnnc.runtime.batches import mixed
from cnnc.runtime.compiled import Compiled

BODY = "INPUT(2x6x6) -> CONV(5, 3, pad=1) -> TANH -> "
ENDS = {
    "vector": "POOL(2) -> FC(4)",
    "Cx1x1": "CONV(4, 6)",
    "maps": "CONV(4, 1)",
    "softmax": "FC(4) -> SOFTMAX",
    "rbf": "FC(2) -> RBF(4, codes=[[-1, -1], [-1, 1], [1, -1], [1, 1]])",
    "aux": "AUX(0.4){ FC(4) } -> POOL(2) -> FC(4)",
}
LOSSES = ["cross_entropy", "cross_entropy(label_smoothing=0.1)", "mse", "hinge"]
END = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
LOSS = pytest.mark.parametrize("loss", LOSSES)


def net_of(end: str, settings: str) -> Any:
    return cnnc.parse(f"{BODY}{end}\ntrain {{ optimizer = sgd  {settings} }}")


def data(program: Compiled, n: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    places = program.training.loss.places(program.net.output_shape)
    x = rng.normal(size=(n, *program.net.input_shape)).astype("float32")
    return x, rng.integers(0, 4, (n, *places)), rng.integers(0, 4, (n, *places))


def digest(program: Compiled) -> str:
    found = hashlib.sha256()
    for name, weight in program.weights.items():
        found.update(name.encode() + weight.tobytes())
    return found.hexdigest()


# -- mixup -------------------------------------------------------------------------------------


@LOSS
@END
@pytest.mark.parametrize("share", [0.3, 0.0])
def test_a_mixed_step_lies_between_the_steps_of_both_classes(
    end: str, loss: str, share: float
) -> None:
    program = net_of(end, f"loss = {loss}  augment = [mixup]").compile(
        batch=7, shards=3, dtype="float64"
    )
    x, y, other = data(program, 7)
    before = dict(program.weights)
    first, grads = program.loss_and_grads(x, y)
    second, other_grads = program.loss_and_grads(x, other)
    program.lr = 0.5
    value = program.step(x, y, other, share)
    assert value == pytest.approx(share * first + (1 - share) * second, rel=1e-12)
    for name, grad in grads.items():
        expected = before[name] - 0.5 * (share * grad + (1 - share) * other_grads[name])
        assert program.weights[name] == pytest.approx(expected, rel=1e-9, abs=1e-14)


@LOSS
@END
def test_without_another_class_it_is_the_usual_step_to_the_bit(end: str, loss: str) -> None:
    settings = f"loss = {loss}"
    usual = net_of(end, settings).compile(batch=6, shards=2)
    mixing = net_of(end, f"{settings}  augment = [mixup]").compile(batch=6, shards=2)
    for step in range(5):
        x, y, _ = data(usual, 6 - step % 2, step)
        assert usual.step(x, y) == mixing.step(x, y)
    assert digest(usual) == digest(mixing)


def test_other_classes_are_checked_and_refused_where_nothing_mixes() -> None:
    mixing = net_of(ENDS["vector"], "augment = [mixup]").compile(batch=4)
    usual = net_of(ENDS["vector"], "").compile(batch=4)
    x, y, other = data(usual, 4)
    with pytest.raises(ValueError, match="y has class 4"):
        mixing.step(x, y, np.full(4, 4), 0.5)
    with pytest.raises(ValueError, match="trained with mixup"):
        usual.step(x, y, other, 0.5)


def test_samples_are_mixed_by_the_formula() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)).astype("float32"), np.arange(9)
    kept = x.copy()
    new, other, share = mixed(Mixup(a=0.5), x, y, 0, 0, 1)
    assert sorted(other) == list(range(9)) != list(other)
    assert new.dtype == "float32" and 0 <= share <= 1
    expected = share * kept.astype("float64") + (1 - share) * kept[other].astype("float64")
    assert new == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert np.array_equal(x, kept)


def test_mixing_is_a_function_of_seed_epoch_and_step() -> None:
    x, y = np.random.default_rng(0).normal(size=(30, 3)).astype("float32"), np.arange(30)
    keys = [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 1), (2**40, 0, 1)]
    seen = [mixed(Mixup(), x, y, *key) for key in keys]
    assert len({share for _, _, share in seen}) == len({tuple(o) for _, o, _ in seen}) == len(keys)
    for key, (new, other, share) in zip(keys, seen, strict=True):
        again = mixed(Mixup(), x, y, *key)
        assert np.array_equal(again[0], new) and np.array_equal(again[1], other)
        assert again[2] == share


@pytest.mark.parametrize("a", [0.2, 1.0, 8.0])
def test_the_share_is_betas(a: float) -> None:
    one = np.zeros((1, 1), "float32"), np.zeros(1, int)
    shares = [mixed(Mixup(a=a), *one, 0, 0, step)[2] for step in range(4000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * a + 1)), rel=0.06)


# -- threads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 4, 5])
@pytest.mark.parametrize("optimizer", ["sgd(momentum=0.9)", "adamw", "rmsprop(centered=true)"])
def test_threads_change_no_bit(shards: int, optimizer: str) -> None:
    net = cnnc.parse(
        f"""{BODY} DROPOUT(0.2) -> POOL(2) -> FC(4)
        train {{ optimizer = {optimizer}  clip = 0.05  augment = [mixup]  loss = hinge }}"""
    )
    seen = set()
    for threads in (1, 2, 4):
        program = net.compile(batch=16, shards=shards, threads=threads)
        losses = []
        for step in range(8):
            x, y, _ = data(program, 16 - step % 3, step)
            x, other, share = mixed(Mixup(), x, y, 0, 0, step)
            losses.append(program.step(x, y, other, share))
        seen.add((tuple(losses), digest(program)))
    assert len(seen) == 1


def test_whole_runs_are_the_same_on_any_threads(tmp_path: Path) -> None:
    block = """
        batch = 16  epochs = 2  optimizer = adamw  schedule = plateau(0)  clip = 0.5  loss = mse
        augment = [flip, crop(1), rotate(20), jitter, cutout(2), mixup(0.4)]
    """
    net = cnnc.parse(f"{BODY} POOL(2) -> FC(4)\ntrain {{ {block} }}")
    seen = set()
    for threads in (1, 2, 4):
        run = cnnc.train(net, "random:70", tmp_path / str(threads), threads=threads)
        losses = tuple((epoch.loss, epoch.accuracy, epoch.val_loss) for epoch in run.history)
        seen.add((losses, digest(run.compiled)))
    assert len(seen) == 1
    other = cnnc.train(net, "random:70", tmp_path / "other", seed=1)
    assert digest(other.compiled) != next(iter(seen))[1]


# -- clip --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 3])
def test_a_step_moves_by_the_clipped_gradient(shards: int) -> None:
    program = net_of(ENDS["vector"], "clip = 0.1").compile(batch=6, shards=shards, dtype="float64")
    x, y, _ = data(program, 6)
    before = dict(program.weights)
    loss, grads = program.loss_and_grads(x, y)
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
    assert norm > 0.1
    program.lr = 1.0
    assert program.step(x, y) == loss
    for name, grad in grads.items():
        expected = before[name] - grad * 0.1 / (norm + 1e-6)
        assert program.weights[name] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_loss_and_grads_gives_what_is_not_clipped() -> None:
    usual = net_of(ENDS["vector"], "").compile(batch=6)
    clipping = net_of(ENDS["vector"], "clip = 1e-3").compile(batch=6)
    x, y, _ = data(usual, 6)
    expected = usual.loss_and_grads(x, y)[1]
    for _ in range(2):
        found = clipping.loss_and_grads(x, y)[1]
        assert all(np.array_equal(found[name], grad) for name, grad in expected.items())
        clipping.lr = 0.0
        clipping.step(x, y)


def test_frozen_weights_are_no_part_of_the_norm() -> None:
    text = f"{BODY.replace('pad=1', 'pad=1, freeze=true')} FC(4)\ntrain {{ clip = 0.1 }}"
    program = cnnc.parse(text).compile(batch=4, optimizer="sgd", dtype="float64")
    x, y, _ = data(program, 4)
    before = dict(program.weights)
    program.lr = 1.0
    program.step(x, y)
    moved = {name: before[name] - program.weights[name] for name in before}
    assert not moved["conv1.weight"].any()
    assert sum(np.sum(m**2) for m in moved.values()) == pytest.approx(0.01, rel=1e-5)


def test_the_listing_shows_the_meetings() -> None:
    listing = net_of(ENDS["vector"], "clip = 1  augment = [mixup]").compile(batch=16).listing()
    lines = [line.split()[1:3] for line in listing.splitlines()]
    joint = lines[lines.index(["all", "parts"]) + 1 :]
    assert joint[:3] == [["loss", "mean"], ["loss", "mean"], ["loss", "add"]]
    clip = joint.index(["gradients", "clip"])
    assert joint[clip - 1][1] == "add" and joint[clip + 1][1] == "update"
