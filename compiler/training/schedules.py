"""How the learning rate moves. Plain arithmetic on what is counted and was measured.

A schedule keeps nothing: a run that is taken up again goes on with the same factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, inf, pi

from cnnc.dsl.record import Record

from ..arguments import BadValue, Declared, arg, integer, list_of, number

BETTER = 1 - 1e-4  # times the least loss so far: what counts as smaller to plateau


class Moment(Record):
    """A step of a run.

    step, epoch   both from 0, over the whole run
    test_losses   of the epochs before this one
    """

    step: int
    epoch: int
    steps_per_epoch: int
    epochs: int
    test_losses: Sequence[float] = ()


class Schedule(Declared):
    """The base: a factor on the learning rate."""

    def require(self, epochs: int) -> None:
        """Raise BadValue for a run that it is too long for.

        A run that is shorter only because `--epochs` says so is not asked: it is a trial.
        """

    def factor(self, at: Moment) -> float:
        """The factor at a moment."""
        raise NotImplementedError


class Constant(Schedule):
    """The same throughout."""

    word = "constant"

    def factor(self, at: Moment) -> float:
        """See the class."""
        return 1.0


class Step(Schedule):
    """Multiplied by gamma every so many epochs; as PyTorch's StepLR."""

    word = "step"

    every: int = arg(integer(at_least=1), "after how many epochs")
    gamma: float = arg(number(above=0), "the factor", default=0.1)

    def factor(self, at: Moment) -> float:
        """See the class."""
        return float(self.gamma ** (at.epoch // self.every))


class MultiStep(Schedule):
    """Multiplied by gamma after each of some epochs; as PyTorch's MultiStepLR.

    What lies beyond the run's last epoch does nothing, so that a shorter run can be tried.
    """

    word = "multistep"
    by_place = ("milestones",)

    milestones: tuple[int, ...] = arg(
        list_of(integer(at_least=1)), "after how many epochs each, in increasing order"
    )
    gamma: float = arg(number(above=0), "the factor", default=0.1)

    def check(self) -> None:
        """The epochs increase, and there are some."""
        if not self.milestones or any(
            later <= before
            for before, later in zip(self.milestones, self.milestones[1:], strict=False)
        ):
            raise BadValue("multistep with increasing numbers of epochs: multistep([30, 60, 80])")

    def factor(self, at: Moment) -> float:
        """See the class."""
        return float(self.gamma ** sum(milestone <= at.epoch for milestone in self.milestones))


class Cosine(Schedule):
    """Half a cosine from the learning rate down to 0 at the end of the run, step by step.

    Source    Loshchilov and Hutter 2017, equation 5, without restarts
    """

    word = "cosine"

    warmup: float = arg(
        number(at_least=0), "epochs of rising in a straight line at the start", default=0
    )

    def require(self, epochs: int) -> None:
        """Something of the run is left when the warmup is over."""
        if self.warmup >= epochs:
            epoch = "1 epoch" if epochs == 1 else f"{epochs} epochs"
            raise BadValue(f"a warmup below the run's {epoch}, not {self.warmup:g}", "schedule")

    def factor(self, at: Moment) -> float:
        """See the class."""
        rising = round(self.warmup * at.steps_per_epoch)
        if at.step < rising:
            return (at.step + 1) / rising
        total = max(1, at.epochs * at.steps_per_epoch - rising)
        return 0.5 * (1 + cos(pi * min(1.0, (at.step - rising) / total)))


class Poly(Schedule):
    """A power of the part of the run that is left, down to 0 at its end, step by step.

    Formula   (1 - step/steps)^power
    Source    Caffe's "poly"; as PyTorch's PolynomialLR over all steps
    """

    word = "poly"
    by_place = ("power",)

    power: float = arg(number(above=0), "the power; 1 is a straight line", default=1)

    def factor(self, at: Moment) -> float:
        """See the class."""
        done = at.step / (at.epochs * at.steps_per_epoch)
        return float(max(0.0, 1 - done) ** self.power)


class Plateau(Schedule):
    """Multiplied by gamma when the test loss no longer falls; as PyTorch's ReduceLROnPlateau.

    An epoch is better where its test loss lies more than a ten-thousandth below the least one
    so far. After patience epochs in a row that were not, the next one that is not multiplies,
    and the count begins anew. A test loss that is no number is not better.
    """

    word = "plateau"

    patience: int = arg(integer(at_least=0), "how many epochs may be no better", default=10)
    gamma: float = arg(number(above=0, below=1), "the factor", default=0.1)

    def factor(self, at: Moment) -> float:
        """See the class."""
        least, bad, cuts = inf, 0, 0
        for loss in at.test_losses:
            if loss < least * BETTER:
                least, bad = loss, 0
            else:
                bad += 1
            if bad > self.patience:
                cuts, bad = cuts + 1, 0
        return float(self.gamma**cuts)


SCHEDULES = (Constant, Step, MultiStep, Cosine, Poly, Plateau)
