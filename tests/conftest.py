"""Fixtures and options that all tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

Run = Callable[..., subprocess.CompletedProcess[str]]

# A loaded machine is no reason to fail, and CI tries the same examples each time.
settings.register_profile("cnnc", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("cnnc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped test is a failure: what was to be compared is missing",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    _refuse_skip(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _refuse_skip(collector.config, report)
    return report


def _refuse_skip(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and config.getoption("--no-skips") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        if isinstance(report.longrepr, tuple):
            report.longrepr = report.longrepr[2]


@pytest.fixture
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture
def torch() -> ModuleType:
    """PyTorch; a test that wants it is marked `parity` and skips where it is missing."""
    module: ModuleType = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
    return module


@pytest.fixture
def cnnc(tmp_path: Path) -> Run:
    """Runs the command in a process and a folder of its own: `cnnc("check", "a.cnn")`.

    `env` adds to the environment, `input` goes to standard input, `cwd` is another folder.
    """

    def run(
        *args: object,
        input: str = "",
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        hidden = ("NO_COLOR", "FORCE_COLOR", "CNNC_DEBUG")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        environment |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1", **(env or {})}
        return subprocess.run(
            [sys.executable, "-m", "cnnc", *map(str, args)],
            input=input,
            env=environment,
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )

    return run
