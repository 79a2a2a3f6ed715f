"""`cnnc check --format sarif` is SARIF 2.1.0, as its official JSON schema has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, ValidationError

from cnnc.compiler.elaborate.check import check
from cnnc.dsl.codes import CODES
from cnnc.dsl.diagnostics import Diagnostic, Related
from cnnc.dsl.parser import parse
from cnnc.dsl.reports import sarif
from cnnc.dsl.source import Source, Span

SCHEMA = json.loads(
    (Path(__file__).parent.parent / "data/sarif-2.1.0-rtm.5.json").read_text("utf-8")
)
VALIDATOR = Draft4Validator(SCHEMA)


def validated(log: dict[str, Any]) -> dict[str, Any]:
    """The log as others read it; an error where it is no SARIF."""
    read: dict[str, Any] = json.loads(json.dumps(log))
    VALIDATOR.validate(read)
    for run in read["runs"]:
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:  # what the schema cannot say
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            for place in (*result.get("locations", ()), *result.get("relatedLocations", ())):
                region = place["physicalLocation"]["region"]
                begin = (region["startLine"], region["startColumn"])
                assert begin <= (region["endLine"], region["endColumn"])
                uri = place["physicalLocation"]["artifactLocation"]["uri"]
                assert " " not in uri and "\\" not in uri
    return read


def found_in(text: str, name: str = "net.cnn") -> Sequence[Diagnostic]:
    return check(*parse(Source(name, text))).diagnostics


def test_the_schema_is_one_and_refuses() -> None:
    Draft4Validator.check_schema(SCHEMA)
    log = sarif(found_in("INPUT(1x8x8) -> POOL(9)"), "1.0")
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(ValidationError):
        VALIDATOR.validate(log)
    del log["runs"][0]["tool"]
    with pytest.raises(ValidationError):
        VALIDATOR.validate(log)


@pytest.mark.parametrize("code", [name for name, entry in CODES.items() if entry.wrong])
def test_a_report_of_every_code(code: str) -> None:
    log = validated(sarif(found_in(CODES[code].wrong), "0.1.dev1+g123"))
    assert {result["ruleId"] for result in log["runs"][0]["results"]} == {code}


@pytest.mark.parametrize(
    "name",
    ["<stdin>", "a b/c:d.cnn", "/nets/é.cnn", "../up.cnn", "100%.cnn", "--input", "a\nb.cnn"],
)
def test_reports_on_files_of_any_name(name: str) -> None:
    validated(sarif(found_in("INPUT(1x8x8) -> CONV(4, 3 -> POOL(9)\n[", name), "1.0"))


def test_reports_without_a_place_and_with_no_finding() -> None:
    place = Span(Source("empty.cnn", ""), 0, 0)
    whole = Diagnostic("E111", "empty", place, related=(Related("here", place),))
    log = validated(sarif([Diagnostic("E101", "no file"), whole], "1.0"))
    assert "locations" not in log["runs"][0]["results"][0]
    assert validated(sarif([], "1.0"))["runs"][0]["results"] == []


def test_the_command_prints_one_log_of_all_files(cnnc: Any, tmp_path: Path) -> None:
    (tmp_path / "a.cnn").write_text("INPUT(1x9x9) -> POOL(2) -> POOL(9) -> FC(10)\n")
    (tmp_path / "b.cnn").write_text("# cnnc: allow W699\nINPUT(1x9x9) -> POOL(2) -> FC(10)\n")
    done = cnnc("check", "--format", "sarif", "a.cnn", "b.cnn", "none.cnn")
    assert done.returncode == 1
    results = validated(json.loads(done.stdout))["runs"][0]["results"]
    levels = {(r["ruleId"], r["level"]) for r in results}
    assert {("E301", "error"), ("W610", "warning"), ("E101", "error")} <= levels
