"""`cnnc explain`: how a net's numbers come about, and what a diagnostic's code means."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import click

from cnnc.compiler.values import show_shape

from .check import json_layer, plain, title
from .command import Command
from .options import complete_spec, spec_options
from .output import use_colour
from .tables import table
from .terminal import WIDEST, bar, heading, width, wrapped

if TYPE_CHECKING:
    from cnnc.compiler.elaborate.check import Checked
    from cnnc.compiler.explain import Explained, Part, Quantity
    from cnnc.compiler.net import Net
    from cnnc.dsl.codes import Code

LABELS = {"macs": "MACs"}
CHARTS: dict[Quantity, str] = {
    "weights": "where the weights sit",
    "macs": "where the MACs sit",
    "activations": "where the activations of a sample sit",
}
LABEL = 17  # characters of the widest label, and a space or two
BYTES = 4  # of a number
SHORTEST = 5  # characters of a bar
NEAREST = 3  # codes that are named in place of an unknown one
MOST_NAMED = 12  # layers that are listed in place of an unknown one


@click.command(
    "explain",
    cls=Command,
    examples=[
        "cnnc explain lenet5.cnn",
        "cnnc explain lenet5.cnn conv2",
        "cnnc explain pattern.cnn conv1 --set N=3 --input 3x64x64",
        "cnnc explain E301",
    ],
)
@click.argument("what", metavar="FILE|CODE", shell_complete=complete_spec)
@click.argument("layer", metavar="[LAYER]", required=False)
@spec_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="How results are written.")  # fmt: skip
def command(
    what: str, layer: str | None, sets: dict[str, str], input_shape: str | None, form: str
) -> int:
    """Show how each number of a net comes about; or what a diagnostic's code means.

    For every layer, or the one asked for, the rules are filled in with its numbers: output size,
    weights, MACs, receptive field, and what the weights would be without weight sharing. For
    the net it shows where weights, MACs and activations sit. CODE is one such as E301.
    """
    if re.fullmatch(r"[EeWw][0-9]{1,4}", what) and not os.path.exists(what):
        if layer or sets or input_shape:
            raise click.UsageError("a code's page takes no layer, --set or --input")
        _explain_code(what.upper(), form)
        return 0

    from cnnc.api import load
    from cnnc.compiler.explain import explain

    net = load(what, sets, input_shape)
    layers = net.checked.require()
    explained = list(explain(layers))
    chosen = explained if layer is None else [_named(explained, layer)]
    if form == "json":
        _write_json(what, net.checked, layers, explained, chosen)
        return 0
    print(heading(title(net.checked)))
    for one in chosen:
        print("\n" + _layer(one))
    if layer is None:
        print("\n" + _whole(layers, explained))
    return 0


def _named(explained: list[Explained], name: str) -> Explained:
    """The layer with a name; wrong use where there is none."""
    from cnnc.compiler.elaborate.settings import WrongUse
    from cnnc.compiler.suggest import did_you_mean

    found = {one.layer.name: one for one in explained}
    if name in found:
        return found[name]
    names = ", ".join([*found][:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    raise WrongUse(f"the net has no layer {name}; it has {names}{more}", did_you_mean(name, found))


# -- text -----------------------------------------------------------------------------


def _layer(one: Explained) -> str:
    """A layer's heading, and a line for each number."""
    layer = one.layer
    lines = [heading(layer.layer.shown(), f"{layer.name}  ")]
    how = dict(one.how)
    if how.get("rows") and how["rows"] == how.get("columns"):
        how = {("rows, columns" if k == "rows" else k): t for k, t in how.items() if k != "columns"}
    if layer.inputs:
        inputs = zip(layer.input_shapes, layer.inputs, strict=True)
        how = {"input": " and ".join(f"{show_shape(x)} from {name}" for x, name in inputs), **how}
    for name, text in how.items():
        label = LABELS.get(name, name.replace("_", " "))
        lines.append(wrapped(text, f"  {label:<{LABEL}}", " " * (LABEL + 2)))
    return "\n".join(lines)


def _whole(net: Net, explained: list[Explained]) -> str:
    """The totals, and charts of where they sit."""
    from cnnc.compiler.explain import front_share, parts

    without, connected = _totals(explained)
    rows = [("weights", f"{net.params:,}"), ("MACs for one sample", f"{net.macs:,}")]
    if without != net.params:
        rows.append(("weights without sharing", f"{without:,}"))
    if connected != net.params:
        rows.append(("weights fully connected", f"{connected:,}"))
    activations = sum(part.count for part in parts(net, "activations"))
    rows.append(("bytes of a sample's activations", f"{BYTES * activations:,}"))
    lines = [heading("the whole net"), table(rows, right=(1,))]
    for of, name in CHARTS.items():
        chart = _chart(parts(net, of))
        if chart:
            lines += ["", heading(name), *chart]
        front = front_share(net)
        if of == "weights" and front is not None and front > 0.5:
            said = (
                f"The weights shrink towards the output: the first half of the layers that have"
                f" any has {100 * front:.0f} % of them. The usual net is heavy at its end."
            )
            lines.append(wrapped(said, "  ", "  "))
    return "\n".join(lines)


