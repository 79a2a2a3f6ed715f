"""Nets against PyTorch modules that were written by hand, as anybody would.

Here nothing of a layer's arguments is read to make the module, and its weights go from one to
the other by their names.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime.data import Split, load

torch = pytest.importorskip("torch", reason="PyTorch is missing: make parity")
nn = torch.nn

pytestmark = pytest.mark.parity

ROOT = Path(__file__).parent.parent.parent
STEPS, BATCH = 20, 32
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # largest error over largest entry
LOSSES = {"float64": 1e-9, "float32": 1e-3}

LENET = (ROOT / "examples/lenet5.cnn").read_text().partition("expect")[0]
CLASSIC = """
INPUT(1x13x11)
-> CONV(6, 4, pad=same) -> LEAKYRELU(0.1) -> POOL(3, stride=2)
-> CONV(8, 3, pad=same, dilation=2, groups=2) -> SIGMOID -> POOL(avg, 3, stride=2, pad=1)
-> CONV(12, 3x2, stride=2x1, pad=1x0, bias=false) -> TANH -> FC(20) -> RELU -> FC(10) -> SOFTMAX
"""


def lenet() -> Any:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 5, padding=2), tanh1=nn.Tanh(), pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5), tanh2=nn.Tanh(), pool2=nn.AvgPool2d(2),
            flatten=nn.Flatten(), fc1=nn.Linear(400, 120), tanh3=nn.Tanh(),
            fc2=nn.Linear(120, 84), tanh4=nn.Tanh(), fc3=nn.Linear(84, 10),
        )
    )  # fmt: skip


def classic() -> Any:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 4, padding="same"), leaky=nn.LeakyReLU(0.1),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(6, 8, 3, padding="same", dilation=2, groups=2), sigmoid=nn.Sigmoid(),
            pool2=nn.AvgPool2d(3, 2, 1),
            conv3=nn.Conv2d(8, 12, (3, 2), (2, 1), (1, 0), bias=False), tanh=nn.Tanh(),
            flatten=nn.Flatten(), fc1=nn.Linear(48, 20), relu=nn.ReLU(), fc2=nn.Linear(20, 10),
        )
    )  # fmt: skip


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.05),
    "sgd(momentum=0.9)": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.01),
    "sgd(momentum=0.9, nesterov=true)": lambda p: torch.optim.SGD(
        p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01
    ),
    "adam(beta1=0.8)": lambda p: torch.optim.Adam(p, 0.002, (0.8, 0.999), weight_decay=0.01),
}


@cache
def digits(shape: tuple[int, ...]) -> Split:
    return load("digits", shape).train


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def error(mine: Any, theirs: Any) -> float:
    """The largest error over the largest entry."""
    theirs = theirs.detach().numpy()
    assert mine.shape == theirs.shape
    return float(np.max(np.abs(mine - theirs)) / np.max(np.abs(theirs)))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel")
@pytest.mark.parametrize(("text", "make"), [(LENET, lenet), (CLASSIC, classic)])
def test_scores_gradients_and_training(text: str, make: Any, optimizer: str, dtype: str) -> None:
    lr, decay = (0.002 if "adam" in optimizer else 0.05), (0 if optimizer == "sgd" else 0.01)
    settings = f"train {{ optimizer = {optimizer} lr = {lr} weight_decay = {decay} }}"
    net = cnnc.parse(text + settings)
    program = net.compile(batch=BATCH, dtype=dtype)
    model = make().to(getattr(torch, dtype))
    model.load_state_dict({name: torch.tensor(w) for name, w in program.weights.items()})
    moving = OPTIMIZERS[optimizer](model.parameters())
    data, tolerance = digits(net.input_shape), TOLERANCE[dtype]

    def theirs(x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(model(torch.tensor(x.astype(dtype))), torch.tensor(y))

    x, y = data.x[:BATCH], data.y[:BATCH]
    scores = model(torch.tensor(x.astype(dtype)))
    assert error(program.before_softmax(x), scores) <= tolerance
    if text is CLASSIC:
        assert error(program.predict(x), torch.softmax(scores, 1)) <= tolerance
    loss, grads = program.loss_and_grads(x, y)
    wanted = theirs(x, y)
    wanted.backward()
    assert loss == pytest.approx(wanted.item(), rel=tolerance)
    assert grads.keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        assert error(grads[name], parameter.grad) <= tolerance, name

    for step in range(STEPS):
        x, y = (part[step * BATCH : (step + 1) * BATCH] for part in (data.x, data.y))
        moving.zero_grad()
        wanted = theirs(x, y)
        wanted.backward()
        moving.step()
        assert program.step(x, y) == pytest.approx(wanted.item(), rel=LOSSES[dtype]), step
    for name, parameter in model.named_parameters():
        assert error(program.weights[name], parameter) <= tolerance, name
