"""The command itself: help, mistyped names, exit statuses, what goes where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import cnnc as package
from cnnc.cli import main as cli
from cnnc.cli.output import use_colour, write_diagnostics
from cnnc.compiler.elaborate.settings import WrongUse
from cnnc.dsl.diagnostics import Diagnostic, SpecError
from cnnc.runtime.errors import DataError, RunError


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `cnnc fmt` raise."""

    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)


def test_help_begins_with_examples_and_lists_every_command(cnnc) -> None:
    for option in ("-h", "--help"):
        done = cnnc(option)
        assert done.returncode == 0
        assert done.stdout.startswith("Examples:\n  cnnc check lenet5.cnn\n")
        for name, (_, summary) in cli.COMMANDS.items():
            assert f"  {name} " in done.stdout
            assert summary in done.stdout


def test_without_a_command_the_help_is_wrong_use(cnnc) -> None:
    done = cnnc()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: cnnc" in done.stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help_with_examples(name: str, cnnc) -> None:
    done = cnnc(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Examples:\n  cnnc {name} ")


def test_version(cnnc) -> None:
    for option in ("-V", "--version"):
        assert cnnc(option).stdout == f"cnnc {package.__version__}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["chek"], "no such command 'chek'; did you mean 'check'?"),
        (["FMT"], "no such command 'FMT'; did you mean 'fmt'?"),
        (["zzz"], "no such command 'zzz'\n"),
        (["--versoin"], "--version"),
        (["fmt", "--chek", "a.cnn"], "--check"),
        (["fmt"], "missing argument 'FILE...'"),
    ],
)
def test_wrong_use(args: list[str], message: str, cnnc) -> None:
    done = cnnc(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "--help shows how it is used" in done.stderr


def loaded_by(*args: object) -> set[str]:
    """The modules that a run of the command has loaded at its end."""
    command = "import sys; from cnnc.cli.main import run; run(sys.argv[1:])"
    code = f"{command}; print('LOADED', *sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env={"PYTHONPATH": str(Path(package.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.partition("LOADED ")[2].split())


def test_help_imports_no_command_and_nothing_heavy() -> None:
    loaded = loaded_by("--help")
    assert "cnnc.cli.main" in loaded
    assert not {"numpy", "lark", "difflib", "cnnc.cli.check", "cnnc.cli.fmt"} & loaded


def test_check_of_a_right_spec_loads_only_what_it_needs(root: Path) -> None:
    loaded = loaded_by("check", root / "examples/lenet5.cnn")
    assert "cnnc.compiler.elaborate.check" in loaded
    unneeded = {"numpy", "asyncio", "difflib", "cnnc.dsl.codes", "cnnc.dsl.recovery"}
    assert not {*unneeded, "cnnc.runtime", "cnnc.compiler.lower"} & loaded
    for_mistakes = ("fixes", "unknown_", "mended_", "other_tools", "_mistakes", "elaborate.chains")
    assert not [name for name in loaded for part in for_mistakes if part in name]
    other = {"cnnc.compiler.explain", "cnnc.compiler.diff", "cnnc.compiler.enumerate"}
    assert not {*other, "cnnc.cli.terminal", "cnnc.cli.completion", "cnnc.cli.explain"} & loaded


def test_completion_knows_the_commands(cnnc) -> None:
    env = {"_CNNC_COMPLETE": "bash_complete", "COMP_WORDS": "cnnc f", "COMP_CWORD": "1"}
    assert cnnc(env=env).stdout == "plain,fmt\n"


def test_spec_error_is_shown_on_standard_error(monkeypatch, capsys) -> None:
    failing(SpecError([Diagnostic("E201", "no such knob")]), monkeypatch)
    assert cli.run(["fmt"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error[E201]: no such knob\n\n1 error\n"


@pytest.mark.parametrize("kind", [RunError, DataError])
def test_run_error_is_shown_with_its_help(kind: type[RunError], monkeypatch, capsys) -> None:
    failing(kind("no data in x", ("give --data", "or train")), monkeypatch)
    assert cli.run(["fmt"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: no data in x\nhelp: give --data\nhelp: or train\n"


def test_wrong_set_is_wrong_use(monkeypatch, capsys) -> None:
    failing(WrongUse("there is no knob M", ("did you mean N?",)), monkeypatch)
    assert cli.run(["fmt"]) == 2
    assert capsys.readouterr().err == "error: there is no knob M\nhelp: did you mean N?\n"


def test_system_error_names_the_file(monkeypatch, capsys) -> None:
    failing(PermissionError(13, "Permission denied", "runs/a"), monkeypatch)
    assert cli.run(["fmt"]) == 1
    assert capsys.readouterr().err == "error: runs/a: Permission denied\n"


def test_interrupt(monkeypatch) -> None:
    failing(KeyboardInterrupt(), monkeypatch)
    assert cli.run(["fmt"]) == 130


@pytest.mark.parametrize("code", [0, 1, 2])
def test_status_that_a_command_exits_with(code: int, monkeypatch) -> None:
    failing(SystemExit(code), monkeypatch)
    assert cli.run(["fmt"]) == code


def test_bug_has_a_status_of_its_own_and_a_traceback_only_when_asked_for(
    monkeypatch, capsys
) -> None:
    monkeypatch.delenv("CNNC_DEBUG", raising=False)
    failing(ZeroDivisionError("by zero"), monkeypatch)
    assert cli.run(["fmt"]) == 70
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "ZeroDivisionError: by zero" in err
    assert "CNNC_DEBUG=1" in err

    monkeypatch.setenv("CNNC_DEBUG", "1")
    assert cli.run(["fmt"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_closed_pipe_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "cnnc", "--help"],
        env={"PYTHONPATH": str(Path(package.__file__).parent.parent)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (1, "")


class Stream:
    def __init__(self, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> None:
        self.text += text


@pytest.mark.parametrize(
    ("terminal", "env", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour(terminal: bool, env: dict[str, str], colour: bool, monkeypatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    stream = Stream(terminal)
    assert use_colour(stream) is colour
    write_diagnostics([Diagnostic("E201", "m")], stream)
    assert ("\x1b[" in stream.text) is colour
