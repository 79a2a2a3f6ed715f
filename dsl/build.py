"""From tokens to the syntax tree: one method for each rule of `cnn.lark`.

The parser calls a method as soon as its rule is complete, with the tokens and nodes that the
rule is made of, so no second tree is kept and deep nesting needs no recursion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from lark import Token

from . import nodes as n
from .diagnostics import Diagnostic
from .limits import LARGEST_DIM, LARGEST_INTEGER, too_large_dim, too_large_number
from .numerals import integers, number_value
from .source import Source, Span

# What a rule is made of: tokens and the nodes of its parts.
Part = Any
_OTHER_BOOLEANS = {"True": True, "TRUE": True, "False": False, "FALSE": False}


class _Arguments(NamedTuple):
    """`(a, k=3)` with its parentheses, on the way to the layer or call that it belongs to."""

    span: Span
    items: tuple[n.Argument, ...]


class Builder:
    """Makes the nodes of one text at a time; `start` names the text that the spans point at."""

    def __init__(self) -> None:
        self.source = Source("", "")
        self.diagnostics: list[Diagnostic] = []

    def start(self, source: Source) -> None:
        """Get ready to build the tree of `source`."""
        self.source = source
        self.diagnostics = []

    # -- places ---------------------------------------------------------------------------

    def _of(self, part: Part) -> Span:
        if isinstance(part, Token):
            return Span(self.source, part.start_pos or 0, part.end_pos or 0)
        span: Span = part.span
        return span

    def _span(self, parts: Sequence[Part]) -> Span:
        return self._of(parts[0]).to(self._of(parts[-1]))

    def _name(self, token: Token) -> n.Name:
        return n.Name(self._of(token), str(token))

    def _numbered(self, parts: Sequence[Token]) -> n.Name:
        """`enc` or `enc.2`: a name that `as` gives, with the number that a repeat gave it."""
        name = "".join(parts)
        if len(parts) > 1 and not (parts[1][0] == "." and parts[1][1:].isdecimal()):
            self.diagnostics.append(
                Diagnostic(
                    "E124",
                    f"`{parts[1]}` is no number of a name",
                    self._of(parts[1]),
                    help=(f"the first of several is `{parts[0]}.1`",),
                )
            )
            name = str(parts[0])
        return n.Name(self._span(parts), name)

    # -- values ---------------------------------------------------------------------------

    def number(self, parts: Sequence[Part]) -> n.Number:
        """`64`, `100k`: a value past the limit is reported, and the limit takes its place."""
        span, text = self._of(parts[0]), str(parts[0])
        value = number_value(text)
        if value is None or value > LARGEST_INTEGER:
            self.diagnostics.append(too_large_number(span))
            value = LARGEST_INTEGER
        return n.Number(span, value, text)

    def shape_literal(self, parts: Sequence[Part]) -> n.ShapeLiteral:
        """`3x32x32`."""
        span = self._of(parts[0])
        dims = integers(str(parts[0]))
        if any(d > LARGEST_DIM for d in dims):
            self.diagnostics.append(too_large_dim(span))
        return n.ShapeLiteral(span, tuple(min(d, LARGEST_DIM) for d in dims))

    def string(self, parts: Sequence[Part]) -> n.String:
        """`"text"`."""
        return n.String(self._of(parts[0]), str(parts[0])[1:-1])

    def boolean(self, parts: Sequence[Part]) -> n.Boolean:
        """`true`."""
        return n.Boolean(self._of(parts[0]), parts[0] == "true")

    def name(self, parts: Sequence[Part]) -> n.Name | n.Boolean:
        """A name in a value; `True` is taken for `true` and reported."""
        name = self._name(parts[0])
        if name.id not in _OTHER_BOOLEANS:
            return name
        value = _OTHER_BOOLEANS[name.id]
        self.diagnostics.append(
            Diagnostic(
                "E117",
                f"`{name.id}` is written in lower case here",
                name.span,
                label=f"`{name.id.lower()}` is meant",
                help=(f"write `{name.id.lower()}`",),
            )
        )
        return n.Boolean(name.span, value)

    def list_value(self, parts: Sequence[Part]) -> n.ListValue:
        """`[a, b]`."""
        return n.ListValue(self._span(parts), tuple(_nodes(parts)))

    def tuple_value(self, parts: Sequence[Part]) -> n.TupleValue:
        """`(a, b)`."""
        return n.TupleValue(self._span(parts), tuple(_nodes(parts)))

    def parenthesised(self, parts: Sequence[Part]) -> n.Expr:
        """`(a)` is `a`, but its place covers the parentheses."""
        inner: n.Expr = parts[1]
        return inner.replace(span=self._span(parts))

    def unary(self, parts: Sequence[Part]) -> n.Unary:
        """`-a`, `not a`."""
        return n.Unary(self._span(parts), str(parts[0]), parts[1])

    def binary(self, parts: Sequence[Part]) -> n.Binary:
        """`a + b - c`."""
        return n.Binary(self._span(parts), parts[0], _run(parts))

    def compare(self, parts: Sequence[Part]) -> n.Compare:
        """`a < b <= c`."""
        return n.Compare(self._span(parts), parts[0], _run(parts))

    def comparator(self, parts: Sequence[Part]) -> Token:
        """`<`: the token itself."""
        token: Token = parts[0]
        return token

    def logical(self, parts: Sequence[Part]) -> n.Logical:
        """`a and b`."""
        return n.Logical(self._span(parts), str(parts[1]), tuple(parts[::2]))

    def conditional(self, parts: Sequence[Part]) -> n.Conditional:
        """`a if c else b`."""
        return n.Conditional(self._span(parts), parts[0], parts[2], parts[4])

    def call(self, parts: Sequence[Part]) -> n.Call:
        """`max(a, b)`."""
        return n.Call(self._span(parts), self._name(parts[0]), parts[1].items)

    # -- arguments ------------------------------------------------------------------------

    def args(self, parts: Sequence[Part]) -> _Arguments:
        """`(a, k=3)`."""
        items: tuple[n.Argument, ...] = tuple(_nodes(parts))
        self._check_order(parts)
        return _Arguments(self._span(parts), items)

    def argument(self, parts: Sequence[Part]) -> n.Argument:
        """`64` or `k=3`."""
        if len(parts) == 1:
            return n.Argument(self._span(parts), None, parts[0])
        return n.Argument(self._span(parts), str(parts[0]), parts[2], self._of(parts[0]))

    def tap_reference(self, parts: Sequence[Part]) -> n.TapReference:
        """`@pool1` as a value."""
        return n.TapReference(self._span(parts), self._numbered(parts[1:]).id)

    def _check_order(self, parts: Sequence[Part]) -> None:
        named = None
        for before, argument in pairwise(parts):
            if not isinstance(argument, n.Argument):
                continue
            if argument.name is not None:
                named = argument
            # A comma that recovery put there was a mistake already.
            elif named is not None and before.end_pos > before.start_pos:
                self.diagnostics.append(
                    Diagnostic(
                        "E121",
                        f"`{argument.span.text}` has no name but stands after "
                        f"`{named.span.text}`, which has one",
                        argument.span,
                        label="which argument this is can't be told",
                        help=(
                            f"name it too, or put `{argument.span.text}` before "
                            f"`{named.span.text}`",
                        ),
                    )
                )

    # -- chains ---------------------------------------------------------------------------

    def chain(self, parts: Sequence[Part]) -> n.Chain:
        """`a -> b`."""
        return n.Chain(self._span(parts), tuple(_nodes(parts)))

    def layer(self, parts: Sequence[Part]) -> n.Layer:
        """`CONV(64)`."""
        args = parts[1].items if len(parts) > 1 else None
        return n.Layer(self._span(parts), str(parts[0]), args, self._of(parts[0]))

    def branching(self, parts: Sequence[Part]) -> n.Branching:
        """`CONCAT{ a | b }`."""
        name = parts[0]
        args = parts[1].items if isinstance(parts[1], _Arguments) else None
        branches = tuple(p for p in parts if isinstance(p, n.Chain))
        return n.Branching(self._span(parts), str(name), args, branches, self._of(name))

    def tap(self, parts: Sequence[Part]) -> n.Tap:
        """`@name` as an element."""
        return n.Tap(self._span(parts), self._numbered(parts[1:]).id)

    def group(self, parts: Sequence[Part]) -> n.Group:
        """`[ a -> b ]`."""
        return n.Group(self._span(parts), parts[1])

    def for_(self, parts: Sequence[Part]) -> n.For:
        """`for a, b in items [ body ]`."""
        targets = tuple(self._name(p) for p in parts if isinstance(p, Token) and p.type == "NAME")
        items, body = _nodes(parts)
        return n.For(self._span(parts), targets, items, body)

    def repeat(self, parts: Sequence[Part]) -> n.Repeat:
        """`x*N`."""
        return n.Repeat(self._span(parts), parts[0], parts[2])

    def optional(self, parts: Sequence[Part]) -> n.Optional:
        """`x?` or `x?(condition)`."""
        return n.Optional(self._span(parts), parts[0], parts[3] if len(parts) > 2 else None)

    def named(self, parts: Sequence[Part]) -> n.Named:
        """`x as name`."""
        return n.Named(self._span(parts), parts[0], self._numbered(parts[2:]))

    def shaped(self, parts: Sequence[Part]) -> n.Shaped:
        """`x :: shape`."""
        return n.Shaped(self._span(parts), parts[0], parts[2])

    # -- statements -----------------------------------------------------------------------

    def file(self, parts: Sequence[Part]) -> n.File:
        """All statements."""
        return n.File(tuple(parts), self.source)

    def net(self, parts: Sequence[Part]) -> n.Net:
        """`net NAME`."""
        return n.Net(self._span(parts), self._name(parts[1]))

    def param(self, parts: Sequence[Part]) -> n.Param:
        """`param N = 2, M = 3`."""
        return n.Param(self._span(parts), tuple(_nodes(parts)))

    def knob(self, parts: Sequence[Part]) -> n.Knob:
        """`N = 2 in [1, 2]`."""
        choices = parts[4] if len(parts) > 3 else None
        return n.Knob(self._span(parts), self._name(parts[0]), parts[2], choices)

    def let(self, parts: Sequence[Part]) -> n.Let:
        """`let a = 1`."""
        return n.Let(self._span(parts), tuple(_nodes(parts)))

    def setting(self, parts: Sequence[Part]) -> n.Setting:
        """`a = 1` in `let` and `train`."""
        return n.Setting(self._span(parts), self._name(parts[0]), parts[2])

    def default(self, parts: Sequence[Part]) -> n.Default:
        """`default CONV(64)`."""
        layer = self.layer(parts[1:])
        return n.Default(self._of(parts[0]).to(layer.span), layer)

    def block(self, parts: Sequence[Part]) -> n.Block:
        """`block f(a, b=1) = chain`."""
        formals = tuple(p for p in parts if isinstance(p, n.Formal))
        return n.Block(self._span(parts), self._name(parts[1]), formals, parts[-1])

    def formal(self, parts: Sequence[Part]) -> n.Formal:
        """`a` or `a=1` where a block is written."""
        default = parts[2] if len(parts) > 1 else None
        return n.Formal(self._span(parts), self._name(parts[0]), default)

    def import_(self, parts: Sequence[Part]) -> n.Import:
        """`import "file.cnn"`."""
        return n.Import(self._span(parts), self.string(parts[1:]))

    def expect(self, parts: Sequence[Part]) -> n.Expect:
        """`expect condition`."""
        return n.Expect(self._span(parts), parts[1])

    def train(self, parts: Sequence[Part]) -> n.Train:
        """`train { … }`."""
        return n.Train(self._span(parts), tuple(_nodes(parts)))


def _nodes(parts: Sequence[Part]) -> Iterator[Any]:
    """The nodes among the parts, without keywords and punctuation."""
    return (p for p in parts if not isinstance(p, Token))


def _run(parts: Sequence[Part]) -> tuple[tuple[str, n.Expr], ...]:
    """`+ b - c` as pairs of operator and operand."""
    return tuple((str(op), value) for op, value in zip(parts[1::2], parts[2::2], strict=True))
