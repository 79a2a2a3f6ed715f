"""`pytest --no-skips`, which `make parity` runs: what was skipped was not compared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"
IN_A_TEST = "import pytest\n\ndef test_x():\n    pytest.skip('no torch')\n"
BY_A_MARK = "import pytest\n\n@pytest.mark.skip('no torch')\ndef test_x():\n    pass\n"
WHOLE_FILE = "import pytest\n\npytest.skip('no torch', allow_module_level=True)\n"
EXPECTED = "import pytest\n\n@pytest.mark.xfail\ndef test_x():\n    assert False\n"


def run(test: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_x.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("test", [IN_A_TEST, BY_A_MARK, WHOLE_FILE])
def test_a_skip_is_a_failure_only_where_that_was_asked_for(test: str, tmp_path: Path) -> None:
    assert "1 skipped" in run(test, tmp_path).stdout
    strict = run(test, tmp_path, "--no-skips")
    assert strict.returncode not in (0, 5)
    assert "skipped" not in strict.stdout.splitlines()[-1]
    assert "no torch" in strict.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(EXPECTED, tmp_path, "--no-skips").returncode == 0
