"""`cnnc train`: compiles a spec and trains it."""

from __future__ import annotations

from typing import Any

import click

from .command import Command
from .options import complete_spec, not_built, spec_options


@click.command(
    "train",
    cls=Command,
    examples=[
        "cnnc train lenet5.cnn --data digits",
        "cnnc train vgg.cnn --data npz:cells.npz --epochs 20 --lr 0.05 --out runs/cells",
        "cnnc train pattern.cnn --set N=2 --data mnist:~/mnist",
    ],
)
@click.argument("file", metavar="FILE", shell_complete=complete_spec)
@click.option("--data", required=True, metavar="DATA",
              help="digits, npz:FILE, mnist:DIR, fashion:DIR or random:N.")  # fmt: skip
@spec_options
@click.option("--epochs", metavar="N", help="Times through the training set.")
@click.option("--batch", metavar="N", help="Samples a step.")
@click.option("--lr", metavar="X", help="Learning rate.")
@click.option("--seed", metavar="N", help="Where all randomness starts.")
@click.option("--init-from", metavar="RUN|FILE",
              help="A run or a file of weights; layers that match are reused.")  # fmt: skip
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
              callback=not_built("leave --device out: it runs on the CPU", but="cpu"),
              expose_value=False, help="Where it runs; cuda is not built yet.")  # fmt: skip
@click.option("--resume", hidden=True, expose_value=False,
              callback=not_built("train anew, with --out to another folder"))  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), metavar="N",
              help="How many parts of a batch run at once; no bit depends on it.")  # fmt: skip
@click.option("--out", metavar="RUN", help="The run's folder; by default runs/NAME.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    file: str, data: str, sets: dict[str, str], input_shape: str | None,
    threads: int | None, out: str | None, quiet: bool, **settings: str | None,
) -> int:  # fmt: skip
    """Compile a spec and train it on data; the run's folder keeps weights and measurements.

    What the options do not say, the spec's train block does. Progress goes to standard error,
    the test accuracy and the run's folder to standard output.
    """
    from cnnc.api import train

    from .main import INTERRUPTED
    from .progress import Display

    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    display = Display(quiet)
    try:
        run = train(
            file, data, out, set=sets, input=input_shape, threads=threads, watch=display, **given
        )
    except KeyboardInterrupt:
        display.interrupted()
        return INTERRUPTED
    finally:
        display.clear()
    print(f"test accuracy {100 * run.accuracy:.2f} %")
    print(f"run {run.path}")
    return 0
