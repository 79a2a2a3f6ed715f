"""The nets of examples/ as PyTorch modules, written from the papers and not from the specs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.parity.counting import (
    Add,
    Concat,
    Data,
    Depthwise,
    Distances,
    Exit,
    Local,
    Mul,
    Subsample,
    TableConv,
    Tensor,
    Unpool,
    nn,
)


def conv_relu(i: int, f: int, k: int = 1, stride: int = 1, pad: int = 0, groups: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(i, f, k, stride, pad, groups=groups), nn.ReLU())


def conv_bn(i: int, f: int, k: int = 1, stride: int = 1, pad: int = 0) -> Any:
    return nn.Sequential(nn.Conv2d(i, f, k, stride, pad, bias=False), nn.BatchNorm2d(f))


def hidden(inputs: int, units: int, p: float = 0.5) -> Any:
    return nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(p))


def classifier(inputs: int) -> Any:
    return nn.Sequential(
        nn.Flatten(), hidden(inputs, 4096), hidden(4096, 4096), nn.Linear(4096, 1000)
    )


# -- LeNet-5 -------------------------------------------------------------------------------


def lenet5() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def lenet5_1998() -> Any:
    three = [sorted([i % 6, (i + 1) % 6, (i + 2) % 6]) for i in range(6)]
    four = [sorted([i % 6, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6]) for i in range(6)]
    apart = [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5]]
    table = [*three, *four, *apart, [0, 1, 2, 3, 4, 5]]
    return nn.Sequential(
        Data("CENTER"), Data("NORMALIZE"),
        nn.Conv2d(1, 6, 5), nn.Tanh(), Subsample(6), nn.Tanh(),
        TableConv(table, 5), nn.Tanh(), Subsample(16), nn.Tanh(),
        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
        nn.Linear(120, 84), nn.Tanh(), Distances(10, 84),
    )  # fmt: skip


# -- plain chains of convolutions ----------------------------------------------------------


def alexnet(first: Callable[[], Any] = lambda: nn.Conv2d(3, 96, 11, 4)) -> Any:
    return nn.Sequential(
        Data("CENTER"),
        first(), nn.ReLU(), nn.LocalResponseNorm(5, 5e-4, k=2), nn.MaxPool2d(3, 2),
        conv_relu(96, 256, 5, pad=2, groups=2),
        nn.LocalResponseNorm(5, 5e-4, k=2), nn.MaxPool2d(3, 2),
        conv_relu(256, 384, 3, pad=1),
        conv_relu(384, 384, 3, pad=1, groups=2),
        conv_relu(384, 256, 3, pad=1, groups=2), nn.MaxPool2d(3, 2),
        classifier(256 * 6 * 6),
    )  # fmt: skip


def alexnet_local() -> Any:
    return alexnet(lambda: Local(3, 227, 96, 11, 4))


def zfnet() -> Any:
    pool, lrn = nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5, 5e-4, k=2)
    return nn.Sequential(
        Data("CENTER"), conv_relu(3, 96, 7, 2, 1), pool, lrn, conv_relu(96, 256, 5, 2), pool, lrn,
        conv_relu(256, 384, 3, pad=1), conv_relu(384, 384, 3, pad=1), conv_relu(384, 256, 3, pad=1),
        pool, classifier(256 * 6 * 6),
    )  # fmt: skip


def vgg(stages: Sequence[Sequence[int]]) -> Any:
    layers: list[Any] = [Data("CENTER")]
    channels = 3
    for widths in stages:
        for width in widths:
            layers.append(conv_relu(channels, width, 3, pad=1))
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, classifier(512 * 7 * 7))


def vgg16() -> Any:
    return vgg([[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3])


def vgg19() -> Any:
    return vgg([[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4])


def nin() -> Any:
    return nn.Sequential(
        Data("WHITEN"), conv_relu(3, 192, 5, pad=2), conv_relu(192, 160), conv_relu(160, 96),
        nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(),
        conv_relu(96, 192, 5, pad=2), conv_relu(192, 192), conv_relu(192, 192),
        nn.AvgPool2d(3, 2, ceil_mode=True), nn.Dropout(),
        conv_relu(192, 192, 3, pad=1), conv_relu(192, 192), conv_relu(192, 10),
        nn.AdaptiveAvgPool2d(1),
    )  # fmt: skip


def allcnn() -> Any:
    return nn.Sequential(
        Data("WHITEN"), nn.Dropout(0.2), conv_relu(3, 96, 3, pad=1), conv_relu(96, 96, 3, pad=1),
        conv_relu(96, 96, 3, 2, 1), nn.Dropout(),
        conv_relu(96, 192, 3, pad=1), conv_relu(192, 192, 3, pad=1),
        conv_relu(192, 192, 3, 2, 1), nn.Dropout(),
        conv_relu(192, 192, 3), conv_relu(192, 192), conv_relu(192, 10), nn.AdaptiveAvgPool2d(1),
    )  # fmt: skip


def crnn() -> Any:
    return nn.Sequential(
        Data("CENTER"), Data("NORMALIZE"),
        conv_relu(1, 64, 3, pad=1), nn.MaxPool2d(2), conv_relu(64, 128, 3, pad=1), nn.MaxPool2d(2),
        conv_relu(128, 256, 3, pad=1), conv_relu(256, 256, 3, pad=1), nn.MaxPool2d((2, 1)),
        conv_bn(256, 512, 3, pad=1), nn.ReLU(), conv_bn(512, 512, 3, pad=1), nn.ReLU(),
        nn.MaxPool2d((2, 1)), conv_relu(512, 512, 2), nn.Conv2d(512, 37, 1),
    )  # fmt: skip


# -- branches ------------------------------------------------------------------------------


class Inception(nn.Module):
    def __init__(self, i: int, c1: int, r3: int, c3: int, r5: int, c5: int, p: int) -> None:
        super().__init__()
        self.ones = conv_relu(i, c1)
        self.threes = nn.Sequential(conv_relu(i, r3), conv_relu(r3, c3, 3, pad=1))
        self.fives = nn.Sequential(conv_relu(i, r5), conv_relu(r5, c5, 5, pad=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_relu(i, p))
        self.merge = Concat()

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(self.ones(x), self.threes(x), self.fives(x), self.pool(x))


class GoogLeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Data("CENTER"), conv_relu(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5), conv_relu(64, 64), conv_relu(64, 192, 3, pad=1),
            nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2, ceil_mode=True),
        )  # fmt: skip
        self.three = nn.Sequential(
            Inception(192, 64, 96, 128, 16, 32, 32), Inception(256, 128, 128, 192, 32, 96, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        )  # fmt: skip
        self.four_a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.exit_a = self.side_exit(512)
        self.four_b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.four_c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.four_d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.exit_d = self.side_exit(528)
        self.four_e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.five = nn.Sequential(
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Inception(832, 256, 160, 320, 32, 128, 128),
            Inception(832, 384, 192, 384, 48, 128, 128),
            nn.AdaptiveAvgPool2d(1), nn.Dropout(0.4), nn.Flatten(), nn.Linear(1024, 1000),
        )  # fmt: skip

    def side_exit(self, i: int) -> Any:
        return Exit(
            nn.AvgPool2d(5, 3), conv_relu(i, 128), nn.Flatten(), hidden(128 * 4 * 4, 1024, 0.7),
            nn.Linear(1024, 1000),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = self.four_a(self.three(self.stem(x)))
        self.exit_a(x)
        x = self.four_d(self.four_c(self.four_b(x)))
        self.exit_d(x)
        return self.five(self.four_e(x))


class Fire(nn.Module):
    def __init__(self, i: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = conv_relu(i, squeezed)
        self.ones = conv_relu(squeezed, expanded)
        self.threes = conv_relu(squeezed, expanded, 3, pad=1)
        self.merge = Concat()

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return self.merge(self.ones(x), self.threes(x))


def squeezenet() -> Any:
    return nn.Sequential(
        Data("CENTER"), conv_relu(3, 96, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256),
        nn.MaxPool2d(3, 2, ceil_mode=True), Fire(512, 64, 256), nn.Dropout(),
        conv_relu(512, 1000), nn.AdaptiveAvgPool2d(1),
    )  # fmt: skip


class DenseLayer(nn.Module):
    def __init__(self, i: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, 128, 1, bias=False),
            nn.BatchNorm2d(128), nn.ReLU(), nn.Conv2d(128, 32, 3, padding=1, bias=False),
        )  # fmt: skip
        self.merge = Concat()

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x, self.body(x))


def densenet121() -> Any:
    layers: list[Any] = [Data("CENTER"), Data("NORMALIZE"), conv_bn(3, 64, 7, 2, 3), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for number, depth in enumerate((6, 12, 24, 16)):
        for _ in range(depth):
            layers.append(DenseLayer(channels))
            channels += 32
        layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        if number < 3:
            layers += [nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)]
            channels //= 2
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


# -- ways around ---------------------------------------------------------------------------


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, channels // 16), nn.ReLU(),
            nn.Linear(channels // 16, channels), nn.Sigmoid(),
        )  # fmt: skip
        self.merge = Mul()

    def forward(self, x: Tensor) -> Tensor:
        return self.merge(x, self.weigh(x))


class Around(nn.Module):
    """A body and a way around it, a projection where the shape changes."""

    def __init__(self, body: Any, projection: Any = None) -> None:
        super().__init__()
        self.body, self.projection, self.merge = body, projection, Add()

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return self.merge(y, x if self.projection is None else self.projection(x))


def residual(i: int, f: int, stride: int) -> Any:
    body = nn.Sequential(conv_bn(i, f, 3, stride, 1), nn.ReLU(), conv_bn(f, f, 3, pad=1))
    projection = None if i == f else conv_bn(i, f, 1, stride)
    return nn.Sequential(Around(body, projection), nn.ReLU())


def bottleneck(i: int, f: int, stride: int, gated: bool) -> Any:
    body = [
        conv_bn(i, f, 1, stride), nn.ReLU(), conv_bn(f, f, 3, pad=1), nn.ReLU(),
        conv_bn(f, 4 * f, 1), *([Gate(4 * f)] if gated else []),
    ]  # fmt: skip
    projection = None if i == 4 * f else conv_bn(i, 4 * f, 1, stride)
    return nn.Sequential(Around(nn.Sequential(*body), projection), nn.ReLU())


def stem() -> Any:
    return nn.Sequential(Data("CENTER"), conv_bn(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))


def resnet18() -> Any:
    blocks = []
    for i, f in ((64, 64), (64, 128), (128, 256), (256, 512)):
        blocks += [residual(i, f, 1 if i == f else 2), residual(f, f, 1)]
    return nn.Sequential(
        stem(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)
    )


def resnet50(gated: bool = False) -> Any:
    blocks = []
    channels = 64
    for f, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for number in range(depth):
            stride = 2 if number == 0 and f > 64 else 1
            blocks.append(bottleneck(channels, f, stride, gated))
            channels = 4 * f
    return nn.Sequential(
        stem(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)
    )


def senet() -> Any:
    return resnet50(gated=True)


def inverted(i: int, f: int, stride: int, times: int) -> Any:
    wide = times * i
    body = [] if times == 1 else [conv_bn(i, wide), nn.ReLU6()]
    body += [Depthwise(wide, 3, stride, 1), nn.BatchNorm2d(wide), nn.ReLU6(), conv_bn(wide, f)]
    whole = nn.Sequential(*body)
    return Around(whole) if stride == 1 and i == f else whole


def mobilenetv2() -> Any:
    layers = [conv_bn(3, 32, 3, 2, 1), nn.ReLU6()]
    channels = 32
    for times, f, depth, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
        (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for number in range(depth):
            layers.append(inverted(channels, f, first if number == 0 else 1, times))
            channels = f
    return nn.Sequential(
        *layers, conv_bn(320, 1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2),
        nn.Flatten(), nn.Linear(1280, 1000),
    )  # fmt: skip


# -- down and up again ---------------------------------------------------------------------


def double(i: int, f: int) -> Any:
    return nn.Sequential(conv_relu(i, f, 3, pad=1), conv_relu(f, f, 3, pad=1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            double(i, f) for i, f in ((1, 64), (64, 128), (128, 256), (256, 512))
        )
        self.pool, self.merge = nn.MaxPool2d(2), Concat()
        self.bottom = nn.Sequential(double(512, 1024), nn.Dropout())
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * f, f, 2, 2) for f in (512, 256, 128, 64))
        self.across = nn.ModuleList(double(2 * f, f) for f in (512, 256, 128, 64))
        self.last = nn.Conv2d(64, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for down in self.down:
            kept.append(down(x))
            x = self.pool(kept[-1])
        x = self.bottom(x)
        for up, across in zip(self.up, self.across, strict=True):
            x = across(self.merge(kept.pop(), up(x)))
        return self.last(x)


def conv_bn_relu(widths: Sequence[int]) -> Any:
    layers = [nn.Sequential(conv_bn(i, f, 3, pad=1), nn.ReLU()) for i, f in pairwise(widths)]
    return nn.Sequential(*layers)


class SegNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        down = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512,) * 4)
        up = ((512,) * 4, (512, 512, 512, 256), (256, 256, 256, 128), (128, 128, 64), (64, 64))
        self.down = nn.ModuleList(conv_bn_relu(widths) for widths in down)
        self.up = nn.ModuleList(conv_bn_relu(widths) for widths in up)
        self.pool, self.unpool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True), Unpool()
        self.last = nn.Conv2d(64, 11, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for down in self.down:
            x = down(x)
            shape = x.shape[2:]
            x, where = self.pool(x)
            kept.append((where, shape))
        for up in self.up:
            x = up(self.unpool(x, *kept.pop()))
        return self.last(x)


# -- all of them ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Net:
    """A net with what is known of it from elsewhere.

    published  how many parameters the paper, or the version that most people use, has
    about      the same as the paper rounds it, in millions
    """

    make: Callable[[], Any]
    input: tuple[int, ...]
    published: int | None
    about: float | None = None


IMAGE = (3, 224, 224)
# The first layer's count is that of Stanford's course CS231n.
UNSHARED = 60_965_224 - 34_944 + 105_705_600
# The version for Keras that most people use has 31,031,685: before its one output it has another
# 3x3 convolution, to 2 maps.
UNET = 31_031_685 - (2 * (9 * 64 + 1) + 3) + 2 * (64 + 1)
FIELD = {
    "lenet5": Net(lenet5, (1, 28, 28), 61_706),
    "lenet5_1998": Net(lenet5_1998, (1, 32, 32), 60_000),
    "alexnet": Net(alexnet, (3, 227, 227), 60_965_224, 60),
    "alexnet_local": Net(alexnet_local, (3, 227, 227), UNSHARED),
    "zfnet": Net(zfnet, IMAGE, 62_357_608),
    "vgg16": Net(vgg16, IMAGE, 138_357_544, 138),
    "vgg19": Net(vgg19, IMAGE, 143_667_240, 144),
    "googlenet": Net(GoogLeNet, IMAGE, 13_378_280),
    "nin": Net(nin, (3, 32, 32), 966_986),
    "allcnn": Net(allcnn, (3, 32, 32), 1_369_738, 1.4),
    "resnet18": Net(resnet18, IMAGE, 11_689_512),
    "resnet50": Net(resnet50, IMAGE, 25_557_032),
    "densenet121": Net(densenet121, IMAGE, 7_978_856),
    "squeezenet": Net(squeezenet, (3, 227, 227), 1_248_424),
    "mobilenetv2": Net(mobilenetv2, IMAGE, 3_504_872),
    "senet": Net(senet, IMAGE, 28_088_024),
    "unet": Net(UNet, (1, 512, 512), UNET),
    "segnet": Net(SegNet, (3, 360, 480), None, 29.45),
    # 8.3 million in the paper, less its LSTMs and what reads them; plus what reads columns here.
    "crnn": Net(crnn, (1, 32, 100), None, 8.3 - 2.78 + 0.02),
}
