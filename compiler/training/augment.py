"""Augmentations: changed copies of the training images, anew in each epoch.

`draws` gives random uint32 numbers counted from (seed, epoch, sample), so that they do not
depend on batches or threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..arguments import Declared, arg, integer
from ..layers.layer import Array

Draws = Callable[[int], Array]  # stream number -> (N,) uint32


class Augmentation(Declared):
    """The base: `apply` returns changed images (N, C, H, W); its input stays as it is."""

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


AUGMENTATIONS = (Flip, Crop)
NOT_BUILT_YET = ("rotate", "jitter", "cutout", "mixup")
