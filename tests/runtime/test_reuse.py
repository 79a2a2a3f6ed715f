"""Fine-tuning: what is reused, with which learning rates, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Run as Command

import cnnc
from cnnc.runtime import safetensors
from cnnc.runtime.compiled import Compiled
from cnnc.runtime.errors import RunError
from cnnc.runtime.reuse import reuse, with_rates
from cnnc.runtime.run import read_weights
from cnnc.runtime.trainer import Watch

BODY = "INPUT(1x8x8) -> CENTER -> CONV(4, 3) as stem -> RELU -> CONV(6, 3, lr=2) -> RELU"
OLD, NEW = f"{BODY} -> FC(10)", f"{BODY} -> FC(8) -> RELU -> FC(10)"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run on the digits, of one epoch."""
    return cnnc.train(cnnc.parse(OLD), "digits", tmp_path_factory.mktemp("old") / "run", epochs=1)


def lrs(compiled: Compiled) -> dict[str, float]:
    """The factors on the learning rate in the program's updates."""
    updates = [step for step in compiled.program("train").steps if step.op == "update"]
    return {step.name.split(".")[0]: step.numbers["lr_factor"] for step in updates}


def test_layers_of_the_same_name_and_shapes_are_reused(old: Any, tmp_path: Path) -> None:
    seen = []

    class Looking(Watch):
        def on_reuse(self, taken: Any) -> None:
            seen.append(taken)

    net = cnnc.parse(NEW)
    # With lr_reused = 0 what is reused stays as it is: the weights themselves are compared.
    run = cnnc.train(
        net, "digits", tmp_path / "new", init_from=old.path, lr_reused=0, epochs=1, watch=Looking()
    )
    (taken,) = seen
    assert taken.layers == ("center1", "stem", "conv2")
    assert taken.fresh == (
        ("fc1", "weight is 8x96 here and 10x96 there"), ("fc2", "fc2.weight is not there"),
    )  # fmt: skip
    mine, its = run.compiled.weights, old.compiled.weights
    for name in ("center1.mean", "stem.weight", "stem.bias", "conv2.weight", "conv2.bias"):
        assert np.array_equal(mine[name], its[name]), name
    start = net.compile().weights
    for name in ("fc1.weight", "fc2.weight"):
        assert not np.array_equal(mine[name], start[name])  # trained


def test_the_rest_starts_as_without_reuse(old: Any, tmp_path: Path) -> None:
    run = cnnc.train(
        cnnc.parse(NEW), "digits", tmp_path / "new", init_from=str(old.path), epochs=1,
        lr_reused=0, lr_new=0,
    )  # fmt: skip
    start = cnnc.parse(NEW).compile().weights
    for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"):
        assert np.array_equal(run.compiled.weights[name], start[name]), name


def test_learning_rates_are_factors_on_the_layers_own(old: Any, tmp_path: Path) -> None:
    net = cnnc.parse(f'{NEW}\ntrain {{ init_from = "{old.path}"  lr_new = 3  epochs = 1 }}')
    run = cnnc.train(net, "random:20", tmp_path / "new")
    expected = {"stem": 0.1, "conv2": 0.2, "fc1": 3.0, "fc2": 3.0}
    assert lrs(run.compiled) == pytest.approx(expected)
    assert lrs(net.compile()) == {"stem": 1, "conv2": 2, "fc1": 1, "fc2": 1}
    # What the run keeps says them too, so that it can be trained on as it was.
    reused = json.loads((run.path / "options.json").read_text())["reused"]
    again = cnnc.load(run.path / "spec.cnn").checked.require()
    again = with_rates(again, run.compiled.training, reused)
    assert lrs(Compiled(again, run.compiled.training, batch=4)) == pytest.approx(expected)


def test_reused_layers_move_by_a_tenth(old: Any, tmp_path: Path) -> None:
    """One step of one batch, with the gradient that the compiled net gives."""
    net = cnnc.parse(f"{OLD}\ntrain {{ optimizer = sgd  lr = 0.5  batch = 64  epochs = 1 }}")
    npz = tmp_path / "one.npz"
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 1, 8, 8), "float32"), np.arange(20) % 10
    np.savez(npz, x_train=x, y_train=y, x_test=x, y_test=y)
    run = cnnc.train(net, f"npz:{npz}", tmp_path / "new", init_from=old.path)
    program = net.compile()
    for name, weight in old.compiled.weights.items():
        program.weights[name] = weight
    grads = program.loss_and_grads(x, y)[1]
    for name, grad in grads.items():
        factor = 0.2 if name.startswith("conv2") else 0.1
        expected = old.compiled.weights[name] - 0.5 * factor * grad
        assert run.compiled.weights[name] == pytest.approx(expected, abs=1e-6), name


def test_statistics_of_data_layers_that_are_new_are_fitted(old: Any, tmp_path: Path) -> None:
    text = NEW.replace("CENTER ->", "CENTER(pixel) -> NORMALIZE ->")
    run = cnnc.train(cnnc.parse(text), "digits", tmp_path / "new", init_from=old.path, epochs=1)
    weights = run.compiled.weights
    assert weights["center1.mean"].shape == (1, 8, 8) and weights["center1.mean"].any()
    assert np.all(weights["normalize1.std"] > 0) and np.all(weights["normalize1.std"] != 1)


