"""Where each buffer lies: liveness, then greedily into one arena."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from ..program import Plan, Program

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Lifetime:
    """A buffer from the step that first touches it to the last, both included."""

    name: str
    bytes: int
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Whether both are alive at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class PlaceBuffers:
    """Gives every part and joint buffer an offset, so that no two alive at once overlap.

    Before   conv1: 3 KB, alive in steps 1-7     After   conv1 at 0, relu1 at 3072,
             relu1: 3 KB, alive in steps 2-6             d(conv1) at 3072, once relu1 is dead
             d(conv1): 3 KB, alive in 7-8
    Source   Pisarchyk and Lee 2020, greedy by size
    """

    name: ClassVar[str] = "place-buffers"

    def run(self, program: Program) -> Program:
        """The program with its plan."""
        part = lifetimes(program, "part")
        joint = lifetimes(program, "joint")
        part_offsets, part_bytes = place(part)
        joint_offsets, joint_bytes = place(joint)
        plan = Plan({**part_offsets, **joint_offsets}, part_bytes, joint_bytes, live_peak(part))
        return replace(program, plan=plan)


def lifetimes(program: Program, home: str, scratch: bool = True) -> list[Lifetime]:
    """When each buffer of a home is alive. Inputs are from the start, results to the end."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}

    def touch(name: str, step: int) -> None:
        root = program.root(name).name
        first[root] = min(first.get(root, step), step)
        last[root] = max(last.get(root, step), step)

    for name in program.inputs:
        touch(name, -1)
    for number, step in enumerate(program.steps):
        for name in step.buffers():
            touch(name, number)
    for name in program.results:
        touch(name, len(program.steps))
    found = []
    for name, start in first.items():
        buffer = program.buffers[name]
        if buffer.home == home and (scratch or not buffer.scratch):
            size = buffer.bytes(program.samples, program.float_bytes)
            found.append(Lifetime(name, _aligned(size), start, last[name]))
    return found


def place(lives: Iterable[Lifetime]) -> tuple[dict[str, int], int]:
    """Offsets, and the arena's size: the better of two orders, by size and by time alive.

    Prediction passes memory along a chain, where those that live long should lie first;
    training keeps much until it goes back, where the largest should.
    """
    found = list(lives)
    by_size = sorted(found, key=lambda b: (-b.bytes, b.first, b.name))
    by_time = sorted(found, key=lambda b: (b.first - b.last, -b.bytes, b.name))
    return min(_place_in_order(by_size), _place_in_order(by_time), key=lambda placed: placed[1])


def _place_in_order(lives: list[Lifetime]) -> tuple[dict[str, int], int]:
    """One after the other, each at the lowest place that is free."""
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first and last step
    offsets: dict[str, int] = {}
    for life in lives:
        offset, size, first, last = 0, life.bytes, life.first, life.last
        for start, end, other_first, other_last in placed:  # in order of offset
            if first <= other_last and other_first <= last:  # they meet; written out for speed
                if offset + size <= start:
                    break
                offset = max(offset, end)
        offsets[life.name] = offset
        insort(placed, (offset, offset + size, first, last))
    return offsets, max((end for _, end, _, _ in placed), default=0)


def live_peak(lives: list[Lifetime]) -> int:
    """The most bytes that are alive at one step: no plan can be smaller."""
    change: dict[int, int] = {}
    for life in lives:
        change[life.first] = change.get(life.first, 0) + life.bytes
        change[life.last + 1] = change.get(life.last + 1, 0) - life.bytes
    now = most = 0
    for step in sorted(change):
        now += change[step]
        most = max(most, now)
    return most


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
