"""`cnnc check --format json|sarif|github`: what other programs read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import cnnc as package
from cnnc.dsl.codes import CODES

LENET = """net LeNet5
INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2)
-> CONV(16, 5) -> TANH -> POOL(avg, 2) -> FC(120) -> TANH -> FC(84) -> TANH -> FC(10)
"""
NOTED = "param N = 1\nINPUT(1x7x7)\n-> POOL(2)*N -> TANH?\n"
WRONG = "INPUT(1x6x6)\n-> CONV(4, 5) ->\n  POOL(3) -> NOPE\n"
FILES = {"a.cnn": LENET, "n.cnn": NOTED, "w.cnn": WRONG, "e.cnn": "", "l.cnn": "let a = 1"}
ALL = [*FILES, "missing.cnn"]


def report(done: Any) -> dict[str, Any]:
    assert done.err == ""
    whole: dict[str, Any] = json.loads(done.out)
    return whole


def file_of(done: Any) -> dict[str, Any]:
    (file,) = report(done)["files"]
    assert isinstance(file, dict)
    return file


# -- json -----------------------------------------------------------------------------


def test_json_of_a_net_that_holds(cnnc_here) -> None:
    done = cnnc_here("check", "n.cnn", "--format", "json", files=FILES)
    assert done.status == 0
    pool = {"line": 3, "column": 4}
    assert report(done) == {
        "schema": "cnnc.check/1",
        "ok": True,
        "files": [
            {
                "file": "n.cnn",
                "ok": True,
                "net": None,
                "knobs": {"N": 1, "tanh": True},
                "input": [1, 7, 7],
                "output": [1, 3, 3],
                "totals": {"params": 0, "trainable": 0, "macs": 0, "layers": 3},
                "layers": [
                    {
                        "name": "input1", "kind": "INPUT", "inputs": [], "output": [1, 7, 7],
                        "params": 0, "macs": 0, "receptive_field": [1, 1], "line": 2, "column": 1,
                    },
                    {
                        "name": "pool1", "kind": "POOL", "inputs": [[1, 7, 7]],
                        "output": [1, 3, 3], "params": 0, "macs": 0, "receptive_field": [2, 2],
                        **pool,
                    },
                    {
                        "name": "tanh1", "kind": "TANH", "inputs": [[1, 3, 3]],
                        "output": [1, 3, 3], "params": 0, "macs": 0, "receptive_field": [2, 2],
                        "line": 3, "column": 17,
                    },
                ],
                "diagnostics": [
                    {
                        "code": "W601", "severity": "note",
                        "message": "POOL(2) never reaches the last 1 of 7 rows and the last 1 of 7"
                        " columns",
                        **pool, "end_line": 3, "end_column": 11, "notes": [],
                        "help": ["pad=(0, 1, 0, 1) reaches them (top, bottom, left, right)"],
                        "related": [],
                    }
                ],
            }
        ],
    }  # fmt: skip


def test_json_of_lenet(cnnc_here) -> None:
    file = file_of(cnnc_here("check", "a.cnn", "--format", "json", files=FILES))
    assert (file["net"], file["input"], file["output"]) == ("LeNet5", [1, 28, 28], [10])
    assert file["totals"] == {"params": 61706, "trainable": 61706, "macs": 416520, "layers": 12}
    assert file["layers"][1] == {
        "name": "conv1", "kind": "CONV", "inputs": [[1, 28, 28]], "output": [6, 28, 28],
        "params": 156, "macs": 117600, "receptive_field": [5, 5], "line": 2, "column": 19,
    }  # fmt: skip
    assert sum(layer["params"] for layer in file["layers"]) == 61706
    assert sum(layer["macs"] for layer in file["layers"]) == 416520
    assert [layer["kind"] for layer in file["layers"]].count("TANH") == 4


def test_json_of_a_net_with_errors(cnnc_here) -> None:
    done = cnnc_here("check", "w.cnn", "--format", "json", files=FILES)
    assert done.status == 1
    file = file_of(done)
    assert (report(done)["ok"], file["ok"]) == (False, False)
    assert (file["totals"], file["output"], file["layers"]) == (None, None, None)
    assert file["input"] == [1, 6, 6]
    wrong, nope = file["diagnostics"]
    assert (wrong["code"], wrong["severity"]) == ("E301", "error")
    place = ("line", "column", "end_line", "end_column")
    assert [wrong[key] for key in place] == [3, 3, 3, 10]
    assert [nope[key] for key in place] == [3, 14, 3, 18]
    assert wrong["notes"][0].startswith("rule: out = floor(")
    assert len(wrong["help"]) >= 2
    assert wrong["related"] == [
        {"message": "conv1 makes 4x2x2 here", "line": 2, "column": 4, "end_line": 2,
         "end_column": 14}
    ]  # fmt: skip


def test_json_of_a_place_over_several_lines(cnnc_here) -> None:
    text = "INPUT(1x6x6)\n-> POOL(\n    9)\n"
    (wrong,) = file_of(cnnc_here("check", "-", "--format", "json", input=text))["diagnostics"]
    place = [wrong[key] for key in ("line", "column", "end_line", "end_column")]
    assert place == [2, 4, 3, 7]  # the end is exclusive


def test_json_of_files_that_are_none(cnnc_here) -> None:
    done = cnnc_here("check", *ALL, "--format", "json", files=FILES)
    assert done.status == 1
    files = {file["file"]: file for file in report(done)["files"]}
    assert list(files) == ALL
    assert [file["ok"] for file in files.values()] == [True, True, False, False, True, False]
    for name in ("e.cnn", "l.cnn", "missing.cnn"):
        keys = ("net", "input", "output", "totals", "layers")
        assert [files[name][key] for key in keys] == [None] * 5
        assert files[name]["knobs"] == {}
    (missing,) = files["missing.cnn"]["diagnostics"]
    assert (missing["code"], missing["line"], missing["end_column"]) == ("E101", None, None)
    assert {tuple(file) for file in files.values()} == {tuple(files["a.cnn"])}, "the same keys"


def test_json_of_standard_input(cnnc_here) -> None:
    done = cnnc_here("check", "-", "--format", "json", input=WRONG)
    file = file_of(done)
    assert file["file"] == "-"
    assert not any("file" in found for found in file["diagnostics"])


def test_json_of_knobs(cnnc_here) -> None:
    text = """param n = 1k, x = 0.5, t = true, s = 'x', w = [1, [2, 3x3]], e = []
    INPUT(1x8x8) -> POOL? -> RELU*M"""
    file = file_of(cnnc_here("check", "-", "--format", "json", input=text))
    expected = {"n": 1000, "x": 0.5, "t": True, "s": "x", "w": [1, [2, [3, 3]]], "e": []}
    assert file["knobs"] == {**expected, "pool": True, "M": None}  # what must be set is null
    assert [type(value) for value in file["knobs"].values()][:3] == [int, float, bool]


def test_json_has_exact_integers(cnnc_here) -> None:
    """Also where a double has not enough digits."""
    text = "INPUT(2147483647) -> FC(2147483647) -> FC(3)"
    file = file_of(cnnc_here("check", "-", "--format", "json", input=text))
    n = 2147483647
    assert file["totals"]["params"] == n * n + n + 3 * n + 3
    assert file["totals"]["macs"] == n * n + 3 * n
    assert file["layers"][1]["receptive_field"] is None


def test_json_of_an_input_from_the_command_line(cnnc_here) -> None:
    """A layer that the spec has stands where it is written there."""
    given = ("--format", "json", "--input", "1x6x6")
    head, _ = file_of(cnnc_here("check", "-", *given, input="\n RELU"))["layers"]
    assert (head["name"], head["line"], head["column"]) == ("input1", 1, 1)
    head, relu = file_of(cnnc_here("check", "-", *given, input="\n INPUT -> RELU"))["layers"]
    assert (head["line"], head["column"]) == (2, 2)
    assert "file" not in head and "file" not in relu


def test_json_of_a_mistake_in_an_option(cnnc_here) -> None:
    done = cnnc_here("check", "-", "--format", "json", "--set", "FC.units=0", input="INPUT(4)->FC")
    (wrong,) = file_of(done)["diagnostics"]
    assert (wrong["file"], wrong["line"], wrong["column"]) == ("--set FC.units", 1, 1)


def test_json_is_json_whatever_the_encoding_of_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "é😀.cnn").write_text("INPUT(4) → FC(3) → ℕ", "utf-8")
    env = {"PYTHONPATH": str(Path(package.__file__).parent.parent), "PATH": os.environ["PATH"]}
    for form in ("json", "sarif"):
        done = subprocess.run(
            [sys.executable, "-m", "cnnc", "check", "é😀.cnn", "--format", form],
            cwd=tmp_path, env={**env, "PYTHONUTF8": "1", "PYTHONIOENCODING": "ascii"},
            capture_output=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, b"")
        whole = json.loads(done.stdout.decode("ascii"))
        if form == "json":
            assert whole["files"][0]["file"] == "é😀.cnn"
            assert "ℕ" in whole["files"][0]["diagnostics"][0]["message"]


# -- sarif ----------------------------------------------------------------------------


def check_location(location: dict[str, Any]) -> None:
    assert set(location) <= {"physicalLocation", "id", "message"}
    place = location["physicalLocation"]
    assert set(place) == {"artifactLocation", "region"}
    uri = place["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", uri), "a URI, escaped"
    region = place["region"]
    assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert all(type(n) is int and n >= 1 for n in region.values())
    assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def check_sarif(log: dict[str, Any]) -> list[dict[str, Any]]:
    """What the schema of SARIF 2.1.0 asks of the properties that we write; gives the results."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) == {"tool", "columnKind", "results"}
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("cnnc", package.__version__)
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids)) and set(ids) <= CODES.keys()
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "fullDescription"}
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"]
    for result in run["results"]:
        assert set(result) >= {"ruleId", "ruleIndex", "level", "message"}
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error")
        assert result["message"]["text"]
        for location in result.get("locations", []):
            check_location(location)
        numbers = [related["id"] for related in result.get("relatedLocations", [])]
        assert numbers == list(range(1, len(numbers) + 1))
        for related in result.get("relatedLocations", []):
            check_location(related)
            assert related["message"]["text"]
    results: list[dict[str, Any]] = run["results"]
    return results


