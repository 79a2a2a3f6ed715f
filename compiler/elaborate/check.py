"""The whole way from a parsed file to a checked net: what `cnnc check` asks for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related, SpecError
from cnnc.dsl.source import Source, Span

from ..arguments import BadValue
from ..layers.data import Input
from ..net import Net
from ..training.settings import Training
from .bind import Binder, Missing
from .build import Builder
from .declarations import Declarations, Settings, WrongUse, default_arguments, knob_values
from .evaluate import Evaluator
from .expand import Expander, TooLarge
from .expectations import check_expectations
from .scope import Mistake, Scope

# Mistakes that stand by themselves: reported beside syntax errors too, whose repair could
# otherwise be what is wrong.
LOCAL = ("E201", "E202", "E402", "E403", "E404", "E405")


@dataclass(frozen=True)
class Checked:
    """A file that was checked: its net where it has one and it holds."""

    source: Source
    net: Net | None
    name: str | None
    knobs: Mapping[str, Any]
    training: Training | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes do not count."""
        return not any(d.severity == "error" for d in self.diagnostics)

    def require(self) -> Net:
        """The net; SpecError with all that is wrong where there is none."""
        if not self.ok:
            raise SpecError(self.diagnostics)
        if self.net is None:
            end = Span(self.source, len(self.source.text), len(self.source.text))
            message = f"{self.source.name} has no chain, so there is no net in it"
            raise SpecError([*self.diagnostics, Diagnostic("E112", message, end)])
        return self.net


def check(
    file: nodes.File,
    syntax: tuple[Diagnostic, ...] = (),
    sets: Mapping[str, nodes.Expr] | None = None,
    input: nodes.Expr | None = None,
) -> Checked:
    """Check a parsed file; raises WrongUse where `sets` names what the spec does not have.

    syntax   what the parser found
    sets     from --set: knobs by name, layer arguments as LAYER.argument
    input    from --input: INPUT's shape
    """
    # Brackets nest up to 200 deep, with some calls for each.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
    found = Diagnostics()
    declared = Declarations.of(file, found)
    if syntax:
        return _with_syntax_errors(file, declared, found, syntax)
    binder = Binder(found)
    settings = Settings.of(sets or {}, declared)
    values, scope = knob_values(declared, settings, binder)
    if input is not None:
        _check_input(input)
        binder.replaced = {"INPUT": {"size": input}}
    binder.overrides = settings.arguments
    binder.defaults = default_arguments(declared, binder, scope)
    net = _expand(file, declared, binder, scope, input)
    _report_missing(file.source, binder, sets or {}, input)
    training = _training(declared, binder, scope)
    whole = None if found.failed else net
    if declared.chains:
        check_expectations(declared.expects, whole, training, scope, found)
    return Checked(
        file.source,
        None if found.failed else net,
        declared.name,
        values,
        None if found.failed else training,
        found.sorted(),
    )


def _check_input(input: nodes.Expr) -> None:
    """WrongUse where `--input` gives no shape."""
    size = Input.arguments["size"]
    try:
        size.type.parse(Evaluator(Scope()).value(input))
    except (Mistake, BadValue):
        text = input.span.text
        raise WrongUse(f"--input takes {size.type.wanted}, not {text}") from None


def _with_syntax_errors(
    file: nodes.File,
    declared: Declarations,
    found: Diagnostics,
    syntax: tuple[Diagnostic, ...],
) -> Checked:
    binder = Binder(Diagnostics())
    values, scope = knob_values(declared, Settings(), binder)
    binder.defaults = default_arguments(declared, binder, scope)
    _expand(file, declared, binder, scope, None)
    _training(declared, binder, scope)
    kept = Diagnostics()
    kept.extend(syntax)
    kept.extend(d for d in (*found.sorted(), *binder.found.sorted()) if d.code in LOCAL)
    return Checked(file.source, None, declared.name, values, None, kept.sorted())


