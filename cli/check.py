"""`cnnc check`: every mistake of every file, and the layers of the nets that hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .command import Command
from .options import complete_spec, spec_options
from .output import write_diagnostics
from .tables import table

if TYPE_CHECKING:
    from cnnc.compiler.elaborate.check import Checked
    from cnnc.compiler.net import Net, NetLayer
    from cnnc.dsl.diagnostics import Diagnostic

FORMATS = ("text", "concise", "json", "sarif", "github")


@click.command(
    "check",
    cls=Command,
    examples=[
        "cnnc check lenet5.cnn",
        "cnnc check pattern.cnn --set N=2 --set M=3",
        "echo '[[CONV->RELU]*2->POOL]*2' | cnnc check - --input 3x32x32 --set CONV.filters=16",
        "cnnc check --format concise nets/*.cnn",
    ],
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_spec)
@spec_options
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
    help="How results are written.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Only what is wrong, no tables.")
def command(
    files: Sequence[str], sets: dict[str, str], input_shape: str | None, strict: bool, form: str,
    quiet: bool,
) -> int:  # fmt: skip
    """Check specs: every shape, weight count and mistake, before anything runs.

    FILE is a .cnn file; `-` is standard input. The exit status is 0 when all hold, 1 when one
    has errors.
    """
    if files.count("-") > 1:
        raise click.UsageError("`-` is standard input, which can be read only once")
    results = [(file, *_checked(file, sets, input_shape, strict)) for file in files]
    if form == "json":
        _write_json(results)
    elif form == "concise":
        from cnnc.dsl.render import plain as line

        for _, _, diagnostics in results:
            for diagnostic in diagnostics:
                print(line(diagnostic))
    elif form == "sarif":
        import json

        from cnnc import __version__
        from cnnc.dsl.reports import sarif

        found = [d for _, _, diagnostics in results for d in diagnostics]
        print(json.dumps(sarif(found, __version__), indent=2))
    elif form == "github":
        from cnnc.dsl.reports import github

        for _, _, diagnostics in results:
            for diagnostic in diagnostics:
                print(github(diagnostic))
    else:
        _write_text(results, quiet)
    return int(not all(_holds(diagnostics) for _, _, diagnostics in results))


Result = tuple[str, "Checked | None", "tuple[Diagnostic, ...]"]


def _checked(
    file: str, sets: dict[str, str], input_shape: str | None, strict: bool
) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    from cnnc.api import check_source
    from cnnc.dsl.diagnostics import SpecError
    from cnnc.dsl.parser import read_source

    try:
        source = read_source(file)
    except SpecError as error:
        return None, error.diagnostics
    checked = check_source(source, sets, input_shape)
    diagnostics = checked.diagnostics
    if strict:
        diagnostics = tuple(
            d.replace(severity="error") if d.severity == "warning" else d for d in diagnostics
        )
    return checked, diagnostics


def _holds(diagnostics: Sequence[Diagnostic]) -> bool:
    return not any(d.severity == "error" for d in diagnostics)


# -- text -----------------------------------------------------------------------------


def _write_text(results: Sequence[Result], quiet: bool) -> None:
    from cnnc.dsl.cells import visible

    found: list[Diagnostic] = []
    for _, checked, diagnostics in results:
        found += (d for d in diagnostics if not (quiet and d.severity == "note"))
        if checked is None or not _holds(diagnostics) or quiet:
            continue
        if checked.net is None:
            file = visible(checked.source.name)
            print(f"{file}: holds; it has no chain, so there is no net to show\n")
        else:
            print(_layers(checked, checked.net) + "\n")
    write_diagnostics(found, sys.stdout)


def _layers(checked: Checked, net: Net) -> str:
    """The table of a net's layers, with the totals."""
    rows: list[tuple[str, ...]] = [("name", "layer", "output", "params", "MACs", "receptive field")]
    rows += [_row(layer) for layer in net.layers]
    last = net.last
    rows.append(
        ("total", f"{len(net.layers)} layers", _shape(net.output_shape), f"{net.params:,}",
         f"{net.macs:,}", _field(last))
    )  # fmt: skip
    lines = table(rows, right=(3, 4)).split("\n")
    rule = "  " + "-" * (max(len(line) for line in lines) - 2)
    top = title(checked)
    if net.trainable != net.params:
        lines.append(f"  trainable: {net.trainable:,} of {net.params:,}")
        return "\n".join([top, lines[0], rule, *lines[1:-2], rule, *lines[-2:]])
    return "\n".join([top, lines[0], rule, *lines[1:-1], rule, lines[-1]])


def title(checked: Checked) -> str:
    """What the commands call a net: its name, its file, its knobs."""
    from cnnc.dsl.cells import visible

    file = visible(checked.source.name)
    top = f"{checked.name} ({file})" if checked.name else file
    if checked.knobs:
        top += "  " + ", ".join(f"{name}={_brief(v)}" for name, v in checked.knobs.items())
    return top


def _row(layer: NetLayer) -> tuple[str, ...]:
    return (
        layer.name,
        layer.layer.shown(),
        _shape(layer.output),
        f"{layer.params:,}" if layer.params else "-",
        f"{layer.macs:,}" if layer.macs else "-",
        _field(layer),
    )


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _field(layer: NetLayer) -> str:
    return _shape(layer.receptive_field) if layer.receptive_field else "-"


def _brief(value: Any) -> str:
    from cnnc.compiler.values import brief

    return brief(value)


# -- JSON -----------------------------------------------------------------------------


def _write_json(results: Sequence[Result]) -> None:
    import json

    files = [_json_file(*result) for result in results]
    whole = {
        "schema": "cnnc.check/1",
        "ok": all(file["ok"] for file in files),
        "files": files,
    }
    print(json.dumps(whole, indent=2))  # in ASCII: whatever the terminal's encoding lacks


def _json_file(
    file: str, checked: Checked | None, diagnostics: Sequence[Diagnostic]
) -> dict[str, Any]:
    from cnnc.dsl.render import as_json

    ok = _holds(diagnostics)
    net = checked.net if checked is not None and ok else None
    return {
        "file": file,
        "ok": ok,
        "net": checked.name if checked else None,
        "knobs": {name: plain(v) for name, v in checked.knobs.items()} if checked else {},
        "input": list(checked.input) if checked and checked.input else None,
        "output": list(net.output_shape) if net else None,
        "totals": {
            "params": net.params,
            "trainable": net.trainable,
            "macs": net.macs,
            "layers": len(net.layers),
        }
        if net
        else None,
        "layers": [json_layer(layer, checked) for layer in net.layers] if net and checked else None,
        "diagnostics": [as_json(d, checked.source.name if checked else file) for d in diagnostics],
    }


def json_layer(layer: NetLayer, checked: Checked) -> dict[str, Any]:
    """A layer as the JSON of commands has it."""
    place, source = layer.span.begin, layer.span.source.name
    elsewhere = {} if source in (checked.source.name, "--input") else {"file": source}
    return {
        "name": layer.name,
        "kind": layer.kind,
        "inputs": [list(shape) for shape in layer.input_shapes],
        "output": list(layer.output),
        "params": layer.params,
        "macs": layer.macs,
        "receptive_field": list(layer.receptive_field) if layer.receptive_field else None,
        "line": place.line,
        "column": place.column,
        **elsewhere,
    }


def plain(value: Any) -> Any:
    """A knob's value as JSON has it; what is not set yet is null."""
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value if isinstance(value, bool | int | float | str) else None
