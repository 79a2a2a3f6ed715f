"""Frozen records for the syntax tree.

What `@dataclass(frozen=True)` gives, without generating and compiling code for every class
when it is imported: with some forty kinds of nodes that would be a sixth of the time in
which `cnnc check` starts.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """The base: fields are the annotated names, in order, those of the base class first.

    Two records are equal when they are of one class and their fields are, save those in
    `uncompared`.
    """

    uncompared: ClassVar[frozenset[str]] = frozenset()
    _compared: ClassVar[tuple[str, ...]] = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = [n for n, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
        cls.__match_args__ = (*cls.__match_args__, *own)  # type: ignore[misc]
        cls._compared = tuple(n for n in cls.__match_args__ if n not in cls.uncompared)

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
            for name in names:
                if name not in fields and not hasattr(type(self), name):
                    raise TypeError(f"{type(self).__name__} needs {name}")

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
