"""`python -m tests.fuzz SECONDS`: specs at random, guided by what of the code they reach.

It begins with the examples and the texts of the tests, and goes on with what is new in coverage.
Texts that break a promise of `targets.py` are written to `found/`, and the exit status is 1. Such
a text is made small, and kept in `findings/` for a test.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.words import HERE, ROOT, seeds

LONGEST = 1_000  # characters of a text
SLOWEST = 60  # seconds that one text may take, on a machine that does other things too


def main() -> int:
    """Fuzz for the seconds that the command line says; 1 where something broke."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    found = HERE / "found"
    found.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, text in enumerate(sorted({*seeds()})):
            (Path(corpus) / f"{number:04}").write_text(text, "utf-8")
        options = [
            f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOWEST}",
            f"-artifact_prefix={found}/", "-rss_limit_mb=4096", "-len_control=0",
            "-print_final_stats=1", "-reload=0", f"-report_slow_units={SLOWEST}",
        ]  # fmt: skip
        before = {*found.iterdir()}
        command = [sys.executable, "-m", "tests.fuzz.fuzzer", *options, corpus]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
    new = sorted({*found.iterdir()} - before)
    for path in new:
        print(f"broken by {path.relative_to(ROOT)}")
    return 1 if new else status


if __name__ == "__main__":
    sys.exit(main())