def test_a_net_that_is_the_same_reuses_all(old: Any, tmp_path: Path) -> None:
    npz = tmp_path / "other.npz"
    x, y = np.ones((10, 1, 8, 8), "float32"), np.arange(10)
    np.savez(npz, x_train=x, y_train=y, x_test=x, y_test=y)
    run = cnnc.train(
        cnnc.parse(OLD), f"npz:{npz}", tmp_path / "new", init_from=old.path, epochs=1, lr_reused=0
    )
    for name, weight in old.compiled.weights.items():  # CENTER's mean too: not that of the ones
        assert np.array_equal(run.compiled.weights[name], weight), name


def test_statistics_are_reused_with_their_layers(tmp_path: Path) -> None:
    net = cnnc.parse("INPUT(1x8x8) -> PCA(9) -> FC(8) -> BN -> RELU -> FC(10)")
    first = cnnc.train(net, "digits", tmp_path / "first", epochs=1)
    again = cnnc.train(
        net, "random:100", tmp_path / "again", epochs=1, init_from=first.path, lr_reused=0
    )
    old, new = first.compiled.weights, again.compiled.weights
    assert np.array_equal(new["pca1.matrix"], old["pca1.matrix"])  # not fitted to the noise
    fresh = net.compile().weights["bn1.running_var"]
    assert not np.array_equal(old["bn1.running_var"], fresh)
    taken = reuse(net.checked.require(), "first", read_weights(first.path))
    assert np.array_equal(taken.weights["bn1.running_var"], old["bn1.running_var"])
    assert taken.fresh == ()


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_a_file_of_another_tool_is_read(dtype: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    weight = np.linspace(-1, 1, 36).reshape(4, 1, 3, 3).astype(dtype)
    stored = {
        "stem.weight": weight, "stem.bias": np.ones(4, dtype), "head.weight": np.ones((1, 2)),
        "conv2.weight": np.ones((6, 4, 3, 3), "int64"), "conv2.bias": np.ones(6, "int64"),
    }  # fmt: skip
    safetensors.save(file, stored)
    seen = []

    class Looking(Watch):
        def on_reuse(self, taken: Any) -> None:
            seen.append(taken)

    run = cnnc.train(
        cnnc.parse(OLD), "random:20", tmp_path / "new", init_from=file, epochs=1, lr_reused=0,
        watch=Looking(),
    )  # fmt: skip
    assert np.array_equal(run.compiled.weights["stem.weight"], weight.astype("float32"))
    assert seen[0].layers == ("stem",)
    assert seen[0].fresh[1] == ("conv2", "weight is int64 there")


def test_shared_weights_are_reused_once(tmp_path: Path) -> None:
    text = 'INPUT(2x6x6) -> [CONV(2, 3, pad=1, share="both") -> TANH]*2 -> FC(3)'
    first = cnnc.train(cnnc.parse(text), "random:20", tmp_path / "first", epochs=1)
    again = cnnc.train(
        cnnc.parse(text), "random:20", tmp_path / "again", epochs=1, init_from=first.path,
        lr_reused=0,
    )  # fmt: skip
    for name, weight in first.compiled.weights.items():
        assert np.array_equal(again.compiled.weights[name], weight)


@pytest.mark.parametrize(
    "chain, message, help",
    [
        ("INPUT(1x8x8) -> CONV(4, 5) -> FC(10)", "no layer of the net can be reused from",
         "fc1: weight is 10x64 here and 10x96 there"),
        ("INPUT(10) -> RELU", "no layer of the net can be reused", "the net has no weights"),
    ],
)  # fmt: skip
def test_nothing_to_reuse_is_refused(
    chain: str, message: str, help: str, old: Any, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=message) as caught:
        cnnc.train(cnnc.parse(chain), "random:20", tmp_path / "new", init_from=old.path)
    assert help in caught.value.help
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    (tmp_path / "empty").mkdir()
    for source, message in (
        (tmp_path / "missing", "there is no .*missing"),
        (tmp_path / "empty", "there is no .*empty/weights.safetensors"),
        (tmp_path / "damaged.safetensors", "is not a whole safetensors file"),
    ):
        with pytest.raises(RunError, match=message):
            cnnc.train(cnnc.parse(OLD), "random:20", tmp_path / "new", init_from=source)
    assert not (tmp_path / "new").exists()


def test_the_command_says_what_is_reused(cnnc: Command, old: Any, tmp_path: Path) -> None:
    (tmp_path / "new.cnn").write_text(NEW)
    result = cnnc(
        "train", "new.cnn", "--data", "digits", "--epochs", 1, "--init-from", old.path,
        "--out", "run", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert f"reused     3 layers of {old.path}" in lines
    assert "           center1, stem, conv2" in lines
    assert "new        fc1: weight is 8x96 here and 10x96 there" in lines
    assert "new        fc2: fc2.weight is not there" in lines


def test_the_command_line_wins_over_the_block(cnnc: Command, old: Any, tmp_path: Path) -> None:
    (tmp_path / "new.cnn").write_text(f'{NEW}\ntrain {{ init_from = "nowhere"  epochs = 1 }}')
    refused = cnnc("train", "new.cnn", "--data", "digits", cwd=tmp_path)
    assert refused.returncode == 1 and "there is no nowhere" in refused.stderr
    won = cnnc(
        "train", "new.cnn", "--data", "digits", "--init-from", old.path, "--out", "run",
        cwd=tmp_path,
    )  # fmt: skip
    assert won.returncode == 0, won.stderr
