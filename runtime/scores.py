"""What scores mean: classes and probabilities."""

from __future__ import annotations

import numpy as np

from cnnc.compiler.layers.layer import Array

from .compiled import Compiled


def probabilities(compiled: Compiled, scores: Array) -> Array:
    """The net's scores (N, K, ...) as probabilities over axis 1: softmax, unless it ends in one."""
    if compiled.net.layers[-1].layer.family == "output":
        return scores.reshape(scores.shape[:2]) if scores[0, 0].size == 1 else scores
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = e / e.sum(axis=1, keepdims=True)
    return shares.reshape(shares.shape[:2]) if shares[0, 0].size == 1 else shares
