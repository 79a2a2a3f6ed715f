"""What other programs read."""

from __future__ import annotations

import json
import os

from cnnc.dsl.codes import CODES
from cnnc.dsl.diagnostics import Diagnostic, Related
from cnnc.dsl.reports import github, sarif
from cnnc.dsl.source import Source, Span

SPEC = Source("nets/my net, 1:a.cnn", "net a\nINPUT(1x8x8) -> POOL(9)\n")
WRONG = Diagnostic(
    "E301",
    "100 % too large",
    Span(SPEC, 22, 29),
    help=("POOL(8) gives 1x1x1",),
    related=(Related("its input", Span(SPEC, 6, 18)),),
)


def test_github() -> None:
    assert SPEC.text[22:29] == "POOL(9)"
    assert github(WRONG) == (
        "::error file=nets/my net%2C 1%3Aa.cnn,line=2,endLine=2,col=17,endColumn=24,"
        "title=cnnc E301::100 %25 too large%0Ahelp: POOL(8) gives 1x1x1"
    )


def test_github_knows_notices_and_no_place() -> None:
    note = Diagnostic("W601", "a row is dropped", severity="note")
    assert github(note) == "::notice title=cnnc W601::a row is dropped"


def test_a_message_cannot_begin_another_command() -> None:
    assert "\n" not in github(Diagnostic("E201", "a\n::error::b\r\x1b[2J"))


def test_sarif() -> None:
    log = json.loads(json.dumps(sarif([WRONG, Diagnostic("E101", "no file")], "1.2")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "cnnc"
    assert run["tool"]["driver"]["version"] == "1.2"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E101", "E301"]
    assert run["tool"]["driver"]["rules"][1]["shortDescription"]["text"] == CODES["E301"].title
    wrong, missing = run["results"]
    assert (wrong["ruleId"], wrong["ruleIndex"], wrong["level"]) == ("E301", 1, "error")
    assert wrong["message"]["text"] == "100 % too large\nhelp: POOL(8) gives 1x1x1"
    assert wrong["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "nets/my%20net%2C%201%3Aa.cnn"},
                "region": {"startLine": 2, "startColumn": 17, "endLine": 2, "endColumn": 24},
            }
        }
    ]
    (related,) = wrong["relatedLocations"]
    assert related["message"]["text"] == "its input"
    assert related["physicalLocation"]["region"]["startColumn"] == 1
    assert "locations" not in missing


def test_sarif_of_an_absolute_path_is_a_file_uri() -> None:
    place = Span(Source("/tmp/a b.cnn", "x"), 0, 1)
    (result,) = sarif([Diagnostic("E201", "m", place)], "1")["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///tmp/a%20b.cnn"


def test_sarif_of_a_file_name_that_is_no_utf_8() -> None:
    place = Span(Source(os.fsdecode(b"nets/\xff.cnn"), "x"), 0, 1)
    (result,) = sarif([Diagnostic("E201", "m", place)], "1")["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "nets/%FF.cnn"
