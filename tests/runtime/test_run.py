"""A run's folder: what is written, what is refused, and what damaged ones say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import cnnc
from cnnc.runtime import metrics
from cnnc.runtime.compiled import Compiled
from cnnc.runtime.errors import DataError, RunError
from cnnc.runtime.run import (
    FILES,
    Settings,
    load_weights,
    new_folder,
    read_settings,
    read_spec,
    save_weights,
)

TEXT = """
net Tiny
INPUT(1x6x6) -> CENTER -> CONV(2, 3) -> RELU -> FC(3)
train { batch = 8  epochs = 2  loss = cross_entropy(label_smoothing=0.1)  seed = 5 }
"""


def compiled(text: str = TEXT) -> Compiled:
    return cnnc.parse(text).compile(batch=8)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a finished run."""
    return cnnc.train(cnnc.parse(TEXT), "random:20", tmp_path / "run").path


# -- a new folder --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "stem"), [("LeNet5", "lenet5"), (None, "net")])
def test_without_out_the_first_free_of_runs(
    name: str | None, stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / f"{stem}-3").mkdir(parents=True)
    found = [new_folder(None, name) for _ in range(3)]
    assert found == [Path("runs") / n for n in (stem, f"{stem}-2", f"{stem}-4")]
    assert all(folder.is_dir() for folder in found)


def test_two_that_begin_at_once_get_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(None, "a"), range(40)))
    assert len(set(folders)) == 40


