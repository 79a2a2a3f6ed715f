"""`cnnc check --format concise`, and checks of several files of which one is standard input."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.cnn").write_text("INPUT(1x8x8) -> FC(2)\n")
    (tmp_path / "bad.cnn").write_text("INPUT(1x8x8)\n-> POOL(9) -> CONVV(3)\n")
    (tmp_path / "note.cnn").write_text("INPUT(1x9x9) -> POOL(2) -> FC(2)\n")
    return tmp_path


def test_a_line_a_diagnostic(cnnc) -> None:
    done = cnnc("check", "--format", "concise", "good.cnn", "bad.cnn", "note.cnn")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "bad.cnn:2:4: error[E301]: POOL(9) does not fit: its input is 8x8\n"
        "bad.cnn:2:15: error[E201]: there is no layer CONVV\n"
        "note.cnn:1:17: note[W601]: POOL(2) never reaches the last 1 of 9 rows and the last 1 of"
        " 9 columns\n"
    )


def test_nothing_is_said_of_files_that_hold(cnnc) -> None:
    done = cnnc("check", "--format", "concise", "good.cnn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_strict_and_a_missing_file(folder: Path, cnnc) -> None:
    (folder / "lint.cnn").write_text("INPUT(4) -> FC(3) -> RELU -> RELU -> FC(2)\n")
    done = cnnc("check", "--format", "concise", "lint.cnn", "none.cnn")
    assert done.returncode == 1
    lines = done.stdout.split("\n")
    assert lines[0].startswith("lint.cnn:1:30: warning[W6")
    assert lines[1] == "error[E101]: none.cnn does not exist"
    done = cnnc("check", "--format", "concise", "--strict", "lint.cnn")
    assert done.returncode == 1
    assert done.stdout.startswith("lint.cnn:1:30: error[W6")


def test_files_and_standard_input(cnnc) -> None:
    done = cnnc("check", "--format", "concise", "good.cnn", "-", "bad.cnn", input="INPUT(2) -> ")
    assert done.returncode == 1
    first, second, third = done.stdout.split("\n")[:-1]
    assert first.startswith("<stdin>:1:10: error[E1")
    assert second.startswith("bad.cnn:2:4: ")
    assert third.startswith("bad.cnn:2:15: ")
    done = cnnc("check", "good.cnn", "-", input="INPUT(2) -> FC(3)")
    assert done.returncode == 0
    assert "\n<stdin>\n  name" in done.stdout


def test_standard_input_is_read_once(cnnc) -> None:
    done = cnnc("check", "-", "good.cnn", "-", input="INPUT(2) -> FC(3)")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: `-` is standard input, which can be read only once\n")


def test_control_characters_are_not_sent_on(folder: Path, cnnc) -> None:
    (folder / "odd.cnn").write_text("INPUT(1x8x8) -> POO\x1b[31m\n")
    done = cnnc("check", "--format", "concise", "odd.cnn")
    assert "\x1b" not in done.stdout
