"""Blocks, and what a chain uses: layers, blocks, knobs, names, found without expanding it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.record import Record, State, fresh
from cnnc.dsl.source import Span

from ..arguments import REQUIRED, Argument, Type
from ..values import MOST_SHOWN
from .missing import example_count
from .scope import Scope

MOST_DEEP = 1000  # groups and blocks inside one another: each costs some calls

# A formal takes what any argument of a layer may: the body's layers check it.
ANYTHING = Type("a value", lambda value: value, takes_list=True, open=True)


class Block(State):
    """A block, used like a layer: its arguments are its formals.

    scope    of the file it is written in
    known    the blocks that its body may use
    circle   the names by which it uses itself, where it does
    depth    how many groups and blocks stand inside one another in it; `deep` past the limit
    mended   whether its formals may not be those that are meant, for a syntax error
    least    at least how many layers a use of it counts for, once that is worked out
    """

    noun: ClassVar[str] = "argument"
    by_place: ClassVar[tuple[str, ...]] = ()

    node: nodes.Block
    known: Mapping[str, Block]
    scope: Scope = fresh(factory=Scope)
    circle: tuple[str, ...] = ()
    depth: int = 0
    deep: bool = False
    mended: bool = False
    least: int | None = None

    @property
    def word(self) -> str:
        """How it is called."""
        return self.node.name.id

    @property
    def refused(self) -> bool:
        """Whether it was reported as such, so that its uses are not checked."""
        names = {formal.name.id for formal in self.node.formals}
        wrong = self.deep or self.mended or len(names) < len(self.node.formals)
        return wrong or bool(self.circle)

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


class Free(Record):
    """The first use of a knob that is not declared, and a value that it could have there."""

    span: Span
    example: str


class Reach(State):
    """What the net's chain uses, with all that the blocks in it use.

    layers     layer words, and where they are first used
    uses       how often each block stands in the text
    free       knobs that counts and options name and nothing declares
    switches   the knobs of `POOL?`
    given      the names that `as` gives: in how many bodies (the chain, each block) they stand
    twice      names that one body gives twice: where first, and where again
    lets       of the file, to find examples for its free knobs
    """

    layers: dict[str, Span] = fresh(factory=dict)
    uses: dict[Block, int] = fresh(factory=dict)
    free: dict[str, Free] = fresh(factory=dict)
    switches: dict[str, Span] = fresh(factory=dict)
    given: Counter[str] = fresh(factory=Counter)
    twice: list[tuple[nodes.Name, nodes.Name]] = fresh(factory=list)
    lets: Mapping[str, nodes.Setting | nodes.Knob] = fresh(factory=dict)
    waiting: list[Block] = fresh(factory=list)  # used, and not yet gone through

    def body(
        self, chain: nodes.Chain, known: Mapping[str, Block], declared: frozenset[str]
    ) -> None:
        """Add what a chain uses; `declared` are the file's knobs and lets, and the formals."""
        self._body(chain, known, declared)
        while self.waiting:
            block = self.waiting.pop()
            file, formals = block.scope, frozenset(block.arguments)
            self._body(block.node.body, block.known, formals | {*file.lets, *file.imported})

    def _body(
        self, chain: nodes.Chain, known: Mapping[str, Block], declared: frozenset[str]
    ) -> None:
        self._scan(chain, known, declared, frozenset())
        first: dict[str, nodes.Name] = {}
        for name in names_given(chain):
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
                self._scannames_given(count, bound, str(runs))
                if isinstance(count, nodes.Number) and isinstance(count.value, int):
                    runs = count.value
                self._scan(element, known, bound, around | {runs})
                return
            case nodes.Optional(element=element, condition=None):
                switch = switch_of(element)
                if switch is not None and switch not in bound:
                    self.switches.setdefault(switch, node.span)
            case nodes.Optional(condition=condition):
                self._scannames_given(condition, bound, "true")
        for child in nodes.children(node):
            self._scan(child, known, bound, around)

    def _layer(self, use: nodes.Layer, known: Mapping[str, Block]) -> None:
        self.layers.setdefault(use.name, use.name_span)
        block = known.get(use.name)
        if block is None:
            return
        if block not in self.uses:
            self.waiting.append(block)
        self.uses[block] = self.uses.get(block, 0) + 1

    def _scannames_given(self, node: Any, bound: frozenset[str], example: str) -> None:
        """Find the undeclared names in a value that could be `example`."""
        match node:
            case nodes.Name(id=name):
                if name not in bound:
                    self.free.setdefault(name, Free(node.span, example))
                return
            case nodes.Logical() | nodes.Unary(op="not"):
                example = "true"
            case nodes.Conditional(test=test):
                self._scannames_given(test, bound, "true")
            case nodes.ListValue():
                pass  # each item could be it
            case _:
                example = "2"
        for child in nodes.children(node):
            if not (isinstance(node, nodes.Call) and child is node.function):
                self._scannames_given(child, bound, example)


