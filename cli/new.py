"""`cnnc new`: a spec to start from."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click

from .command import Command
from .output import write_error

TEMPLATES = ("lenet", "vgg", "resnet", "pattern")  # the files of templates/


@click.command(
    "new",
    cls=Command,
    examples=["cnnc new digits", "cnnc new cells --template vgg"],
)
@click.argument("name", metavar="NAME")
@click.option("--template", type=click.Choice(TEMPLATES), default=TEMPLATES[0], show_default=True,
              help="What it starts as.")  # fmt: skip
def command(name: str, template: str) -> int:
    """Write NAME.cnn, a spec that checks and trains as it is. It never overwrites a file.

    lenet: two convolutions, three fully connected layers. vgg: stages of small convolutions, for
    colour images. resnet: residual blocks. pattern: a family of nets with knobs.
    """
    path = Path(name if name.endswith(".cnn") else f"{name}.cnn")
    if path.name == ".cnn":
        raise click.UsageError("the file has no name")
    text = Path(__file__).with_name("templates").joinpath(f"{template}.cnn").read_text("utf-8")
    text = re.sub(rf"^net {template}$", f"net {net_name(path.stem)}", text, flags=re.MULTILINE)
    try:
        _write(path, text)
    except FileExistsError:
        write_error(f"{path} is there already and stays as it is", ["take another name"])
        return 1
    file = shlex.quote(str(path))
    print(f"wrote {path}, from the template {template}")
    print(f"next: cnnc check {file}                 its layers, weights and MACs")
    print(f"      cnnc explain {file}               how each number comes about")
    print(f"      cnnc train {file} --data digits   trains it on scanned digits")
    return 0


def net_name(stem: str) -> str:
    """A file's name as a name of the language: `my-net` is `my_net`, `net` is `net_net`."""
    from cnnc.dsl import nodes
    from cnnc.dsl.parser import parse_value
    from cnnc.dsl.source import Source

    name = re.sub("[^A-Za-z0-9_]", "_", stem)
    value, _ = parse_value(Source("NAME", name))
    return name if isinstance(value, nodes.Name) else f"net_{name}"


def _write(path: Path, text: str) -> None:
    """Write a new file, whole or not at all."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            os.unlink(path)
            raise
