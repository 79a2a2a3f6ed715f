"""The whole way from a parsed file to a checked net: what `cnnc check` asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related, SpecError
from cnnc.dsl.parser import parse_value
from cnnc.dsl.record import Record
from cnnc.dsl.source import Source, Span

from ..arguments import BadValue
from ..layers.data import Input
from ..layers.layer import Shape
from ..lints import lints
from ..net import Net
from ..training.settings import Training
from .allowed import without_allowed
from .bind import Binder, condition
from .blocks import Reach, find_circles
from .build import Builder
from .declarations import Declarations
from .evaluate import Evaluator
from .expand import Expander, TooLarge
from .expectations import check_expectations
from .imports import Importer
from .missing import report_missing
from .names import NOT_KNOWN
from .scope import UNKNOWN, Mistake, Scope
from .settings import Files, Settings, WrongUse, choices, default_arguments, knob_values
from .unused import unused
from .way import Way

# Mistakes that stand by themselves: reported beside syntax errors too, whose repair could
# otherwise be what is wrong. It is what is wrong with arguments on the same lines, but no name of
# a layer is ever mended.
LOCAL_NAMES = ("E201",)
LOCAL_VALUES = ("E402", "E403", "E404", "E405")


class Checked(Record):
    """A file that was checked: its net where it has one and it holds.

    knobs    their values
    choices  the values that they may take, where an `in` list says them
    input    INPUT's shape, where that much is known although there may be errors
    """

    source: Source
    net: Net | None
    input: Shape | None
    name: str | None
    knobs: Mapping[str, Any]
    choices: Mapping[str, list[object]]
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
    files, reach = _read_on(declared, file.source, found, partial=bool(syntax))
    if syntax:
        return _with_syntax_errors(file, files, reach, found, syntax)
    binder = Binder(found)
    settings = Settings.of(sets or {}, files.library, reach, file.source.name)
    values = knob_values(files, reach, settings, binder)
    if input is not None:
        _check_input(input)
        binder.replaced = {"INPUT": {"size": input}}
    binder.overrides = settings.arguments
    default_arguments(files, binder)
    builder = Builder(found)
    net = _expand(file, files, reach, binder, builder, input)
    _report_missing(file, binder, sets or {}, input)
    training = _training(declared, binder, files.scope)
    _check_training(training, net, declared, found)
    whole = None if found.failed else net
    if declared.chains:
        check_expectations(declared.expects, whole, training, files.scope, found)
    if not found.failed:
        found.extend(unused(file, declared, reach))
    if whole is not None:
        found.extend(lints(whole))
    return Checked(
        file.source,
        None if found.failed else net,
        builder.layers[0].output if builder.layers else None,
        declared.name,
        values,
        choices(files),
        None if found.failed else training,
        without_allowed(_without_notes(found), file.source),
    )


def _without_notes(found: Diagnostics) -> tuple[Diagnostic, ...]:
    """Beside errors notes would only distract: they are about a net that is not what is meant."""
    return tuple(d for d in found.sorted() if not (found.failed and d.severity == "note"))


def _read_on(
    declared: Declarations, source: Source, found: Diagnostics, partial: bool
) -> tuple[Files, Reach]:
    """What the file imports, the scopes of all files, and what the net's chain uses."""
    whole = os.path.realpath(source.name)
    library = Importer.of(source, found).library(declared, source, (whole,), partial)
    files = Files.of(library)
    find_circles(library.blocks, found)
    reach = Reach(lets=files.scope.lets)
    constants = declared.constants | {*files.scope.imported}
    for chain in declared.chains[:1]:
        reach.body(chain, library.blocks, constants)
    for first, again in reach.twice:
        found.add(
            Diagnostic(
                "E216", f"{again.id} is given twice", again.span, "again",
                help=("give another name, for `@` must know which is meant",),
                related=(Related("the first time", first.span),),
            )
        )  # fmt: skip
    return files, reach


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
    files: Files,
    reach: Reach,
    found: Diagnostics,
    syntax: tuple[Diagnostic, ...],
) -> Checked:
    declared = files.library.declared
    binder = Binder(Diagnostics())
    mended = {line for d in syntax for line in _lines(d.span)}
    for block in files.library.own_blocks():
        head = block.node.span.to(block.node.name.span)
        for formal in block.node.formals:
            head = head.to(formal.span)
        block.mended = not mended.isdisjoint(_lines(head))
    values = knob_values(files, reach, Settings(), binder)
    default_arguments(files, binder)
    _expand(file, files, reach, binder, Builder(binder.found), None, hasty=True)
    _training(declared, binder, files.scope)
    kept = Diagnostics()
    local = [
        d for d in (*found.sorted(), *binder.found.sorted())
        if d.code in LOCAL_NAMES or (d.code in LOCAL_VALUES and mended.isdisjoint(_lines(d.span)))
    ]  # fmt: skip
    # Of the very same characters, as those of nn.Conv2d, the checker knows more than the parser.
    known = {d.span for d in local}
    kept.extend(d for d in syntax if d.span not in known)
    kept.extend(local)
    may = choices(files)
    return Checked(file.source, None, None, declared.name, values, may, None, kept.sorted())


