"""`cnnc diff`: its text, its JSON, its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnc.cli import main as cli

BEFORE = """\
net Before
param f = 6
INPUT(1x28x28) -> CONV(f, 5, pad=2) -> TANH -> POOL(avg, 2) -> FC(84) -> TANH -> FC(10)
"""
AFTER = """\
net After
param f = 12
INPUT(1x28x28) -> CONV(f, 5, pad=2) -> RELU -> POOL(avg, 2) -> FC(84) -> TANH -> DROPOUT -> FC(10)
train { lr = 0.1 }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.cnn").write_text(BEFORE)
    (tmp_path / "b.cnn").write_text(AFTER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = cli.run(["diff", *args])
    return status, *capsys.readouterr()


def test_text(capsys) -> None:
    status, out, err = run(capsys, "a.cnn", "b.cnn")
    assert (status, err) == (0, "")
    assert (
        out
        == """\
Before (a.cnn)  f=6
After (b.cnn)  f=12

  ... 1 layer as before
~ conv1  CONV(6, 5, pad=2) -> CONV(12, 5, pad=2)
    output 6x28x28 -> 12x28x28, weights 156 -> 312 (+156), MACs 117,600 ->
    235,200 (+117,600)
- tanh1  TANH  6x28x28
+ relu1  RELU  12x28x28
~ pool1  POOL(2, mode=avg)
    output 6x14x14 -> 12x14x14
~ fc1  FC(84)
    weights 98,868 -> 197,652 (+98,784), MACs 98,784 -> 197,568 (+98,784)
  ... 1 layer as before
+ dropout1  DROPOUT  84
  ... 1 layer as before
~ train lr  0.01 -> 0.1

            before    after
  weights   99,874  198,814   +98,940
  MACs     217,224  433,608  +216,384
  layers         7        8        +1
  depth          3        3
"""
    )


def test_same_net(capsys) -> None:
    status, out, _ = run(capsys, "a.cnn", "a.cnn", "--exit-code")
    assert (status, out) == (
        0, "Before (a.cnn)  f=6 and Before (a.cnn)  f=6: the same net, 99,874 weights\n"
    )  # fmt: skip


def test_exit_code_only_where_it_is_asked_for(capsys) -> None:
    assert run(capsys, "a.cnn", "b.cnn")[0] == 0
    assert run(capsys, "a.cnn", "b.cnn", "--exit-code")[0] == 1
    assert run(capsys, "a.cnn", "b.cnn", "--exit-code", "--format", "json")[0] == 1


def test_set_and_input_go_for_both_and_set_b_for_the_second(capsys) -> None:
    args = ["a.cnn", "a.cnn", "--set", "f=4", "--input", "3x8x8"]
    assert "the same net" in run(capsys, *args)[1]
    out = run(capsys, *args, "--set-b", "f=8")[1]
    assert "~ conv1  CONV(4, 5, pad=2) -> CONV(8, 5, pad=2)\n" in out
    assert "output 4x8x8 -> 8x8x8" in out


def test_shapes_of_input_and_output_are_among_the_totals(folder: Path, capsys) -> None:
    (folder / "c.cnn").write_text("INPUT(8x8x8) -> FC(5, freeze=true)\n")
    out = run(capsys, "a.cnn", "c.cnn")[1]
    totals = [line.split() for line in out.split("\n")[-10:]]
    assert ["trainable", "99,874", "0", "-99,874"] in totals
    assert ["input", "1x28x28", "8x8x8"] in totals
    assert ["output", "10", "5"] in totals
    assert ["receptive", "field", "28x28", "8x8"] in totals


def test_json(capsys) -> None:
    found = json.loads(run(capsys, "a.cnn", "b.cnn", "--format", "json")[1])
    assert (found["schema"], found["same"]) == ("cnnc.diff/1", False)
    assert found["before"]["totals"]["params"] == 99874
    assert (found["after"]["file"], found["after"]["net"]) == ("b.cnn", "After")
    assert found["difference"] == {
        "params": 98940, "trainable": 98940, "macs": 216384, "layers": 1, "depth": 0
    }  # fmt: skip
    assert [c["change"] for c in found["layers"]] == [
        "changed", "removed", "added", "changed", "changed", "added"
    ]  # fmt: skip
    conv, tanh = found["layers"][:2]
    assert conv["differs"] == ["filters", "output", "params", "trainable", "macs"]
    assert (conv["before"]["layer"], conv["after"]["params"]) == ("CONV(6, 5, pad=2)", 312)
    assert (tanh["before"]["name"], tanh["after"]) == ("tanh1", None)
    assert found["train"] == {"lr": {"before": "0.01", "after": "0.1"}}
    same = json.loads(run(capsys, "a.cnn", "a.cnn", "--format", "json")[1])
    assert (same["same"], same["layers"], same["train"]) == (True, [], {})


def test_colours_on_a_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = run(capsys, "a.cnn", "b.cnn")[1]
    assert "\x1b[31m- tanh1  TANH  6x28x28\x1b[0m\n" in out
    assert "\x1b[32m+ relu1  RELU  12x28x28\x1b[0m\n" in out


@pytest.mark.parametrize("columns", [1, 50, 200])
def test_lines_fit_the_terminal(columns: int, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run(capsys, "a.cnn", "b.cnn")[1]
    assert max(map(len, out.split("\n"))) <= max(48, columns)


def test_output_is_ascii(cnnc) -> None:
    done = cnnc("diff", "a.cnn", "b.cnn", env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\\u" not in done.stdout


def test_mistakes_of_both_are_reported(folder: Path, capsys) -> None:
    for name in ("x.cnn", "y.cnn"):
        (folder / name).write_text("INPUT(1x8x8) -> POOL(9)\n")
    status, out, err = run(capsys, "x.cnn", "y.cnn")
    assert (status, out) == (1, "")
    assert "--> x.cnn:1" in err
    assert "--> y.cnn:1" in err


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["a.cnn", "none.cnn"], 1, "error[E101]: none.cnn does not exist"),
        (["a.cnn"], 2, "error: missing argument 'B'"),
        (["-", "-"], 2, "error: only one of the two can be standard input"),
        (["a.cnn", "b.cnn", "--set", "g=1"], 2, "error: a.cnn has no knob g; it has f"),
        (["a.cnn", "b.cnn", "--set-b", "f"], 2, "error: invalid value for '--set-b'"),
    ],
)
def test_wrong_use(args: list[str], status: int, message: str, capsys) -> None:
    done, out, err = run(capsys, *args)
    assert (done, out) == (status, "")
    assert err.startswith(message)


def test_one_side_from_standard_input(cnnc) -> None:
    done = cnnc("diff", "a.cnn", "-", input=BEFORE.replace("84", "80"))
    assert done.returncode == 0
    assert "~ fc1  FC(84) -> FC(80)\n" in done.stdout
