"""Changes that would make a layer fit: each is tried out before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt

from ..arguments import BadValue
from ..layers.conv import Conv
from ..layers.dense import FC
from ..layers.dropout import Dropout
from ..layers.layer import Layer, Misfit, Shape
from ..layers.shape import Reshape
from ..net import NetLayer
from ..values import show_shape
from .shape_fixes import unpool_fixes
from .trials import Change, Trial, Turns, replacing, together, unchanged, without

_MOST_SIZES = 8  # in the note that lists them
_MOST = 4  # changes that one message proposes
_LARGEST_FACTOR = 16  # by which an input is made larger


def fixes(trial: Trial, misfit: Misfit, repeats: Sequence[Turns]) -> list[str]:
    """Help for a layer that does not fit its input."""
    found = list(_own(trial, misfit))
    if misfit.code == "E301":
        found += _window_fixes(trial, repeats)
    elif misfit.code == "E302":
        found += _vector_fixes(trial)
    elif misfit.code in ("E303", "E311"):
        found += _channel_fixes(trial)
    elif misfit.code == "E319":
        found += unpool_fixes(trial)
    found = list(dict.fromkeys(found))
    if len(found) < 2:
        found.append(f"leave it out: the shape stays {show_shape(trial.makers[0].output)}")
    return found[:_MOST]


def _own(trial: Trial, misfit: Misfit) -> Iterator[str]:
    """Changes of the layer itself; where a repeat made others of it, of those too."""
    if not misfit.changes or not trial.repeated():
        yield from misfit.fixes
        return
    for arguments in misfit.changes:
        if not arguments.keys() <= trial.layer.arguments.keys():
            continue
        try:
            changed = trial.layer.replace(**arguments)
            tried = trial.gives(replacing(trial.use, arguments), changed)
        except BadValue:
            continue
        if tried:
            yield f"{changed.shown()} then gives {show_shape(tried[1])} here"


# -- windows larger than their input ------------------------------------------------------


def _window_fixes(trial: Trial, repeats: Sequence[Turns]) -> Iterator[str]:
    yield from _channels_first(trial)
    yield from _fewer_turns(trial, repeats)
    yield from _padding_before(trial)
    yield from _without_pooling(trial)
    yield from _larger_input(trial)


def _channels_first(trial: Trial) -> Iterator[str]:
    """INPUT(32x32x3), in the order of other tools."""
    input = next((made for made in trial.before() if not made.inputs), None)
    if input is None or not looks_channels_last(input.output):
        return
    height, width, channels = input.output
    size = (channels, height, width)
    if tried := trial.gives(replacing(input.span, {"size": size})):
        yield f"INPUT({show_shape(size)}), channels first: {_then(trial.layer, *tried)}"


def looks_channels_last(shape: Shape) -> bool:
    """Whether a shape is most likely HxWxC by mistake: 32x32x3, 28x28x1."""
    return len(shape) == 3 and shape[2] in (1, 3, 4) and min(shape[:2]) > 4 * shape[2]


def _fewer_turns(trial: Trial, repeats: Sequence[Turns]) -> Iterator[str]:
    """One repetition less, of the repeat that it stands in or of the last one before it."""
    for turns in reversed(repeats):
        if not turns.plain or turns.times < 2 or len(turns.begins) < 2:
            continue
        number, name = turns.begins[-1]
        count = turns.count.text
        fewer = len(turns.begins) - 1
        said = f"*{fewer} in place of *{turns.times}"
        if not count.isdecimal():
            said = f"{count} = {fewer} in place of {turns.times}"
        if turns.end is None:  # it stands in the turn that is too many
            if name is not None:
                yield f"{said}: the repeat then ends at {show_shape(trial.by_name[name].output)}"
            return
        if name is None or any(other is not turns and other.count == turns.count
                               for other in repeats):  # fmt: skip
            continue
        left_out = list(trial.by_name)[number : turns.end]
        xs = trial.shapes(unchanged, dict.fromkeys(left_out, name))
        if xs is None:
            continue
        try:
            y = trial.layer.shape_from(xs)
        except Misfit:
            continue
        yield f"{said}: {_then(trial.layer, xs[0], y)}"
        return


def _padding_before(trial: Trial) -> Iterator[str]:
    """Padding for the nearest convolution before it, or for all of them."""
    convs = [made for made in trial.line() if isinstance(made.layer, Conv)]
    spans = list(dict.fromkeys(made.span for made in convs))
    nearest = next(iter(convs), None)
    if nearest is not None and isinstance(nearest.layer, Conv):
        pad = max(nearest.layer.k) // 2
        changed = nearest.layer.replace(pad=pad)
        change = replacing(nearest.span, {"pad": pad})
        if pad and changed.pad != nearest.layer.pad and (tried := trial.gives(change)):
            after = _after(trial, nearest, change)
            then = f"{trial.layer.shown()} then gives {show_shape(tried[1])}"
            if after is not None:
                yield f"{changed.shown()} before it gives {show_shape(after)}, and {then}"
                return
    if len(spans) > 1:
        change = together([replacing(span, {"pad": "same"}) for span in spans])
        if tried := trial.gives(change):
            yield f"pad=same in every CONV before it: {_then(trial.layer, *tried)}"


def _after(trial: Trial, made: NetLayer, change: Change) -> Shape | None:
    """What a layer before it would give after a change."""
    there = Trial(made.layer, made.span, (made,), trial.by_name)
    xs = there.shapes(change)
    return xs[0] if xs else None


def _without_pooling(trial: Trial) -> Iterator[str]:
    """The nearest pooling before it left out."""
    for made in trial.line():
        if made.kind in ("POOL", "SUBSAMPLE") and made.span != trial.use:
            if tried := trial.gives(without(made.span)):
                yield f"without {made.layer.shown()} before it: {_then(trial.layer, *tried)}"
            return


def _larger_input(trial: Trial) -> Iterator[str]:
    """The smallest multiple of INPUT's height and width that is enough."""
    input = next((made for made in trial.before() if not made.inputs), None)
    if input is None or len(input.output) != 3:
        return
    channels, height, width = input.output
    for factor in range(2, _LARGEST_FACTOR + 1):
        size = (channels, height * factor, width * factor)
        if tried := trial.gives(replacing(input.span, {"size": size})):
            yield f"an input of {show_shape(size)}: {_then(trial.layer, *tried)}"
            return


