"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


def complete_spec(ctx: click.Context, param: click.Parameter, start: str) -> list[CompletionItem]:
    """The .cnn files and the folders that a FILE may begin with."""
    from .completion import spec_files

    return spec_files(start)


def complete_set(ctx: click.Context, param: click.Parameter, start: str) -> list[CompletionItem]:
    """NAME=VALUE for the knobs of the FILE before it."""
    from .completion import knobs

    return knobs(ctx.args, start)  # click leaves them there before an option without its value


def spec_options(command: F) -> F:
    """`--set` and `--input`, as every command that reads a spec takes them."""
    for option in (
        click.option(
            "--input", "input_shape", metavar="SHAPE", help="Replaces INPUT's shape: 3x32x32."
        ),
        click.option(
            "--set",
            "sets",
            metavar="NAME=VALUE",
            multiple=True,
            callback=parsed_sets,
            shell_complete=complete_set,
            help="Sets a knob (N=3) or what layers take unless they say otherwise"
            " (CONV.filters=16). May be given several times.",
        ),
    ):
        command = option(command)
    return command


def not_built(
    instead: str, *, but: str | None = None
) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback for an option, or for all its values `but` one, that comes later.

    It is refused by name, since people know it from elsewhere.
    """

    def refuse(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value in (None, but) or ctx.resilient_parsing:
            return value
        from cnnc.compiler.elaborate.settings import WrongUse

        what = param.opts[0] + (f" {value}" if but else "")
        raise WrongUse(f"{what} is not built yet", (instead,))

    return refuse


def parsed_sets(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    """NAME=VALUE options as a mapping."""
    result: dict[str, str] = {}
    for text in value:
        name, equals, given = text.partition("=")
        if not equals or not name.strip() or not given.strip():
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", ctx, param)
        result[name.strip()] = given.strip()
    return result
