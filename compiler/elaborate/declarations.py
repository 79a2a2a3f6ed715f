"""What a file declares: its net, knobs, lets and defaults, and the knobs it uses undeclared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.source import Span

from ..layers.registry import LAYERS
from ..suggest import did_you_mean
from ..values import brief, show
from .bind import Binder, Missing
from .evaluate import Evaluator
from .expand import layer_class
from .scope import UNKNOWN, Mistake, Scope


class WrongUse(ValueError):
    """A `--set` or `--input` that this spec has no use for: the command was used wrongly."""

    def __init__(self, message: str, help: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.help = message, help


@dataclass(frozen=True)
class Free:
    """The first use of a knob that is not declared, and a value that it could have there."""

    span: Span
    example: str


@dataclass
class Declarations:
    """A file's statements, sorted by kind. `chains` has more than one only by mistake."""

    name: str | None = None
    knobs: dict[str, nodes.Knob] = field(default_factory=dict)
    lets: dict[str, nodes.Setting] = field(default_factory=dict)
    defaults: list[nodes.Default] = field(default_factory=list)
    expects: list[nodes.Expect] = field(default_factory=list)
    train: nodes.Train | None = None
    chains: list[nodes.Chain] = field(default_factory=list)
    free: dict[str, Free] = field(default_factory=dict)  # knobs used and not declared
    switches: dict[str, Span] = field(default_factory=dict)  # the knobs of `POOL?`
    layers: dict[str, Span] = field(default_factory=dict)  # layer words in use

    @staticmethod
    def of(file: nodes.File, found: Diagnostics) -> Declarations:
        """Sort a file's statements; what stands twice or is not built yet is reported."""
        result = Declarations()
        for statement in file.statements:
            try:
                result._take(statement, found)
            except Mistake as mistake:
                found.add(mistake.diagnostic)
        for chain in result.chains:
            result._scan(chain, frozenset())
        return result

    def _take(self, statement: nodes.Statement, found: Diagnostics) -> None:
        match statement:
            case nodes.Net(name=name):
                if self.name is not None:
                    raise Mistake("E209", "a file has one `net` statement", statement.span)
                self.name = name.id
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
                    raise Mistake("E209", "a file has one `train` statement", statement.span)
                self.train = statement
            case nodes.Chain():
                self.chains.append(statement)
            case nodes.Block():
                raise Mistake("E202", "`block` is not built yet", statement.name.span)
            case nodes.Import():
                raise Mistake("E202", "`import` is not built yet", statement.span)

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

    def _scan(self, node: Any, bound: frozenset[str]) -> None:
        """Find the layers in use, and the knobs that counts and options name undeclared."""
        match node:
            case nodes.Layer(name=name):
                self.layers.setdefault(name, node.name_span)
                return
            case nodes.For(targets=targets, body=body):
                self._scan(body, bound | {t.id for t in targets})
                return
            case nodes.Repeat(count=count):
                self._scan_names(count, bound, "2")
            case nodes.Optional(element=nodes.Layer(name=name), condition=None):
                switch = name.lower()
                if switch not in bound and switch not in self.lets:
                    self.switches.setdefault(switch, node.span)
            case nodes.Optional(condition=condition) if condition is not None:
                self._scan_names(condition, bound, "true")
        for child in nodes.children(node):
            self._scan(child, bound)

    def _scan_names(self, node: Any, bound: frozenset[str], example: str) -> None:
        if isinstance(node, nodes.Name):
            if node.id not in bound and node.id not in self.knobs and node.id not in self.lets:
                self.free.setdefault(node.id, Free(node.span, example))
            return
        truth = isinstance(node, nodes.ListValue | nodes.Logical) or (
            isinstance(node, nodes.Unary) and node.op == "not"
        )
        for child in nodes.children(node):
            if not (isinstance(node, nodes.Call) and child is node.function):
                self._scan_names(child, bound, example if truth else "2")