def _lines(span: Span | None) -> set[tuple[str, int]]:
    """The lines of a place, each with its file."""
    if span is None:
        return set()
    return {(span.source.name, n) for n in range(span.begin.line, span.finish.line + 1)}


def _expand(
    file: nodes.File, files: Files, reach: Reach, binder: Binder, builder: Builder,
    input: nodes.Expr | None, hasty: bool = False,
) -> Net | None:  # fmt: skip
    declared, scope, found = files.library.declared, files.scope, binder.found
    if not file.statements:
        whole = Span(file.source, 0, 0)
        found.add(
            Diagnostic("E111", "the file is empty: there is no net and no statement in it", whole,
                       help=("a net is a chain: INPUT(1x28x28) -> FC(10)",))
        )  # fmt: skip
    _check_unused_blocks(files, reach, found)
    if not declared.chains:
        return None
    chain, *others = declared.chains
    for other in others:
        _second_chain(chain, other, found)
    twice = frozenset(name.id for name, _ in reach.twice)
    way = Way(chain, binder, reach, twice, scope, input, hasty)
    if not files.library.partial:
        builder.retry = way.again
    expander = way.expander(builder)
    try:
        output = way.go(expander)
    except TooLarge:
        return None
    if not builder.layers and not found.failed and not binder.missing:
        found.add(
            Diagnostic("E213", "the net has no INPUT: it is left out", chain.elements[0].span,
                       help=("write it without a condition: INPUT(3x32x32) -> …",))
        )  # fmt: skip
    if output is not None:
        builder.check_exits(output)
    if found.failed or binder.missing or output is None or output.maker is None:
        return None
    name = f"net {declared.name}\n\n" if declared.name else ""
    return builder.net(declared.name, output, name + "\n-> ".join(expander.items) + "\n")


def _check_unused_blocks(files: Files, reach: Reach, found: Diagnostics) -> None:
    """The blocks of this file that the net does not use: what can be known of them is checked."""
    for block in files.library.own_blocks():
        if block in reach.uses or block.refused:
            continue
        apart = Reach()
        apart.body(block.node.body, block.known, frozenset({*block.arguments, *block.scope.lets,
                                                            *block.scope.imported}))  # fmt: skip
        # Knobs that its counts and options name would be set where it is used.
        loose = dict.fromkeys((*apart.free, *apart.switches), UNKNOWN)
        unknown = {**loose, **dict.fromkeys(block.arguments, UNKNOWN)}
        scope = block.scope.inside(unknown, Scope(), many=True)
        expander = Expander(Binder(found), Builder(found))
        try:
            expander.chain(block.node.body, NOT_KNOWN, scope, head=True)
        except TooLarge:
            return


def _second_chain(first: nodes.Chain, other: nodes.Chain, found: Diagnostics) -> None:
    text = other.elements[0].span.text
    help = f"to go on with the first chain: -> {text}"
    if text.startswith("INPUT"):
        help = "a net of its own goes into a file of its own"
    found.add(
        Diagnostic(
            "E110",
            "a second chain begins here, and a file has one net",
            other.elements[0].span,
            "is a -> missing before it?",
            help=(help,),
            related=(Related("the first chain ends here", first.elements[-1].span),),
        )
    )


def _report_missing(
    file: nodes.File, binder: Binder, sets: Mapping[str, nodes.Expr], input: nodes.Expr | None
) -> None:
    if not binder.missing:
        return
    from shlex import quote  # only what is missing needs it

    given = [f"--set {quote(f'{name}={node.span.text}')}" for name, node in sets.items()]
    if input is not None:
        given.append(f"--input {quote(input.span.text)}")

    def fits(examples: Mapping[str, str]) -> bool:
        values = {name: _example(text) for name, text in examples.items()}
        shape = values.pop("", input)
        found = check(file, (), {**sets, **values}, shape).diagnostics
        return not any(d.code.startswith("E3") for d in found)

    report_missing(file.source, binder.missing, given, fits, binder.found)


def _example(text: str) -> nodes.Expr:
    node, _ = parse_value(Source("example", text))
    assert node is not None
    return node


def _training(declared: Declarations, binder: Binder, scope: Scope) -> Training | None:
    if declared.train is None:
        return Training()
    args = tuple(
        nodes.Argument(s.span, s.name.id, s.value, s.name.span) for s in declared.train.settings
    )
    return binder.make(Training, args, declared.train.span, scope)


def _check_training(
    training: Training | None, net: Net | None, declared: Declarations, found: Diagnostics
) -> None:
    """Settings that do not go together, or not with the net."""
    if training is None or declared.train is None:
        return
    try:
        training.schedule.require(training.epochs)
        if net is not None:
            training.require(net.input_shape, net.output_shape)
    except BadValue as wrong:
        places = [s.value.span for s in declared.train.settings if s.name.id == wrong.argument]
        found.add(condition(Training, wrong, places[0] if places else declared.train.span))
