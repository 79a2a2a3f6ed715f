"""Data: INPUT, and the layers right after it that prepare the data.

Their statistics are fitted on the training set and stored with the weights, not trained.
Before fitting they change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..arguments import arg, one_of, shape
from .initializers import Constant, Initializer, Zero
from .layer import Array, Arrays, Layer, Shape, Weight


class Input(Layer):
    """Heads the net: the shape of one sample.

    Shapes    (N, C, H, W), or (N, K) for INPUT(K)
    Formula   y = the data
    Gradient  none: nothing below needs it
    Errors    E305 it does not head the net; E213 no shape is given
    Source    images in 0 … 1, channels first, as PyTorch
    """

    kind = "INPUT"
    by_place = ("size",)
    family = "input"

    size: Shape = arg(shape(3, 1), "the shape of one sample, CxHxW or K")

    def shape(self, x: Shape) -> Shape:
        """The given one."""
        return self.size

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """Nothing comes before it."""
        return {"output": "one sample, as given"}


def looks_channels_last(shape: Shape) -> bool:
    """Whether a shape is most likely HxWxC, as other tools have it: 32x32x3, 28x28x1."""
    if len(shape) != 3 or shape[2] not in (1, 3, 4):
        return False
    small, large = sorted(shape[:2])
    return small >= 8 and large <= 2 * small


class DataLayer(Layer):
    """The base of layers that prepare the data."""

    family = "data"

    per: str

    def _statistic(self, name: str, x: Shape, init: Initializer) -> Weight:
        size = x if self.per == "pixel" else (x[0],)
        return Weight(name, size, init, trainable=False, statistic=True)

    def _over(self, array: Array) -> tuple[int, ...]:
        """The axes of (N, C, H, W) that a statistic is taken over."""
        return (0,) if self.per == "pixel" else (0, *range(2, array.ndim))

    def _spread(self, statistic: Array, x: Array) -> Array:
        """A statistic (C,) or (C, H, W) in a shape that broadcasts over x (N, C, H, W)."""
        return statistic.reshape(statistic.shape + (1,) * (x.ndim - 1 - statistic.ndim))


class Center(DataLayer):
    """Subtracts the mean of the training set.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; mean (C,), or x's shape for per=pixel
    Formula   y = x - mean
    Gradient  dx = dy
    Errors    E305 it does not stand right after INPUT
    Source    LeCun et al. 1998, Efficient BackProp, section 4.3
    """

    kind = "CENTER"

    per: str = arg(
        one_of("channel", "pixel"), "one mean a channel or one a pixel", default="channel"
    )

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """The mean."""
        return (self._statistic("mean", x, Zero()),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        xp.subtract(a.x, self._spread(a.mean, a.x), out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        xp.copyto(a.dx, a.dy)

    def fit(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> dict[str, Array]:
        """The mean, added up in float64."""
        return {"mean": self._mean(xp, batches)}

    def _mean(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> Array:
        total, count = 0.0, 0
        for x in batches():  # (N, C, H, W)
            total = total + xp.sum(x, axis=self._over(x), dtype="float64")
            count += x.size
        return total * (total.size / count)  # type: ignore[attr-defined]

    samples = (("CENTER", (3, 2, 4)), ("CENTER(pixel)", (2, 3, 3)), ("CENTER", (5,)))


class Normalize(Center):
    """Divides by the standard deviation, or maps the smallest and largest value to 0 and 1.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; std, or min and max: (C,), or x's shape
              for per=pixel
    Formula   std: y = x / std; range: y = (x - min) / (max - min). A constant channel or
              pixel, whose std or range would be 0, is divided by 1
    Gradient  dx = dy / std, or dy / (max - min)
    Errors    E305 it does not stand right after INPUT
    Source    LeCun et al. 1998, Efficient BackProp, section 4.3; the deviation is that of the
              whole set (divided by n), around its mean
    """

    kind = "NORMALIZE"
    backward_reads = ("std", "min", "max")

    mode: str = arg(one_of("std", "range"), "what is made equal", default="std")
    per: str = arg(one_of("channel", "pixel"), "one scale a channel or one a pixel",
                   default="channel")  # fmt: skip

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """std, or min and max."""
        if self.mode == "std":
            return (self._statistic("std", x, Constant(value=1)),)
        return self._statistic("min", x, Zero()), self._statistic("max", x, Constant(value=1))

    def forward(self, xp: Any, a: Arrays) -> None:
        """See the formula."""
        if self.mode == "std":
            xp.divide(a.x, self._spread(a.std, a.x), out=a.y)
            return
        low, high = self._spread(a.min, a.x), self._spread(a.max, a.x)
        xp.subtract(a.x, low, out=a.y)
        xp.divide(a.y, high - low, out=a.y)

    def backward(self, xp: Any, a: Arrays) -> None:
        """See the gradient."""
        scale = a.std if self.mode == "std" else a.max - a.min
        xp.divide(a.dy, self._spread(scale, a.dy), out=a.dx)

    def fit(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> dict[str, Array]:
        """In float64, in two passes for the deviation."""
        if self.mode == "range":
            low: Array = None
            high: Array = None
            for x in batches():  # (N, C, H, W)
                least = xp.min(x, axis=self._over(x)).astype("float64")
                most = xp.max(x, axis=self._over(x)).astype("float64")
                low = least if low is None else xp.minimum(low, least)
                high = most if high is None else xp.maximum(high, most)
            return {"min": low, "max": xp.where(high == low, low + 1, high)}
        mean = self._mean(xp, batches)
        total, count = 0.0, 0
        for x in batches():  # (N, C, H, W)
            off = x.astype("float64") - self._spread(mean, x)
            total = total + xp.sum(off * off, axis=self._over(x))
            count += x.size
        std = xp.sqrt(total * (mean.size / count))
        # What rounding leaves of a constant is no deviation.
        constant = std <= 1e-6 * xp.maximum(xp.abs(mean), 1e-30)
        return {"std": xp.where(constant, 1.0, std)}

    samples = (
        ("NORMALIZE", (3, 2, 4)),
        ("NORMALIZE(range, per=pixel)", (2, 3, 3)),
        ("NORMALIZE(range)", (5,)),
    )


LAYERS = (Input, Center, Normalize)
