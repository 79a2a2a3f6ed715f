"""Texts that once broke something hold now, and what fuzzing begins with holds as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.targets import TARGETS

FINDINGS = sorted((Path(__file__).parent / "findings").glob("*.cnn"))


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_finding(path: Path) -> None:
    for target in TARGETS:
        target(path.read_text("utf-8"))
