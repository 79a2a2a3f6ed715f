"""Clipping: the gradients of all weights together, scaled down to a length."""

from __future__ import annotations

from typing import Any

from ..layers.layer import Array, Arrays


class Clip:
    """Scales the gradients down where their norm, as one vector, is above `most`.

    Formula   g *= min(1, most / (norm + 1e-6)),  norm = sqrt(sum of the squares of all g)
    Source    Pascanu et al. 2013; as PyTorch's clip_grad_norm_

    a.grads    the gradients, changed in place
    a.square   work space as large as the largest of them
    a.sums     work space: (number of gradients,)
    a.factor   work space: (1,)
    """

    word = "clip"

    def __init__(self, most: float) -> None:
        self.most = most

    def clip(self, xp: Any, a: Arrays) -> None:
        """One sum a gradient, then the sum of these: the same order on every machine."""
        for i, grad in enumerate(a.grads):
            flat = grad.reshape(-1)
            square = a.square[: flat.size]
            xp.multiply(flat, flat, out=square)
            xp.sum(square, out=_scalar(a.sums[i : i + 1]))
        xp.sum(a.sums, out=_scalar(a.factor))
        xp.sqrt(a.factor, out=a.factor)
        xp.add(a.factor, 1e-6, out=a.factor)
        xp.divide(self.most, a.factor, out=a.factor)
        xp.minimum(a.factor, 1, out=a.factor)
        for grad in a.grads:
            xp.multiply(grad, a.factor, out=grad)


def _scalar(one: Array) -> Array:
    """(1,) as ()."""
    return one.reshape(())
