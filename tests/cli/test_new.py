"""`cnnc new`: every template checks, is formatted and trains; no file is ever overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import cnnc
from cnnc.cli import main as cli
from cnnc.cli import new
from cnnc.cli.new import TEMPLATES, net_name

FOLDER = Path(new.__file__).with_name("templates")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], command: str, *args: str) -> tuple[int, str, str]:
    status = cli.run([command, *args])
    return status, *capsys.readouterr()


def test_templates_are_the_files() -> None:
    assert sorted(TEMPLATES) == sorted(path.stem for path in FOLDER.glob("*.cnn"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_checks_without_a_word_and_is_formatted(template: str, capsys) -> None:
    assert run(capsys, "new", "mine", "--template", template)[0] == 0
    status, out, _ = run(capsys, "check", "--format", "concise", "mine.cnn")
    assert (status, out) == (0, "")
    assert run(capsys, "fmt", "--check", "mine.cnn")[0] == 0
    assert cnnc.load("mine.cnn").name == "mine"


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_learns(template: str, capsys) -> None:
    run(capsys, "new", "mine", "--template", template)
    net = cnnc.load("mine.cnn")
    program = net.compile(batch=8)
    random = np.random.default_rng(0)
    x = random.random((8, *net.input_shape), dtype="float32")
    y = np.arange(8) % net.output_shape[0]
    losses = [program.step(x, y) for _ in range(30)]
    assert losses[-1] < losses[0]


def test_it_says_what_to_do_next_and_that_works(capsys) -> None:
    status, out, err = run(capsys, "new", "my net")
    assert (status, err) == (0, "")
    assert out.startswith(
        "wrote my net.cnn, from the template lenet\nnext: cnnc check 'my net.cnn'"
    )
    steps = [line.removeprefix("next:").strip() for line in out.split("\n")[1:-1]]
    assert [step.split()[:2] for step in steps] == [
        ["cnnc", "check"], ["cnnc", "explain"], ["cnnc", "train"]
    ]  # fmt: skip
    for step in steps[:2]:
        assert run(capsys, step.split()[1], "my net.cnn")[0] == 0


def test_existing_file_stays(folder: Path, capsys) -> None:
    (folder / "a.cnn").write_text("mine")
    for name in ("a", "a.cnn", "./a"):
        status, out, err = run(capsys, "new", name)
        assert (status, out) == (1, "")
        assert err.startswith("error: a.cnn is there already and stays as it is\n")
    assert (folder / "a.cnn").read_text() == "mine"
    (folder / "link.cnn").symlink_to("nowhere.cnn")
    assert run(capsys, "new", "link")[0] == 1
    assert not (folder / "nowhere.cnn").exists()


def test_folder_in_the_name(folder: Path, capsys) -> None:
    (folder / "nets").mkdir()
    assert run(capsys, "new", "nets/a")[0] == 0
    assert cnnc.load("nets/a.cnn").name == "a"
    status, _, err = run(capsys, "new", "none/a")
    assert (status, err) == (1, "error: none/a.cnn: No such file or directory\n")


@pytest.mark.parametrize(
    ("stem", "name"),
    [("lenet", "lenet"), ("my-net", "my_net"), ("3x3", "net_3x3"), ("net", "net_net"),
     ("größe", "gr__e"), ("a.b", "a_b"), ("for", "net_for"), ("true", "net_true"), ("_", "_")],
)  # fmt: skip
def test_name_of_the_net(stem: str, name: str, capsys) -> None:
    assert net_name(stem) == name
    assert run(capsys, "new", stem)[0] == 0
    assert cnnc.load(f"{stem}.cnn").name == name


def test_write_that_fails_leaves_no_file(folder: Path, capsys, monkeypatch) -> None:
    usual = Path.open

    def opened(path: Path, mode: str = "r", *args: object, **named: object):
        file = usual(path, mode, *args, **named)  # type: ignore[call-overload]
        if mode == "x":
            assert path.exists()
            file.write = full
        return file

    def full(text: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", opened)
    status, _, err = run(capsys, "new", "a")
    assert (status, err) == (1, "error: No space left on device\n")
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "error: missing argument 'NAME'"),
        ([".cnn"], "error: the file has no name"),
        (["nets/"], "error: the file has no name"),
        ([""], "error: the file has no name"),
        (["a", "--template", "alexnet"], "error: invalid value for '--template'"),
    ],
)
def test_wrong_use(args: list[str], message: str, capsys, folder: Path) -> None:
    status, out, err = run(capsys, "new", *args)
    assert (status, out) == (2, "")
    assert err.startswith(message)
    assert os.listdir(folder) == []
