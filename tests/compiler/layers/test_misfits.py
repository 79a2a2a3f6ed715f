"""What the layers that change shapes refuse, with the rule and with changes that fit."""

from __future__ import annotations

import re

import pytest
from tests.compiler.layers.harness import layer_of

import cnnc
from cnnc.compiler.layers.layer import Layer, Misfit, Shape
from cnnc.compiler.layers.maxout import MaxOut
from cnnc.compiler.layers.norm import GN
from cnnc.compiler.layers.shape import Reshape
from cnnc.compiler.layers.whitening import PCA, Whiten


def refused(layer: Layer, x: Shape) -> Misfit:
    with pytest.raises(Misfit) as raised:
        layer.shape(x)
    for fix in raised.value.fixes:
        promised = re.fullmatch(r"(\S+) gives ([0-9x]+)", fix)
        if promised:
            changed = layer_of(promised[1], x)
            assert "x".join(map(str, changed.shape(x))) == promised[2]
    return raised.value


@pytest.mark.parametrize(
    "layer, x, code, message, fixes",
    [
        (MaxOut(pieces=4), (10, 3, 3), "E311", "MAXOUT(4): pieces=4 does not divide 10 channels",
         ("MAXOUT(2) gives 5x3x3", "MAXOUT(5) gives 2x3x3")),
        (MaxOut(), (7,), "E311", "MAXOUT: pieces=2 does not divide 7 units",
         ("MAXOUT(7) gives 1",)),
        (MaxOut(), (1, 4, 4), "E311", "MAXOUT: pieces=2 does not divide 1 channel", ()),
        (GN(groups=32), (48, 8, 8), "E303", "GN(32): groups=32 does not divide 48 channels",
         ("GN(24) gives 48x8x8", "GN(48) gives 48x8x8")),
        (Reshape(size=(4, 5, 5)), (3, 7, 7), "E310",
         "RESHAPE(4x5x5) has 100 numbers, and its input 147",
         ("RESHAPE(3x7x7) keeps all 147", "RESHAPE(147) keeps all 147")),
        (Reshape(size=(12, 8, 8)), (3, 8, 8), "E310",
         "RESHAPE(12x8x8) has 768 numbers, and its input 192",
         ("RESHAPE(3x8x8) keeps all 192", "RESHAPE(12x4x4) keeps all 192",
          "RESHAPE(192) keeps all 192")),
        (Reshape(size=9), (10,), "E310", "RESHAPE(9) has 9 numbers, and its input 10",
         ("RESHAPE(10) keeps all 10",)),
        (PCA(k=20), (1, 4, 4), "E312",
         "PCA(20) keeps more numbers than there are: its input has 16",
         ("PCA(16) keeps all of them, and gives 16", "PCA(8) keeps half of them, and gives 8",
          "WHITEN(pca) keeps all in their shape, and gives 1x4x4")),
    ],
)  # fmt: skip
def test_what_does_not_fit(
    layer: Layer, x: Shape, code: str, message: str, fixes: tuple[str, ...]
) -> None:
    misfit = refused(layer, x)
    assert (misfit.code, misfit.message, misfit.fixes) == (code, message, fixes)
    assert misfit.rule


def test_the_rules_have_the_numbers() -> None:
    assert refused(MaxOut(pieces=4), (10, 3, 3)).rule == "10 / 4 = 2.5, and must be a whole number"
    assert refused(Reshape(size=9), (2, 5, 1)).rule == (
        "2 * 5 * 1 = 10, 9 = 9, and they must be equal"
    )
    assert refused(PCA(k=20), (1, 4, 4)).rule == "k <= 1 * 4 * 4 = 16"


def test_many_channels_are_divided_in_no_time() -> None:
    """A spec is data from anywhere: 2**31 - 1 is a prime."""
    fixes = refused(GN(groups=2), (2**31 - 1,)).fixes
    assert fixes == ("GN(1) gives 2147483647", "GN(2147483647) gives 2147483647")


