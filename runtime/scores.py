"""What scores mean: classes and probabilities."""

from __future__ import annotations

import numpy as np

from cnnc.compiler.layers.layer import Array

from .compiled import Compiled


def scores_of(compiled: Compiled, output: Array) -> Array:
    """The net's output as scores, of which the largest wins: RBF's distances count negative."""
    return -output if compiled.net.last.layer.family == "distance" else output


def probabilities(compiled: Compiled, output: Array) -> Array:
    """The net's output (N, K, ...) as probabilities over axis 1: softmax, unless it ends in one.

    Kx1x1 counts as a vector.
    """
    scores = scores_of(compiled, output)
    if scores.shape[2:] == (1, 1):
        scores = scores.reshape(scores.shape[:2])  # (N, K)
    if compiled.net.last.layer.family == "output":
        return scores
    with np.errstate(invalid="ignore"):  # inf - inf: the result says nan
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
