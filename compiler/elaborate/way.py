"""The way through the net's chain, to go once, and again for each change that is tried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostics
from cnnc.dsl.record import Record, fresh

from ..layers.registry import LAYERS
from ..suggest import nearest
from .bind import Binder
from .blocks import Block, Reach, names_given
from .build import Builder
from .expand import Expander, TooLarge
from .names import NOT_KNOWN, Taps, Tensor
from .scope import Effort, Scope
from .trials import Changes

MOST_TRIES = 100  # changes that are tried out for one check
MOST_TRIED_LAYERS = 2_000  # of a net that changes are tried out on
HASTY_LAYERS, HASTY_TURNS = 5_000, 8  # of a net, and of a repeat in it, whose text was mended


class Way(Record):
    """A chain with all that is needed to expand it.

    twice   the names that were given twice
    input   from --input
    hasty   whether the text was mended, and only what stands by itself is looked for
    """

    chain: nodes.Chain
    binder: Binder
    reach: Reach
    twice: frozenset[str]
    scope: Scope
    input: nodes.Expr | None
    hasty: bool
    tries: list[Changes] = fresh(factory=list)

    def expander(self, builder: Builder, changes: Changes | None = None) -> Expander:
        """Something that goes it, with changes or without."""
        binder, reach = self.binder, self.reach
        if changes is not None:
            binder = Binder(builder.found, [], binder.replaced, binder.overrides, binder.misread)
        expander = Expander(binder, builder, reach.numbered, reach.several, self.twice)
        if changes is not None:
            expander.changes, expander.most = changes, MOST_TRIED_LAYERS
        elif self.hasty:
            expander.most, expander.most_turns = HASTY_LAYERS, HASTY_TURNS
        return expander

    def go(self, expander: Expander) -> Tensor | None:
        """From front to back, to the net's output."""
        output: Tensor | None = None
        places = {name.id: name.span for name in names_given(self.chain)}
        scope = self.scope.replace(taps=Taps(places=places), effort=Effort())
        head = _head(self.chain, scope.blocks)
        if head not in LAYERS and nearest(head, LAYERS) == "INPUT":
            output = NOT_KNOWN  # a slip of INPUT, which is reported as one
        elif head != "INPUT":
            output = _put_input(self.chain, expander, scope, self.input)
        return expander.chain(self.chain, output, scope)

    def again(self, changes: Changes) -> Builder | None:
        """The net with changes, as far as it can be built; None after many of them."""
        self.tries.append(changes)
        if len(self.tries) > MOST_TRIES:
            return None
        builder = Builder(Diagnostics())
        try:
            self.go(self.expander(builder, changes))
        except TooLarge:
            return None
        return builder


def _head(chain: nodes.Chain, blocks: Mapping[str, Block]) -> str:
    """The name of the first layer of the text, also inside a group or a block."""
    head: Any = chain.elements[0]
    seen: list[Block] = []
    while not isinstance(head, nodes.Layer) or head.name in blocks:
        match head:
            case nodes.Layer(name=name):
                if blocks[name] in seen:
                    return ""
                seen.append(blocks[name])
                head, blocks = blocks[name].node.body.elements[0], blocks[name].known
            case nodes.Group(chain=inner):
                head = inner.elements[0]
            case (
                nodes.Shaped(element=inner)
                | nodes.Named(element=inner)
                | nodes.Repeat(element=inner)
                | nodes.Optional(element=inner)
            ):
                head = inner
            case nodes.For(body=inner):
                head = inner.elements[0]
            case _:
                return ""
    return head.name


def _put_input(
    chain: nodes.Chain, expander: Expander, scope: Scope, input: nodes.Expr | None
) -> Tensor | None:
    """A chain without INPUT takes it from --input."""
    at = chain.elements[0].span
    place = input.span if input is not None else at
    use = nodes.Layer(place, "INPUT", None, at)
    return expander.element(use, None, scope)
