"""Parameters, MACs and shapes of known nets against PyTorch modules that hold no memory."""

from __future__ import annotations

from typing import Any

import pytest

import cnnc

torch = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
nn = torch.nn

pytestmark = pytest.mark.parity

LENET = """
INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2) -> CONV(16, 5) -> TANH -> POOL(avg, 2)
-> FC(120) -> TANH -> FC(84) -> TANH -> FC(10)
"""
ALEXNET = """
INPUT(3x227x227) -> CONV(96, 11, stride=4) -> RELU -> POOL(3, stride=2)
-> CONV(256, 5, pad=2, groups=2) -> RELU -> POOL(3, stride=2) -> CONV(384, 3, pad=1) -> RELU
-> [CONV([384, 256], 3, pad=1, groups=2) -> RELU]*2 -> POOL(3, stride=2)
-> [FC(4096) -> RELU -> DROPOUT]*2 -> FC(1000)
"""
VGG = """
INPUT(3x224x224)
-> for f, n in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
   [ [CONV(f, 3, pad=1) -> RELU]*n -> POOL(2) ]      :: 512x7x7
-> [FC(4096) -> RELU -> DROPOUT(0.5)]*2 -> FC(1000)
"""


def lenet() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84),
        nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def alexnet() -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, 1, 2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 384, 3, 1, 1, groups=2), nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
        nn.Dropout(), nn.Linear(4096, 1000),
    )  # fmt: skip


def vgg() -> Any:
    layers: list[Any] = []
    channels = 3
    for filters in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if not filters:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
        channels = filters
    layers.append(nn.Flatten())
    for inputs, units in ((25088, 4096), (4096, 4096)):
        layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout()]
    return nn.Sequential(*layers, nn.Linear(4096, 1000))


@pytest.mark.parametrize(
    "text, make, params",
    [(LENET, lenet, 61_706), (ALEXNET, alexnet, 60_965_224), (VGG, vgg, 138_357_544)],
    ids=["lenet", "alexnet", "vgg"],
)
def test_params_macs_and_shapes(text: str, make: Any, params: int) -> None:
    net = cnnc.parse(text)
    with torch.device("meta"):
        model = make()
        x = torch.empty(1, *net.input_shape)
    assert net.params == net.trainable == params == sum(p.numel() for p in model.parameters())
    layers = iter(net.layers[1:])
    macs = 0
    for module in model:
        x = module(x)
        each = 0
        if isinstance(module, nn.Conv2d):
            each = x.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            each = module.weight.numel()
        macs += each
        if isinstance(module, nn.Flatten):
            continue
        layer = next(layers)
        assert layer.output == tuple(x.shape[1:]), layer.name
        assert layer.macs == each, layer.name
        assert layer.params == sum(p.numel() for p in module.parameters()), layer.name
    assert next(layers, None) is None
    assert net.macs == macs
