"""Prints how fast cnnc starts, and how fast it trains beside PyTorch, all in one run.

    python -m benchmarks [--rounds N]

Start-up is CPU time of whole processes, with byte-compiled files. Steps are timed in turn,
A B C A B C …, each in its own process with two threads; the ratios are of the same round.
"""

from __future__ import annotations

import compileall
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from .nets import CASES

ROOT = Path(__file__).resolve().parent.parent


def start_up(rounds: int) -> None:
    """CPU time to start, beside that of importing what it stands on."""
    for part in ("src/cnnc", "cli", "compiler", "dsl", "grammars", "runtime"):
        compileall.compile_dir(str(ROOT / part), quiet=2)
    deep = Path(tempfile.mkdtemp()) / "deep.cnn"
    chain = " -> ".join(["CONV(8, 3, pad=1) -> RELU"] * 5_000)
    deep.write_text(f"INPUT(3x32x32) -> {chain} -> FC(10)\n")
    commands = {
        'python -c "import click, lark"': ["-c", "import click, lark"],
        "cnnc check lenet5.cnn": ["-m", "cnnc", "check", str(ROOT / "examples/lenet5.cnn")],
        "cnnc check googlenet.cnn": ["-m", "cnnc", "check", str(ROOT / "examples/googlenet.cnn")],
        "cnnc check of 10,000 layers": ["-m", "cnnc", "check", str(deep)],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, arguments in commands.items():
            process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
            _, _, usage = os.wait4(process.pid, 0)
            times[name].append((usage.ru_utime + usage.ru_stime) * 1e3)
    print("start-up, CPU ms        least  median")
    for name, values in times.items():
        print(f"  {name:32}{min(values[1:]):6.0f}  {statistics.median(values[1:]):6.0f}")


class Worker:
    """A process that times steps of one net in one way."""

    def __init__(self, way: str, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", way, str(number)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def time(self, steps: int) -> float:
        """The median of so many steps, in milliseconds."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.communicate()


def steps(rounds: int) -> None:
    """Training steps, in turn."""
    ways = ["cnnc"] + (["torch", "torch-cl"] if find_spec("torch") else [])
    if len(ways) == 1:
        print("PyTorch is not installed: `make parity` installs it")
    for number, case in enumerate(CASES):
        workers = {way: Worker(way, number) for way in ways}
        for worker in workers.values():
            worker.time(5)
        count = 30 if number == 0 else 8
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, worker in workers.items():
                times[way].append(worker.time(count))
        for worker in workers.values():
            worker.close()
        print(f"\n{case.name}, batch {case.batch}: training step, ms, median of {rounds} rounds")
        for way, values in times.items():
            print(f"  {way:10}{statistics.median(values):8.2f}  (least {min(values):.2f})")
        if len(ways) > 1:
            best = [min(times[w][i] for w in ways[1:]) for i in range(rounds)]
            ratios = sorted(b / ours for b, ours in zip(best, times["cnnc"], strict=True))
            print(
                f"  PyTorch's best / cnnc: {statistics.median(ratios):.2f}"
                f"  ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            )


def main() -> None:
    """Run all of it."""
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 7
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}\n")  # fmt: skip
    start_up(rounds)
    steps(rounds)


if __name__ == "__main__":
    main()
