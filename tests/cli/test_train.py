"""`cnnc train`: statuses, what goes where, what is kept when it ends early."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.cli.conftest import SPEC, Command, npz

import cnnc
from cnnc.compiler.training.settings import Training
from cnnc.runtime import metrics

ROOT = Path(__file__).parent.parent.parent
FIELDS = ["epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec and data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.cnn").write_text(SPEC)
    npz(tmp_path / "data.npz")
    return tmp_path


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


# -- a run from begin to end ---------------------------------------------------------------


def test_results_on_standard_output_and_all_else_on_standard_error(
    folder: Path, command: Command
) -> None:
    done = command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", "a/b")
    assert done.status == 0
    last = metrics.read(folder / "a/b/metrics.jsonl")[-1]
    assert done.out == f"test accuracy {100 * last.val_accuracy:.2f} %\nrun a/b\n"
    lines = done.err.splitlines()
    assert lines[:5] == [
        "data       npz:data.npz: arrays of data.npz",
        "           47 samples to train, 20 to test",
        "net        Tiny: 235 weights, 768 MACs a sample",
        "training   3 epochs, batch 10 in 1 part, sgd(momentum=0.9), lr 0.1 constant",
        lines[4],
    ]
    assert re.fullmatch(r"memory     \d+\.\d MiB planned", lines[4])
    for number, line in enumerate(lines[5:], 1):
        pattern = (
            rf"epoch {number}/3  loss \d\.\d{{4}}  accuracy  *\d+\.\d %"
            r"  test loss \d\.\d{4}  test accuracy  *\d+\.\d %  \d+\.\d s"
        )
        assert re.fullmatch(pattern, line)
    assert len(lines) == 8


def test_quiet(folder: Path, command: Command) -> None:
    done = command("train", "tiny.cnn", "--data", "npz:data.npz", "-q")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(" %\nrun runs/tiny\n")
    again = command("train", "tiny.cnn", "--data", "npz:data.npz", "--quiet")
    assert again.out == done.out.replace("runs/tiny", "runs/tiny-2")


def test_the_runs_folder(folder: Path, command: Command) -> None:
    command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", "run", "--seed", 7)
    run = folder / "run"
    found = rows(run)
    assert [list(row) for row in found] == [FIELDS] * 3
    assert [(row["epoch"], row["step"], row["lr"]) for row in found] == [
        (1, 5, 0.1), (2, 10, 0.1), (3, 15, 0.1)
    ]  # fmt: skip
    for row in found:
        assert 0 <= row["accuracy"] <= 1 and 0 <= row["val_accuracy"] <= 1
        assert 0 < row["loss"] < 3 and 0 < row["val_loss"] < 3 and 0 < row["seconds"] < 60
    assert sorted(load_file(run / "weights.safetensors")) == [
        "center1.mean", "conv1.bias", "conv1.weight", "fc1.bias", "fc1.weight"
    ]  # fmt: skip
    options = json.loads((run / "options.json").read_text())
    assert options["data"] == "npz:data.npz"
    assert list(options["train"]) == list(Training.arguments)
    assert options["train"].items() >= {
        "batch": 10, "epochs": 3, "optimizer": "sgd(momentum=0.9)", "lr": 0.1,
        "schedule": "constant", "weight_decay": 0.0,
        "loss": "cross_entropy(label_smoothing=0.1)", "augment": [], "seed": 7,
    }.items()  # fmt: skip
    check = command("check", "run/spec.cnn", "--format", "json", "--strict")
    whole = command("check", "tiny.cnn", "--format", "json")
    one, other = (json.loads(done.out)["files"][0] for done in (check, whole))
    for layers in (one["layers"], other["layers"]):
        for layer in layers:
            del layer["line"], layer["column"]
    for name in ("net", "ok", "input", "output", "totals", "layers"):
        assert one[name] == other[name]


def test_options_win_over_the_spec(folder: Path, command: Command) -> None:
    args = ["--epochs", 2, "--batch", 16, "--lr", "1e-2", "--seed", 1, "--threads", 1]
    done = command("train", "tiny.cnn", "--data", "npz:data.npz", *args, "--out", "run")
    assert done.status == 0
    assert "training   2 epochs, batch 16 in 2 parts, sgd(momentum=0.9), lr 0.01 " in done.err
    settings = json.loads((folder / "run/options.json").read_text())["train"]
    assert (settings["epochs"], settings["batch"], settings["seed"]) == (2, 16, 1)
    assert [row["lr"] for row in rows(folder / "run")] == [0.01, 0.01]


def test_set_and_input(folder: Path, command: Command) -> None:
    (folder / "knobs.cnn").write_text(
        "param N = 1\ndefault CONV(2, 3, pad=same)\n[CONV -> RELU -> POOL?]*N -> FC(3)"
    )
    args = ["--set", "N=2", "--set", "CONV.filters=5", "--set", "pool=false", "--input", "1x6x6"]
    done = command("train", "knobs.cnn", "--data", "npz:data.npz", *args, "--epochs", 1)
    assert (done.status, done.out.splitlines()[1]) == (0, "run runs/net")
    weights = load_file(folder / "runs/net/weights.safetensors")
    assert {name: weight.shape for name, weight in weights.items() if "weight" in name} == {
        "conv1.weight": (5, 1, 3, 3), "conv2.weight": (5, 5, 3, 3), "fc1.weight": (3, 180)
    }  # fmt: skip


def test_the_command_and_python_do_the_same_whatever_the_threads(
    folder: Path, command: Command
) -> None:
    train = ["train", "tiny.cnn", "--data", "npz:data.npz", "--batch", 21]
    for threads in (1, 2, 4):
        assert command(*train, "--threads", threads, "--out", f"t{threads}").status == 0
    cnnc.train("tiny.cnn", "npz:data.npz", "python", batch=21)
    weights = {(folder / run / "weights.safetensors").read_bytes()
               for run in ("t1", "t2", "t4", "python")}  # fmt: skip
    assert len(weights) == 1
    measured = [
        [{**row, "seconds": 0} for row in rows(folder / run)] for run in ("t1", "t4", "python")
    ]
    assert measured[0] == measured[1] == measured[2]
    command(*train, "--seed", 4, "--out", "other")
    assert (folder / "other/weights.safetensors").read_bytes() not in weights


def test_every_source_of_data(folder: Path, command: Command) -> None:
    (folder / "mnist").mkdir()
    for part, n in (("train", 20), ("t10k", 5)):
        for what, sides in (("images-idx3", (n, 28, 28)), ("labels-idx1", (n,))):
            head = bytes((0, 0, 8, len(sides))) + struct.pack(f">{len(sides)}I", *sides)
            body = np.random.default_rng(n).integers(0, 10, sides, "uint8").tobytes()
            with gzip.open(folder / f"mnist/{part}-{what}-ubyte.gz", "wb") as file:
                file.write(head + body)
    (folder / "ten.cnn").write_text("INPUT(1x8x8) -> FC(10) train { epochs = 1 batch = 100 }")
    for data, train, test in (
        ("digits", "1,437", "360"), ("mnist:mnist", "20", "5"),
        ("fashion:mnist", "20", "5"), ("random:12", "12", "2"),
    ):  # fmt: skip
        done = command("train", "ten.cnn", "--data", data)
        assert done.status == 0, done.err
        assert f"           {train} samples to train, {test} to test\n" in done.err


def test_a_net_learns(folder: Path, command: Command) -> None:
    (folder / "learn.cnn").write_text(
        "INPUT(1x8x8) -> FC(10) train { epochs = 4 lr = 0.3 batch = 32 schedule = cosine }"
    )
    done = command("train", "learn.cnn", "--data", "digits", "-q")
    match = re.match(r"test accuracy (\S+) %", done.out)
    assert match and float(match[1]) > 90


def test_a_spec_on_standard_input(folder: Path, cnnc: Any) -> None:
    done = cnnc("train", "-", "--data", "random:9", "-q", "--epochs", 1, input="INPUT(4) -> FC(3)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("run runs/net\n")


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "missing option '--data'"),
        (["--data", "random:9", "--epochs", "0"], "epochs takes an integer of at least 1, not 0"),
        (["--data", "random:9", "--epochs", "1.5"], "epochs takes an integer of at least 1"),
        (["--data", "random:9", "--batch", "x"], "batch takes an integer of at least 1, not 'x'"),
        (["--data", "random:9", "--lr", "-1"], "lr takes a number above 0, not -1"),
        (["--data", "random:9", "--lr", "1e30"], "lr: the number 1e30 is larger than the limit"),
        (["--data", "random:9", "--seed", "-1"], "seed takes an integer of at least 0, not -1"),
        (["--data", "random:9", "--threads", "0"], "--threads"),
        (["--data", "random:9", "--set", "M=2"], "has no knob M"),
        (["--data", "random:9", "--set", "M"], "'M' is not of the form NAME=VALUE"),
        (["--data", "random:9", "--momentum", "0.9"], "no such option '--momentum'"),
        (["--data", "random:9", "--device", "cuda"], "--device cuda is not built yet"),
        (["--data", "random:9", "--device", "tpu"], "'tpu' is not one of 'cpu', 'cuda'"),
        (["--data", "random:9", "--resume", "runs/a"], "--resume is not built yet"),
        (["--resume", "runs/a"], "--resume is not built yet"),
    ],
)
def test_wrong_use(args: list[str], message: str, folder: Path, command: Command) -> None:
    done = command("train", "tiny.cnn", *args)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ") and message in done.err
    assert not (folder / "runs").exists()


def test_what_is_not_built_yet_says_what_to_do_instead(folder: Path, command: Command) -> None:
    for option, instead in (
        (["--device", "cuda"], "leave --device out"),
        (["--resume", "runs/a"], "--out"),
    ):
        done = command("train", "tiny.cnn", "--data", "random:9", *option)
        assert f"help: {instead}" in done.err or f"with {instead}" in done.err
    assert command("train", "tiny.cnn", "--data", "random:9", "--device", "cpu").status == 0
    assert "--resume" not in command("train", "--help").out


@pytest.mark.parametrize(
    ("spec", "data", "message"),
    [
        ("none.cnn", "random:9", "none.cnn does not exist"),
        ("wrong.cnn", "random:9", "error[E301]"),
        ("tiny.cnn", "npz:none.npz", "there is no file none.npz"),
        ("tiny.cnn", "npz:empty.npz", "not a whole .npz file"),
        ("tiny.cnn", "npz:shape.npz", "the samples are 1x6x5, the net's INPUT is 1x6x6"),
        ("tiny.cnn", "npz:nan.npz", "sample 0 holds nan"),
        ("tiny.cnn", "digits", "is of class "),
        ("tiny.cnn", "mnist:none", "none"),
        ("tiny.cnn", "cifar10:x", "cifar10: is not built yet"),
        ("tiny.cnn", "imagenet", "there is no data source 'imagenet'"),
        ("tiny.cnn", "random:many", "'many' is no number of samples"),
        ("maps.cnn", "random:9", "the net's output is 2x4x4"),
        ("tiny.cnn --init-from none", "random:9", "there is no none"),
        ("tiny.cnn --init-from=", "random:9", "there is no weights.safetensors"),
        ("tiny.cnn --init-from empty.npz", "random:9", "not a whole safetensors file"),
        ("flip.cnn", "random:9", "augment takes flip for maps CxHxW"),
    ],
)
def test_errors_come_before_a_folder_is_made(
    spec: str, data: str, message: str, folder: Path, command: Command
) -> None:
    for name, text in (
        ("wrong", "INPUT(1x4x4) -> POOL(5) -> FC(3)"), ("maps", "INPUT(1x6x6) -> CONV(2, 3)"),
        ("flip", "INPUT(4) -> FC(3) train { augment = [flip] }"),
    ):  # fmt: skip
        (folder / f"{name}.cnn").write_text(text)
    (folder / "empty.npz").touch()
    npz(folder / "shape.npz", x_train=np.zeros((47, 1, 6, 5), "float32"))
    npz(folder / "nan.npz", x_train=np.full((47, 1, 6, 6), np.nan, "float32"))
    for out in ([], ["--out", "runs/a"]):
        done = command("train", *spec.split(), "--data", data, *out)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith("error") and message in done.err
        assert "epoch" not in done.err
    assert not (folder / "runs").exists()


def test_a_folder_that_holds_a_run(folder: Path, command: Command) -> None:
    train = ["train", "tiny.cnn", "--data", "npz:data.npz", "--out", "run", "--epochs", 1]
    command(*train)
    before = {path.name: path.read_bytes() for path in (folder / "run").iterdir()}
    done = command(*train, "--seed", 9)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error: run holds a run already (")
    assert "help: choose another folder with --out" in done.err
    assert {path.name: path.read_bytes() for path in (folder / "run").iterdir()} == before


def test_a_folder_that_cannot_be_written(folder: Path, command: Command) -> None:
    for out in ("tiny.cnn", "tiny.cnn/run", "/proc/none"):
        done = command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", out)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"error: the run's folder {out} cannot be made: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(folder: Path, command: Command) -> None:
    (folder / "closed").mkdir(mode=0o500)
    for out in ("closed", "closed/run"):
        done = command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", out)
        assert (done.status, done.out) == (1, "")
        assert "Permission denied" in done.err and "epoch" not in done.err


def test_a_disk_that_fills_up_while_training(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with an error that names the file; the epoch before is whole."""
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).name == "metrics.jsonl" and Path(target).exists():
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    done = command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", "run")
    assert (done.status, done.out) == (1, "")
    assert "cannot write run/metrics.jsonl: No space left on device" in done.err
    assert len(rows(folder / "run")) == 1


