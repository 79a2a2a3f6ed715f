"""`cnnc explain`: a net's numbers on any terminal, and the pages of codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnc.api import check_source
from cnnc.cli import main as cli
from cnnc.dsl.codes import CODES
from cnnc.dsl.source import Source

SPEC = """\
net Tiny
param f = 6
INPUT(1x28x28) -> CONV(f, 5, pad=2) -> TANH -> POOL(avg, 2) -> CONV(16, 5) -> FC(10)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny.cnn").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = cli.run(["explain", *args])
    return status, *capsys.readouterr()


def test_one_layer(capsys) -> None:
    status, out, err = run(capsys, "tiny.cnn", "conv2")
    assert (status, err) == (0, "")
    assert (
        out
        == """\
Tiny (tiny.cnn)  f=6

conv2  CONV(16, 5)
  input            6x14x14 from pool1
  output           16x10x10, a map a filter
  rows, columns    floor((in + 2*pad - k)/stride) + 1 = floor((14 + 2*0 - 5)/1) + 1 = 10
  weights          filters*(C/groups)*kh*kw + filters = 16*(6/1)*5*5 + 16 = 2,416
  MACs             16*6*5*5 weights, each used at 10*10 positions = 240,000
  receptive field  14x14: size + (k-1)*dilation*jump = 6 + (5-1)*1*2 = 14
  without sharing  10*10 positions * 2,416 weights = 241,600, 100 times as many
  fully connected  (16*10*10)*(6*14*14 + 1) = 1,883,200, 779 times as many
"""
    )


def test_set_and_input_reach_the_numbers(capsys) -> None:
    out = run(capsys, "tiny.cnn", "conv1", "--set", "f=9", "--input", "3x40x30")[1]
    assert "9*(3/1)*5*5 + 9 = 684" in out
    assert "  rows             floor((in + 2*pad - k)/stride) + 1 = floor((40 + 2*2 - 5)/1)" in out
    assert "  columns          floor((in + 2*pad - k)/stride) + 1 = floor((30 + 2*2 - 5)/1)" in out


def test_whole_net_has_every_layer_the_totals_and_the_charts(capsys) -> None:
    status, out, _ = run(capsys, "tiny.cnn")
    assert status == 0
    for name in ("input1", "conv1", "tanh1", "pool1", "conv2", "fc1"):
        assert f"\n{name}  " in out
    assert "  weights                             18,582\n" in out
    assert "\nwhere the weights sit\n  conv1     156   0.8 %  ▊\n" in out
    chart = out.partition("where the MACs sit\n")[2].partition("\n\n")[0].split("\n")
    assert [line.split()[0] for line in chart] == ["conv1", "conv2", "fc1"]
    assert max(chart, key=len).startswith("  conv2")  # the largest has the longest bar
    assert max(map(len, chart)) == 100
    assert "shrink" not in out


def test_weights_that_shrink_are_told_in_a_sentence(folder: Path, capsys) -> None:
    (folder / "wide.cnn").write_text("INPUT(100) -> FC(50) -> RELU -> FC(10)\n")
    out = run(capsys, "wide.cnn")[1]
    said = " ".join(out.split())
    assert "the first half of the layers that have any has 91 % of them" in said


