"""Every example that a command's help begins with does what it says."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from cnnc.cli import main as cli
from cnnc.cli.command import Command

ROOT = Path(__file__).parent.parent.parent

# The files that examples name. Small ones, so that training is over in a moment.
SPECS = {
    "lenet5.cnn": "net lenet5\nINPUT(1x28x28) -> CONV(2, 5, stride=3) -> TANH -> POOL(avg, 2)"
    " -> CONV(3, 2) -> TANH -> FC(10)\ntrain { epochs = 1  batch = 64 }\n",
    "wide.cnn": "net wide\nINPUT(1x28x28) -> CONV(4, 5, stride=3) -> RELU -> FC(10)\n",
    "pattern.cnn": "net pattern\nparam N = 1 in [1, 2, 3], M = 1, K = 0, width = 2\n"
    "INPUT(1x28x28) -> [[CONV(width, 3, pad=1) -> RELU]*N -> POOL]*M -> [FC(8) -> RELU]*K"
    " -> FC(10)\ntrain { epochs = 1 }\n",
    "vgg.cnn": "net vgg\nINPUT(3x8x8) -> CONV(2, 3, pad=1) -> RELU -> POOL(2) -> FC(4)\n",
    "nets/a.cnn": "INPUT(1x8x8) -> FC(3)\n",
    "nets/b.cnn": "INPUT(1x9x9) -> FC(3)\n",
    "examples/a.cnn": "INPUT(1x8x8) -> FC(3)\n",
}
SPECS["family.cnn"] = SPECS["pattern.cnn"].replace("net pattern", "net family")


def command_of(name: str) -> Command:
    module, attribute = cli.COMMANDS[name][0].split(":")
    command: Command = getattr(import_module(module), attribute)
    return command


EXAMPLES = [
    *cli.EXAMPLES,
    *(example for name in cli.COMMANDS for example in command_of(name).examples),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that examples name, two runs among them."""
    folder = tmp_path_factory.mktemp("examples")
    for name, text in SPECS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    command = folder / ".bin" / "cnnc"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnc "$@"\n')
    command.chmod(0o755)
    random = np.random.default_rng(0)
    for name, shape, classes in (("cells", (3, 8, 8), 4), ("new", (1, 28, 28), 10)):
        y = np.arange(20) % classes
        x = random.random((20, *shape), dtype="float32")
        np.savez(folder / f"{name}.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    write_mnist(folder / "mnist", random)
    np.save(folder / "seven.npy", random.random((1, 28, 28), dtype="float32"))
    (folder / "scans").mkdir()
    for name in "ab":
        np.save(folder / "scans" / f"{name}.npy", random.random((1, 28, 28), dtype="float32"))
    for run in ("runs/lenet5", "runs/a"):
        done = shell(f"cnnc train lenet5.cnn --data random:20 --out {run}", folder)
        assert done.returncode == 0, done.stderr
    return folder


def write_mnist(folder: Path, random: np.random.Generator) -> None:
    folder.mkdir()
    for part in ("train", "t10k"):
        images = random.integers(0, 256, (20, 28, 28), np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", images[:, 0, 0] % 10)):
            sizes = struct.pack(f">{array.ndim}I", *array.shape)
            data = bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()
            (folder / f"{part}-{name}-ubyte").write_bytes(data)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(folder), "PYTHONUTF8": "1"}
    environment["PYTHONPATH"] = str(ROOT / "src")
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def test_every_command_has_examples_of_itself() -> None:
    for name in cli.COMMANDS:
        examples = command_of(name).examples
        assert examples, f"{name} has no examples"
        assert [e for e in examples if f"cnnc {name}" not in e] == []


@pytest.mark.parametrize("example", dict.fromkeys(EXAMPLES))
def test_example_runs(example: str, prepared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(prepared, folder)
    if "cnnc train" in example:
        shutil.rmtree(folder / "runs")  # what it is to write must not be there already
    done = shell(example, folder)
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    assert done.stdout or example.startswith(("cnnc fmt", "cnnc check --format concise"))


def test_wrong_example_is_found(prepared: Path) -> None:
    assert shell("cnnc check none.cnn", prepared).returncode == 1
    assert shell("cnnc check lenet5.cnn --knob 3", prepared).returncode == 2
