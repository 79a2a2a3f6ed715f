"""Every net of examples/ against PyTorch, layer by layer: kinds, shapes, parameters and MACs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.parity.counting import Count, Exit, counts, torch
from tests.parity.field import FIELD

pytestmark = pytest.mark.parity

EXAMPLES = Path(__file__).parents[2] / "examples"
# Specs that show the language, and files of parts.
NO_NETS_OF_THE_FIELD = {"pattern", "seed", "vgg_small", "blocks", "lenet5_codes"}


def counted(name: str) -> list[Count]:
    return counts(FIELD[name].make, FIELD[name].input)


@pytest.fixture(scope="module")
def checked() -> dict[str, Any]:
    """What `cnnc check` says of each net."""
    done = subprocess.run(
        [sys.executable, "-m", "cnnc", "check", "--format", "json", *(f"{n}.cnn" for n in FIELD)],
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent / "src"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    return {Path(file["file"]).stem: file for file in json.loads(done.stdout)["files"]}


@pytest.mark.parametrize("name", FIELD)
def test_check(name: str, checked: dict[str, Any]) -> None:
    file = checked[name]
    assert [d["message"] for d in file["diagnostics"] if d["severity"] != "note"] == []
    layers, expected = file["layers"], counted(name)
    for number, (layer, count) in enumerate(zip(layers, expected, strict=False)):
        found = Count(layer["kind"], tuple(layer["output"]), layer["params"], layer["macs"])
        assert found == count, f"layer {number}, {layer['name']}, line {layer['line']}"
    assert len(layers) == len(expected)
    assert tuple(file["output"]) == expected[-1].output
    params = sum(count.params for count in expected)
    assert file["totals"] == {
        "params": params,
        "trainable": params,
        "macs": sum(count.macs for count in expected),
        "layers": len(expected),
    }


# -- the modules themselves ----------------------------------------------------------------


def test_every_net_is_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.cnn")} == FIELD.keys() | NO_NETS_OF_THE_FIELD


@pytest.mark.parametrize("name", FIELD)
def test_published_counts(name: str) -> None:
    net = FIELD[name]
    params = sum(count.params for count in counted(name))
    assert net.published is not None or net.about is not None
    if net.published is not None:
        assert params == net.published
    if net.about is not None:
        assert params == pytest.approx(net.about * 1e6, rel=0.025)


def test_googlenet_without_its_exits() -> None:
    with torch.device("meta"):
        net = FIELD["googlenet"].make()
    exits = [p for m in net.modules() if isinstance(m, Exit) for p in m.parameters()]
    params = sum(p.numel() for p in net.parameters())
    assert params - sum(p.numel() for p in exits) == 6_998_552


# What PyTorch's own counter counts more than ours: an exit's convolution and its two FC; and less:
# the distances to ten codes of 84.
EXITS = 2 * (2048 * 1024 + 1024 * 1000) + (512 + 528) * 128 * 16
APART = {"googlenet": EXITS, "lenet5_1998": -10 * 84}


@pytest.mark.parametrize("name", FIELD)
def test_macs_are_what_pytorch_counts(name: str) -> None:
    flop_counter = pytest.importorskip("torch.utils.flop_counter")
    net = FIELD[name]
    with torch.device("meta"), flop_counter.FlopCounterMode(display=False) as counter:
        net.make()(torch.empty(1, *net.input))
    macs = sum(count.macs for count in counted(name))
    assert counter.get_total_flops() == 2 * (macs + APART.get(name, 0))