def switch_of(element: nodes.Element) -> str | None:
    """The knob of `x?` without a condition: the layer's name in lower case; None for a group."""
    while isinstance(element, nodes.Named | nodes.Shaped):
        element = element.element
    return element.name.lower() if isinstance(element, nodes.Layer | nodes.Branching) else None


def find_circles(blocks: Mapping[str, Block], found: Diagnostics) -> None:
    """Report the blocks that use themselves, directly or around, each circle once.

    And those that would be too deep once they are expanded, the first of them.
    """
    done: set[Block] = set()
    for block in blocks.values():
        if block not in done:
            _search(block, done, found)
    deep = next((block for block in blocks.values() if block.deep), None)
    if deep is not None:
        found.add(
            Diagnostic(
                "E902",
                f"block {deep.word} has more than {MOST_DEEP:,} groups and blocks inside one"
                " another, once the blocks in it are expanded",
                deep.node.name.span,
                help=("say it in one block, or with fewer groups",),
            )
        )


def _search(root: Block, done: set[Block], found: Diagnostics) -> None:
    """Go through what a block uses, depth first; with no recursion, as deep as blocks go."""
    path = {root: _uses(root)}  # in the order in which each uses the next
    while path:
        block, uses = next(reversed(path.items()))
        used = next(uses, (None, 0))[0]
        if used is None:
            del path[block]
            done.add(block)
            _measure(block)
        elif used in path:
            _circle([*path][[*path].index(used) :], found)
        elif used not in done:
            path[used] = _uses(used)


def _measure(block: Block) -> None:
    """How deep a block is, now that those in it are known."""
    depths = [depth + used.depth for used, depth in _uses(block) if not used.refused]
    block.depth = max(depths, default=0)
    block.deep = block.depth > MOST_DEEP


def _circle(circle: list[Block], found: Diagnostics) -> None:
    if any(block.circle for block in circle):
        return
    block = circle[0]
    names = tuple(b.word for b in (*circle, block))
    for member in circle:
        member.circle = names
    shown = names if len(names) <= MOST_SHOWN else (*names[:4], "…", *names[-2:])
    found.add(
        Diagnostic(
            "E214",
            f"block {block.word} uses itself: {' -> '.join(shown)}",
            _use_of(circle[-1], block),
            "here it comes round",
            help=("a chain that is repeated is written [ … ]*N",),
            related=(Related(f"block {block.word}", block.node.name.span),),
        )
    )


def _uses(block: Block) -> Iterator[tuple[Block, int]]:
    """The blocks that a block uses, each with how deep it stands in it."""
    for use, depth in _layers(block.node.body):
        if use.name in block.known:
            yield block.known[use.name], depth


def _use_of(user: Block, block: Block) -> Span:
    return next(u.name_span for u, _ in _layers(user.node.body) if user.known.get(u.name) is block)


def names_given(node: Any) -> list[nodes.Name]:
    """The names that `as` gives below a node, in order."""
    own = [node.name] if isinstance(node, nodes.Named) else []
    return [name for child in nodes.children(node) for name in names_given(child)] + own


def _layers(node: Any, depth: int = 0) -> Iterator[tuple[nodes.Layer, int]]:
    """The layers below a node, each with how many elements it stands in, itself too."""
    depth += not isinstance(node, nodes.Chain)
    if isinstance(node, nodes.Layer):
        yield node, depth
        return
    for child in nodes.children(node):
        yield from _layers(child, depth)
