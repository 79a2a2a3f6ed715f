"""Rectifiers: RELU's kin, which treat what is negative in other ways."""

from __future__ import annotations

from typing import Any

from ..arguments import arg, made_of, number
from ..values import Made
from .activation import Activation
from .channels import others, spread
from .initializers import INITIALIZERS, Initializer
from .layer import Arrays, Shape, Weight, Weighted, Work


class PRelu(Weighted):
    """What is negative is scaled by a slope that is trained, one a channel.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; weight (C,) or (K,)
    Formula   y = x where x > 0, else weight[c] * x; weight starts at 0.25
    Gradient  dx = dy where x > 0, else weight[c] * dy; dweight = sum of dy * x where x <= 0
    Errors    none
    Source    He et al. 2015, section 2.1, channel-wise; as PyTorch's PReLU(C). The paper and
              PyTorch train it without weight decay: decay=0
    """

    kind = "PRELU"
    family = "activation"
    backward_reads = ("x", "weight")

    init: Initializer = arg(
        made_of(*INITIALIZERS), "how its slopes start", default=Made("constant", (0.25,), ())
    )

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """A slope a channel."""
        return (Weight("weight", (x[0],), self.init, trainable=not self.freeze),)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where the input is positive, and room for products before they are summed."""
        return (
            Work("positive", x, "bool", True, "both"),
            Work("product", x, "float", True, "backward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._scaled(xp, a, a.x, a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        if a.dweight is not None:
            xp.multiply(a.dy, a.x, out=a.product)
            xp.greater(a.x, 0, out=a.positive)
            xp.copyto(a.product, 0, where=a.positive)
            xp.sum(a.product, axis=others(a.x), out=a.dweight)
        if a.dx is not None:
            self._scaled(xp, a, a.dy, a.dx)

    def _scaled(self, xp: Any, a: Arrays, source: Any, into: Any) -> None:
        xp.greater(a.x, 0, out=a.positive)
        xp.multiply(source, spread(a.weight, a.x), out=into)
        xp.copyto(into, source, where=a.positive)

    samples = (("PRELU", (3, 2, 4)), ("PRELU", (7,)))


class Relu6(Activation):
    """RELU that ends at 6.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = min(max(x, 0), 6)
    Gradient  dx = dy where 0 < y < 6, else 0
    Errors    none
    Source    Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10; as PyTorch
    """

    kind = "RELU6"
    backward_reads = ("y",)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where the output is between its ends."""
        return (Work("inside", x, "bool", True, "backward"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.maximum(a.x, 0, out=a.y)
        xp.minimum(a.y, 6, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.greater(a.y, 0, out=a.inside)
        xp.multiply(a.dy, a.inside, out=a.dx)
        xp.less(a.y, 6, out=a.inside)
        xp.multiply(a.dx, a.inside, out=a.dx)

    samples = (("RELU6", (3, 4, 5)), ("RELU6", (7,)))


class Elu(Activation):
    """What is negative goes smoothly to -alpha.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = x where x > 0, else alpha * (exp(x) - 1)
    Gradient  dx = dy where y > 0, else dy * (y + alpha)
    Errors    none
    Source    Clevert et al. 2016, section 3; as PyTorch
    """

    kind = "ELU"
    by_place = ("alpha",)
    backward_reads = ("y",)

    alpha: float = arg(number(at_least=0), "minus the value that is never reached", default=1.0)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where the input, and so the output, is positive."""
        return (Work("positive", x, "bool", True, "both"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula; exp(x) - 1 in one operation, which is exact near 0."""
        xp.minimum(a.x, 0, out=a.y)  # and not all of x: exp would overflow
        xp.expm1(a.y, out=a.y)
        xp.multiply(a.y, self.alpha, out=a.y)
        xp.greater(a.x, 0, out=a.positive)
        xp.copyto(a.y, a.x, where=a.positive)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.add(a.y, self.alpha, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)
        xp.greater(a.y, 0, out=a.positive)
        xp.copyto(a.dx, a.dy, where=a.positive)

    samples = (("ELU", (3, 4, 5)), ("ELU(0.3)", (7,)))


LAYERS = (PRelu, Relu6, Elu)
