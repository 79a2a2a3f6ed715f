"""Opening a run again: the same net, the same bits; damaged and foreign folders."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from tests.cli.conftest import Command

from cnnc.cli.runs import json_number, open_run


def test_the_net_is_compiled_as_for_training(trained: Path) -> None:
    compiled = open_run(str(trained / "run"))
    assert (compiled.batch, compiled.shards, compiled.seed) == (10, 2, 3)
    assert str(compiled.training.loss) == "cross_entropy(label_smoothing=0.1)"
    for name, weight in load_file(trained / "run" / "weights.safetensors").items():
        assert (compiled.weights[name] == weight).all()


def damage(run: Path, what: str) -> None:
    if what == "foreign":
        for path in run.iterdir():
            path.unlink()
        (run / "notes.txt").write_text("mine")
    elif what == "options":
        path = run / "options.json"
        options = json.loads(path.read_text())
        options["train"]["loss"] = "perplexity"
        path.write_text(json.dumps(options))
    elif what == "spec":
        path = run / "spec.cnn"
        path.write_text(path.read_text().replace("CONV(4, 3)", "CONV(4, 9)"))
    elif what == "bytes":
        (run / "spec.cnn").write_bytes(b"\xff\xfe\x00")
    elif what == "another net":
        path = run / "spec.cnn"
        path.write_text(path.read_text().replace("FC(3)", "FC(5)"))
    else:
        (run / what).unlink()


@pytest.mark.parametrize("name", ["eval", "predict"])
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("foreign", "holds no run: there is no spec.cnn in it"),
        ("spec.cnn", "holds no run: there is no spec.cnn in it"),
        ("options.json", "options.json: No such file or directory"),
        ("weights.safetensors", "has no weights.safetensors"),
        ("options", "options.json: loss takes cross_entropy"),
        ("spec", "error[E301]"),
        ("bytes", "error[E"),
        ("another net", "weights.safetensors: fc1.bias has shape 5, not 3"),
    ],
)
def test_damaged_and_foreign_folders(
    name: str, what: str, message: str, trained: Path, command: Command
) -> None:
    damage(trained / "run", what)
    rest = ["--data", f"npz:{trained}/data.npz"] if name == "eval" else [trained / "a.npy"]
    done = command(name, trained / "run", *rest)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error")
    assert message in done.err


def test_metrics_are_not_needed(trained: Path) -> None:
    (trained / "run" / "metrics.jsonl").unlink()
    open_run(str(trained / "run"))


def test_numbers_for_json() -> None:
    assert json_number(0.5) == 0.5
    assert [json_number(x) for x in (math.nan, math.inf, -math.inf)] == [None] * 3
