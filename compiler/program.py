"""The Program: one training step (or prediction) as a list of steps on named buffers.

Shapes are per sample; every part of the batch works on its own copy of the `part` buffers.
The list is grouped into phases: inside a phase no part waits for another, and joint steps,
where parts meet, stand between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import prod
from typing import Any, Literal

from .layers.layer import Shape
from .values import show_shape

Purpose = Literal["train", "gradients", "predict"]

Home = Literal[
    "part",  # one copy a part, in the part's arena
    "joint",  # one for all, in the arena of joint steps
    "weight",  # a weight or statistic: kept, and seen from outside
    "gradient",  # of a weight, over the whole batch: kept until the next step
    "optimizer",  # what an optimizer keeps for a weight
    "constant",  # numbers that never change
    "control",  # written by the caller before each run: learning rate, step, keys
]

ITEM_BYTES = {"bool": 1, "uint8": 1, "int32": 4, "uint32": 4, "int64": 8, "float64": 8}


@dataclass(frozen=True)
class Buffer:
    """A named array.

    per_sample  whether (N, *shape) is meant, N the samples of a part
    scratch     whether it is a kernel's work space, alive within one step alone
    view_of     the buffer whose memory it is, in another shape
    """

    name: str
    shape: Shape
    dtype: str
    home: Home
    per_sample: bool = False
    scratch: bool = False
    view_of: str | None = None
    values: Sequence[float] = ()

    def bytes(self, samples: int, float_bytes: int) -> int:
        """Its size for the most samples of a part."""
        item = ITEM_BYTES.get(self.dtype, float_bytes)
        return prod(self.shape) * item * (samples if self.per_sample else 1)


@dataclass(frozen=True)
class Step:
    """One call of a body: `getattr(body, op)(xp, arrays)`.

    arrays   attribute -> buffer, several buffers, or None where nothing asks for it
    numbers  attribute -> a plain number
    split    whether each part does it for its own samples; a joint step sees the `part`
             buffers of all parts, as a tuple
    kernel   which body runs: "plain" is the layer's own
    """

    name: str
    op: str
    body: Any
    arrays: Mapping[str, str | tuple[str, ...] | None]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    split: bool
    numbers: Mapping[str, float] = field(default_factory=dict)
    kernel: str = "plain"

    def buffers(self) -> Iterator[str]:
        """Every buffer it touches, work space too."""
        for value in self.arrays.values():
            if isinstance(value, str):
                yield value
            elif value:
                yield from value


@dataclass(frozen=True)
class Plan:
    """Where the planned buffers lie: byte offsets in the part's and in the joint arena.

    live_peak   the most bytes of part buffers that are alive at once: no plan can be smaller
    """

    offsets: Mapping[str, int]
    part_bytes: int
    joint_bytes: int
    live_peak: int


@dataclass(frozen=True)
class Program:
    """A compiled program.

    batch    the most samples of a step
    parts    into how many parts they are split, which differ by at most one sample
    inputs   the buffers that the caller fills: data, and target where there is a loss
    results  the buffers that the caller reads: the scores, and the loss where there is one
    """

    purpose: Purpose
    batch: int
    parts: int
    dtype: str
    buffers: Mapping[str, Buffer]
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    results: tuple[str, ...]
    plan: Plan | None = None

    @property
    def samples(self) -> int:
        """The most samples of a part."""
        return -(-self.batch // self.parts)

    @property
    def float_bytes(self) -> int:
        """Bytes of one number of the program's type."""
        return 8 if self.dtype == "float64" else 4

    def phases(self) -> list[tuple[bool, list[Step]]]:
        """Runs of steps that are all split or all joint."""
        return [(split, list(run)) for split, run in groupby(self.steps, key=lambda s: s.split)]

    def root(self, name: str) -> Buffer:
        """The buffer whose memory a buffer is."""
        buffer = self.buffers[name]
        while buffer.view_of is not None:
            buffer = self.buffers[buffer.view_of]
        return buffer

    def listing(self) -> str:
        """One line a step: what it reads, what it writes, which kernel."""
        rows = [("#", "step", "reads", "writes", "kernel")]
        lines: list[str] = []
        number = 0
        for split, steps in self.phases():
            each = f"each of {self.parts} parts" if self.parts > 1 else "the one part"
            where = each if split else "all parts together"
            rows.append(("", f"-- {where}", "", "", ""))
            for step in steps:
                number += 1
                rows.append(
                    (
                        str(number),
                        f"{step.name} {step.op}",
                        ", ".join(self._shown(n) for n in step.reads),
                        ", ".join(self._shown(n) for n in step.writes),
                        step.kernel,
                    )
                )
        widths = [max(len(row[i]) for row in rows if not row[1].startswith("--")) for i in range(5)]
        for row in rows:
            if row[1].startswith("--"):
                lines.append(row[1])
                continue
            cells = [
                row[0].rjust(widths[0]),
                *(c.ljust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def _shown(self, name: str) -> str:
        return f"{name} ({show_shape(self.buffers[name].shape)})"
