"""How the learning rate moves. Plain arithmetic on counts of steps and epochs."""

from __future__ import annotations

from math import cos, pi

from ..arguments import Declared, arg, integer, number


class Schedule(Declared):
    """The base: a factor on the learning rate."""

    def factor(self, step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at a step (from 0, over the whole run) of an epoch (from 0)."""
        raise NotImplementedError


class Constant(Schedule):
    """The same throughout."""

    word = "constant"

    def factor(self, step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        """See the class."""
        return 1.0


class Step(Schedule):
    """Multiplied by gamma every so many epochs; as PyTorch's StepLR."""

    word = "step"

    every: int = arg(integer(at_least=1), "after how many epochs")
    gamma: float = arg(number(above=0), "the factor", default=0.1)

    def factor(self, step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        """See the class."""
        return float(self.gamma ** (epoch // self.every))


class Cosine(Schedule):
    """Half a cosine from the learning rate down to 0 at the end of the run, step by step.

    Source    Loshchilov and Hutter 2017, equation 5, without restarts
    """

    word = "cosine"

    warmup: float = arg(
        number(at_least=0), "epochs of rising in a straight line at the start", default=0
    )

    def factor(self, step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        """See the class."""
        rising = round(self.warmup * steps_per_epoch)
        if step < rising:
            return (step + 1) / rising
        total = max(1, epochs * steps_per_epoch - rising)
        return 0.5 * (1 + cos(pi * min(1.0, (step - rising) / total)))


SCHEDULES = (Constant, Step, Cosine)
NOT_BUILT_YET = ("multistep", "poly", "plateau")
