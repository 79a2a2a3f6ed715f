"""`cnnc.train`: what it takes, what it gives, and that its folder says it all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.parity.nets import random_spec

import cnnc
from cnnc.api import Net
from cnnc.runtime import metrics
from cnnc.runtime.trainer import Diverged, Progress, Watch

TEXT = """
net Small
param N = 1
default CONV(3, 3, pad=same)
INPUT(1x6x6) -> CENTER -> [CONV -> RELU -> POOL?]*N -> DROPOUT(0.2) -> FC(3)
train { batch = 7  epochs = 2  lr = 0.05  schedule = cosine(warmup=1)  augment = [flip, crop(1)] }
"""
DATA = "random:17"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.cnn").write_text(TEXT)
    return tmp_path


def weights(run: Any) -> bytes:
    return (run.path / "weights.safetensors").read_bytes()


# -- what it gives -------------------------------------------------------------------------


def test_a_run_has_its_history_and_its_accuracy() -> None:
    run = cnnc.train("small.cnn", data=DATA, out="runs/a")
    assert run.path == Path("runs/a")
    assert [epoch.epoch for epoch in run.history] == [1, 2]
    assert list(run.history) == metrics.read("runs/a/metrics.jsonl")
    assert run.accuracy == run.history[-1].val_accuracy
    assert isinstance(run.accuracy, float) and 0 <= run.accuracy <= 1
    kept = load_file("runs/a/weights.safetensors")
    for name, weight in run.compiled.weights.items():
        assert np.array_equal(kept[name], weight)
    x = np.random.default_rng(0).random((2, 1, 6, 6), np.float32)
    assert run.compiled.predict(x).shape == (2, 3)


def test_the_spec_is_a_path_or_a_net_and_the_folder_a_path_or_none(folder: Path) -> None:
    net = cnnc.load("small.cnn")
    runs = [
        cnnc.train("small.cnn", DATA),
        cnnc.train(folder / "small.cnn", DATA, folder / "b"),
        cnnc.train(net, DATA, "c"),
    ]
    assert [run.path for run in runs] == [Path("runs/small"), folder / "b", Path("c")]
    assert len({weights(run) for run in runs}) == 1


def test_set_and_input_are_those_of_load() -> None:
    run = cnnc.train("small.cnn", DATA, set={"N": 2, "CONV.filters": 5}, input=(1, 8, 8), epochs=1)
    assert run.compiled.net.input_shape == (1, 8, 8)
    assert run.compiled.weights["conv2.weight"].shape == (5, 5, 3, 3)
    with pytest.raises(TypeError, match=r"give set= and input= to cnnc.load"):
        cnnc.train(cnnc.load("small.cnn"), DATA, set={"N": 2})
    with pytest.raises(TypeError, match=r"give set= and input= to cnnc.load"):
        cnnc.train(cnnc.load("small.cnn"), DATA, input="1x8x8")


def test_the_seed_is_that_of_the_weights_too() -> None:
    net = cnnc.parse("INPUT(4) -> FC(5, freeze=true) -> FC(3)")
    run = cnnc.train(net, DATA, "run", seed=8)
    start = net.compile(seed=8).weights["fc1.weight"]
    assert np.array_equal(run.compiled.weights["fc1.weight"], start)


def test_a_watch_looks_on() -> None:
    class Count(Watch):
        started = steps = epochs = 0

        def on_start(self, compiled: Any, dataset: Any, folder: Path) -> None:
            assert (folder / "spec.cnn").exists() and not (folder / "metrics.jsonl").exists()
            self.started += 1

        def on_step(self, progress: Progress) -> None:
            self.steps += 1

        def on_epoch(self, epoch: Any, epochs: int) -> None:
            self.epochs += 1
            assert len(metrics.read("run/metrics.jsonl")) == self.epochs

    watch = Count()
    cnnc.train("small.cnn", DATA, "run", watch=watch)
    assert (watch.started, watch.steps, watch.epochs) == (1, 6, 2)


# -- options -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("epochs", 3, "3"),
        ("epochs", np.int64(3), "3"),
        ("batch", 4, "4"),
        ("lr", 1e-5, "0.00001"),
        ("lr", np.float64(0.03), "3e-2"),
        ("lr", 1, "1.0"),
        ("seed", 11, "11"),
        ("weight_decay", 0.1, ".1"),
        ("optimizer", cnnc.parse("INPUT(1) train { optimizer = adam }").training.optimizer, "adam"),
        ("augment", [], "[]"),
        ("augment", ["flip"], "[flip]"),
        ("augment", ("flip", "crop(2)"), "[flip, crop(pad=2)]"),
    ],
)
def test_options_are_values_or_text(option: str, value: Any, text: str) -> None:
    by_value = cnnc.train("small.cnn", DATA, "value", **{option: value})
    by_text = cnnc.train("small.cnn", DATA, "text", **{option: text})
    assert weights(by_value) == weights(by_text)
    assert str(by_value.compiled.training) != str(cnnc.load("small.cnn").training)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"momentum": 0.9}, TypeError, "no setting 'momentum'; there are batch, epochs, "),
        ({"epochs": 0}, ValueError, "epochs takes an integer of at least 1, not 0"),
        ({"epochs": 1.5}, ValueError, "epochs takes an integer of at least 1, not 1.5"),
        ({"lr": 0}, ValueError, "lr takes a number above 0, not 0"),
        ({"lr": float("nan")}, ValueError, "lr takes a number above 0, not 'nan'"),
        ({"lr": float("inf")}, ValueError, "lr takes a number above 0"),
        ({"lr": True}, ValueError, "lr takes a number above 0, not true"),
        ({"lr": None}, ValueError, "lr takes a number above 0"),
        ({"lr": "1e30"}, ValueError, "lr: the number 1e30 is larger than the limit"),
        ({"seed": -1}, ValueError, "seed takes an integer of at least 0"),
        ({"augment": "flip"}, ValueError, "augment takes a list"),
        ({"optimizer": "adan"}, ValueError, "optimizer takes sgd or adam"),
        ({"optimizer": "sgd(nesterov=true)"}, ValueError, "momentum above 0"),
        ({"schedule": "step"}, ValueError, "every="),
        ({"threads": 0}, ValueError, "threads is an integer of at least 1, not 0"),
        ({"shards": 0}, ValueError, "shards is an integer of at least 1, not 0"),
        ({"device": "cuda"}, ValueError, "'cuda' is not built yet"),
        ({"set": {"M": 1}}, ValueError, "has no knob M"),
        ({"data": "imagenet"}, cnnc.DataError, "there is no data source 'imagenet'"),
        ({"data": "random:0"}, cnnc.RunError, "'0' is no number of samples"),
        ({"out": "small.cnn"}, cnnc.RunError, "cannot be made"),
        ({"spec": "none.cnn"}, cnnc.SpecError, "does not exist"),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_nothing(
    options: dict[str, Any], error: type[Exception], message: str, folder: Path
) -> None:
    given = {"spec": "small.cnn", "data": DATA, "out": "run", **options}
    with pytest.raises(error) as caught:
        cnnc.train(**given)
    assert message in str(caught.value)
    assert [path.name for path in folder.iterdir()] == ["small.cnn"]


def test_a_spec_with_errors_has_its_diagnostics() -> None:
    Path("wrong.cnn").write_text("INPUT(1x4x4) -> POOL(9) -> FC(units=0)")
    with pytest.raises(cnnc.SpecError) as caught:
        cnnc.train("wrong.cnn", DATA)
    assert {d.code for d in caught.value.diagnostics} == {"E301", "E403"}


def test_a_run_that_diverged_is_a_run_error() -> None:
    net = cnnc.parse("INPUT(4) -> FC(3) -> FC(3) -> FC(3)")
    with pytest.raises(cnnc.RunError, match=r"help: a smaller learning rate") as caught:
        cnnc.train(net, "random:90", "run", lr=1e15)
    assert isinstance(caught.value, Diverged)
    assert sorted(path.name for path in Path("run").iterdir()) == ["options.json", "spec.cnn"]


# -- the folder says it all ----------------------------------------------------------------


def test_a_runs_files_train_to_the_same_bits() -> None:
    run = cnnc.train("small.cnn", DATA, "one", set={"N": 2}, optimizer="adam(beta1=0.8)", seed=2)
    options = json.loads(Path("one/options.json").read_text())
    settings = {name: value for name, value in options["train"].items() if value is not None}
    again = cnnc.train("one/spec.cnn", options["data"], "two", shards=options["shards"], **settings)
    assert weights(again) == weights(run)
    assert again.history[-1].loss == run.history[-1].loss
    assert Path("two/options.json").read_text() == Path("one/options.json").read_text()
    assert Path("two/spec.cnn").read_text() == Path("one/spec.cnn").read_text()


def described(net: Net) -> Any:
    return net.name, [
        (x.name, x.layer.written(), x.inputs, x.output, x.params, x.trainable, x.macs, x.stored,
         x.aux, x.partner)
        for x in net.layers
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "net A INPUT(4) -> FC(3)",
        "INPUT(1x9x9) -> for f, s in [(2, 1), (4, 2)] [CONV(f, 3, stride=s, pad=(1, 0, 1, 0))]",
        "INPUT(1x9x9) -> [CONV([2, 4], 3, pad=1x0, init=normal(0.00002), lr=0.00001)]*2 -> FC(2)",
        "INPUT(3x9x9) -> NORMALIZE(range, per=pixel) -> LEAKYRELU(0.000001) -> POOL(avg, 2x3)",
        "let k = 3 default CONV(k, k) INPUT((1, 3*k, 3*k)) -> CONV -> POOL?(false) -> FC(k*2)",
        "INPUT(1x9x9) -> MAXPOOL(2, ceil=true) -> AVGPOOL(2, include_pad=false) -> FC(2, decay=0)",
        "INPUT(1x8x8) -> CONCAT{ CONV(2, 1) | ID | CONV(3, 3, pad=1) -> RELU } -> ADD{ ID | RELU }",
        "INPUT(1x8x8) -> CONV(2, 3, pad=1) as a -> POOL(2) as p -> UNPOOL(@p) -> ADD{ ID | @a }",
        "block b(f) = [CONV(f, 3, pad=1) -> RELU as r] INPUT(1x8x8) -> b([2, 3])*2 -> AUX{ FC(2) }"
        " -> FC(2)",
        'INPUT(1x8x8) -> [CONV(1, 3, pad=1, share="w") -> TANH]*3 -> AUX(0.2){ FC(2) } -> FC(2)',
        "INPUT(1x9x9) -> FC(2, freeze=true, bias=false) -> TANH(scale=1.7159, slope=2/3) -> FC(9)",
    ],
)
def test_the_spec_as_expanded_is_the_same_net(text: str) -> None:
    net = cnnc.parse(text)
    again = cnnc.parse(net.expanded())
    assert described(again) == described(net)
    assert again.expanded() == net.expanded()


def test_random_nets_as_expanded_are_the_same_nets() -> None:
    for seed in range(20):
        net = random_spec(seed).net
        assert described(cnnc.parse(net.expanded())) == described(net), net.expanded()
