"""`cnnc diff`: what differs between two nets, layer by layer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cnnc.compiler.values import show_shape

from .check import json_layer, plain, title
from .command import Command
from .options import complete_set, complete_spec, parsed_sets, spec_options
from .output import use_colour
from .tables import table
from .terminal import heading, wrapped

if TYPE_CHECKING:
    from cnnc.api import Net
    from cnnc.compiler.diff import Change, Difference
    from cnnc.compiler.net import Net as Layers
    from cnnc.compiler.net import NetLayer
    from cnnc.dsl.diagnostics import Diagnostic

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
COLOURS = {"added": "32", "removed": "31", "changed": "33"}
LABELS = {"params": "weights", "macs": "MACs", "exit": "side exit"}
FACTS = ("inputs", "exit", "output", "params", "trainable", "macs")
SHAPES: dict[str, Callable[[Layers], Sequence[int]]] = {
    "input": lambda net: net.input_shape,
    "output": lambda net: net.output_shape,
    "receptive field": lambda net: net.last.receptive_field or (),
}
TOTALS = ("params", "trainable", "macs", "layers", "depth")


@click.command(
    "diff",
    cls=Command,
    examples=[
        "cnnc diff lenet5.cnn wide.cnn",
        "cnnc diff pattern.cnn pattern.cnn --set M=2 --set-b N=3",
        "cnnc diff --exit-code lenet5.cnn lenet5.cnn",
    ],
)
@click.argument("before", metavar="A", shell_complete=complete_spec)
@click.argument("after", metavar="B", shell_complete=complete_spec)
@spec_options
@click.option("--set-b", "sets_b", metavar="NAME=VALUE", multiple=True, callback=parsed_sets,
              shell_complete=complete_set,
              help="As --set, for B alone: to compare members of a family.")  # fmt: skip
@click.option("--exit-code", is_flag=True, help="Status 1 where they differ.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="How results are written.")  # fmt: skip
def command(
    before: str, after: str, sets: dict[str, str], input_shape: str | None,
    sets_b: dict[str, str], exit_code: bool, form: str,
) -> int:  # fmt: skip
    """Show what differs between two specs: layers added, removed and changed, and the totals.

    Layers are matched in order by kind, arguments and `as` names. --set and --input go for
    both specs. The exit status is 0 whether or not they differ, unless --exit-code is given.
    """
    from cnnc.compiler.diff import diff

    if before == after == "-":
        raise click.UsageError("only one of the two can be standard input")
    nets = _load([(before, sets), (after, {**sets, **sets_b})], input_shape)
    a, b = nets
    found = diff(a.checked.require(), b.checked.require(), a.training, b.training)
    if form == "json":
        _write_json((before, after), nets, found)
    else:
        _write_text(nets, found)
    return int(exit_code and not found.same)


def _load(files: Sequence[tuple[str, dict[str, str]]], input_shape: str | None) -> list[Net]:
    """Both nets; SpecError with the mistakes of both."""
    from cnnc.api import load
    from cnnc.dsl.diagnostics import SpecError

    nets: list[Net] = []
    wrong: list[Diagnostic] = []
    for file, sets in files:
        try:
            nets.append(load(file, sets, input_shape))
        except SpecError as error:
            wrong += error.diagnostics
    if wrong:
        raise SpecError(wrong)
    return nets


# -- text -----------------------------------------------------------------------------


def _write_text(nets: Sequence[Net], found: Difference) -> None:
    a, b = (title(net.checked) for net in nets)
    if found.same:
        print(f"{a} and {b}: the same net, {found.before.params:,} weights")
        return
    print(f"{heading(a)}\n{heading(b)}\n")
    unchanged = 0
    for change in found.layers:
        if change.word == "same":
            unchanged += 1
            continue
        _write_unchanged(unchanged)
        unchanged = 0
        print(_change(change, found))
    _write_unchanged(unchanged)
    for name, before, after in found.settings:
        print(_painted("changed", f"~ train {name}  {before} -> {after}"))
    print("\n" + _totals(found))


def _write_unchanged(count: int) -> None:
    if count:
        print(f"  ... {count:,} layer{'s' if count > 1 else ''} as before")


def _change(change: Change, found: Difference) -> str:
    layer = change.after or change.before
    assert layer is not None
    sign = SIGNS[change.word]
    if change.before is None or change.after is None:
        said = f"{layer.layer.shown()}  {_facts(layer)}"
        return _painted(change.word, wrapped(said, f"{sign} {layer.name}  ", "    "))
    a, b = change.before, change.after
    written = _arrow(a.layer.shown(), b.layer.shown())
    lines = [_painted(change.word, wrapped(written, f"{sign} {_arrow(a.name, b.name)}  ", "    "))]
    facts = [
        f"{LABELS.get(name, name)}"
        f" {_arrow(_fact(a, name, found.before), _fact(b, name, found.after))}{_more(a, b, name)}"
        for name in FACTS
        if name in change.differs and not (name == "trainable" and "params" in change.differs)
    ]
    if facts:
        lines.append(wrapped(", ".join(facts), "    ", "    "))
    return "\n".join(lines)


def _facts(layer: NetLayer) -> str:
    """The numbers of a layer that only one of the two nets has."""
    facts = [show_shape(layer.output)]
    facts += [
        f"{LABELS[name]} {getattr(layer, name):,}"
        for name in ("params", "macs")
        if getattr(layer, name)
    ]
    return ", ".join(facts)


def _fact(layer: NetLayer, name: str, net: Layers) -> str:
    from cnnc.compiler.diff import side_exit

    if name == "exit":
        return side_exit(net, layer)
    if name == "inputs":
        return " and ".join(layer.inputs)
    value: Any = getattr(layer, name)
    return show_shape(value) if isinstance(value, tuple) else f"{value:,}"


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def _more(a: NetLayer, b: NetLayer, name: str) -> str:
    """The difference of two counts."""
    before, after = getattr(a, name, None), getattr(b, name, None)
    if not (isinstance(before, int) and isinstance(after, int)):
        return ""
    return f" ({after - before:+,})"


def _painted(word: str, text: str) -> str:
    return f"\x1b[{COLOURS[word]}m{text}\x1b[0m" if use_colour(sys.stdout) else text


def _totals(found: Difference) -> str:
    rows = [("", "before", "after", "")]
    a, b = _counts(found.before), _counts(found.after)
    for name in TOTALS:
        if name == "trainable" and (a[name], b[name]) == (a["params"], b["params"]):
            continue
        more = f"{b[name] - a[name]:+,}" if a[name] != b[name] else ""
        rows.append((LABELS.get(name, name), f"{a[name]:,}", f"{b[name]:,}", more))
    for name, of in SHAPES.items():
        before, after = (of(net) for net in (found.before, found.after))
        if before != after:
            rows.append((name, show_shape(before), show_shape(after), ""))
    return table(rows, right=(1, 2, 3))


def _counts(net: Layers) -> dict[str, int]:
    return {name: len(net.layers) if name == "layers" else getattr(net, name) for name in TOTALS}


# -- JSON -----------------------------------------------------------------------------


def _write_json(files: Sequence[str], nets: Sequence[Net], found: Difference) -> None:
    totals = [_counts(found.before), _counts(found.after)]
    sides = [
        {
            "file": file,
            "net": net.name,
            "knobs": {name: plain(value) for name, value in net.checked.knobs.items()},
            "input": list(net.input_shape),
            "output": list(net.output_shape),
            "totals": counts,
        }
        for file, net, counts in zip(files, nets, totals, strict=True)
    ]
    whole = {
        "schema": "cnnc.diff/1",
        "same": found.same,
        "before": sides[0],
        "after": sides[1],
        "difference": {name: totals[1][name] - totals[0][name] for name in TOTALS},
        "layers": [_json_change(c, nets) for c in found.layers if c.word != "same"],
        "train": {name: {"before": a, "after": b} for name, a, b in found.settings},
    }
    print(json.dumps(whole, indent=2, ensure_ascii=False))


def _json_change(change: Change, nets: Sequence[Net]) -> dict[str, Any]:
    return {
        "change": change.word,
        "before": _json_side(change.before, nets[0]),
        "after": _json_side(change.after, nets[1]),
        "differs": list(change.differs),
    }


def _json_side(layer: NetLayer | None, net: Net) -> dict[str, Any] | None:
    if layer is None:
        return None
    return {**json_layer(layer, net.checked), "layer": layer.layer.written()}
