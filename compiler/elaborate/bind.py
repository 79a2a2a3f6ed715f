"""The arguments of a use of a layer: matched to the layer's fields, evaluated, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostics
from cnnc.dsl.source import Span

from ..arguments import Argument, BadValue, Declared
from ..suggest import did_you_mean
from ..values import brief
from .evaluate import Evaluator
from .scope import UNKNOWN, Mistake, Repetition, Scope

D = TypeVar("D", bound=Declared)


@dataclass
class Missing:
    """Something that must still be given, with the option that gives it (`--set N=2`)."""

    what: str
    option: str
    span: Span | None
    code: str
    help: tuple[str, ...]


@dataclass
class Binder:
    """Binds arguments; mistakes go to `found`, what is not given at all to `missing`.

    replaced, overrides, defaults   by layer word: argument name -> expression, from --input
                                    (before the use), --set and `default` (after it)
    """

    found: Diagnostics
    missing: list[Missing] = field(default_factory=list)
    replaced: Mapping[str, Mapping[str, nodes.Expr]] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, nodes.Expr]] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, nodes.Expr]] = field(default_factory=dict)

    def match(
        self, cls: type[Declared], args: tuple[nodes.Argument, ...] | None, where: Span
    ) -> tuple[dict[str, nodes.Expr], bool]:
        """Which expression goes to which argument, and whether all of them found their place.

        A bare word goes to the argument that takes it; other positional values to the
        arguments in order, as in Python.
        """
        matched: dict[str, nodes.Expr] = {}
        fine = True
        for given in args or ():
            try:
                name = self._target(cls, given, matched, where)
                matched[name] = given.value
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)
                fine = False
        return matched, fine

    def _target(
        self, cls: type[Declared], given: nodes.Argument, matched: Mapping[str, object], where: Span
    ) -> str:
        if given.name is not None:
            return self._named(cls, given, matched)
        value = given.value
        word = value.id if isinstance(value, nodes.Name) else None
        if isinstance(value, nodes.Call):
            word = value.function.id
        for name, argument in cls.arguments.items():
            if word in argument.type.words and name not in matched:
                return name
        for name, argument in cls.arguments.items():
            only_words = argument.type.words and argument.type.wanted == " or ".join(
                argument.type.words
            )
            if name not in matched and not (only_words and word is None):
                return name
        takes = ", ".join(cls.arguments) or "none"
        raise Mistake(
            "E404",
            f"{cls.word} has no place for this argument",
            given.span,
            "one too many",
            [f"{cls.word} takes: {takes}", *_as_shape(cls, where)],
        )

    def _named(
        self, cls: type[Declared], given: nodes.Argument, matched: Mapping[str, object]
    ) -> str:
        assert given.name is not None
        at = given.name_span or given.span
        if given.name in cls.later:
            raise Mistake("E202", f"{cls.word}'s {given.name} is not built yet", at)
        if given.name not in cls.arguments:
            takes = ", ".join(cls.arguments) or "none"
            raise Mistake(
                "E402",
                f"{cls.word} has no {cls.noun} {given.name}",
                at,
                help=[*did_you_mean(given.name, cls.arguments), f"{cls.word} takes: {takes}"],
            )
        if given.name in matched:
            raise Mistake("E405", f"{cls.word} is given {given.name} twice", at)
        return given.name

    def make(
        self,
        cls: type[D],
        args: tuple[nodes.Argument, ...] | None,
        where: Span,
        scope: Scope,
    ) -> D | None:
        """The layer that a use describes; None where it is not known, which is then reported."""
        matched, fine = self.match(cls, args, where)
        sources = [
            self.replaced.get(cls.word, {}),
            matched,
            self.overrides.get(cls.word, {}),
            self.defaults.get(cls.word, {}),
        ]
        values: dict[str, Any] = {}
        for name, argument in cls.arguments.items():
            node = next((source[name] for source in sources if name in source), None)
            if node is None:
                if argument.required:
                    self._miss(cls, argument, where)
                    fine = False
                continue
            try:
                value = self.value(argument, node, scope, cls.word)
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)
                value = UNKNOWN
            fine = fine and value is not UNKNOWN
            values[name] = value
        if not fine:
            return None
        try:
            return cls(**values)
        except BadValue as wrong:
            self.found.add(
                Mistake("E403", f"{cls.word} takes {wrong}", where).diagnostic
            )  # a condition between arguments
            return None

    def check(self, cls: type[Declared], matched: Mapping[str, nodes.Expr], scope: Scope) -> None:
        """Report the mistakes in values that no use takes, as of a default for nothing."""
        unknown = scope.repeating(Repetition(0, UNKNOWN))  # a list is for a repeat of some use
        for name, node in matched.items():
            try:
                self.value(cls.arguments[name], node, unknown, cls.word)
            except Mistake as mistake:
                self.found.add(mistake.diagnostic)

    def value(self, argument: Argument, node: nodes.Expr, scope: Scope, owner: str) -> Any:
        """One argument's value: evaluated, a list taken per repetition, checked."""
        kind = argument.type
        value = Evaluator(scope, kind.words, kind.made, kind.later).value(node)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, list) and not kind.takes_list:
            value = per_repetition(value, node, scope)
            if value is UNKNOWN:
                return UNKNOWN
        try:
            kind.parse(value)
        except BadValue as wrong:
            raise Mistake(
                "E403",
                f"{owner}'s {argument.name} takes {wrong}, not {brief(value)}",
                node.span,
                f"{argument.name}: {argument.help}",
                _mended(argument, value),
            ) from None
        return value

    def _miss(self, cls: type[Declared], argument: Argument, where: Span) -> None:
        example = {"INPUT.size": "3x32x32", "FC.units": "10"}.get(f"{cls.word}.{argument.name}")
        example = example or "16"
        if cls.word == "INPUT":
            self.missing.append(
                Missing("the input's shape", f"--input {example}", where, "E213",
                        (f"write it in the spec: INPUT({example})",))
            )  # fmt: skip
            return
        self.missing.append(
            Missing(
                f"{cls.word}'s {argument.name} ({argument.help})",
                f"--set {cls.word}.{argument.name}={example}",
                where,
                "E401",
                (f"write it in the spec: {cls.word}({example}), or `default {cls.word}({example})`",
                 ),
            )
        )  # fmt: skip