@pytest.mark.parametrize("layer", [Whiten(), PCA(k=2)], ids=["WHITEN", "PCA"])
def test_a_covariance_has_a_limit(layer: Layer) -> None:
    assert layer.shape((46_340,))
    misfit = refused(layer, (46_341,))
    assert misfit.code == "E313"
    assert "46341x46341 = 2,147,488,281 numbers, and the limit is 2,147,483,647" in misfit.message
    misfit = refused(layer, (3, 224, 224))
    assert "a matrix of 150528x150528 = 22,658,678,784 numbers" in misfit.message
    assert misfit.rule == "(3 * 224 * 224)**2 < 2**31, so at most 46,340 numbers a sample"


@pytest.mark.parametrize("text", ["GLOBALPOOL", "DROPOUT2D"])
def test_a_vector_is_no_map(text: str) -> None:
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(f"INPUT(10) -> {text}")
    assert [d.code for d in raised.value.diagnostics] == ["E302"]


@pytest.mark.parametrize(
    "text, output, field",
    [
        ("BN", (4, 6, 6), (3, 3)),
        ("LN", (4, 6, 6), (3, 3)),
        ("LRN", (4, 6, 6), (3, 3)),
        ("MAXOUT", (2, 6, 6), (3, 3)),
        ("GN(2)", (4, 6, 6), (8, 8)),
        ("GN(2) -> CONV(3, 3)", (3, 4, 4), (8, 8)),  # nobody sees more than everything
        ("GLOBALPOOL", (4, 1, 1), (8, 8)),
        ("GLOBALPOOL(max) -> CONV(3, 3, pad=1)", (3, 1, 1), (8, 8)),
        ("RESHAPE(1x12x12)", (1, 12, 12), (8, 8)),
        ("FC(9) -> RESHAPE(1x3x3) -> CONV(2, 2)", (2, 2, 2), (8, 8)),
    ],
)
def test_shapes_and_receptive_fields(text: str, output: Shape, field: tuple[int, int]) -> None:
    net = cnnc.parse(f"INPUT(3x8x8) -> CONV(4, 3) -> {text}")
    assert net.output_shape == output
    assert net.layers[-1].receptive_field == field


def test_data_layers_turn_images_into_what_they_say() -> None:
    net = cnnc.parse("INPUT(3x8x8) -> WHITEN -> PCA(7) -> FC(2)")
    assert [layer.output for layer in net.layers] == [(3, 8, 8), (3, 8, 8), (7,), (2,)]
    assert [layer.receptive_field for layer in net.layers] == [(1, 1), (1, 1), (8, 8), (8, 8)]
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse("INPUT(3x8x8) -> FC(9) -> WHITEN")
    assert [d.code for d in raised.value.diagnostics] == ["E305"]


@pytest.mark.parametrize(
    "text, params, trainable",
    [
        ("PRELU", 4, 4), ("PRELU(freeze=true)", 4, 0), ("BN", 8, 8), ("BN(freeze=true)", 8, 0),
        ("LN", 8, 8), ("GN(2)", 8, 8), ("LRN", 0, 0), ("GELU", 0, 0), ("MAXOUT", 0, 0),
    ],
)  # fmt: skip
def test_parameters(text: str, params: int, trainable: int) -> None:
    """Running statistics are none; no layer here multiplies by weights in the sense of MACs."""
    layer = cnnc.parse(f"INPUT(4x3x3) -> {text}").layers[-1]
    assert (layer.params, layer.trainable, layer.macs) == (params, trainable, 0)


def test_statistics_of_data_layers_are_no_parameters() -> None:
    net = cnnc.parse("INPUT(2x3x3) -> WHITEN -> PCA(4)")
    assert net.params == net.trainable == net.macs == 0
    shapes = {f"{layer.name}.{w.name}": w.shape for layer in net.layers for w in layer.weights}
    assert shapes == {
        "whiten1.mean": (18,), "whiten1.matrix": (18, 18),
        "pca1.mean": (18,), "pca1.matrix": (4, 18),
    }  # fmt: skip
