"""`cnnc predict`: what a trained net says of images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from .command import Command
from .runs import json_number, open_run


@click.command(
    "predict",
    cls=Command,
    examples=["cnnc predict runs/lenet5 seven.npy", "cnnc predict runs/lenet5 scans/*.npy --top 3"],
)
@click.argument("run", metavar="RUN")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, metavar="K",
              help="How many classes to name, the likeliest first.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="How results are written.")  # fmt: skip
def command(run: str, files: Sequence[str], top: int, form: str) -> int:
    """Tell the classes of images, with the probability the net gives them.

    FILE is a .npy array of one sample or several, in the net's input shape, or a PNG or JPEG
    picture (which needs Pillow: cnnc[images]). Integers are divided by their type's maximum.
    """
    from cnnc.dsl.cells import visible
    from cnnc.runtime.images import read_samples
    from cnnc.runtime.scores import probabilities

    compiled = open_run(run)
    results: list[tuple[str, int | None, Any, Any]] = []  # file, sample, shares (K,), best (top,)
    for file in files:
        samples = read_samples(file, compiled.net.input_shape)
        shares = probabilities(compiled, compiled.predict(samples))  # (N, K)
        for index, share in enumerate(shares):
            best = (-share).argsort(kind="stable")[:top]  # of equal ones the first, as in eval
            results.append((file, index if len(shares) > 1 else None, share, best))
    if form == "json":
        rows = [
            {"file": file, "sample": number, "classes": best.tolist(),
             "probabilities": [json_number(share[k]) for k in best]}
            for file, number, share, best in results
        ]  # fmt: skip
        print(json.dumps({"schema": "cnnc.predict/1", "run": run, "results": rows}))
        return 0
    for file, number, share, best in results:
        name = visible(file) + ("" if number is None else f"[{number}]")
        said = "  ".join(f"{k} ({100 * share[k]:.1f} %)" for k in best)
        print(f"{name}: {said}")
    return 0
