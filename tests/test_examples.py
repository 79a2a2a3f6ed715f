"""The specs of examples/ hold as they are, and docs/nets.md says of them what is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.conftest import Run

import cnnc
from cnnc.dsl.format import format_source
from cnnc.dsl.source import Source

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SPECS = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.cnn"))
NEED_KNOBS = {"seed.cnn"}
LIBRARIES = {"blocks.cnn", "lenet5_codes.cnn"}
NO_NETS_OF_THE_FIELD = {"pattern.cnn", "seed.cnn", "vgg_small.cnn"} | LIBRARIES

# | [LeNet-5](../examples/lenet5.cnn) | 1998 | 61,706 | 416,520 | 5 | what it taught | source |
ROW = re.compile(r"\| \[[^]]+\]\(\.\./examples/(.*)\) \| \d{4} \| (.*) \| (.*) \| (.*) \|.+\|.+\|")


def commands(text: str) -> list[list[str]]:
    """The commands that a spec's comments show, indented; what is indented further goes on."""
    found = re.findall(r"^#   (cnnc .*(?:\n#     .*)*)", text, re.MULTILINE)
    return [shlex.split(command.replace("\n#", " "))[1:] for command in found]


@pytest.mark.parametrize("spec", SPECS)
def test_form(spec: str) -> None:
    text = (EXAMPLES / spec).read_text("utf-8")
    assert text.startswith("# "), "a spec begins with what it shows, and where it is from"
    assert format_source(Source(spec, text)) == text


@pytest.mark.parametrize("spec", SPECS)
def test_check(spec: str, cnnc: Run) -> None:
    """No error and no warning, with the knobs as they are and as the comments say."""
    path = EXAMPLES / spec
    shown = commands(path.read_text("utf-8"))
    assert shown or spec not in NEED_KNOBS
    plain = [] if spec in NEED_KNOBS else [["check", path.name]]
    for command in plain + shown:
        done = cnnc(*command, "--strict", cwd=path.parent)
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.parametrize("spec", sorted(set(SPECS) - NEED_KNOBS - LIBRARIES))
def test_expanded(spec: str) -> None:
    """The text that a run keeps is the same net."""
    net = cnnc.load(EXAMPLES / spec)
    again = cnnc.parse(net.expanded())
    for one, other in zip(net.layers, again.layers, strict=True):
        assert (one.name, one.layer.written(), one.inputs) == (
            other.name, other.layer.written(), other.inputs,
        )  # fmt: skip
        assert (one.output, one.params, one.macs) == (other.output, other.params, other.macs)


def test_nets_page() -> None:
    page = (ROOT / "docs/nets.md").read_text("utf-8")
    rows = dict((row[1], row.groups()[1:]) for row in ROW.finditer(page))
    nets = {spec for spec in SPECS if "/" not in spec} - NO_NETS_OF_THE_FIELD
    assert rows.keys() == nets
    for spec, numbers in rows.items():
        net = cnnc.load(EXAMPLES / spec)
        depth = net.checked.require().depth
        assert numbers == (f"{net.params:,}", f"{net.macs:,}", f"{depth}"), spec


def test_nets_page_has_every_lesson() -> None:
    page = (ROOT / "docs/nets.md").read_text("utf-8")
    lessons = re.findall(r"^\| \[.*\]\(\.\./examples/(lessons/.*)\) \|", page, re.MULTILINE)
    assert sorted(lessons) == [spec for spec in SPECS if "/" in spec]
