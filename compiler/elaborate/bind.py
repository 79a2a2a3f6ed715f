"""The arguments of a use of a layer: matched to the layer's fields, evaluated, checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, TypeVar

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Span

from ..arguments import Argument, BadValue, Declared
from ..layers.registry import LAYERS
from ..suggest import did_you_mean, nearest
from ..values import brief
from .evaluate import Evaluator
from .missing import SHAPES, Missing
from .scope import UNKNOWN, Default, Mistake, Repetition, Scope

D = TypeVar("D", bound=Declared)


class Signature(Protocol):
    """What takes arguments: a layer's class, a block."""

    @property
    def word(self) -> str:
        """How the language calls it."""

    @property
    def noun(self) -> str:
        """How messages call what it takes."""

    @property
    def arguments(self) -> Mapping[str, Argument]:
        """What it takes, in order."""

    @property
    def by_place(self) -> tuple[str, ...]:
        """What is usually given without a name."""


class Binder(State):
    """Binds arguments; mistakes go to `found`, what is not given at all to `missing`.

    replaced, overrides   by layer word: argument name -> expression, from --input (before the
                          use) and from --set (after it, before `default`)
    misread               words of which a default could not be read: nothing that a use
                          leaves open is known then
    """

    found: Diagnostics
    missing: list[Missing] = fresh(factory=list)
    replaced: Mapping[str, Mapping[str, nodes.Expr]] = fresh(factory=dict)
    overrides: Mapping[str, Mapping[str, nodes.Expr]] = fresh(factory=dict)
    misread: set[str] = fresh(factory=set)

    def match(
        self, cls: Signature, args: tuple[nodes.Argument, ...] | None, where: Span
    ) -> tuple[dict[str, nodes.Expr], list[str | None]]:
        """Which expression goes to which argument; of those without a place, what may be meant.

        A bare word goes to the argument that takes it; other positional values to the
        arguments in order, as in Python.
        """
        matched: dict[str, nodes.Expr] = {}
        lost: list[str | None] = []
        full = False
        for given in args or ():
            if full and given.name is None:
                continue  # reported with the first that found no place
            try:
                name = self._target(cls, given, matched, where)
                matched[name] = given.value
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)
                lost.append(nearest(given.name or "", cls.arguments))
                full = full or mistake.diagnostic.code == "E404"
        return matched, lost

    def _target(
        self, cls: Signature, given: nodes.Argument, matched: Mapping[str, nodes.Expr], where: Span
    ) -> str:
        if given.name is not None:
            return self._named(cls, given, matched)
        value = given.value
        word = value.id if isinstance(value, nodes.Name) else None
        if isinstance(value, nodes.String):  # as a word in quotes, which is taken for the word
            word = value.value
        if isinstance(value, nodes.Call):
            word = value.function.id
        takers = [n for n, argument in cls.arguments.items() if word in argument.type.words]
        for name in takers:
            if name not in matched:
                return name
        if takers:
            raise _twice(cls, takers[0], given.span, matched)
        for name, argument in cls.arguments.items():
            only_words = argument.type.words and argument.type.wanted == " or ".join(
                argument.type.words
            )
            if name not in matched and not (only_words and word is None):
                return name
        takes = f"{cls.word} takes: {', '.join(cls.arguments)}"
        if not cls.arguments:
            takes = f"write {cls.word} alone: it takes no arguments"
        raise Mistake(
            "E404",
            f"{cls.word} has no place for this argument",
            given.span,
            "one too many",
            _as_shape(cls, where) or [takes],
            related=_declared(cls),
        )

    def _named(
        self, cls: Signature, given: nodes.Argument, matched: Mapping[str, nodes.Expr]
    ) -> str:
        assert given.name is not None
        at = given.name_span or given.span
        if given.name not in cls.arguments:
            from ..other_tools import argument_help  # only a spec with a mistake needs it

            takes = f"{cls.word} takes: {', '.join(cls.arguments) or 'none'}"
            raise Mistake(
                "E402",
                f"{cls.word} has no {cls.noun} {given.name}",
                at,
                help=argument_help(given.name, given.value, cls.arguments)
                or [*did_you_mean(given.name, cls.arguments), takes],
                related=_declared(cls),
            )
        if given.name in matched:
            raise _twice(cls, given.name, at, matched)
        return given.name

    def make(
        self,
        cls: type[D],
        args: tuple[nodes.Argument, ...] | None,
        where: Span,
        scope: Scope,
    ) -> D | None:
        """The layer that a use describes; None where it is not known, which is then reported."""
        values = self.values(cls, args, where, scope)
        if values is None or any(value is UNKNOWN for value in values.values()):
            return None
        try:
            return cls(**values)
        except BadValue as wrong:  # a condition between arguments
            places = (a.value.span for a in args or () if a.name == wrong.argument is not None)
            self.found.add(condition(cls, wrong, next(places, where)))
            return None

    def values(
        self,
        cls: Signature,
        args: tuple[nodes.Argument, ...] | None,
        where: Span,
        scope: Scope,
    ) -> dict[str, Any] | None:
        """The values of the arguments that are given somewhere, UNKNOWN where they are not known.

        None where an argument found no place or is missing, which is then reported.
        """
        matched, lost = self.match(cls, args, where)
        misread = cls.word in self.misread
        fine = not lost and not misread
        whole = scope.whole
        given = [
            {name: Default(value, at) for name, value in source.items()}
            for source, at in (
                (self.replaced.get(cls.word, {}), whole), (matched, scope),
                (self.overrides.get(cls.word, {}), whole),
            )
        ]  # fmt: skip
        sources = [*given, whole.defaults.get(cls.word, {})]
        values: dict[str, Any] = {}
        for name, argument in cls.arguments.items():
            default = next((source[name] for source in sources if name in source), None)
            if default is None:
                if argument.required:
                    fine = False
                    meant = next((n for n in (name, None) if n in lost), UNKNOWN)
                    if meant is UNKNOWN:
                        if not misread:
                            self._miss(cls, argument, where)
                    else:  # it was given, under a name that was reported
                        lost.remove(meant)  # type: ignore[arg-type]
                continue
            file = default.file
            place = scope if file is scope else file.at(scope)
            try:
                values[name] = self.value(argument, default.value, place, cls.word)
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)
                values[name] = UNKNOWN
        return values if fine else None

    def check(self, cls: Signature, matched: Mapping[str, nodes.Expr], scope: Scope) -> None:
        """Report the mistakes in values that perhaps no use takes, as those of a default."""
        unknown = scope.repeating(Repetition(0, UNKNOWN))  # a list is for a repeat of some use
        for name, node in matched.items():
            try:
                self.value(cls.arguments[name], node, unknown, cls.word)
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)

    def value(self, argument: Argument, node: nodes.Expr, scope: Scope, owner: str) -> Any:
        """One argument's value: evaluated, a list taken per repetition, checked."""
        kind = argument.type
        if kind.open:
            return open_evaluator(scope).value(node)
        try:
            value = Evaluator(scope, kind.words, kind.made).value(node)
        except Mistake as mistake:
            if not kind.quoted:
                raise
            from .unknown_names import text_without_quotes

            raise text_without_quotes(mistake, node, argument.name) from None
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, list) and not kind.is_value(value):
            items = value
            try:
                value, node = per_repetition(items, node, scope)
            except Mistake as mistake:
                from .unknown_names import list_for_one_value

                raise list_for_one_value(mistake, argument, items) from None
            if value is UNKNOWN:
                return UNKNOWN
        try:
            kind.parse(value)
        except BadValue as wrong:
            from .mended_values import mended_value

            raise Mistake(
                "E403",
                f"{owner}'s {argument.name} takes {wrong}, not {brief(value)}",
                node.span,
                f"{argument.name}: {argument.help}" if argument.help else "",
                mended_value(argument, value),
            ) from None
        return value

    def _miss(self, cls: Signature, argument: Argument, where: Span) -> None:
        if cls.word == "INPUT":
            self.missing.append(
                Missing("the input's shape", "", SHAPES[0], "write it in the spec: INPUT({})",
                        where, "E213")
            )  # fmt: skip
            return
        self.missing.append(
            Missing(
                f"{cls.word}'s {argument.name}" + (f" ({argument.help})" if argument.help else ""),
                f"{cls.word}.{argument.name}",
                "10" if cls.word == "FC" else "16",
                f"write it in the spec: {cls.word}({{0}}), or `default {cls.word}({{0}})`",
                where,
                "E401",
            )
        )


