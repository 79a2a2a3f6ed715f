"""A net in PyTorch, written from its layers' arguments alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.parity.training import loss_of, optimizer_of

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
        self.training = self.tracking = False  # for BN: whose statistics, and whether they move
        self.weights = {n: torch.tensor(w, dtype=torch.float64) for n, w in weights.items()}
        self.trained: dict[str, Tensor] = {}
        groups = []
        training = net.training
        for layer in net.layers:
            for weight in layer.weights:
                name = f"{layer.name}.{weight.name}"
                if weight.trainable:
                    self.trained[name] = self.weights[name].requires_grad_()
                    groups.append(
                        {
                            "params": [self.trained[name]],
                            "lr": training.lr * layer.layer.lr,
                            "weight_decay": training.weight_decay * layer.layer.decay,
                        }
                    )
        self.optimizer: Any = None
        if groups:  # none for a layer without weights by itself
            self.optimizer = optimizer_of(training.optimizer, groups)

    def scores(self, x: Any, *, softmax: bool = True) -> Tensor:
        """The output; without a last SOFTMAX for most losses."""
        self.margin = float("inf")
        self.training = not softmax
        y = torch.tensor(x, dtype=torch.float64)
        for layer in self.net.layers[1:]:
            if layer.kind == "SOFTMAX" and not softmax:
                continue
            y = getattr(self, layer.kind.lower())(layer, y)
        return y

    def loss(self, x: Any, y: Any) -> Tensor:
        loss = self.net.training.loss
        return loss_of(loss, self.scores(x, softmax=not loss.of_scores), y)

    def grads(self, x: Any, y: Any) -> dict[str, Any]:
        self.optimizer.zero_grad()
        self.loss(x, y).backward()
        return {name: w.grad.numpy().copy() for name, w in self.trained.items()}

    def step(self, x: Any, y: Any) -> float:
        self.optimizer.zero_grad()
        self.tracking = True
        loss = self.loss(x, y)
        self.tracking = False
        loss.backward()
        if self.net.training.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.trained.values(), self.net.training.clip)
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
        weight = self.weight(layer, "weight")
        if c.table is not None:  # a dense weight with a kernel wherever the table connects
            kernels = iter(weight)
            dense = torch.zeros(c.filters, x.shape[1], *c.k, dtype=torch.float64)
            for f, channels in enumerate(c.table):
                for channel in channels:
                    dense[f, channel] = next(kernels)
            weight = dense
        return F.conv2d(
            padded(x, c), weight, self.weight(layer, "bias"), c.stride, 0, c.dilation, c.groups
        )

    def dwconv(self, layer: NetLayer, x: Tensor) -> Tensor:
        c = layer.layer
        return F.conv2d(
            padded(x, c), self.weight(layer, "weight"), self.weight(layer, "bias"), c.stride, 0,
            c.dilation, groups=x.shape[1],
        )  # fmt: skip

    def local(self, layer: NetLayer, x: Tensor) -> Tensor:
        c = layer.layer
        weight = self.weight(layer, "weight")
        assert weight is not None
        height, width = weight.shape[:2]
        columns = F.unfold(padded(x, c), c.k, stride=c.stride)  # (N, C*kh*kw, H'*W')
        windows = columns.reshape(len(x), -1, height, width)
        y = torch.einsum("nkhw,hwfk->nfhw", windows, weight.flatten(3))
        bias = self.weight(layer, "bias")
        return y if bias is None else y + bias

    def deconv(self, layer: NetLayer, x: Tensor) -> Tensor:
        c = layer.layer
        top, bottom, left, right = c.pad
        arguments = (self.weight(layer, "weight"), self.weight(layer, "bias"), c.stride)
        if top == bottom and left == right:
            return F.conv_transpose2d(
                x, *arguments, (top, left), c.outpad, c.groups, c.dilation
            )  # fmt: skip
        whole = F.conv_transpose2d(x, *arguments, 0, c.outpad, c.groups, c.dilation)
        return whole[:, :, top : whole.shape[2] - bottom, left : whole.shape[3] - right]

    def upsample(self, layer: NetLayer, x: Tensor) -> Tensor:
        factor, mode = tuple(map(float, layer.layer.factor)), layer.layer.mode
        if mode == "nearest":
            return F.interpolate(x, scale_factor=factor, mode=mode)
        return F.interpolate(x, scale_factor=factor, mode=mode, align_corners=False)

    def subsample(self, layer: NetLayer, x: Tensor) -> Tensor:
        k = layer.layer.k
        weight, bias = self.weight(layer, "weight"), self.weight(layer, "bias")
        assert weight is not None and bias is not None
        sums = F.avg_pool2d(x, k, divisor_override=1)
        return sums * weight[:, None, None] + bias[:, None, None]

    def rbf(self, layer: NetLayer, x: Tensor) -> Tensor:
        codes = torch.tensor(layer.layer.codes, dtype=torch.float64)
        return ((torch.flatten(x, 1)[:, None] - codes) ** 2).sum(2)

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

    def prelu(self, layer: NetLayer, x: Tensor) -> Tensor:
        self._decided(x.abs())
        return F.prelu(x, self.weight(layer, "weight"))

    def elu(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.elu(x, layer.layer.alpha)

    def relu6(self, layer: NetLayer, x: Tensor) -> Tensor:
        self._decided(x.abs())
        self._decided((x - 6).abs())
        return F.relu6(x)

    def gelu(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.gelu(x)

    def silu(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.silu(x)

    def softplus(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.softplus(x, threshold=40)

    def maxout(self, layer: NetLayer, x: Tensor) -> Tensor:
        pieces = x.unflatten(1, (-1, layer.layer.pieces))
        best = pieces.topk(2, dim=2).values
        self._decided(best[:, :, 0] - best[:, :, 1])
        return pieces.max(2).values

    def lrn(self, layer: NetLayer, x: Tensor) -> Tensor:
        n = layer.layer
        maps = x if x.ndim > 2 else x[:, :, None]  # PyTorch takes no vectors
        return F.local_response_norm(maps, n.size, n.alpha, n.beta, n.k).reshape(x.shape)

    def ln(self, layer: NetLayer, x: Tensor) -> Tensor:
        weight, bias = self.weight(layer, "weight"), self.weight(layer, "bias")
        last = x.movedim(1, -1)
        return F.layer_norm(last, last.shape[-1:], weight, bias, layer.layer.eps).movedim(-1, 1)

    def gn(self, layer: NetLayer, x: Tensor) -> Tensor:
        weight, bias = self.weight(layer, "weight"), self.weight(layer, "bias")
        return F.group_norm(x, layer.layer.groups, weight, bias, layer.layer.eps)

    def bn(self, layer: NetLayer, x: Tensor) -> Tensor:
        running = [self.weights[f"{layer.name}.running_{name}"] for name in ("mean", "var")]
        if not self.tracking:
            running = [statistic.clone() for statistic in running]
        return F.batch_norm(
            x, *running, self.weight(layer, "weight"), self.weight(layer, "bias"), self.training,
            layer.layer.momentum, layer.layer.eps,
        )  # fmt: skip

    def globalpool(self, layer: NetLayer, x: Tensor) -> Tensor:
        if layer.layer.mode == "avg":
            return F.adaptive_avg_pool2d(x, 1)
        best = x.flatten(2).topk(2, dim=2).values if x[0, 0].numel() > 1 else torch.empty(1, 1, 0)
        self._decided(best.diff(dim=2).abs())
        return F.adaptive_max_pool2d(x, 1)

    def dropout2d(self, layer: NetLayer, x: Tensor) -> Tensor:
        return F.dropout2d(x, layer.layer.p)

    def reshape(self, layer: NetLayer, x: Tensor) -> Tensor:
        return x.reshape(len(x), *layer.layer.size)

    def pca(self, layer: NetLayer, x: Tensor) -> Tensor:
        mean, matrix = (self.weights[f"{layer.name}.{name}"] for name in ("mean", "matrix"))
        return F.linear(torch.flatten(x, 1) - mean, matrix).reshape(len(x), *layer.output)

    whiten = pca

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


def padded(x: Tensor, layer: Any) -> Tensor:
    """The input with the padding of a layer with windows around it."""
    pad = layer.pad
    if pad == "same":
        dilation = getattr(layer, "dilation", (1, 1))
        pad = [
            n
            for axis in (0, 1)
            for n in same(x.shape[2 + axis], layer.k[axis], layer.stride[axis], dilation[axis])
        ]
    elif pad == "valid":
        pad = (0, 0, 0, 0)
    top, bottom, left, right = pad
    return F.pad(x, (left, right, top, bottom))


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
