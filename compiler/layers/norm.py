"""Normalisation of each sample for itself."""

from __future__ import annotations

from typing import Any

from ..arguments import arg, integer, made_of, number
from ..values import Made
from .channels import check_divides, others, spread
from .initializers import INITIALIZERS, Initializer
from .layer import Array, Arrays, Field, Layer, Shape, Weight, Weighted, Work


class Lrn(Layer):
    """Divides each entry by a power of the squares around it, across neighbouring channels.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same
    Formula   y[c] = x[c] / scale[c]**beta, scale[c] = k + alpha/size * sum of x[j]**2 over the
              channels c - size//2 <= j <= c + (size-1)//2 that there are
    Gradient  dx[c] = dy[c] / scale[c]**beta - 2*alpha*beta/size * x[c] * sum of dy[j]*y[j]/scale[j]
              over the channels j whose window has c in it
    Errors    none
    Source    Krizhevsky et al. 2012, section 3.3, with alpha divided by size as in Caffe and in
              PyTorch's LocalResponseNorm (whose k is 1 unless said)
    """

    kind = "LRN"
    by_place = ("size",)
    backward_reads = ("x", "y")

    size: int = arg(integer(at_least=1), "how many neighbouring channels are added up", default=5)
    alpha: float = arg(number(at_least=0), "factor on their mean square", default=1e-4)
    beta: float = arg(number(at_least=0), "the power", default=0.75)
    k: float = arg(number(above=0), "added, so that nothing is divided by 0", default=2)

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The scale, squares, and what backward adds up."""
        return (
            Work("scale", x),
            Work("square", x, use="forward"),
            Work("ratio", x, use="backward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.multiply(a.x, a.x, out=a.square)
        xp.multiply(a.square, self.alpha / self.size, out=a.square)
        a.scale.fill(self.k)
        self._sum(a.square, a.scale, self.size // 2, (self.size - 1) // 2)
        xp.power(a.scale, -self.beta, out=a.y)
        xp.multiply(a.y, a.x, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.multiply(a.dy, a.y, out=a.ratio)
        xp.divide(a.ratio, a.scale, out=a.ratio)
        a.dx.fill(0)
        self._sum(a.ratio, a.dx, (self.size - 1) // 2, self.size // 2)
        xp.multiply(a.dx, a.x, out=a.dx)
        xp.multiply(a.dx, -2 * self.alpha * self.beta / self.size, out=a.dx)
        xp.power(a.scale, -self.beta, out=a.ratio)
        xp.multiply(a.ratio, a.dy, out=a.ratio)
        xp.add(a.dx, a.ratio, out=a.dx)

    def _sum(self, terms: Array, into: Array, before: int, after: int) -> None:
        """Add to into[c] the terms c - before … c + after, as far as there are."""
        channels = terms.shape[1]
        for offset in range(-min(before, channels - 1), min(after, channels - 1) + 1):
            low, high = max(0, -offset), channels - max(0, offset)
            into[:, low:high] += terms[:, low + offset : high + offset]

    samples = (
        ("LRN", (7, 2, 3)),
        ("LRN(3, alpha=0.5, beta=0.6, k=1)", (4, 3, 3)),
        ("LRN(4, 2)", (9,)),
    )


class Norm(Weighted):
    """The base of layers that shift to mean 0, scale to variance 1, and have two weights a channel.

    It normalises what `split` makes of x, over the axes that `over` gives.
    """

    backward_reads = ("x", "weight")

    init: Initializer = arg(
        made_of(*INITIALIZERS), "how its scales start; its shifts start at 0",
        default=Made("constant", (1,), ()),
    )  # fmt: skip

    eps: float

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """A scale and a shift a channel."""
        return scale_and_shift(self, x)

    def split(self, array: Array) -> Array:
        """A view of x, y or work space in which the axes `over` are what is normalised over."""
        raise NotImplementedError

    def over(self, split: Array) -> tuple[int, ...]:
        """The axes of a split array to normalise over."""
        raise NotImplementedError

    def statistic(self, x: Shape) -> Shape:
        """The shape of one sample's statistic: as split, 1 for each axis of `over`."""
        raise NotImplementedError

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """Mean and one over the deviation, and room for products before they are summed."""
        one = self.statistic(x)
        return (
            Work("mean", one),
            Work("rstd", one),
            Work("product", x, use="both"),
            Work("hat", x, use="backward"),
            Work("share", one, use="backward"),
        )

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula; the variance is that around the mean, not a difference of squares."""
        x, y, product = self.split(a.x), self.split(a.y), self.split(a.product)
        axes = self.over(x)
        xp.mean(x, axis=axes, keepdims=True, out=a.mean)
        xp.subtract(x, a.mean, out=y)
        xp.multiply(y, y, out=product)
        xp.mean(product, axis=axes, keepdims=True, out=a.rstd)
        xp.add(a.rstd, self.eps, out=a.rstd)
        xp.sqrt(a.rstd, out=a.rstd)
        xp.divide(1, a.rstd, out=a.rstd)
        xp.multiply(y, a.rstd, out=y)
        xp.multiply(a.y, spread(a.weight, a.x), out=a.y)
        xp.add(a.y, spread(a.bias, a.x), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        hat, product = self.split(a.hat), self.split(a.product)
        xp.subtract(self.split(a.x), a.mean, out=hat)
        xp.multiply(hat, a.rstd, out=hat)
        if a.dbias is not None:
            xp.sum(a.dy, axis=others(a.dy), out=a.dbias)
        if a.dweight is not None:
            xp.multiply(a.dy, a.hat, out=a.product)
            xp.sum(a.product, axis=others(a.dy), out=a.dweight)
        if a.dx is not None:
            dx = self.split(a.dx)
            axes = self.over(dx)
            xp.multiply(a.dy, spread(a.weight, a.dy), out=a.dx)
            xp.multiply(dx, hat, out=product)
            xp.mean(product, axis=axes, keepdims=True, out=a.share)
            xp.multiply(hat, a.share, out=hat)
            xp.mean(dx, axis=axes, keepdims=True, out=a.share)
            xp.subtract(dx, a.share, out=dx)
            xp.subtract(dx, hat, out=dx)
            xp.multiply(dx, a.rstd, out=dx)


class LN(Norm):
    """Normalises the channels at each position, or the units of a vector; then scale and shift.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; weight and bias (C,) or (K,)
    Formula   y = (x - mean) / sqrt(var + eps) * weight + bias, mean and var (divided by C) over
              the channels of each position of each sample
    Gradient  with hat = (x - mean) / sqrt(var + eps) and g = dy * weight: dx = (g - mean of g
              - hat * mean of g*hat) / sqrt(var + eps); dweight = sum of dy*hat, dbias = sum of dy
    Errors    none
    Source    Ba et al. 2016; over channels as in ConvNeXt, Liu et al. 2022; for vectors as
              PyTorch's LayerNorm(K)
    """

    kind = "LN"

    eps: float = arg(number(at_least=0), "added to the variance", default=1e-5)

    def split(self, array: Array) -> Array:
        """The array itself."""
        return array

    def over(self, split: Array) -> tuple[int, ...]:
        """The channels."""
        return (1,)

    def statistic(self, x: Shape) -> Shape:
        """One a position."""
        return (1, *x[1:])

    samples = (("LN", (4, 2, 3)), ("LN(eps=0.1)", (7,)))


class GN(Norm):
    """Normalises each group of neighbouring channels over all positions; then scale and shift.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; weight and bias (C,) or (K,)
    Formula   y = (x - mean) / sqrt(var + eps) * weight + bias, mean and var (divided by their
              number) over the C/groups channels of a group and all positions of each sample
    Gradient  as LN's, the means over a group
    Errors    E303 groups do not divide the channels
    Source    Wu and He 2018; as PyTorch's GroupNorm. GN(C) is instance normalisation
    """

    kind = "GN"
    by_place = ("groups",)

    groups: int = arg(integer(at_least=1), "parts of the channels, each normalised for itself")
    eps: float = arg(number(at_least=0), "added to the variance", default=1e-5)

    def shape(self, x: Shape) -> Shape:
        """The input's."""
        check_divides(self, x, "groups", "E303")
        return x

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The whole input."""
        return Field.everything(whole)

    def split(self, array: Array) -> Array:
        """(N, G, C/G, H, W)."""
        n, channels, *places = array.shape
        return array.reshape(n, self.groups, channels // self.groups, *places)

    def over(self, split: Array) -> tuple[int, ...]:
        """All of a group."""
        return tuple(range(2, split.ndim))

    def statistic(self, x: Shape) -> Shape:
        """One a group."""
        return (self.groups, 1, *(1 for _ in x[1:]))

    samples = (("GN(2)", (4, 2, 3)), ("GN(3, eps=0.1)", (6,)), ("GN(1)", (2, 3, 3)))


def scale_and_shift(layer: Weighted, x: Shape) -> tuple[Weight, Weight]:
    """The weights of layers that normalise: one of each a channel."""
    weight = Weight("weight", (x[0],), layer.init, trainable=not layer.freeze)
    return weight, layer.bias_weight(x[0])


LAYERS = (Lrn, LN, GN)
