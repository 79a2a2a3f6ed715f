"""Fully connected layers."""

from __future__ import annotations

from math import prod
from typing import Any

from ..arguments import arg, boolean, integer
from .layer import Arrays, Field, Shape, Weight, Weighted


class FC(Weighted):
    """Every output is a weighted sum of every input. CxHxW is flattened in that order.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, units), weight (units, K), bias (units,),
              K = C*H*W
    Formula   y = x @ weight.T + bias
    Gradient  dx = dy @ weight, dweight = dy.T @ x, dbias = sum of dy
    Errors    none
    Source    Rosenblatt 1958; layout as PyTorch's Linear
    """

    kind = "FC"
    by_place = ("units",)
    backward_reads = ("x", "weight")

    units: int = arg(integer(at_least=1), "how many outputs")
    bias: bool = arg(boolean(), "whether a bias is added", default=True)

    def shape(self, x: Shape) -> Shape:
        """(units,)."""
        return (self.units,)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """(units, K) and the bias."""
        weight = Weight(
            "weight", (self.units, prod(x)), self.init,
            fan_in=prod(x), fan_out=self.units, trainable=not self.freeze,
        )  # fmt: skip
        return (weight, self.bias_weight(self.units)) if self.bias else (weight,)

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """The formula of the weights."""
        formula, numbers = "units*in", "*".join(map(str, (self.units, *xs[0])))
        if self.bias:
            formula, numbers = f"{formula} + units", f"{numbers} + {self.units}"
        return {"output": "a number a unit", "weights": f"{formula} = {numbers}"}

    def macs(self, x: Shape) -> int:
        """Units * K."""
        return self.units * prod(x)

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The whole input."""
        return Field.everything(whole)

    def forward(self, xp: Any, a: Arrays) -> None:
        """One matrix product."""
        x = a.x.reshape(len(a.x), -1)  # (N, K)
        xp.matmul(x, a.weight.T, out=a.y)
        if self.bias:
            xp.add(a.y, a.bias, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """Two matrix products and a sum."""
        x = a.x.reshape(len(a.x), -1)  # (N, K)
        if a.dweight is not None:
            xp.matmul(a.dy.T, x, out=a.dweight)
        if self.bias and a.dbias is not None:
            xp.sum(a.dy, axis=0, out=a.dbias)
        if a.dx is not None:
            xp.matmul(a.dy, a.weight, out=a.dx.reshape(x.shape))

    samples = (
        ("FC(4)", (3, 2, 5)),
        ("FC(3, bias=false)", (7,)),
    )


LAYERS = (FC,)
