"""The digits: one fixed split, the same pixels as scikit-learn's."""

import gzip
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnc.runtime.data import check, digits, load
from cnnc.runtime.errors import DataError

needs_sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)


@needs_sklearn
def test_counts_types_and_ranges():
    data = load("digits", (1, 8, 8))
    check(data, (1, 8, 8), 10)
    assert data.classes == 10
    assert np.bincount(data.train.y).tolist() == [142, 145, 142, 146, 145, 146, 145, 143, 139, 144]
    assert np.bincount(data.test.y).tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]
    assert data.train.x.shape == (1437, 1, 8, 8)
    assert data.test.x.shape == (360, 1, 8, 8)
    for part in (data.train, data.test):
        assert part.x.dtype == np.float32
        assert part.y.dtype == np.int64
        assert (part.x.min(), part.x.max()) == (0, 1)


@needs_sklearn
def test_the_split_never_changes():
    data = load("digits", (1, 8, 8), seed=5)
    sums = [
        hashlib.sha256(a.tobytes()).hexdigest()[:16]
        for part in (data.train, data.test)
        for a in (np.rint(part.x * 16).astype(np.uint8), part.y.astype(np.uint8))
    ]
    assert sums == [
        "5efe29d710779bf1",
        "8c11d8369c8c2795",
        "c643a3fef114e4a6",
        "d4304ffb168cc506",
    ]


@needs_sklearn
def test_every_sample_of_scikit_learn_is_there_once():
    datasets = pytest.importorskip("sklearn.datasets")
    pixels, labels = datasets.load_digits(return_X_y=True)
    data = load("digits", (1, 8, 8))
    ours = np.concatenate([data.train.x, data.test.x]).reshape(-1, 64) * 16
    ours = np.column_stack([ours, np.concatenate([data.train.y, data.test.y])])
    theirs = np.column_stack([pixels, labels])
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


@needs_sklearn
def test_both_parts_are_shuffled():
    data = load("digits", (1, 8, 8))
    for y in (data.train.y, data.test.y):
        assert len(set(y[:100].tolist())) == 10
        assert len(set(y[-100:].tolist())) == 10


@needs_sklearn
def test_resized_and_repeated_over_channels():
    small = load("digits", (1, 8, 8)).train
    large = load("digits", (3, 16, 16)).train
    assert large.x.shape == (1437, 3, 16, 16)
    assert np.array_equal(large.x[:, 0], large.x[:, 2])
    assert np.array_equal(large.y, small.y)
    assert np.array_equal(large.x[:, 0, 0, 0], small.x[:, 0, 0, 0])  # beyond the first centre
    inner = small.x[:, 0, :2, :2] * np.outer([0.75, 0.25], [0.75, 0.25]).astype(np.float32)
    assert np.allclose(large.x[:, 0, 1, 1], inner.sum(axis=(1, 2)), atol=1e-6)


def test_a_vector_is_no_image():
    with pytest.raises(DataError, match="digits holds images, the net's INPUT is 64"):
        load("digits", (64,))


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(DataError, match="scikit-learn, which is not installed") as caught:
        load("digits", (1, 8, 8))
    assert caught.value.help == ('pip install "cnnc[digits]"',)


def pretend_scikit_learn(tmp_path, monkeypatch, data):
    folder = tmp_path / "sklearn" / "datasets" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "sklearn" / "__init__.py").touch()
    (folder / "digits.csv.gz").write_bytes(data)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip",
        gzip.compress(b"1,2,3\n4,5,6\n"),
        gzip.compress(b"a,b\n"),
        gzip.compress(b"1,2\n" * 99)[:-9],
    ],
)
def test_a_damaged_file_of_scikit_learn(tmp_path, monkeypatch, data):
    pretend_scikit_learn(tmp_path, monkeypatch, data)
    with pytest.raises(DataError, match="is not the digits that scikit-learn brings along"):
        load("digits", (1, 8, 8))


@needs_sklearn
def test_a_scikit_learn_that_keeps_the_file_elsewhere_is_asked():
    pytest.importorskip("sklearn.datasets")
    found = importlib.util.find_spec("sklearn").submodule_search_locations[0]
    rows = digits._rows(Path(found, "datasets", "data", "digits.csv.gz"))
    assert np.array_equal(digits._rows_by_import(), rows)


@needs_sklearn
def test_scikit_learn_itself_is_not_imported():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = (
        "import sys; from cnnc.runtime.data import load; load('digits', (1, 8, 8));"
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
