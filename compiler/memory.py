"""How much memory a program takes, from its plan alone."""

from __future__ import annotations

from dataclasses import dataclass

from .lower import lower
from .net import Net
from .passes.place_buffers import lifetimes, place
from .program import Program
from .training.settings import Training


@dataclass(frozen=True)
class Memory:
    """Bytes, as planned.

    weights       weights and statistics
    gradients     of the weights, over the whole batch
    optimizer     what the optimizer keeps
    activations   outputs, their gradients and what is saved for backward, of all parts
    workspace     what kernels need besides, beyond that
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    workspace: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.workspace


def memory_of(program: Program) -> Memory:
    """What a program takes."""
    kept = {"weight": 0, "gradient": 0, "optimizer": 0}
    for buffer in program.buffers.values():
        if buffer.home in kept and buffer.view_of is None:
            kept[buffer.home] += buffer.bytes(program.samples, program.float_bytes)
    bare = place(lifetimes(program, "part", scratch=False))[1]
    whole = place(lifetimes(program, "part"))[1]
    joint = place(lifetimes(program, "joint"))[1]
    return Memory(
        kept["weight"], kept["gradient"], kept["optimizer"],
        bare * program.parts, max(0, whole - bare) * program.parts + joint,
    )  # fmt: skip


def memory(net: Net, training: Training, batch: int) -> int:
    """`memory(batch=…)` of an `expect`: the plain program in one part, float32, without work
    space, so that it is the same on every machine.
    """
    needs = memory_of(lower(net, "train", training, batch))
    return needs.total - needs.workspace
