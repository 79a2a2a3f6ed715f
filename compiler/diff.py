"""What differs between two nets, layer by layer: what `cnnc diff` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .arguments import Declared
from .layers.layer import Layer
from .net import Net, NetLayer
from .training.settings import Training
from .values import show

CELLS = 1_000_000  # of pairs of layers that an alignment looks at, at most
SAME, KIND, NAME = 3, 2, 2  # what a pair is worth: equal arguments, only the kind, an `as` name
COUNTS = ("output", "params", "trainable", "macs")

Pairs = list[tuple[int | None, int | None]]


@dataclass(frozen=True)
class Change:
    """A layer of the one net beside that of the other; one of them is None where it has none.

    differs  the arguments that are not the same, and of kind, name, inputs, exit, output,
             params, trainable and macs those that are not
    """

    before: NetLayer | None
    after: NetLayer | None
    differs: tuple[str, ...] = ()

    @property
    def word(self) -> Literal["same", "added", "removed", "changed"]:
        """What happened to the layer."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.differs else "same"


@dataclass(frozen=True)
class Difference:
    """All layers of two nets side by side, and the settings of training that differ."""

    before: Net
    after: Net
    layers: tuple[Change, ...]
    settings: tuple[tuple[str, str, str], ...]  # name, before, after

    @cached_property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.settings and all(change.word == "same" for change in self.layers)


def diff(
    before: Net, after: Net, trained_before: Training | None, trained_after: Training | None
) -> Difference:
    """Compare two nets, and how they are trained."""
    pairs = align(before.layers, after.layers)
    renamed = {
        before.layers[i].name: after.layers[j].name
        for i, j in pairs
        if i is not None and j is not None
    }
    changes = []
    for i, j in pairs:
        a = None if i is None else before.layers[i]
        b = None if j is None else after.layers[j]
        differs: tuple[str, ...] = ()
        if i is not None and j is not None:
            differs = _differs(before, i, after, j, renamed)
        changes.append(Change(a, b, differs))
    settings = _settings(trained_before or Training(), trained_after or Training())
    return Difference(before, after, tuple(changes), settings)


# -- one layer ------------------------------------------------------------------------


def _differs(before: Net, i: int, after: Net, j: int, renamed: dict[str, str]) -> tuple[str, ...]:
    a, b = before.layers[i], after.layers[j]
    found = ["kind"] if a.kind != b.kind else changed_arguments(a.layer, b.layer)
    if _given_name(a) != _given_name(b):
        found.append("name")
    # In a plain chain a layer that is new right before this one is reported by itself.
    if not (_reads_right_before(before.layers, i) and _reads_right_before(after.layers, j)):
        if tuple(renamed.get(name, name) for name in a.inputs) != b.inputs:
            found.append("inputs")
    if side_exit(before, a) != side_exit(after, b):
        found.append("exit")
    found += [name for name in COUNTS if getattr(a, name) != getattr(b, name)]
    return tuple(found)


def side_exit(net: Net, layer: NetLayer) -> str:
    """What part a layer has in a side exit."""
    for one in net.aux:
        if one.layer is layer:
            return f"its output, weight {one.weight:g}"
    return "inside one" if layer.aux else "none"


def changed_arguments(a: Layer, b: Layer) -> list[str]:
    """The arguments of two layers of a kind that are not the same, given or by default."""
    names = dict.fromkeys((*a.arguments, *b.arguments))
    return [n for n in names if said(getattr(a, n, None)) != said(getattr(b, n, None))]


def said(value: object) -> str:
    """An argument's value as text."""
    if isinstance(value, Declared):
        return value.written()
    if isinstance(value, tuple) and all(isinstance(v, Declared) for v in value):
        return "[" + ", ".join(map(said, value)) + "]"
    return show(value)


def _given_name(layer: NetLayer) -> str | None:
    """The name that `as` gave; None for one of kind and number, which shifts with those before."""
    kind = layer.kind.lower()
    numbered = layer.name.startswith(kind) and layer.name[len(kind) :].isdigit()
    return None if numbered else layer.name


