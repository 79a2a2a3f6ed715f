"""The batches of an epoch: shuffled and augmented, both counted from (seed, epoch, sample)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cnnc.compiler.layers.counted import GOLDEN, key_of, scramble
from cnnc.compiler.layers.layer import Array
from cnnc.compiler.training.augment import Augmentation, Mixup

from .data import Split

SHUFFLE, AUGMENT, MIX = 1, 2, 3  # what a key is for, so that no two share their numbers


def batches(
    split: Split, batch: int, seed: int, epoch: int, augment: Sequence[Augmentation] = ()
) -> Iterator[tuple[Array, Array]]:
    """All samples once, in an order of this epoch's own; the last batch may be smaller.

    Yields x (N, *input) and y (N,).
    """
    order = shuffled(len(split.x), seed, epoch)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]  # (N,)
        x = split.x[chosen]  # (N, C, H, W)
        for number, augmentation in enumerate(augment):
            x = augmentation.apply(np, x, _Draws(chosen, seed, epoch, number))
        yield x, split.y[chosen]


def shuffled(n: int, seed: int, epoch: int) -> Array:
    """The numbers 0 … n-1 in the order of an epoch."""
    rng = np.random.Generator(np.random.PCG64([seed, epoch, SHUFFLE]))
    return rng.permutation(n)


def mixed(
    mixup: Mixup, x: Array, y: Array, seed: int, epoch: int, number: int
) -> tuple[Array, Array, float]:
    """The samples of an epoch's step, each mixed with one of them in an order of the step's own.

    number   the step's within the epoch

    Returns the samples, the classes of those that were mixed in, and the share of the first ones.
    """
    rng = np.random.Generator(np.random.PCG64([seed, epoch, MIX, number]))
    share = float(rng.beta(mixup.a, mixup.a))
    other = rng.permutation(len(x))  # (N,)
    return share * x + (1 - share) * x[other], y[other], share


class _Draws:
    """Random numbers for samples: `draws(stream)` gives (N,) uint32."""

    def __init__(self, samples: Array, seed: int, epoch: int, number: int) -> None:
        self.samples, self.numbers = samples.astype("uint32"), (seed, epoch, AUGMENT, number)

    def __call__(self, stream: int) -> Array:
        key = np.array([key_of(*self.numbers, stream)], "uint32")
        h = np.bitwise_xor(self.samples * np.uint32(GOLDEN), key)
        scramble(np, h, np.empty_like(h))
        return h
