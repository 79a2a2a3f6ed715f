"""Optimizers. An update is a body like a layer's: on planned arrays, with `xp` passed in.

a.weight, a.grad     the weight (written) and its gradient over the whole batch (read)
a.lr, a.step         (1,) each: the learning rate and the step's number, from 1
a.lr_factor, a.decay plain numbers: the layer's factor on lr, the weight decay that acts
a.velocity, …        what `state` names, zero before the first step
a.change, a.other    work space of the weight's shape
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..arguments import BadValue, Declared, arg, boolean, number
from ..layers.layer import Arrays


class Optimizer(Declared):
    """The base of optimizers."""

    state: ClassVar[tuple[str, ...]] = ()  # arrays kept for each weight, of its shape
    work: ClassVar[tuple[str, ...]] = ("change",)
    usual_decay: ClassVar[float] = 0.0  # the weight decay where the spec does not say

    def states(self) -> tuple[str, ...]:
        """The names of the arrays kept for each weight."""
        return self.state

    def update(self, xp: Any, a: Arrays) -> None:
        """One step of one weight."""
        raise NotImplementedError

    def _decayed(self, xp: Any, a: Arrays) -> None:
        """a.change = gradient + decay * weight."""
        xp.multiply(a.weight, a.decay, out=a.change)
        xp.add(a.change, a.grad, out=a.change)


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

    def _subtract(self, xp: Any, a: Arrays) -> None:
        """W -= lr * change."""
        xp.multiply(a.change, a.lr, out=a.change)
        xp.multiply(a.change, a.lr_factor, out=a.change)
        xp.subtract(a.weight, a.change, out=a.weight)


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    Formula   g = grad + weight_decay * w;  m = beta1*m + (1-beta1)*g;
              v = beta2*v + (1-beta2)*g*g;
              w -= lr * (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + eps)
    Source    Kingma and Ba 2015, algorithm 1; as PyTorch's Adam
    """

    word = "adam"
    state = ("mean", "square")
    work = ("change", "other")

    beta1: float = arg(number(at_least=0, below=1), "decay of the mean", default=0.9)
    beta2: float = arg(number(at_least=0, below=1), "decay of the mean square", default=0.999)
    eps: float = arg(number(above=0), "added to the divisor", default=1e-8)

    def update(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._decayed(xp, a)
        self._step(xp, a)

    def _step(self, xp: Any, a: Arrays) -> None:
        """Move the means by a.change, then the weight."""
        xp.multiply(a.mean, self.beta1, out=a.mean)
        xp.multiply(a.change, 1 - self.beta1, out=a.other)
        xp.add(a.mean, a.other, out=a.mean)
        xp.multiply(a.square, self.beta2, out=a.square)
        xp.multiply(a.change, a.change, out=a.other)
        xp.multiply(a.other, 1 - self.beta2, out=a.other)
        xp.add(a.square, a.other, out=a.square)
        # One number each, in float64 as a.step is, then in the weight's type.
        first = (1 - self.beta1**a.step).astype(a.weight.dtype)  # (1,)
        second = xp.sqrt(1 - self.beta2**a.step).astype(a.weight.dtype)  # (1,)
        xp.sqrt(a.square, out=a.other)
        xp.divide(a.other, second, out=a.other)
        xp.add(a.other, self.eps, out=a.other)
        xp.divide(a.mean, a.other, out=a.change)
        xp.multiply(a.change, a.lr / first, out=a.change)
        xp.multiply(a.change, a.lr_factor, out=a.change)
        xp.subtract(a.weight, a.change, out=a.weight)


OPTIMIZERS = (SGD, Adam)
NOT_BUILT_YET = ("adamw", "rmsprop")