def test_json(capsys) -> None:
    status, out, _ = run(capsys, "tiny.cnn", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert list(found) == [
        "schema", "file", "net", "knobs", "layers", "totals", "where", "front_share"
    ]  # fmt: skip
    assert (found["schema"], found["net"], found["knobs"]) == ("cnnc.explain/1", "Tiny", {"f": 6})
    conv = found["layers"][1]
    assert (conv["name"], conv["params"], conv["without_sharing"]) == ("conv1", 156, 122304)
    assert conv["how"]["weights"].endswith("= 6*(1/1)*5*5 + 6 = 156")
    assert found["totals"] == {
        "params": 18582, "macs": 373600, "without_sharing": 122304 + 241600 + 16010,
        "fully_connected": 3692640 + 1883200 + 16010,
    }  # fmt: skip
    assert found["where"]["macs"][0] == {"from": "conv1", "to": "conv1", "count": 117600}
    one = json.loads(run(capsys, "tiny.cnn", "fc1", "--format", "json")[1])
    assert [layer["name"] for layer in one["layers"]] == ["fc1"]


# -- terminals ------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 50, 57, 80, 200])
def test_lines_fit_the_terminal(columns: int, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run(capsys, "tiny.cnn")[1]
    assert max(len(line) for line in out.split("\n")) <= max(48, columns)
    assert "floor((28" in out


def test_terminal_without_utf8_gets_ascii(cnnc) -> None:
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = cnnc("explain", "tiny.cnn", env=env)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\\u" not in done.stdout
    assert "  conv2   2,416  13.0 %  ########\n" in done.stdout


def test_headings_are_bold_on_a_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = run(capsys, "tiny.cnn", "conv1")[1]
    assert "\x1b[1mconv1  CONV(6, 5, pad=2)\x1b[0m\n" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(capsys, "tiny.cnn", "conv1")[1]


def test_text_of_a_spec_is_never_sent_to_the_terminal_as_it_is(folder: Path, capsys) -> None:
    name = "a\x1b[31m.cnn"
    (folder / name).write_text("INPUT(1x8x8) -> FC(2)\n")
    out = run(capsys, name)[1]
    assert "\x1b" not in out


def test_huge_net(folder: Path, capsys) -> None:
    (folder / "huge.cnn").write_text("INPUT(1x8x8) -> [CONV(2, 3, pad=1) -> RELU]*1500 -> FC(2)\n")
    status, out, _ = run(capsys, "huge.cnn", "conv1500")
    assert status == 0
    assert len(out.split("\n")) < 15
    status, out, _ = run(capsys, "huge.cnn")
    assert "\nconv1500  CONV(2, 3, pad=1)\n" in out
    assert "  conv1 to conv1500 (8x8)" in out.partition("where the MACs sit")[2]
    status, _, err = run(capsys, "huge.cnn", "conv1501")
    assert status == 2
    assert "and 2,990 more" in err
    assert len(err) < 400


# -- wrong use ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "near"), [("cnv2", "conv2"), ("CONV2", "conv2"), ("fc", "fc1")])
def test_near_miss_of_a_layer_gets_a_suggestion(name: str, near: str, capsys) -> None:
    status, out, err = run(capsys, "tiny.cnn", name)
    assert (status, out) == (2, "")
    assert err == (
        f"error: the net has no layer {name}; it has input1, conv1, tanh1, pool1, conv2, fc1\n"
        f"help: did you mean {near}?\n"
    )


def test_spec_with_mistakes(folder: Path, capsys) -> None:
    (folder / "wrong.cnn").write_text("INPUT(1x8x8) -> POOL(9)\n")
    status, out, err = run(capsys, "wrong.cnn")
    assert (status, out) == (1, "")
    assert err.startswith("error[E301]: POOL(9) does not fit")
    (folder / "library.cnn").write_text("let a = 1\n")
    status, _, err = run(capsys, "library.cnn")
    assert status == 1
    assert err.startswith("error[E112]")


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["none.cnn"], 1, "error[E101]: none.cnn does not exist"),
        (["tiny.cnn", "--set", "g=1"], 2, "error: tiny.cnn has no knob g; it has f"),
        (["tiny.cnn", "--format", "xml"], 2, "error: invalid value for '--format'"),
        ([], 2, "error: missing argument 'FILE|CODE'"),
        (["E301", "conv1"], 2, "error: a code's page takes no layer, --set or --input"),
        (["E301", "--set", "f=1"], 2, "error: a code's page takes no layer, --set or --input"),
        (["E399"], 2, "error: there is no code E399; the nearest are E3"),
        (["e3"], 2, "error: there is no code E3; the nearest are E301, E302, E303"),
        (["W9"], 2, "error: there is no code W9; the nearest are W6"),
    ],
)
def test_wrong_use(args: list[str], status: int, message: str, capsys) -> None:
    done, out, err = run(capsys, *args)
    assert (done, out) == (status, "")
    assert err.startswith(message)


# -- codes ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_with_what_it_really_gives(code: str, capsys) -> None:
    status, out, err = run(capsys, code)
    assert (status, err) == (0, "")
    assert out.startswith(f"{code}: {CODES[code].title}\n\n")
    assert " ".join(out.split()).count(" ".join(CODES[code].explanation.split())) == 1
    if CODES[code].wrong:
        given = check_source(Source("example.cnn", CODES[code].wrong)).diagnostics
        assert [d for d in given if f"[{d.code}]: {d.message}" not in out] == []
        assert "--> example.cnn:" in out
    page = json.loads(run(capsys, code.lower(), "--format", "json")[1])
    assert (page["code"], page["title"]) == (code, CODES[code].title)
    assert (page["output"] is None) == (page["wrong"] is None) == (not CODES[code].wrong)


def test_page_of_a_code(capsys) -> None:
    assert (
        run(capsys, "E301")[1].partition("this gives it:")[2]
        == """

  INPUT(1x8x8) -> POOL(9)

  error[E301]: POOL(9) does not fit: its input is 8x8
    --> example.cnn:1:17
     |
   1 | INPUT(1x8x8) -> POOL(9)
     |                 ^^^^^^^ needs at least 9x9, gets 1x8x8 from input1
     |
     = rule: out = floor((in + 2*pad - k)/stride) + 1 = floor((8 + 2*0 - 9)/9) + 1 = 0
     = help: POOL(8) gives 1x1x1
     = help: POOL(9, pad=1) gives 1x1x1
     = help: an input of 1x16x16: POOL(9) then gets 1x16x16 and gives 1x1x1

mended:

  INPUT(1x8x8) -> POOL(8)
"""
    )


def test_file_that_is_called_like_a_code(folder: Path, capsys) -> None:
    (folder / "E301").write_text(SPEC)
    assert run(capsys, "E301", "conv1")[1].startswith("Tiny (E301)")
