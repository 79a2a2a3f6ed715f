"""What a shell completes: spec files and folders, knobs with their values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cnnc.cli.completion import knobs, spec_files

SPEC = """\
param N = 2 in [1, 2], name = "a b"
INPUT(1x8x8) -> [CONV(4, 3, pad=1) -> RELU]*N -> POOL? -> [RELU]*K -> FC(2)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets").mkdir()
    for name in ("family.cnn", "fine.txt", ".hidden.cnn", "nets/a.cnn", "nets/b.txt"):
        (tmp_path / name).write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(items) -> list[str]:
    return [f"{item.value}" if item.type == "plain" else f"<{item.type}>" for item in items]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("", ["family.cnn", "nets/"]),
        ("f", ["family.cnn"]),
        ("fi", []),
        ("n", ["<dir>"]),
        ("nets/", ["nets/a.cnn"]),
        ("none/", []),
        (".", [".hidden.cnn"]),
        ("./f", ["./family.cnn"]),
    ],
)
def test_spec_files(start: str, found: list[str]) -> None:
    assert values(spec_files(start)) == found


def test_home_folder(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert values(spec_files("~/f")) == ["~/family.cnn"]


def test_knobs_with_their_values() -> None:
    assert values(knobs(["family.cnn"], "")) == ["N=1", "N=2", 'name="a b"', "pool=true", "K="]
    assert values(knobs(["family.cnn", "other"], "N")) == ["N=1", "N=2"]


@pytest.mark.parametrize("given", [[], ["-"], ["none.cnn"], ["nets"], ["fine.txt\0"]])
def test_no_knobs_without_a_spec(given: list[str]) -> None:
    assert knobs(given, "") == []


def test_knobs_of_a_spec_with_mistakes(folder: Path) -> None:
    (folder / "wrong.cnn").write_text("param N = 2 in [1, 2]\nINPUT(1x8x8) -> -> POOL(9)*N\n")
    assert values(knobs(["wrong.cnn"], "")) == ["N=1", "N=2"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cnnc check f", ["family.cnn"]),
        ("cnnc check a.cnn f", ["family.cnn"]),
        ("cnnc fmt f", ["family.cnn"]),
        ("cnnc compile f", ["family.cnn"]),
        ("cnnc train f", ["family.cnn"]),
        ("cnnc explain f", ["family.cnn"]),
        ("cnnc enumerate f", ["family.cnn"]),
        ("cnnc diff a.cnn f", ["family.cnn"]),
        ("cnnc check family.cnn --set N", ["N=1", "N=2"]),
        ("cnnc train --data digits family.cnn --set N", ["N=1", "N=2"]),
        ("cnnc check family.cnn --set K=1 --set N", ["N=1", "N=2"]),
        ("cnnc diff family.cnn family.cnn --set-b N", ["N=1", "N=2"]),
        ("cnnc check --set N", []),
        ("cnnc enumerate family.cnn --sort m", ["macs", "memory"]),
        ("cnnc en", ["enumerate"]),
    ],
)
def test_command_line(words: str, found: list[str], cnnc) -> None:
    env = {
        "_CNNC_COMPLETE": "bash_complete", "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }  # fmt: skip
    done = cnnc(env=env)
    assert done.stderr == ""
    assert done.stdout.split() == [f"plain,{value}" for value in found]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str, cnnc) -> None:
    done = cnnc(env={"_CNNC_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0
    assert "_CNNC_COMPLETE" in done.stdout


def test_in_bash(folder: Path) -> None:
    """The line of docs/commands.md, and what bash then makes of a TAB."""
    command = folder / "cnnc"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnc "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(_CNNC_COMPLETE=bash_source cnnc)"
        COMP_WORDS=(cnnc check fam); COMP_CWORD=2
        _cnnc_completion cnnc; echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("family.cnn\n", "")
