"""Losses: what training makes small. Bodies like a layer's.

a.x               the scores (N, K, *rest), rest empty for a vector
a.target          the classes (N, *rest), int64
a.loss            (1,), written: the sum over this part's samples, not yet the mean
a.scale           (1,), read: one over the number of judged places in the whole batch
a.dx              the gradient of the mean over the whole batch
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..arguments import BadValue, Declared, arg, number
from ..layers.layer import Array, Arrays, Shape, Work


class Loss(Declared):
    """The base of losses."""

    of_scores: ClassVar[bool] = True  # whether it takes what a last SOFTMAX gets, or what it gives

    def places(self, x: Shape) -> Shape:
        """What of an output's shape is judged place by place: () for a vector or Kx1x1."""
        return () if x[1:] in ((), (1, 1)) else x[1:]

    def require(self, x: Shape) -> None:
        """Raise BadValue for an output's shape that it cannot judge."""

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
            _classes(k, rest),
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


class MSE(Loss):
    """The squared distance to 1 for the right class and 0 for the others.

    Where the net ends in SOFTMAX, it is that of the probabilities after it.

    Formula   loss = mean over k of (x[k] - q[k])^2, the mean over the samples (and over the
              positions of a map); q is 1 for the class and 0 for the others
    Gradient  dx = 2 * (x - q) / (K * count)
    Source    as PyTorch's MSELoss against one-hot targets
    """

    word = "mse"
    of_scores = False

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The distances."""
        k, rest = x[0], self.places(x)
        return (
            _classes(k, rest),
            Work("right", (k, *rest), "bool", True, "forward"),
            Work("distance", (k, *rest), "float", True, "saved"),
            Work("square", (k, *rest), "float", True, "forward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        x = a.x.reshape(a.distance.shape)  # (N, K, *rest)
        xp.equal(a.classes, a.target[:, None], out=a.right)
        xp.subtract(x, a.right, out=a.distance)
        xp.multiply(a.distance, a.distance, out=a.square)
        xp.sum(a.square, out=_scalar(a.loss))
        xp.divide(a.loss, x.shape[1], out=a.loss)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        dx = a.dx.reshape(a.distance.shape)  # (N, K, *rest)
        xp.multiply(a.distance, 2 / dx.shape[1], out=dx)
        xp.multiply(dx, a.scale, out=dx)


class Hinge(Loss):
    """How far other classes come within 1 of the right one's score, or above it.

    Where the net ends in SOFTMAX, it is that of the scores before it.

    Formula   loss = sum over j != y of max(0, 1 + x[j] - x[y]) for the class y, the mean over
              the samples (and over the positions of a map)
    Gradient  dx[j] = 1/count where 1 + x[j] - x[y] > 0;  dx[y] = minus the sum of the others'
    Source    Weston and Watkins 1999; K times PyTorch's MultiMarginLoss
    """

    word = "hinge"

    def require(self, x: Shape) -> None:
        """With one class nothing is to be told apart."""
        if x[0] < 2:
            raise BadValue("hinge for 2 outputs or more, and the net has 1", "loss")

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """By how much each other class comes too near."""
        k, rest = x[0], self.places(x)
        return (
            _classes(k, rest),
            Work("right", (k, *rest), "bool", True, "saved"),
            Work("margin", (k, *rest), "float", True, "saved"),
            Work("product", (k, *rest), "float", True, "both"),
            Work("total", (1, *rest), "float", True, "both"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula; the right class's own term is exactly 1 and is taken off."""
        x = a.x.reshape(a.margin.shape)  # (N, K, *rest)
        xp.equal(a.classes, a.target[:, None], out=a.right)
        xp.multiply(x, a.right, out=a.product)
        xp.sum(a.product, axis=1, keepdims=True, out=a.total)
        xp.subtract(x, a.total, out=a.margin)
        xp.add(a.margin, 1, out=a.margin)
        xp.subtract(a.margin, a.right, out=a.margin)
        xp.maximum(a.margin, 0, out=a.margin)
        xp.sum(a.margin, out=_scalar(a.loss))

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        dx = a.dx.reshape(a.margin.shape)  # (N, K, *rest)
        xp.sign(a.margin, out=dx)
        xp.sum(dx, axis=1, keepdims=True, out=a.total)
        xp.multiply(a.right, a.total, out=a.product)
        xp.subtract(dx, a.product, out=dx)
        xp.multiply(dx, a.scale, out=dx)


def _classes(k: int, rest: Shape) -> Work:
    """0, 1, … K-1, to compare targets with."""
    return Work("classes", (k, *(1,) * len(rest)), "int64", False, "constant", range(k))


def _scalar(one: Array) -> Array:
    """(1,) as ()."""
    return one.reshape(())


LOSSES = (CrossEntropy, MSE, Hinge)
