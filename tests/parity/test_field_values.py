"""Scores, loss and gradients of whole nets of the field against PyTorch, in float64.

Images are smaller than in the specs where the net allows it, and nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.parity.counting import Distances, Exit, TableConv, nn, run, torch
from tests.parity.field import FIELD

import cnnc

pytestmark = pytest.mark.parity

EXAMPLES = Path(__file__).parents[2] / "examples"
BATCH = 2
SIZES = {
    "lenet5": (1, 28, 28),
    "lenet5_1998": (1, 32, 32),
    "googlenet": (3, 224, 224),
    "nin": (3, 32, 32),
    "allcnn": (3, 32, 32),
    "resnet18": (3, 64, 64),
    "densenet121": (3, 64, 64),
    "squeezenet": (3, 67, 67),
    "mobilenetv2": (3, 64, 64),
    "senet": (3, 64, 64),
    "unet": (1, 32, 32),
    "segnet": (3, 45, 60),
    "crnn": (1, 32, 100),
}
TOLERANCE = 1e-9  # largest error over largest entry


def prepared(name: str) -> tuple[Any, Any]:
    """The compiled net and PyTorch's, with the same weights; biases and statistics are no zeros."""
    text = (EXAMPLES / f"{name}.cnn").read_text("utf-8")
    text = re.sub(r"\s*:: (\([^)]*\)|\w+)", "", text)  # sizes are others
    text = re.sub(r"DROPOUT\([0-9.]+\)", "DROPOUT(0)", text)
    net = cnnc.parse(text, input=SIZES[name], name=str(EXAMPLES / f"{name}.cnn"))
    program = net.compile(batch=BATCH, shards=2, dtype="float64")
    rng = np.random.default_rng(0)
    for weight, values in program.weights.items():
        if weight.endswith((".bias", ".running_mean")):
            program.weights[weight] = rng.normal(0, 0.1, values.shape)
        elif weight.endswith(".running_var"):
            program.weights[weight] = rng.uniform(0.5, 1.5, values.shape)
    module = FIELD[name].make().double()
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0
    return program, module


def paired(program: Any, module: Any) -> dict[str, list[Any]]:
    """PyTorch's parameters and statistics by our names; filters with a table have several."""
    with torch.no_grad():
        module.eval()
        ran = run(module, torch.zeros(1, *program.net.input_shape, dtype=torch.float64))
    found: dict[str, list[Any]] = {}
    for layer, its in zip(program.net.layers[1:], ran, strict=True):
        assert layer.kind == its.kind
        if isinstance(its.module, TableConv):
            found[f"{layer.name}.weight"] = [f.weight for f in its.module.filters]
            found[f"{layer.name}.bias"] = [f.bias for f in its.module.filters]
        elif isinstance(its.module, Distances):
            its.module.codes.copy_(torch.tensor(layer.layer.codes))
        elif isinstance(its.module, nn.Tanh):
            its.module.forward = scaled(layer.layer.scale, layer.layer.slope)
        else:
            tensors = [*its.module.named_parameters(), *its.module.named_buffers()]
            found |= {f"{layer.name}.{n}": [t] for n, t in tensors if n != "num_batches_tracked"}
    return found


def scaled(scale: float, slope: float) -> Callable[[Any], Any]:
    return lambda x: scale * torch.tanh(slope * x)


def share(program: Any, tensors: dict[str, list[Any]]) -> None:
    """Give PyTorch our weights, all of them; what prepares data is not fitted and does nothing."""
    ours = {name for name in program.weights if name.split(".")[1] not in ("mean", "std", "matrix")}
    assert tensors.keys() == ours
    for name, parts in tensors.items():
        values = torch.tensor(program.weights[name]).flatten()
        for part, value in zip(parts, values.split([p.numel() for p in parts]), strict=True):
            part.data.copy_(value.reshape(part.shape))


def its_loss(module: Any, x: Any, y: Any, sign: int) -> tuple[Any, int]:
    """The loss in training with that of the side exits, and how many of those there are."""
    exits: list[Any] = []
    hooks = [
        part.register_forward_hook(lambda module, x, y: exits.append(y))
        for part in module.modules()
        if isinstance(part, Exit)
    ]
    module.train()
    loss = nn.functional.cross_entropy(sign * module(x), y)
    loss = loss + sum(0.3 * nn.functional.cross_entropy(scores, y) for scores in exits)
    for hook in hooks:
        hook.remove()
    return loss, len(exits)


def assert_close(mine: Any, theirs: Any, what: str, least: float = 1e-30) -> None:
    """The largest error over the largest entry, or over `least`."""
    error = np.max(np.abs(mine - theirs))
    assert error <= TOLERANCE * max(np.max(np.abs(theirs)), least), (what, error)


@pytest.mark.parametrize("name", SIZES)
def test_scores_loss_and_gradients(name: str) -> None:
    program, module = prepared(name)
    tensors = paired(program, module)
    share(program, tensors)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(BATCH, *program.net.input_shape)).astype("float32")
    with torch.no_grad():
        scores = module(torch.tensor(x, dtype=torch.float64)).numpy()
    assert_close(program.predict(x), scores, "scores")

    places = () if scores[0].size == scores.shape[1] else scores.shape[2:]
    y = rng.integers(0, scores.shape[1], (BATCH, *places))
    loss, exits = its_loss(
        module,
        torch.tensor(x, dtype=torch.float64),
        torch.tensor(y).reshape(BATCH, *scores.shape[2:]),
        sign=-1 if name == "lenet5_1998" else 1,  # its scores are distances
    )
    assert exits == (2 if name == "googlenet" else 0)
    loss.backward()
    mine, grads = program.loss_and_grads(x, y)
    assert_close(mine, loss.item(), "loss")
    theirs = {
        weight: torch.cat([part.grad.flatten() for part in parts]).numpy()
        for weight, parts in tensors.items()
        if isinstance(parts[0], nn.Parameter)
    }
    assert grads.keys() == theirs.keys()
    # Some gradients are 0 but for rounding: of what a later BN subtracts again.
    least = 1e-3 * max(np.max(np.abs(grad)) for grad in theirs.values())
    for weight, grad in grads.items():
        assert_close(grad.flatten(), theirs[weight], weight, least)
