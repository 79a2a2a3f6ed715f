"""Bilinear resizing and repeating over channels, for sources of grey images."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.data.dataset import text_of
from cnnc.runtime.errors import DataError

SIZE_LIMIT = 16 * 2**30  # bytes that a data set may take
_BLOCK = 1024  # images resized at a time, which bounds the temporary arrays


def check_image_shape(name: str, shape: tuple[int, ...], own: tuple[int, int, int]) -> None:
    """Refuse an INPUT that is no image: the images of `name` are `own` = (1, H, W)."""
    if len(shape) != 3:
        raise DataError(
            f"{name} holds images, the net's INPUT is {text_of(shape)}",
            help=(f"write INPUT({text_of(own)}); FC flattens it by itself",),
        )


def check_size(name: str, samples: int, shape: tuple[int, ...]) -> None:
    """Refuse what would take more than SIZE_LIMIT as float32, before it is made."""
    size = 4 * samples * prod(shape)
    if size > SIZE_LIMIT:
        raise DataError(
            f"{name}: {samples} samples of {text_of(shape)} take {size / 2**30:,.0f} GiB, "
            f"the limit is {SIZE_LIMIT // 2**30} GiB",
            help=("make the INPUT smaller, or use fewer samples",),
        )


def to_input(
    images: NDArray[np.number], shape: tuple[int, ...], largest: int
) -> NDArray[np.float32]:
    """Grey images (n, h, w) of 0 … largest as samples (n, C, H, W) of 0 … 1, shape = (C, H, W)."""
    samples = np.empty((len(images), *shape), np.float32)  # (n, C, H, W)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].astype(np.float32)  # (b, h, w)
        block /= np.float32(largest)
        samples[start : start + _BLOCK] = bilinear(block, shape[1], shape[2])[:, None]
    return samples


def bilinear(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Images (n, h, w) resized to (n, height, width).

    Formula   pixels are squares and have their values at their centres: output pixel i lies at
              (i + 1/2) * h/height - 1/2 of the input; between two centres the value is theirs,
              weighted by distance; beyond the first or last centre it is that one's. Nothing is
              averaged when shrinking.
    Source    PyTorch's interpolate(mode="bilinear", align_corners=False)
    """
    rows = _along_last(images.swapaxes(1, 2), height).swapaxes(1, 2)  # (n, height, w)
    return _along_last(rows, width)  # (n, height, width)


def _along_last(x: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The last axis resized to `size`."""
    old = x.shape[-1]
    if size == old:
        return x
    place = (np.arange(size) + 0.5) * (old / size) - 0.5  # (size,)
    place = place.clip(0, old - 1)
    left = np.floor(place).astype(np.int64)  # (size,)
    right = np.minimum(left + 1, old - 1)  # (size,)
    weight = (place - left).astype(np.float32)  # (size,), of the right one
    y: NDArray[np.float32] = x[..., left] * (1 - weight) + x[..., right] * weight
    return y