def _then(layer: Layer, x: Shape, y: Shape) -> str:
    return f"{layer.shown()} then gets {show_shape(x)} and gives {show_shape(y)}"


def sizes_on_the_way(trial: Trial) -> tuple[str, ...]:
    """A note with the heights and widths from INPUT to the layer, where several changed them."""
    steps: list[str] = []
    line = list(trial.line())
    for made, after in zip(line[1:], line[:-1], strict=True):
        if len(made.output) == 3 and made.output[1:] != after.output[1:]:
            steps.append(f"{after.name} {show_shape(after.output[1:])}")
    if len(steps) < 2:
        return ()
    shown = [*reversed(steps)]
    first = line[-1]
    shown = [f"{first.name} {show_shape(first.output[1:])}", *shown]
    if len(shown) > _MOST_SIZES:
        shown = [shown[0], "…", *shown[2 - _MOST_SIZES :]]
    return (f"sizes: {' -> '.join(shown)}",)


# -- vectors where maps are needed -----------------------------------------------------------


def vector_maker(trial: Trial) -> NetLayer:
    """The layer that made a vector of maps, or the INPUT that is one."""
    made = trial.makers[0]
    for made in trial.line():
        if made.input_shapes and len(made.input_shapes[0]) == 3:
            break
    return made


def _vector_fixes(trial: Trial) -> Iterator[str]:
    maker, vector = vector_maker(trial), trial.makers[0].output
    layer = trial.layer
    if maker.inputs:
        maps = maker.input_shapes[0]
        if (y := _shape_of(layer, maps)) is not None:
            what = "without" if maker.kind in ("FLATTEN", "RESHAPE") else "before"
            yield (f"{layer.shown()} {what} {maker.layer.shown()} gets {show_shape(maps)}"
                   f" and gives {show_shape(y)}")  # fmt: skip
    else:
        for maps in _as_maps(maker.output[0]):
            if tried := trial.gives(replacing(maker.span, {"size": maps})):
                yield f"INPUT({show_shape(maps)}): {_then(layer, *tried)}"
                break
    if (instead := _for_vectors(layer)) is not None:
        y = instead.shape(vector)
        yield f"{instead.shown()} takes the vector {show_shape(vector)} and gives {show_shape(y)}"
    for maps in _as_maps(vector[0]):
        if (y := _shape_of(layer, maps)) is not None:
            reshape = Reshape(size=maps).shown()
            yield f"{reshape} before it makes maps of the vector: {_then(layer, maps, y)}"
            return


def _shape_of(layer: Layer, x: Shape) -> Shape | None:
    try:
        return layer.shape(x)
    except Misfit:
        return None


def _for_vectors(layer: Layer) -> Layer | None:
    """The layer that does to a vector what one for maps is most likely meant to do."""
    filters = getattr(layer, "filters", None)
    if filters is not None:
        return FC(units=filters)
    if layer.kind == "DROPOUT2D":
        return Dropout(p=getattr(layer, "p", 0.5))
    return None


def _as_maps(size: int) -> Iterator[Shape]:
    """Shapes CxHxW of so many numbers, square ones of one or three channels first."""
    for channels in (1, 3):
        side = isqrt(size // channels)
        if channels * side * side == size:
            yield channels, side, side
    height = next(h for h in range(isqrt(size), 0, -1) if size % h == 0)
    if height > 1:
        yield 1, height, size // height
    yield size, 1, 1


# -- channels that cannot be divided --------------------------------------------------------


def _channel_fixes(trial: Trial) -> Iterator[str]:
    """More channels from the layer before it."""
    parts = getattr(trial.layer, "groups", 1) * getattr(trial.layer, "pieces", 1)
    for made in trial.line():
        name = next((n for n in ("filters", "units") if n in made.layer.arguments), None)
        if name is not None:
            count = -(-made.output[0] // parts) * parts
            changed = made.layer.replace(**{name: count})
            if tried := trial.gives(replacing(made.span, {name: count})):
                yield f"{changed.shown()} before it: {_then(trial.layer, *tried)}"
            return
        if not made.inputs:
            size = (-(-made.output[0] // parts) * parts, *made.output[1:])
            if tried := trial.gives(replacing(made.span, {"size": size})):
                yield f"an input of {show_shape(size)}: {_then(trial.layer, *tried)}"
            return
        if made.output[0] != made.input_shapes[0][0]:
            return
