"""A run: its folder, and the way from a net and data to a trained net in it.

RUN/spec.cnn               the spec as expanded: no knobs, repeats or defaults are left
RUN/options.json           what it was trained with
RUN/weights.safetensors    the weights after the last whole epoch
RUN/metrics.jsonl          a line an epoch
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from cnnc import __version__
from cnnc.compiler.layers.layer import Array
from cnnc.compiler.memory import memory
from cnnc.compiler.net import Net
from cnnc.compiler.training.settings import Training
from cnnc.compiler.values import show_shape

from . import data, metrics, safetensors
from .compiled import Compiled
from .errors import RunError
from .files import remove_stale, write_atomic
from .fit import fit_data_layers
from .metrics import Epoch
from .reuse import reuse, with_rates
from .trainer import Watch, train_epochs

SPEC, OPTIONS, WEIGHTS, METRICS = FILES = (
    "spec.cnn", "options.json", "weights.safetensors", "metrics.jsonl",
)  # fmt: skip

ADDRESSES = 2**47  # bytes: a process has no more, and NumPy counts no more than 2**63


@dataclass(frozen=True)
class Run:
    """A finished run.

    history    what each epoch measured
    accuracy   on the test samples after the last epoch, 0 … 1
    """

    path: Path
    compiled: Compiled
    history: tuple[Epoch, ...]

    @property
    def accuracy(self) -> float:
        """See the class."""
        return self.history[-1].val_accuracy


def train_run(
    net: Net,
    training: Training,
    source: str,
    out: str | os.PathLike[str] | None,
    *,
    spec_text: str,
    threads: int | None = None,
    shards: int | None = None,
    watch: Watch | None = None,
) -> Run:
    """Load the data, check that it goes with the net, train, and keep everything in a folder.

    Errors    before anything is written: DataError; RunError for a net that cannot be trained, too
              little memory, and a folder that holds a run already. Later: RunError where a file
              cannot be written, and Diverged
    """
    watch = watch or Watch()
    outputs = _outputs(net)
    dataset = data.load(source, net.input_shape, training.seed, outputs)
    data.check(dataset, net.input_shape, outputs)
    taken = None
    if training.init_from is not None:
        taken = reuse(net, training.init_from, read_weights(training.init_from))
        net = with_rates(net, training, taken.layers)
        watch.on_reuse(taken)
    compiled = _compiled(net, training, shards, threads)
    reused = taken.layers if taken else ()
    compiled.weights.update(taken.weights if taken else {})
    fit_data_layers(compiled, dataset.train.x, reused)
    folder = new_folder(out, net.name)
    write_atomic(folder / SPEC, spec_text.encode())
    write_atomic(folder / OPTIONS, _options(training, source, compiled, reused).encode())
    watch.on_start(compiled, dataset, folder)

    def save(epoch: Epoch) -> None:
        save_weights(compiled, folder)
        metrics.append(folder / METRICS, epoch)

    history = train_epochs(compiled, dataset, watch, save)
    return Run(folder, compiled, tuple(history))


def _outputs(net: Net) -> int:
    shape = net.output_shape
    if len(shape) == 3 and shape[1:] != (1, 1):
        raise RunError(
            f"the net's output is {show_shape(shape)}: the data sources have one class an image",
            help=("end it with FC(classes)",),
        )
    return shape[0]


def _compiled(net: Net, training: Training, shards: int | None, threads: int | None) -> Compiled:
    """The net with the memory that training takes."""
    batch, needed = training.batch, memory(net, training, training.batch)
    try:
        if needed > ADDRESSES:
            raise MemoryError
        compiled = Compiled(
            net, training, batch=batch, seed=training.seed, shards=shards, threads=threads
        )
        compiled.prepare()
    except MemoryError:
        help = ("a smaller net: most of it is weights",)
        if needed > 2 * memory(net, training, 1):
            help = (f"fewer samples a step: --batch {batch // 2}",)
        size = f"{needed / 2**30:,.1f} GiB"
        raise RunError(f"training takes {size} of memory, more than there is", help) from None
    return compiled


def new_folder(out: str | os.PathLike[str] | None, name: str | None) -> Path:
    """Make the run's folder; without `out` the first free runs/NAME, runs/NAME-2, …

    Errors    RunError: it cannot be made, or holds a file that a run would overwrite or go on with
    """
    folder = Path("runs" if out is None else out)
    try:
        if out is None:
            folder = _first_free(folder / (name or "net").lower())
        else:
            folder.mkdir(parents=True, exist_ok=True)
        there = [file for file in FILES if (folder / file).exists()]
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"the run's folder {folder} cannot be made: {reason}") from None
    if there:
        raise RunError(
            f"{folder} holds a run already ({', '.join(there)}), and nothing of it is overwritten",
            help=("choose another folder with --out, or remove it first",),
        )
    remove_stale(folder)
    return folder


def _first_free(stem: Path) -> Path:
    """Make `stem`, stem-2, …: the first that nobody else has, or makes at the same time."""
    folder, number = stem, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
            folder = stem.with_name(f"{stem.name}-{number}")


def save_weights(compiled: Compiled, folder: Path) -> None:
    """Write all weights and statistics, in place of those of the epoch before."""
    safetensors.save(folder / WEIGHTS, dict(compiled.weights), {"format": "cnnc"})


def load_weights(compiled: Compiled, folder: str | os.PathLike[str]) -> None:
    """Read a run's weights into a compiled net; RunError where they do not belong to it."""
    path = Path(folder) / WEIGHTS
    if not path.exists():
        raise RunError(
            f"{folder} has no {WEIGHTS}", help=("a run keeps weights from its first epoch on",)
        )
    tensors = read_weights(path)
    missing = [name for name in compiled.weights if name not in tensors]
    extra = [name for name in tensors if name not in compiled.weights]
    if missing or extra:
        what = f"lacks {missing[0]}" if missing else f"has {extra[0]}, which the net does not"
        raise RunError(f"{path} {what}", help=("was the run's spec.cnn changed?",))
    for name, tensor in tensors.items():
        try:
            compiled.weights[name] = tensor
        except ValueError as wrong:
            raise RunError(f"{path}: {wrong}") from None


