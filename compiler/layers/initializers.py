"""How weights start. `rng` is NumPy's Generator, handed in; fans are counted per output."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from ..arguments import Declared, arg, number


class Initializer(Declared):
    """The base: `fill` returns float64 numbers of the wanted shape."""

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """The starting numbers; the same for the same generator state."""
        raise NotImplementedError


class He(Initializer):
    """Normal, standard deviation sqrt(2 / fan_in). He et al. 2015, section 2.2."""

    word = "he"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.normal(0.0, sqrt(2 / fan_in), shape)


class Xavier(Initializer):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010, equation 16."""

    word = "xavier"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        bound = sqrt(6 / (fan_in + fan_out))
        return rng.uniform(-bound, bound, shape)


class LeCun(Initializer):
    """Normal, standard deviation sqrt(1 / fan_in). LeCun et al. 1998, Efficient BackProp, 4.6."""

    word = "lecun"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.normal(0.0, sqrt(1 / fan_in), shape)


class Normal(Initializer):
    """Normal with mean 0 and a given standard deviation."""

    word = "normal"
    std: float = arg(number(at_least=0), "standard deviation", default=0.01)

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.normal(0.0, self.std, shape)


class Uniform(Initializer):
    """Uniform in -a … a."""

    word = "uniform"
    a: float = arg(number(at_least=0), "half the width of the range", default=0.05)

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.uniform(-self.a, self.a, shape)


class Zero(Initializer):
    """All zero."""

    word = "zero"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.normal(0.0, 1.0, shape) * 0.0


class Constant(Initializer):
    """All the same number."""

    word = "constant"
    value: float = arg(number(), "the number")

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        return rng.normal(0.0, 1.0, shape) * 0.0 + self.value


class Identity(Initializer):
    """The identity matrix: for statistics that transform. Not a word of the language."""

    word = "identity"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class; the matrix may be large, and counting up is faster than drawing."""
        matrix = rng.integers(0, 1, shape) * 0.0
        matrix.reshape(-1)[:: shape[1] + 1] = 1
        return matrix


class Orthogonal(Initializer):
    """Rows (or columns, whichever are fewer) orthonormal. Saxe et al. 2014, section 3.

    The weight is read as a matrix of its first axis by all others; LOCAL's, which has filters
    of its own at each position, as one matrix a position. Gram-Schmidt, twice, on normal numbers,
    so that nothing beyond the generator's arrays is needed.
    """

    word = "orthogonal"

    def fill(self, rng: Any, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """See the class."""
        if len(shape) > 4:
            weight = rng.normal(0.0, 1.0, shape)
            for place in weight:
                place[...] = self.fill(rng, shape[1:], fan_in, fan_out)
            return weight
        rows, columns = shape[0], prod(shape[1:])
        q = rng.normal(0.0, 1.0, (min(rows, columns), max(rows, columns)))
        for i in range(len(q)):
            for _ in range(2):  # the second round removes what rounding left of the first
                q[i] -= (q[:i] @ q[i]) @ q[:i]
            q[i] /= sqrt(q[i] @ q[i])
        return (q if rows <= columns else q.T).reshape(shape)


INITIALIZERS: tuple[type[Initializer], ...] = (
    He, Xavier, LeCun, Normal, Uniform, Zero, Constant, Orthogonal,
)  # fmt: skip
