"""Schedules against closed forms and PyTorch's."""

from __future__ import annotations

from math import cos, inf, nan, pi
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cnnc.compiler.arguments import BadValue
from cnnc.compiler.training.schedules import (
    Constant,
    Cosine,
    Moment,
    MultiStep,
    Plateau,
    Poly,
    Schedule,
    Step,
)

PER_EPOCH, EPOCHS = 7, 9


def factors(schedule: Schedule, per_epoch: int = PER_EPOCH, epochs: int = EPOCHS) -> list[float]:
    """The factor at each step of a run."""
    return [
        schedule.factor(Moment(step, step // per_epoch, per_epoch, epochs))
        for step in range(per_epoch * epochs)
    ]


def watching(plateau: Plateau, losses: list[float]) -> list[float]:
    """The factor in each epoch, and in the one after the last."""
    return [
        plateau.factor(Moment(epoch * PER_EPOCH, epoch, PER_EPOCH, len(losses) + 1, losses[:epoch]))
        for epoch in range(len(losses) + 1)
    ]


def test_constant() -> None:
    assert set(factors(Constant())) == {1.0}


def test_step_counts_epochs() -> None:
    by_epoch = factors(Step(every=2, gamma=0.5))[::PER_EPOCH]
    assert by_epoch == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    assert len(set(factors(Step(every=2, gamma=0.5))[:14])) == 1  # not within an epoch


def test_multistep_counts_epochs() -> None:
    by_epoch = factors(MultiStep(milestones=[2, 3, 7, 20], gamma=0.5))[::PER_EPOCH]
    assert by_epoch == [1, 1, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125]
    whole = factors(MultiStep(milestones=[2], gamma=0.5))
    assert whole == [1.0] * 14 + [0.5] * 49


@pytest.mark.parametrize("wrong", [[], [3, 3], [1, 5, 4], [0, 1], [1.5], 3])
def test_multistep_wants_increasing_epochs(wrong: Any) -> None:
    with pytest.raises(BadValue):
        MultiStep(milestones=wrong)


def test_cosine_goes_from_1_to_0_step_by_step() -> None:
    found = factors(Cosine())
    total = PER_EPOCH * EPOCHS
    assert found == pytest.approx([(1 + cos(pi * t / total)) / 2 for t in range(total)], abs=1e-12)
    assert Cosine().factor(Moment(total, EPOCHS, PER_EPOCH, EPOCHS)) == pytest.approx(0, abs=1e-12)


def test_warmup_rises_to_1_and_the_cosine_takes_the_rest() -> None:
    found = factors(Cosine(warmup=2))
    assert found[:14] == pytest.approx([(t + 1) / 14 for t in range(14)])
    left = PER_EPOCH * EPOCHS - 14
    assert found[14:] == pytest.approx([(1 + cos(pi * t / left)) / 2 for t in range(left)])


@pytest.mark.parametrize("warmup", [0.3, 9, 20])
def test_any_warmup_stays_between_0_and_1(warmup: float) -> None:
    found = factors(Cosine(warmup=warmup))
    assert all(0 <= factor <= 1 for factor in found)
    assert found[0] > 0


def test_poly_goes_from_1_to_0_step_by_step() -> None:
    total = PER_EPOCH * EPOCHS
    assert factors(Poly()) == pytest.approx([1 - t / total for t in range(total)])
    assert factors(Poly(power=0.9)) == pytest.approx([(1 - t / total) ** 0.9 for t in range(total)])
    assert Poly(power=2).factor(Moment(total, EPOCHS, PER_EPOCH, EPOCHS)) == 0


def test_plateau_waits_for_patience_and_counts_anew() -> None:
    flat = watching(Plateau(patience=2, gamma=0.5), [1.0] * 10)
    # epoch 0 is better than nothing; then 3 that are not, three times
    assert flat == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    assert watching(Plateau(patience=0, gamma=0.5), [1.0, 1.0, 0.9]) == [1, 1, 0.5, 0.5]


def test_plateau_stays_while_the_test_loss_falls() -> None:
    assert set(watching(Plateau(patience=0), [0.99**i for i in range(50)])) == {1.0}
    # less than a ten-thousandth is no fall
    assert watching(Plateau(patience=0, gamma=0.5), [1, 1 - 0.9e-4, 1 - 1.1e-4]) == [1, 1, 0.5, 0.5]


def test_a_test_loss_that_is_no_number_is_not_better() -> None:
    assert watching(Plateau(patience=0, gamma=0.5), [nan, 1.0, inf, nan]) == [
        1,
        0.5,
        0.5,
        0.25,
        0.125,
    ]


@pytest.mark.parity
@pytest.mark.parametrize(
    "schedule",
    [
        Step(every=3, gamma=0.3),
        MultiStep(milestones=[2, 5, 6], gamma=0.3),
        Cosine(),
        Poly(),
        Poly(power=2.5),
    ],
    ids=str,
)
def test_as_pytorch(torch: ModuleType, schedule: Schedule) -> None:
    moving = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    kinds, total = torch.optim.lr_scheduler, PER_EPOCH * EPOCHS
    mine = factors(schedule)
    if isinstance(schedule, Step):
        theirs, mine = kinds.StepLR(moving, schedule.every, schedule.gamma), mine[::PER_EPOCH]
    elif isinstance(schedule, MultiStep):
        theirs = kinds.MultiStepLR(moving, list(schedule.milestones), schedule.gamma)
        mine = mine[::PER_EPOCH]
    elif isinstance(schedule, Poly):
        theirs = kinds.PolynomialLR(moving, total, schedule.power)
    else:
        theirs = kinds.CosineAnnealingLR(moving, total)
    for factor in mine:
        assert factor == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        moving.step()
        theirs.step()


@pytest.mark.parity
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("patience", [0, 1, 3])
def test_plateau_as_pytorch(torch: ModuleType, patience: int, seed: int) -> None:
    """Losses that fall on the whole, with noise, steps at the threshold, and equal ones."""
    rng = np.random.default_rng(seed)
    falling = np.repeat(1 / np.arange(1, 7) ** 0.3, 8)
    losses = (falling * rng.choice([1, 1 - 0.5e-4, 1 - 2e-4, 1.01, 1.1], 48)).tolist()
    schedule = Plateau(patience=patience, gamma=0.5)
    moving = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        moving, factor=0.5, patience=patience, eps=0
    )
    expected = [1.0]
    for loss in losses:
        theirs.step(loss)
        expected.append(moving.param_groups[0]["lr"])
    assert watching(schedule, losses) == pytest.approx(expected, rel=1e-12)
    assert expected[-1] < 1


@pytest.mark.parity
def test_plateaus_defaults_are_pytorchs(torch: ModuleType) -> None:
    moving = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(moving)
    assert (theirs.patience, theirs.factor) == (Plateau().patience, Plateau().gamma)
    assert (theirs.mode, theirs.threshold, theirs.threshold_mode) == ("min", 1e-4, "rel")
    assert (theirs.cooldown, theirs.min_lrs) == (0, [0.0])
