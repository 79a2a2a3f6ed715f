"""What training shows: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnc.cli import progress as module
from cnnc.cli.progress import Display
from cnnc.runtime.metrics import Epoch
from cnnc.runtime.trainer import Progress

ROOT = Path(__file__).parent.parent.parent
EPOCH = Epoch(3, 60, 1.5, 0.25, 1.25, 0.5, 0.1, 2.0)
LINE = "epoch  3/10  loss 1.5000  accuracy  25.0 %  test loss 1.2500  test accuracy  50.0 %  2.0 s"


class Terminal:
    """Standard error as a terminal of this many columns, without a process at its other end."""

    def __init__(self, columns: int) -> None:
        self.master, self.slave = pty.openpty()
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)
        self.stream = os.fdopen(self.slave, "w", closefd=False)

    def read(self) -> str:
        self.stream.flush()
        found = b""
        while select.select([self.master], [], [], 0.05)[0]:
            found += os.read(self.master, 65536)
        return found.decode().replace("\r\n", "\n")

    def close(self) -> None:
        self.stream.close()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: list[Terminal] = []

    def make(columns: int) -> Terminal:
        made.append(Terminal(columns))
        monkeypatch.setattr(sys, "stderr", made[-1].stream)
        return made[-1]

    monkeypatch.setattr(module, "INTERVAL", 0.0)
    yield make
    for one in made:
        one.close()


def step(number: int, steps: int = 20, epoch: int = 3, seconds: float = 6.0) -> Progress:
    return Progress(epoch, 10, number, steps, 1.23456, 0.678, 0.1, seconds)


def screen(written: str) -> list[str]:
    """What stands on a terminal, of any width, after text with \\r and \\n."""
    lines = [""]
    column = 0
    for character in written:
        if character == "\r":
            column = 0
        elif character == "\n":
            lines.append("")
            column = 0
        else:
            lines[-1] = lines[-1][:column] + character + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def test_the_live_line_is_written_over(terminal: Any) -> None:
    tty = terminal(120)
    display = Display()
    for number in (5, 10, 20):
        display.on_step(step(number))
    written = tty.read()
    assert "\n" not in written and written.count("\r") == 3
    assert screen(written) == [
        "epoch 3/10 [" + "=" * 24 + "] 20/20  loss 1.2346  accuracy 67.8 %  14 s left"
    ]
    display.on_step(step(5))
    assert "[======                  ] 5/20" in screen(written + tty.read())[0]


def test_an_epochs_line_stays_and_the_live_line_goes(terminal: Any) -> None:
    tty = terminal(120)
    display = Display()
    display.on_step(step(20))
    display.on_epoch(EPOCH, 10)
    display.on_step(step(1, epoch=4))
    display.clear()
    assert screen(tty.read()) == [LINE, ""]


@pytest.mark.parametrize("columns", [0, 1, 20, 50, 60, 70, 79, 80, 81, 90, 200])
def test_the_live_line_never_wraps(columns: int, terminal: Any) -> None:
    """What wraps cannot be written over: the terminal would fill with old states."""
    tty = terminal(columns)
    Display().on_step(step(123_456, steps=1_000_000, epoch=9, seconds=1e5))
    written = tty.read()
    longest = max(len(part) for part in written.split("\r"))
    assert longest < (columns or 80)
    if columns in (0, 80):
        assert "123456/1000000  loss 1.2346  accuracy 67.8 %" in written
    if columns >= 90:
        assert re.search(r"\[=* +\]", written)


def test_states_are_not_written_faster_than_one_can_read(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 1000.0)
    tty = terminal(100)
    display = Display()
    display._shown = module.time.perf_counter()
    for number in range(1, 21):
        display.on_step(step(number))
    assert tty.read().count("loss") == 1  # the epoch's last


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3725.5, "62 min 06 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert module._duration(seconds) == text


@pytest.mark.parametrize(
    ("loss", "text"),
    [(0, "0.0000"), (2.30259, "2.3026"), (999_999, "999999.0000"), (2.045e26, "2.04e+26")],
)
def test_losses(loss: float, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Display().on_epoch(replace(EPOCH, loss=loss, val_loss=loss), 10)
    assert f"  loss {text}  " in (err := capsys.readouterr().err)
    assert f"  test loss {text}  " in err


def test_quiet_on_a_terminal_writes_nothing(terminal: Any) -> None:
    tty = terminal(100)
    display = Display(quiet=True)
    display.on_step(step(20))
    display.on_epoch(EPOCH, 10)
    display.clear()
    assert tty.read() == ""
    assert display.epochs == 3


def test_clearing_what_was_never_shown_writes_nothing(terminal: Any) -> None:
    tty = terminal(100)
    Display().clear()
    assert tty.read() == ""


def test_an_interrupt_is_told_below_the_live_line(terminal: Any) -> None:
    tty = terminal(100)
    display = Display()
    display.on_step(step(20))
    tty.stream.write("^C")  # as the terminal itself does
    display.interrupted()
    display.clear()
    live, *rest = screen(tty.read())
    assert live.startswith("epoch 3/10 [") and live.endswith("s left^C")
    assert rest == ["interrupted: no whole epoch was trained, so no weights are kept", ""]


def test_an_interrupt_is_told_when_quiet_too(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display(quiet=True)
    display.folder = Path("runs/a")
    display.on_epoch(EPOCH, 10)
    display.interrupted()
    assert capsys.readouterr().err == "interrupted: runs/a keeps the weights of epoch 3\n"


def test_elsewhere_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    display.on_step(step(20))
    display.on_epoch(EPOCH, 10)
    display.clear()
    out, err = capsys.readouterr()
    assert out == ""
    assert err == LINE + "\n"


# -- the whole command on a terminal -------------------------------------------------------


@pytest.mark.parametrize("error_is_a_terminal", [True, False])
def test_the_command(error_is_a_terminal: bool, tmp_path: Path) -> None:
    """Standard error decides: standard output may go into a file."""
    (tmp_path / "a.cnn").write_text("INPUT(4) -> FC(3) train { epochs = 2 batch = 2 }")
    tty = Terminal(80)
    done = subprocess.run(
        [sys.executable, "-m", "cnnc", "train", "a.cnn", "--data", "random:9"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if error_is_a_terminal else tty.slave,
        stderr=tty.slave if error_is_a_terminal else subprocess.PIPE,
        timeout=60,
    )
    written = tty.read()
    tty.close()
    assert done.returncode == 0
    if error_is_a_terminal:
        assert re.fullmatch(rb"test accuracy \d+\.\d\d %\nrun runs/net\n", done.stdout)
        assert re.search(r"\repoch 2/2 \[=+\] 5/5  loss ", written)
        assert max(len(line) for line in re.split(r"[\r\n]", written.split("epoch 1/2")[1])) <= 79
        assert not any("[" in line for line in screen(written)[5:])
    else:
        assert re.fullmatch(r"test accuracy \d+\.\d\d %\nrun runs/net\n", written)
        assert b"\r" not in done.stderr and b"\x1b" not in done.stderr
        assert [line.split()[0] for line in done.stderr.splitlines()] == [
            b"data", b"9", b"net", b"training", b"memory", b"epoch", b"epoch"
        ]  # fmt: skip
