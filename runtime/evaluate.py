"""Loss, accuracy and confusion matrix of a compiled net on data."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from cnnc.compiler.layers.layer import Array

from .compiled import Compiled
from .data import Split
from .scores import scores_of


@dataclass(frozen=True)
class Evaluation:
    """What a net makes of some data.

    confusion   (classes, classes) counts: rows are the true classes, columns the predicted
    """

    loss: float
    accuracy: float
    confusion: Array

    @property
    def samples(self) -> int:
        """How many were judged."""
        return int(self.confusion.sum())


def evaluate(compiled: Compiled, split: Split) -> Evaluation:
    """Predict all samples and compare with their classes."""
    classes = compiled.net.output_shape[0]
    confusion = np.zeros((classes, classes), "int64")  # (K, K)
    total, judged = 0.0, 0
    run = compiled.before_softmax if compiled.training.loss.of_scores else compiled.predict
    for start in range(0, len(split.x), compiled.batch):
        y = split.y[start : start + compiled.batch]  # (N,)
        output = run(split.x[start : start + compiled.batch])  # (N, K)
        scores = scores_of(compiled, output)
        total += summed_loss(compiled, scores, y)
        judged += y.size
        np.add.at(confusion, (y.reshape(-1), classes_of(scores).reshape(-1)), 1)
    return Evaluation(total / judged, int(np.trace(confusion)) / judged, confusion)


def classes_of(scores: Array) -> Array:
    """The class with the largest score: (N, K, ...) -> (N, ...); Kx1x1 counts as a vector."""
    best = scores.argmax(axis=1)
    return best.reshape(len(best)) if best[0].size == 1 else best


def summed_loss(compiled: Compiled, scores: Array, y: Array) -> float:
    """The loss of scores, summed over what is judged."""
    loss = compiled.training.loss
    arrays: dict[str, Any] = {"x": scores, "target": y, "loss": np.zeros(1, scores.dtype)}
    for work in loss.buffers(len(scores), compiled.net.output_shape):
        dtype = scores.dtype if work.dtype == "float" else work.dtype
        if work.use == "constant":
            arrays[work.name] = np.array(list(work.values), dtype).reshape(work.shape)
        else:
            arrays[work.name] = np.empty((len(scores), *work.shape), dtype)
    with np.errstate(all="ignore"):
        loss.forward(np, SimpleNamespace(**arrays))
    return float(arrays["loss"][0])
