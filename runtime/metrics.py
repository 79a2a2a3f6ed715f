"""metrics.jsonl: what training measured, one JSON object a line, one line an epoch."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cnnc.runtime.errors import RunError
from cnnc.runtime.files import write_atomic


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    A number that is no number (a loss that ran away, no test set) is nan here and null in the
    file, since JSON has no word for it; infinities become null too and come back as nan.
    """

    epoch: int  # 1, 2, …
    step: int  # training steps since the run began
    loss: float  # mean over the epoch's training samples
    accuracy: float  # 0…1, of the training samples as they were seen
    val_loss: float  # mean over the test samples
    val_accuracy: float  # 0…1
    lr: float  # learning rate of the epoch's last step
    seconds: float  # wall time of the epoch


def write(path: str | os.PathLike[str], epochs: Sequence[Epoch]) -> None:
    """Replace the file by these epochs, in one step: a power cut leaves the old lines or these.

    Errors    RunError where the file cannot be written
    """
    write_atomic(path, "".join(_line(epoch) for epoch in epochs).encode())


def append(path: str | os.PathLike[str], epoch: Epoch) -> None:
    """Add a line to the file, or make it; it is on the disk when this returns.

    The file is rewritten whole: it has a line an epoch, so it is small, and no line can tear.

    Errors    RunError where the file cannot be written, or is not one that `read` accepts
    """
    before = read(path) if os.path.exists(path) else []
    write(path, [*before, epoch])


def read(path: str | os.PathLike[str]) -> list[Epoch]:
    """All epochs of the file.

    Errors    RunError naming file and line: not readable, no JSON, not the eight fields, or a last
              line without its end
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is not UTF-8 text: byte {error.start}") from error
    lines = text.split("\n")
    if lines.pop():
        raise RunError(f"{path}:{len(lines) + 1}: the line is cut off")
    return [_epoch(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]


def _line(epoch: Epoch) -> str:
    row = asdict(epoch)
    for field in fields(Epoch):
        # int() and float() take NumPy's numbers too.
        value = int(row[field.name]) if field.type is int else float(row[field.name])
        row[field.name] = value if math.isfinite(value) else None
    return json.dumps(row, allow_nan=False) + "\n"


def _epoch(line: str, place: str) -> Epoch:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{place}: not a line of JSON: {error}") from error
    names = [field.name for field in fields(Epoch)]
    if not isinstance(row, dict) or sorted(row) != sorted(names):
        raise RunError(f"{place}: not an epoch", help=(f"its fields are {', '.join(names)}",))
    for field in fields(Epoch):
        value = row[field.name]
        if field.type is int and type(value) is not int:
            raise RunError(f"{place}: {field.name} is {value!r}, not a whole number")
        if field.type is float and value is not None and type(value) not in (int, float):
            raise RunError(f"{place}: {field.name} is {value!r}, not a number or null")
        if field.type is float:
            row[field.name] = math.nan if value is None else float(value)
    return Epoch(**row)
