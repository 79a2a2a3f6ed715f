"""Weights and multiplications of nets that are known or can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.compiler.elaborate.harness import net

from cnnc import load

LENET = """INPUT(1x28x28) -> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2)
-> CONV(16, 5) -> TANH -> POOL(avg, 2) -> FC(120) -> TANH -> FC(84) -> TANH -> FC(10)"""
VGG = """INPUT(3x224x224)
-> for f, n in {} [[CONV(f, 3, pad=1) -> RELU]*n -> POOL(2)] :: 512x7x7
-> [FC(4096) -> RELU -> DROPOUT(0.5)]*2 -> FC(1000)"""
ALEXNET_ONE_TOWER = """INPUT(3x224x224)
-> CONV(64, 11, stride=4, pad=2) -> RELU -> POOL(3, stride=2)
-> CONV(192, 5, pad=2) -> RELU -> POOL(3, stride=2)
-> [CONV([384, 256, 256], 3, pad=1) -> RELU]*3 -> POOL(3, stride=2) :: 256x6x6
-> [DROPOUT -> FC(4096) -> RELU]*2 -> FC(1000)"""


def vgg(*stages: int) -> str:
    return VGG.format(list(zip((64, 128, 256, 512, 512), stages, strict=True)))


@pytest.mark.parametrize(
    ("text", "params", "macs", "depth"),
    [
        pytest.param(LENET, 61_706, 416_520, 5, id="LeNet-5"),
        pytest.param(vgg(1, 1, 2, 2, 2), 132_863_336, 7_609_090_048, 11, id="VGG-11"),
        pytest.param(vgg(2, 2, 2, 2, 2), 133_047_848, 11_308_466_176, 13, id="VGG-13"),
        pytest.param(vgg(2, 2, 3, 3, 3), 138_357_544, 15_470_264_320, 16, id="VGG-16"),
        pytest.param(vgg(2, 2, 4, 4, 4), 143_667_240, 19_632_062_464, 19, id="VGG-19"),
        pytest.param(ALEXNET_ONE_TOWER, 61_100_840, 714_188_480, 8, id="AlexNet, one tower"),
        pytest.param("INPUT(1x28x28) -> FC(300) -> RELU -> FC(100) -> RELU -> FC(10)",
                     266_610, 266_200, 3, id="LeNet-300-100"),
    ],
)  # fmt: skip
def test_nets_that_are_known(text: str, params: int, macs: int, depth: int) -> None:
    found = net(text)
    assert (found.params, found.trainable, found.macs, found.depth) == (params, params, macs, depth)


@pytest.mark.parametrize(
    ("text", "params", "macs"),
    [
        ("INPUT(4) -> FC(3)", 4 * 3 + 3, 4 * 3),
        ("INPUT(4) -> FC(3, bias=false)", 4 * 3, 4 * 3),
        ("INPUT(2x3x5) -> FC(7)", 2 * 3 * 5 * 7 + 7, 2 * 3 * 5 * 7),
        ("INPUT(2x3x5) -> FLATTEN -> FC(7)", 2 * 3 * 5 * 7 + 7, 2 * 3 * 5 * 7),
        ("INPUT(3x8x8) -> CONV(5, 3)", 5 * 3 * 9 + 5, 5 * 3 * 9 * 6 * 6),
        ("INPUT(3x8x8) -> CONV(5, 3, bias=false)", 5 * 3 * 9, 5 * 3 * 9 * 6 * 6),
        ("INPUT(3x8x8) -> CONV(5, 3, pad=same)", 5 * 3 * 9 + 5, 5 * 3 * 9 * 8 * 8),
        ("INPUT(3x8x8) -> CONV(5, 3, stride=2)", 5 * 3 * 9 + 5, 5 * 3 * 9 * 3 * 3),
        ("INPUT(3x8x8) -> CONV(5, 1)", 5 * 3 + 5, 5 * 3 * 8 * 8),
        ("INPUT(3x8x8) -> CONV(5, 1x3)", 5 * 3 * 3 + 5, 5 * 3 * 3 * 8 * 6),
        ("INPUT(3x8x8) -> CONV(5, 3, dilation=2)", 5 * 3 * 9 + 5, 5 * 3 * 9 * 4 * 4),
        ("INPUT(6x8x8) -> CONV(4, 3, groups=2)", 4 * 3 * 9 + 4, 4 * 3 * 9 * 6 * 6),
        ("INPUT(6x8x8) -> CONV(6, 3, groups=6)", 6 * 1 * 9 + 6, 6 * 1 * 9 * 6 * 6),
        ("INPUT(3x8x8) -> [CONV(4, 1)]*3", (3 * 4 + 4) + 2 * (4 * 4 + 4), 64 * (12 + 16 + 16)),
        ("INPUT(3x8x8) -> CONV(4, 3)*0 -> FC(2)", 192 * 2 + 2, 192 * 2),
        ("INPUT(3x8x8) -> POOL(2) -> RELU -> DROPOUT -> SIGMOID -> SOFTMAX", 0, 0),
        ("INPUT(3x8x8) -> CENTER(pixel) -> NORMALIZE -> NORMALIZE(range)", 0, 0),
        ("INPUT(3x8x8)", 0, 0),
    ],
)
def test_nets_that_can_be_counted(text: str, params: int, macs: int) -> None:
    found = net(text)
    assert (found.params, found.trainable, found.macs) == (params, params, macs)
    assert found.params == sum(layer.params for layer in found.layers)
    assert found.macs == sum(layer.macs for layer in found.layers)


def test_what_is_frozen_is_counted_and_not_trained() -> None:
    found = net("INPUT(4) -> FC(3, freeze=true) -> FC(2) -> FC(1, freeze=true, bias=false)")
    assert (found.params, found.trainable) == (15 + 8 + 2, 8)
    assert [layer.trainable for layer in found.layers] == [0, 0, 8, 0]


def test_statistics_are_weights_that_are_not_counted() -> None:
    layer = net("INPUT(3x8x8) -> CENTER -> FC(2)").layers[1]
    assert [(w.name, w.size, w.statistic, w.trainable) for w in layer.weights] == [
        ("mean", 3, True, False)
    ]  # fmt: skip
    assert (layer.params, layer.trainable) == (0, 0)


@pytest.mark.parametrize(
    ("chain", "depth"),
    [
        ("RELU", 0),
        ("POOL(2) -> FLATTEN -> SOFTMAX", 0),
        ("CONV(2, 3)", 1),
        ("CONV(2, 3) -> RELU -> POOL(2) -> DROPOUT -> FC(3) -> SOFTMAX", 2),
        ("[CONV(2, 3) -> CONV(2, 1)]*2 -> FC(2)*3", 7),
    ],
)
def test_depth_counts_layers_that_multiply_by_weights(chain: str, depth: int) -> None:
    assert net(f"INPUT(1x12x12) -> {chain}").depth == depth


def test_a_net_prints_as_a_table_that_is_stable() -> None:
    assert str(net("net A\nINPUT(1x6x6) -> CONV(4, 3) -> ID -> FC(2)")) == (
        "net A\n"
        "  input1 = INPUT(1x6x6) : 1x6x6\n"
        "  conv1 = CONV(4, 3) of input1 : 1x6x6 -> 4x4x4\n"
        "  fc1 = FC(2) of conv1 : 4x4x4 -> 2"
    )
    assert str(net("INPUT(4)")).startswith("net -\n")


@pytest.mark.parametrize(
    ("name", "params"),
    [("lenet5", 61_706), ("vgg16", 138_357_544), ("alexnet", 60_965_224)],
)
def test_examples_have_the_counts_that_their_papers_give(
    name: str, params: int, root: Path
) -> None:
    assert load(root / f"examples/{name}.cnn").params == params