# -- a run that ends early -----------------------------------------------------------------


def test_a_loss_that_runs_away_in_the_first_epoch(folder: Path, command: Command) -> None:
    (folder / "away.cnn").write_text(SPEC.replace("RELU", "CONV(4, 1)"))
    train = ["train", "away.cnn", "--data", "npz:data.npz", "--out", "run"]
    done = command(*train, "--lr", "1e16")
    assert (done.status, done.out) == (1, "")
    *_, message, smaller, kept = done.err.splitlines()
    assert re.fullmatch(r"error: the loss is (nan|inf) in epoch 1, step \d of 5", message)
    assert smaller == "help: a smaller learning rate: --lr 1e+15"
    assert kept == "help: no whole epoch was trained, so no weights are kept"
    assert not (folder / "run/weights.safetensors").exists()
    after = command("eval", "run", "--data", "npz:data.npz")
    assert (after.status, after.out) == (1, "")
    assert after.err.startswith("error: run has no weights.safetensors\n")


def test_a_loss_that_runs_away_later_keeps_the_epoch_before(folder: Path, command: Command) -> None:
    text = SPEC.replace("lr = 0.1", "lr = 1e-3  schedule = step(every=2, gamma=1e16)")
    text = text.replace("RELU", "CONV(4, 1)")
    (folder / "away.cnn").write_text(text)
    done = command("train", "away.cnn", "--data", "npz:data.npz", "--out", "run")
    assert (done.status, done.out) == (1, "")
    assert "in epoch 3, step " in done.err
    assert done.err.endswith("help: the weights of epoch 2 are kept\n")
    assert [row["epoch"] for row in rows(folder / "run")] == [1, 2]
    found = command("eval", "run", "--data", "npz:data.npz", "--format", "json")
    assert json.loads(found.out)["loss"] == rows(folder / "run")[1]["val_loss"]


