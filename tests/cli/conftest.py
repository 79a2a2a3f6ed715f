"""Runs the command in this process: what comes out, and how it ends."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cnnc.cli.main import run


@dataclass(frozen=True)
class Ran:
    """The exit status, and what went to standard output and standard error."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def cnnc_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Command:
    """`cnnc_here("check", "a.cnn", input="…")`, in an empty folder of its own.

    Files are given by name: `files={"a.cnn": "INPUT(4)"}`.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CNNC_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def command(*args: object, input: str = "", files: dict[str, str] | None = None) -> Ran:
        for name, text in (files or {}).items():
            Path(name).write_text(text, "utf-8")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode())))
        capsys.readouterr()
        status = run([str(arg) for arg in args])
        return Ran(status, *capsys.readouterr())

    return command
