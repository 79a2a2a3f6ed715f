"""Blocks, and what a chain uses: layers, blocks, knobs, names, found without expanding it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.source import Span

from ..arguments import REQUIRED, Argument, Type
from .missing import example_count
from .scope import Scope

# A formal takes what any argument of a layer may: the body's layers check it.
ANYTHING = Type("a value", lambda value: value, takes_list=True, open=True)


@dataclass(eq=False)
class Block:
    """A block, used like a layer: its arguments are its formals.

    scope    of the file it is written in
    known    the blocks that its body may use
    circle   the names by which it uses itself, where it does
    least    at least how many layers a use of it counts for, once that is worked out
    """

    noun: ClassVar[str] = "argument"
    later: ClassVar[tuple[str, ...]] = ()
    by_place: ClassVar[tuple[str, ...]] = ()

    node: nodes.Block
    known: Mapping[str, Block]
    scope: Scope = field(default_factory=Scope)
    circle: tuple[str, ...] = ()
    least: int | None = None

    @property
    def word(self) -> str:
        """How it is called."""
        return self.node.name.id

    @property
    def refused(self) -> bool:
        """Whether it was reported as such, so that its uses are not checked."""
        names = {formal.name.id for formal in self.node.formals}
        return bool(self.circle) or len(names) < len(self.node.formals)

    @property
    def arguments(self) -> dict[str, Argument]:
        """Its formals."""
        return {
            formal.name.id: Argument(
                formal.name.id, ANYTHING, "",
                REQUIRED if formal.default is None else formal.default.span.text,
            )
            for formal in self.node.formals
        }  # fmt: skip


@dataclass(frozen=True)
class Free:
    """The first use of a knob that is not declared, and a value that it could have there."""

    span: Span
    example: str


@dataclass
class Reach:
    """What the net's chain uses, with all that the blocks in it use.

    layers     layer words, and where they are first used
    uses       how often each block stands in the text
    free       knobs that counts and options name and nothing declares
    switches   the knobs of `POOL?`
    given      the names that `as` gives: in how many bodies (the chain, each block) they stand
    twice      names that one body gives twice: where first, and where again
    lets       of the file, to find examples for its free knobs
    """

    layers: dict[str, Span] = field(default_factory=dict)
    uses: dict[Block, int] = field(default_factory=dict)
    free: dict[str, Free] = field(default_factory=dict)
    switches: dict[str, Span] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)
    twice: list[tuple[nodes.Name, nodes.Name]] = field(default_factory=list)
    lets: Mapping[str, nodes.Setting | nodes.Knob] = field(default_factory=dict)

    def body(
        self, chain: nodes.Chain, known: Mapping[str, Block], declared: frozenset[str]
    ) -> None:
        """Add what a chain uses; `declared` are the file's knobs and lets, and the formals."""
        self._scan(chain, known, declared, frozenset())
        first: dict[str, nodes.Name] = {}
        for name in _names(chain):
            if first.setdefault(name.id, name) is not name:
                self.twice.append((first[name.id], name))
        self.given.update(first.keys())

    @property
    def numbered(self) -> frozenset[str]:
        """The names that stand in several bodies: what they name is numbered."""
        return frozenset(name for name, bodies in self.given.items() if bodies > 1)

    @property
    def several(self) -> frozenset[Block]:
        """The blocks that are used at several places."""
        return frozenset(block for block, uses in self.uses.items() if uses > 1)

    def knobs(self, declared: Iterable[str]) -> list[str]:
        """All knobs: those that are declared, then the others in the order of the text."""
        places = {name: free.span for name, free in self.free.items()} | self.switches
        names = sorted(places.keys() - {*declared}, key=lambda name: places[name].start)
        return [*declared, *names]

    def _scan(
        self, node: Any, known: Mapping[str, Block], bound: frozenset[str], around: frozenset[int]
    ) -> None:
        """`around` are how often the repeats around run, as far as that is plain to see."""
        match node:
            case nodes.Layer(name=name):
                self._layer(node, known)
                return
            case nodes.Branching(name=name):
                self.layers.setdefault(name, node.name_span)
            case nodes.For(targets=targets, items=items, body=body):
                turns = {len(items.items)} if isinstance(items, nodes.ListValue) else set()
                self._scan(body, known, bound | {t.id for t in targets}, around | turns)
                return
            case nodes.Repeat(element=element, count=count):
                runs = example_count(element, around, self.lets)
                self._scan_names(count, bound, str(runs))
                if isinstance(count, nodes.Number) and isinstance(count.value, int):
                    runs = count.value
                self._scan(element, known, bound, around | {runs})
                return
            case nodes.Optional(element=element, condition=None):
                switch = switch_of(element)
                if switch is not None and switch not in bound:
                    self.switches.setdefault(switch, node.span)
            case nodes.Optional(condition=condition):
                self._scan_names(condition, bound, "true")
        for child in nodes.children(node):
            self._scan(child, known, bound, around)

    def _layer(self, use: nodes.Layer, known: Mapping[str, Block]) -> None:
        self.layers.setdefault(use.name, use.name_span)
        block = known.get(use.name)
        if block is None:
            return
        first = block not in self.uses
        self.uses[block] = self.uses.get(block, 0) + 1
        if first:
            file = block.scope
            formals = frozenset(block.arguments)
            self.body(block.node.body, block.known, formals | {*file.lets, *file.imported})

    def _scan_names(self, node: Any, bound: frozenset[str], example: str) -> None:
        """Find the undeclared names in a value that could be `example`."""
        match node:
            case nodes.Name(id=name):
                if name not in bound:
                    self.free.setdefault(name, Free(node.span, example))
                return
            case nodes.Logical() | nodes.Unary(op="not"):
                example = "true"
            case nodes.Conditional(test=test):
                self._scan_names(test, bound, "true")
            case nodes.ListValue():
                pass  # each item could be it
            case _:
                example = "2"
        for child in nodes.children(node):
            if not (isinstance(node, nodes.Call) and child is node.function):
                self._scan_names(child, bound, example)


