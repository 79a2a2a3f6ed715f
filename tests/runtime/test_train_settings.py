"""What the trainer makes of the settings of a train block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime import data as sources
from cnnc.runtime.batches import batches, mixed

CHAIN = "INPUT(1x4x4) -> FC(3)"
STILL = "lr = 1e-30  optimizer = sgd  batch = 8"  # so small that no weight moves


@pytest.fixture
def npz(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 1, 4, 4)).astype("float32"), rng.integers(0, 3, 30)
    np.savez(tmp_path / "data.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    return f"npz:{tmp_path / 'data.npz'}"


def train(npz: str, out: Path, settings: str) -> Any:
    return cnnc.train(cnnc.parse(f"{CHAIN}\ntrain {{ {settings} }}"), npz, out)


def test_plateau_watches_the_test_loss(npz: str, tmp_path: Path) -> None:
    settings = f"epochs = 6  schedule = plateau(patience=1, gamma=0.5)  {STILL}"
    lrs = [epoch.lr for epoch in train(npz, tmp_path / "run", settings).history]
    # The first epoch is better than nothing; then two that are not, and so on.
    assert lrs == [1e-30, 1e-30, 1e-30, 0.5e-30, 0.5e-30, 0.25e-30]


def test_a_schedule_moves_by_epochs_and_steps(npz: str, tmp_path: Path) -> None:
    settings = f"epochs = 4  schedule = multistep([1, 3], 0.5)  {STILL}"
    lrs = [epoch.lr for epoch in train(npz, tmp_path / "epochs", settings).history]
    assert lrs == [1e-30, 0.5e-30, 0.5e-30, 0.25e-30]
    settings = f"epochs = 4  schedule = poly  {STILL}"
    lrs = [epoch.lr for epoch in train(npz, tmp_path / "steps", settings).history]
    assert lrs == pytest.approx([1e-30 * (1 - step / 12) for step in (2, 5, 8, 11)])


@pytest.mark.parametrize("change", ["flip", "crop(1)", "rotate", "jitter", "cutout(2)", "mixup"])
def test_every_augmentation_changes_what_is_trained(change: str, npz: str, tmp_path: Path) -> None:
    plain = train(npz, tmp_path / "plain", f"epochs = 2  {STILL}").history
    changed = train(npz, tmp_path / "run", f"epochs = 2  {STILL}  augment = [{change}]").history
    assert plain[0].loss == pytest.approx(plain[1].loss)
    # Anew in each epoch; the test samples stay as they are.
    assert changed[0].loss != pytest.approx(plain[0].loss, rel=1e-6)
    assert changed[0].loss != pytest.approx(changed[1].loss, rel=1e-6)
    assert [e.val_loss for e in changed] == [e.val_loss for e in plain]


def test_mixed_samples_count_as_right_in_parts(npz: str, tmp_path: Path) -> None:
    run = train(npz, tmp_path / "run", f"epochs = 1  {STILL}  augment = [flip, mixup(2)]")
    training, right = run.compiled.training, 0.0
    split = sources.load(npz, (1, 4, 4), 0, 3).train
    found = batches(split, 8, training.seed, 0, training.changes)
    for number, (x, y) in enumerate(found, start=1):
        x, other, share = mixed(training.mixup, x, y, training.seed, 0, number)
        best = run.compiled.predict(x).argmax(axis=1)
        right += share * np.sum(best == y) + (1 - share) * np.sum(best == other)
    assert right % 1 != 0
    assert run.history[0].accuracy == pytest.approx(right / 20)


@pytest.mark.parametrize("loss", ["mse", "hinge", "cross_entropy(label_smoothing=0.1)"])
@pytest.mark.parametrize("end", ["", " -> SOFTMAX", " -> TANH -> RBF(3, codes=CODES)"])
def test_training_and_evaluation_take_the_same_loss(
    loss: str, end: str, npz: str, tmp_path: Path
) -> None:
    end = end.replace("CODES", "[[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]")
    net = cnnc.parse(f"{CHAIN}{end}\ntrain {{ loss = {loss}  epochs = 1  {STILL} }}")
    run = cnnc.train(net, npz, tmp_path / "run")
    split = sources.load(npz, (1, 4, 4), 0, 3)
    for part, measured in (
        (split.train, run.history[0].loss),
        (split.test, run.history[0].val_loss),
    ):
        program = net.compile(batch=len(part.x))
        for name, weight in run.compiled.weights.items():
            program.weights[name] = weight
        assert program.loss_and_grads(part.x, part.y)[0] == pytest.approx(measured, rel=1e-5)


def test_mse_is_of_the_probabilities_where_the_net_ends_in_softmax() -> None:
    program = cnnc.parse(f"{CHAIN} -> SOFTMAX").compile(batch=5, loss="mse", dtype="float64")
    x, y = np.random.default_rng(0).normal(size=(5, 1, 4, 4)), np.array([0, 1, 2, 1, 0])
    off = program.predict(x) - np.eye(3)[y]
    assert program.step(x, y) == pytest.approx(np.mean(off**2), rel=1e-12)


def test_hinge_is_of_the_scores_where_the_net_ends_in_softmax() -> None:
    x, y = np.random.default_rng(0).normal(size=(5, 1, 4, 4)), np.array([0, 1, 2, 1, 0])
    losses = [
        cnnc.parse(f"{CHAIN}{end}").compile(batch=5, loss="hinge", dtype="float64").step(x, y)
        for end in ("", " -> SOFTMAX")
    ]
    assert losses[0] == losses[1]
