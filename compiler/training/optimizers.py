"""Optimizers. An update is a body like a layer's: on planned arrays, with `xp` passed in.

a.weight, a.grad     the weight (written) and its gradient over the whole batch (read)
a.lr, a.step         (1,) each: the learning rate and the step's number, from 1
a.lr_factor, a.decay plain numbers: the layer's factor on lr, the weight decay that acts
a.velocity, …        what `states` names, zero before the first step
a.change, a.other    work space of the weight's shape
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..arguments import BadValue, Declared, arg, boolean, number
from ..layers.layer import Arrays


class Optimizer(Declared):
    """The base of optimizers."""

    work: ClassVar[tuple[str, ...]] = ("change",)
    usual_decay: ClassVar[float] = 0.0  # the weight decay where nothing says it

    weight_decay: float | None = arg(
        number(at_least=0), "weight decay, where the setting does not say it",
        default=None,
    )  # fmt: skip

    def states(self) -> tuple[str, ...]:
        """The names of the arrays kept for each weight, of its shape."""
        return ()

    def update(self, xp: Any, a: Arrays) -> None:
        """One step of one weight."""
        raise NotImplementedError

    def _decayed(self, xp: Any, a: Arrays) -> None:
        """a.change = gradient + decay * weight."""
        xp.multiply(a.weight, a.decay, out=a.change)
        xp.add(a.change, a.grad, out=a.change)

    def _subtract(self, xp: Any, a: Arrays) -> None:
        """Weight -= lr * change."""
        xp.multiply(a.change, a.lr, out=a.change)
        xp.multiply(a.change, a.lr_factor, out=a.change)
        xp.subtract(a.weight, a.change, out=a.weight)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    Formula   g = grad + weight_decay * w;  v = momentum * v + g;
              w -= lr * v, with nesterov w -= lr * (g + momentum * v)
    Source    Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013; as PyTorch's SGD
    """

    word = "sgd"

    momentum: float = arg(number(at_least=0), "how much of the last change is kept", default=0)
    nesterov: bool = arg(boolean(), "whether the gradient is that of the place ahead",
                         default=False)  # fmt: skip

    def check(self) -> None:
        """Nesterov's form needs momentum."""
        if self.nesterov and self.momentum == 0:
            raise BadValue("nesterov=true with a momentum above 0")

    def states(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum else ()

    def update(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._decayed(xp, a)
        if self.momentum:
            xp.multiply(a.velocity, self.momentum, out=a.velocity)
            xp.add(a.velocity, a.change, out=a.velocity)
            if self.nesterov:
                self._subtract(xp, a)
                xp.multiply(a.velocity, self.momentum, out=a.change)
            else:
                xp.copyto(a.change, a.velocity)
        self._subtract(xp, a)


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    Formula   g = grad + weight_decay * w;  m = beta1*m + (1-beta1)*g;
              v = beta2*v + (1-beta2)*g*g, with amsgrad the largest v so far instead of v below;
              w -= lr * (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + eps)
    Source    Kingma and Ba 2015, algorithm 1; amsgrad: Reddi et al. 2018; as PyTorch's Adam
    """

    word = "adam"
    work = ("change", "other")

    beta1: float = arg(number(at_least=0, below=1), "decay of the mean", default=0.9)
    beta2: float = arg(number(at_least=0, below=1), "decay of the mean square", default=0.999)
    eps: float = arg(number(above=0), "added to the divisor", default=1e-8)
    amsgrad: bool = arg(boolean(), "whether the largest mean square so far divides", default=False)

    def states(self) -> tuple[str, ...]:
        """The two means; the largest mean square where it is asked for."""
        return ("mean", "square", "largest") if self.amsgrad else ("mean", "square")

    def update(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._decayed(xp, a)
        self._scaled(xp, a)
        self._subtract(xp, a)

    def _scaled(self, xp: Any, a: Arrays) -> None:
        """Move the means by a.change, which then becomes what lr multiplies."""
        xp.multiply(a.mean, self.beta1, out=a.mean)
        xp.multiply(a.change, 1 - self.beta1, out=a.other)
        xp.add(a.mean, a.other, out=a.mean)
        xp.multiply(a.square, self.beta2, out=a.square)
        xp.multiply(a.change, a.change, out=a.other)
        xp.multiply(a.other, 1 - self.beta2, out=a.other)
        xp.add(a.square, a.other, out=a.square)
        square = a.square
        if self.amsgrad:
            square = a.largest
            xp.maximum(square, a.square, out=square)
        # One number each, in float64 as a.step is, then in the weight's type.
        first = (1 - self.beta1**a.step).astype(a.weight.dtype)  # (1,)
        second = xp.sqrt(1 - self.beta2**a.step).astype(a.weight.dtype)  # (1,)
        xp.sqrt(square, out=a.other)
        xp.divide(a.other, second, out=a.other)
        xp.add(a.other, self.eps, out=a.other)
        xp.divide(a.mean, a.other, out=a.change)
        xp.divide(a.change, first, out=a.change)


class AdamW(Adam):
    """Adam whose weight decay acts on the weight itself, and not through the means.

    Formula   as adam with g = grad, and w -= lr * weight_decay * w besides
    Source    Loshchilov and Hutter 2019, algorithm 2; as PyTorch's AdamW
    """

    word = "adamw"
    usual_decay = 0.01

    def update(self, xp: Any, a: Arrays) -> None:
        """See the formula: both are taken off together."""
        xp.copyto(a.change, a.grad)
        self._scaled(xp, a)
        xp.multiply(a.weight, a.decay, out=a.other)
        xp.add(a.change, a.other, out=a.change)
        self._subtract(xp, a)


class RMSprop(Optimizer):
    """Steps divided by the running root mean square of the gradient.

    Formula   g = grad + weight_decay * w;  v = alpha*v + (1-alpha)*g*g;
              centered: m = alpha*m + (1-alpha)*g, and v - m*m instead of v below;
              u = g / (sqrt(v) + eps);  with momentum b = momentum*b + u instead of u below;
              w -= lr * u
    Source    Tieleman and Hinton 2012; centered: Graves 2013; as PyTorch's RMSprop
    """

    word = "rmsprop"
    work = ("change", "other")

    alpha: float = arg(number(at_least=0, below=1), "decay of the mean square", default=0.99)
    eps: float = arg(number(above=0), "added to the divisor", default=1e-8)
    momentum: float = arg(number(at_least=0), "how much of the last change is kept", default=0)
    centered: bool = arg(boolean(), "whether the variance divides, and not the mean square",
                         default=False)  # fmt: skip

    def states(self) -> tuple[str, ...]:
        """The mean square; the mean and the velocity where they are asked for."""
        mean = ("mean",) if self.centered else ()
        return ("square", *mean, *(("velocity",) if self.momentum else ()))

    def update(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._decayed(xp, a)
        xp.multiply(a.square, self.alpha, out=a.square)
        xp.multiply(a.change, a.change, out=a.other)
        xp.multiply(a.other, 1 - self.alpha, out=a.other)
        xp.add(a.square, a.other, out=a.square)
        if self.centered:
            xp.multiply(a.mean, self.alpha, out=a.mean)
            xp.multiply(a.change, 1 - self.alpha, out=a.other)
            xp.add(a.mean, a.other, out=a.mean)
            xp.multiply(a.mean, a.mean, out=a.other)
            xp.subtract(a.square, a.other, out=a.other)
            xp.maximum(a.other, 0, out=a.other)  # rounding may take it below, for equal gradients
            xp.sqrt(a.other, out=a.other)
        else:
            xp.sqrt(a.square, out=a.other)
        xp.add(a.other, self.eps, out=a.other)
        xp.divide(a.change, a.other, out=a.change)
        if self.momentum:
            xp.multiply(a.velocity, self.momentum, out=a.velocity)
            xp.add(a.velocity, a.change, out=a.velocity)
            xp.copyto(a.change, a.velocity)
        self._subtract(xp, a)


OPTIMIZERS = (SGD, Adam, AdamW, RMSprop)
