"""Runs mypy, and fails as well where it saw fewer files than there are.

mypy reaches the folders through the links in src/cnnc. Where a checkout lost them, it
checks one file and reports success.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("cli", "compiler", "dsl", "grammars", "runtime")


def main() -> int:
    """Return mypy's exit status, or 1 where it missed files."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(run.stdout, end="")
    if run.returncode:
        return run.returncode
    there = len(list((ROOT / "src/cnnc").glob("*.py")))
    there += sum(len(list((ROOT / part).rglob("*.py"))) for part in PARTS)
    seen = re.search(r"no issues found in (\d+) source file", run.stdout)
    if seen is None or int(seen[1]) < there:
        print(f"error: mypy saw fewer than the {there} files; are the links in src/cnnc whole?")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
