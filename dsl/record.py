"""Classes of named fields, for all stages that a check goes through.

What `@dataclass` gives, without generating and compiling code for every class when it is
imported: with some seventy of them that would be a quarter of the time in which `cnnc check`
starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

T = TypeVar("T")


class _Fresh:
    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory = factory


def fresh(*, factory: Callable[[], T]) -> T:
    """A field's default that is made anew for each record: `fresh(factory=list)`."""
    return _Fresh(factory)  # type: ignore[return-value]


class _Fields:
    """The annotated names in order, those of the base class first; with `=` a default."""

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _fresh: ClassVar[tuple[tuple[str, Callable[[], Any]], ...]] = ()

    def __init_subclass__(cls) -> None:
        own = [n for n, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
        cls.__match_args__ = (*cls.__match_args__, *own)  # type: ignore[misc]
        made = [(n, vars(cls)[n].factory) for n in own if isinstance(vars(cls).get(n), _Fresh)]
        cls._fresh = (*cls._fresh, *made)

    def __init__(self, *values: Any, **named: Any) -> None:
        names = self.__match_args__
        if len(values) > len(names):
            raise TypeError(f"{type(self).__name__} has {len(names)} fields, not {len(values)}")
        fields = self.__dict__
        fields.update(zip(names, values, strict=False))
        for name, value in named.items():
            if name not in names or name in fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r} left")
            fields[name] = value
        if len(fields) < len(names):
            for name, factory in self._fresh:
                if name not in fields:
                    fields[name] = factory()
            for name in names:
                if name not in fields and not hasattr(type(self), name):
                    raise TypeError(f"{type(self).__name__} needs {name}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({shown})"


@dataclass_transform(field_specifiers=(fresh,))
class State(_Fields):
    """The base of what changes while a stage works. Two are equal when they are the same one."""

    # Here and in Record, for the type checker: the fields of subclasses are its arguments.
    def __init_subclass__(cls) -> None:
        super().__init_subclass__()


@dataclass_transform(frozen_default=True, field_specifiers=(fresh,))
class Record(_Fields):
    """The base of what never changes.

    Two records are equal when they are of one class and their fields are, save those in
    `uncompared`.
    """

    uncompared: ClassVar[frozenset[str]] = frozenset()
    _compared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._compared = tuple(n for n in cls.__match_args__ if n not in cls.uncompared)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} does not change")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._compared)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._compared)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._compared)
        return f"{type(self).__name__}({shown})"

    def replace(self, **changes: Any) -> Self:
        """The same with other values."""
        return type(self)(**{n: getattr(self, n) for n in self.__match_args__} | changes)
