"""The members of a family of nets: a spec checked with every combination of its knobs' values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, SpecError
from cnnc.dsl.parser import parse, parse_value
from cnnc.dsl.source import Source

from .elaborate.check import Checked, check
from .elaborate.settings import WrongUse, given
from .net import Net
from .training.settings import Training
from .values import is_integer, show

MOST_MEMBERS = 10_000
WHERE = "--where"

Values = range | list[str]  # a range, which may be long, or texts of the language


@dataclass(frozen=True)
class Member:
    """One net of the family, or why there is none.

    values  what it was checked with, of all that is varied
    error   the first mistake of a member that does not hold
    meets   whether the condition holds for it
    """

    values: dict[str, str]
    checked: Checked
    error: Diagnostic | None
    meets: bool

    @property
    def net(self) -> Net:
        """The net of a member that holds and meets the condition."""
        return self.checked.require()

    def memory(self, batch: int | None) -> int:
        """Bytes for training, as `memory(batch=…)` in an `expect`; None is the spec's batch."""
        from .memory import memory

        training = self.checked.training or Training()
        return memory(self.net, training, batch or training.batch)


class Family:
    """A spec and what is varied in it, counted before anything is checked.

    sets    by --set's name: `1..3`, `1..9..2`, `[1, 2, 4]` or one value
    where   a condition as in `expect`, which the knobs may stand in too

    A knob with an `in` list that is not set takes all its values. Raises SpecError for a spec
    that cannot be read, WrongUse for what has no meaning and for more than MOST_MEMBERS members.
    """

    def __init__(
        self,
        source: Source,
        sets: Mapping[str, str],
        input: str | None = None,
        where: str | None = None,
    ) -> None:
        file, syntax = parse(source)
        values = {name: alternatives(name, text) for name, text in sets.items()}
        first = {name: _node(f"--set {name}", _text(each[0])) for name, each in values.items()}
        checked = check(file, syntax, first)
        if syntax:
            raise SpecError(checked.diagnostics)
        for name, listed in checked.choices.items():
            if listed:
                values.setdefault(name, [show(value) for value in listed])
        _check_count(values)
        texts = {name: [_text(value) for value in each] for name, each in values.items()}
        self.varied = {name: each for name, each in texts.items() if len(each) > 1}
        self.fixed = {name: each[0] for name, each in texts.items() if len(each) == 1}
        self.input = None if input is None else _node("--input", input)
        self.file = file if where is None else _with_condition(file, where)

    def __len__(self) -> int:
        return prod(len(each) for each in self.varied.values())

    def members(self) -> Iterator[Member]:
        """Every combination, checked; the last name changes fastest."""
        cache = {
            (name, text): _node(f"--set {name}", text)
            for name, each in self.varied.items()
            for text in each
        }
        fixed = {name: _node(f"--set {name}", text) for name, text in self.fixed.items()}
        for texts in product(*self.varied.values()):
            values = dict(zip(self.varied, texts, strict=True))
            sets = {**fixed, **{name: cache[name, text] for name, text in values.items()}}
            yield _member(values, check(self.file, (), sets, self.input))


def _member(values: dict[str, str], checked: Checked) -> Member:
    """Tell mistakes of the spec from those of the condition, which is one of its statements."""
    error, meets = None, True
    for diagnostic in checked.diagnostics:
        if diagnostic.severity != "error":
            continue
        if diagnostic.span is None or diagnostic.span.source.name != WHERE:
            error = error or diagnostic
        elif diagnostic.code == "E501":
            meets = False
        else:
            raise WrongUse(f"{WHERE}: {diagnostic.message}", diagnostic.help)
    if error is None and meets:
        checked.require()  # a file without a chain is no family
    return Member(values, checked, error, meets)


# -- what is varied -------------------------------------------------------------------


def alternatives(name: str, text: str) -> Values:
    """The values that `--set name=text` means, at least one."""
    if ".." in text and not any(c in text for c in "\"'[("):
        return _range(name, text)
    node = _node(f"--set {name}", text)
    if not isinstance(node, nodes.ListValue):
        return [text]
    if not node.items:
        raise WrongUse(f"--set {name}={text}: the list has no value")
    return list(dict.fromkeys(item.span.text for item in node.items))


def _range(name: str, text: str) -> range:
    parts = text.split("..")
    numbers = [given(name, _node(f"--set {name}", part)) for part in parts if part.strip()]
    if len(numbers) != len(parts) or len(parts) > 3 or not all(map(is_integer, numbers)):
        raise WrongUse(
            f"--set {name}={text}: a range is FIRST..LAST or FIRST..LAST..STEP, of integers",
            ("other values are listed: [0.1, 0.2, 0.5]",),
        )
    first, last, step = (*numbers, 1)[:3]
    if step < 1 or last < first:
        raise WrongUse(f"--set {name}={text}: the range has no value; it counts upwards")
    return range(first, last + 1, step)


def _check_count(values: Mapping[str, Values]) -> None:
    sizes = {name: _size(each) for name, each in values.items() if _size(each) > 1}
    if prod(sizes.values()) <= MOST_MEMBERS:
        return
    counts = " * ".join(f"{size:,} ({name})" for name, size in sizes.items())
    widest = max(sizes, key=lambda name: sizes[name])
    raise WrongUse(
        f"{counts} = {prod(sizes.values()):,} members, and the limit is {MOST_MEMBERS:,}",
        (f"set {widest} to fewer values, or to one: --set {widest}={_text(values[widest][0])}",),
    )


def _size(values: Values) -> int:
    """How many there are; len() has a limit."""
    if isinstance(values, range):
        return (values.stop - values.start + values.step - 1) // values.step
    return len(values)


def _text(value: object) -> str:
    return value if isinstance(value, str) else show(value)


def _node(where: str, text: str) -> nodes.Expr:
    """A value given as text; WrongUse where it is none."""
    node, diagnostics = parse_value(Source(where, text))
    if diagnostics or node is None:
        raise WrongUse(f"{where} takes a value of the language, and {text!r} is none")
    return node


def _with_condition(file: nodes.File, where: str) -> nodes.File:
    """The file with one more expectation."""
    node, diagnostics = parse_value(Source(WHERE, where))
    if node is None or diagnostics:
        reason = diagnostics[0].message if diagnostics else "it is empty"
        raise WrongUse(
            f"{WHERE} takes a condition, and {where!r} is none: {reason}",
            ("as in an expect statement: params <= 100k and N > 1",),
        )
    return nodes.File((*file.statements, nodes.Expect(node.span, node)), file.source)
