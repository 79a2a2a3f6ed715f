"""What scores mean: classes and probabilities."""

from __future__ import annotations

import numpy as np

from cnnc.compiler.layers.layer import Array

from .compiled import Compiled


def scores_of(compiled: Compiled, output: Array) -> Array:
    """The net's output as scores, of which the largest wins: RBF's distances count negative."""
    return -output if compiled.net.last.layer.family == "distance" else output


def probabilities(compiled: Compiled, output: Array) -> Array:
    """The net's output (N, K, ...) as probabilities over axis 1: softmax, unless it ends in one."""
    scores = scores_of(compiled, output)
    if compiled.net.last.layer.family == "output":
        return scores.reshape(scores.shape[:2]) if scores[0, 0].size == 1 else scores
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = e / e.sum(axis=1, keepdims=True)
    return shares.reshape(shares.shape[:2]) if shares[0, 0].size == 1 else shares
