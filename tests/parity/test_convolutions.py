"""Single layers of the convolution families against PyTorch: forward and every gradient."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.harness import case
from tests.parity.reference import Reference, torch

import cnnc
from cnnc import SpecError
from cnnc.compiler.layers.layer import Shape

pytestmark = pytest.mark.parity

TRIES = 120  # settings of each layer
TOLERANCE = 1e-12  # float64: largest error over largest entry
MISFITS = {"E301", "E308"}  # a window or a crop that does not fit is drawn anew

Drawn = tuple[str, Shape]


class Draw(random.Random):
    def window(self, low: int, high: int) -> str:
        """n, or HxW."""
        first, second = self.randint(low, high), self.randint(low, high)
        return str(first) if self.random() < 0.5 else f"{first}x{second}"

    def shape(self, channels: int, low: int = 1, high: int = 9) -> Shape:
        return (channels, self.randint(low, high), self.randint(low, high))

    def padding(self, *words: str) -> str:
        even = (str(self.randint(0, 3)), f"{self.randint(0, 2)}x{self.randint(0, 3)}")
        uneven = f"({', '.join(str(self.randint(0, 3)) for _ in range(4))})"
        return self.choice((*even, uneven, uneven, *words, *words))

    def some(self, *arguments: str) -> list[str]:
        """About half of them, in order."""
        return [a for a in arguments if self.random() < 0.5]


def dwconv(draw: Draw) -> Drawn:
    arguments = draw.some(
        f"stride={draw.window(1, 3)}", f"pad={draw.padding('same', 'valid')}",
        f"dilation={draw.window(1, 3)}", f"multiplier={draw.randint(1, 3)}", "bias=false",
    )  # fmt: skip
    return f"DWCONV({', '.join([draw.window(1, 4), *arguments])})", draw.shape(draw.randint(1, 4))


def deconv(draw: Draw) -> Drawn:
    groups = draw.choice((1, 1, 2, 3))
    stride, dilation = draw.window(1, 4), draw.window(1, 3)
    most = [
        max(n, m) - 1
        for n, m in zip(pair_of(stride), pair_of(dilation), strict=True)
    ]  # fmt: skip
    outpad = f"({draw.randint(0, most[0])}, {draw.randint(0, most[1])})"
    arguments = [f"stride={stride}", f"dilation={dilation}", f"groups={groups}"]
    arguments += draw.some(f"pad={draw.padding()}", f"outpad={outpad}", "bias=false")
    text = ", ".join([str(groups * draw.randint(1, 3)), draw.window(1, 4), *arguments])
    return f"DECONV({text})", draw.shape(groups * draw.randint(1, 3), 1, 6)


def local(draw: Draw) -> Drawn:
    arguments = draw.some(
        f"stride={draw.window(1, 3)}", f"pad={draw.padding('same', 'valid')}", "bias=false"
    )
    text = ", ".join([str(draw.randint(1, 3)), draw.window(1, 4), *arguments])
    return f"LOCAL({text})", draw.shape(draw.randint(1, 3))


def table(draw: Draw) -> Drawn:
    channels, filters = draw.randint(1, 5), draw.randint(1, 4)
    rows = [draw.sample(range(channels), draw.randint(1, channels)) for _ in range(filters)]
    arguments = draw.some(
        f"stride={draw.window(1, 3)}", f"pad={draw.padding('same', 'valid')}",
        f"dilation={draw.window(1, 3)}", "bias=false",
    )  # fmt: skip
    text = ", ".join([str(filters), draw.window(1, 4), *arguments, f"table={rows}"])
    return f"CONV({text})", draw.shape(channels)


def upsample(draw: Draw) -> Drawn:
    mode = draw.choice(("nearest", "bilinear", "bilinear"))
    return f"UPSAMPLE({draw.window(1, 5)}, {mode})", draw.shape(draw.randint(1, 3), 1, 5)


def subsample(draw: Draw) -> Drawn:
    return f"SUBSAMPLE({draw.window(1, 4)})", draw.shape(draw.randint(1, 4))


def rbf(draw: Draw) -> Drawn:
    shape = draw.choice(((draw.randint(1, 30),), draw.shape(2, 1, 3)))
    units, inputs = draw.randint(1, 12), int(np.prod(shape))
    codes = [draw.choices((-1, 1), k=inputs) for _ in range(units)]
    return f"RBF({units}, {codes})", shape


def pair_of(text: str) -> tuple[int, int]:
    first, _, second = text.partition("x")
    return int(first), int(second or first)


@cache
def settings(draw_one: Callable[[Draw], Drawn]) -> list[Drawn]:
    """Settings that fit, with outputs that are not too large."""
    draw, found = Draw(7), []
    while len(found) < TRIES:
        text, shape = draw_one(draw)
        try:
            cnnc.parse(spec(text, shape))
        except SpecError as error:
            codes = {d.code for d in error.diagnostics if d.severity == "error"}
            assert codes <= MISFITS, (text, shape, codes)
            continue
        found.append((text, shape))
    return found


def spec(text: str, shape: Shape) -> str:
    return f"INPUT({'x'.join(map(str, shape))}) -> {text}"


LAYERS = (dwconv, deconv, local, table, upsample, subsample, rbf)


@pytest.mark.parametrize("draw_one", LAYERS, ids=lambda f: f.__name__)
def test_forward_and_gradients(draw_one: Callable[[Draw], Drawn]) -> None:
    for seed, (text, shape) in enumerate(settings(draw_one)):
        given = case(text, shape, n=1 + seed % 4, seed=seed)
        net = cnnc.parse(spec(text, shape))
        layer = net.layers[-1]
        reference = Reference(net, {f"{layer.name}.{n}": w for n, w in given.weights.items()})
        x = torch.tensor(given.x, requires_grad=True)
        y = getattr(reference, layer.kind.lower())(layer, x)
        assert_close(given.forward(), y.detach().numpy(), text)
        y.backward(torch.tensor(given.dy))
        dx, grads = given.backward()
        assert_close(dx, x.grad.numpy(), text)
        theirs = {name: w.grad.numpy() for name, w in reference.trained.items()}
        assert {f"{layer.name}.{n}" for n in grads} == theirs.keys()
        for name, gradient in grads.items():
            assert_close(gradient, theirs[f"{layer.name}.{name}"], f"{name} of {text}")


def assert_close(mine: Any, theirs: Any, what: str) -> None:
    assert mine.shape == theirs.shape, what
    assert np.max(np.abs(mine - theirs)) <= TOLERANCE * max(np.max(np.abs(theirs)), 1e-30), what


def test_the_settings_use_everything() -> None:
    """The comparison would prove little if the settings were all alike."""
    texts = {f.__name__: "\n".join(text for text, _ in settings(f)) for f in LAYERS}
    windows = ("stride=2", "stride=3", "pad=(", "pad=same", "pad=valid", "bias=false")
    wanted = {
        "dwconv": (*windows, "dilation=2", "dilation=1x3", "multiplier=3"),
        "deconv": ("stride=3", "stride=2x", "pad=(", "pad=1", "outpad=(0, 1)", "outpad=(2",
                   "groups=3", "dilation=3", "bias=false"),
        "local": windows,
        "table": (*windows, "dilation=2"),
        "upsample": ("bilinear", "nearest", "(5", "(3x1", "(2x"),
        "subsample": ("(1", "(4", "(2x3"),
        "rbf": ("(1,", "(12,"),
    }  # fmt: skip
    for name, parts in wanted.items():
        for part in parts:
            assert part in texts[name], (name, part)
    shapes = [shape for f in LAYERS for _, shape in settings(f) if len(shape) == 3]
    assert sum(h != w for _, h, w in shapes) > 300