def test_sarif_of_all_files(cnnc_here) -> None:
    done = cnnc_here("check", *ALL, "--format", "sarif", files=FILES)
    assert done.status == 1
    results = check_sarif(report(done))
    assert [(r["ruleId"], r["level"]) for r in results] == [
        ("W601", "note"), ("E301", "error"), ("E201", "error"), ("E111", "error"), ("E101", "error")
    ]  # fmt: skip
    files = [
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for r in results if "locations" in r
    ]  # fmt: skip
    assert files == ["n.cnn", "w.cnn", "w.cnn", "e.cnn"]
    assert "\nhelp: CONV(4, 5, pad=" in results[1]["message"]["text"]


def test_sarif_of_nets_that_hold_has_no_results(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", "l.cnn", "--format", "sarif", files=FILES)
    assert done.status == 0
    assert check_sarif(report(done)) == []


@pytest.mark.parametrize("name", ["a b.cnn", "ü:1,2.cnn", "a%20b.cnn", "%.cnn", "[x]#1?.cnn"])
def test_sarif_names_any_file(name: str, cnnc_here) -> None:
    for path in (name, Path(name).absolute()):
        done = cnnc_here("check", path, "--format", "sarif", files={name: WRONG})
        result, *_ = check_sarif(report(done))
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert unquote(uri).removeprefix("file://") == str(path)


def test_every_format_takes_a_file_name_that_is_no_utf_8(tmp_path: Path, cnnc) -> None:
    name = os.fsdecode(b"a\xff.cnn")
    try:
        (tmp_path / name).write_text(WRONG)
    except OSError:
        pytest.skip("the file system has no such names")
    for form, shown in [("text", "a<U+DCFF>.cnn"), ("json", r"a\udcff.cnn"), ("sarif", "a%FF.cnn"),
                        ("github", r"a\udcff.cnn")]:  # fmt: skip
        done = cnnc("check", name, "--format", form)
        assert (done.returncode, done.stderr) == (1, "")
        assert shown in done.stdout


# -- github ---------------------------------------------------------------------------


def test_github(cnnc_here) -> None:
    done = cnnc_here("check", *ALL, "--format", "github", files=FILES)
    assert (done.status, done.err) == (1, "")
    lines = done.out.splitlines()
    assert [line.partition(":: ")[0].split("::")[1] for line in lines] == [
        "notice file=n.cnn,line=3,endLine=3,col=4,endColumn=11,title=cnnc W601",
        "error file=w.cnn,line=3,endLine=3,col=3,endColumn=10,title=cnnc E301",
        "error file=w.cnn,line=3,endLine=3,col=14,endColumn=18,title=cnnc E201",
        "error file=e.cnn,line=1,endLine=1,col=1,endColumn=1,title=cnnc E111",
        "error title=cnnc E101",
    ]
    assert "::POOL(3) does not fit: its input is 2x2%0Ahelp: POOL(2) gives" in lines[1]


def test_github_of_nets_that_hold_is_nothing(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", "l.cnn", "--format", "github", files=FILES)
    assert (done.status, done.out, done.err) == (0, "", "")
