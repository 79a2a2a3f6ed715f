"""How the numbers of a net come about, and where in it they sit: what `cnnc explain` shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import prod
from typing import Literal

from .geometry import Axis
from .layers.layer import Field, Weight
from .layers.windows import rule
from .net import Net, NetLayer, elements
from .values import show_shape

Quantity = Literal["weights", "macs", "activations"]

LINES = (
    "output", "rows", "columns", "weights", "macs", "receptive_field", "jump", "without_sharing",
    "fully_connected",
)  # fmt: skip
MOST_PARTS = 24  # rows of a chart


@dataclass(frozen=True)
class Explained:
    """One layer with its arithmetic.

    how              lines by what they are of, those of LINES that there is something to say of
    without_sharing  how many weights it would have if each were used once for a sample
    fully_connected  and if every output saw every input as well; None where that says nothing
    """

    layer: NetLayer
    how: dict[str, str]
    without_sharing: int | None
    fully_connected: int | None


def explain(net: Net) -> Iterator[Explained]:
    """Every layer, in the order that data flows."""
    fields = {layer.name: layer.field for layer in net.layers}
    shape = net.input_shape
    whole = (shape[1], shape[2]) if len(shape) == 3 else (0, 0)
    for layer in net.layers:
        yield _explained(layer, [fields[name] for name in layer.inputs], whole)


def _explained(layer: NetLayer, fields: Sequence[Field], whole: tuple[int, int]) -> Explained:
    said = layer.layer.explain(layer.input_shapes, layer.output)
    sharing_text, without = _without_sharing(layer)
    connected_text, connected = _fully_connected(layer)
    how = {
        **_window(layer),
        "macs": _macs(layer),
        "receptive_field": _field(layer, fields, whole),
        "jump": _jump(layer, fields),
        "without_sharing": sharing_text,
        "fully_connected": connected_text,
        **said,
        "output": _output(layer, said.get("output")),
        "weights": _weights(layer, said.get("weights")),
    }
    lines = {name: how[name] for name in LINES if how.get(name)}
    return Explained(layer, lines, without, connected)


def _output(layer: NetLayer, said: str | None) -> str:
    """The output's shape, and what makes it."""
    if said is None and layer.inputs and all(x == layer.output for x in layer.input_shapes):
        said = "as its input" if len(layer.inputs) == 1 else "as its inputs"
    return ", ".join(filter(None, (show_shape(layer.output), said)))


def _weights(layer: NetLayer, formula: str | None) -> str:
    """How many weights, by the layer's own formula or from their shapes; and the statistics."""
    own, statistics = _own(layer), [w for w in layer.weights if w.statistic]
    counted = [f"{_product(w.shape)} ({w.name})" for w in layer.weights if not w.statistic]
    text = f"{formula or ' + '.join(counted)} = {own:,}" if own else ""
    if not layer.counted:
        text += f", those of {layer.stored}: counted where they are used first"
    if statistics:
        named = " and ".join(f"{w.name} {show_shape(w.shape)}" for w in statistics)
        text += ("; " if text else "") + f"{named}, not trained: counted apart"
    return text


def _window(layer: NetLayer) -> dict[str, str]:
    """The rule of the output's size, for a layer with a window."""
    if layer.axes is None:
        return {}
    return {"rows": _rule(layer.axes[0]), "columns": _rule(layer.axes[1])}


def _rule(axis: Axis) -> str:
    text = rule(axis).removeprefix("out = ")
    if text.endswith(f" = {axis.out}"):
        return text
    return f"{text}, and {axis.out} without the last, which would start outside the input"


def _product(shape: Sequence[int]) -> str:
    return "*".join(map(str, shape))


def _own(layer: NetLayer) -> int:
    """How many weights it uses, those too that a layer before counts already."""
    return sum(weight.size for weight in layer.weights if not weight.statistic)


def _uses(layer: NetLayer) -> tuple[Weight, int] | None:
    """The weights that are multiplied with, and how often each is used for one sample."""
    for weight in layer.weights:
        if weight.name == "weight" and not weight.statistic and layer.macs:
            uses, left = divmod(layer.macs, weight.size)
            return None if left else (weight, uses)
    return None


def _macs(layer: NetLayer) -> str:
    used = _uses(layer)
    if used is None:
        return f"{layer.macs:,}" if layer.macs else ""
    weight, uses = used
    if uses == 1:
        how = "used once"
    elif uses == prod(layer.output[1:]):
        how = f"used at {_product(layer.output[1:])} positions"
    elif uses == prod(layer.input_shapes[0][1:]):
        how = f"used at {_product(layer.input_shapes[0][1:])} positions of the input"
    else:
        how = f"used {uses:,} times"
    return f"{_product(weight.shape)} weights, each {how} = {layer.macs:,}"


def _field(layer: NetLayer, fields: Sequence[Field], whole: tuple[int, int]) -> str:
    """How the receptive field grows out of its input's."""
    seen = layer.receptive_field
    if seen is None or not fields:
        return ""
    shown = show_shape(seen)
    if len(fields) > 1:
        return f"{shown}, the largest of its inputs'"
    if layer.field == fields[0]:
        return f"{shown}, as its input's"
    grown = _grown(layer.field, fields[0], layer.axes) if layer.axes else ""
    if grown:
        return f"{shown}: size + (k-1)*dilation*jump = {grown}"
    return f"{shown}, the whole input" if seen == whole else shown


