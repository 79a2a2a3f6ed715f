"""Activations: element-wise, the output's shape is the input's."""

from __future__ import annotations

from typing import Any

from ..arguments import BadValue, arg, number
from .layer import Arrays, Layer, Shape, Work


class Activation(Layer):
    """The base of activations."""

    family = "activation"


class Relu(Activation):
    """What is negative becomes zero.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = max(x, 0)
    Gradient  dx = dy where y > 0, else 0
    Errors    none
    Source    Nair and Hinton 2010; Krizhevsky et al. 2012, section 3.1
    """

    kind = "RELU"
    backward_reads = ("y",)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where the output is positive."""
        return (Work("positive", x, "bool", True, "backward"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.maximum(a.x, 0, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.greater(a.y, 0, out=a.positive)
        xp.multiply(a.dy, a.positive, out=a.dx)

    samples = (("RELU", (3, 4, 5)), ("RELU", (7,)))


class LeakyRelu(Activation):
    """What is negative is made small, so that a unit never stops learning.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = x where x > 0, else slope * x
    Gradient  dx = dy where x > 0, else slope * dy
    Errors    none
    Source    Maas et al. 2013, section 2
    """

    kind = "LEAKYRELU"
    by_place = ("slope",)
    backward_reads = ("x",)

    slope: float = arg(number(), "factor on what is negative", default=0.01)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where the input is positive."""
        return (Work("positive", x, "bool", True, "both"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        self._scaled(xp, a, a.x, a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        self._scaled(xp, a, a.dy, a.dx)

    def _scaled(self, xp: Any, a: Arrays, source: Any, into: Any) -> None:
        xp.greater(a.x, 0, out=a.positive)
        xp.multiply(source, self.slope, out=into)
        xp.copyto(into, source, where=a.positive)

    samples = (("LEAKYRELU", (3, 4, 5)), ("LEAKYRELU(1.5)", (7,)))


class Tanh(Activation):
    """The hyperbolic tangent, scaled as one likes.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = scale * tanh(slope * x)
    Gradient  dx = dy * slope * (scale - y*y/scale)
    Errors    E403 scale is 0
    Source    LeCun et al. 1998, Efficient BackProp, section 4.4: scale 1.7159, slope 2/3
    """

    kind = "TANH"
    backward_reads = ("y",)

    scale: float = arg(number(), "factor on the output, not 0", default=1)
    slope: float = arg(number(), "factor on the input", default=1)

    def check(self) -> None:
        """A scale of 0 would leave nothing."""
        if self.scale == 0:
            raise BadValue("a scale other than 0")

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.multiply(a.x, self.slope, out=a.y)
        xp.tanh(a.y, out=a.y)
        xp.multiply(a.y, self.scale, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.multiply(a.y, a.y, out=a.dx)
        xp.multiply(a.dx, -self.slope / self.scale, out=a.dx)
        xp.add(a.dx, self.slope * self.scale, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)

    samples = (("TANH", (2, 3, 4)), ("TANH(scale=1.7159, slope=0.6667)", (7,)))


class Sigmoid(Activation):
    """Squashes to 0 … 1.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = 1 / (1 + exp(-x)), computed as (1 + tanh(x/2)) / 2, which never overflows
    Gradient  dx = dy * y * (1 - y)
    Errors    none
    Source    Rumelhart et al. 1986
    """

    kind = "SIGMOID"
    backward_reads = ("y",)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.multiply(a.x, 0.5, out=a.y)
        xp.tanh(a.y, out=a.y)
        xp.multiply(a.y, 0.5, out=a.y)
        xp.add(a.y, 0.5, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.subtract(1, a.y, out=a.dx)
        xp.multiply(a.dx, a.y, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)

    samples = (("SIGMOID", (2, 3, 4)), ("SIGMOID", (7,)))


class Softmax(Activation):
    """Scores to probabilities, over the channels at each position or over a vector.

    An output: the training loss uses log-softmax of its input instead.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same
    Formula   y = exp(x) / sum of exp(x) over axis 1
    Gradient  dx = y * (dy - sum of dy*y over axis 1)
    Errors    none
    Source    Bridle 1990
    """

    kind = "SOFTMAX"
    family = "output"
    backward_reads = ("y",)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """A number for each position."""
        return (Work("total", (1, *x[1:]), "float", True, "both"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula; the largest score is subtracted first, so that nothing overflows."""
        xp.max(a.x, axis=1, keepdims=True, out=a.total)
        xp.subtract(a.x, a.total, out=a.y)
        xp.exp(a.y, out=a.y)
        xp.sum(a.y, axis=1, keepdims=True, out=a.total)
        xp.divide(a.y, a.total, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.multiply(a.dy, a.y, out=a.dx)
        xp.sum(a.dx, axis=1, keepdims=True, out=a.total)
        xp.subtract(a.dy, a.total, out=a.dx)
        xp.multiply(a.dx, a.y, out=a.dx)

    samples = (("SOFTMAX", (7,)), ("SOFTMAX", (3, 2, 4)))


LAYERS = (Relu, LeakyRelu, Tanh, Sigmoid, Softmax)
