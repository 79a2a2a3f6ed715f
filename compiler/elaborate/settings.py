"""What a knob's name and a layer's argument stand for: `--set`, `param`, `let` and `default`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostics
from cnnc.dsl.record import State, fresh

from ..layers.registry import LAYERS
from ..layers.side_exit import Aux
from ..suggest import did_you_mean, nearest
from ..values import brief, show
from .bind import Binder, Signature
from .blocks import Block, Reach
from .declarations import Declarations
from .evaluate import Evaluator
from .imports import Library, imported_lets
from .lookups import layer_class
from .missing import Missing
from .scope import UNKNOWN, Default, Effort, Mistake, Scope


class WrongUse(ValueError):
    """A `--set` or `--input` that this spec has no use for: the command was used wrongly."""

    def __init__(self, message: str, help: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.help = message, help


class Settings(State):
    """What `--set` and `--input` gave: knobs by name, layer arguments by layer and name."""

    knobs: dict[str, nodes.Expr] = fresh(factory=dict)
    arguments: dict[str, dict[str, nodes.Expr]] = fresh(factory=dict)

    @staticmethod
    def of(given: Mapping[str, nodes.Expr], library: Library, reach: Reach, spec: str) -> Settings:
        """Sort; WrongUse for what the spec, of this name, does not have."""
        result = Settings()
        known = reach.knobs(library.declared.knobs)
        for name, value in given.items():
            word, dot, argument = name.partition(".")
            if dot:
                _check_argument(word, argument, value, reach, spec)
                result.arguments.setdefault(word, {})[argument] = value
            elif name in known:
                result.knobs[name] = value
            else:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise WrongUse(f"{spec} has no knob {name}; {has}", did_you_mean(name, known))
        return result


def _check_argument(word: str, argument: str, value: nodes.Expr, reach: Reach, spec: str) -> None:
    there: dict[str, Signature] = {
        w: LAYERS[w] for w in ("INPUT", *reach.layers) if w in LAYERS
    } | {block.word: block for block in reach.uses}
    if "AUX" in reach.layers:
        there["AUX"] = Aux
    if word not in there:
        if word in reach.layers:
            return  # there is no such layer, which is reported where it is used
        used = [w for w in reach.layers if w in there]
        raise WrongUse(
            f"{spec} has no layer {word or 'without a name'}; it has {', '.join(used) or 'none'}",
            did_you_mean(word, used),
        )
    arguments = there[word].arguments
    if argument not in arguments:
        takes = ", ".join(arguments) or "none"
        from ..other_tools import argument_help  # only what is wrong needs it

        raise WrongUse(
            f"{word} has no argument {argument or 'without a name'}; it takes {takes}",
            tuple(argument_help(argument, value, arguments)) or did_you_mean(argument, arguments),
        )


class Files(State):
    """The scopes of a file and of those that it imports."""

    library: Library
    scopes: dict[Library, Scope]

    @staticmethod
    def of(library: Library) -> Files:
        """Scopes in which no knob has a value yet; the files' blocks get theirs."""
        scopes: dict[Library, Scope] = {}
        effort = Effort()
        for file in library.everything():
            declared = file.declared
            lets: dict[str, nodes.Setting | nodes.Knob] = {**declared.knobs, **declared.lets}
            imported = {name: scopes[owner] for name, owner in imported_lets(file).items()}
            scopes[file] = Scope(
                {},
                lets,
                imported=imported,
                blocks=file.blocks,
                defaults={},
                partial=file.partial,
                effort=effort,
            )
            for block in file.own_blocks():
                block.scope = scopes[file]
        return Files(library, scopes)

    @property
    def scope(self) -> Scope:
        """Of the file itself."""
        return self.scopes[self.library]


def knob_values(files: Files, reach: Reach, settings: Settings, binder: Binder) -> dict[str, Any]:
    """Every knob's value, UNKNOWN where it must be set; put into the files' scopes too."""
    declared = files.library.declared
    values: dict[str, Any] = files.scope.values  # type: ignore[assignment]
    values.update((name, given(name, node)) for name, node in settings.knobs.items())
    for name in reach.switches:
        if name not in declared.knobs:
            values.setdefault(name, True)
    for name, free in reach.free.items():
        if name not in values:
            values[name] = UNKNOWN
            binder.missing.append(
                Missing(f"the knob {name}", name, free.example,
                        f"declare it in the spec: param {name} = {{}}", free.span, "E204")
            )  # fmt: skip
    for file, scope in files.scopes.items():
        _check_constants(file.declared, scope, binder.found)
        if file is not files.library:
            loose = {*reach.free, *reach.switches} - {*scope.lets, *scope.imported}
            scope.values.update((n, values[n]) for n in loose if n in values)  # type: ignore[attr-defined]
    return {name: values[name] for name in reach.knobs(declared.knobs)}


