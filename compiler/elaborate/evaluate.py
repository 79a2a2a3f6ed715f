"""Expressions to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.limits import DEEPEST
from cnnc.dsl.source import Span

from ..arguments import Argument, BadValue, Declared
from ..suggest import did_you_mean
from ..values import Made, Tapped, Word, brief
from .arithmetic import FUNCTIONS, Refused, call, compare, negate, operate, size
from .scope import UNKNOWN, Mistake, Scope


class Evaluator:
    """Evaluates expressions in a scope.

    words   bare words that the place of the expression understands; they win over names
    made    words that take arguments there: `sgd(momentum=0.9)`, with the words of theirs

    open_words, open_made   for a block's formal, the words of all layers, over which names win
    """

    open_words: frozenset[str] = frozenset()
    open_made: Mapping[str, Any] = {}

    def __init__(
        self,
        scope: Scope,
        words: tuple[str, ...] = (),
        made: Mapping[str, Any] | None = None,
    ) -> None:
        self.scope, self.words, self.made = scope, words, made or {}

    def value(self, node: nodes.Expr) -> Any:
        """The value, or UNKNOWN where it hangs on something unknown; raises Mistake."""
        self.scope.effort.add(1, node.span)
        try:
            return self._value(node)
        except Refused as refused:
            raise Mistake("E406", f"this has no value: {refused}", node.span) from None

    def _value(self, node: nodes.Expr) -> Any:
        match node:
            case nodes.Number() | nodes.Boolean() | nodes.String():
                return node.value
            case nodes.ShapeLiteral(dims=dims):
                return dims
            case nodes.Name():
                return self._name(node)
            case nodes.ListValue():
                return self._sequence(node, list)
            case nodes.TupleValue():
                return self._sequence(node, tuple)
            case nodes.Unary(op="not", operand=operand):
                value = self._truth(operand)
                return value if value is UNKNOWN else not value
            case nodes.Unary(op=op, operand=operand):
                value = self.value(operand)
                return value if value is UNKNOWN else negate(op, value)
            case nodes.Binary(first=first, rest=rest):
                value = self.value(first)
                for op, operand in rest:
                    right = self.value(operand)
                    known = value is not UNKNOWN and right is not UNKNOWN
                    value = self._counted(operate(op, value, right), node) if known else UNKNOWN
                return value
            case nodes.Compare():
                return self._compare(node)
            case nodes.Logical(op=op, operands=operands):
                for operand in operands:  # as in Python, up to the one that decides
                    value = self._truth(operand)
                    if value is UNKNOWN or value is (op == "or"):
                        return value
                return op == "and"
            case nodes.Conditional(then=then, test=test, other=other):
                value = self._truth(test)
                if value is UNKNOWN:
                    return UNKNOWN
                return self.value(then if value else other)
            case nodes.Call():
                return self._call(node)
            case nodes.TapReference(name=name):
                return tapped(name, node.span, self.scope)
        raise AssertionError(node)

    def _name(self, node: nodes.Name) -> Any:
        scope, name = self.scope, node.id
        if name in self.words:
            return Word(name)
        values = scope.bound(name)
        if values is not None:
            return values[name]
        if name in scope.lets:
            return self._constant(node)
        if name in scope.imported:
            return Evaluator(scope.imported[name]).value(node)
        if name in self.open_words:
            return Word(name)
        if scope.whole.partial:
            return UNKNOWN
        from .unknown_names import unknown_name  # only a spec with a mistake needs it

        raise unknown_name(node, scope, self.words)

    def _constant(self, node: nodes.Name) -> Any:
        """A let, or a knob's own value; UNKNOWN once its mistake was raised."""
        scope, name = self.scope, node.id
        if name in scope.evaluating:
            circle = " -> ".join((*scope.evaluating[scope.evaluating.index(name) :], name))
            raise Mistake("E207", f"{name} needs itself: {circle}", node.span)
        if name in scope.constants:
            return scope.constants[name]
        if len(scope.evaluating) == DEEPEST:
            raise Mistake("E902", f"{name} is needed through more than {DEEPEST} others", node.span)
        scope.constants[name] = UNKNOWN
        value = Evaluator(scope.constant(name)).value(scope.lets[name].value)
        scope.constants[name] = value
        return value

    def _counted(self, value: Any, node: nodes.Expr) -> Any:
        """The same, once the items of a list are counted as steps."""
        if isinstance(value, list | tuple):
            self.scope.effort.add(size(value), node.span)
        return value

    def _sequence(self, node: nodes.ListValue | nodes.TupleValue, kind: type) -> Any:
        values = [self.value(item) for item in node.items]
        unknown = any(v is UNKNOWN for v in values)
        return UNKNOWN if unknown else self._counted(kind(values), node)

    def _truth(self, node: nodes.Expr) -> Any:
        value = self.value(node)
        if value is not UNKNOWN and not isinstance(value, bool):
            raise Mistake(
                "E407", f"a condition is true or false, and this is {brief(value)}", node.span
            )
        return value

    def _compare(self, node: nodes.Compare) -> Any:
        left = self.value(node.first)
        for op, operand in node.rest:
            right = self.value(operand)
            if left is UNKNOWN or right is UNKNOWN:
                return UNKNOWN
            self._counted(right, node)
            if not compare(op, left, right):
                return False
            left = right
        return True

    def _call(self, node: nodes.Call) -> Any:
        name = node.function.id
        for made in (self.made, self.open_made):
            if name in made:
                return self._made(node, made[name])
        if name not in FUNCTIONS:
            raise Mistake(
                "E208",
                f"there is no function {name}",
                node.function.span,
                help=did_you_mean(name, [*FUNCTIONS, *self.made])
                or (f"there are {', '.join([*FUNCTIONS, *self.made])}",),
            )
        for argument in node.args:
            if argument.name is not None:
                raise Mistake("E402", f"{name} takes no named arguments", argument.span)
        values = [self.value(argument.value) for argument in node.args]
        if any(v is UNKNOWN for v in values):
            return UNKNOWN
        for value in values:
            self._counted(value, node)
        return self._counted(call(name, values), node)

    def _made(self, node: nodes.Call, cls: type[Declared]) -> Any:
        positional: list[object] = []
        named: list[tuple[str, object]] = []
        words = tuple(w for a in cls.arguments.values() for w in a.type.words)
        for argument in node.args:
            inner = Evaluator(self.scope, words)
            target = _target(cls, argument, len(positional))
            value = inner.value(argument.value)
            if value is UNKNOWN:
                return UNKNOWN
            _check_part(cls, target, value, argument.value.span)
            if argument.name is None:
                positional.append(value)
            else:
                named.append((argument.name, value))
        return Made(node.function.id, tuple(positional), tuple(named))


