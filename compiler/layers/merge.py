"""Merges: layers of several inputs, one for each branch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any, ClassVar

from ..values import show_shape
from .layer import Arrays, Field, Layer, Misfit, Shape, Work


class Merge(Layer):
    """The base of merges. Their bodies get the inputs as the tuple `a.xs`.

    backward writes the gradient a.dx of one input, number a.index; it runs once for each
    input that needs one.
    """

    family = "merge"
    # (as written, the shapes of the branches) pairs for the tests
    merged: ClassVar[tuple[tuple[str, tuple[Shape, ...]], ...]] = ()

    def field_from(self, fields: Sequence[Field], whole: tuple[int, int]) -> Field:
        """The largest of the branches'."""
        return reduce(Field.merged, fields)

    def passes_gradient(self, index: int, xs: Sequence[Shape]) -> bool:
        """Whether the gradient of an input is that of the output itself."""
        return False

    def start(self, index: int, xs: Sequence[Shape]) -> int:
        """The channel of the output where an input begins; 0 where all lie upon one another."""
        return 0


class Concat(Merge):
    """The channels of all branches, one branch after the other.

    Shapes    x (N, C1, H, W), (N, C2, H, W), …  ->  y (N, C1 + C2 + …, H, W); of vectors
              (N, K1), (N, K2), …  ->  (N, K1 + K2 + …)
    Formula   y = the inputs side by side along axis 1
    Gradient  dx of a branch = its channels of dy
    Errors    E315 heights or widths differ, or a vector stands beside maps
    Source    Szegedy et al. 2015, section 4; Huang et al. 2017, section 3; as PyTorch's cat
    """

    kind = "CONCAT"

    def shape_from(self, xs: Sequence[Shape]) -> Shape:
        """The sum of the channels."""
        if len({x[1:] for x in xs}) > 1:
            raise Misfit(
                "E315",
                f"CONCAT's branches differ in more than channels: {_list(xs)}",
                rule="branches CxHxW must agree in H and W; their channels add up",
                fixes=_concat_fixes(xs),
            )
        return (sum(x[0] for x in xs), *xs[0][1:])

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """What the channels are made of."""
        return {"output": f"channels {' + '.join(str(x[0]) for x in xs)} = {y[0]}"}

    def start(self, index: int, xs: Sequence[Shape]) -> int:
        """Where the channels of a branch begin."""
        return sum(x[0] for x in xs[:index])

    def forward(self, xp: Any, a: Arrays) -> None:
        """Copy one branch after the other."""
        start = 0
        for x in a.xs:  # (N, Ci, H, W) or (N, Ki)
            xp.copyto(a.y[:, start : start + x.shape[1]], x)
            start += x.shape[1]

    def backward(self, xp: Any, a: Arrays) -> None:
        """Copy the branch's channels back."""
        xp.copyto(a.dx, a.dy[:, a.start : a.start + a.dx.shape[1]])

    merged = (
        ("CONCAT", ((2, 3, 4), (1, 3, 4))),
        ("CONCAT", ((3,), (2,), (4,))),
    )


class Pointwise(Merge):
    """The base of merges entry by entry, with vectors C and maps Cx1x1 spread over positions."""

    def shape_from(self, xs: Sequence[Shape]) -> Shape:
        """The largest branch's, which all others go with."""
        whole = max(xs, key=lambda x: (prod(x), len(x)))
        for x in xs:
            if x != whole and not spreads(x, whole):
                raise Misfit(
                    "E315",
                    f"{self.word}'s branches have different shapes: {_list(xs)}",
                    rule=f"every branch must be {show_shape(whole)}, or"
                    f" {whole[0]}x1x1 or {whole[0]}, which are spread over all positions"
                    if len(whole) == 3 else f"every branch must be {show_shape(whole)}",
                    fixes=_pointwise_fixes(self.word, xs, whole),
                )  # fmt: skip
        return whole