def per_repetition(values: list[Any], node: nodes.Expr, scope: Scope) -> Any:
    """The item of a list for this turn of the enclosing repeat that the list is as long as."""
    if any(r.count is UNKNOWN for r in scope.repeats):
        return UNKNOWN  # it may be this one that is meant
    meant = [r for r in scope.repeats if r.is_meant_by(len(values))]
    if len(meant) == 1:
        return values[meant[0].index]
    counts = " and ".join(str(r.count) for r in scope.repeats)
    around = f"the repeats around it run {counts} times" if scope.repeats else "no repeat is around"
    why = "two repeats around it run that often" if meant else around
    raise Mistake(
        "E206",
        f"a list of {len(values)} here is for a repeat of {len(values)}, and {why}",
        node.span,
        f"{len(values)} values",
        [f"say which: for v in {node.span.text} [ … v … ]"],
    )


def _mended(argument: Argument, value: Any) -> list[str]:
    words = argument.type.words
    if isinstance(value, str) and value in words:
        return [f"write the word without quotes: {argument.name}={value}"]
    if isinstance(value, float) and value.is_integer() and "integer" in argument.type.wanted:
        return [f"write {int(value)}, or use // where you divide"]
    return []


def _as_shape(cls: type[Declared], where: Span) -> list[str]:
    if cls.word != "INPUT":
        return []
    return ["write the shape as one value: " + where.text.replace(", ", "x").replace(",", "x")]