def _chart(parts: tuple[Part, ...]) -> list[str]:
    total = sum(part.count for part in parts)
    largest = max((part.count for part in parts), default=0)
    rows = [
        (_label(part), f"{part.count:,}", f"{100 * part.count / total:.1f} %", "") for part in parts
    ]
    if not rows:
        return []
    lines = table(rows, right=(1, 2)).split("\n")
    longest = max(map(len, lines))
    room = min(WIDEST, width()) - longest - 2
    if room < SHORTEST:
        return lines
    return [
        f"{line:<{longest}}  {bar(part.count / largest, room)}".rstrip()
        for line, part in zip(lines, parts, strict=True)
    ]


def _label(part: Part) -> str:
    if part.first == part.last:
        return part.first
    return f"{part.first} to {part.last}" + (f" ({part.note})" if part.note else "")


def _totals(explained: list[Explained]) -> tuple[int, int]:
    """All weights without sharing, and all fully connected."""
    without = sum(one.without_sharing or one.layer.params for one in explained)
    return without, sum(one.fully_connected or one.layer.params for one in explained)


# -- JSON -----------------------------------------------------------------------------


def _write_json(
    file: str, checked: Checked, net: Net, explained: list[Explained], chosen: list[Explained]
) -> None:
    from cnnc.compiler.explain import front_share, parts

    without, connected = _totals(explained)
    whole = {
        "schema": "cnnc.explain/1",
        "file": file,
        "net": checked.name,
        "knobs": {name: plain(value) for name, value in checked.knobs.items()},
        "layers": [
            {
                **json_layer(one.layer, checked),
                "layer": one.layer.layer.written(),
                "how": one.how,
                "without_sharing": one.without_sharing,
                "fully_connected": one.fully_connected,
            }
            for one in chosen
        ],
        "totals": {
            "params": net.params,
            "macs": net.macs,
            "without_sharing": without,
            "fully_connected": connected,
        },
        "where": {
            of: [{"from": p.first, "to": p.last, "count": p.count} for p in parts(net, of)]
            for of in CHARTS
        },
        "front_share": front_share(net),
    }
    print(json.dumps(whole, indent=2, ensure_ascii=False))


# -- a code ---------------------------------------------------------------------------


def _explain_code(name: str, form: str) -> None:
    from cnnc.compiler.elaborate.settings import WrongUse
    from cnnc.dsl.codes import CODES

    if name not in CODES:
        near = sorted(sorted(CODES, key=lambda code: _far(code, name))[:NEAREST])
        raise WrongUse(
            f"there is no code {name}; the nearest are {', '.join(near)}",
            ("docs/diagnostics.md has them all; for a file of that name: ./" + name,),
        )
    code = CODES[name]
    if form == "json":
        page = {
            "schema": "cnnc.explain/1",
            "code": name,
            "title": code.title,
            "explanation": code.explanation,
            "wrong": code.wrong or None,
            "output": _output(code, colour=False) if code.wrong else None,
            "mended": code.mended or None,
        }
        print(json.dumps(page, indent=2, ensure_ascii=False))
        return
    print(heading(f"{name}: {code.title}") + "\n\n" + wrapped(code.explanation))
    if code.wrong:
        print(f"\n{heading('this gives it:')}\n\n{_indented(code.wrong)}\n")
        print(_indented(_output(code, use_colour(sys.stdout))))
    if code.mended:
        print(f"\n{heading('mended:')}\n\n{_indented(code.mended)}")


def _far(code: str, name: str) -> tuple[bool, bool, int]:
    """How far a code is from one that does not exist: those of its family first; E3 is E300."""
    number = int(f"{name[1:]:0<3}")
    return code[:2] != name[:2], code[0] != name[0], abs(int(code[1:]) - number)


def _output(code: Code, colour: bool) -> str:
    """What `cnnc check` says of the wrong example."""
    from cnnc.api import check_source
    from cnnc.dsl.render import text
    from cnnc.dsl.source import Source

    found = check_source(Source("example.cnn", code.wrong)).diagnostics
    return "\n\n".join(text(diagnostic, colour) for diagnostic in found)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip("\n").split("\n"))
