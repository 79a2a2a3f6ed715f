"""Augmentations: changed copies of the training images, anew in each epoch.

`draws` gives random uint32 numbers counted from (seed, epoch, sample), so that they do not
depend on batches or threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..arguments import BadValue, Declared, arg, integer, number
from ..layers.layer import Array, Shape
from ..values import show_shape

Draws = Callable[[int], Array]  # stream number -> (N,) uint32


class Augmentation(Declared):
    """The base: `apply` returns changed images (N, C, H, W); its input stays as it is."""

    def require(self, x: Shape) -> None:
        """Raise BadValue for samples of a shape that it cannot change."""
        if len(x) != 3:
            raise BadValue(
                f"{self.word} for maps CxHxW, and INPUT is the vector {show_shape(x)}", "augment"
            )

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """The changed images."""
        raise NotImplementedError


class Flip(Augmentation):
    """Mirrors left and right with probability one half."""

    word = "flip"

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """See the class."""
        flipped = draws(0) & 1 == 1  # (N,)
        return xp.where(flipped[:, None, None, None], x[:, :, :, ::-1], x)


class Crop(Augmentation):
    """Pads with zeros and cuts the old size out at a random place.

    Source    Krizhevsky 2009; as torchvision's RandomCrop(size, padding)
    """

    word = "crop"

    pad: int = arg(integer(at_least=0), "rows and columns of zeros on each side", default=4)

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """See the class."""
        n, _, height, width = x.shape
        p = self.pad
        padded = xp.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))  # (N, C, H+2p, W+2p)
        top = (draws(0) % (2 * p + 1)).astype("int64")  # (N,)
        left = (draws(1) % (2 * p + 1)).astype("int64")  # (N,)
        rows = top[:, None] + xp.arange(height)  # (N, H)
        columns = left[:, None] + xp.arange(width)  # (N, W)
        samples = xp.arange(n)[:, None, None]
        picked = padded[samples, :, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
        return xp.ascontiguousarray(picked.transpose(0, 3, 1, 2))


class Rotate(Augmentation):
    """Turns the image about its middle by a random angle of at most deg to either side.

    A pixel is interpolated between the four that lie around where it comes from; outside the
    image there are zeros.

    Source    as torchvision's RandomRotation(deg, BILINEAR)
    """

    word = "rotate"
    by_place = ("deg",)

    deg: float = arg(number(above=0, at_most=180), "the largest angle, in degrees", default=15)

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """See the class; with (N, H, W) for each of the four neighbours."""
        n, _, height, width = x.shape
        angle = xp.deg2rad(self.deg * _spread(draws(0)))[:, None, None]  # (N, 1, 1)
        down = xp.arange(height)[:, None] - (height - 1) / 2  # (H, 1)
        right = xp.arange(width) - (width - 1) / 2  # (W,)
        row = (height - 1) / 2 + xp.cos(angle) * down + xp.sin(angle) * right  # (N, H, W)
        column = (width - 1) / 2 - xp.sin(angle) * down + xp.cos(angle) * right  # (N, H, W)
        top, left = xp.floor(row), xp.floor(column)  # (N, H, W)
        padded = xp.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))  # (N, C, H+2, W+2)
        samples = xp.arange(n)[:, None, None]
        turned = xp.zeros((n, height, width, x.shape[1]), x.dtype)
        for r, r_weight in ((top, top + 1 - row), (top + 1, row - top)):
            for c, c_weight in ((left, left + 1 - column), (left + 1, column - left)):
                # Far outside is as good as the border of zeros.
                rows = xp.clip(r + 1, 0, height + 1).astype("int64")  # (N, H, W)
                columns = xp.clip(c + 1, 0, width + 1).astype("int64")  # (N, H, W)
                weight = (r_weight * c_weight).astype(x.dtype)[..., None]  # (N, H, W, 1)
                turned += weight * padded[samples, :, rows, columns]  # (N, H, W, C)
        return xp.ascontiguousarray(turned.transpose(0, 3, 1, 2))


class Jitter(Augmentation):
    """Multiplies brightness, then contrast, by random factors.

    The results are not cut off at 0 and 1, so that images in any range can be changed.

    Formula   y = b*x;  z = m + c*(y - m), m the mean of all of the image's numbers;
              b in 1-brightness … 1+brightness, c in 1-contrast … 1+contrast, both uniform
    Source    Howard 2013; as torchvision's ColorJitter, which cuts off
    """

    word = "jitter"

    brightness: float = arg(
        number(at_least=0, at_most=1), "the largest change of the brightness", default=0.2
    )
    contrast: float = arg(
        number(at_least=0, at_most=1), "the largest change of the contrast", default=0.2
    )

    def check(self) -> None:
        """Something must change."""
        if self.brightness == 0 and self.contrast == 0:
            raise BadValue("jitter with a brightness or contrast above 0")

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """See the formula."""
        n = len(x)
        brightness = (1 + self.brightness * _spread(draws(0))).astype(x.dtype)  # (N,)
        contrast = (1 + self.contrast * _spread(draws(1))).astype(x.dtype)  # (N,)
        y = (x * brightness[:, None, None, None]).reshape(n, -1)  # (N, C*H*W)
        mean = y.mean(axis=1, keepdims=True)  # (N, 1)
        return (mean + contrast[:, None] * (y - mean)).reshape(x.shape)


class Cutout(Augmentation):
    """Puts zeros into a square around a random pixel; what of it lies outside is cut off.

    Source    DeVries and Taylor 2017
    """

    word = "cutout"
    by_place = ("n",)

    n: int = arg(integer(at_least=1), "rows and columns of the square")

    def apply(self, xp: Any, x: Array, draws: Draws) -> Array:
        """See the class."""
        rows = self._inside(xp, draws(0), x.shape[2])  # (N, H)
        columns = self._inside(xp, draws(1), x.shape[3])  # (N, W)
        hole = rows[:, :, None] & columns[:, None, :]  # (N, H, W)
        return xp.where(hole[:, None], xp.zeros((), x.dtype), x)

    def _inside(self, xp: Any, drawn: Array, size: int) -> Array:
        first = (drawn % size).astype("int64")[:, None] - self.n // 2  # (N, 1)
        place = xp.arange(size)  # (size,)
        return (place >= first) & (place < first + self.n)


class Mixup(Declared):
    """Mixes each sample of a step with another one of it: samples, and losses of their classes.

    It comes after the other augmentations, wherever it stands in the list, and is for samples
    of any shape. Each step has its own weight, and its own order in which samples are mixed.

    Formula   x = w*x + (1-w)*x[other];  loss = w*loss(y) + (1-w)*loss(y[other]), for every loss;
              w drawn from Beta(a, a)
    Source    Zhang et al. 2018, as in its authors' code
    """

    word = "mixup"
    by_place = ("a",)

    a: float = arg(number(above=0), "of Beta(a, a): the larger, the more is mixed", default=0.2)


def _spread(drawn: Array) -> Array:
    """Random uint32 as float64 in -1 … 1."""
    return drawn * 2.0**-31 - 1


AUGMENTATIONS = (Flip, Crop, Rotate, Jitter, Cutout, Mixup)
