"""Changes that would make a layer fit its input: each is tried out before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt

from ..arguments import BadValue
from ..layers.conv import Conv
from ..layers.data import looks_channels_last
from ..layers.dense import FC
from ..layers.dropout import Dropout
from ..layers.layer import Layer, Misfit, Shape
from ..layers.shape import Reshape
from ..net import NetLayer
from ..values import show_shape
from .shape_fixes import unpool_fixes
from .trials import Change, Trial, Turns

_MOST = 4  # changes that one message proposes
_MOST_SIZES = 8  # in the note that lists them
_LARGEST_FACTOR = 16  # by which an input is made larger


def fixes(trial: Trial, misfit: Misfit, repeats: Sequence[Turns]) -> list[str]:
    """Help for a layer that does not fit its input."""
    proposed = [_own(trial, misfit)]
    if misfit.code == "E301":
        proposed.insert(0, _channels_first(trial))
        proposed.append(_window_fixes(trial, repeats))
    elif misfit.code == "E302":
        proposed.append(_vector_fixes(trial))
    elif misfit.code in ("E303", "E311"):
        proposed.append(_channel_fixes(trial))
    elif misfit.code == "E319":
        proposed.append(unpool_fixes(trial))
    found = dict.fromkeys(text for some in proposed for text in some)
    if len(found) < 2 and misfit.code == "E301":
        found |= dict.fromkeys(_stronger(trial))
    if len(found) < 2:
        found[f"leave it out: the shape stays {show_shape(trial.makers[0].output)}"] = None
    return list(found)[:_MOST]


def _own(trial: Trial, misfit: Misfit) -> Iterator[str]:
    """Changes of the layer itself."""
    if trial.retry is None or not misfit.changes:
        yield from misfit.fixes
        return
    yield from (fix for fix in misfit.fixes if fix.startswith("leave it out"))
    for arguments in misfit.changes:
        try:
            changed = trial.layer.replace(**arguments)
        except (BadValue, TypeError):
            continue  # this layer has no such argument
        if tried := trial.gives({trial.use: Change(arguments)}):
            yield f"{changed.shown()} gives {show_shape(tried[1])}"


def _stronger(trial: Trial) -> Iterator[str]:
    """More padding, no stride, no window to speak of: what fits in every repetition."""
    reach = max(getattr(trial.layer, "k", (1, 1)))
    changes: list[dict[str, object]] = [{"pad": pad} for pad in range(2, reach + 1)]
    changes += [{"stride": 1}, {"k": 1}]
    for arguments in changes:
        if not arguments.keys() <= trial.layer.arguments.keys():
            continue
        if tried := trial.gives({trial.use: Change(arguments)}):
            yield f"{trial.layer.replace(**arguments).shown()} gives {show_shape(tried[1])}"


def _then(layer: Layer, tried: tuple[Shape, Shape]) -> str:
    x, y = map(show_shape, tried)
    return f"{layer.shown()} then gets {x} and gives {y}"


# -- windows larger than their input ------------------------------------------------------


def _window_fixes(trial: Trial, repeats: Sequence[Turns]) -> Iterator[str]:
    yield from _fewer_turns(trial, repeats)
    yield from _padding_before(trial)
    yield from _without_pooling(trial)
    yield from _larger_input(trial)


def _channels_first(trial: Trial) -> Iterator[str]:
    """INPUT(32x32x3), in the order of other tools."""
    if not looks_channels_last(trial.input.output):
        return
    height, width, channels = trial.input.output
    size = (channels, height, width)
    if tried := trial.gives({trial.input.span: Change({"size": size})}):
        yield f"INPUT({show_shape(size)}), channels first: {_then(trial.layer, tried)}"


def _fewer_turns(trial: Trial, repeats: Sequence[Turns]) -> Iterator[str]:
    """Fewer repetitions of the repeat that it stands in, or of the last one before it."""
    for turns in reversed(repeats):
        fewer = turns.times - 1 if turns.ended else turns.begun - 1
        if not turns.plain or fewer < 1:
            continue
        if tried := trial.gives({turns.count: Change(times=fewer)}):
            count = turns.count.text
            name = "*" if count.isdecimal() else f"{count} = "
            old = f"*{turns.times}" if count.isdecimal() else turns.times
            where = "before" if turns.ended else "around"
            yield f"{name}{fewer} in place of {old} {where} it: {_then(trial.layer, tried)}"
            return


def _padding_before(trial: Trial) -> Iterator[str]:
    """Padding for the nearest convolution before it, or for all of them."""
    convs = [
        made for made in trial.line() if isinstance(made.layer, Conv) and made.span != trial.use
    ]
    if any(made.span.start > trial.use.start for made in convs):
        return  # in a repeat: what is before it in the net stands after it in the text
    for made in convs[:1]:
        pad = max(getattr(made.layer, "k")) // 2  # noqa: B009 (a Conv's)
        changed = made.layer.replace(pad=pad)
        built = trial.again({made.span: Change({"pad": pad})}) if pad else None
        tried = trial.last_in(built) if built else None
        if built and tried:
            after = [other for other in built.layers if other.span == made.span][-1].output
            then = f"{trial.layer.shown()} then gives {show_shape(tried[1])}"
            yield f"{changed.shown()} before it gives {show_shape(after)}, and {then}"
            return
    spans = dict.fromkeys(made.span for made in convs)
    if len(spans) > 1:
        changes = {span: Change({"pad": "same"}) for span in spans}
        if tried := trial.gives(changes):
            yield f"pad=same in every CONV before it: {_then(trial.layer, tried)}"


def _without_pooling(trial: Trial) -> Iterator[str]:
    """The nearest pooling before it left out."""
    for made in trial.line():
        if made.kind in ("POOL", "SUBSAMPLE") and made.span != trial.use:
            if made.span.start > trial.use.start:
                return  # as for padding
            if tried := trial.gives({made.span: Change(left_out=True)}):
                yield f"without {made.layer.shown()} before it: {_then(trial.layer, tried)}"
            return


def _larger_input(trial: Trial) -> Iterator[str]:
    """The smallest multiple of INPUT's height and width that is enough."""
    if len(trial.input.output) != 3:
        return
    channels, height, width = trial.input.output
    for factor in range(2, _LARGEST_FACTOR + 1):
        size = (channels, height * factor, width * factor)
        if tried := trial.gives({trial.input.span: Change({"size": size})}):
            yield f"an input of {show_shape(size)}: {_then(trial.layer, tried)}"
            return


