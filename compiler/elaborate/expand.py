"""A chain with its repeats, options and loops, run through from front to back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.source import Span

from ..layers.layer import Layer
from ..layers.registry import LAYERS, NOT_BUILT_YET
from ..suggest import did_you_mean
from ..values import is_integer, show
from .bind import Binder, per_repetition
from .build import Builder
from .evaluate import Evaluator
from .scope import UNKNOWN, Mistake, Repetition, Scope

MOST_LAYERS = 100_000  # after expansion; turns of empty repeats count too


class TooLarge(Exception):
    """The expanded net passes the limit; nothing more is expanded."""


@dataclass
class Expander:
    """Walks the tree and hands one layer after the other to the builder."""

    binder: Binder
    builder: Builder
    switches: dict[str, Any]  # the boolean knobs of `POOL?`
    visited: int = 0

    def chain(self, chain: nodes.Chain, scope: Scope) -> None:
        """All elements, in order."""
        for element in chain.elements:
            self.element(element, scope)

    def element(self, element: nodes.Element, scope: Scope) -> None:
        """One element: a layer or something around layers."""
        self.visited += 1
        if self.visited > MOST_LAYERS:
            raise self._too_large(element.span)
        try:
            match element:
                case nodes.Layer():
                    self._layer(element, scope)
                case nodes.Group(chain=chain):
                    self.chain(chain, scope)
                case nodes.Repeat():
                    self._repeat(element, scope)
                case nodes.Optional():
                    self._optional(element, scope)
                case nodes.For():
                    self._for(element, scope)
                case nodes.Shaped():
                    self._shaped(element, scope)
                case nodes.Branching(name=name, name_span=span):
                    raise _not_built(f"{name}{{ … }}", span)
                case nodes.Tap(name=name):
                    raise _not_built(f"taps such as @{name}", element.span)
                case nodes.Named(element=inner, name=name):
                    self.element(inner, scope)
                    raise _not_built(f"`as {name.id}`", name.span)
        except Mistake as mistake:
            self.binder.found.add(mistake.diagnostic)
            self.builder.unknown()

    # -- layers -----------------------------------------------------------------------

    def _layer(self, use: nodes.Layer, scope: Scope) -> None:
        if use.name == "ID":
            if use.args:
                raise Mistake("E404", "ID takes no arguments", use.args[0].span)
            return
        cls = layer_class(use)
        layer: Layer | None = self.binder.make(cls, use.args, use.span, scope)
        self.builder.add(layer, use.name_span, use.span)

    # -- what stands around layers ----------------------------------------------------

    def _repeat(self, repeat: nodes.Repeat, scope: Scope) -> None:
        count, counts = self._count(repeat, scope)
        if count is UNKNOWN:
            self.element(repeat.element, scope)
            self.builder.unknown()
            return
        if self.visited + count * least(repeat.element, scope) > MOST_LAYERS:
            raise self._too_large(repeat.span)
        for index in range(count):
            self.element(repeat.element, scope.repeating(Repetition(index, count, counts)))

    def _count(self, repeat: nodes.Repeat, scope: Scope) -> tuple[Any, frozenset[int] | None]:
        """How often, and all counts where a list gives one for each turn of an outer repeat."""
        value = Evaluator(scope).value(repeat.count)
        counts = None
        if isinstance(value, list):
            counts = frozenset(v for v in value if is_integer(v))
            value = per_repetition(value, repeat.count, scope)
        if value is not UNKNOWN and not (is_integer(value) and value >= 0):
            raise Mistake(
                "E408",
                f"a repeat count is an integer of at least 0, and this is {show(value)}",
                repeat.count.span,
            )
        return value, counts

    def _optional(self, optional: nodes.Optional, scope: Scope) -> None:
        if optional.condition is None:
            if not isinstance(optional.element, nodes.Layer):
                raise Mistake(
                    "E409",
                    "`?` after a group needs its condition in parentheses",
                    optional.span,
                    help=[f"write {optional.element.span.text}?(name) and `param name = true`"],
                )
            name = optional.element.name.lower()
            holds = self.switches.get(name, True)
            scope.used.add(name)
        else:
            holds = Evaluator(scope).value(optional.condition)
            if isinstance(holds, list):
                holds = per_repetition(holds, optional.condition, scope)
        if holds is UNKNOWN:
            self.element(optional.element, scope)
            self.builder.unknown()
            return
        if not isinstance(holds, bool) and holds not in (0, 1):
            place = optional.condition.span if optional.condition else optional.span
            raise Mistake("E407", f"`?` asks for true or false, and this is {show(holds)}", place)
        if holds:
            self.element(optional.element, scope)

    def _for(self, loop: nodes.For, scope: Scope) -> None:
        items = Evaluator(scope).value(loop.items)
        names = [target.id for target in loop.targets]
        if items is UNKNOWN:
            self.chain(loop.body, scope.bind(dict.fromkeys(names, UNKNOWN)))
            self.builder.unknown()
            return
        if not isinstance(items, list):
            raise Mistake(
                "E410", f"`for` goes through a list, and this is {show(items)}", loop.items.span
            )
        for index, item in enumerate(items):
            inner = scope.repeating(Repetition(index, len(items)))
            self.chain(loop.body, inner.bind(_unpack(names, item, loop)))

    def _shaped(self, shaped: nodes.Shaped, scope: Scope) -> None:
        self.element(shaped.element, scope)
        wanted = Evaluator(scope).value(shaped.shape)
        if is_integer(wanted):
            wanted = (wanted,)
        if wanted is UNKNOWN:
            return
        if not isinstance(wanted, tuple) or not all(is_integer(n) and n > 0 for n in wanted):
            raise Mistake(
                "E403", f":: is followed by a shape, and this is {show(wanted)}", shaped.shape.span
            )
        self.builder.expect_shape(wanted, shaped.shape.span)

    def _too_large(self, span: Span) -> TooLarge:
        self.binder.found.add(
            Mistake(
                "E904",
                f"the net expands to more than {MOST_LAYERS:,} layers",
                span,
                "here the limit is passed",
            ).diagnostic
        )
        return TooLarge()


def layer_class(use: nodes.Layer) -> type[Layer]:
    """The class of a layer's name; Mistake where there is none."""
    if use.name in LAYERS:
        return LAYERS[use.name]
    if use.name in NOT_BUILT_YET:
        raise _not_built(use.name, use.name_span)
    raise Mistake(
        "E201",
        f"there is no layer {use.name}",
        use.name_span,
        help=did_you_mean(use.name, (*LAYERS, *NOT_BUILT_YET, "ID"))
        or (f"there are {', '.join(LAYERS)} and ID",),
    )


def least(element: nodes.Element, scope: Scope) -> int:
    """At least how many elements an element expands to, without expanding it."""
    match element:
        case nodes.Group(chain=chain):
            total = 1
            for inner in chain.elements:  # no sum(): it would recurse on the C stack
                total += least(inner, scope)
            return total
        case nodes.Repeat(element=inner, count=count):
            try:
                value = Evaluator(scope).value(count)
            except Mistake:
                return 1
            return 1 + (value * least(inner, scope) if is_integer(value) and value > 0 else 0)
        case nodes.Shaped(element=inner) | nodes.Named(element=inner):
            return 1 + least(inner, scope)
        case _:
            return 1


def _unpack(names: list[str], item: Any, loop: nodes.For) -> dict[str, object]:
    if len(names) == 1:
        return {names[0]: item}
    if not isinstance(item, list | tuple) or len(item) != len(names):
        raise Mistake(
            "E410",
            f"`for {', '.join(names)}` takes {len(names)} values from each item,"
            f" and {show(item)} is not {len(names)}",
            loop.items.span,
        )
    return dict(zip(names, item, strict=True))


def _not_built(what: str, span: Span) -> Mistake:
    return Mistake("E202", f"{what} is not built yet", span, "of the language, to come")
