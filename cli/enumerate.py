"""`cnnc enumerate`: the members of a family of nets, with their sizes."""

from __future__ import annotations

import json
import sys
from math import prod
from typing import TYPE_CHECKING, Any

import click

from cnnc.compiler.values import show_shape

from .check import plain
from .command import Command
from .options import complete_spec, spec_options
from .tables import table
from .terminal import heading, wrapped

if TYPE_CHECKING:
    from cnnc.compiler.enumerate import Family, Member

HEADER = ("params", "MACs", "output", "depth", "memory")
SILENT = 100  # members that are checked without a count on the terminal
SORTS = ("params", "macs", "output", "depth", "memory")


@click.command(
    "enumerate",
    cls=Command,
    examples=[
        "cnnc enumerate pattern.cnn",
        "cnnc enumerate pattern.cnn --set N=1..3 --set M=1..4 --where 'params < 100k'",
        "cnnc enumerate pattern.cnn --set width=[8,16,32] --set K=1 --sort macs --limit 5",
    ],
)
@click.argument("file", metavar="FILE", shell_complete=complete_spec)
@spec_options
@click.option("--where", metavar="CONDITION",
              help="Only members for which it holds, as 'params < 100k'.")  # fmt: skip
@click.option("--sort", type=click.Choice([*SORTS, *(f"-{key}" for key in SORTS)]), metavar="KEY",
              help="By params, macs, output, depth or memory; -params: falling.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="List no more than N.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N",
              help="The batch that memory is for; by default the spec's.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="How results are written.")  # fmt: skip
def command(
    file: str, sets: dict[str, str], input_shape: str | None, where: str | None, sort: str | None,
    limit: int | None, batch: int | None, form: str,
) -> int:  # fmt: skip
    """Check every member of a family: the spec with each combination of its knobs' values.

    --set takes a range (N=1..3, with a step 1..9..2), a list ([1,2,4]; a list that is itself the
    value in a second pair of brackets) or one value. A knob with an `in` list that is not set
    takes all its values. A member that does not hold is listed with its first error, unless
    --where asks for some. The exit status is 0 when at least one member is left, else 1.
    """
    from cnnc.compiler.enumerate import Family
    from cnnc.dsl.parser import read_source

    source = read_source(file)
    family = Family(source, sets, input_shape, where)
    members = _checked(family)
    holding = [m for m in members if m.error is None and m.meets]
    failing = [m for m in members if m.error is not None]
    listed = holding if where is not None else [m for m in members if m.error or m.meets]
    if sort is not None:
        key, sign = sort.lstrip("-"), -1 if sort.startswith("-") else 1
        sizes = {id(m): sign * _number(m, key, batch) for m in holding}
        listed = sorted(holding, key=lambda m: sizes[id(m)]) + ([] if where else failing)
    counts = {
        "members": len(members), "hold": len(members) - len(failing), "meet": len(holding),
        "listed": len(listed[:limit]),
    }  # fmt: skip
    if form == "json":
        _write_json(file, family, listed[:limit], batch, counts)
    else:
        _write_text(source.name, family, listed[:limit], batch, counts)
    return int(not holding)


def _checked(family: Family) -> list[Member]:
    """All members; on a terminal with a count of them, since many take a while."""
    members = []
    live = sys.stderr.isatty() and len(family) > SILENT
    for member in family.members():
        members.append(member)
        if live:
            sys.stderr.write(f"\rchecked {len(members):,} of {len(family):,}")
    if live:
        sys.stderr.write("\r\x1b[K")
    return members


def _number(member: Member, key: str, batch: int | None) -> int:
    """What members are ordered by."""
    net = member.net
    if key == "memory":
        return member.memory(batch)
    return prod(net.output_shape) if key == "output" else int(getattr(net, key))


# -- text -----------------------------------------------------------------------------


def _write_text(
    file: str, family: Family, listed: list[Member], batch: int | None, counts: dict[str, int]
) -> None:
    fixed = ", ".join(f"{name}={text}" for name, text in family.fixed.items())
    print(heading(file + (f"  {fixed}" if fixed else "")))
    if listed:
        print(_table(family, listed, batch))
    said = [f"{counts['members']:,} members" if counts["members"] > 1 else "1 member"]
    if counts["hold"] < counts["members"]:
        said.append(f"{counts['members'] - counts['hold']:,} do not hold")
    if counts["meet"] < counts["hold"]:
        said.append(f"{counts['hold'] - counts['meet']:,} do not meet the condition")
    if counts["listed"] < counts["members"]:
        said.append(f"{counts['listed']:,} listed")
    print(", ".join(said))


def _table(family: Family, listed: list[Member], batch: int | None) -> str:
    """A row a member; in place of its sizes, one that does not hold has its first error."""
    names = list(family.varied)
    rows = [(*names, *HEADER)]
    for member in listed:
        sizes = ("",) * len(HEADER) if member.error else _sizes(member, batch)
        rows.append((*member.values.values(), *sizes))
    right = [*range(len(names) + 2), len(names) + 3, len(names) + 4]
    lines = table(rows, right=right).split("\n")
    start = len(table([row[: len(names)] for row in rows], right).split("\n")[0]) if names else 0
    for number, member in enumerate(listed, 1):
        if member.error:
            d = member.error
            text = f"{d.code}: {d.message}"
            lines[number] = wrapped(text, lines[number].ljust(start + 2), " " * (start + 2))
    return "\n".join([lines[0], "  " + "-" * (max(map(len, lines[:1])) - 2), *lines[1:]])


def _sizes(member: Member, batch: int | None) -> tuple[str, ...]:
    net = member.net
    return (
        f"{net.params:,}", f"{net.macs:,}", show_shape(net.output_shape), str(net.depth),
        _bytes(member.memory(batch)),
    )  # fmt: skip


def _bytes(count: int) -> str:
    """A size in the units of the language, which are powers of 2."""
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 2**10:,.1f} KB"


# -- JSON -----------------------------------------------------------------------------


def _write_json(
    file: str, family: Family, listed: list[Member], batch: int | None, counts: dict[str, int]
) -> None:
    whole = {
        "schema": "cnnc.enumerate/1",
        "file": file,
        "varied": family.varied,
        "fixed": family.fixed,
        "counts": counts,
        "members": [_json_member(member, batch) for member in listed],
    }
    print(json.dumps(whole, indent=2, ensure_ascii=False))


def _json_member(member: Member, batch: int | None) -> dict[str, Any]:
    head = {
        "ok": member.error is None,
        "values": member.values,
        "knobs": {name: plain(value) for name, value in member.checked.knobs.items()},
    }
    if member.error:
        return {**head, "code": member.error.code, "message": member.error.message}
    net = member.net
    return {
        **head, "params": net.params, "macs": net.macs, "output": list(net.output_shape),
        "depth": net.depth, "memory": member.memory(batch),
    }  # fmt: skip
