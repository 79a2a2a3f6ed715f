"""Runs a program: binds its buffers to memory once, then calls its bodies in order.

A step of a program that was bound before allocates nothing that grows with the batch and
decides nothing: it is a list of calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from cnnc.compiler.layers.layer import Array
from cnnc.compiler.program import Buffer, Program, Step

from .blas import one_thread
from .team import Team

Phase = tuple[bool, list[Callable[[], None]]]  # whether split, and a task a part

MOST_BINDINGS = 8  # different batch sizes that are kept bound


def split_batch(n: int, parts: int) -> tuple[int, ...]:
    """N samples in parts that differ by at most one; parts may be empty when n is small."""
    return tuple(n // parts + (i < n % parts) for i in range(parts))


class Engine:
    """A program with memory.

    shared   arrays by buffer name that outlive the program: weights, gradients, optimizer
             state, control. What is missing there is added, as zeros
    """

    def __init__(
        self, program: Program, shared: dict[str, Array], team: Team, xp: Any = np
    ) -> None:
        assert program.plan is not None
        self.program, self.plan, self.shared, self.team, self.xp = (
            program, program.plan, shared, team, xp,
        )  # fmt: skip
        self._arenas = [xp.zeros(self.plan.part_bytes, "uint8") for _ in range(program.parts)]
        self._joint = xp.zeros(self.plan.joint_bytes, "uint8")
        for buffer in program.buffers.values():
            if buffer.home in ("weight", "gradient", "optimizer", "control", "constant"):
                self._share(buffer)
        self._bindings: OrderedDict[tuple[int, ...], tuple[list[Phase], list[dict[str, Array]]]]
        self._bindings = OrderedDict()

    def run(self, inputs: Mapping[str, Array]) -> list[dict[str, Array]]:
        """Run on a batch of 1 … batch samples; returns each part's results (views, by name).

        inputs   the program's inputs by buffer name, each (N, *shape)
        """
        n = len(next(iter(inputs.values())))
        counts = split_batch(n, self.program.parts)
        phases, seen = self._bound(counts)
        start = 0
        for part, arrays in enumerate(seen):
            for name, array in inputs.items():
                self.xp.copyto(arrays[name], array[start : start + counts[part]])
            start += counts[part]
        with one_thread():
            for split, tasks in phases:
                if split:
                    self.team.run(tasks)
                else:
                    tasks[0]()
        return seen

    # -- binding ----------------------------------------------------------------------

    def _bound(self, counts: tuple[int, ...]) -> tuple[list[Phase], list[dict[str, Array]]]:
        if counts not in self._bindings:
            self._bindings[counts] = self._bind(counts)
            if len(self._bindings) > MOST_BINDINGS:
                self._bindings.popitem(last=False)
        self._bindings.move_to_end(counts)
        return self._bindings[counts]

    def _bind(self, counts: tuple[int, ...]) -> tuple[list[Phase], list[dict[str, Array]]]:
        """Phases for parts of these sizes; empty parts do nothing and count for nothing."""
        live = [(part, n) for part, n in enumerate(counts) if n]
        starts = [sum(counts[:part]) for part, _ in live]
        views = [
            {
                name: self._view(buffer, part, n, start)
                for name, buffer in self.program.buffers.items()
            }
            for (part, n), start in zip(live, starts, strict=True)
        ]
        phases: list[Phase] = []
        tasks: list[Callable[[], None]]
        for split, steps in self.program.phases():
            if split:
                tasks = [partial(_call, [self._bind_step(s, v) for s in steps]) for v in views]
            else:
                tasks = [partial(_call, [self._bind_joint(s, views) for s in steps])]
            phases.append((split, tasks))
        return phases, views

    def _bind_step(self, step: Step, views: Mapping[str, Array]) -> Callable[[], None]:
        arrays: dict[str, Any] = dict(step.numbers)
        for attribute, name in step.arrays.items():
            if isinstance(name, tuple):
                arrays[attribute] = tuple(views[n] for n in name)
            else:
                arrays[attribute] = None if name is None else views[name]
        return partial(getattr(step.body, step.op), self.xp, SimpleNamespace(**arrays))

    def _bind_joint(self, step: Step, views: Sequence[Mapping[str, Array]]) -> Callable[[], None]:
        arrays: dict[str, Any] = dict(step.numbers)
        for attribute, name in step.arrays.items():
            if name is None:
                arrays[attribute] = None
            elif isinstance(name, tuple):
                arrays[attribute] = tuple(views[0][n] for n in name)
            elif self.program.root(name).home == "part":
                arrays[attribute] = tuple(view[name] for view in views)
            else:
                arrays[attribute] = views[0][name]
        return partial(getattr(step.body, step.op), self.xp, SimpleNamespace(**arrays))

    def _view(self, buffer: Buffer, part: int, n: int, start: int) -> Array:
        if buffer.name == "sample":
            return self.xp.arange(start, start + n, dtype="uint32")
        root = self.program.root(buffer.name)
        shape = (n, *buffer.shape) if buffer.per_sample else buffer.shape
        if root.home in ("part", "joint"):
            if root.name not in self.plan.offsets:
                return None  # declared, and touched by no step
            arena = self._arenas[part] if root.home == "part" else self._joint
            offset = self.plan.offsets[root.name]
            size = root.bytes(n, self.program.float_bytes)
            return arena[offset : offset + size].view(self._dtype(root)).reshape(shape)
        return self.shared[root.name].reshape(shape)

    def _share(self, buffer: Buffer) -> None:
        if buffer.name in self.shared or buffer.name == "sample":
            return
        if buffer.home == "constant":
            values = np.array(list(buffer.values), self._dtype(buffer))
            self.shared[buffer.name] = self.xp.asarray(values.reshape(buffer.shape))
        else:
            self.shared[buffer.name] = self.xp.zeros(buffer.shape, self._dtype(buffer))

    def _dtype(self, buffer: Buffer) -> str:
        return self.program.dtype if buffer.dtype == "float" else buffer.dtype


def _call(calls: list[Callable[[], None]]) -> None:
    with np.errstate(all="ignore"):  # a run that diverges is found by its loss
        for call in calls:
            call()
