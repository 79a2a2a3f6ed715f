"""What holds for every program, before and after every pass.

1. Every buffer that a step, a view, the inputs or the results name is declared.
2. What a step reads was written by a step before it, or is an input, weight, optimizer
   state, constant or control.
3. Every part and joint buffer is written by one step alone.
4. A split step writes part buffers only (gradients too, where there is one part).
5. A view has as many numbers as what it is a view of, and of the same type.
6. Every result is written.
7. In a plan, every part and joint buffer has a place in its arena, at a multiple of 64 bytes,
   and no two that are alive at once overlap.
"""

from __future__ import annotations

from math import prod

from ..program import Program

GIVEN = ("weight", "optimizer", "constant", "control")


class InvalidProgram(Exception):
    """A program that breaks an invariant: a mistake in cnnc, not in a spec."""

    def __init__(self, invariant: int, message: str) -> None:
        super().__init__(f"invariant {invariant}: {message}")
        self.invariant = invariant


def verify(program: Program) -> None:
    """Raise InvalidProgram for the first invariant that does not hold."""
    _check_names(program)
    _check_steps(program)
    _check_views(program)
    if program.plan is not None:
        _check_plan(program)


def _check_names(program: Program) -> None:
    uses = [("the program", (*program.inputs, *program.results))]
    uses += [(f"{s.name} {s.op}", (*s.buffers(), *s.reads, *s.writes)) for s in program.steps]
    uses += [(b.name, (b.view_of,)) for b in program.buffers.values() if b.view_of is not None]
    for user, names in uses:
        for name in names:
            if name not in program.buffers:
                raise InvalidProgram(1, f"{user} touches {name}, which is not declared")


def _check_steps(program: Program) -> None:
    written = {program.root(name).name for name in program.inputs}
    for step in program.steps:
        at = f"{step.name} {step.op}"
        for name in step.reads:
            root = program.root(name)
            if root.home not in GIVEN and root.name not in written:
                raise InvalidProgram(2, f"{at} reads {name} before it is written")
        for name in step.writes:
            root = program.root(name)
            if root.home in ("part", "joint") and root.name in written:
                raise InvalidProgram(3, f"{at} writes {name}, which is written already")
            own = root.home == "part" or (root.home == "gradient" and program.parts == 1)
            if step.split and not own:
                raise InvalidProgram(4, f"{at} is split and writes {name}, which parts share")
            written.add(root.name)
    for name in program.results:
        if program.root(name).name not in written:
            raise InvalidProgram(6, f"nothing writes the result {name}")


def _check_views(program: Program) -> None:
    for buffer in program.buffers.values():
        root = program.root(buffer.name)
        if prod(buffer.shape) != prod(root.shape):
            raise InvalidProgram(5, f"{buffer.name} is a view of {root.name} of another size")
        if (buffer.dtype, buffer.per_sample) != (root.dtype, root.per_sample):
            raise InvalidProgram(5, f"{buffer.name} is a view of {root.name} of another type")


def _check_plan(program: Program) -> None:
    from .place_buffers import ALIGNMENT, lifetimes

    assert program.plan is not None
    offsets = program.plan.offsets
    for home, size in (("part", program.plan.part_bytes), ("joint", program.plan.joint_bytes)):
        lives = lifetimes(program, home)
        for life in lives:
            if life.name not in offsets:
                raise InvalidProgram(7, f"{life.name} has no place")
            offset = offsets[life.name]
            if offset < 0 or offset + life.bytes > size:
                raise InvalidProgram(7, f"{life.name} lies outside the arena of {size} bytes")
            if offset % ALIGNMENT:
                raise InvalidProgram(7, f"{life.name} is not at a multiple of {ALIGNMENT} bytes")
        lives.sort(key=lambda life: offsets[life.name])
        for i, life in enumerate(lives):
            end = offsets[life.name] + life.bytes
            for other in lives[i + 1 :]:
                if offsets[other.name] >= end:
                    break
                if life.meets(other):
                    raise InvalidProgram(7, f"{life.name} and {other.name} overlap")
