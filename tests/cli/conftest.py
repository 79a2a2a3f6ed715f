"""A trained run for the commands that use one, and the command in this process."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import cnnc
from cnnc.cli.main import run

SPEC = """
net Tiny
INPUT(1x6x6) -> CENTER -> CONV(4, 3) -> RELU -> DROPOUT(0.3) -> FC(3)
train { batch = 10  epochs = 3  lr = 0.1  seed = 3  loss = cross_entropy(label_smoothing=0.1) }
"""


class Done(NamedTuple):
    """How a command ended: status, standard output, standard error."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


def npz(path: Path, **changes: Any) -> Path:
    """Images of three classes that differ in where they are bright; some are easy, some not."""
    rng = np.random.default_rng(1)
    found: dict[str, Any] = {}
    for part, n in (("train", 47), ("test", 20)):
        y = rng.integers(0, 3, n)
        x = rng.random((n, 1, 6, 6), np.float32)
        x[np.arange(n), 0, 2 * y] += 0.5
        found |= {f"x_{part}": x, f"y_{part}": y}
    np.savez(path, **{**found, **changes})
    return path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command line in this process: `command("eval", folder, "--data", data)`."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CNNC_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: object) -> Done:
        capsys.readouterr()
        status = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Done(status, out, err)

    return call


@pytest.fixture
def cnnc_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Command:
    """`cnnc_here("check", "a.cnn", input="…")`, in an empty folder of its own.

    Files are given by name: `files={"a.cnn": "INPUT(4)"}`.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CNNC_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def command(*args: object, input: str = "", files: dict[str, str] | None = None) -> Done:
        for name, text in (files or {}).items():
            Path(name).write_text(text, "utf-8")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode())))
        capsys.readouterr()
        status = run([str(arg) for arg in args])
        return Done(status, *capsys.readouterr())

    return command


@pytest.fixture(scope="session")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    cnnc.train(cnnc.parse(SPEC), f"npz:{npz(folder / 'data.npz')}", folder / "run", shards=2)
    return folder


@pytest.fixture
def trained(_once: Path, tmp_path: Path) -> Path:
    """A folder of this test's own with `run`, a finished run, and its data, `data.npz`."""
    shutil.copytree(_once, tmp_path / "trained")
    return tmp_path / "trained"