@dataclass
class Settings:
    """What `--set` and `--input` gave: knobs by name, layer arguments by layer and name."""

    knobs: dict[str, nodes.Expr] = field(default_factory=dict)
    arguments: dict[str, dict[str, nodes.Expr]] = field(default_factory=dict)

    @staticmethod
    def of(given: Mapping[str, nodes.Expr], declared: Declarations) -> Settings:
        """Sort; WrongUse for what the spec does not have."""
        result = Settings()
        known = list(dict.fromkeys((*declared.knobs, *declared.free, *declared.switches)))
        for name, value in given.items():
            if "." in name:
                word, argument = name.split(".", 1)
                _check_argument(word, argument, declared)
                result.arguments.setdefault(word, {})[argument] = value
            elif name in known:
                result.knobs[name] = value
            else:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise WrongUse(f"the spec has no knob {name}; {has}", did_you_mean(name, known))
        return result


def _check_argument(word: str, argument: str, declared: Declarations) -> None:
    if word not in LAYERS or (word not in declared.layers and word != "INPUT"):
        used = [w for w in declared.layers if w in LAYERS]
        raise WrongUse(
            f"the spec has no layer {word}; it has {', '.join(used) or 'none'}",
            did_you_mean(word, used),
        )
    if argument not in LAYERS[word].arguments:
        takes = ", ".join(LAYERS[word].arguments) or "none"
        raise WrongUse(
            f"{word} has no argument {argument}; it takes {takes}",
            did_you_mean(argument, LAYERS[word].arguments),
        )


def knob_values(
    declared: Declarations, settings: Settings, binder: Binder
) -> tuple[dict[str, Any], Scope]:
    """Every knob's value (UNKNOWN where it must be set), and the file's scope."""
    values: dict[str, Any] = {name: given(name, node) for name, node in settings.knobs.items()}
    scope = Scope(values, {**declared.knobs, **declared.lets})
    for name in declared.switches:
        if name not in declared.knobs:
            values.setdefault(name, True)
    for name, free in declared.free.items():
        if name not in values:
            values[name] = UNKNOWN
            binder.missing.append(
                Missing(f"the knob {name}", f"--set {name}={free.example}", free.span, "E204",
                        (f"declare it in the spec: param {name} = {free.example}",))
            )  # fmt: skip
    apart = Evaluator(replace(scope, used=set()))  # to be declared is not to be used
    for name, knob in declared.knobs.items():
        try:
            values[name] = apart.value(knob.name)
            if knob.choices is not None:
                _check_choice(name, values[name], knob, apart.value(knob.choices))
        except Mistake as mistake:
            binder.found.add(mistake.diagnostic)
            values[name] = UNKNOWN
    for setting in declared.lets.values():  # those that nothing uses, too
        try:
            apart.value(setting.name)
        except Mistake as mistake:
            binder.found.add(mistake.diagnostic)
    ordered = [*declared.knobs, *values]
    return {name: values[name] for name in dict.fromkeys(ordered)}, scope


def given(name: str, node: nodes.Expr) -> Any:
    """The value of a `--set`; WrongUse where it has none."""
    try:
        return Evaluator(Scope()).value(node)
    except Mistake as mistake:
        raise WrongUse(f"--set {name}=…: {mistake.diagnostic.message}") from None


def _check_choice(name: str, value: Any, knob: nodes.Knob, choices: Any) -> None:
    if value is UNKNOWN or choices is UNKNOWN:
        return
    if not isinstance(choices, list):
        assert knob.choices is not None
        raise Mistake(
            "E205", f"`in` is followed by a list, not {brief(choices)}", knob.choices.span
        )
    if value not in choices:
        raise Mistake(
            "E205",
            f"{name} = {brief(value)} is none of the values that it may take",
            knob.span,
            f"in {brief(choices)}",
            [f"--set {name}={show(c)}" for c in choices[:3]],
        )


def default_arguments(
    declared: Declarations, binder: Binder, scope: Scope
) -> dict[str, dict[str, nodes.Expr]]:
    """`default LAYER(args)`, by layer word and argument name."""
    result: dict[str, dict[str, nodes.Expr]] = {}
    for statement in declared.defaults:
        use = statement.layer
        try:
            cls = layer_class(use)
        except Mistake as mistake:
            binder.found.add(mistake.diagnostic)
            continue
        matched, _ = binder.match(cls, use.args, use.span)
        if cls.word not in declared.layers:
            binder.check(cls, matched, scope)
        for name, value in matched.items():
            if name in result.get(cls.word, {}):
                binder.found.add(
                    Mistake("E209", f"two defaults for {cls.word}'s {name}", value.span).diagnostic
                )
            result.setdefault(cls.word, {}).setdefault(name, value)
    return result
