"""Epochs of steps against a plain computation, and the same bits whatever the machine does."""

from __future__ import annotations

import os
import re
import signal
from math import cos, pi
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime.batches import batches, shuffled
from cnnc.runtime.compiled import Compiled
from cnnc.runtime.data import Dataset, Split
from cnnc.runtime.errors import RunError
from cnnc.runtime.metrics import Epoch
from cnnc.runtime.trainer import Diverged, Progress, Watch, train_epochs

SAMPLES, TESTS, BATCH, EPOCHS = 23, 6, 5, 4
STEPS = 5  # an epoch: four batches of 5 and one of 3
SMALL = "INPUT(1x6x5) -> CONV(4, 3, pad=1) -> BN -> RELU -> POOL(2) -> DROPOUT(0.3) -> FC(3)"


def dataset(shape: tuple[int, ...], classes: int = 3, samples: int = SAMPLES) -> Dataset:
    rng = np.random.default_rng(5)

    def split(n: int) -> Split:
        x = rng.normal(size=(n, *shape)).astype("float32")
        return Split(x, rng.integers(0, classes, n))

    return Dataset("toy", split(samples), split(TESTS), classes, "made here")


def compiled(text: str, settings: str = "", threads: int = 1, dtype: str = "float32") -> Compiled:
    net = cnnc.parse(f"{text}\ntrain {{ batch = {BATCH} epochs = {EPOCHS} {settings} }}")
    seed = net.training.seed
    return net.compile(batch=BATCH, seed=seed, shards=2, threads=threads, dtype=dtype)


def trained(program: Compiled, watch: Watch | None = None, **sizes: Any) -> list[Epoch]:
    data = dataset(program.net.input_shape, **sizes)
    return train_epochs(program, data, watch or Watch(), lambda epoch: None)


class Recorder(Watch):
    def __init__(self) -> None:
        self.steps: list[Progress] = []
        self.epochs: list[tuple[Epoch, int]] = []

    def on_step(self, progress: Progress) -> None:
        self.steps.append(progress)

    def on_epoch(self, epoch: Epoch, epochs: int) -> None:
        self.epochs.append((epoch, epochs))


# -- against plain NumPy -------------------------------------------------------------------


def softmax(scores: Any) -> Any:
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Regression:
    """Softmax regression in a dozen lines: what `INPUT(4) -> FC(3)` trains to."""

    def __init__(self, weight: Any, bias: Any, momentum: float, decay: float) -> None:
        self.w = np.concatenate([weight, bias[:, None]], axis=1)  # (3, 5)
        self.v, self.momentum, self.decay = np.zeros_like(self.w), momentum, decay

    def judged(self, x: Any, y: Any) -> tuple[Any, Any, Any]:
        """Probabilities, loss of each sample, and whether it is right."""
        p = softmax(x @ self.w[:, :4].T + self.w[:, 4])  # (N, 3)
        return p, -np.log(p[np.arange(len(y)), y]), p.argmax(axis=1) == y

    def step(self, x: Any, y: Any, lr: float) -> tuple[Any, Any]:
        p, loss, right = self.judged(x, y)
        x1 = np.concatenate([x, np.ones((len(x), 1))], axis=1)  # (N, 5)
        gradient = (p - np.eye(3)[y]).T @ x1 / len(y) + self.decay * self.w
        self.v = self.momentum * self.v + gradient
        self.w = self.w - lr * self.v
        return loss, right


