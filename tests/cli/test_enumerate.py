"""`cnnc enumerate`: the table, its order, and what the command is told wrongly."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from cnnc.cli import enumerate as module
from cnnc.cli import main as cli
from cnnc.cli.enumerate import _bytes

SPEC = """\
param N = 1 in [1, 2], M = 1
INPUT(1x8x8) -> [[CONV(4, 3, pad=1) -> RELU]*N -> POOL]*M -> FC(10)
train { batch = 16 }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "family.cnn").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = cli.run(["enumerate", *args])
    return status, *capsys.readouterr()


def table(out: str) -> list[list[str]]:
    """The rows below the line, cell by cell."""
    lines = out.split("\n")
    rule = next(i for i, line in enumerate(lines) if line.strip("- ") == "" and "-" in line)
    return [line.split() for line in lines[rule + 1 : -2]]


def test_table(capsys) -> None:
    status, out, err = run(capsys, "family.cnn", "--set", "M=[1, 4]")
    assert (status, err) == (0, "")
    lines = out.split("\n")
    assert lines[:2] == ["family.cnn", "  M  N  params    MACs  output  depth   memory"]
    assert re.fullmatch(r"  1  1     690   2,944  10          2  +[0-9.]+ KB", lines[3])
    assert re.fullmatch(r"  1  2     838  12,160  10          3  +[0-9.]+ KB", lines[4])
    assert lines[5:] == [
        "  4  1  E301: POOL does not fit: its input is 1x1",
        "  4  2  E301: POOL does not fit: its input is 1x1",
        "4 members, 2 do not hold",
        "",
    ]


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0.0 KB"), (1536, "1.5 KB"), (2**20, "1.0 MB"), (3 * 2**29, "1.5 GB"),
     (5000 * 2**30, "5,000.0 GB")],
)  # fmt: skip
def test_bytes(count: int, said: str) -> None:
    assert _bytes(count) == said


def test_values_that_are_fixed_stand_in_the_title(capsys) -> None:
    out = run(capsys, "family.cnn", "--set", "M=2", "--set", "CONV.k=3")[1]
    assert out.startswith("family.cnn  M=2, CONV.k=3\n  N  params")


def test_condition_leaves_out_what_does_not_hold(capsys) -> None:
    status, out, _ = run(capsys, "family.cnn", "--set", "M=1..4", "--where", "params < 500")
    assert status == 0
    assert [row[:2] for row in table(out)] == [["2", "1"], ["3", "1"]]
    assert out.endswith("8 members, 2 do not hold, 4 do not meet the condition, 2 listed\n")


def test_none_is_left(capsys) -> None:
    status, out, _ = run(capsys, "family.cnn", "--where", "params < 5")
    assert (status, out) == (
        1, "family.cnn\n2 members, 2 do not meet the condition, 0 listed\n"
    )  # fmt: skip
    assert run(capsys, "family.cnn", "--set", "M=5")[0] == 1


@pytest.mark.parametrize("sort", ["params", "-params", "macs", "-macs", "-depth", "memory"])
def test_sort(sort: str, capsys) -> None:
    out = run(capsys, "family.cnn", "--set", "M=[1, 2, 3, 4]", "--set", "N=1", "--sort", sort)[1]
    found = [row[0] for row in table(out)]
    assert found[-1] == "4"  # what does not hold comes last
    json_out = run(
        capsys, "family.cnn", "--set", "M=1..4", "--set", "N=1", "--sort", sort, "--format", "json"
    )[1]
    members = json.loads(json_out)["members"]
    key = sort.lstrip("-")
    sizes = [m[key] for m in members if m["ok"]]
    assert sizes == sorted(sizes, reverse=sort.startswith("-"))
    assert [m["values"]["M"] for m in members] == found


def test_limit(capsys) -> None:
    out = run(capsys, "family.cnn", "--set", "M=1..3", "--sort", "-macs", "--limit", "2")[1]
    assert [row[:2] for row in table(out)] == [["3", "2"], ["2", "2"]]
    assert out.endswith("6 members, 2 listed\n")