class Add(Pointwise):
    """The sum of all branches, entry by entry.

    Shapes    x (N, C, H, W) or (N, K), all the same  ->  y the same; a branch (N, C, 1, 1) or
              (N, C) is added at every position
    Formula   y = x1 + x2 + …
    Gradient  dx = dy; of a branch that was spread, the sum of dy over the positions
    Errors    E315 the shapes differ otherwise
    Source    He et al. 2016, section 3.2
    """

    kind = "ADD"

    def passes_gradient(self, index: int, xs: Sequence[Shape]) -> bool:
        """Unless the branch was spread."""
        return xs[index] == self.shape_from(xs)

    def forward(self, xp: Any, a: Arrays) -> None:
        """One branch after the other, in their order."""
        xp.copyto(a.y, _beside(a.xs[0], a.y))
        for x in a.xs[1:]:
            xp.add(a.y, _beside(x, a.y), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        _gather(xp, a.dy, a.dx)

    merged = (
        ("ADD", ((2, 3, 4), (2, 3, 4))),
        ("ADD", ((2, 3, 4), (2,), (2, 1, 1))),
        ("ADD", ((5,), (5,), (5,))),
    )


class Mul(Pointwise):
    """The product of all branches, entry by entry: gates and attention over channels.

    Shapes    x (N, C, H, W) or (N, K), all the same  ->  y the same; a branch (N, C, 1, 1) or
              (N, C) multiplies every position
    Formula   y = x1 * x2 * …
    Gradient  dx = dy * the other branches; of a branch that was spread, summed over the
              positions
    Errors    E315 the shapes differ otherwise
    Source    Hu et al. 2018, section 3
    """

    kind = "MUL"
    backward_reads = ("xs",)

    def buffers_from(self, n: int, xs: Sequence[Shape]) -> tuple[Work, ...]:
        """Room for the product that a spread branch's gradient is the sum of."""
        whole = self.shape_from(xs)
        if all(x == whole for x in xs):
            return ()
        return (Work("product", whole, "float", True, "backward"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """One branch after the other, in their order."""
        xp.copyto(a.y, _beside(a.xs[0], a.y))
        for x in a.xs[1:]:
            xp.multiply(a.y, _beside(x, a.y), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        product = a.dx if a.dx.shape == a.dy.shape else a.product  # (N, C, H, W)
        xp.copyto(product, a.dy)
        for index, x in enumerate(a.xs):
            if index != a.index:
                xp.multiply(product, _beside(x, a.dy), out=product)
        if product is not a.dx:
            _gather(xp, product, a.dx)

    merged = (
        ("MUL", ((2, 3, 4), (2, 3, 4))),
        ("MUL", ((2, 3, 4), (2,), (2, 1, 1))),
        ("MUL", ((5,), (5,), (5,))),
    )


def spreads(x: Shape, whole: Shape) -> bool:
    """Whether a branch is a number a channel of maps."""
    return len(whole) == 3 and x in ((whole[0],), (whole[0], 1, 1))


def _beside(x: Any, y: Any) -> Any:
    """A branch in a shape that broadcasts over y (N, C, H, W)."""
    return x if x.shape == y.shape else x.reshape(*y.shape[:2], 1, 1)


def _gather(xp: Any, dy: Any, dx: Any) -> None:
    """The sum over the positions that a branch was spread over."""
    xp.sum(dy, axis=(2, 3), out=dx.reshape(dy.shape[:2]))


def _list(xs: Sequence[Shape]) -> str:
    *most, last = [show_shape(x) for x in xs]
    return f"{', '.join(most)} and {last}"


def _concat_fixes(xs: Sequence[Shape]) -> list[str]:
    if len({len(x) for x in xs}) > 1:
        vectors = ", ".join(show_shape(x) for x in xs if len(x) == 1)
        total = sum(prod(x) for x in xs)
        return [
            f"FLATTEN at the end of the branches of maps gives the vector {total}",
            f"leave out what makes the vector {vectors}, so that all branches are maps",
        ]
    small = (min(x[1] for x in xs), min(x[2] for x in xs))
    channels = sum(x[0] for x in xs)
    together = show_shape((channels, *small))
    return [
        f"pad or stride the branches alike: with all at {small[0]}x{small[1]} CONCAT gives"
        f" {together}",
        "pad=same in a branch's windows of stride 1 keeps its height and width",
    ]


def _pointwise_fixes(word: str, xs: Sequence[Shape], whole: Shape) -> list[str]:
    other = next(x for x in xs if x != whole and not spreads(x, whole))
    if len(other) != len(whole):
        return [
            f"FLATTEN makes vectors of maps: {show_shape(whole)} becomes {prod(whole)}",
            f"FC({whole[0]}) at the end of the other branch gives a number a channel,"
            f" and {word} then {show_shape(whole)}",
        ]
    if len(whole) == 1:
        return [
            f"FC({whole[0]}) at the end of the branch of {other[0]} gives {whole[0]}",
            f"FC({other[0]}) at the end of the branch of {whole[0]} gives {other[0]}",
        ]
    fixes = []
    if whole[1:] == other[1:]:
        for wanted, given in ((whole, other), (other, whole)):
            fixes.append(
                f"CONV({wanted[0]}, 1) at the end of the branch of {show_shape(given)}"
                f" gives {show_shape(wanted)}"
            )
        return fixes
    stride = whole[1] // other[1]
    if stride > 1 and (other[1] * stride, other[2] * stride) == whole[1:]:
        fixes.append(
            f"CONV({other[0]}, 1, stride={stride}) at the end of the branch of"
            f" {show_shape(whole)} gives {show_shape(other)}"
        )
    fixes.append(
        f"pad or stride the branches alike, so that all are {whole[1]}x{whole[2]}"
        f" or all {other[1]}x{other[2]}"
    )
    fixes.append("pad=same in a branch's windows of stride 1 keeps its height and width")
    return fixes


LAYERS = (Concat, Add, Mul)