def open_evaluator(scope: Scope) -> Evaluator:
    """For a block's formal: a word that is no name is one that some layer will take."""
    evaluator = Evaluator(scope)
    evaluator.open_words, evaluator.open_made = words_of_layers()
    return evaluator


@cache
def words_of_layers() -> tuple[frozenset[str], Mapping[str, type[Declared]]]:
    """All words that arguments of layers take, and those of them that take arguments."""
    types = [a.type for layer in LAYERS.values() for a in layer.arguments.values()]
    words = frozenset(word for kind in types for word in kind.words)
    return words, {word: cls for kind in types for word, cls in kind.made.items()}


def condition(cls: type[Declared], wrong: BadValue, at: Span) -> Diagnostic:
    """The report of a condition between arguments, or between one and the net."""
    owner = cls.word if wrong.argument is None else f"{cls.word}'s {wrong.argument}"
    return Diagnostic("E403", f"{owner} takes {wrong}", at)


def per_repetition(values: list[Any], node: nodes.Expr, scope: Scope) -> tuple[Any, nodes.Expr]:
    """The item of a list for this turn of the enclosing repeat that the list is as long as.

    With it the expression that it comes from: the item's own where the list is written out.
    """
    if any(r.count is UNKNOWN for r in scope.repeats):
        return UNKNOWN, node  # it may be this one that is meant
    meant = [r for r in scope.repeats if r.is_meant_by(len(values))]
    if len(meant) == 1:
        turn = meant[0].index
        return values[turn], node.items[turn] if isinstance(node, nodes.ListValue) else node
    from .unknown_names import list_for_no_repeat  # only a spec with a mistake needs it

    raise list_for_no_repeat(values, node, scope, meant)


def _twice(cls: Signature, name: str, at: Span, matched: Mapping[str, nodes.Expr]) -> Mistake:
    first = Related("the first time", matched[name].span)
    return Mistake(
        "E405", f"{cls.word} is given {name} twice", at, "again", ["delete one of them"],
        related=[first],
    )  # fmt: skip


def _declared(cls: Signature) -> tuple[Related, ...]:
    """Where a block is written; a layer stands nowhere in a text."""
    node = getattr(cls, "node", None)
    if not isinstance(node, nodes.Block):
        return ()
    last = node.formals[-1] if node.formals else node.name
    return (Related("the block is written here", node.name.span.to(last.span)),)


def _as_shape(cls: Signature, where: Span) -> list[str]:
    if cls.word != "INPUT":
        return []
    return ["write the shape as one value: " + where.text.replace(", ", "x").replace(",", "x")]
