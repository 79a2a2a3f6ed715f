"""digits: 1,797 scanned digits, 8x8 pixels of 0 … 16, that scikit-learn brings along."""

import gzip
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnc.runtime.data.dataset import Dataset, Split
from cnnc.runtime.data.resize import check_image_shape, check_size, to_input
from cnnc.runtime.errors import DataError

SAMPLES, TEST_SAMPLES, CLASSES = 1797, 360, 10


def load(shape: tuple[int, ...]) -> Dataset:
    """Digits resized to shape = (C, H, W), pixels/16.

    Errors    DataError: scikit-learn is missing or its file is another, the INPUT is no image
    """
    check_image_shape("digits", shape, (1, 8, 8))
    check_size("digits", SAMPLES, shape)
    images, labels = _read()  # (1797, 8, 8), (1797,)
    train, test = split(labels)
    return Dataset(
        name="digits",
        train=Split(to_input(images[train], shape, largest=16), labels[train]),
        test=Split(to_input(images[test], shape, largest=16), labels[test]),
        classes=CLASSES,
        note="scanned handwritten digits, 8x8 (UCI; scikit-learn's load_digits)",
    )


def split(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the samples to train on (1437,) and to test on (360,), shuffled.

    The same for every run, seed and library: the samples are shuffled, and the first of each
    class are for testing, as many as its share of 360 (rounded down; those with the largest
    remainders get one more, the lower class where equal). Both parts are then shuffled anew.
    """
    order = _shuffled("split", np.arange(len(labels)))  # (1797,)
    counts = np.bincount(labels)  # (10,)
    quotas, remainders = np.divmod(counts * TEST_SAMPLES, len(labels))  # (10,), (10,)
    largest_first = np.argsort(-remainders, kind="stable")  # (10,)
    quotas[largest_first[: TEST_SAMPLES - quotas.sum()]] += 1

    is_test = np.zeros(len(labels), bool)  # (1797,), by place in the file
    for digit, quota in enumerate(quotas):
        is_test[order[labels[order] == digit][:quota]] = True
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)  # (1437,), (360,)
    return _shuffled("train", train), _shuffled("test", test)


def _shuffled(salt: str, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places in the file, (n,), in the order of a hash: a library's generator may change."""

    def key(place: int) -> bytes:
        return hashlib.sha256(f"digits {salt} {place}".encode()).digest()

    return np.array(sorted(places.tolist(), key=key), np.int64)


def _read() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images (1797, 8, 8) and labels (1797,), in file order."""
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "digits come with scikit-learn, which is not installed",
            help=('pip install "cnnc[digits]"',),
        )
    # Its file is read by itself: importing scikit-learn takes above a second, this 50 ms.
    path = Path(found.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    rows = _rows(path) if path.is_file() else _rows_by_import()  # (1797, 65)
    if rows.shape != (SAMPLES, 65) or rows.min() < 0 or rows.max() > 16 or rows[:, 64].max() > 9:
        raise _not_the_digits(str(path))
    return rows[:, :64].reshape(-1, 8, 8), rows[:, 64]


def _rows(path: Path) -> NDArray[np.int64]:
    """The file: 64 pixels and the label in each of its (1797, 65) rows."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            return np.loadtxt(file, delimiter=",", dtype=np.int64, ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise _not_the_digits(str(path)) from error


def _rows_by_import() -> NDArray[np.int64]:
    """The same rows from a scikit-learn that keeps the file elsewhere."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise _not_the_digits("scikit-learn's data set") from error
    pixels, labels = load_digits(return_X_y=True)  # (1797, 64), (1797,)
    return np.column_stack([pixels, labels]).astype(np.int64)


def _not_the_digits(what: str) -> DataError:
    return DataError(
        f"{what} is not the digits that scikit-learn brings along",
        help=('pip install --force-reinstall "scikit-learn>=1.4"',),
    )
