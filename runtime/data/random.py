"""random:N: noise of any shape with random classes, to try a net or to time it."""

import numpy as np

from cnnc.runtime.data.dataset import Dataset, Split
from cnnc.runtime.data.resize import check_size
from cnnc.runtime.errors import DataError


def load(
    spec: str, argument: str, shape: tuple[int, ...], seed: int, classes: int | None
) -> Dataset:
    """N samples to train on and N // 5, at least one, to test on; the same for the same seed.

    Samples (n, *shape) are uniform in 0…1, classes uniform in 0 … classes - 1.

    Errors    DataError: N is no whole number from 1 on, the number of classes is not known, a
              negative seed, more than SIZE_LIMIT
    """
    if not (argument.isascii() and argument.isdecimal() and len(argument) <= 18 and int(argument)):
        raise DataError(
            f"{spec}: {argument!r} is no number of samples", help=("write random:1000",)
        )
    if classes is None or classes < 1:
        raise DataError(f"{spec}: the number of classes is not known: it is the net's outputs")
    if seed < 0:
        raise DataError(f"{spec}: the seed is {seed}, below 0")
    samples = int(argument)
    tests = max(1, samples // 5)
    check_size(spec, samples + tests, shape)
    return Dataset(
        name=spec,
        train=_split(samples, shape, classes, (seed, 0)),
        test=_split(tests, shape, classes, (seed, 1)),
        classes=classes,
        note=f"noise with random labels, seed {seed}",
    )


def _split(samples: int, shape: tuple[int, ...], classes: int, seed: tuple[int, int]) -> Split:
    generator = np.random.Generator(np.random.PCG64(seed))
    return Split(
        x=generator.random((samples, *shape), np.float32),
        y=generator.integers(0, classes, samples, np.int64),
    )
