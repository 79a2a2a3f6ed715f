"""`cnnc compile`: the compiled program as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import Command
from .options import complete_spec, spec_options
from .tables import table

if TYPE_CHECKING:
    from cnnc.compiler.memory import Memory
    from cnnc.compiler.program import Program

STAGES = ("lower", "place-buffers")


@click.command(
    "compile",
    cls=Command,
    examples=[
        "cnnc compile lenet5.cnn",
        "cnnc compile lenet5.cnn --batch 16 --for predict",
        "cnnc compile lenet5.cnn --print-after lower",
    ],
)
@click.argument("file", metavar="FILE", shell_complete=complete_spec)
@spec_options
@click.option("--batch", type=click.IntRange(min=1), metavar="N",
              help="The most samples of a step; by default the spec's.")  # fmt: skip
@click.option("--shards", type=click.IntRange(min=1), metavar="N",
              help="Into how many parts a batch is split.")  # fmt: skip
@click.option("--for", "purpose", type=click.Choice(["train", "gradients", "predict"]),
              default="train", show_default=True, help="Which program.")  # fmt: skip
@click.option("--device", type=click.Choice(["cpu"]), default="cpu", show_default=True,
              help="Where it runs; cuda is not built yet.")  # fmt: skip
@click.option("--listing", is_flag=True, help="The steps of the program (as without options).")
@click.option("--print-after", type=click.Choice(STAGES), metavar="PASS",
              help=f"The program as it is after a pass: {' or '.join(STAGES)}.")  # fmt: skip
def command(
    file: str, sets: dict[str, str], input_shape: str | None, batch: int | None,
    shards: int | None, purpose: str, device: str, listing: bool, print_after: str | None,
) -> int:  # fmt: skip
    """Show the compiled program: its steps, what each reads and writes, and its memory."""
    from cnnc.api import load
    from cnnc.compiler.lower import lower, usual_shards
    from cnnc.compiler.memory import memory_of
    from cnnc.compiler.passes.pipeline import compile_program

    net = load(file, sets, input_shape)
    layers, training = net.checked.require(), net.training
    size = batch or training.batch
    stages: dict[str, Program] = {}
    lowered = lower(layers, purpose, training, size, shards or usual_shards(size))  # type: ignore[arg-type]
    program = compile_program(lowered, stages.__setitem__)
    print(stages[print_after or STAGES[-1]].listing())
    if print_after != "lower":
        print("\n" + _memory(program, memory_of(program)))
    return 0


def _memory(program: Program, memory: Memory) -> str:
    """What it takes, and how close the plan is to the least possible."""
    assert program.plan is not None
    rows = [("memory", "bytes")]
    for name in ("weights", "gradients", "optimizer", "activations", "workspace"):
        rows.append((name, f"{getattr(memory, name):,}"))
    rows.append(("total", f"{memory.total:,}"))
    planned, least = program.plan.part_bytes, program.plan.live_peak
    part = f"a part's arena: {planned:,} bytes planned, {least:,} alive at the peak"
    return table(rows, right=(1,), indent="") + f"\n{part}"