def tapped(name: str, span: Span, scope: Scope) -> Any:
    """What `@name` reaches: an output that `as` named, or that a block was given as a formal."""
    values = scope.bound(name)
    if values is not None and (isinstance(values[name], Tapped) or values[name] is UNKNOWN):
        return values[name]
    given = scope.taps.find(name)
    if given is None:
        from .unknown_names import unknown_output  # only a spec with a mistake needs it

        raise unknown_output(name, span, scope)
    if given.tensor.shape is None:
        return UNKNOWN
    return Tapped(given.label.name, given.tensor.maker)


def _target(cls: type[Declared], given: nodes.Argument, place: int) -> Argument:
    """The argument of a word that a value is for: by name, else by place."""
    takes = f"{cls.word} takes: {', '.join(cls.arguments) or 'no arguments'}"
    if given.name is not None:
        if given.name not in cls.arguments:
            raise Mistake(
                "E402",
                f"{cls.word} has no {cls.noun} {given.name}",
                given.name_span or given.span,
                help=[*did_you_mean(given.name, cls.arguments), takes],
            )
        return cls.arguments[given.name]
    if place >= len(cls.arguments):
        raise Mistake(
            "E404",
            f"{cls.word} has no place for this argument",
            given.span,
            "one too many",
            [takes],
        )
    return list(cls.arguments.values())[place]


def _check_part(cls: type[Declared], argument: Argument, value: object, at: Span) -> None:
    try:
        argument.type.parse(value)
    except BadValue as wrong:
        raise Mistake(
            "E403",
            f"{cls.word}'s {argument.name} takes {wrong}, not {brief(value)}",
            at,
            f"{argument.name}: {argument.help}",
        ) from None
