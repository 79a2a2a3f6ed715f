"""Training as one watches it: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from cnnc.runtime.trainer import Progress, Watch

if TYPE_CHECKING:
    from pathlib import Path

    from cnnc.runtime.compiled import Compiled
    from cnnc.runtime.data import Dataset
    from cnnc.runtime.metrics import Epoch

INTERVAL = 0.1  # seconds between two states of the live line
BAR = 24  # characters


class Display(Watch):
    """Writes to standard error: results are for standard output."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet
        self.folder: Path | None = None  # the run's, once training begins
        self.epochs = 0  # whole epochs so far
        self._shown = 0.0
        self._width = 0

    def on_start(self, compiled: Compiled, dataset: Dataset, folder: Path) -> None:
        """What is trained on what."""
        self.folder = folder
        net, training = compiled.net, compiled.training
        self._line(f"data       {dataset.name}: {dataset.note}")
        self._line(
            f"           {len(dataset.train.x):,} samples to train, {len(dataset.test.x):,} to test"
        )
        self._line(
            f"net        {net.name or 'unnamed'}: {net.params:,} weights,"
            f" {net.macs:,} MACs a sample"
        )
        self._line(
            f"training   {training.epochs} epochs, batch {training.batch} in {compiled.shards}"
            f" parts, {training.optimizer}, lr {training.lr:g} {training.schedule}"
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
        filled = BAR * progress.step // progress.steps
        self._rewrite(
            f"epoch {progress.epoch}/{progress.epochs} [{'=' * filled}{' ' * (BAR - filled)}]"
            f" {progress.step}/{progress.steps}  loss {progress.loss:.4f}"
            f"  accuracy {100 * progress.accuracy:.1f} %  {_duration(left)} left"
        )

    def on_epoch(self, epoch: Epoch, epochs: int) -> None:
        """A line that stays."""
        self.epochs = epoch.epoch
        self._rewrite("")
        self._line(
            f"epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}  loss {epoch.loss:.4f}"
            f"  accuracy {100 * epoch.accuracy:5.1f} %  test loss {epoch.val_loss:.4f}"
            f"  test accuracy {100 * epoch.val_accuracy:5.1f} %  {epoch.seconds:.1f} s"
        )

    def clear(self) -> None:
        """Take the live line away, before something else is written."""
        self._rewrite("")

    def _rewrite(self, text: str) -> None:
        if not self.live:
            return
        padding = " " * max(0, self._width - len(text))
        sys.stderr.write(f"\r{text}{padding}" + ("\r" if not text else ""))
        sys.stderr.flush()
        self._width = len(text)

    def _line(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"
