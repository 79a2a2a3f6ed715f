"""Arguments that declare themselves: name, type, range, default, one sentence.

Layers, optimizers, schedules, losses, initialisers and augmentations are all classes of
`Declared`. From their fields come the checks, the messages and the reference in the docs.

    class MaxOut(Layer):
        pieces: int = arg(integer(at_least=1), "how many channels compete", default=2)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from cnnc.dsl.record import Record, fresh

from .values import Made, Tapped, Word, is_integer, is_number, show

REQUIRED: Any = object()  # the default of an argument that must be given
LONGEST_SHOWN = 40  # characters of a value in a message or a table


class BadValue(ValueError):
    """A value that an argument does not take; the text says what it takes.

    argument   which one, where the text does not stand at it: a condition between several
    """

    def __init__(self, text: str, argument: str | None = None) -> None:
        super().__init__(text)
        self.argument = argument


class Type(Record):
    """What an argument takes: `parse` returns the value as the layer wants it, or raises BadValue.

    wanted      for messages and docs: "an integer of at least 1"
    words       the bare words that it takes
    takes_list  whether the value itself may be a list (otherwise a list is per repetition)
    length      of such a list, where it is one alone
    made        for words with arguments: what each word makes
    open        whether it takes any word of any layer (a block's formal)
    quoted      whether it takes a text in quotes, so that a bare name may lack them
    """

    wanted: str
    parse: Callable[[object], object]
    words: tuple[str, ...] = ()
    takes_list: bool = False
    length: int | None = None
    made: Mapping[str, type[Declared]] = fresh(factory=dict)
    open: bool = False
    quoted: bool = False

    def is_value(self, items: list[Any]) -> bool:
        """Whether a list is the value itself, and not one value for each repetition."""
        return self.takes_list and self.length in (None, len(items))


class Argument(Record):
    """One declared argument of a layer, an optimizer, …

    default  the value, REQUIRED, or the name of another argument in `same_as`
    """

    name: str
    type: Type
    help: str
    default: object = REQUIRED
    same_as: str | None = None

    @property
    def required(self) -> bool:
        """Whether a use must give it."""
        return self.default is REQUIRED and self.same_as is None

    def default_text(self) -> str:
        """The default as the reference writes it."""
        if self.same_as:
            return self.same_as
        if self.required:
            return "needed"
        text = show(self.default)
        return text.strip('"') if text.strip('"') in self.type.words else text or "none"


def arg(type: Type, help: str, *, default: object = REQUIRED, same_as: str | None = None) -> Any:
    """Declare an argument as a class field. `same_as` takes the value of an earlier one."""
    return Argument("", type, help, default, same_as)


class Declared:
    """A class whose arguments are its `arg` fields, in the order they are written in."""

    word: ClassVar[str]  # how the language calls it
    noun: ClassVar[str] = "argument"  # how messages call what it takes
    arguments: ClassVar[dict[str, Argument]] = {}
    by_place: ClassVar[tuple[str, ...]] = ()  # arguments that are usually written without name

    def __init_subclass__(cls) -> None:
        own: dict[str, Argument] = {}
        for name, value in list(vars(cls).items()):
            if isinstance(value, Argument):
                own[name] = Argument(name, value.type, value.help, value.default, value.same_as)
                delattr(cls, name)
        # What a class declares stands before what its bases add (freeze=, init=, …); an
        # argument of a base that the class fixes (`mode = "avg"`) can't be given any more.
        kept = {k: a for k, a in cls.arguments.items() if k not in own and k not in vars(cls)}
        cls.arguments = {**own, **kept}

    def __init__(self, **given: object) -> None:
        unknown = given.keys() - self.arguments.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no argument {sorted(unknown)[0]!r}")
        for name, argument in self.arguments.items():
            if name in given:
                value = argument.type.parse(given[name])
            elif argument.same_as:
                value = getattr(self, argument.same_as)
            elif argument.required:
                raise TypeError(f"{type(self).__name__} needs {name}=")
            elif argument.default is None:  # nothing is the default
                value = None
            else:
                value = argument.type.parse(argument.default)
            setattr(self, name, value)
        self.given = dict(given)
        self.check()

    def check(self) -> None:
        """Conditions between arguments; raise BadValue."""

    def replace(self, **changes: object) -> Self:
        """The same with other arguments."""
        return type(self)(**{**self.given, **changes})

    def __repr__(self) -> str:
        return self.written()

    def written(self) -> str:
        """As it would be written in a spec, with the arguments that were given."""
        return self._written(show)

    def shown(self) -> str:
        """The same for a message or a table: a long value, as a table of connections, is `…`."""

        def short(value: object) -> str:
            text = show(value)
            return text if len(text) <= LONGEST_SHOWN else "…"

        return self._written(short)

    def _written(self, show: Callable[[object], str]) -> str:
        parts: list[str] = []
        for i, name in enumerate(self.arguments):
            if name in self.given:
                value = show(self.given[name])
                leading = i == len(parts) and name in self.by_place
                parts.append(value if leading else f"{name}={value}")
        return f"{self.word}({', '.join(parts)})" if parts else self.word


# -- types ----------------------------------------------------------------------------


def integer(*, at_least: int | None = None) -> Type:
    """An integer, perhaps with a least value."""
    wanted = "an integer" + ("" if at_least is None else f" of at least {at_least}")

    def parse(value: object) -> object:
        if not is_integer(value) or (at_least is not None and value < at_least):  # type: ignore[operator]
            raise BadValue(wanted)
        return value

    return Type(wanted, parse)


def number(
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Type:
    """A finite number in a range."""
    limits = [
        f"{text} {limit:g}"
        for text, limit in (
            ("of at least", at_least),
            ("above", above),
            ("below", below),
            ("of at most", at_most),
        )
        if limit is not None
    ]
    wanted = "a number" + (" " + " and ".join(limits) if limits else "")

    def parse(value: object) -> object:
        if not is_number(value):
            raise BadValue(wanted)
        x: float = value  # type: ignore[assignment]
        fits = (
            math.isfinite(x)
            and (at_least is None or x >= at_least)
            and (above is None or x > above)
            and (below is None or x < below)
            and (at_most is None or x <= at_most)
        )
        if not fits:
            raise BadValue(wanted)
        return x

    return Type(wanted, parse)


def boolean() -> Type:
    """`true` or `false`."""

    def parse(value: object) -> object:
        if not isinstance(value, bool):
            raise BadValue("true or false")
        return value

    return Type("true or false", parse)


def one_of(*words: str) -> Type:
    """One of some words."""
    wanted = " or ".join(words)

    def parse(value: object) -> object:
        text = value.text if isinstance(value, Word) else value
        if text not in words:
            raise BadValue(wanted)
        return text

    return Type(wanted, parse, words=words)


def text() -> Type:
    """A string in quotes."""

    def parse(value: object) -> object:
        if not isinstance(value, str) or not value:
            raise BadValue('a text in quotes, "name"')
        return value

    return Type('a text in quotes, "name"', parse, quoted=True)


def tap() -> Type:
    """`@name`: an output that `as` named."""

    def parse(value: object) -> object:
        if not isinstance(value, Tapped):
            raise BadValue("an output named with `as`, as @name")
        return value

    return Type("an output named with `as`, as @name", parse)


def window(*, at_least: int = 1) -> Type:
    """A number for both axes or HxW; parsed to (height, width)."""
    wanted = f"a number or HxW, each of at least {at_least}"

    def parse(value: object) -> object:
        pair = (value, value) if is_integer(value) else value
        if not (
            isinstance(pair, tuple)
            and len(pair) == 2
            and all(is_integer(n) and n >= at_least for n in pair)
        ):
            raise BadValue(wanted)
        return pair

    return Type(wanted, parse)


def padding(*words: str) -> Type:
    """n, HxW, (top, bottom, left, right) or a word; parsed to the four numbers or the word."""
    wanted = "a number, HxW, (top, bottom, left, right)" + "".join(f" or {w}" for w in words)

    def parse(value: object) -> object:
        if isinstance(value, Word) or isinstance(value, str):
            text = value.text if isinstance(value, Word) else value
            if text in words:
                return text
            raise BadValue(wanted)
        if is_integer(value):
            value = (value,) * 4
        elif isinstance(value, tuple) and len(value) == 2:
            value = (value[0], value[0], value[1], value[1])
        if not (
            isinstance(value, tuple | list)
            and len(value) == 4
            and all(is_integer(n) and n >= 0 for n in value)
        ):
            raise BadValue(wanted)
        return tuple(value)

    return Type(wanted, parse, words=words, takes_list=True, length=4)


def shape(*ranks: int) -> Type:
    """A shape: CxHxW, or K for a vector where rank 1 is allowed."""
    wanted = "a shape such as " + " or ".join({3: "3x32x32", 1: "10"}[r] for r in ranks)

    def parse(value: object) -> object:
        dims = (value,) if is_integer(value) else value
        if not (
            isinstance(dims, tuple)
            and len(dims) in ranks
            and all(is_integer(n) and n >= 1 for n in dims)
        ):
            raise BadValue(wanted)
        return dims

    return Type(wanted, parse)


def made_of(*classes: type[Declared]) -> Type:
    """A word that makes something, bare or with arguments: `he`, `normal(0.01)`."""
    made = {c.word: c for c in classes}
    wanted = " or ".join(made)

    def parse(value: object) -> object:
        if isinstance(value, Declared) and type(value) in made.values():
            return value
        if isinstance(value, str) and value in made:
            return make(made[value], (), ())
        if isinstance(value, Word) and value.text in made:
            return make(made[value.text], (), ())
        if isinstance(value, Made) and value.word in made:
            return make(made[value.word], value.positional, value.named)
        raise BadValue(wanted)

    return Type(wanted, parse, words=tuple(made), made=made)


def list_of(item: Type) -> Type:
    """A list, each of whose items is of one type."""
    wanted = f"a list of {item.wanted}"

    def parse(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise BadValue(wanted)
        try:
            return tuple(item.parse(v) for v in value)
        except BadValue:
            if item.made:  # the message names the word that is meant
                raise
            raise BadValue(wanted) from None

    return Type(wanted, parse, words=item.words, takes_list=True, made=item.made)


def make(
    cls: type[Declared], positional: tuple[object, ...], named: tuple[tuple[str, object], ...]
) -> Declared:
    """An instance from the arguments of `word(…)`; BadValue says which argument is wrong."""
    names = list(cls.arguments)
    if len(positional) > len(names):
        raise BadValue(f"at most {len(names)} arguments in {cls.word}(…)")
    given = dict(zip(names, positional, strict=False))
    for name, value in named:
        if name not in cls.arguments:
            raise BadValue(f"{cls.word} with {' or '.join(names) or 'no arguments'}")
        if name in given:
            raise BadValue(f"{cls.word} with {name} given once")
        given[name] = value
    for name, argument in cls.arguments.items():
        if name not in given and argument.required:
            raise BadValue(f"{cls.word} with {name}= given")
    for name, value in given.items():
        try:
            cls.arguments[name].type.parse(value)
        except BadValue as wrong:
            raise BadValue(f"{cls.word} with {name} = {wrong}") from None
    return cls(**given)