def test_out_may_be_deep_empty_or_hold_other_things(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    assert new_folder(deep, "x") == deep and deep.is_dir()
    (deep / "notes.txt").write_text("mine")
    (deep / ".weights.safetensors.99999999.0.tmp").touch()  # of a process that was killed
    assert new_folder(str(deep), None) == deep
    assert [path.name for path in deep.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("file", FILES)
def test_nothing_of_a_run_is_overwritten(file: str, tmp_path: Path) -> None:
    """Not a line is added to somebody's metrics, and no weights are replaced."""
    (tmp_path / file).write_text("kept")
    with pytest.raises(RunError) as caught:
        new_folder(tmp_path, None)
    assert caught.value.message == (
        f"{tmp_path} holds a run already ({file}), and nothing of it is overwritten"
    )
    assert "--out" in caught.value.help[0]
    assert (tmp_path / file).read_text() == "kept"


@pytest.mark.parametrize("below", ["file", "file/run", "file/runs/run"])
def test_a_folder_that_cannot_be_made(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"the run's folder .*file.* cannot be made: "):
        new_folder(tmp_path / below, None)


def test_runs_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").touch()
    with pytest.raises(RunError, match="the run's folder runs cannot be made: "):
        new_folder(None, "a")


# -- what is refused before there is a folder ----------------------------------------------


@pytest.mark.parametrize(
    ("text", "data", "message"),
    [
        ("INPUT(1x8x8) -> FC(3)", "digits", "the net has 3 outputs"),
        ("INPUT(1x8x8) -> CONV(10, 3)", "digits", "the net's output is 10x6x6"),
        ("INPUT(64) -> FC(10)", "digits", "digits holds images, the net's INPUT is 64"),
        ("INPUT(4) -> FC(3) train { batch = 10**15 }", "random:9", "GiB of memory, more than"),
        ("INPUT(4) -> FC(3) train { batch = 10**18 }", "random:9", "GiB of memory, more than"),
        ("INPUT(1x999x999) -> FC(10**6)", "random:1", "GiB of memory, more than"),
        ("INPUT(4) -> FC(3)", "random:0", "'0' is no number of samples"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_leaves_no_folder(
    text: str, data: str, message: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(RunError) as caught:
        cnnc.train(cnnc.parse(text), data, out)
    assert message in caught.value.message
    assert caught.value.help
    assert not out.exists()


def test_too_little_memory_says_what_takes_it(tmp_path: Path) -> None:
    for text, help in (
        ("INPUT(4) -> FC(3) train { batch = 10**15 }", "fewer samples a step: --batch 5"),
        ("INPUT(1x999x999) -> FC(10**6)", "a smaller net: most of it is weights"),
    ):
        with pytest.raises(RunError) as caught:
            cnnc.train(cnnc.parse(text), "random:1", tmp_path / "run")
        assert caught.value.help[0].startswith(help)


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found = {
        "x_train": rng.random((9, 1, 6, 6), np.float32), "y_train": np.arange(9) % 3,
        "x_test": rng.random((3, 1, 6, 6), np.float32), "y_test": np.arange(3),
    }  # fmt: skip
    return {**found, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((9, 1, 5, 6), "float32")}, "the samples are 1x5x6"),
        ({"y_train": np.arange(9)}, "sample 3 is of class 3, but the net has 3 outputs"),
        ({"y_test": np.array([0, 1, -1])}, "sample 2 is of class -1"),
        ({"y_train": np.arange(8) % 3}, "9 samples but 8 labels"),
        ({"x_test": np.full((3, 1, 6, 6), np.nan, "float32")}, "test: sample 0 holds nan"),
        ({"x_test": np.zeros((0, 1, 6, 6), "float32"), "y_test": np.zeros(0, int)}, "no samples"),
    ],
)
def test_data_that_do_not_go_with_the_net(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", **arrays(**changes))
    with pytest.raises(DataError) as caught:
        cnnc.train(cnnc.parse(TEXT), f"npz:{tmp_path / 'data.npz'}", tmp_path / "run")
    assert message in caught.value.message
    assert not (tmp_path / "run").exists()


def test_the_file_is_missing_empty_or_lacks_a_test_set(tmp_path: Path) -> None:
    (tmp_path / "empty.npz").touch()
    without = {name: array for name, array in arrays().items() if "test" not in name}
    np.savez(tmp_path / "without.npz", **without)
    for name, message in (
        ("none.npz", "there is no file"),
        ("empty.npz", "not a whole .npz file"),
        ("without.npz", "x_test, y_test missing"),
    ):
        with pytest.raises(DataError) as caught:
            cnnc.train(cnnc.parse(TEXT), f"npz:{tmp_path / name}", tmp_path / "run")
        assert message in caught.value.message
    assert not (tmp_path / "run").exists()


# -- what is written -----------------------------------------------------------------------


def test_the_files_of_a_run(run: Path) -> None:
    assert sorted(path.name for path in run.iterdir()) == sorted(FILES)
    assert [epoch.epoch for epoch in metrics.read(run / "metrics.jsonl")] == [1, 2]
    assert read_settings(run) == Settings(8, 1, 5, "cross_entropy(label_smoothing=0.1)")


def test_weights_are_read_by_the_safetensors_package(run: Path) -> None:
    """With the names and shapes that `program.weights` has, statistics too."""
    found = load_file(run / "weights.safetensors")
    assert {name: array.shape for name, array in found.items()} == {
        "center1.mean": (1,),
        "conv1.weight": (2, 1, 3, 3), "conv1.bias": (2,),
        "fc1.weight": (3, 32), "fc1.bias": (3,),
    }  # fmt: skip
    assert {str(array.dtype) for array in found.values()} == {"float32"}
    assert 0.4 < found["center1.mean"][0] < 0.6  # fitted: random:N is uniform in 0 … 1


def test_weights_come_back_to_the_last_bit(run: Path) -> None:
    one = compiled()
    load_weights(one, run)
    other = compiled()
    save_weights(one, run)
    load_weights(other, run)
    for name, weight in load_file(run / "weights.safetensors").items():
        assert np.array_equal(one.weights[name], weight)
        assert np.array_equal(other.weights[name], weight)


# -- damaged and foreign folders -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc1.bias": None}, "lacks fc1.bias"),
        ({"fc2.bias": np.zeros(3, "float32")}, "has fc2.bias, which the net does not"),
        ({"fc1.bias": np.zeros(4, "float32")}, "fc1.bias has shape 3, not 4"),
        ({"fc1.bias": np.zeros(3, "float64")}, "fc1.bias is float32, and float64"),
        ({"fc1.bias": np.zeros(3, "int32")}, "fc1.bias is float32, and int32"),
    ],
)
def test_weights_of_another_net(change: dict[str, Any], message: str, run: Path) -> None:
    path = run / "weights.safetensors"
    tensors = {n: a for n, a in {**load_file(path), **change}.items() if a is not None}
    save_file(tensors, path)
    with pytest.raises(RunError) as caught:
        load_weights(compiled(), run)
    assert str(path) in caught.value.message and message in caught.value.message


def test_weights_that_are_cut_off_or_were_never_written(run: Path) -> None:
    path = run / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match="is not a whole safetensors file"):
        load_weights(compiled(), run)
    path.unlink()
    with pytest.raises(RunError) as caught:
        load_weights(compiled(), run)
    assert caught.value.message == f"{run} has no weights.safetensors"
    assert caught.value.help == ("a run keeps weights from its first epoch on",)


def test_a_folder_without_a_run(tmp_path: Path, run: Path) -> None:
    for folder in (tmp_path, tmp_path / "none", run / "spec.cnn"):
        with pytest.raises(RunError, match=r"holds no run: there is no spec.cnn in it"):
            read_spec(folder)
    assert read_spec(run) == run / "spec.cnn"


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", "\xff", "[" * 100_000, '{"shards": ' + "9" * 5000 + "}"]
)
def test_options_that_are_none(text: str, run: Path) -> None:
    (run / "options.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match=r"options.json is not what a run writes"):
        read_settings(run)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch", 0), ("batch", "8"), ("batch", True), ("batch", None), ("shards", 0.5),
        ("shards", []), ("seed", -1), ("loss", 3), ("loss", None),
    ],
)  # fmt: skip
def test_options_that_lack_what_is_needed(name: str, value: Any, run: Path) -> None:
    path = run / "options.json"
    options = json.loads(path.read_text())
    (options if name == "shards" else options["train"])[name] = value
    path.write_text(json.dumps(options))
    with pytest.raises(RunError) as caught:
        read_settings(run)
    assert caught.value.message == f"{path} does not say the {name} it was trained with"


def test_options_that_are_missing(run: Path) -> None:
    (run / "options.json").unlink()
    with pytest.raises(RunError, match=r"cannot read .*options.json: No such file"):
        read_settings(run)
