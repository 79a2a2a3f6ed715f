"""The passes in the order they run, and what runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..program import Program
from .place_buffers import PlaceBuffers
from .verify import verify


class Pass(Protocol):
    """A named change of a program. Its docstring draws before and after."""

    @property
    def name(self) -> str:
        """How `--print-after` calls it."""

    def run(self, program: Program) -> Program:
        """The changed program."""


PIPELINE: tuple[Pass, ...] = (
    PlaceBuffers(),  # always last: it needs to know every step and every buffer
)


def compile_program(
    program: Program, watch: Callable[[str, Program], None] = lambda name, program: None
) -> Program:
    """Run all passes; the program is verified before the first and after each.

    watch   called with the name of each stage ("lower" first) and the program after it
    """
    verify(program)
    watch("lower", program)
    for step in PIPELINE:
        program = step.run(program)
        verify(program)
        watch(step.name, program)
    return program
