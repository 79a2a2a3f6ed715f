"""Forward, loss, gradients and 20 training steps of random nets against PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.parity.nets import Spec, random_spec
from tests.parity.reference import Reference, torch

from cnnc.compiler.layers import activation
from cnnc.compiler.layers.layer import Shape

pytestmark = pytest.mark.parity

STEPS = 20
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # largest error over largest entry
LOSSES = {"float64": 1e-9, "float32": 1e-3}
# Data for which no decision in RELU and max pooling hangs on the rounding of float32: where
# gradients are compared, and while training.
MARGIN, STEP_MARGIN = 1e-4, {"float64": 0.0, "float32": 3e-6}
SEEDS = range(80)
SPECS = [random_spec(seed) for seed in SEEDS]


def data(spec: Spec, n: int, seed: int) -> tuple[Any, Any]:
    """Images that float32 holds exactly, and classes, per pixel where the output is maps."""
    rng = np.random.default_rng([spec.seed, seed])
    net = spec.net
    places: Shape = () if net.output_shape[1:] in ((), (1, 1)) else net.output_shape[1:]
    x = rng.normal(size=(n, *net.input_shape)).astype("float32")
    return x, rng.integers(0, net.output_shape[0], (n, *places))


def prepared(spec: Spec, dtype: str, threads: int = 2) -> tuple[Any, Reference]:
    """The same net with the same weights, compiled and in PyTorch; statistics and biases set."""
    program = spec.net.compile(
        batch=spec.batch, seed=spec.seed, shards=spec.shards, threads=threads, dtype=dtype
    )
    rng = np.random.default_rng(spec.seed)
    for name, weight in program.weights.items():
        kind = name.split(".")[1]
        if kind != "weight":  # start at 0 or 1, which would hide mistakes
            low = {"std": 0.5, "max": 2.0}.get(kind, -0.5)
            program.weights[name] = rng.uniform(low, low + 1, weight.shape).astype("float32")
    return program, Reference(spec.net, dict(program.weights))


def decided(
    spec: Spec, reference: Reference, n: int, margin: float = MARGIN, first: int = 0
) -> tuple[Any, Any]:
    """Data whose decisions are all clear by a margin: those of the first such seed."""
    for seed in range(first, first + 100):
        x, y = data(spec, n, seed)
        if margin:
            reference.scores(x)
        if not margin or reference.margin > margin:
            return x, y
    raise AssertionError(f"no clear data for {spec.text}")


def assert_close(mine: Any, theirs: Any, tolerance: float, what: str, least: float = 1e-30) -> None:
    """The largest error over the largest entry, or over `least` where all are smaller."""
    theirs = np.asarray(theirs)
    assert np.shape(mine) == theirs.shape, what
    error = np.max(np.abs(mine - theirs))
    assert error <= tolerance * max(np.max(np.abs(theirs)), least), what


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The nets are too small for several: PyTorch's would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.seed))
def test_forward_loss_gradients_and_steps(spec: Spec, dtype: str) -> None:
    program, reference = prepared(spec, dtype)
    tolerance = TOLERANCE[dtype]
    for n in (spec.batch, spec.last):
        x, y = decided(spec, reference, n)
        scores = reference.scores(x).detach().numpy().reshape(n, *spec.net.output_shape)
        assert_close(program.predict(x), scores, tolerance, "scores")
        loss, grads = program.loss_and_grads(x, y)
        theirs = reference.grads(x, flat(y, spec))
        assert_close(loss, reference.loss(x, flat(y, spec)).item(), tolerance, "loss")
        assert grads.keys() == theirs.keys()
        for name in grads:
            assert_close(grads[name], theirs[name], tolerance, name)
    for step in range(STEPS):
        n = spec.last if step % 3 == 2 else spec.batch
        x, y = decided(spec, reference, n, STEP_MARGIN[dtype], 1000 * (1 + step % 5))
        mine, its = program.step(x, y), reference.step(x, flat(y, spec))
        # A loss near 0 is what numbers near 1 leave of each other.
        assert_close(mine, its, LOSSES[dtype], f"loss of step {step}", least=1e-3)
    for name, weight in reference.weights.items():
        assert_close(program.weights[name], weight.detach().numpy(), tolerance, name)


def flat(y: Any, spec: Spec) -> Any:
    """An output Cx1x1 counts as a vector; PyTorch wants its two axes in the target."""
    one = spec.net.output_shape[1:] == (1, 1)
    return y[:, None, None] if one else y


def test_the_nets_use_everything() -> None:
    """The comparison would prove little if the nets were all alike."""
    texts = "\n".join(spec.text for spec in SPECS)
    for part in (
        "CENTER ", "CENTER(pixel)", "NORMALIZE ", "NORMALIZE(range", "NORMALIZE(std, pixel)",
        "stride=2", "stride=3", "pad=same", "pad=valid", "pad=(", "pad=1x0", "dilation=",
        "groups=2", "groups=3", "groups=4", "bias=false", "lr=0.1", "decay=0", "decay=3",
        "freeze=true", "init=orthogonal", "MAXPOOL", "AVGPOOL", "mode=avg", "ceil=true",
        "include_pad=false", "RELU", "LEAKYRELU(0.3)", "TANH ", "TANH(scale", "SIGMOID",
        "DROPOUT(0)", "FLATTEN", "SOFTMAX", "sgd ", "sgd(momentum=0.9)", "nesterov=true",
        "adam ", "adam(beta1", "weight_decay = 0.1", "label_smoothing=0.1", "table=", "DWCONV",
        "multiplier=2", "LOCAL", "DECONV", "outpad=1", "SUBSAMPLE", "nearest", "bilinear",
    ):  # fmt: skip
        assert part in texts, part
    layers = [layer for spec in SPECS for layer in spec.net.layers]
    drawn = {layer.kind for layer in layers}
    assert drawn >= {cls.kind for cls in activation.LAYERS}, "draw it in nets.py"
    trained = {(s.net.training.optimizer.written(), s.net.training.weight_decay > 0) for s in SPECS}
    for optimizer in ("sgd", "sgd(momentum=0.9)", "sgd(momentum=0.8, nesterov=true)", "adam"):
        assert {(optimizer, False), (optimizer, True)} <= trained
    sides = {side % 2 for layer in layers if layer.kind == "INPUT" for side in layer.output[1:]}
    assert sides == {0, 1}
    pools = [layer.layer for layer in layers if layer.kind == "POOL"]
    assert any(p.stride[0] < p.k[0] for p in pools) and any(p.stride[0] > p.k[0] for p in pools)
    for mode in ("max", "avg"):
        assert sum(p.mode == mode and p.ceil for p in pools) > 2
        assert sum(p.mode == mode and any(p.pad) for p in pools) > 5
    assert sum(len(spec.net.output_shape) == 3 for spec in SPECS) > 5
    assert len({spec.shards for spec in SPECS}) == 4
    assert sum(spec.shards > spec.last for spec in SPECS) > 5
