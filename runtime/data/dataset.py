"""What a data set is, and what must hold before training starts on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.errors import DataError


@dataclass(frozen=True)
class Split:
    """Samples and their classes."""

    x: NDArray[np.float32]  # (n, C, H, W), or (n, *shape) of what the net takes
    y: NDArray[np.int64]  # (n,), classes counted from 0


@dataclass(frozen=True)
class Dataset:
    """Samples to train on and samples to test on."""

    name: str  # the spec it was loaded by
    train: Split
    test: Split
    classes: int  # one more than the largest class
    note: str  # one line: where it comes from


def text_of(shape: tuple[int, ...]) -> str:
    """A shape as the language writes it: 3x32x32."""
    return "x".join(map(str, shape))


def check(dataset: Dataset, input_shape: tuple[int, ...], outputs: int) -> None:
    """Refuse a data set that a net of this input shape and number of outputs cannot train on.

    Errors    DataError with the numbers and what would fix it: an empty split, x and y of
              different length, samples of another shape or type, labels that are not whole
              numbers, a class that is none of 0 … outputs - 1, nan or inf in the samples
    """
    for part, split in (("train", dataset.train), ("test", dataset.test)):
        where = f"{dataset.name}, {part}"
        _check_lengths(where, split)
        _check_samples(where, split.x, input_shape)
        _check_labels(where, split.y, outputs)
        _check_finite(where, split.x)


def _check_lengths(where: str, split: Split) -> None:
    if split.x.ndim == 0 or split.y.ndim != 1:
        raise DataError(
            f"{where}: x is {text_of(split.x.shape)} and y {text_of(split.y.shape)}",
            help=("x is (samples, channels, height, width), y is (samples,)",),
        )
    if len(split.x) != len(split.y):
        raise DataError(
            f"{where}: {len(split.x)} samples but {len(split.y)} labels",
            help=("give each sample one label",),
        )
    if len(split.x) == 0:
        raise DataError(f"{where}: there are no samples", help=("give it at least one",))


def _check_samples(where: str, x: NDArray[np.float32], input_shape: tuple[int, ...]) -> None:
    if x.shape[1:] != input_shape:
        given, wanted = text_of(x.shape[1:]), text_of(input_shape)
        raise DataError(
            f"{where}: the samples are {given}, the net's INPUT is {wanted}",
            help=(f"write INPUT({given}) or use --input {given}", f"make the samples {wanted}"),
        )
    if x.dtype != np.float32:
        raise DataError(
            f"{where}: the samples are {x.dtype}, not float32",
            help=('write x.astype("float32"), images divided to 0…1',),
        )


def _check_labels(where: str, y: NDArray[np.int64], outputs: int) -> None:
    if y.dtype.kind not in "iu":
        raise DataError(
            f"{where}: the labels are {y.dtype}, not integers",
            help=('write y.astype("int64") for class numbers, y.argmax(axis=1) for one-hot rows',),
        )
    low, high = int(y.min()), int(y.max())
    if low >= 0 and high < outputs:
        return
    sample = int(np.flatnonzero((y < 0) | (y >= outputs))[0])
    if low >= 1 and high == outputs:
        fix = "the labels count from 1: write y - 1"
    elif low >= 0:
        fix = f"give the net {high + 1} outputs: FC({high + 1}) at its end"
    else:
        fix = "number the classes from 0"
    raise DataError(
        f"{where}: sample {sample} is of class {int(y[sample])}, but the net has {outputs} "
        f"outputs, for the classes 0 to {outputs - 1}; the labels go from {low} to {high}",
        help=(fix,),
    )


def _check_finite(where: str, x: NDArray[np.float32]) -> None:
    for index, sample in enumerate(x):
        if not np.isfinite(sample).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(sample))[0])
            raise DataError(
                f"{where}: sample {index} holds {sample[place]} at {place}",
                help=("replace it, or drop the sample and its label",),
            )
