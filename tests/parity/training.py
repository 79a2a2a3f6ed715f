"""What the words of a train block mean in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

from cnnc.compiler.training.losses import CrossEntropy, Loss
from cnnc.compiler.training.optimizers import Adam, Optimizer

torch = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
F = torch.nn.functional

CLASSES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}


def optimizer_of(optimizer: Optimizer, groups: Any) -> Any:
    """PyTorch's optimizer with the same arguments; learning rates and decay stand in the groups."""
    given = {n: getattr(optimizer, n) for n in optimizer.arguments if n != "weight_decay"}
    if isinstance(optimizer, Adam):
        given["betas"] = (float(given.pop("beta1")), float(given.pop("beta2")))
    return getattr(torch.optim, CLASSES[optimizer.word])(groups, **given)


def loss_of(loss: Loss, scores: Any, y: Any) -> Any:
    """The mean loss of scores (N, K, *rest) for classes (N, *rest), or (N,) for Kx1x1."""
    k = scores.shape[1]
    rows = scores.reshape(len(scores), k, -1).movedim(1, 2).reshape(-1, k)  # a place, K scores
    right = torch.as_tensor(y).reshape(-1)
    if isinstance(loss, CrossEntropy):
        return F.cross_entropy(rows, right, label_smoothing=loss.label_smoothing)
    if loss.word == "mse":
        return F.mse_loss(rows, F.one_hot(right, k).to(rows.dtype))
    assert loss.word == "hinge"
    return k * F.multi_margin_loss(rows, right)
