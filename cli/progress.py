"""Training as one watches it: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from textwrap import fill
from typing import TYPE_CHECKING

from cnnc.runtime.trainer import Progress, Watch

if TYPE_CHECKING:
    from pathlib import Path

    from cnnc.runtime.compiled import Compiled
    from cnnc.runtime.data import Dataset
    from cnnc.runtime.metrics import Epoch
    from cnnc.runtime.reuse import Reuse

INTERVAL = 0.1  # seconds between two states of the live line
BAR = 24  # characters, where there is room
USUAL_COLUMNS = 80  # of a terminal that does not say


class Display(Watch):
    """Writes to standard error: results are for standard output."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet
        self.folder: Path | None = None  # the run's, once training begins
        self.epochs = 0  # whole epochs so far
        self._shown = 0.0
        self._width = 0

    def on_reuse(self, reuse: Reuse) -> None:
        """Which layers are reused, and why the others are not."""
        several = "" if len(reuse.layers) == 1 else "s"
        self._line(f"reused     {len(reuse.layers)} layer{several} of {reuse.source}")
        indent = " " * 11
        names = ", ".join(reuse.layers)
        self._line(fill(names, 80, initial_indent=indent, subsequent_indent=indent))
        for name, why in reuse.fresh:
            self._line(f"new        {name}: {why}")

    def on_start(self, compiled: Compiled, dataset: Dataset, folder: Path) -> None:
        """What is trained on what."""
        self.folder = folder
        net, training = compiled.net, compiled.training
        self._line(f"data       {dataset.name}: {dataset.note}")
        self._line(
            f"           {_counted(len(dataset.train.x), 'sample')} to train,"
            f" {len(dataset.test.x):,} to test"
        )
        self._line(
            f"net        {net.name or 'unnamed'}: {_counted(net.params, 'weight')},"
            f" {_counted(net.macs, 'MAC')} a sample"
        )
        self._line(
            f"training   {_counted(training.epochs, 'epoch')}, batch {training.batch}"
            f" in {_counted(compiled.shards, 'part')}, {training.optimizer},"
            f" lr {training.lr:g} {training.schedule}"
        )
        self._line(f"memory     {compiled.memory.total / 2**20:.1f} MiB planned")

    def on_step(self, progress: Progress) -> None:
        """The live line."""
        now = time.perf_counter()
        last = progress.step == progress.steps
        if not self.live or (now - self._shown < INTERVAL and not last):
            return
        self._shown = now
        done = (progress.epoch - 1) * progress.steps + progress.step
        left = progress.seconds / done * (progress.epochs * progress.steps - done)
        before = f"epoch {progress.epoch}/{progress.epochs} "
        after = (
            f"{progress.step}/{progress.steps}  loss {_loss(progress.loss)}"
            f"  accuracy {100 * progress.accuracy:.1f} %  {_duration(left)} left"
        )
        # A line that wraps could not be written over: the bar takes what the numbers leave.
        room = _columns() - 1
        bar = _bar(progress.step / progress.steps, room - len(before) - len(after))
        self._rewrite(f"{before}{bar}{after}"[:room])

    def on_epoch(self, epoch: Epoch, epochs: int) -> None:
        """A line that stays."""
        self.epochs = epoch.epoch
        self._rewrite("")
        self._line(
            f"epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}  loss {_loss(epoch.loss)}"
            f"  accuracy {100 * epoch.accuracy:5.1f} %  test loss {_loss(epoch.val_loss)}"
            f"  test accuracy {100 * epoch.val_accuracy:5.1f} %  {epoch.seconds:.1f} s"
        )

    def clear(self) -> None:
        """Take the live line away, before something else is written."""
        self._rewrite("")

    def interrupted(self) -> None:
        """What a run that Ctrl-C ended leaves; also when quiet."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")  # after the ^C that the terminal shows
        self._width = 0
        kept = "no whole epoch was trained, so no weights are kept"
        if self.epochs:
            kept = f"{self.folder} keeps the weights of epoch {self.epochs}"
        sys.stderr.write(f"interrupted: {kept}\n")

    def _rewrite(self, text: str) -> None:
        if not self.live or not (text or self._width):
            return
        padding = " " * max(0, self._width - len(text))
        sys.stderr.write(f"\r{text}{padding}" + ("\r" if not text else ""))
        sys.stderr.flush()
        self._width = len(text)

    def _line(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _loss(value: float) -> str:
    """Four decimals; one that is running away has dozens of digits before them."""
    return f"{value:.4f}" if value < 1e6 else f"{value:.3g}"


def _columns() -> int:
    """How wide the terminal is now."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def _bar(share: float, room: int) -> str:
    """`[====    ] ` in at most `room` characters; nothing where that is too little."""
    width = min(BAR, room - len("[] "))
    if width < 4:
        return ""
    filled = int(width * share)
    return f"[{'=' * filled}{' ' * (width - filled)}] "


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"