def test_metrics_and_weights_are_those_of_a_plain_computation() -> None:
    """The last, smaller batch is trained too, and counts by its samples."""
    settings = "lr = 0.3 optimizer = sgd(momentum=0.8) weight_decay = 0.01 schedule = cosine seed=7"
    program = compiled("INPUT(4) -> FC(3)", settings, dtype="float64")
    plain = Regression(program.weights["fc1.weight"], program.weights["fc1.bias"], 0.8, 0.01)
    history = trained(program)
    data = dataset((4,))
    for epoch, found in enumerate(history):
        losses, rights = [], []
        order = shuffled(SAMPLES, 7, epoch)
        for step in range(STEPS):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            lr = 0.3 * (1 + cos(pi * (epoch * STEPS + step) / (EPOCHS * STEPS))) / 2
            loss, right = plain.step(data.train.x[chosen], data.train.y[chosen], lr)
            losses.extend(loss)
            rights.extend(right)
        assert len(losses) == SAMPLES
        assert (found.epoch, found.step) == (epoch + 1, (epoch + 1) * STEPS)
        assert found.loss == pytest.approx(np.mean(losses), rel=1e-12)
        assert found.accuracy == pytest.approx(np.mean(rights), rel=1e-12)
        _, loss, right = plain.judged(data.test.x, data.test.y)
        assert found.val_loss == pytest.approx(np.mean(loss), rel=1e-12)
        assert found.val_accuracy == pytest.approx(np.mean(right), rel=1e-12)
        assert found.lr == pytest.approx(lr, rel=1e-12)
        assert found.seconds > 0
    assert program.weights["fc1.weight"] == pytest.approx(plain.w[:, :4], rel=1e-10)
    assert program.weights["fc1.bias"] == pytest.approx(plain.w[:, 4], rel=1e-10)


def test_float32_differs_in_the_last_digits_only() -> None:
    settings = "lr = 0.3 optimizer = sgd(momentum=0.8)"
    exact, usual = (
        compiled("INPUT(4) -> FC(3)", settings, dtype=dtype) for dtype in ("float64", "float32")
    )
    for one, other in zip(trained(exact), trained(usual), strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-5)
        assert other.val_loss == pytest.approx(one.val_loss, rel=1e-5)


# -- the schedule --------------------------------------------------------------------------


