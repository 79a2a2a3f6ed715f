"""Distances to fixed codes."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, integer
from ..values import show_shape
from .layer import Arrays, Field, Layer, Misfit, Shape, Work
from .tables import lists_of_integers

CODES = lists_of_integers("a list of lists of -1 and 1, one a unit", lambda row: {*row} <= {-1, 1})


class Rbf(Layer):
    """LeNet-5's output: how far the input is from each unit's code, which is not trained.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, units), K = C*H*W
    Formula   y[u] = sum over i of (x[i] - codes[u][i])**2: the smallest is the class
    Gradient  dx = 2 * sum over u of dy[u] * (x - codes[u])
    Errors    E307 another number of codes than units, or codes of another length than the input
    Source    LeCun et al. 1998, section II.B and figure 3
    """

    kind = "RBF"
    family = "distance"
    by_place = ("units",)
    backward_reads = ("x",)

    units: int = arg(integer(at_least=1), "how many outputs, one a class")
    codes: tuple[tuple[int, ...], ...] = arg(CODES, "what each unit compares its input with")

    def shape(self, x: Shape) -> Shape:
        """(units,)."""
        inputs, units, codes = prod(x), self.units, len(self.codes)
        if codes != units:
            change = f"leave {codes - units} out" if codes > units else f"add {units - codes}"
            raise Misfit(
                "E307",
                f"{self.shown()} has {units} units and {codes} codes",
                f"{units} units and {codes} codes",
                rule="each unit has one code",
                fixes=[f"{self.replace(units=codes).shown()} gives {codes}",
                       f"{change} of the codes: {self.shown()} then gives {units}"],
            )  # fmt: skip
        unit, length = next(
            ((u, len(c)) for u, c in enumerate(self.codes) if len(c) != inputs), (0, inputs)
        )
        if length != inputs:
            raise Misfit(
                "E307",
                f"the code of unit {unit} has {length} entries, and the input has {inputs}",
                f"gets {show_shape(x)}",
                rule=f"a code has one entry an input: {length} == {inputs} does not hold",
                fixes=[f"codes of {inputs} entries each give {units}",
                       *self._layer_before({len(c) for c in self.codes})],
            )  # fmt: skip
        return (units,)

    def _layer_before(self, lengths: set[int]) -> list[str]:
        """What makes as many inputs as all codes have entries."""
        n = max(lengths)
        if len(lengths) > 1:
            return [f"FC({n}) before it, and codes of {n} entries each, give {self.units}"]
        return [f"FC({n}) before it gives {n}, and {self.shown()} then gives {self.units}"]

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """A use of a code's entry is a MAC, though it is not trained."""
        macs = f"units*in = {self.units}*{prod(xs[0])} = {self.units * prod(xs[0]):,}"
        return {"output": "a distance a unit", "macs": macs}

    def macs(self, x: Shape) -> int:
        """Units * K: the codes are weights, though fixed ones."""
        return self.units * prod(x)

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The whole input."""
        return Field(whole, whole)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Where codes are 1 and where they are -1, as 0 and 1, and a pair of numbers an input.

        (x - code)**2 is (x - 1)**2 or (x + 1)**2, so that a distance is a sum of squares that
        were computed once for all units: nothing is subtracted that rounding could spoil.
        """
        inputs = prod(x)
        marks = [int(c == sign) for code in self.codes for sign in (1, -1) for c in code]
        return (
            Work("marks", (self.units, 2 * inputs), "float", False, "constant", marks),
            Work("pairs", (2, inputs), "float", True, "both"),
            Work("sums", (2, inputs), "float", True, "backward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """Squares of both differences, and one matrix product that picks and adds."""
        self._differences(xp, a)
        xp.multiply(a.pairs, a.pairs, out=a.pairs)
        xp.matmul(a.pairs.reshape(len(a.x), -1), a.marks.T, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """For each input, dy of the units with 1 there and of those with -1 are summed first."""
        n = len(a.x)
        self._differences(xp, a)
        xp.matmul(a.dy, a.marks, out=a.sums.reshape(n, -1))
        xp.multiply(a.pairs, a.sums, out=a.pairs)
        dx = a.dx.reshape(n, -1)  # (N, K)
        xp.add(a.pairs[:, 0], a.pairs[:, 1], out=dx)
        xp.multiply(dx, 2, out=dx)

    def _differences(self, xp: Any, a: Arrays) -> None:
        """Pairs (N, 2, K): x - 1 and x + 1."""
        x = a.x.reshape(len(a.x), -1)  # (N, K)
        xp.subtract(x, 1, out=a.pairs[:, 0])
        xp.add(x, 1, out=a.pairs[:, 1])

    samples = (
        ("RBF(2, [[1, -1, 1], [-1, -1, 1]])", (3,)),
        ("RBF(3, codes=[[1, -1, 1, 1], [-1, -1, 1, -1], [-1, -1, -1, -1]])", (1, 2, 2)),
    )


LAYERS = (Rbf,)
