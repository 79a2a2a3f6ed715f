"""Every registered layer has all its parts, and every layer of the language is known."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compiler.layers.batches import BODIES
from tests.compiler.layers.harness import IDS, SAMPLES, layer_of

from cnnc.compiler.arguments import Declared
from cnnc.compiler.layers.layer import BatchStatistics, Layer
from cnnc.compiler.layers.merge import Merge
from cnnc.compiler.layers.registry import FAMILIES, LAYERS
from cnnc.compiler.layers.side_exit import Aux
from cnnc.compiler.training import augment, losses, optimizers, schedules
from cnnc.compiler.training.settings import Training
from cnnc.dsl.codes import CODES

ROOT = Path(__file__).parents[3]
SECTIONS = ["Shapes", "Formula", "Gradient", "Errors", "Source"]

# The layer table of the language, and what merges branches or leaves the chain.
LANGUAGE = """
    INPUT CENTER NORMALIZE PCA WHITEN CONV DWCONV LOCAL DECONV UPSAMPLE POOL MAXPOOL AVGPOOL
    SUBSAMPLE UNPOOL GLOBALPOOL RELU LEAKYRELU PRELU ELU RELU6 TANH SIGMOID GELU SILU SOFTPLUS
    MAXOUT LRN BN LN GN DROPOUT DROPOUT2D FC FLATTEN RESHAPE RBF SOFTMAX
    CONCAT ADD MUL AUX
""".split()

LAYER = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
SAMPLE = pytest.mark.parametrize("text, shape", SAMPLES, ids=IDS)
DECLARED = [
    *LAYERS.values(), Training, *losses.LOSSES, *optimizers.OPTIMIZERS, *schedules.SCHEDULES,
    *augment.AUGMENTATIONS,
]  # fmt: skip


def test_every_layer_of_the_language_is_built() -> None:
    assert sorted([*LAYERS, Aux.word]) == sorted(LANGUAGE)


def test_no_word_stands_for_two_layers() -> None:
    assert len(LAYERS) == sum(len(family.LAYERS) for family in FAMILIES)


@LAYER
def test_the_documentation_has_its_sections(layer: type[Layer]) -> None:
    doc = layer.__doc__ or ""
    assert re.match(r"[A-Z].*[.:]\n\n", doc, re.DOTALL), "a first sentence"
    # A section's name stands at the margin, and what continues it further in.
    assert re.findall(r"^    (\w+)(?=  )", doc, re.MULTILINE) == SECTIONS


@LAYER
def test_its_errors_are_explained(layer: type[Layer]) -> None:
    errors = re.search(r"\n    Errors(.*?)\n    Source", layer.__doc__ or "", re.DOTALL)
    assert errors
    for code in re.findall(r"E\d+", errors[1]):
        assert code in CODES, code


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.word)
def test_every_argument_is_explained(cls: type[Declared]) -> None:
    for argument in cls.arguments.values():
        assert argument.help and not argument.help.endswith("."), argument.name
        assert argument.type.wanted
        if argument.default is not None and not argument.required and not argument.same_as:
            argument.type.parse(argument.default)  # the default is a value that it takes


@LAYER
def test_it_has_bodies_and_samples(layer: type[Layer]) -> None:
    if layer.family == "input":
        return
    of_batch = issubclass(layer, BatchStatistics)
    for body in ("forward", *BODIES) if of_batch else ("forward", "backward"):
        assert getattr(layer, body) is not getattr(BatchStatistics, body)
    if issubclass(layer, Merge):  # see test_merge.py
        assert layer.merged
        return
    if layer.takes:  # see test_unpool.py
        return
    assert layer.samples
    known = {"x", "y"} | {w.name for s, x in layer.samples for w in layer_of(s, x).weights(x)}
    if of_batch:
        known |= {w.name for s, x in layer.samples for w in layer_of(s, x).wholes(x)}
    assert set(layer.backward_reads) <= known


@LAYER
def test_its_samples_use_every_argument(layer: type[Layer]) -> None:
    """Those that all layers with weights take are tried in the parity tests."""
    if layer.family == "input" or layer.takes:
        return
    own = {
        name for name in layer.arguments if name not in ("lr", "decay", "freeze", "init", "share")
        and not (layer is not LAYERS["POOL"] and issubclass(layer, LAYERS["POOL"]))
    }  # fmt: skip
    used = {name for text, shape in layer.samples for name in layer_of(text, shape).given}
    assert own <= used


@SAMPLE
def test_it_is_written_as_it_is_read(text: str, shape: tuple[int, ...]) -> None:
    layer = layer_of(text, shape)
    again = layer_of(layer.written(), shape)
    assert values(again) == values(layer)
    assert again.written() == layer.written()


@pytest.mark.parametrize(
    "text, shape",
    [
        ("LEAKYRELU(0.12345678901234)", (4,)),
        ("TANH(scale=1.71590001, slope=1e-12)", (4,)),
        ("FC(3, init=normal(0.0123456789), lr=2.5)", (4,)),
        ("FC(3, init=uniform(0.1), decay=0, freeze=true)", (4,)),
        ("CONV(3, 1x2, pad=(0, 0), init=orthogonal)", (1, 4, 4)),
        ("CONV(3, 3, pad=valid)", (1, 4, 4)),
        ("POOL(2, 1, (0, 1, 0, 1), avg, include_pad=false)", (1, 4, 4)),
    ],
)
def test_numbers_and_words_are_written_whole(text: str, shape: tuple[int, ...]) -> None:
    layer = layer_of(text, shape)
    assert values(layer_of(layer.written(), shape)) == values(layer)


def values(declared: Declared) -> dict[str, object]:
    """Its class and the value of each argument, deeply."""
    found: dict[str, object] = {"": type(declared)}
    for name in declared.arguments:
        value = getattr(declared, name)
        found[name] = values(value) if isinstance(value, Declared) else value
    return found


def test_shapes_weights_and_costs_need_no_numpy() -> None:
    """All of what `check` and the planning of memory ask a layer, where NumPy is missing."""
    program = f"""
import sys
sys.modules["numpy"] = None  # importing it is an error
import cnnc
for text, shape in {SAMPLES!r}:
    size = "x".join(map(str, shape))
    layer = cnnc.parse(f"INPUT({{size}}) -> {{text}}").layers[-1].layer
    layer.shape(shape), layer.weights(shape), layer.macs(shape), layer.note(shape)
    for work in layer.buffers(4, shape):
        assert len(work.values) == (work.use == "constant" and __import__("math").prod(work.shape))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}", "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@SAMPLE
def test_what_it_declares_is_well_formed(text: str, shape: tuple[int, ...]) -> None:
    layer = layer_of(text, shape)
    works = layer.buffers(3, shape)
    for body in ("forward", "backward", *BODIES):
        uses = ("saved", "both", "constant", body)
        names = [w.name for w in layer.weights(shape)]
        names += [w.name for w in works if w.use in uses]
        if isinstance(layer, BatchStatistics):
            statistics = layer.partials(shape) if body == "partial" else layer.wholes(shape)
            names += [w.name for w in statistics]
        taken = {"x", "y", "dx", "dy", "key", "sample"}
        taken |= {f"d{w.name}" for w in layer.weights(shape)}
        assert len({*names, *taken}) == len(names) + len(taken), "each name means one array"
    for work in works:
        assert all(type(n) is int and n > 0 for n in work.shape)
        assert work.use == "constant" or not work.values
    for weight in layer.weights(shape):
        assert weight.fan_in > 0 and weight.fan_out > 0
        assert not (weight.trainable and weight.statistic)
