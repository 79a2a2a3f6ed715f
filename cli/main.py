"""The command `cnnc`: finds the subcommand, runs it, and turns what went wrong into text.

Exit status: 0 it holds; 1 the spec or the run has errors; 2 wrong use of the command;
70 a bug in cnnc; 130 after Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from cnnc import __version__

from .command import write_examples
from .output import write_diagnostics, write_error

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OK, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130

# A subcommand's module is imported when it runs; the list of commands imports none.
COMMANDS = {
    "check": ("cnnc.cli.check:command", "Check specs; show their layers and totals."),
    "new": ("cnnc.cli.new:command", "Write a spec to start from."),
    "explain": ("cnnc.cli.explain:command", "Show how a net's numbers come about; a code's page."),
    "enumerate": ("cnnc.cli.enumerate:command", "List the members of a family of nets."),
    "diff": ("cnnc.cli.diff:command", "Show what differs between two specs."),
    "fmt": ("cnnc.cli.fmt:command", "Format specs."),
    "compile": ("cnnc.cli.compile:command", "Show the compiled program."),
    "train": ("cnnc.cli.train:command", "Compile a spec and train it on data."),
    "eval": ("cnnc.cli.eval:command", "Measure a trained net on data."),
    "predict": ("cnnc.cli.predict:command", "Tell the classes of images."),
}

EXAMPLES = (
    "cnnc check lenet5.cnn",
    "cnnc explain lenet5.cnn conv2",
    "cnnc check family.cnn --set N=3 --input 3x32x32",
    "cnnc train lenet5.cnn --data digits --out runs/lenet5",
    "cnnc eval runs/lenet5 --data digits",
)


class LazyGroup(click.Group):
    """The group of all subcommands, which imports none but the one that is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of a session's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a subcommand."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; for a mistyped one, name the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"no such command '{name}'{_nearest(name)}")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and then what click writes."""
        write_examples(EXAMPLES, formatter)
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names and options, again from the table."""
        from click.shell_completion import CompletionItem

        return [
            *(
                CompletionItem(name, help=summary)
                for name, (_, summary) in COMMANDS.items()
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), COMMANDS, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="cnnc %(version)s")
def group() -> None:
    """Check, compile and train convolutional networks written as .cnn files."""


def main() -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        # A spec may hold characters that the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run the command line and return the exit status."""
    try:
        result = group.main(args=list(args), prog_name="cnnc", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else OK if exit_.code is None else FAILED
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        write_error(error.format_message())
        return FAILED
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        if error.errno == errno.EPIPE:
            return _closed_pipe()
        write_error(_os_message(error))
        return FAILED
    except MemoryError:
        write_error("there is not enough memory", ["a smaller batch takes less: --batch 16"])
        return FAILED
    except Exception as error:
        return _failed(error)
    return result if isinstance(result, int) else OK


def _usage(error: click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(error.format_message() + "\n")
        return USAGE
    message = error.format_message().rstrip()
    help = []
    if error.ctx is not None:
        help.append(f"{error.ctx.command_path} --help shows how it is used")
    write_error(message[:1].lower() + message[1:], help)
    return USAGE


def _failed(error: Exception) -> int:
    from cnnc.compiler.elaborate.settings import WrongUse
    from cnnc.dsl.diagnostics import SpecError
    from cnnc.runtime.errors import RunError

    if isinstance(error, SpecError):
        write_diagnostics(error.diagnostics)
        return FAILED
    if isinstance(error, WrongUse):
        write_error(error.message, error.help)
        return USAGE
    if isinstance(error, RunError):
        write_error(error.message, error.help)
        return FAILED
    help = ["please report it; with CNNC_DEBUG=1 in the environment a traceback is printed"]
    if os.environ.get("CNNC_DEBUG"):
        import traceback

        traceback.print_exception(error)
        help = []
    write_error(f"a bug in cnnc {__version__}: {type(error).__name__}: {error}", help)
    return BUG


def _os_message(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _closed_pipe() -> int:
    """Whoever read the output has gone, as in `cnnc check FILE | head -1`; say nothing."""
    # Python would flush once more at its exit, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
