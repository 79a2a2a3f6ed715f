"""Random bits that are counted from where they are used, so that nothing needs storing.

A number depends on the key (of seed, step and layer), the sample's place in the batch and
the entry's place in the sample: the same whatever the number of parts or threads, and after
a run is taken up again.
"""

from __future__ import annotations

from typing import Any

from .layer import Array

GOLDEN = 0x9E3779B9  # 2**32 / the golden ratio: consecutive counts land far apart


def scramble(xp: Any, h: Array, work: Array) -> None:
    """Mix 32-bit integers in place so that each bit depends on all (Wellons' lowbias32)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, None)):
        xp.right_shift(h, shift, out=work)
        xp.bitwise_xor(h, work, out=h)
        if factor is not None:
            xp.multiply(h, factor, out=h)


def bits(
    xp: Any, out: Array, work: Array, start: Array, stir: Array,
    *, index: Array, sample: Array, key: Array,
) -> None:  # fmt: skip
    """Fill `out` (N, ...) with random uint32.

    work     (N, ...)  work space, and for each sample's own start: start, stir (N,)
    index    (...)     0, 1, 2, … over the entries of a sample
    sample   (N,)      each sample's place in the batch
    key      (1,)      of seed, step and layer
    """
    xp.multiply(sample, GOLDEN, out=start)
    xp.bitwise_xor(start, key, out=start)
    scramble(xp, start, stir)
    xp.add(index, start.reshape(-1, *(1,) * (out.ndim - 1)), out=out)
    scramble(xp, out, work)


def key_of(*numbers: int) -> int:
    """One 32-bit key of several numbers, in plain Python: written before a step starts."""
    h = 0
    for n in numbers:
        h = (h + n + GOLDEN) & 0xFFFFFFFF
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            h ^= h >> shift
            h = h * factor & 0xFFFFFFFF
    return h