def switch_of(element: nodes.Element) -> str | None:
    """The knob of `x?` without a condition: the layer's name in lower case; None for a group."""
    while isinstance(element, nodes.Named | nodes.Shaped):
        element = element.element
    return element.name.lower() if isinstance(element, nodes.Layer | nodes.Branching) else None


def find_circles(blocks: Mapping[str, Block], found: Diagnostics) -> None:
    """Report the blocks that use themselves, directly or around, each circle once."""
    done: set[Block] = set()
    for block in blocks.values():
        _search(block, [], done, found)


def _search(block: Block, path: list[Block], done: set[Block], found: Diagnostics) -> None:
    if block in path:
        circle = path[path.index(block) :]
        names = tuple(b.word for b in (*circle, block))
        if any(b.circle for b in circle):
            return
        for member in circle:
            member.circle = names
        found.add(
            Diagnostic(
                "E214",
                f"block {block.word} uses itself: {' -> '.join(names)}",
                _use_of(circle[-1], block),
                "here it comes round",
                help=("a chain that is repeated is written [ … ]*N",),
                related=(Related(f"block {block.word}", block.node.name.span),),
            )
        )
        return
    if block in done:
        return
    path.append(block)
    for used in _used_blocks(block):
        _search(used, path, done, found)
    path.pop()
    done.add(block)


def _used_blocks(block: Block) -> list[Block]:
    return [block.known[use.name] for use in _layers(block.node.body) if use.name in block.known]


def _use_of(user: Block, block: Block) -> Span:
    return next(u.name_span for u in _layers(user.node.body) if user.known.get(u.name) is block)


def _names(node: Any) -> list[nodes.Name]:
    """The names that `as` gives below a node, in order."""
    own = [node.name] if isinstance(node, nodes.Named) else []
    return [name for child in nodes.children(node) for name in _names(child)] + own


def _layers(node: Any) -> list[nodes.Layer]:
    if isinstance(node, nodes.Layer):
        return [node]
    return [layer for child in nodes.children(node) for layer in _layers(child)]
