"""The table of sources: which there are, what is said about those that are not; random:N."""

import numpy as np
import pytest

from cnnc.runtime.data import NOT_BUILT_YET, SOURCES, check, load
from cnnc.runtime.errors import DataError


def refused(spec, **kwargs):
    with pytest.raises(DataError) as caught:
        load(spec, kwargs.pop("shape", (1, 8, 8)), **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("spec", "help"),
    [
        ("digit", "did you mean digits?"),
        ("Digits", "did you mean digits?"),
        ("nmist:here", "did you mean mnist:DIR?"),
        ("nzp:a.npz", "did you mean npz:FILE?"),
        ("cells.npz", "did you mean npz:cells.npz?"),
    ],
)
def test_a_misspelled_source_gets_a_suggestion(spec, help):
    assert refused(spec).help[0] == help


@pytest.mark.parametrize("spec", ["", ":", "zzzzzz", "zzzzzz:1", " digits ."])
def test_an_unknown_source_gets_the_list(spec):
    sources = "digits, npz:FILE, mnist:DIR, fashion:DIR, random:N"
    assert refused(spec).help[-1] == f"the sources are {sources}"


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "folder"])
def test_a_source_that_is_not_built_yet_is_refused_by_name(name):
    error = refused(f"{name}:some/where")
    assert error.message == f"{name}: is not built yet"
    assert "npz:FILE" in error.help[0]
    assert name in NOT_BUILT_YET


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.argument])
@pytest.mark.parametrize("colon", ["", ":"])
def test_a_source_without_its_argument(name, colon):
    error = refused(name + colon)
    assert error.message == f"{name} needs to know its {SOURCES[name].argument}"
    assert error.help == (f"write {name}:{SOURCES[name].argument}",)


def test_digits_take_no_argument():
    assert refused("digits:8").help == ("write digits",)


@pytest.mark.parametrize("spec", ["npz:no/file.npz", "mnist:no/folder", "fashion:no/folder"])
def test_a_path_that_is_not_there(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused(spec)
    assert spec.partition(":")[2] in error.message
    assert error.help == (f"the folder {tmp_path} is there; what follows it is not",)


def test_a_file_for_a_folder_and_the_reverse(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert refused(f"mnist:{file}").message.endswith("is not a folder")
    assert refused(f"npz:{tmp_path}").message.endswith("is not a file")


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    x, y = np.zeros((2, 1, 8, 8), np.float32), np.array([0, 1])
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert load("npz:~/a.npz", (1, 8, 8)).classes == 2


@pytest.mark.parametrize("path", ["a\0b", "~nobody-of-this-name/a", "a" * 5000])
def test_a_text_that_is_no_path(path):
    for name in ("npz", "mnist"):
        assert refused(f"{name}:{path}").message


def test_random_is_the_same_for_the_same_seed():
    one, two, other = (load("random:50", (3, 4, 5), seed, classes=7) for seed in (1, 1, 2))
    check(one, (3, 4, 5), 7)
    assert np.array_equal(one.train.x, two.train.x)
    assert np.array_equal(one.test.x, two.test.x)
    assert np.array_equal(one.train.y, two.train.y)
    assert not np.array_equal(one.train.x, other.train.x)
    assert not np.array_equal(one.train.x[:10], one.test.x)


@pytest.mark.parametrize(("count", "tests"), [(1, 1), (4, 1), (5, 1), (10, 2), (1000, 200)])
def test_random_has_a_fifth_to_test_on(count, tests):
    data = load(f"random:{count}", (6,), classes=4)
    assert data.train.x.shape == (count, 6)
    assert data.test.x.shape == (tests, 6)


def test_random_fills_range_and_classes():
    data = load("random:2000", (1, 3, 3), classes=4)
    assert np.bincount(data.train.y).min() > 400
    assert 0 <= data.train.x.min() < 0.01 < 0.99 < data.train.x.max() < 1


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "²", "9" * 19, "1e3"])
def test_random_wants_a_number(count):
    assert refused(f"random:{count}", classes=2).help == ("write random:1000",)


def test_random_wants_the_number_of_classes():
    assert "number of classes" in refused("random:10").message
    assert "number of classes" in refused("random:10", classes=0).message


def test_random_is_bounded_and_its_seed_too():
    assert "GiB" in refused("random:100000000000", classes=2).message
    assert refused("random:10", classes=2, seed=-1).message == "random:10: the seed is -1, below 0"
