"""Normalisation over the batch."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, made_of, number
from ..values import Made
from .channels import others, spread
from .initializers import INITIALIZERS, Constant, Initializer, Zero
from .layer import Array, Arrays, BatchStatistics, Shape, Weight, Work
from .norm import scale_and_shift


class BN(BatchStatistics):
    """Normalises each channel over the batch and all positions; then scale and shift.

    While training it takes the batch's own mean and variance, over all its parts, and moves
    the running ones a little; prediction takes the running ones.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; weight, bias, running_mean and
              running_var (C,) or (K,)
    Formula   y = (x - mean) / sqrt(var + eps) * weight + bias, var divided by n, the number of
              values; the running ones move by momentum * (the batch's - they), there var is
              divided by n - 1. A channel of one single value (one sample, 1x1) is 0 before
              scale and shift, and leaves running_var as it is; PyTorch refuses it
    Gradient  with hat = (x - mean) / sqrt(var + eps): dbias = sum of dy, dweight = sum of dy*hat,
              dx = weight / sqrt(var + eps) * (dy - dbias/n - hat * dweight/n)
    Errors    none
    Source    Ioffe and Szegedy 2015, algorithms 1 and 2; names, momentum and running variance as
              PyTorch's BatchNorm2d; statistics of parts: Chan et al. 1979, equation 2.1
    """

    kind = "BN"
    backward_reads = ("x", "weight", "count", "mean", "rstd")

    eps: float = arg(number(at_least=0), "added to the variance", default=1e-5)
    momentum: float = arg(
        number(at_least=0, at_most=1), "how far the running statistics move each step", default=0.1
    )
    init: Initializer = arg(
        made_of(*INITIALIZERS), "how its scales start; its shifts start at 0",
        default=Made("constant", (1,), ()),
    )  # fmt: skip

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """Scale and shift, trained, and two statistics, which are not."""
        return (
            *scale_and_shift(self, x),
            Weight("running_mean", (x[0],), Zero(), trainable=False, statistic=True),
            Weight("running_var", (x[0],), Constant(value=1), trainable=False, statistic=True),
        )

    # -- prediction -------------------------------------------------------------------

    def forward(self, xp: Any, a: Arrays) -> None:
        """The formula, with the running statistics."""
        xp.add(a.running_var, self.eps, out=a.factor)
        xp.sqrt(a.factor, out=a.factor)
        xp.divide(a.weight, a.factor, out=a.factor)
        self._scaled(xp, a, a.running_mean)

    def _scaled(self, xp: Any, a: Arrays, mean: Array) -> None:
        """Y = (x - mean) * factor + bias."""
        xp.subtract(a.x, spread(mean, a.x), out=a.y)
        xp.multiply(a.y, spread(a.factor, a.x), out=a.y)
        xp.add(a.y, spread(a.bias, a.x), out=a.y)

    # -- training ---------------------------------------------------------------------

    def partials(self, x: Shape) -> tuple[Work, ...]:
        """How many values a channel has, their mean, and their squared distances from it."""
        return (
            Work("count", (1,), per_sample=False, use="partial"),
            Work("mean", (x[0],), per_sample=False, use="partial"),
            Work("m2", (x[0],), per_sample=False, use="partial"),
        )

    def wholes(self, x: Shape) -> tuple[Work, ...]:
        """The same over all parts, and one over the deviation."""
        return (*self.partials(x), Work("rstd", (x[0],), per_sample=False, use="combine"))

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Differences from the mean before they are summed, and numbers a channel."""
        channel = (x[0],)
        return (
            Work("factor", channel, per_sample=False, use="forward"),
            Work("off", x, use="partial"),
            Work("total", (1,), per_sample=False, use="combine"),
            Work("delta", channel, per_sample=False, use="combine"),
            Work("move", channel, per_sample=False, use="combine"),
            Work("few", (1,), per_sample=False, use="track"),
            Work("move", channel, per_sample=False, use="track"),
            Work("factor", channel, per_sample=False, use="finish"),
            Work("off", x, use="backward_partial"),
            Work("factor", channel, per_sample=False, use="backward_finish"),
        )

    def partial(self, xp: Any, a: Arrays) -> None:
        """In two passes: a difference of squares would lose digits."""
        a.count.fill(prod(a.x.shape) // a.x.shape[1])
        xp.mean(a.x, axis=others(a.x), out=a.mean)
        xp.subtract(a.x, spread(a.mean, a.x), out=a.off)
        xp.multiply(a.off, a.off, out=a.off)
        xp.sum(a.off, axis=others(a.x), out=a.m2)

    def combine(self, xp: Any, a: Arrays) -> None:
        """Add part after part: mean += delta * m/total, m2 += m2' + delta**2 * n*m/total."""
        xp.copyto(a.count, a.part_count[0])
        xp.copyto(a.mean, a.part_mean[0])
        xp.copyto(a.m2, a.part_m2[0])
        rest = zip(a.part_count[1:], a.part_mean[1:], a.part_m2[1:], strict=True)
        for count, mean, m2 in rest:
            xp.add(a.count, count, out=a.total)  # (1,)
            xp.subtract(mean, a.mean, out=a.delta)  # (C,)
            xp.multiply(a.delta, count, out=a.move)
            xp.divide(a.move, a.total, out=a.move)
            xp.add(a.mean, a.move, out=a.mean)
            xp.multiply(a.move, a.delta, out=a.move)
            xp.multiply(a.move, a.count, out=a.move)
            xp.add(a.m2, m2, out=a.m2)
            xp.add(a.m2, a.move, out=a.m2)
            xp.copyto(a.count, a.total)
        xp.divide(a.m2, a.count, out=a.rstd)
        xp.add(a.rstd, self.eps, out=a.rstd)
        xp.sqrt(a.rstd, out=a.rstd)
        xp.divide(1, a.rstd, out=a.rstd)

    def track(self, xp: Any, a: Arrays) -> None:
        """Both move by momentum; a single value has no variance, and running_var stays."""
        xp.subtract(a.mean, a.running_mean, out=a.move)
        xp.multiply(a.move, self.momentum, out=a.move)
        xp.add(a.running_mean, a.move, out=a.running_mean)
        xp.subtract(a.count, 1, out=a.few)  # n - 1
        xp.maximum(a.few, 1, out=a.few)
        xp.divide(a.m2, a.few, out=a.move)
        xp.subtract(a.move, a.running_var, out=a.move)
        xp.multiply(a.move, self.momentum, out=a.move)
        xp.subtract(a.count, 1, out=a.few)
        xp.minimum(a.few, 1, out=a.few)  # 0 for a single value, else 1
        xp.multiply(a.move, a.few, out=a.move)
        xp.add(a.running_var, a.move, out=a.running_var)

    def finish(self, xp: Any, a: Arrays) -> None:
        """The formula, with the batch's statistics."""
        xp.multiply(a.weight, a.rstd, out=a.factor)
        self._scaled(xp, a, a.mean)

    def backward_partial(self, xp: Any, a: Arrays) -> None:
        """Dweight and dbias of a part."""
        self._hat(xp, a, a.off)
        xp.multiply(a.off, a.dy, out=a.off)
        xp.sum(a.off, axis=others(a.x), out=a.dweight)
        xp.sum(a.dy, axis=others(a.x), out=a.dbias)

    def backward_combine(self, xp: Any, a: Arrays) -> None:
        """Sums over the parts."""
        for whole, parts in ((a.dweight, a.part_dweight), (a.dbias, a.part_dbias)):
            xp.copyto(whole, parts[0])
            for part in parts[1:]:
                xp.add(whole, part, out=whole)

    def backward_finish(self, xp: Any, a: Arrays) -> None:
        """Dx of a part; dweight and dbias are the batch's."""
        self._hat(xp, a, a.dx)
        xp.divide(a.dweight, a.count, out=a.factor)
        xp.multiply(a.dx, spread(a.factor, a.x), out=a.dx)
        xp.divide(a.dbias, a.count, out=a.factor)
        xp.add(a.dx, spread(a.factor, a.x), out=a.dx)
        xp.subtract(a.dy, a.dx, out=a.dx)
        xp.multiply(a.weight, a.rstd, out=a.factor)
        xp.multiply(a.dx, spread(a.factor, a.x), out=a.dx)

    def _hat(self, xp: Any, a: Arrays, out: Array) -> None:
        xp.subtract(a.x, spread(a.mean, a.x), out=out)
        xp.multiply(out, spread(a.rstd, a.x), out=out)

    samples = (("BN", (3, 2, 4)), ("BN(eps=0.1, momentum=0.5)", (2, 3, 3)))


LAYERS = (BN,)
