"""The syntax tree of a `.cnn` file: what was written, not yet what it means.

Every node has the span that it was written at; two trees are equal when they say the
same, wherever they stand. Numbers keep their text (`61_706`, `100k`).
"""

from __future__ import annotations

from collections.abc import Iterator

from .record import Record
from .source import Source, Span


class Node(Record):
    """The base of all nodes."""

    uncompared = frozenset({"span", "name_span"})

    span: Span


# -- values ---------------------------------------------------------------------------


class Number(Node):
    """`64`, `61_706`, `1.5M`, `512MB`, `0.05`; `value` has the suffix worked in."""

    value: int | float
    text: str


class Boolean(Node):
    """`true` or `false`."""

    value: bool


class String(Node):
    """`"text"`; `value` is without the quotes."""

    value: str


class ShapeLiteral(Node):
    """`3x32x32`, `5x5`."""

    dims: tuple[int, ...]


class Name(Node):
    """A knob, a constant, a block's formal, a loop's name or a word like `same`."""

    id: str


class TapReference(Node):
    """`@name` as an argument's value: UNPOOL(@pool1)."""

    name: str


class ListValue(Node):
    """`[a, b]`."""

    items: tuple[Expr, ...]


class TupleValue(Node):
    """`(a, b)`, `(a,)` or `()`."""

    items: tuple[Expr, ...]


class Unary(Node):
    """`-a`, `+a`, `not a`."""

    op: str
    operand: Expr


class Binary(Node):
    """A left-to-right run of operators of one precedence: `a + b - c`, `a * b // c`.

    A run and not a tree of pairs, so that a long sum is no deeper than a short one.
    `**`, which associates to the right, has exactly one item in `rest`.
    """

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


class Compare(Node):
    """`a < b <= c`, with Python's meaning of a chain."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


class Logical(Node):
    """`a and b and c`, `a or b`."""

    op: str
    operands: tuple[Expr, ...]


class Conditional(Node):
    """`then if test else other`."""

    then: Expr
    test: Expr
    other: Expr


class Argument(Node):
    """`value` or `name=value` in a call or a layer. `name_span` is the name's place."""

    name: str | None
    value: Expr
    name_span: Span | None = None


class Call(Node):
    """`max(a, b)`, `memory(batch=64)`, `sgd(momentum=0.9)`."""

    function: Name
    args: tuple[Argument, ...]


Expr = (
    Number
    | Boolean
    | String
    | ShapeLiteral
    | Name
    | TapReference
    | ListValue
    | TupleValue
    | Unary
    | Binary
    | Compare
    | Logical
    | Conditional
    | Call
)


# -- chains ---------------------------------------------------------------------------


class Layer(Node):
    """`CONV`, `CONV(64, 3)`, `residual(64)`: a layer, a custom layer or a block.

    `args` is None where no parentheses were written. `name_span` covers the name alone.
    """

    name: str
    args: tuple[Argument, ...] | None
    name_span: Span


class Branching(Node):
    """`CONCAT{ a | b }`, `ADD{ … }`, `MUL{ … }`, `AUX(0.3){ chain }`."""

    name: str
    args: tuple[Argument, ...] | None
    branches: tuple[Chain, ...]
    name_span: Span


class Tap(Node):
    """`@name` at the head of a branch."""

    name: str


class Group(Node):
    """`[ chain ]`."""

    chain: Chain


class For(Node):
    """`for a, b in items [ chain ]`."""

    targets: tuple[Name, ...]
    items: Expr
    body: Chain


class Repeat(Node):
    """`x*N`."""

    element: Element
    count: Expr


class Optional(Node):
    """`x?` or `x?(condition)`."""

    element: Element
    condition: Expr | None


class Named(Node):
    """`x as name`."""

    element: Element
    name: Name


class Shaped(Node):
    """`x :: 64x16x16`."""

    element: Element
    shape: Expr


Element = Layer | Branching | Tap | Group | For | Repeat | Optional | Named | Shaped


class Chain(Node):
    """`a -> b -> c`; also the statement that is the net itself."""

    elements: tuple[Element, ...]


# -- statements -----------------------------------------------------------------------


class Net(Node):
    """`net NAME`."""

    name: Name


class Knob(Node):
    """`NAME = value` or `NAME = value in choices` of a `param` statement."""

    name: Name
    value: Expr
    choices: Expr | None


class Param(Node):
    """`param N = 2 in [1, 2, 3], M = 2`."""

    knobs: tuple[Knob, ...]


class Setting(Node):
    """`NAME = value` of a `let` or a `train` statement."""

    name: Name
    value: Expr


class Let(Node):
    """`let a = 1, b = a + 1`."""

    settings: tuple[Setting, ...]


class Default(Node):
    """`default CONV(width, 3, pad=same)`."""

    layer: Layer


class Formal(Node):
    """A formal of a block, with its default or None."""

    name: Name
    default: Expr | None


class Block(Node):
    """`block NAME(formals) = chain`."""

    name: Name
    formals: tuple[Formal, ...]
    body: Chain


class Import(Node):
    """`import "file.cnn"`."""

    path: String


class Expect(Node):
    """`expect condition`."""

    condition: Expr


class Train(Node):
    """`train { name = value … }`."""

    settings: tuple[Setting, ...]


Statement = Net | Param | Let | Default | Block | Import | Expect | Train | Chain


class File(Record):
    """A whole file: its statements in the order that they were written."""

    uncompared = frozenset({"source"})

    statements: tuple[Statement, ...]
    source: Source


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node, in the order of its fields."""
    for name in node.__match_args__:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple):  # the (operator, value) pairs of a run
                    yield item[1]
