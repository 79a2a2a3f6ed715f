"""Epochs of steps: the schedule, the shuffling, what is measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnc.compiler.layers.layer import Array
from cnnc.compiler.training.schedules import Moment

from .batches import batches, mixed
from .compiled import Compiled
from .data import Dataset
from .errors import RunError
from .evaluate import classes_of, evaluate
from .interrupts import interrupts_held
from .metrics import Epoch
from .reuse import Reuse


@dataclass(frozen=True)
class Progress:
    """Where training stands after a step.

    loss, accuracy   over this epoch's samples so far
    seconds          since training began
    """

    epoch: int
    epochs: int
    step: int  # within the epoch, from 1
    steps: int  # an epoch
    loss: float
    accuracy: float
    lr: float
    seconds: float


class Watch:
    """Looks on while training runs. The base looks away."""

    def on_reuse(self, reuse: Reuse) -> None:
        """Before all else, where a run begins with weights of another."""

    def on_start(self, compiled: Compiled, dataset: Dataset, folder: Path) -> None:
        """Before the first step; `folder` is the run's."""

    def on_step(self, progress: Progress) -> None:
        """After every step."""

    def on_epoch(self, epoch: Epoch, epochs: int) -> None:
        """After every epoch, once it is saved."""


class Diverged(RunError):
    """The loss is no number any more; `kept` whole epochs were saved before."""

    def __init__(self, message: str, lr: float, kept: int) -> None:
        weights = "no whole epoch was trained, so no weights are kept"
        if kept:
            weights = f"the weights of epoch {kept} are kept"
        super().__init__(message, (f"a smaller learning rate: --lr {lr / 10:g}", weights))


def train_epochs(
    compiled: Compiled,
    dataset: Dataset,
    watch: Watch,
    save: Callable[[Epoch], None],
) -> list[Epoch]:
    """Train as the net's training settings say.

    save   called after every epoch, before the next begins
    """
    training = compiled.training
    steps = math.ceil(len(dataset.train.x) / training.batch)
    began = time.perf_counter()
    history: list[Epoch] = []
    for epoch in range(training.epochs):
        epoch_began = time.perf_counter()
        total, right, seen = 0.0, 0.0, 0
        test_losses = [done.val_loss for done in history]
        data = batches(dataset.train, training.batch, training.seed, epoch, training.changes)
        for number, (x, y) in enumerate(data, start=1):
            moment = Moment(compiled.steps, epoch, steps, training.epochs, test_losses)
            compiled.lr = training.lr * training.schedule.factor(moment)
            other, share = None, 1.0
            if training.mixup is not None:
                x, other, share = mixed(training.mixup, x, y, training.seed, epoch, number)
            loss, scores = compiled.step_scored(x, y, other, share)
            if not math.isfinite(loss):
                where = f"in epoch {epoch + 1}, step {number} of {steps}"
                raise Diverged(f"the loss is {loss} {where}", training.lr, epoch)
            total += loss * len(x)
            right += _right(scores, y, other, share)
            seen += len(x)
            watch.on_step(
                Progress(
                    epoch + 1, training.epochs, number, steps, total / seen,
                    right / (seen * max(1, y[0].size)), compiled.lr, time.perf_counter() - began,
                )
            )  # fmt: skip
        test = evaluate(compiled, dataset.test)
        if not math.isfinite(test.loss):  # the epoch's last step was one too far
            what = f"the loss of the test samples is {test.loss} after epoch {epoch + 1}"
            raise Diverged(what, training.lr, epoch)
        record = Epoch(
            epoch + 1, compiled.steps, total / seen, right / (seen * max(1, y[0].size)),
            test.loss, test.accuracy, compiled.lr, time.perf_counter() - epoch_began,
        )  # fmt: skip
        with interrupts_held():  # what is kept and what is said of it go together
            save(record)
            history.append(record)
            watch.on_epoch(record, training.epochs)
    return history


def _right(scores: Array, y: Array, other: Array | None, share: float) -> float:
    """How many are right; a mixed sample counts in parts, as in its loss."""
    predicted = classes_of(scores)
    right = share * np.count_nonzero(predicted == y)
    if other is not None:
        right += (1 - share) * np.count_nonzero(predicted == other)
    return right
