"""Schedules against closed forms and PyTorch's."""

from __future__ import annotations

from math import cos, pi
from types import ModuleType

import pytest

from cnnc.compiler.training.schedules import Constant, Cosine, Schedule, Step

PER_EPOCH, EPOCHS = 7, 9


def factors(schedule: Schedule, per_epoch: int = PER_EPOCH, epochs: int = EPOCHS) -> list[float]:
    """The factor at each step of a run."""
    return [
        schedule.factor(step, step // per_epoch, per_epoch, epochs)
        for step in range(per_epoch * epochs)
    ]


def test_constant() -> None:
    assert set(factors(Constant())) == {1.0}


def test_step_counts_epochs() -> None:
    by_epoch = factors(Step(every=2, gamma=0.5))[::PER_EPOCH]
    assert by_epoch == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    assert len(set(factors(Step(every=2, gamma=0.5))[:14])) == 1  # not within an epoch


def test_cosine_goes_from_1_to_0_step_by_step() -> None:
    found = factors(Cosine())
    total = PER_EPOCH * EPOCHS
    assert found == pytest.approx([(1 + cos(pi * t / total)) / 2 for t in range(total)], abs=1e-12)
    assert Cosine().factor(total, EPOCHS, PER_EPOCH, EPOCHS) == pytest.approx(0, abs=1e-12)


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


@pytest.mark.parity
@pytest.mark.parametrize("schedule", [Step(every=3, gamma=0.3), Cosine()], ids=str)
def test_as_pytorch(torch: ModuleType, schedule: Schedule) -> None:
    moving = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    if isinstance(schedule, Step):
        theirs = torch.optim.lr_scheduler.StepLR(moving, schedule.every, schedule.gamma)
        mine = factors(schedule)[::PER_EPOCH]
    else:
        theirs = torch.optim.lr_scheduler.CosineAnnealingLR(moving, PER_EPOCH * EPOCHS)
        mine = factors(schedule)
    for factor in mine:
        assert factor == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        moving.step()
        theirs.step()
