"""`cnnc eval`: how good a trained net is on data."""

from __future__ import annotations

import json

import click

from .command import Command
from .runs import json_number, open_run
from .tables import table

MOST_CLASSES = 30  # of which a confusion matrix is still readable


@click.command(
    "eval",
    cls=Command,
    examples=["cnnc eval runs/lenet5 --data digits", "cnnc eval runs/a --data npz:new.npz"],
)
@click.argument("run", metavar="RUN")
@click.option("--data", required=True, metavar="DATA", help="As for cnnc train; its test samples.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="How results are written.")  # fmt: skip
def command(run: str, data: str, form: str) -> int:
    """Measure a run's net on the test samples of a data set: accuracy, loss, confusion matrix."""
    from cnnc.runtime import data as sources
    from cnnc.runtime.evaluate import evaluate

    compiled = open_run(run)
    net = compiled.net
    dataset = sources.load(data, net.input_shape, compiled.seed, net.output_shape[0])
    sources.check(dataset, net.input_shape, net.output_shape[0])
    result = evaluate(compiled, dataset.test)
    if form == "json":
        print(json.dumps({
            "schema": "cnnc.eval/1", "run": run, "data": data, "samples": result.samples,
            "accuracy": result.accuracy, "loss": json_number(result.loss),
            "confusion": result.confusion.tolist(),
        }))  # fmt: skip
        return 0
    right = int(result.confusion.trace())
    print(f"accuracy {100 * result.accuracy:.2f} %  ({right} of {result.samples})")
    print(f"loss     {result.loss:.4f}")
    if len(result.confusion) <= MOST_CLASSES:
        print("\nrows: the true class; columns: what the net says")
        print(_matrix(result.confusion.tolist()))
    return 0


def _matrix(counts: list[list[int]]) -> str:
    rows = [["", *(str(i) for i in range(len(counts)))]]
    for number, row in enumerate(counts):
        rows.append([str(number), *(str(n) if n else "." for n in row)])
    return table(rows, right=range(len(counts) + 1))
