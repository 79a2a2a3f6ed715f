"""Changes that would make the branches of a merge go together: each is tried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Span

from ..layers.conv import Conv
from ..layers.dense import FC
from ..layers.layer import Layer, Shape
from ..layers.merge import Concat, spreads
from ..layers.shape import Flatten, Reshape
from ..layers.upsample import Upsample
from ..net import NetLayer
from ..values import show_shape
from .trials import Change, Changes, Trial

_MOST_ROWS = 33  # that an input is made larger by
_MOST_PARTS = 2  # of a change, where others are as short
_LAST = 99  # parts of what is proposed for want of anything better
_MOST = 3  # changes that one message proposes


class Proposal(State):
    """Other arguments for layers of the branches, and layers at the ends of branches.

    ends   by the number of the branch
    """

    arguments: dict[Span, dict[str, object]] = fresh(factory=dict)
    layers: dict[Span, tuple[Layer, Layer]] = fresh(factory=dict)  # before and after
    ends: dict[int, Layer] = fresh(factory=dict)

    def change(self, made: NetLayer, arguments: Mapping[str, object]) -> None:
        """Give a layer other arguments."""
        merged = {**self.arguments.get(made.span, {}), **arguments}
        self.arguments[made.span] = merged
        self.layers[made.span] = made.layer, made.layer.replace(**merged)

    @property
    def parts(self) -> int:
        """How many changes it is."""
        return len(self.layers) + len(self.ends)

    def text(self, trial: Trial) -> str:
        """What to do, in words."""
        said = [f"{new.shown()} in place of {old.shown()}" for old, new in self.layers.values()]
        for number, layer in self.ends.items():
            shape = show_shape(trial.makers[number].output)
            said.append(f"{layer.shown()} at the end of the branch of {shape}")
        return " and ".join(said)

    def changes(self, branches: Sequence[Span]) -> Changes:
        """What it changes in the text."""
        changes = {span: Change(arguments) for span, arguments in self.arguments.items()}
        for number, layer in self.ends.items():  # a branch of one layer stands where that does
            change = changes.get(branches[number], Change())
            changes[branches[number]] = change.replace(behind=layer)
        return changes


def branch_fixes(trial: Trial, branches: Sequence[Span]) -> list[str]:
    """Help for a merge whose branches do not go together."""
    found: dict[str, int] = {}
    for proposal in _proposals(trial, _paths(trial)):
        if proposal.parts and (tried := trial.gives(proposal.changes(branches))):
            then = f"{trial.layer.word} then gives {show_shape(tried[1])}"
            found.setdefault(f"{proposal.text(trial)}: {then}", proposal.parts)
    if len(found) < 2:
        first = show_shape(trial.makers[0].output)
        found[f"its first branch alone, without {trial.layer.word}, gives {first}"] = _LAST
    ranked = sorted(found, key=found.__getitem__)
    short = [text for text in ranked if found[text] <= _MOST_PARTS]
    return short[:_MOST] if len(short) > 1 else ranked[:2]


def _paths(trial: Trial) -> list[list[NetLayer]]:
    """The layers of each branch, backwards from its end to where the branches part."""
    reached = [[*_line(trial, maker)] for maker in trial.makers]
    shared = set.intersection(*({made.name for made in line} for line in reached))
    return [[made for made in line if made.name not in shared] for line in reached]


def _line(trial: Trial, maker: NetLayer) -> Iterator[NetLayer]:
    return Trial(trial.layer, trial.use, (maker,), trial.by_name).line()


def _proposals(trial: Trial, paths: Sequence[Sequence[NetLayer]]) -> Iterator[Proposal]:
    shapes = [maker.output for maker in trial.makers]
    concat = isinstance(trial.layer, Concat)
    # What most branches are comes first, and of those the largest.
    targets = sorted(dict.fromkeys(shapes), key=lambda s: (-shapes.count(s), -prod(s)))
    if len({len(shape) for shape in shapes}) > 1:
        yield from _maps_and_vectors(shapes, paths, concat)
        return
    for target in targets:
        yield _by_arguments(shapes, paths, target, concat)
    for target in targets:
        yield _by_ends(shapes, target, concat)
    yield from _other_inputs(trial)


def _other_inputs(trial: Trial) -> Iterator[Proposal]:
    """Inputs a little larger: sizes that are halved and doubled again must be even."""
    input = trial.input
    if len(input.output) == 3:
        channels, height, width = input.output
        for more in range(1, _MOST_ROWS):
            proposal = Proposal()
            proposal.change(input, {"size": (channels, height + more, width + more)})
            if trial.gives(proposal.changes(())):
                yield proposal
                return


def _fits(shape: Shape, target: Shape, concat: bool) -> bool:
    return shape[1:] == target[1:] if concat else shape == target or spreads(shape, target)


def _by_arguments(
    shapes: Sequence[Shape], paths: Sequence[Sequence[NetLayer]], target: Shape, concat: bool
) -> Proposal:
    """Other padding, kernels, filters in the branches that are not as the target is."""
    proposal = Proposal()
    for shape, path in zip(shapes, paths, strict=True):
        if _fits(shape, target, concat):
            continue
        if shape[1:] != target[1:]:
            _resize(proposal, shape, path, target)
        if not concat and shape[0] != target[0]:
            _refilter(proposal, path, target[0])
    return proposal


def _resize(proposal: Proposal, shape: Shape, path: Sequence[NetLayer], target: Shape) -> None:
    windows = [made for made in path if "pad" in made.layer.arguments]
    step = [made for made in windows if getattr(made.layer, "stride", 1) == (1, 1)]
    if shape[1] < target[1]:
        for made in windows:
            layer: Any = made.layer
            reach = [(k - 1) * d for k, d in zip(layer.k, _dilation(layer), strict=True)]
            if reach[0] == reach[1] and reach[0] % 2 == 0:
                pad = reach[0] // 2
                if layer.pad != (pad, pad, pad, pad):
                    proposal.change(made, {"pad": pad})
                if layer.stride != (1, 1):
                    proposal.change(made, {"stride": 1})
    elif len(windows) == 1 and step:
        made, more = step[0], shape[1] - target[1]
        kernel: Any = made.layer
        if shape[2] - target[2] == more and _dilation(kernel) == (1, 1):
            wanted = (kernel.k[0] + more, kernel.k[1] + more)
            proposal.change(made, {"k": wanted[0] if wanted[0] == wanted[1] else wanted})


def _dilation(layer: Any) -> tuple[int, int]:
    dilation: tuple[int, int] = getattr(layer, "dilation", (1, 1))
    return dilation


def _refilter(proposal: Proposal, path: Sequence[NetLayer], count: int) -> None:
    for made in path:
        name = next((n for n in ("filters", "units") if n in made.layer.arguments), None)
        if name is not None:
            proposal.change(made, {name: count})
            return


def _by_ends(shapes: Sequence[Shape], target: Shape, concat: bool) -> Proposal:
    """A layer at the end of each branch that is not as the target is."""
    proposal = Proposal()
    for number, shape in enumerate(shapes):
        if not _fits(shape, target, concat):
            layer = _bridge(shape, target, shape[0] if concat else target[0])
            if layer is None:
                return Proposal()
            proposal.ends[number] = layer
    return proposal


def _bridge(shape: Shape, target: Shape, channels: int) -> Layer | None:
    """One layer from a shape to another, if one does it."""
    if len(target) == 1:
        return FC(units=target[0])
    if shape[1:] == target[1:]:
        return Conv(filters=channels, k=1)
    rows, columns = shape[1] - target[1], shape[2] - target[2]
    stride = -(-shape[1] // target[1])
    if stride > 1 and all(-(-a // stride) == b for a, b in zip(shape[1:], target[1:], strict=True)):
        return Conv(filters=channels, k=1, stride=stride)
    if rows > 0 and rows == columns:
        return Conv(filters=channels, k=rows + 1)
    factor = target[1] // shape[1]
    if factor > 1 and shape[0] == channels and target[1:] == tuple(n * factor for n in shape[1:]):
        return Upsample(factor=factor)
    return None


def _maps_and_vectors(
    shapes: Sequence[Shape], paths: Sequence[Sequence[NetLayer]], concat: bool
) -> Iterator[Proposal]:
    """Vectors of the maps, or maps of the vectors."""
    maps = [shape for shape in shapes if len(shape) == 3]
    for_maps = {i: Flatten() for i, shape in enumerate(shapes) if len(shape) == 3}
    if concat:
        yield Proposal(ends=dict(for_maps))
        vectors = [i for i, shape in enumerate(shapes) if len(shape) == 1]
        height, width = maps[0][1:]
        proposal = Proposal(ends={i: Reshape(size=(1, height, width)) for i in vectors})
        for number in vectors:
            _refilter(proposal, paths[number], height * width)
        yield proposal
        return
    largest = max(maps, key=prod)
    yield Proposal(
        ends={i: FC(units=largest[0]) for i, shape in enumerate(shapes) if len(shape) == 1}
    )
    vector = next(shape for shape in shapes if len(shape) == 1)
    yield Proposal(ends={i: FC(units=vector[0]) for i in for_maps})
