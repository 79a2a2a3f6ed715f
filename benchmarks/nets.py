"""The nets that are timed, as specs and as PyTorch modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A net with a batch size; `module` builds the same net in PyTorch."""

    name: str
    spec: str
    input: tuple[int, int, int]
    batch: int

    def module(self) -> Any:
        """The net as a torch.nn.Sequential."""
        from torch import nn

        return nn.Sequential(*_MODULES[self.name](nn))


LENET = """
INPUT(1x32x32)
-> CONV(6, 5) -> RELU -> POOL(2) -> CONV(16, 5) -> RELU -> POOL(2)
-> FC(120) -> RELU -> FC(84) -> RELU -> FC(10)
"""

CIFAR = """
INPUT(3x32x32)
-> for f in [32, 64, 128] [[CONV(f, 3, pad=1) -> RELU]*2 -> POOL(2)]
-> FC(256) -> RELU -> FC(10)
"""


def _lenet(nn: Any) -> list[Any]:
    return [
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ]  # fmt: skip


def _cifar(nn: Any) -> list[Any]:
    layers, channels = [], 3
    for filters in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return [*layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 10)]


_MODULES = {"LeNet-5": _lenet, "CIFAR net": _cifar}

CASES = (
    Case("LeNet-5", LENET, (1, 32, 32), 64),
    Case("CIFAR net", CIFAR, (3, 32, 32), 64),
)