def read_weights(source: str | os.PathLike[str]) -> dict[str, Array]:
    """The weights of a run, or of a .safetensors file."""
    path = Path(source)
    if path.is_dir():
        path /= WEIGHTS
    if not path.is_file():
        raise RunError(
            f"there is no {path}",
            help=("name a run, which `cnnc train … --out RUN` writes, or a .safetensors file",),
        )
    return safetensors.load(path)[0]


def read_spec(folder: str | os.PathLike[str]) -> Path:
    """The path of a run's spec; RunError where the folder holds no run."""
    path = Path(folder) / SPEC
    if not path.is_file():
        raise RunError(
            f"{folder} holds no run: there is no {SPEC} in it",
            help=("a run is what `cnnc train … --out RUN` writes",),
        )
    return path


def read_options(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What a run was trained with."""
    path = Path(folder) / OPTIONS
    try:
        options = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not what a run writes: {error}") from None
    if not isinstance(options, dict):
        raise RunError(f"{path} is not what a run writes")
    return options


@dataclass(frozen=True)
class Settings:
    """What a run's net is compiled with again, so that it gives the same bits as in training."""

    batch: int
    shards: int
    seed: int
    loss: str  # as in a train block


def read_settings(folder: str | os.PathLike[str]) -> Settings:
    """The settings in a run's options."""
    options = read_options(folder)
    train = options.get("train")
    given = {**(train if isinstance(train, dict) else {}), "shards": options.get("shards")}
    for name, least in (("batch", 1), ("shards", 1), ("seed", 0)):
        value = given.get(name)
        if type(value) is not int or value < least:
            raise _unsaid(folder, name)
    if not isinstance(given.get("loss"), str):
        raise _unsaid(folder, "loss")
    return Settings(**{field.name: given[field.name] for field in fields(Settings)})


def _unsaid(folder: str | os.PathLike[str], name: str) -> RunError:
    return RunError(f"{Path(folder) / OPTIONS} does not say the {name} it was trained with")


def _options(training: Training, source: str, compiled: Compiled, reused: tuple[str, ...]) -> str:
    settings = {}
    for name in Training.arguments:
        value = getattr(training, name)
        if not isinstance(value, int | float | str | None):
            value = [v.written() for v in value] if isinstance(value, tuple) else value.written()
        settings[name] = value
    options = {
        "cnnc": __version__,
        "numpy": np.__version__,
        "data": source,
        "train": settings,
        "reused": reused,
        "shards": compiled.shards,
        "dtype": compiled.dtype,
    }
    return json.dumps(options, indent=2) + "\n"