def cosine(step: int, warm: int) -> float:
    """Warmup counts epochs; it and the cosine move at every step, the cosine to 0."""
    if step < warm:
        return (step + 1) / warm
    return (1 + cos(pi * (step - warm) / (EPOCHS * STEPS - warm))) / 2


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ("constant", lambda step: 1),
        ("step(every=1, gamma=0.5)", lambda step: 0.5 ** (step // STEPS)),
        ("step(every=3)", lambda step: 0.1 ** (step // STEPS // 3)),
        ("cosine", lambda step: cosine(step, 0)),
        ("cosine(warmup=1)", lambda step: cosine(step, STEPS)),
    ],
)
def test_the_learning_rate_moves_as_the_schedule_says(schedule: str, factor: Any) -> None:
    program, watch = compiled("INPUT(4) -> FC(3)", f"lr = 0.2 schedule = {schedule}"), Recorder()
    history = trained(program, watch)
    expected = [0.2 * factor(step) for step in range(EPOCHS * STEPS)]
    assert [p.lr for p in watch.steps] == pytest.approx(expected, rel=1e-12)
    assert [e.lr for e in history] == pytest.approx(expected[STEPS - 1 :: STEPS], rel=1e-12)


# -- the same bits -------------------------------------------------------------------------


def bits(program: Compiled, history: list[Epoch]) -> Any:
    measured = [(e.step, e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.lr) for e in history]
    weights = {name: weight.tobytes() for name, weight in program.weights.items()}
    return measured, weights, {name: s.tobytes() for name, s in program.state().items()}


@pytest.mark.parametrize("optimizer", ["sgd(momentum=0.9)", "adam"])
def test_threads_change_no_bit_of_a_run(optimizer: str) -> None:
    """With BN, DROPOUT, augmentation, and batches that divide neither samples nor parts."""
    settings = f"lr = 0.01 optimizer = {optimizer} augment = [flip, crop(1)] schedule = cosine"
    first, *others = (
        bits(program, trained(program))
        for program in (compiled(SMALL, settings, threads) for threads in (1, 2, 4))
    )
    assert first[2]
    assert all(other == first for other in others)


def test_a_seed_decides_everything() -> None:
    def run(seed: int) -> Any:
        program = compiled(SMALL, f"augment = [flip, crop(1)] seed = {seed}")
        return bits(program, trained(program))

    first = run(1)
    assert run(1) == first
    other = run(2)
    assert other[0] != first[0] and other[1] != first[1]


def test_augmented_shuffled_batches_are_what_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compiled(SMALL, "augment = [flip] seed = 3")
    seen = []
    step = program.step_scored
    monkeypatch.setattr(program, "step_scored", lambda *of: seen.append(of[:2]) or step(*of))
    trained(program)
    train = dataset((1, 6, 5)).train
    augment = program.training.augment
    expected = [b for epoch in range(EPOCHS) for b in batches(train, BATCH, 3, epoch, augment)]
    assert len(seen) == len(expected) == EPOCHS * STEPS
    for (x, y), (x_, y_) in zip(seen, expected, strict=True):
        assert np.array_equal(x, x_) and np.array_equal(y, y_)


# -- looking on ----------------------------------------------------------------------------


def test_a_watch_sees_every_step_and_every_epoch() -> None:
    watch = Recorder()
    history = trained(compiled(SMALL), watch)
    places = [(p.epoch, p.epochs, p.step, p.steps) for p in watch.steps]
    assert places == [
        (e, EPOCHS, s, STEPS) for e in range(1, EPOCHS + 1) for s in range(1, STEPS + 1)
    ]
    assert watch.epochs == [(epoch, EPOCHS) for epoch in history]
    for last, epoch in zip(watch.steps[STEPS - 1 :: STEPS], history, strict=True):
        assert (last.loss, last.accuracy) == (epoch.loss, epoch.accuracy)
    seconds = [p.seconds for p in watch.steps]
    assert seconds == sorted(seconds)


def test_an_epoch_is_saved_before_it_is_told_and_before_the_next() -> None:
    events: list[str] = []

    class Log(Watch):
        def on_step(self, progress: Progress) -> None:
            if progress.step == 1:
                events.append(f"begin {progress.epoch}")

        def on_epoch(self, epoch: Epoch, epochs: int) -> None:
            events.append(f"told {epoch.epoch}")

    data = dataset((1, 6, 5))
    train_epochs(compiled(SMALL), data, Log(), lambda epoch: events.append(f"saved {epoch.epoch}"))
    whats = ("begin", "saved", "told")
    assert events == [f"{what} {e}" for e in range(1, EPOCHS + 1) for what in whats]


def test_ctrl_c_while_saving_waits_until_the_epoch_is_told() -> None:
    """So that what is said to be kept is what is kept."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch = Recorder()
    saved = []

    def save(epoch: Epoch) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        saved.append(epoch)

    try:
        with pytest.raises(KeyboardInterrupt):
            train_epochs(compiled(SMALL), dataset((1, 6, 5)), watch, save)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert [epoch for epoch, _ in watch.epochs] == saved
    assert len(saved) == 1


# -- a loss that runs away -----------------------------------------------------------------


def diverged(settings: str, samples: int = SAMPLES) -> tuple[Diverged, list[Epoch]]:
    program = compiled("INPUT(4) -> FC(3) -> FC(3) -> FC(3)", settings)
    saved: list[Epoch] = []
    with pytest.raises(Diverged) as caught:
        train_epochs(program, dataset((4,), samples=samples), Watch(), saved.append)
    assert isinstance(caught.value, RunError)
    return caught.value, saved


def test_a_loss_that_is_no_number_ends_the_run_at_that_step() -> None:
    error, saved = diverged("lr = 1e15")
    assert not saved
    assert re.fullmatch(r"the loss is (nan|inf) in epoch 1, step [2-5] of 5", error.message)
    assert error.help == (
        "a smaller learning rate: --lr 1e+14",
        "no whole epoch was trained, so no weights are kept",
    )


def test_the_epochs_before_are_kept() -> None:
    """A rate that rises in the second epoch only."""
    error, saved = diverged("lr = 1e-3 schedule = step(every=1, gamma=1e18)")
    assert [epoch.epoch for epoch in saved] == [1]
    assert re.fullmatch(r"the loss is (nan|inf) in epoch 2, step [1-5] of 5", error.message)
    assert error.help[1] == "the weights of epoch 1 are kept"


def test_an_epoch_whose_last_step_ran_away_is_not_kept() -> None:
    """Its own losses were still numbers: they were taken before the update."""
    error, saved = diverged("lr = 1e18", samples=BATCH)
    assert not saved
    assert error.message == "the loss of the test samples is nan after epoch 1"
    assert error.help[1] == "no whole epoch was trained, so no weights are kept"
