"""Changes that bring a shape about that something else asks for; each is tried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from cnnc.dsl.source import Span

from ..arguments import BadValue
from ..layers.batchnorm import BN
from ..layers.conv import Conv
from ..layers.dense import FC
from ..layers.layer import Layer, Misfit, Shape
from ..layers.pool import GlobalPool, Pool
from ..layers.shape import Flatten, Reshape
from ..layers.upsample import Upsample
from ..net import NetLayer
from ..values import show_shape
from .trials import Change, Trial

_MOST = 2  # changes that bring a shape about
# Arguments that decide about the shapes of weights, and whether they are trained.
_OF_WEIGHTS = ("filters", "units", "k", "groups", "multiplier", "table", "bias", "freeze")


def shape_fixes(trial: Trial, wanted: Shape) -> list[str]:
    """Changes of the layers before a `::` after which the shape is as it says."""
    found: list[str] = []
    seen: set[Span] = set()
    if len(wanted) != len(trial.makers[0].output):
        return found  # no other arguments make maps of a vector, or a vector of maps
    for made in trial.line():
        if made.span in seen:
            continue
        seen.add(made.span)
        for arguments in _for_shape(made, wanted):
            built = trial.again({made.span: Change(arguments)})
            if built is not None and trial.use in built.held:
                changed = made.layer.replace(**arguments).shown()
                found.append(
                    f"{changed} in place of {made.layer.shown()} gives {show_shape(wanted)}"
                )
                break
        if len(found) == _MOST:
            break
    return found


def _for_shape(made: NetLayer, wanted: Shape) -> Iterator[dict[str, object]]:
    """Arguments that may bring a shape about, the smallest changes first."""
    takes = made.layer.arguments
    count = next((name for name in ("filters", "units") if name in takes), None)
    counts: list[dict[str, object]] = [{}]
    if count is not None and made.output[0] != wanted[0]:
        counts.append({count: wanted[0]})
    if made.kind == "INPUT":
        yield {"size": wanted}
    windows: list[dict[str, object]] = [{}]
    if "pad" in takes:
        windows += [{"pad": pad} for pad in range(max(getattr(made.layer, "k", (1, 1))))]
    if "stride" in takes:
        windows += [{"stride": stride} for stride in (1, 2)]
    if "k" in takes and made.kind != "PCA":
        windows += [{"k": k} for k in range(1, 8)]
    for window in windows:
        for some in counts:
            if window or some:
                yield {**some, **window}


def sharing_fixes(made: NetLayer, owner: NetLayer) -> list[str]:
    """For a layer that cannot share weights with another: arguments as the other's, or neither."""
    found = []
    x = made.input_shapes[0]
    as_owner = {
        name: getattr(owner.layer, name)
        for name in _OF_WEIGHTS
        if name in made.layer.arguments and name in owner.layer.arguments
    }
    different = {n: v for n, v in as_owner.items() if getattr(made.layer, n) != v}
    try:
        changed = made.layer.replace(**different)
        weights = [(w.shape, w.trainable) for w in changed.weights(x)]
        if weights == [(w.shape, w.trainable) for w in owner.weights]:
            found.append(
                f"{changed.shown()} gives {show_shape(changed.shape(x))} with the same weights"
            )
    except (Misfit, BadValue, ZeroDivisionError):
        pass
    output = show_shape(made.output)
    other = made.layer.replace(share=f"{made.stored}2").shown()
    found.append(f"{other} shares with others of that name, and gives {output} as well")
    given = {name: value for name, value in made.layer.given.items() if name != "share"}
    alone = type(made.layer)(**given).shown()
    return [*found, f"{alone} gives {output} with weights of its own"]


def exit_fixes(exit: NetLayer, last: NetLayer) -> list[str]:
    """For a side exit that gives another shape than the net."""
    found = [f"{text}: the side exit then gives {gives}" for text, gives in _to(exit, last.output)]
    return found + [f"{text}: the net then gives {gives}" for text, gives in _to(last, exit.output)]


def _to(made: NetLayer, wanted: Shape) -> Iterator[tuple[str, str]]:
    """What makes another shape of a layer's output, and the shape."""
    layer: Layer
    if len(wanted) == 1:
        layer = FC(units=wanted[0])
        if made.kind == "FC":
            y = layer.shape(made.input_shapes[0])
            yield f"{layer.shown()} in place of {made.layer.shown()}", show_shape(y)
            return
        yield f"{layer.shown()} behind {made.name}", show_shape(layer.shape(made.output))
        if len(made.output) == 3 and made.output[0] == wanted[0]:
            y = Flatten().shape(GlobalPool().shape(made.output))
            yield f"GLOBALPOOL -> FLATTEN behind {made.name}", show_shape(y)
    elif made.output[1:] == wanted[1:]:
        layer = Conv(filters=wanted[0], k=1)
        yield f"{layer.shown()} behind {made.name}", show_shape(layer.shape(made.output))


def place_fixes(layer: Layer, layers: Sequence[NetLayer], x: Shape) -> list[str]:
    """For a layer that prepares data, or an INPUT, further on in a net."""
    input = layers[0]
    if layer.family == "input":
        wanted = getattr(layer, "size", x)
        found = [f"leave it out: what follows then gets {show_shape(x)}"]
        if prod(wanted) == prod(x):
            y = Reshape(size=wanted).shape(x)
            return [*found, f"RESHAPE({show_shape(wanted)}) in its place gives {show_shape(y)}"]
        return [*found, f"{layer.shown()} in place of {input.layer.shown()} begins the net"]
    found = []
    try:
        gives = show_shape(layer.shape(input.output))
        found.append(f"move it: {input.layer.shown()} -> {layer.shown()} gives {gives}")
    except Misfit:
        pass
    y = BN().shape(x)
    return [*found, f"BN in its place normalises inside a net, and gives {show_shape(y)}"]


def unpool_fixes(trial: Trial) -> Iterator[str]:
    """For an UNPOOL whose input is not as its POOL's output: another POOL, or another input."""
    x = trial.makers[0].output
    pool = getattr(trial.layer, "pool").maker  # noqa: B009 (only UNPOOL has one)
    then = show_shape(pool.input_shapes[0])
    for made in reversed([*trial.by_name.values()]):
        if isinstance(made.layer, Pool) and made.layer.mode == "max" and made.output == x:
            y = show_shape(made.input_shapes[0])
            yield f"{made.layer.shown()} as {made.name}, and UNPOOL(@{made.name}), gives {y}"
            break
    bridges: list[Layer] = []
    if pool.output[-1] // x[-1] > 1:
        bridges.append(Upsample(factor=pool.output[-1] // x[-1]))
    if x[0] != pool.output[0]:
        bridges.append(Conv(filters=pool.output[0], k=1))
    for bridge in bridges:
        if trial.gives({trial.use: Change(before=bridge)}):
            given, last = show_shape(bridge.shape(x)), trial.layer.shown()
            yield f"{bridge.shown()} before it gives {given}, and {last} then gives {then}"
