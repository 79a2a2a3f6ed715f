"""A chain with its repeats, options and loops, run through from front to back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.source import Span

from ..layers.layer import Layer
from ..layers.registry import LAYERS, NOT_BUILT_YET
from ..suggest import did_you_mean
from ..values import brief, is_integer
from .bind import Binder, per_repetition
from .build import Builder
from .evaluate import Evaluator
from .scope import UNKNOWN, Mistake, Repetition, Scope

MOST_LAYERS = 100_000  # after expansion; ID and what repeats nothing count too
MOST_VISITS = 1_000_000  # of elements: of groups too, which may be many around few layers


class TooLarge(Exception):
    """The expanded net passes the limit; nothing more is expanded."""


@dataclass
class Expander:
    """Walks the tree and hands one layer after the other to the builder."""

    binder: Binder
    builder: Builder
    layers: int = 0
    visited: int = 0

    def chain(self, chain: nodes.Chain, scope: Scope) -> None:
        """All elements, in order."""
        for element in chain.elements:
            self.element(element, scope)

    def element(self, element: nodes.Element, scope: Scope) -> None:
        """One element: a layer or something around layers."""
        self.visited += 1
        if self.visited > MOST_VISITS:
            raise self._too_large(element.span, f"is more than {MOST_VISITS:,} steps to expand")
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
                    self.binder.found.add(_not_built(f"`as {name.id}`", name.span).diagnostic)
                    self.element(inner, scope)
        except Mistake as mistake:
            self.binder.found.add(mistake.diagnostic)
            self.builder.unknown()

    def _known(self, evaluate: Callable[[], Any]) -> Any:
        """A value, or UNKNOWN after reporting why there is none."""
        try:
            return evaluate()
        except Mistake as mistake:
            self.binder.found.add(mistake.diagnostic)
            return UNKNOWN

    def _count(self, layers: int, span: Span) -> None:
        """Refuse what would pass the limit."""
        if self.layers + layers > MOST_LAYERS:
            raise self._too_large(span, f"expands to more than {MOST_LAYERS:,} layers")

    # -- layers -----------------------------------------------------------------------

    def _layer(self, use: nodes.Layer, scope: Scope) -> None:
        self._count(1, use.span)
        self.layers += 1
        if use.name == "ID":
            if use.args:
                raise Mistake("E404", "ID takes no arguments", use.args[0].span)
            return
        cls = layer_class(use)
        layer: Layer | None = self.binder.make(cls, use.args, use.span, scope)
        self.builder.add(layer, use.name_span, use.span)

    # -- what stands around layers ----------------------------------------------------

    def _repeat(self, repeat: nodes.Repeat, scope: Scope) -> None:
        counts: list[int] = []
        count = self._known(lambda: _repeat_count(repeat, scope, counts))
        if count is UNKNOWN:
            self.element(repeat.element, scope.repeating(Repetition(0, UNKNOWN)))
            self.builder.unknown()
            return
        self._count(count * least(repeat.element, scope), repeat.span)
        self.layers += count == 0
        for index in range(count):
            turn = Repetition(index, count, frozenset(counts) or None)
            self.element(repeat.element, scope.repeating(turn))

    def _optional(self, optional: nodes.Optional, scope: Scope) -> None:
        holds = self._known(lambda: _condition(optional, scope))
        if holds is UNKNOWN:
            self.element(optional.element, scope)
            self.builder.unknown()
        elif holds:
            self.element(optional.element, scope)
        else:
            self._count(1, optional.span)
            self.layers += 1

    def _for(self, loop: nodes.For, scope: Scope) -> None:
        names = [target.id for target in loop.targets]
        turns = self._known(lambda: _turns(loop, names, scope))
        if turns is UNKNOWN:
            inner = scope.repeating(Repetition(0, UNKNOWN))
            self.chain(loop.body, inner.bind(dict.fromkeys(names, UNKNOWN)))
            self.builder.unknown()
            return
        self._count(max(1, len(turns)), loop.span)
        self.layers += not turns
        for index, values in enumerate(turns):
            inner = scope.repeating(Repetition(index, len(turns)))
            self.chain(loop.body, inner.bind(values))

    def _shaped(self, shaped: nodes.Shaped, scope: Scope) -> None:
        self.element(shaped.element, scope)
        wanted = Evaluator(scope).value(shaped.shape)
        if is_integer(wanted):
            wanted = (wanted,)
        if wanted is UNKNOWN:
            return
        if not isinstance(wanted, tuple) or not all(is_integer(n) and n > 0 for n in wanted):
            raise Mistake(
                "E403", f":: is followed by a shape, and this is {brief(wanted)}", shaped.shape.span
            )
        self.builder.expect_shape(wanted, shaped.shape.span)

    def _too_large(self, span: Span, what: str) -> TooLarge:
        self.binder.found.add(
            Mistake("E904", f"the net {what}", span, "here the limit is passed").diagnostic
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
    """At least how many layers an element counts for, without expanding it: 1 or more."""
    match element:
        case nodes.Group(chain=chain):
            total = 0
            for inner in chain.elements:  # no sum(): it would recurse on the C stack
                total += least(inner, scope)
            return total
        case nodes.Repeat(element=inner, count=count):
            try:
                value = Evaluator(scope).value(count)
            except Mistake:
                return 1
            return value * least(inner, scope) if is_integer(value) and value > 0 else 1
        case nodes.Shaped(element=inner) | nodes.Named(element=inner):
            return least(inner, scope)
        case _:
            return 1


def _repeat_count(repeat: nodes.Repeat, scope: Scope, counts: list[int]) -> Any:
    """How often; where a list says it for each turn of an outer repeat, `counts` gets them all."""
    value = Evaluator(scope).value(repeat.count)
    if isinstance(value, list):
        counts += (v for v in value if is_integer(v))
        value = per_repetition(value, repeat.count, scope)
    if value is not UNKNOWN and not (is_integer(value) and value >= 0):
        raise Mistake(
            "E408",
            f"a repeat count is an integer of at least 0, and this is {brief(value)}",
            repeat.count.span,
        )
    return value


def _condition(optional: nodes.Optional, scope: Scope) -> Any:
    """Whether an optional element is kept."""
    node: nodes.Expr
    if optional.condition is not None:
        node = optional.condition
    elif isinstance(optional.element, nodes.Layer):
        node = nodes.Name(optional.span, optional.element.name.lower())
    else:
        raise Mistake(
            "E409",
            "`?` after a group needs its condition in parentheses",
            optional.span,
            help=[f"write {optional.element.span.text}?(name) and `param name = true`"],
        )
    value = Evaluator(scope).value(node)
    if isinstance(value, list):
        value = per_repetition(value, node, scope)
    if value is not UNKNOWN and not isinstance(value, bool) and value not in (0, 1):
        raise Mistake("E407", f"`?` asks for true or false, and this is {brief(value)}", node.span)
    return value


def _turns(loop: nodes.For, names: list[str], scope: Scope) -> Any:
    """What the loop's names stand for in each turn."""
    items = Evaluator(scope).value(loop.items)
    if items is UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list):
        raise Mistake(
            "E410", f"`for` goes through a list, and this is {brief(items)}", loop.items.span
        )
    return [_unpack(names, item, loop) for item in items]


def _unpack(names: list[str], item: Any, loop: nodes.For) -> dict[str, object]:
    if len(names) == 1:
        return {names[0]: item}
    if not isinstance(item, list | tuple) or len(item) != len(names):
        raise Mistake(
            "E410",
            f"`for {', '.join(names)}` takes {len(names)} values from each item,"
            f" and {brief(item)} is not {len(names)}",
            loop.items.span,
        )
    return dict(zip(names, item, strict=True))


def _not_built(what: str, span: Span) -> Mistake:
    return Mistake("E202", f"{what} is not built yet", span, "of the language, to come")
