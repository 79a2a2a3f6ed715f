"""What a PyTorch module has, layer by layer: kind, output shape, parameters and MACs.

The modules live on the meta device: they have shapes and no numbers. What PyTorch lacks of the
layers that nets of the field have is here too, written with PyTorch's functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
nn = torch.nn
F = nn.functional
Tensor = Any


@dataclass(frozen=True)
class Count:
    """One layer of a net, as it ran."""

    kind: str
    output: tuple[int, ...]
    params: int
    macs: int


# -- layers that PyTorch lacks -------------------------------------------------------------


class Data(nn.Module):
    """A preparation of the data, which changes no shape and has nothing to train."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return x


class Depthwise(nn.Conv2d):
    """A filter for each map."""

    def __init__(self, channels: int, k: int, stride: int = 1, pad: int = 0) -> None:
        super().__init__(channels, channels, k, stride, pad, groups=channels, bias=False)


class TableConv(nn.Module):
    """A convolution whose filters each see only some channels."""

    def __init__(self, table: list[list[int]], k: int) -> None:
        super().__init__()
        self.table = table
        self.filters = nn.ModuleList(nn.Conv2d(len(row), 1, k) for row in table)

    def forward(self, x: Tensor) -> Tensor:
        maps = [f(x[:, row]) for f, row in zip(self.filters, self.table, strict=True)]
        return torch.cat(maps, 1)


class Local(nn.Module):
    """A convolution with filters and biases of its own at every place."""

    def __init__(self, channels: int, size: int, filters: int, k: int, stride: int) -> None:
        super().__init__()
        self.k, self.stride, out = k, stride, (size - k) // stride + 1
        self.weight = nn.Parameter(torch.empty(out, out, filters, channels * k * k))
        self.bias = nn.Parameter(torch.empty(filters, out, out))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bias.shape[1]
        windows = F.unfold(x, self.k, stride=self.stride).unflatten(2, (out, out))
        return torch.einsum("ntij,ijft->nfij", windows, self.weight) + self.bias


class Subsample(nn.Module):
    """The sum of each 2x2 window, times a coefficient, plus a bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(x, 2) * self.weight + self.bias


class Distances(nn.Module):
    """The squared distance to each of some fixed codes."""

    def __init__(self, units: int, length: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.empty(units, length))

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] - self.codes).square().sum(2)


class Unpool(nn.Module):
    """Every entry back to where a pooling found it."""

    def forward(self, x: Tensor, where: Tensor, shape: tuple[int, ...]) -> Tensor:
        return F.max_unpool2d(x, where, 2, output_size=list(shape))


class Concat(nn.Module):
    def forward(self, *branches: Tensor) -> Tensor:
        return torch.cat(branches, 1)


class Add(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Mul(nn.Module):
    """Maps, each times a number."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        return x * gate[:, :, None, None]


class Exit(nn.Sequential):
    """A side exit: it runs while training only, so its MACs are not counted."""


# -- counting ------------------------------------------------------------------------------


def _no_macs(module: Any, x: Tensor, y: Tensor) -> int:
    return 0


def _per_place(module: Any, x: Tensor, y: Tensor) -> int:
    return module.weight.numel() * prod(y.shape[2:])


def _per_input_place(module: Any, x: Tensor, y: Tensor) -> int:
    return module.weight.numel() * prod(x.shape[2:])


def _each_once(module: Any, x: Tensor, y: Tensor) -> int:
    return module.weight.numel()


def _of_table(module: TableConv, x: Tensor, y: Tensor) -> int:
    return sum(f.weight.numel() for f in module.filters) * prod(y.shape[2:])


KINDS: dict[type, tuple[str, Callable[[Any, Tensor, Tensor], int]]] = {
    nn.Conv2d: ("CONV", _per_place),
    TableConv: ("CONV", _of_table),
    Depthwise: ("DWCONV", _per_place),
    Local: ("LOCAL", _each_once),
    nn.ConvTranspose2d: ("DECONV", _per_input_place),
    nn.Linear: ("FC", _each_once),
    Distances: ("RBF", lambda module, x, y: module.codes.numel()),
    Subsample: ("SUBSAMPLE", _no_macs),
    nn.MaxPool2d: ("POOL", _no_macs),
    nn.AvgPool2d: ("POOL", _no_macs),
    Unpool: ("UNPOOL", _no_macs),
    nn.AdaptiveAvgPool2d: ("GLOBALPOOL", _no_macs),
    nn.ReLU: ("RELU", _no_macs),
    nn.ReLU6: ("RELU6", _no_macs),
    nn.Tanh: ("TANH", _no_macs),
    nn.Sigmoid: ("SIGMOID", _no_macs),
    nn.BatchNorm2d: ("BN", _no_macs),
    nn.LocalResponseNorm: ("LRN", _no_macs),
    nn.Dropout: ("DROPOUT", _no_macs),
    Concat: ("CONCAT", _no_macs),
    Add: ("ADD", _no_macs),
    Mul: ("MUL", _no_macs),
}


@dataclass(frozen=True)
class Ran:
    """A layer that ran, with its input and output; `aside` where it is in a side exit."""

    module: Any
    kind: str
    x: Tensor
    y: Tensor
    aside: bool


def run(module: Any, x: Tensor) -> list[Ran]:
    """Every layer of a net, in the order it runs in."""
    found: list[Ran] = []
    hooks: list[Any] = []
    _watch(module, found, hooks, aside=False)
    module(x)
    for hook in hooks:
        hook.remove()
    return found


def _watch(module: Any, found: list[Ran], hooks: list[Any], aside: bool) -> None:
    kind = KINDS[type(module)][0] if type(module) in KINDS else getattr(module, "kind", None)
    if kind is None:
        for part in module.children():
            _watch(part, found, hooks, aside or isinstance(module, Exit))
        return

    def note(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        y = output[0] if isinstance(output, tuple) else output  # a pooling gives positions too
        found.append(Ran(module, kind, inputs[0], y, aside))

    hooks.append(module.register_forward_hook(note))


def counts(make: Callable[[], Any], shape: tuple[int, ...]) -> list[Count]:
    """Every layer in the order it runs in, the input first."""
    with torch.device("meta"):
        module = make()
        layers = run(module, torch.empty(1, *shape))
    found = [Count("INPUT", shape, 0, 0)]
    for layer in layers:
        params = sum(p.numel() for p in layer.module.parameters())
        macs = KINDS.get(type(layer.module), ("", _no_macs))[1]
        cost = 0 if layer.aside else macs(layer.module, layer.x, layer.y)
        found.append(Count(layer.kind, tuple(layer.y.shape[1:]), params, cost))
    assert sum(c.params for c in found) == sum(p.numel() for p in module.parameters())
    return found
