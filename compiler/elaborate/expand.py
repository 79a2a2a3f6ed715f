"""A chain with its repeats, options and loops, run through from front to back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostics, Related
from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Span

from ..arguments import BadValue
from ..layers.layer import Layer
from ..layers.merge import Merge
from ..layers.side_exit import Aux
from ..values import brief, is_integer
from .bind import Binder
from .blocks import Block
from .build import Builder, SideExit
from .evaluate import Evaluator, tapped
from .lookups import (
    condition_of,
    default_value,
    layer_class,
    least,
    least_of_block,
    least_of_body,
    repeat_count,
    takes_name,
    turns_of,
    without_branches,
)  # fmt: skip
from .names import NOT_KNOWN, Given, Label, Tensor
from .scope import UNKNOWN, Mistake, Repetition, Scope
from .trials import Change, Changes, Turns

MOST_LAYERS = 100_000  # after expansion; ID and what repeats nothing count too
MOST_VISITS = 1_000_000  # of elements: of groups too, which may be many around few layers


class TooLarge(Exception):
    """The expanded net passes the limit; nothing more is expanded."""


class Expander(State):
    """Walks the tree with what flows through it, and hands the builder one layer after another.

    numbered   the names that stand in several bodies: their outputs are numbered
    several    the blocks that stand at several places of the text
    twice      the names that were given twice, so that nobody knows which is meant
    items      the expanded chain so far, as text
    changes    of the text, that are tried out
    most       layers that the net may expand to, where it is not the usual limit
    most_turns of each repeat that are gone through, where it is not all of them
    """

    binder: Binder
    builder: Builder
    numbered: frozenset[str] = frozenset()
    several: frozenset[Block] = frozenset()
    twice: frozenset[str] = frozenset()
    numbers: Counter[str] = fresh(factory=Counter)
    items: list[str] = fresh(factory=list)
    changes: Changes = fresh(factory=dict)
    most: int | None = None
    most_turns: int | None = None
    layers: int = 0
    visited: int = 0

    def chain(
        self, chain: nodes.Chain, x: Tensor | None, scope: Scope, head: bool = False
    ) -> Tensor | None:
        """All elements, in order; `head` says that a tap may stand at the front."""
        for number, element in enumerate(chain.elements):
            x = self.element(element, x, scope, head and number == 0)
        return x

    def element(
        self, element: nodes.Element, x: Tensor | None, scope: Scope, head: bool = False,
        label: Label | None = None,
    ) -> Tensor | None:  # fmt: skip
        """One element: a layer or something around layers. None is what flows before INPUT.

        label   the name of its output, for a layer to take as its own
        """
        self.visited += 1
        if self.visited > MOST_VISITS:
            raise self._too_large(element.span, f"is more than {MOST_VISITS:,} steps to expand")
        try:
            match element:
                case nodes.Layer():
                    return self._layer(element, x, scope, head, label)
                case nodes.Group(chain=chain):
                    return self.chain(chain, x, scope, head)
                case nodes.Repeat():
                    return self._repeat(element, x, scope)
                case nodes.Optional():
                    return self._optional(element, x, scope, head, label)
                case nodes.For():
                    return self._for(element, x, scope)
                case nodes.Shaped():
                    return self._shaped(element, x, scope, head, label)
                case nodes.Branching(name="AUX"):
                    return self._aux(element, x, scope)
                case nodes.Branching():
                    return self._merge(element, x, scope, label)
                case nodes.Tap():
                    return self._tap(element, scope, head)
                case nodes.Named():
                    return self._named(element, x, scope, head)
            raise AssertionError(element)
        except Mistake as mistake:
            self.binder.found.add(mistake.diagnostic)
            return NOT_KNOWN

    def _known(self, evaluate: Callable[[], Any]) -> Any:
        """A value, or UNKNOWN after reporting why there is none."""
        try:
            return evaluate()
        except Mistake as mistake:
            self.binder.found.add(mistake.diagnostic)
            return UNKNOWN

    def _count(self, layers: int, span: Span) -> None:
        """Refuse what would pass the limit."""
        most = MOST_LAYERS if self.most is None else self.most
        if self.layers + layers > most:
            raise self._too_large(span, f"expands to more than {most:,} layers")

    def _branch(self, chain: nodes.Chain, x: Tensor | None, scope: Scope) -> tuple[Any, str]:
        """What a branch gives, and its text."""
        around, self.items = self.items, []
        y = self.chain(chain, x, scope, head=True)
        change = self.changes.get(chain.span)
        if change is not None and change.behind is not None:
            y = self.builder.add(change.behind, [y], chain.span)
        text = " -> ".join(self.items) or "ID"
        self.items = around
        return y, text

    # -- layers and merges --------------------------------------------------------------

    def _layer(
        self, use: nodes.Layer, x: Tensor | None, scope: Scope, head: bool, label: Label | None
    ) -> Tensor | None:
        block = scope.blocks.get(use.name)
        if block is not None:
            return self._block(use, block, x, scope, head)
        self._count(1, use.span)
        self.layers += 1
        if use.name == "ID":
            if use.args:
                raise Mistake("E404", "ID takes no arguments", use.args[0].span)
            return x
        if scope.whole.partial and not use.name.isupper() and "." not in use.name:
            return NOT_KNOWN  # a block, perhaps, of what could not be read
        cls = layer_class(use, scope.blocks, scope.taps.names())
        if issubclass(cls, Merge):
            raise without_branches(use, f"{use.name}{{ … | … }}")
        if cls.family == "input" and x is not None:
            quiet = Binder(Diagnostics())  # what is wrong with its shape is a smaller matter
            inside = quiet.make(cls, use.args, use.span, scope) if use.args else None
            self.builder.refuse_input(inside, x, use.span)
            return x
        layer: Layer | None = self.binder.make(cls, use.args, use.span, scope)
        if use.span in self.changes:
            return self._changed(self.changes[use.span], layer, x, use.span, label)
        made = self.builder.add(layer, [x], use.span, label)
        if layer is not None:
            self._write(layer.written(), label)
        return made

    def _changed(
        self, change: Change, layer: Layer | None, x: Tensor | None, use: Span,
        label: Label | None,
    ) -> Tensor | None:  # fmt: skip
        """A layer with a change that is tried out."""
        if change.left_out:
            return x
        if change.before is not None:
            x = self.builder.add(change.before, [x], use)
        try:
            layer = change.instead or (layer and layer.replace(**change.arguments))
        except BadValue:
            layer = None
        return self.builder.add(layer, [x], use, label)

    def _write(self, text: str, label: Label | None) -> None:
        self.items.append(f"{text} as {label.name}" if label else text)

    def _merge(
        self, node: nodes.Branching, x: Tensor | None, scope: Scope, label: Label | None
    ) -> Tensor:
        use = nodes.Layer(node.name_span, node.name, node.args, node.name_span)
        cls = layer_class(use, scope.blocks, scope.taps.names())
        if not issubclass(cls, Merge):
            raise Mistake(
                "E411", f"{node.name} has no branches", node.name_span, "only merges have",
                ["merges are CONCAT, ADD and MUL; a side exit is AUX"],
            )  # fmt: skip
        self._count(1, node.name_span)
        self.layers += 1
        branches = [self._branch(branch, x, scope) for branch in node.branches]
        if len(branches) < 2:
            raise Mistake(
                "E411", f"{node.name} merges at least two branches, and this is one",
                node.name_span,
                help=[f"{node.name}{{ … | ID }} merges it with its input, unchanged"],
            )  # fmt: skip
        layer: Any = self.binder.make(cls, node.args, node.name_span, scope)
        text = f"{node.name}{{ {' | '.join(text for _, text in branches)} }}"
        spans = [branch.span for branch in node.branches]
        self._write(text, label)
        return self.builder.add(layer, [y for y, _ in branches], node.name_span, label, spans)

    def _aux(self, node: nodes.Branching, x: Tensor | None, scope: Scope) -> Tensor | None:
        """A side exit: its chain beside the net, which goes on as if it were not there."""
        aux = self.binder.make(Aux, node.args, node.name_span, scope)
        if len(node.branches) > 1:
            raise Mistake("E411", "AUX has one chain", node.branches[1].span, "a second one",
                          ["write two AUX, one after the other"])  # fmt: skip
        if self.builder.aux:
            raise Mistake("E411", "a side exit stands in another", node.name_span,
                          help=["put it beside the other one"])  # fmt: skip
        before = len(self.builder.layers)
        self.builder.aux = True
        try:
            y, text = self._branch(node.branches[0], x, scope)
        finally:
            self.builder.aux = False
        if aux is None or y is None or y.maker is None:
            return x
        if len(self.builder.layers) == before or not y.maker.aux:
            raise Mistake("E411", "AUX's chain has no layer", node.name_span,
                          help=["it ends in a layer that gives the classes: FC(10)"])  # fmt: skip
        self.builder.exits.append(SideExit(y, aux.weight, node.name_span))
        self.items.append(f"{aux.written()}{{ {text} }}")
        return x

    # -- blocks ---------------------------------------------------------------------------

    def _block(
        self, use: nodes.Layer, block: Block, x: Tensor | None, scope: Scope, head: bool
    ) -> Tensor | None:
        if block.refused:
            return NOT_KNOWN
        self._count(least_of_block(block), use.span)
        values = self.binder.values(block, use.args, use.span, scope)
        if values is None:
            return NOT_KNOWN
        place = Related(f"in this use of {block.word}", use.span)
        with self.binder.found.within(place):
            inner = self._formals(block, values, scope)
            return self.chain(block.node.body, x, inner, head)

    def _formals(self, block: Block, values: dict[str, Any], use: Scope) -> Scope:
        """The scope inside a block: its formals, from left to right, with their defaults."""
        many = use.many or block in self.several
        bound: dict[str, object] = {}
        for formal in block.node.formals:
            name = formal.name.id
            if name not in values and formal.default is not None:
                inner = block.scope.inside(dict(bound), use, many)
                values[name] = self._known(partial(default_value, formal.default, inner))
            bound[name] = values.get(name, UNKNOWN)
        return block.scope.inside(bound, use, many)

    # -- names ----------------------------------------------------------------------------

    def _named(
        self, named: nodes.Named, x: Tensor | None, scope: Scope, head: bool
    ) -> Tensor | None:
        label = self._label(named.name, scope)
        if takes_name(named.element, scope):
            before = len(self.items)
            y = self.element(named.element, x, scope, head, label)
            if len(self.items) == before and y is not NOT_KNOWN:
                self.items.append(f"ID as {label.name}")  # `POOL? as p` without its POOL
        else:
            around, self.items = self.items, []
            y = self.element(named.element, x, scope, head)
            text, self.items = " -> ".join(self.items), around
            self.items.append(f"[{text}] as {label.name}" if text else f"ID as {label.name}")
        if y is not None:
            name = named.name.id
            scope.taps.give(name, Given(label, NOT_KNOWN if name in self.twice else y))
        return y

    def _label(self, name: nodes.Name, scope: Scope) -> Label:
        """The whole name: numbered where its place may be expanded more than once."""
        if "." in name.id:
            if scope.many:
                short = name.id.partition(".")[0]
                raise Mistake(
                    "E216", f"{name.id} says its number, where it is given several times",
                    name.span,
                    help=[f"write `as {short}`: the numbers come by themselves"],
                )  # fmt: skip
            return Label(name.id, name.span)
        if not scope.many and name.id not in self.numbered:
            return Label(name.id, name.span)
        self.numbers[name.id] += 1
        return Label(f"{name.id}.{self.numbers[name.id]}", name.span)

    def _tap(self, tap: nodes.Tap, scope: Scope, head: bool) -> Tensor:
        if not head:
            raise Mistake(
                "E217", f"@{tap.name} stands inside a chain", tap.span, "what came before is lost",
                [f"a tap heads a branch: CONCAT{{ ID | @{tap.name} }}"],
            )  # fmt: skip
        value = tapped(tap.name, tap.span, scope)
        if value is UNKNOWN:
            return NOT_KNOWN
        if value.maker.aux and not self.builder.aux:
            raise Mistake(
                "E217", f"@{tap.name} stands in a side exit, which does not run in prediction",
                tap.span, help=["name an output of the net itself"],
            )  # fmt: skip
        self.items.append(f"@{value.name}")
        return Tensor(value.maker)

    # -- what stands around layers ------------------------------------------------------

    def _repeat(self, repeat: nodes.Repeat, x: Tensor | None, scope: Scope) -> Tensor | None:
        counts: list[int] = []
        count = self._known(lambda: repeat_count(repeat, scope, counts))
        if count is UNKNOWN:
            self.element(repeat.element, x, scope.repeating(Repetition(0, UNKNOWN)))
            return NOT_KNOWN
        change = self.changes.get(repeat.count.span)
        if change is not None and change.times is not None:
            count = change.times
        shown = count if self.most_turns is None else min(count, self.most_turns)
        self._count(shown * least(repeat.element, scope), repeat.span)
        self.layers += count == 0
        turns = Turns(repeat.count.span, count, not counts)
        self.builder.repeats.append(turns)
        for index in range(shown):
            turn = Repetition(index, count, frozenset(counts) or None, repeat.count.span)
            turns.begun += 1
            x = self.element(repeat.element, x, scope.repeating(turn))
        turns.ended = True
        return x

    def _optional(
        self, optional: nodes.Optional, x: Tensor | None, scope: Scope, head: bool,
        label: Label | None,
    ) -> Tensor | None:  # fmt: skip
        holds = self._known(lambda: condition_of(optional, scope))
        if holds is UNKNOWN:
            self.element(optional.element, x, scope, head)
            return NOT_KNOWN
        if holds:
            return self.element(optional.element, x, scope, head, label)
        self._count(1, optional.span)
        self.layers += 1
        return x

    def _for(self, loop: nodes.For, x: Tensor | None, scope: Scope) -> Tensor | None:
        names = [target.id for target in loop.targets]
        turns = self._known(lambda: turns_of(loop, names, scope))
        if turns is UNKNOWN:
            inner = scope.repeating(Repetition(0, UNKNOWN))
            self.chain(loop.body, x, inner.bind(dict.fromkeys(names, UNKNOWN)))
            return NOT_KNOWN
        shown = turns[: self.most_turns]
        self._count(max(1, len(shown) * least_of_body(loop, scope)), loop.span)
        self.layers += not turns
        for index, values in enumerate(shown):
            turn = Repetition(index, len(turns), None, loop.items.span)
            inner = scope.repeating(turn)
            x = self.chain(loop.body, x, inner.bind(values))
        return x

    def _shaped(
        self, shaped: nodes.Shaped, x: Tensor | None, scope: Scope, head: bool,
        label: Label | None,
    ) -> Tensor | None:  # fmt: skip
        x = self.element(shaped.element, x, scope, head, label)
        wanted = Evaluator(scope).value(shaped.shape)
        if is_integer(wanted):
            wanted = (wanted,)
        if wanted is UNKNOWN:
            return x
        shape = isinstance(wanted, tuple) and wanted
        if not shape or not all(is_integer(n) and n > 0 for n in shape):
            raise Mistake(
                "E403", f":: is followed by a shape, and this is {brief(wanted)}", shaped.shape.span
            )
        self.builder.expect_shape(x, wanted, shaped.shape.span)
        return x

    def _too_large(self, span: Span, what: str) -> TooLarge:
        mistake = Mistake("E904", f"the net {what}", span, "the limit; empty turns count too")
        self.binder.found.add(mistake.diagnostic)
        return TooLarge()
