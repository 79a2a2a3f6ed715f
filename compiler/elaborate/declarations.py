"""What a file declares: its statements, sorted by kind."""

from __future__ import annotations

from collections.abc import Container
from itertools import zip_longest

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Span

from ..layers.registry import LAYERS
from ..suggest import nearest
from .scope import Mistake


def _twice(word: str, again: nodes.Node, first: nodes.Node | None) -> Mistake:
    return Mistake(
        "E209", f"a file has one `{word}` statement", again.span, "a second one",
        ["delete one of the two, or put them together"],
        related=[Related("the first one", first.span)] if first else [],
    )  # fmt: skip


_CALLED = {"model": "net", "network": "net", "name": "net"}  # by other languages


class Declarations(State):
    """A file's statements, sorted by kind.

    chains   more than one only by mistake: then one that begins with INPUT comes first
    """

    name: str | None = None
    net: nodes.Net | None = None
    knobs: dict[str, nodes.Knob] = fresh(factory=dict)
    lets: dict[str, nodes.Setting] = fresh(factory=dict)
    defaults: list[nodes.Default] = fresh(factory=list)
    expects: list[nodes.Expect] = fresh(factory=list)
    train: nodes.Train | None = None
    chains: list[nodes.Chain] = fresh(factory=list)
    blocks: dict[str, nodes.Block] = fresh(factory=dict)
    imports: list[nodes.Import] = fresh(factory=list)

    @staticmethod
    def of(file: nodes.File, found: Diagnostics) -> Declarations:
        """Sort a file's statements; what stands twice is reported."""
        result = Declarations()
        blocks = {s.name.id for s in file.statements if isinstance(s, nodes.Block)}
        body: nodes.Statement | None = None  # of a misspelt statement
        statements: list[nodes.Statement] = []
        for statement, after in zip_longest(file.statements, file.statements[1:]):
            if statement is body:
                continue
            meant = _meant(statement, after, blocks)
            if meant is not None:
                found.add(_misspelt(statement, meant))
                statement, body = meant, after
            statements.append(statement)
        if sum(isinstance(statement, nodes.Chain) for statement in statements) > 1:
            from .chains import joined  # only a file with a mistake needs it

            statements = joined(statements, blocks, found)
        for statement in statements:
            try:
                result._take(statement, found)
            except Mistake as mistake:
                found.add(mistake.diagnostic)
        result.chains.sort(key=lambda chain: not _begins_with_input(chain))
        return result

    @property
    def constants(self) -> frozenset[str]:
        """The names that knobs and lets declare."""
        return frozenset({*self.knobs, *self.lets})

    def _take(self, statement: nodes.Statement, found: Diagnostics) -> None:
        match statement:
            case nodes.Net(name=name):
                if self.name is not None:
                    raise _twice("net", statement, self.net)
                self.name, self.net = name.id, statement
            case nodes.Param(knobs=knobs):
                for knob in knobs:
                    self._declare(knob.name, found)
                    self.knobs.setdefault(knob.name.id, knob)
            case nodes.Let(settings=settings):
                for setting in settings:
                    self._declare(setting.name, found)
                    self.lets.setdefault(setting.name.id, setting)
            case nodes.Default():
                self.defaults.append(statement)
            case nodes.Expect():
                self.expects.append(statement)
            case nodes.Train():
                if self.train is not None:
                    raise _twice("train", statement, self.train)
                self.train = statement
            case nodes.Chain():
                self.chains.append(statement)
            case nodes.Block():
                self._take_block(statement, found)
            case nodes.Import():
                self.imports.append(statement)

    def _take_block(self, block: nodes.Block, found: Diagnostics) -> None:
        name = block.name
        if name.id in (*LAYERS, "ID", "AUX"):
            raise Mistake("E209", f"{name.id} is a layer, and a block cannot have its name",
                          name.span, help=["give the block another name"])  # fmt: skip
        if name.id in self.blocks:
            first = Related("the first time", self.blocks[name.id].name.span)
            raise Mistake("E209", f"block {name.id} is declared twice", name.span,
                          help=["give one of the two another name"], related=[first])  # fmt: skip
        self.blocks[name.id] = block
        formals: dict[str, Span] = {}
        for formal in block.formals:
            if formal.name.id in formals:
                found.add(
                    Diagnostic(
                        "E209", f"block {name.id} has two formals {formal.name.id}",
                        formal.name.span,
                        related=(Related("the first one", formals[formal.name.id]),),
                    )
                )  # fmt: skip
            formals.setdefault(formal.name.id, formal.name.span)

    def _declare(self, name: nodes.Name, found: Diagnostics) -> None:
        first = self.knobs.get(name.id) or self.lets.get(name.id)
        if first:
            found.add(
                Diagnostic(
                    "E209", f"{name.id} is declared twice", name.span,
                    help=("give one of the two another name",),
                    related=(Related("the first time", first.name.span),),
                )
            )  # fmt: skip


def _begins_with_input(chain: nodes.Chain) -> bool:
    head = chain.elements[0]
    return isinstance(head, nodes.Layer) and head.name == "INPUT"


def _meant(
    statement: nodes.Statement, after: nodes.Statement | None, blocks: Container[str]
) -> nodes.Statement | None:
    """What `defalut FC(10)` and `nte LeNet` mean: by the grammar each is two chains in a row."""
    match statement, after:
        case (
            nodes.Chain(elements=(nodes.Layer(name=word, args=None),)),
            nodes.Chain(elements=(nodes.Layer() as said,)),
        ) if _may_be_a_statement(word) and word not in blocks:
            meant = _CALLED.get(word.lower()) or nearest(word, ("default", "net"))
            if meant == "default":
                return nodes.Default(statement.span.to(said.span), said)
            if meant == "net":
                return nodes.Net(
                    statement.span.to(said.span), nodes.Name(said.name_span, said.name)
                )
    return None


def _may_be_a_statement(word: str) -> bool:
    return word.islower() or word.lower() in ("default", "net", *_CALLED)


def _misspelt(statement: nodes.Statement, meant: nodes.Statement) -> Diagnostic:
    word, name = type(meant).__name__.lower(), statement.span.text
    help = f"did you mean the statement `{word} …`?"
    return Diagnostic("E201", f"there is no layer {name}", statement.span, help=(help,))