# As from a terminal, also where the tests run in the background, with Ctrl-C ignored.
MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from cnnc.cli.main import main
main()
"""


@pytest.mark.parametrize("quiet", [False, True])
def test_ctrl_c(quiet: bool, folder: Path) -> None:
    """Weights and measurements of the last whole epoch are kept, and it is said which."""
    args = ["train", "tiny.cnn", "--data", "npz:data.npz", "--epochs", "100_000", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *args, *(["-q"] if quiet else [])],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    path = folder / "run/metrics.jsonl"
    try:
        while process.poll() is None and not (path.exists() and len(rows(folder / "run")) > 2):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    epochs = [row["epoch"] for row in rows(folder / "run")]
    assert epochs == list(range(1, len(epochs) + 1))
    said = f"interrupted: run keeps the weights of epoch {epochs[-1]}"
    assert err.splitlines()[-1] == said
    assert quiet == (len(err.splitlines()) == 1)
    assert not list((folder / "run").glob(".*"))  # no half-written file
    compiled = cnnc.load("run/spec.cnn").compile()
    assert load_file(folder / "run/weights.safetensors").keys() == compiled.weights.keys()


def test_ctrl_c_before_an_epoch_is_whole(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnnc.runtime.compiled import Compiled

    step = Compiled.step_scored

    def interrupted(self: Compiled, *of: Any) -> Any:
        if self.steps == 2:
            raise KeyboardInterrupt
        return step(self, *of)

    monkeypatch.setattr(Compiled, "step_scored", interrupted)
    done = command("train", "tiny.cnn", "--data", "npz:data.npz", "--out", "run", "-q")
    assert done == (
        130, "", "interrupted: no whole epoch was trained, so no weights are kept\n"
    )  # fmt: skip
