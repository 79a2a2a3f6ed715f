"""Texts that once broke something hold now, and what fuzzing begins with holds as well."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.fuzz.targets import TARGETS

SLOWEST = 15  # seconds of a processor: what broke this took minutes
FINDINGS = sorted((Path(__file__).parent / "findings").glob("*.cnn"))


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_finding(path: Path) -> None:
    before = time.process_time()
    for target in TARGETS:
        target(path.read_text("utf-8"))
    assert time.process_time() - before < SLOWEST
