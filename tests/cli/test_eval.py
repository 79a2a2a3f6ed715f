"""`cnnc eval`: what the run measured itself, and what it measures on other data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Command, npz

import cnnc
from cnnc.runtime import metrics, safetensors


def last(run: Path) -> metrics.Epoch:
    return metrics.read(run / "metrics.jsonl")[-1]


def in_json(command: Command, run: Path, data: str) -> dict[str, Any]:
    done = command("eval", run, "--data", data, "--format", "json")
    assert (done.status, done.err) == (0, "")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    found: dict[str, Any] = json.loads(done.out, parse_constant=refuse)
    return found


def test_json_is_what_the_last_epoch_measured(trained: Path, command: Command) -> None:
    """To the last bit: the batches and parts are those of training."""
    run, data = trained / "run", f"npz:{trained}/data.npz"
    found = in_json(command, run, data)
    epoch = last(run)
    assert (found["loss"], found["accuracy"]) == (epoch.val_loss, epoch.val_accuracy)
    assert 0.4 < epoch.val_accuracy < 1
    assert (found["schema"], found["run"], found["data"]) == ("cnnc.eval/1", str(run), data)
    confusion = np.array(found["confusion"])
    assert confusion.shape == (3, 3) and confusion.sum() == found["samples"] == 20
    classes = np.bincount(np.load(trained / "data.npz")["y_test"], minlength=3)
    assert confusion.sum(axis=1).tolist() == classes.tolist()
    assert np.trace(confusion) / 20 == found["accuracy"]


def test_text(trained: Path, command: Command) -> None:
    run, data = trained / "run", f"npz:{trained}/data.npz"
    done = command("eval", run, "--data", data)
    assert (done.status, done.err) == (0, "")
    first, second, empty, heading, columns, *rows = done.out.splitlines()
    epoch = last(run)
    right = round(20 * epoch.val_accuracy)
    assert first == f"accuracy {100 * epoch.val_accuracy:.2f} %  ({right} of 20)"
    assert second == f"loss     {epoch.val_loss:.4f}"
    assert (empty, heading) == ("", "rows: the true class; columns: what the net says")
    assert columns.split() == ["0", "1", "2"]
    confusion = in_json(command, run, data)["confusion"]
    assert [row.replace(".", "0").split() for row in rows] == [
        [str(number), *map(str, row)] for number, row in enumerate(confusion)
    ]


@pytest.mark.parametrize("batch", [7, 64])
def test_random_data_are_those_of_the_runs_seed(
    batch: int, tmp_path: Path, command: Command
) -> None:
    """Of parts that differ in size, too."""
    net = cnnc.parse("INPUT(1x4x4) -> FC(4) -> TANH -> FC(3) -> SOFTMAX")
    run = cnnc.train(net, "random:70", tmp_path / "run", seed=4, batch=batch, shards=3)
    found = in_json(command, run.path, "random:70")
    assert (found["loss"], found["accuracy"]) == (run.history[-1].val_loss, run.accuracy)


def test_other_data(trained: Path, command: Command) -> None:
    x, y = np.ones((4, 1, 6, 6), "float32"), np.array([0, 1, 1, 2])
    other = npz(trained / "other.npz", x_test=x, y_test=y)
    found = in_json(command, trained / "run", f"npz:{other}")
    said = int(np.argmax(np.sum(found["confusion"], axis=0)))
    assert found["samples"] == 4 and found["accuracy"] == np.mean(y == said)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("npz:none.npz", "there is no file none.npz"),
        ("npz:shape.npz", "the samples are 1x5x6, the net's INPUT is 1x6x6"),
        ("npz:classes.npz", "is of class 3, but the net has 3 outputs"),
        ("imagenet", "there is no data source 'imagenet'"),
        ("digits", "is of class"),
    ],
)
def test_data_that_do_not_go_with_the_net(
    data: str, message: str, trained: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    npz(trained / "shape.npz", x_test=np.zeros((20, 1, 5, 6), "float32"))
    npz(trained / "classes.npz", y_test=np.full(20, 3))
    done = command("eval", "run", "--data", data)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error: ") and message in done.err


def test_wrong_use(trained: Path, command: Command) -> None:
    for args in (["eval", trained / "run"], ["eval", "--data", "digits"],
                 ["eval", trained / "run", "--data", "digits", "--format", "xml"]):  # fmt: skip
        assert command(*args)[:2] == (2, "")


def test_a_loss_that_is_no_number_is_null(trained: Path, command: Command) -> None:
    path = trained / "run" / "weights.safetensors"
    tensors, _ = safetensors.load(path)
    tensors["fc1.weight"][...] = np.nan
    safetensors.save(path, tensors)
    data = f"npz:{trained}/data.npz"
    assert in_json(command, trained / "run", data)["loss"] is None
    assert "loss     nan" in command("eval", trained / "run", "--data", data).out


def test_a_confusion_matrix_that_nobody_can_read_is_left_out(
    tmp_path: Path, command: Command
) -> None:
    run = cnnc.train(cnnc.parse("INPUT(4) -> FC(31)"), "random:40", tmp_path / "run", epochs=1)
    done = command("eval", run.path, "--data", "random:40")
    assert re.fullmatch(r"accuracy .* %  \(\d of 8\)\nloss     .*\n", done.out)
    assert np.shape(in_json(command, run.path, "random:40")["confusion"]) == (31, 31)