def _reads_right_before(layers: Sequence[NetLayer], i: int) -> bool:
    inputs = layers[i].inputs
    return not inputs or (i > 0 and inputs == (layers[i - 1].name,))


def _settings(a: Training, b: Training) -> tuple[tuple[str, str, str], ...]:
    both = ((name, said(getattr(a, name)), said(getattr(b, name))) for name in Training.arguments)
    return tuple((name, before, after) for name, before, after in both if before != after)


# -- alignment ------------------------------------------------------------------------


def align(before: Sequence[NetLayer], after: Sequence[NetLayer]) -> Pairs:
    """Which layer goes with which: pairs of places, in order; None for a layer without another.

    Of all ways to put the two sequences side by side, one in which the pairs are worth most.
    Only layers of a kind, or of one `as` name, make a pair.
    """
    keys = _Keys()
    a, b = [keys.of(layer) for layer in before], [keys.of(layer) for layer in after]
    shorter = min(len(a), len(b))
    start = 0
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    stop_a, stop_b = len(a) - end, len(b) - end
    middle = _aligned(a[start:stop_a], b[start:stop_b])
    pairs: Pairs = [(i, i) for i in range(start)]
    pairs += [
        (None if i is None else i + start, None if j is None else j + start) for i, j in middle
    ]
    pairs += [(stop_a + k, stop_b + k) for k in range(end)]
    return pairs


Key = tuple[int, int, int]  # kind, arguments and `as` name, as numbers


class _Keys:
    """Numbers for what is compared, since an alignment compares it many times."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {None: 0}

    def of(self, layer: NetLayer) -> Key:
        values = tuple(said(getattr(layer.layer, name)) for name in layer.layer.arguments)
        return (
            self._number(layer.kind),
            self._number((layer.layer.word, values)),
            self._number(_given_name(layer)),
        )

    def _number(self, thing: object) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))


BOTH, BEFORE, AFTER = 0, 1, 2  # which of the two has a layer at a step of an alignment


def _aligned(a: list[Key], b: list[Key]) -> Pairs:
    """Needleman and Wunsch's alignment; of long sequences only near the diagonal."""
    n, m = len(a), len(b)
    half = max(CELLS // (2 * max(1, n)), m // max(1, n) + 1)
    best: list[int] = []  # of the row before, from its first column on
    first = 0
    rows: list[tuple[int, bytearray]] = []  # first column, and the step that led to each cell
    for i in range(n + 1):
        middle = i * m // max(1, n)
        low, high = max(0, middle - half), min(m, middle + half)
        scores: list[int] = []
        steps = bytearray()
        for j in range(low, high + 1):
            score, step = (0, BOTH) if i == j == 0 else (-1, BOTH)
            above = j - first
            if i and j and 0 <= above - 1 < len(best):
                worth = _worth(a[i - 1], b[j - 1])
                if worth:  # the two ends are a pair rather than others that are worth as much
                    score = best[above - 1] + worth + (i == n and j == m)
            if i and 0 <= above < len(best) and best[above] >= score:
                score, step = best[above], BEFORE
            if j > low and scores[-1] >= score:
                score, step = scores[-1], AFTER
            scores.append(score)
            steps.append(step)
        rows.append((low, steps))
        best, first = scores, low
    return _walked(rows, n, m)


def _worth(a: Key, b: Key) -> int:
    """What it is worth to put two layers side by side; 0 where they are no pair."""
    named = NAME if a[2] == b[2] != 0 else 0
    if a[0] != b[0]:
        return named
    return (SAME if a[1] == b[1] else KIND) + named


def _walked(rows: list[tuple[int, bytearray]], n: int, m: int) -> Pairs:
    """The alignment, from the steps that led to its end."""
    pairs: Pairs = []
    i, j = n, m
    while i or j:
        first, steps = rows[i]
        step = steps[j - first]
        if step == BOTH:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif step == BEFORE:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]
