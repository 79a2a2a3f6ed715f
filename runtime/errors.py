"""What a user can do something about, when a run cannot start or go on."""

from __future__ import annotations


class RunError(Exception):
    """A run, its data or its folder is not as it must be; `.help` says what would mend it."""

    def __init__(self, message: str, help: tuple[str, ...] = ()) -> None:
        self.message = message
        self.help = help
        super().__init__("\n".join([message, *(f"help: {line}" for line in help)]))


class DataError(RunError):
    """A data set is missing, damaged, or does not go with the net."""