def sizes_on_the_way(trial: Trial) -> tuple[str, ...]:
    """A note with the heights and widths from INPUT to the layer, where several changed them."""
    steps: list[str] = []
    line = list(trial.line())
    for made, after in zip(line[1:], line[:-1], strict=True):
        if len(made.output) == 3 and made.output[1:] != after.output[1:]:
            steps.append(f"{after.name} {show_shape(after.output[1:])}")
    if len(steps) < 2:
        return ()
    first = line[-1]
    shown = [f"{first.name} {show_shape(first.output[1:])}", *reversed(steps)]
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
    maker, layer, use = vector_maker(trial), trial.layer, trial.use
    vector = show_shape(trial.makers[0].output)
    if not maker.inputs:
        for maps in _as_maps(maker.output[0]):
            if tried := trial.gives({maker.span: Change({"size": maps})}):
                yield f"INPUT({show_shape(maps)}): {_then(layer, tried)}"
                break
    elif maker.kind in ("FLATTEN", "RESHAPE"):
        if tried := trial.gives({maker.span: Change(left_out=True)}):
            x, y = map(show_shape, tried)
            yield f"{layer.shown()} without {maker.layer.shown()} gets {x} and gives {y}"
    elif maker.span != use:
        changes = {maker.span: Change(before=layer), use: Change(left_out=True)}
        if tried := trial.gives(changes, layer):
            x, y = map(show_shape, tried)
            yield f"{layer.shown()} before {maker.layer.shown()} gets {x} and gives {y}"
    if (instead := _for_vectors(layer)) is not None:
        if tried := trial.gives({use: Change(instead=instead)}):
            y = show_shape(tried[1])
            yield f"{instead.shown()} takes the vector {vector} and gives {y}"
    for maps in _as_maps(trial.makers[0].output[0]):
        reshape = Reshape(size=maps)
        if tried := trial.gives({use: Change(before=reshape)}, layer=None):
            yield f"{reshape.shown()} before it makes maps of the vector: {_then(layer, tried)}"
            return


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
    height = next((h for h in range(min(isqrt(size), 10_000), 1, -1) if size % h == 0), 1)
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
            if tried := trial.gives({made.span: Change({name: count})}):
                changed = made.layer.replace(**{name: count})
                yield f"{changed.shown()} before it: {_then(trial.layer, tried)}"
            return
        if not made.inputs:
            size = (-(-made.output[0] // parts) * parts, *made.output[1:])
            if tried := trial.gives({made.span: Change({"size": size})}):
                yield f"an input of {show_shape(size)}: {_then(trial.layer, tried)}"
            return
        if made.output[0] != made.input_shapes[0][0]:
            return