def _check_constants(declared: Declarations, scope: Scope, found: Diagnostics) -> None:
    """Evaluate knobs and lets, those that nothing uses too, and report what is wrong."""
    values: dict[str, Any] = scope.values  # type: ignore[assignment]
    apart = Evaluator(scope)
    for name, knob in declared.knobs.items():
        try:
            values[name] = apart.value(knob.name)
            if knob.choices is not None:
                _check_choice(name, values[name], knob, apart.value(knob.choices))
        except Mistake as mistake:
            found.add(mistake.diagnostic)
            values[name] = UNKNOWN
    for setting in declared.lets.values():
        try:
            apart.value(setting.name)
        except Mistake as mistake:
            found.add(mistake.diagnostic)


def choices(files: Files) -> dict[str, list[object]]:
    """The values that the file's knobs may take, where an `in` list says them."""
    found: dict[str, list[object]] = {}
    apart = Evaluator(files.scope)
    for name, knob in files.library.declared.knobs.items():
        try:
            listed = None if knob.choices is None else apart.value(knob.choices)
        except Mistake:  # reported where the knob's own value is checked
            continue
        if isinstance(listed, list):
            found[name] = listed
    return found


def given(name: str, node: nodes.Expr) -> Any:
    """The value of a `--set`; WrongUse where it has none."""
    try:
        return Evaluator(Scope()).value(node)
    except Mistake as mistake:
        help: tuple[str, ...] = ()
        if isinstance(node, nodes.Name):
            help = (f"a text stands in quotes: --set '{name}=\"{node.id}\"'",)
        raise WrongUse(f"--set {name}=…: {mistake.diagnostic.message}", help) from None


def _check_choice(name: str, value: Any, knob: nodes.Knob, choices: Any) -> None:
    if value is UNKNOWN or choices is UNKNOWN:
        return
    if not isinstance(choices, list):
        assert knob.choices is not None
        raise Mistake(
            "E205", f"`in` is followed by a list, not {brief(choices)}", knob.choices.span
        )
    # true is no 1 here, though they are equal
    if not any(c == value and isinstance(c, bool) == isinstance(value, bool) for c in choices):
        raise Mistake(
            "E205",
            f"{name} = {brief(value)} is none of the values that it may take",
            knob.span,
            f"in {brief(choices)}",
            [f"--set {name}={show(c)}" for c in choices[:3]],
        )


def default_arguments(files: Files, binder: Binder) -> None:
    """Put what `default LAYER(args)` says into the files' scopes.

    A file takes those of a file that it imports for layers of which it has none of its own.
    """
    for file, scope in files.scopes.items():
        defaults: dict[str, dict[str, Default]] = scope.defaults  # type: ignore[assignment]
        for statement in file.declared.defaults:
            _take_default(statement, scope, defaults, binder)
        own = set(defaults)
        for other in file.imports:
            for word, arguments in files.scopes[other].defaults.items():
                if word not in own:
                    defaults.setdefault(word, dict(arguments))


def _take_default(
    statement: nodes.Default, scope: Scope, defaults: dict[str, dict[str, Default]],
    binder: Binder,
) -> None:  # fmt: skip
    use = statement.layer
    try:
        cls = signature(use, scope.blocks)
    except Mistake as mistake:
        binder.found.add(mistake.diagnostic)
        binder.misread.add(nearest(use.name, (*LAYERS, *scope.blocks)) or use.name)
        return
    matched, lost = binder.match(cls, use.args, use.span)
    if lost:
        binder.misread.add(cls.word)
    binder.check(cls, matched, scope)
    for name, value in matched.items():
        if name in defaults.get(cls.word, {}):
            binder.found.add(
                Mistake("E209", f"two defaults for {cls.word}'s {name}", value.span).diagnostic
            )
        defaults.setdefault(cls.word, {}).setdefault(name, Default(value, scope))


def signature(use: nodes.Layer, blocks: Mapping[str, Block]) -> Signature:
    """What the word of a `default` stands for; Mistake where it is nothing."""
    if use.name == "AUX":
        return Aux
    return blocks[use.name] if use.name in blocks else layer_class(use, blocks)
