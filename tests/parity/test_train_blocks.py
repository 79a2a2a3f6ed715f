"""Every word of a train block, over many steps of a whole net, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.reference import Reference, torch
from tests.parity.training import loss_of

import cnnc
from cnnc.compiler.training.losses import LOSSES
from cnnc.compiler.training.optimizers import OPTIMIZERS
from cnnc.compiler.training.schedules import SCHEDULES, Moment
from cnnc.runtime.batches import mixed

pytestmark = pytest.mark.parity

STEPS, PER_EPOCH = 25, 5
TOLERANCE = {"float64": 1e-9, "float32": 2e-4}  # largest error over largest entry

# Smooth, so that no decision hangs on rounding.
BODY = "INPUT(2x6x6) -> CONV(4, 3, lr=2) -> TANH -> CONV(3, 2, decay=3, bias=false) -> TANH -> "
VECTOR, ONE, MAPS, SOFT = "FC(4)", "CONV(4, 3)", "CONV(4, 1)", "FC(4) -> SOFTMAX"

BLOCKS = [
    (VECTOR, "optimizer = adamw  lr = 0.01"),
    (VECTOR, "optimizer = adamw(beta1=0.8, beta2=0.9, weight_decay=0.2)  lr = 0.02"),
    (MAPS, "optimizer = adamw(amsgrad=true)  weight_decay = 0.1  lr = 0.01  loss = mse"),
    (ONE, "optimizer = adam(amsgrad=true, weight_decay=0.1)  lr = 0.01  loss = hinge"),
    (VECTOR, "optimizer = rmsprop  lr = 0.002  weight_decay = 0.1"),
    (SOFT, "optimizer = rmsprop(alpha=0.9, momentum=0.5, centered=true)  lr = 0.002  loss = mse"),
    (SOFT, "optimizer = rmsprop(momentum=0.9)  lr = 0.001  loss = hinge"),
    (VECTOR, "loss = mse  lr = 0.1  clip = 0.05"),
    (ONE, "loss = mse  lr = 0.1  clip = 1000"),
    (MAPS, "loss = hinge  lr = 0.05  clip = 0.5  optimizer = sgd(momentum=0.9, nesterov=true)"),
    (SOFT, "loss = cross_entropy(label_smoothing=0.2)  clip = 0.1  optimizer = adam  lr = 0.01"),
    (VECTOR, "schedule = multistep([1, 3], 0.5)  lr = 0.05  optimizer = sgd(weight_decay=0.1)"),
    (MAPS, "schedule = poly(0.9)  lr = 0.05  augment = [mixup(0.5)]"),
    (ONE, "schedule = cosine(warmup=1.5)  lr = 0.05  loss = mse  augment = [mixup]"),
    (SOFT, "schedule = plateau(patience=0, gamma=0.5)  augment = [mixup]  loss = hinge  clip = 1"),
    (VECTOR, "schedule = step(2)  loss = mse  augment = [mixup(1)]  clip = 0.1"),
]  # fmt: skip
TEST_LOSSES = [1.0, 0.9, 0.95, 0.96]


def data(net: Any, step: int, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(step)
    places = net.training.loss.places(net.output_shape)
    x = rng.normal(size=(n, *net.input_shape)).astype("float32")
    return x, rng.integers(0, net.output_shape[0], (n, *places))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("end, block", BLOCKS, ids=lambda text: text)
def test_steps(end: str, block: str, dtype: str) -> None:
    net = cnnc.parse(f"{BODY}{end}\ntrain {{ epochs = 5  {block} }}")
    training = net.training
    program = net.compile(batch=8, shards=3, threads=2, dtype=dtype, seed=1)
    reference = Reference(net, dict(program.weights))
    factors = [group["lr"] for group in reference.optimizer.param_groups]
    clipped = 0
    for step in range(STEPS):
        epoch = step // PER_EPOCH
        moment = Moment(step, epoch, PER_EPOCH, training.epochs, TEST_LOSSES[:epoch])
        factor = training.schedule.factor(moment)
        program.lr = training.lr * factor
        for group, lr in zip(reference.optimizer.param_groups, factors, strict=True):
            group["lr"] = lr * factor
        x, y = data(net, step, 5 if step % 4 == 3 else 8)
        other, share = y, 1.0
        if training.mixup is not None:
            x, other, share = mixed(training.mixup, x, y, 0, epoch, step)
            mine = program.step(x, y, other, share)
        else:
            mine = program.step(x, y)

        reference.optimizer.zero_grad()
        scores = reference.scores(x, softmax=not training.loss.of_scores)
        loss = share * loss_of(training.loss, scores, y)
        loss = loss + (1 - share) * loss_of(training.loss, scores, other)
        loss.backward()
        if training.clip is not None:
            norm = torch.nn.utils.clip_grad_norm_(reference.trained.values(), training.clip)
            clipped += bool(norm > training.clip)
        reference.optimizer.step()
        assert mine == pytest.approx(loss.item(), rel=TOLERANCE[dtype]), step
    for name, weight in reference.weights.items():
        theirs = weight.detach().numpy()
        error = np.max(np.abs(program.weights[name] - theirs))
        assert error <= TOLERANCE[dtype] * max(1e-2, np.max(np.abs(theirs))), name
    if training.clip is not None:
        assert (clipped > 0) == (training.clip < 1000)


def test_the_blocks_use_every_word() -> None:
    trainings = [cnnc.parse(f"{BODY}{end}\ntrain {{ {b} }}").training for end, b in BLOCKS]
    for words, used in (
        (OPTIMIZERS, {type(t.optimizer) for t in trainings}),
        (SCHEDULES, {type(t.schedule) for t in trainings}),
        (LOSSES, {type(t.loss) for t in trainings}),
    ):
        assert used == set(words)