def _grown(after: Field, before: Field, axes: tuple[Axis, Axis]) -> str:
    """A window's rule for the field, filled in; empty where it is not what gives this one."""
    sizes = []
    for which, axis in enumerate(axes):
        (size, jump), (new, _) = _fractions(before, which), _fractions(after, which)
        if size + (axis.kernel - 1) * axis.dilation * jump != new:
            return ""
        step = f"({jump})" if jump.denominator > 1 else str(jump)
        whole = "" if new.denominator == 1 else f", that is parts of {after.seen[which]}"
        sizes.append(f"{size} + ({axis.kernel}-1)*{axis.dilation}*{step} = {new}{whole}")
    return _both(sizes)


def _fractions(field: Field, which: int) -> tuple[Fraction, Fraction]:
    """Size and jump along the rows (0) or the columns (1), in rows or columns of INPUT."""
    parts = field.parts[which]
    return Fraction(field.size[which], parts), Fraction(field.jump[which], parts)


def _jump(layer: NetLayer, fields: Sequence[Field]) -> str:
    """How far apart neighbours see, where the layer changes that."""
    axes = layer.axes
    if axes is None or layer.field == fields[0]:
        return ""
    steps = []
    for which, axis in enumerate(axes):
        jump, new = _fractions(fields[0], which)[1], _fractions(layer.field, which)[1]
        if jump * axis.stride != new:
            return ""
        step = f"({jump})" if jump.denominator > 1 else str(jump)
        steps.append(f"{step}*{axis.stride} = {new}")
    if max(axis.stride for axis in axes) == 1:
        return ""
    return f"from an output to the next, in rows of INPUT: jump*stride = {_both(steps)}"


def _both(lines: list[str]) -> str:
    rows, columns = lines
    return rows if rows == columns else f"{rows} for rows, {columns} for columns"


def _without_sharing(layer: NetLayer) -> tuple[str, int | None]:
    """As if each weight were used once: every output position has its own."""
    used = _uses(layer)
    if used is None or used[1] == 1:
        return "", None
    weight, uses = used
    positions = layer.output[1:]
    if uses == prod(positions):
        total = uses * _own(layer)
        text = f"{_product(positions)} positions * {_own(layer):,} weights"
    else:
        biases = elements(layer.output) if _own(layer) > weight.size else 0
        total = layer.macs + biases
        text = f"{layer.macs:,} (one a use) + {biases:,} (a bias an output)"
    return f"{text} = {total:,}{_times(total, layer)}", total


def _fully_connected(layer: NetLayer) -> tuple[str, int | None]:
    """As if every output were a weighted sum of every input."""
    used = _uses(layer)
    if used is None or len(layer.output) != 3:
        return "", None
    inputs, outputs = elements(layer.input_shapes[0]), elements(layer.output)
    bias = 1 if _own(layer) > used[0].size else 0
    total = outputs * (inputs + bias)
    x = _product(layer.input_shapes[0]) + (" + 1" if bias else "")
    return f"({_product(layer.output)})*({x}) = {total:,}{_times(total, layer)}", total


def _times(total: int, layer: NetLayer) -> str:
    return f", {total / _own(layer):,.0f} times as many"


# -- where numbers sit ----------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A layer, or the layers from `first` to `last`, and how much of something they have."""

    first: str
    last: str
    note: str
    count: int


def parts(net: Net, of: Quantity) -> tuple[Part, ...]:
    """Where the weights, the MACs or the activations sit, from front to back.

    Layer by layer; in a deep net stage by stage, a stage being neighbours with maps of one
    size; where there are many of them, too, in stretches of as many layers each.
    """
    count = {"weights": _params, "macs": _count_macs, "activations": _outputs}[of]
    having = [layer for layer in net.layers if count(layer)]
    runs = [[layer] for layer in having]
    if len(runs) > MOST_PARTS:
        runs = [list(stage) for _, stage in groupby(having, lambda n: _maps(n.output))]
    if len(runs) > MOST_PARTS:
        size = -(-len(having) // MOST_PARTS)
        runs = [having[i : i + size] for i in range(0, len(having), size)]
    return tuple(Part(run[0].name, run[-1].name, _size(run), sum(map(count, run))) for run in runs)


def _params(layer: NetLayer) -> int:
    return layer.params


def _count_macs(layer: NetLayer) -> int:
    return layer.macs


def _outputs(layer: NetLayer) -> int:
    """Numbers of the output that take memory of their own."""
    return 0 if layer.layer.view else elements(layer.output)


def _maps(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(shape[1:])


def _size(run: list[NetLayer]) -> str:
    """The size of the maps that a run has in common."""
    sizes = {_maps(layer.output) for layer in run}
    if len(sizes) > 1:
        return ""
    return show_shape(sizes.pop()) or "vectors"


def front_share(net: Net) -> float | None:
    """Which share of the weights the first half of the layers with weights has; None for one.

    The usual net is heavy at its end: it has clearly less than half there.
    """
    counts = [layer.params for layer in net.layers if layer.params]
    if len(counts) < 2:
        return None
    half = len(counts) // 2
    middle = counts[half] / 2 if len(counts) % 2 else 0
    return (sum(counts[:half]) + middle) / sum(counts)