def _expand(
    file: nodes.File,
    declared: Declarations,
    binder: Binder,
    scope: Scope,
    input: nodes.Expr | None,
) -> Net | None:
    if not file.statements:
        whole = Span(file.source, 0, 0)
        binder.found.add(
            Diagnostic("E111", "the file is empty: there is no net and no statement in it", whole,
                       help=("a net is a chain: INPUT(1x28x28) -> FC(10)",))
        )  # fmt: skip
    if not declared.chains:
        return None
    chain, *others = declared.chains
    for other in others:
        _second_chain(chain, other, binder.found)
    builder = Builder(binder.found)
    expander = Expander(binder, builder)
    try:
        if not _heads_with_input(chain):
            _put_input(chain, binder, builder, input)
        expander.chain(chain, scope)
    except TooLarge:
        return None
    if not builder.layers and not binder.found.failed and not binder.missing:
        binder.found.add(
            Diagnostic("E213", "the net has no INPUT: it is left out", chain.elements[0].span,
                       help=("write it without a condition: INPUT(3x32x32) -> …",))
        )  # fmt: skip
    if binder.found.failed or binder.missing:
        return None
    return builder.net(declared.name)


def _heads_with_input(chain: nodes.Chain) -> bool:
    head: Any = chain.elements[0]
    while not isinstance(head, nodes.Layer):
        match head:
            case nodes.Group(chain=inner):
                head = inner.elements[0]
            case (
                nodes.Shaped(element=inner)
                | nodes.Named(element=inner)
                | nodes.Repeat(element=inner)
                | nodes.Optional(element=inner)
            ):
                head = inner
            case nodes.For(body=inner):
                head = inner.elements[0]
            case _:
                return False
    return head.name == "INPUT"


def _put_input(
    chain: nodes.Chain, binder: Binder, builder: Builder, input: nodes.Expr | None
) -> None:
    """A chain without INPUT takes it from --input."""
    at = chain.elements[0].span
    use = nodes.Layer(at, "INPUT", None, at)
    place = input.span if input is not None else at
    builder.add(binder.make(Input, use.args, at, Scope()), place, place)


def _second_chain(first: nodes.Chain, other: nodes.Chain, found: Diagnostics) -> None:
    found.add(
        Diagnostic(
            "E110",
            "a second chain begins here, and a file has one net",
            other.elements[0].span,
            "is a -> missing before it?",
            help=(f"to go on with the first chain: -> {other.elements[0].span.text}",),
            related=(Related("the first chain ends here", first.elements[-1].span),),
        )
    )


def _report_missing(
    source: Source, binder: Binder, sets: Mapping[str, nodes.Expr], input: nodes.Expr | None
) -> None:
    """One diagnostic for each thing that must still be given; the first shows them all."""
    unique: dict[str, Missing] = {}
    for missing in binder.missing:
        unique.setdefault(missing.option, missing)
    in_text = sorted(unique.values(), key=lambda m: m.span.start if m.span else 0)
    given = [f"--set {shlex.quote(f'{name}={node.span.text}')}" for name, node in sets.items()]
    if input is not None:
        given.append(f"--input {shlex.quote(input.span.text)}")
    # --input first, then knobs, then arguments of layers
    ordered = sorted(
        (*given, *(m.option for m in in_text)),
        key=lambda o: (o.startswith("--set"), "." in o.partition("=")[0]),
    )
    file = "-" if source.name == "<stdin>" else shlex.quote(source.name)
    together = f"cnnc check {file} {' '.join(ordered)}"
    for number, missing in enumerate(in_text):
        option = f"or on the command line: {missing.option}"
        help = [*missing.help, option]
        if number == 0 and len(in_text) > 1:
            help.append(f"all {len(in_text)} that are missing at once: {together}")
        binder.found.add(
            Diagnostic(missing.code, f"{missing.what} is not given", missing.span, help=tuple(help))
        )


def _training(declared: Declarations, binder: Binder, scope: Scope) -> Training | None:
    if declared.train is None:
        return Training()
    args = tuple(
        nodes.Argument(s.span, s.name.id, s.value, s.name.span) for s in declared.train.settings
    )
    return binder.make(Training, args, declared.train.span, scope)
