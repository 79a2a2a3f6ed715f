"""Losses: what training makes small. Bodies like a layer's.

a.x               the scores (N, K, *rest), rest empty for a vector
a.target          the classes (N, *rest), int64
a.loss            (1,), written: the sum over this part's samples, not yet the mean
a.scale           (1,), read: one over the number of judged places in the whole batch
a.dx              the gradient of the mean over the whole batch
"""

from __future__ import annotations

from typing import Any

from ..arguments import Declared, arg, number
from ..layers.layer import Array, Arrays, Shape, Work


class Loss(Declared):
    """The base of losses."""

    def places(self, x: Shape) -> Shape:
        """What of an output's shape is judged place by place: () for a vector or Kx1x1."""
        return () if x[1:] in ((), (1, 1)) else x[1:]

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """What the bodies need besides."""
        return ()

    def forward(self, xp: Any, a: Arrays) -> None:
        """Write a.loss."""
        raise NotImplementedError

    def backward(self, xp: Any, a: Arrays) -> None:
        """Write a.dx."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """The negative logarithm of the probability given to the right class.

    Formula   loss = -sum over k of q[k] * log softmax(x)[k], the mean over the samples (and
              over the positions of a map); q is 1 - label_smoothing + label_smoothing/K for
              the class and label_smoothing/K for the others
    Gradient  dx = (softmax(x) - q) / count
    Source    Bridle 1990; smoothing: Szegedy et al. 2016, section 7; as PyTorch's CrossEntropyLoss
    """

    word = "cross_entropy"

    label_smoothing: float = arg(
        number(at_least=0, below=1), "how much of the target is spread over all classes", default=0
    )

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The target as numbers, the log-probabilities, and one number a place."""
        k, rest = x[0], self.places(x)
        return (
            Work("classes", (k, *(1,) * len(rest)), "int64", False, "constant", range(k)),
            Work("wanted", (k, *rest), "float", True, "saved"),
            Work("right", (k, *rest), "bool", True, "forward"),
            Work("log", (k, *rest), "float", True, "saved"),
            Work("product", (k, *rest), "float", True, "forward"),
            Work("total", (1, *rest), "float", True, "forward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """Log softmax with the largest score taken off first."""
        k = a.wanted.shape[1]
        x = a.x.reshape(a.log.shape)  # (N, K, *rest)
        xp.max(x, axis=1, keepdims=True, out=a.total)
        xp.subtract(x, a.total, out=a.log)
        xp.exp(a.log, out=a.product)
        xp.sum(a.product, axis=1, keepdims=True, out=a.total)
        xp.log(a.total, out=a.total)
        xp.subtract(a.log, a.total, out=a.log)
        xp.equal(a.classes, a.target[:, None], out=a.right)
        xp.multiply(a.right, 1 - self.label_smoothing, out=a.wanted)
        if self.label_smoothing:
            xp.add(a.wanted, self.label_smoothing / k, out=a.wanted)
        xp.multiply(a.log, a.wanted, out=a.product)
        xp.sum(a.product, out=_scalar(a.loss))
        xp.negative(a.loss, out=a.loss)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        dx = a.dx.reshape(a.log.shape)  # (N, K, *rest)
        xp.exp(a.log, out=dx)
        xp.subtract(dx, a.wanted, out=dx)
        xp.multiply(dx, a.scale, out=dx)


def _scalar(one: Array) -> Array:
    """(1,) as ()."""
    return one.reshape(())


LOSSES = (CrossEntropy,)
NOT_BUILT_YET = ("mse", "hinge")
