"""metrics.jsonl: valid JSON whatever was measured, and only whole lines are read."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnc.runtime import metrics
from cnnc.runtime.errors import RunError
from cnnc.runtime.metrics import Epoch, append, read, write

FIRST = Epoch(1, 23, 2.25, 0.5, 1.125, 0.75, 0.05, 3.5)
SECOND = Epoch(2, 46, 0.1 + 0.2, 0.9, 0.2, 0.95, 0.025, 3.25)
LINE = (
    '{"epoch": 1, "step": 23, "loss": 2.25, "accuracy": 0.5, "val_loss": 1.125, '
    '"val_accuracy": 0.75, "lr": 0.05, "seconds": 3.5}\n'
)


def test_a_line_an_epoch(tmp_path):
    path = tmp_path / "metrics.jsonl"
    append(path, FIRST)
    assert path.read_text() == LINE
    append(path, SECOND)
    assert read(path) == [FIRST, SECOND]
    write(path, [SECOND])
    assert read(path) == [SECOND]
    write(path, [])
    assert read(path) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_what_is_no_number_is_null(tmp_path, bad):
    path = tmp_path / "metrics.jsonl"
    write(path, [Epoch(1, 23, bad, 0.1, bad, 0.1, 0.1, 1.0)])

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    assert json.loads(path.read_text(), parse_constant=refuse)["loss"] is None
    assert math.isnan(read(path)[0].loss)


def test_numbers_of_numpy(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(
        path, [Epoch(np.int64(1), np.int32(23), *np.float64([2.25, 0.5, 1.125, 0.75, 0.05, 3.5]))]
    )
    assert path.read_text() == LINE


@given(loss=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_to_the_last_bit(tmp_path_factory, loss):
    path = tmp_path_factory.mktemp("run") / "metrics.jsonl"
    write(path, [Epoch(1, 2, loss, 0.0, loss, 0.0, loss, 0.0)])
    assert read(path)[0].lr == loss


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE + LINE[:-1], ":2: the line is cut off"),
        (LINE + LINE[:40] + "\n", ":2: not a line of JSON"),
        (LINE + "\n" + LINE, ":2: not a line of JSON"),
        (LINE + "[1, 2]\n", ":2: not an epoch"),
        (LINE.replace('"lr"', '"rate"'), ":1: not an epoch"),
        (LINE.replace("23", "23.5"), ":1: step is 23.5, not a whole number"),
        (LINE.replace("23", "true"), ":1: step is True, not a whole number"),
        (LINE.replace("2.25", '"low"'), ":1: loss is 'low', not a number or null"),
        ("[" * 100_000 + "\n", ":1: not a line of JSON"),
    ],
)
def test_what_is_not_whole_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "metrics.jsonl"
    path.write_text(text)
    with pytest.raises(RunError) as caught:
        read(path)
    assert caught.value.message.startswith(f"{path}{message}")
    with pytest.raises(RunError):
        append(path, FIRST)
    assert path.read_text() == text


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(LINE.encode() + b"\xff\n")
    with pytest.raises(RunError, match="not UTF-8"):
        read(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match=r"cannot read .*No such file"):
        read(tmp_path / "metrics.jsonl")


def test_lines_are_written_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    append(path, FIRST)

    def full(*_args):
        raise RunError("no space")

    monkeypatch.setattr(metrics, "write_atomic", full)
    with pytest.raises(RunError):
        append(path, SECOND)
    assert read(path) == [FIRST]
