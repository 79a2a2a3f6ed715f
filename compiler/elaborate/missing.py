"""What must still be given, reported all at once with a command line that gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics
from cnnc.dsl.record import Record
from cnnc.dsl.source import Source, Span

# Shapes to suggest, the usual one first: where it is too small for the net, the next.
SHAPES = ("3x32x32", "3x64x64", "3x128x128", "3x224x224", "3x512x512")


class Missing(Record):
    """Something that must still be given.

    name     as `--set` takes it, "N" or "CONV.filters"; "" for what `--input` gives
    example  a value that it could have
    written  how the spec would say it, `{}` for the value
    """

    what: str
    name: str
    example: str
    written: str
    span: Span
    code: str

    @property
    def option(self) -> str:
        """The option that gives it: `--set N=2`."""
        return f"--set {self.name}={self.example}" if self.name else f"--input {self.example}"


def report_missing(
    source: Source,
    missing: Iterable[Missing],
    given: Sequence[str],
    fits: Callable[[Mapping[str, str]], bool],
    found: Diagnostics,
) -> None:
    """One diagnostic for each thing that must still be given; the first shows them all.

    given   the options that are there already
    fits    whether no shape is wrong once these examples are given, by name
    """
    unique: dict[str, Missing] = {}
    for one in missing:
        unique.setdefault(one.name, one)
    if "" in unique:
        examples = {name: one.example for name, one in unique.items()}
        fitting = (shape for shape in SHAPES if fits({**examples, "": shape}))
        unique[""] = unique[""].replace(example=next(fitting, SHAPES[0]))
    in_text = sorted(unique.values(), key=lambda m: m.span.start)
    # --input first, then knobs, then arguments of layers
    ordered = sorted(
        (*given, *(m.option for m in in_text)),
        key=lambda o: (o.startswith("--set"), "." in o.partition("=")[0]),
    )
    together = f"cnnc check {_file(source)} {' '.join(ordered)}"
    for number, one in enumerate(in_text):
        help = [one.written.format(one.example), f"or on the command line: {one.option}"]
        if number == 0 and len(in_text) > 1:
            help.append(f"all {len(in_text)} that are missing at once: {together}")
        found.add(Diagnostic(one.code, f"{one.what} is not given", one.span, help=tuple(help)))


def _file(source: Source) -> str:
    """How the command line names a source."""
    if source.name.startswith("<"):
        return "-" if source.name == "<stdin>" else "FILE"
    from shlex import quote  # at every start it would cost time, and most specs lack nothing

    return quote(f"./{source.name}" if source.name.startswith("-") else source.name)


def example_count(
    element: nodes.Element,
    around: frozenset[int],
    lets: Mapping[str, nodes.Setting | nodes.Knob],
) -> int:
    """How often a repeat of an element could run.

    As often as a list in it is long that is for no other repeat, of those `around` and inside;
    else twice, or more where a list is that long, so that it still has one repeat.
    """
    lengths = list(_lengths(element, lets))
    others = around | set(_counts(element))
    for length in lengths:
        if length not in others:
            return length
    count = 2
    while count in lengths:
        count += 1
    return count


def _lengths(node: nodes.Node, lets: Mapping[str, nodes.Setting | nodes.Knob]) -> Iterator[int]:
    """How long the lists are that are written where values go, or that are named there."""
    match node:
        case nodes.ListValue(items=items):
            yield len(items)
        case nodes.Name(id=name):
            if name in lets and isinstance(lets[name].value, nodes.ListValue):
                yield from _lengths(lets[name].value, lets)
        case nodes.For(body=body):
            yield from _lengths(body, lets)
        case _:
            for child in nodes.children(node):
                yield from _lengths(child, lets)


def _counts(node: nodes.Node) -> Iterator[int]:
    """How often the repeats inside run whose counts are plain to see."""
    match node:
        case nodes.Repeat(count=nodes.Number(value=int(count))):
            yield count
        case nodes.For(items=nodes.ListValue(items=items)):
            yield len(items)
    for child in nodes.children(node):
        if not isinstance(child, nodes.ListValue):
            yield from _counts(child)