def test_json(capsys) -> None:
    status, out, _ = run(
        capsys, "family.cnn", "--set", "M=[1, 4]", "--set", "N=1", "--format", "json"
    )
    found = json.loads(out)
    assert status == 0
    assert found["schema"] == "cnnc.enumerate/1"
    assert (found["varied"], found["fixed"]) == ({"M": ["1", "4"]}, {"N": "1"})
    assert found["counts"] == {"members": 2, "hold": 1, "meet": 1, "listed": 2}
    good, bad = found["members"]
    assert (good["ok"], good["knobs"], good["params"]) == (True, {"N": 1, "M": 1}, 690)
    assert (good["macs"], good["output"], good["depth"]) == (2944, [10], 2)
    assert bad == {
        "ok": False, "values": {"M": "4"}, "knobs": {"N": 1, "M": 4}, "code": "E301",
        "message": "POOL does not fit: its input is 1x1",
    }  # fmt: skip


def test_many_members_are_counted_on_a_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setattr(module, "SILENT", 1)
    assert run(capsys, "family.cnn")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    err = run(capsys, "family.cnn")[2]
    assert err == "\rchecked 1 of 2\rchecked 2 of 2\r\x1b[K"
    monkeypatch.setattr(module, "SILENT", 2)
    assert run(capsys, "family.cnn")[2] == ""


def test_memory_is_for_the_batch(capsys) -> None:
    def memory(*args: str) -> int:
        found = run(capsys, "family.cnn", "--set", "N=1", "--format", "json", *args)[1]
        size: int = json.loads(found)["members"][0]["memory"]
        return size

    assert memory() == memory("--batch", "16") < memory("--batch", "32")
    assert run(capsys, "family.cnn", "--where", f"memory(batch=16) == {memory()}")[0] == 0


def test_long_reason_is_wrapped(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    out = run(capsys, "family.cnn", "--set", "N=5")[1]
    assert max(map(len, out.split("\n"))) <= 50
    assert " ".join(out.split()).count("N = 5 is none of the values that it may take") == 1


def test_spec_without_knobs_is_its_only_member(folder: Path, capsys) -> None:
    (folder / "one.cnn").write_text("INPUT(1x8x8) -> FC(2)\n")
    status, out, _ = run(capsys, "one.cnn")
    assert status == 0
    assert out.startswith("one.cnn\n  params  MACs  output  depth ")
    assert out.endswith("1 member\n")


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["none.cnn"], 1, "error[E101]: none.cnn does not exist"),
        (["family.cnn", "--set", "N"], 2, "error: invalid value for '--set'"),
        (["family.cnn", "--set", "N=3..1"], 2, "error: --set N=3..1: the range has no value"),
        (["family.cnn", "--set", "Q=1..2"], 2, "error: family.cnn has no knob Q; it has N, M"),
        (["family.cnn", "--set", "M=1..6k"], 2, "error: 6,000 (M) * 2 (N) = 12,000 members"),
        (["family.cnn", "--where", "N <"], 2, "error: --where takes a condition"),
        (["family.cnn", "--where", "M"], 2, "error: --where: an expectation is true or false"),
        (["family.cnn", "--sort", "size"], 2, "error: invalid value for '--sort'"),
        (["family.cnn", "--limit", "0"], 2, "error: invalid value for '--limit'"),
        (["family.cnn", "--input", "x"], 2, "error: --input takes a shape"),
        ([], 2, "error: missing argument 'FILE'"),
    ],
)
def test_wrong_use(args: list[str], status: int, message: str, capsys) -> None:
    done, out, err = run(capsys, *args)
    assert (done, out) == (status, "")
    assert err.startswith(message)


def test_syntax_error_is_told_once(folder: Path, capsys) -> None:
    (folder / "wrong.cnn").write_text("param N = 1 in [1, 2, 3]\nINPUT(1x8x8) -> [RELU*N\n")
    status, out, err = run(capsys, "wrong.cnn")
    assert (status, out) == (1, "")
    assert err.count("error[E1") == 1


def test_standard_input(cnnc) -> None:
    done = cnnc("enumerate", "-", "--set", "N=2", input=SPEC)
    assert done.returncode == 0
    assert done.stdout.startswith("-  N=2\n")
