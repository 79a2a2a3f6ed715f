"""A net in PyTorch, written from its layers' arguments alone."""

from __future__ import annotations

from typing import Any

import pytest

from cnnc import Net
from cnnc.compiler.net import NetLayer

torch = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
F = torch.nn.functional
Tensor = Any


class Reference:
    """The net in float64, with an optimizer as its train block says.

    margin   the smallest distance of any RELU's or max pooling's decision from the opposite one
             in the last forward: what rounding must stay below
    """

    def __init__(self, net: Net, weights: dict[str, Any]) -> None:
        self.net = net
        self.margin = float("inf")
        self.weights = {n: torch.tensor(w, dtype=torch.float64) for n, w in weights.items()}
        self.trained: dict[str, Tensor] = {}
        groups = []
        training = net.training
        for layer in net.layers:
            for weight in layer.weights:
                name = f"{layer.name}.{weight.name}"
                if layer.kind in ("CONV", "FC") and not layer.layer.freeze:
                    self.trained[name] = self.weights[name].requires_grad_()
                    groups.append(
                        {
                            "params": [self.trained[name]],
                            "lr": training.lr * layer.layer.lr,
                            "weight_decay": training.weight_decay * layer.layer.decay,
                        }
                    )
        optimizer = training.optimizer
        self.optimizer: Any
        if optimizer.word == "adam":
            betas = (float(optimizer.beta1), float(optimizer.beta2))
            self.optimizer = torch.optim.Adam(groups, betas=betas, eps=optimizer.eps)
        else:
            self.optimizer = torch.optim.SGD(
                groups, momentum=optimizer.momentum, nesterov=optimizer.nesterov
            )

    def scores(self, x: Any, *, softmax: bool = True) -> Tensor:
        """The output; without a last SOFTMAX for the loss."""
        self.margin = float("inf")
        y = torch.tensor(x, dtype=torch.float64)
        for layer in self.net.layers[1:]:
            if layer.kind == "SOFTMAX" and not softmax:
                continue
            y = getattr(self, layer.kind.lower())(layer, y)
        return y

    def loss(self, x: Any, y: Any) -> Tensor:
        return F.cross_entropy(
            self.scores(x, softmax=False), torch.tensor(y),
            label_smoothing=self.net.training.loss.label_smoothing,
        )  # fmt: skip

    def grads(self, x: Any, y: Any) -> dict[str, Any]:
        self.optimizer.zero_grad()
        self.loss(x, y).backward()
        return {name: w.grad.numpy().copy() for name, w in self.trained.items()}

    def step(self, x: Any, y: Any) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    # -- one function a layer -------------------------------------------------------------

    def weight(self, layer: NetLayer, name: str) -> Tensor | None:
        return self.weights.get(f"{layer.name}.{name}")

    def statistic(self, layer: NetLayer, name: str) -> Tensor:
        statistic = self.weights[f"{layer.name}.{name}"]
        return statistic if layer.layer.per == "pixel" else statistic[:, None, None]

    def center(self, layer: NetLayer, x: Tensor) -> Tensor:
        return x - self.statistic(layer, "mean")

    def normalize(self, layer: NetLayer, x: Tensor) -> Tensor:
        if layer.layer.mode == "std":
            return x / self.statistic(layer, "std")
        low, high = self.statistic(layer, "min"), self.statistic(layer, "max")
        return (x - low) / (high - low)

    def conv(self, layer: NetLayer, x: Tensor) -> Tensor:
        c = layer.layer
        pad = c.pad
        if pad == "same":
            pad = [
                n
                for axis in (0, 1)
                for n in same(x.shape[2 + axis], c.k[axis], c.stride[axis], c.dilation[axis])
            ]
        elif pad == "valid":
            pad = (0, 0, 0, 0)
        top, bottom, left, right = pad
        return F.conv2d(
            F.pad(x, (left, right, top, bottom)), self.weight(layer, "weight"),
            self.weight(layer, "bias"), c.stride, 0, c.dilation, c.groups,
        )  # fmt: skip

    def pool(self, layer: NetLayer, x: Tensor) -> Tensor:
        p = layer.layer
        top, bottom, left, right = p.pad
        k, stride = p.k, p.stride
        even = top == bottom <= k[0] // 2 and left == right <= k[1] // 2
        if p.mode == "max":
            if even:
                y = F.max_pool2d(x, k, stride, (top, left), ceil_mode=p.ceil)
            else:
                assert not p.ceil
                padded = F.pad(x, (left, right, top, bottom), value=-torch.inf)
                y = F.max_pool2d(padded, k, stride)
            self._decided(runners_up(x, y, p))
            return y
        if even:
            return F.avg_pool2d(x, k, stride, (top, left), p.ceil, p.include_pad)
        assert not p.ceil
        y = F.avg_pool2d(F.pad(x, (left, right, top, bottom)), k, stride)
        if p.include_pad:
            return y
        share = F.avg_pool2d(F.pad(torch.ones_like(x), (left, right, top, bottom)), k, stride)
        return y / share

    def relu(self, layer: NetLayer, x: Tensor) -> Tensor:
        self._decided(x.abs())
        return F.relu(x)

    def leakyrelu(self, layer: NetLayer, x: Tensor) -> Tensor:
        self._decided(x.abs())
        return F.leaky_relu(x, layer.layer.slope)

    def tanh(self, layer: NetLayer, x: Tensor) -> Tensor:
        return layer.layer.scale * torch.tanh(layer.layer.slope * x)

    def sigmoid(self, layer: NetLayer, x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    def dropout(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.dropout(x, layer.layer.p)

    def flatten(self, layer: NetLayer, x: Tensor) -> Tensor:
        return torch.flatten(x, 1)

    def fc(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.linear(
            torch.flatten(x, 1), self.weight(layer, "weight"), self.weight(layer, "bias")
        )

    def softmax(self, layer: NetLayer, x: Tensor) -> Tensor:
        return torch.softmax(x, 1)

    def _decided(self, distances: Tensor) -> None:
        # Exactly 0 is no rounding: RELU's zeros pooled, or a part of the input that is padding.
        distances = distances[distances > 0]
        if distances.numel():
            self.margin = min(self.margin, distances.min().item())


def same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Padding that makes ceil(size / stride) windows, the odd row behind."""
    missing = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return missing // 2, (missing + 1) // 2


def runners_up(x: Tensor, y: Tensor, p: Any) -> Tensor:
    """How far the largest entry of each window lies above the second largest."""
    top, _, left, _ = p.pad
    (kh, kw), (sh, sw) = p.k, p.stride
    rows, columns = (y.shape[2] - 1) * sh + kh, (y.shape[3] - 1) * sw + kw
    padding = (left, columns - left - x.shape[3], top, rows - top - x.shape[2])
    windows = F.pad(x, padding, value=-1e30).unfold(2, kh, sh).unfold(3, kw, sw).flatten(4)
    if kh * kw < 2:
        return torch.empty(0)
    best = windows.topk(2, dim=4).values
    return best[..., 0] - best[..., 1]
