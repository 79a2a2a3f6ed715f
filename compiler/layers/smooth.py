"""Smooth activations: a unit is let through as far as it is large."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from .activation import Activation
from .erf import erf
from .layer import Arrays, Shape, Work


class Gelu(Activation):
    """Each entry times the probability that a normal number is smaller.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = x * Phi(x), Phi(x) = (1 + erf(x / sqrt(2))) / 2: exact, not the tanh formula
    Gradient  dx = dy * (Phi(x) + x * exp(-x*x/2) / sqrt(2*pi))
    Errors    none
    Source    Hendrycks and Gimpel 2016, section 2; as PyTorch's default
    """

    kind = "GELU"
    backward_reads = ("x",)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Phi, and room to compute it."""
        return (
            Work("phi", x),
            Work("scaled", x, use="forward"),
            Work("work", x, use="forward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.multiply(a.x, 1 / sqrt(2), out=a.scaled)
        erf(xp, a.scaled, out=a.phi, work=a.work)
        xp.add(a.phi, 1, out=a.phi)
        xp.multiply(a.phi, 0.5, out=a.phi)
        xp.multiply(a.x, a.phi, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.multiply(a.x, a.x, out=a.dx)
        xp.multiply(a.dx, -0.5, out=a.dx)
        xp.exp(a.dx, out=a.dx)
        xp.multiply(a.dx, a.x, out=a.dx)
        xp.multiply(a.dx, 1 / sqrt(2 * pi), out=a.dx)
        xp.add(a.dx, a.phi, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)

    samples = (("GELU", (3, 4, 5)), ("GELU", (7,)))


class Silu(Activation):
    """Each entry times its sigmoid; also called swish.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = x * s, s = 1 / (1 + exp(-x)), computed as SIGMOID does
    Gradient  dx = dy * (s + y * (1 - s))
    Errors    none
    Source    Elfwing et al. 2018; Ramachandran et al. 2017; as PyTorch
    """

    kind = "SILU"
    backward_reads = ("y",)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The sigmoid."""
        return (Work("sigmoid", x),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.multiply(a.x, 0.5, out=a.sigmoid)
        xp.tanh(a.sigmoid, out=a.sigmoid)
        xp.multiply(a.sigmoid, 0.5, out=a.sigmoid)
        xp.add(a.sigmoid, 0.5, out=a.sigmoid)
        xp.multiply(a.x, a.sigmoid, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.subtract(1, a.sigmoid, out=a.dx)
        xp.multiply(a.dx, a.y, out=a.dx)
        xp.add(a.dx, a.sigmoid, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)

    samples = (("SILU", (3, 4, 5)), ("SILU", (7,)))


class Softplus(Activation):
    """A smooth RELU.

    Shapes    x (N, ...)  ->  y (N, ...)
    Formula   y = log(1 + exp(x)), for every x; PyTorch takes x itself above 20, which is 2e-9
              less at most
    Gradient  dx = dy * (1 - exp(-y)), which is dy * sigmoid(x)
    Errors    none
    Source    Dugas et al. 2001; Glorot et al. 2011
    """

    kind = "SOFTPLUS"
    backward_reads = ("y",)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula; logaddexp does not overflow."""
        xp.logaddexp(a.x, 0, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient; 1 - exp(-y) in one operation, which is exact where y is small."""
        xp.negative(a.y, out=a.dx)
        xp.expm1(a.dx, out=a.dx)
        xp.negative(a.dx, out=a.dx)
        xp.multiply(a.dx, a.dy, out=a.dx)

    samples = (("SOFTPLUS", (3, 4, 5)), ("SOFTPLUS", (7,)))


LAYERS = (Gelu, Silu, Softplus)
