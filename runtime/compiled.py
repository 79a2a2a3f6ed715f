"""A compiled net: weights, training steps, gradients and predictions.

Everything that goes in or comes out is in the layouts of the layers' documentation, whatever
a program uses inside.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property

import numpy as np

from cnnc.compiler.layers.counted import key_of
from cnnc.compiler.layers.layer import Array, Weight
from cnnc.compiler.lower import apart, lower, usual_shards
from cnnc.compiler.memory import Memory, memory_of
from cnnc.compiler.net import Net
from cnnc.compiler.passes.pipeline import compile_program
from cnnc.compiler.program import Program, Purpose
from cnnc.compiler.training.settings import Training
from cnnc.compiler.values import show_shape

from .engine import Engine
from .team import Team

DTYPES = ("float32", "float64")


class Weights(MutableMapping[str, Array]):
    """The weights by name. Reading gives a copy; writing checks shape and type and copies."""

    def __init__(self, net: Net, shared: dict[str, Array], dtype: str) -> None:
        self._shared, self._dtype = shared, dtype
        self.described: dict[str, Weight] = net.weights

    def __getitem__(self, name: str) -> Array:
        if name not in self.described:
            raise KeyError(f"no weight {name!r}; there are {', '.join(self.described)}")
        return self._shared[name].copy()

    def __setitem__(self, name: str, value: Array) -> None:
        if name not in self.described:
            raise KeyError(f"no weight {name!r}; there are {', '.join(self.described)}")
        array = np.asarray(value)
        wanted = self.described[name].shape
        if array.shape != wanted:
            given = show_shape(array.shape) or "a number"
            raise ValueError(f"{name} has shape {show_shape(wanted)}, not {given}")
        if array.dtype.kind != "f" or array.dtype.itemsize > np.dtype(self._dtype).itemsize:
            raise ValueError(f"{name} is {self._dtype}, and {array.dtype} would lose something")
        self._shared[name][...] = array

    def __delitem__(self, name: str) -> None:
        raise TypeError("a net keeps all its weights")

    def __iter__(self) -> Iterator[str]:
        return iter(self.described)

    def __len__(self) -> int:
        return len(self.described)


def _check_integer(name: str, value: object, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is an integer of at least {least}, not {value!r}")


class Compiled:
    """What `net.compile(…)` gives.

    batch    the most samples of a step
    shards   into how many parts a batch is split; it changes sums in their last bits, so it
             belongs to the program. By default it follows from the batch alone
    threads  how many parts run at once; it changes no bit. By default one a core
    """

    def __init__(
        self,
        net: Net,
        training: Training,
        *,
        batch: int,
        seed: int = 0,
        shards: int | None = None,
        threads: int | None = None,
        dtype: str = "float32",
    ) -> None:
        if dtype not in DTYPES:
            raise ValueError(f"dtype is {' or '.join(DTYPES)}, not {dtype}")
        _check_integer("batch", batch, 1)
        _check_integer("seed", seed, 0)
        for name, value in (("shards", shards), ("threads", threads)):
            if value is not None:
                _check_integer(name, value, 1)
        self.net, self.training, self.batch, self.dtype = net, training, batch, dtype
        self._inside = apart(net)
        self.shards = min(batch, shards or usual_shards(batch))
        self.seed = seed
        self.lr = float(training.lr)
        self.steps = 0  # training steps so far
        self._shared: dict[str, Array] = {}
        self._team = Team(min(self.shards, threads or os.cpu_count() or 1))
        self.weights = Weights(net, self._shared, dtype)
        self._start_weights()
        self._unfitted = [layer for layer in net.layers if layer.layer.fitted]

    def _start_weights(self) -> None:
        """Each weight from its own generator: one layer more does not change the others."""
        for number, (name, weight) in enumerate(self.weights.described.items()):
            rng = np.random.Generator(np.random.PCG64([self.seed, number]))
            start = weight.init.fill(rng, weight.shape, weight.fan_in, weight.fan_out)
            self._shared[name] = np.ascontiguousarray(start, dtype=self.dtype)

    # -- programs ---------------------------------------------------------------------

    def program(
        self, purpose: Purpose, watch: Callable[[str, Program], None] = lambda name, program: None
    ) -> Program:
        """The compiled program for a purpose."""
        lowered = lower(self.net, purpose, self.training, self.batch, self.shards, self.dtype)
        return compile_program(lowered, watch)

    def _engine(self, purpose: Purpose) -> Engine:
        return Engine(self.program(purpose), self._shared, self._team)

    @cached_property
    def _train(self) -> Engine:
        return self._engine("train")

    @cached_property
    def _gradients(self) -> Engine:
        return self._engine("gradients")

    @cached_property
    def _predict(self) -> Engine:
        return self._engine("predict")

    @cached_property
    def _before_softmax(self) -> Engine:
        last = self.net.last
        if last.layer.family != "output":
            return self._predict
        layers = tuple(layer for layer in self.net.layers if layer is not last)
        before = next(layer for layer in layers if layer.name == last.inputs[0])
        net = self.net.replace(layers=layers, last=before)
        lowered = lower(net, "predict", self.training, self.batch, self.shards, self.dtype)
        return Engine(compile_program(lowered), self._shared, self._team)

    @property
    def memory(self) -> Memory:
        """Bytes that training takes, as planned."""
        return memory_of(self._train.program)

    def listing(self) -> str:
        """The training program: one line a step."""
        return self._train.program.listing()

    def prepare(self) -> None:
        """Take the memory of a training step now, which the first step would do else."""
        self._train  # noqa: B018

    # -- running ----------------------------------------------------------------------

    def step(self, x: Array, y: Array, other: Array | None = None, share: float = 1.0) -> float:
        """One training step; returns the mean loss before the update.

        x       (N, *input) floats, 1 … batch samples
        y       (N,) classes; (N, H, W) where the output is maps
        other   the classes of what mixup mixed into x; the loss is
                share * loss of y + (1 - share) * loss of other
        """
        return self.step_scored(x, y, other, share)[0]

    def step_scored(
        self, x: Array, y: Array, other: Array | None = None, share: float = 1.0
    ) -> tuple[float, Array]:
        """As `step`; also the scores (N, *output) that the loss was taken of."""
        found = self._run(self._train, x, y, self.steps + 1, other, share)
        self.steps += 1  # only now: a refused step is none
        return found

    def loss_and_grads(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """The mean loss and the gradient of every trainable weight; nothing is changed."""
        loss, _ = self._run(self._gradients, x, y, self.steps + 1)
        names = [n for n, w in self.weights.described.items() if w.trainable]
        return loss, {name: self._shared[f"d({name})"].copy() for name in names}

    def predict(self, x: Array) -> Array:
        """The net's output (N, *output) in evaluation mode, for any N."""
        return self._forward(self._predict, x)

    def before_softmax(self, x: Array) -> Array:
        """As `predict`, but without a last SOFTMAX: what most losses are taken of."""
        return self._forward(self._before_softmax, x)

    def _forward(self, engine: Engine, x: Array) -> Array:
        x = self._checked(x)
        self._check_fitted()
        scores = np.empty((len(x), *self.net.output_shape), self.dtype)
        result = engine.program.results[0]
        for start in range(0, len(x), self.batch):
            some = x[start : start + self.batch]
            parts = engine.run({engine.program.inputs[0]: some})
            np.concatenate([p[result] for p in parts], out=scores[start : start + len(some)])
        return scores

    def _run(
        self, engine: Engine, x: Array, y: Array, step: int,
        other: Array | None = None, share: float = 1.0,
    ) -> tuple[float, Array]:  # fmt: skip
        x = self._checked(x)
        if not 1 <= len(x) <= self.batch:
            raise ValueError(f"a step takes 1 to {self.batch} samples, not {len(x)}")
        inputs = {engine.program.inputs[0]: x, "target": self._checked_classes(x, y)}
        self._check_fitted()
        judged = inputs["target"].size
        control = self._shared
        control["scale"][0] = share / judged
        if "other target" in engine.program.inputs:
            inputs["other target"] = self._checked_classes(x, y if other is None else other)
            control["other scale"][0] = (1 - share) / judged
        elif other is not None:
            raise ValueError("other classes are for nets that are trained with mixup")
        if "lr" in control:
            control["lr"][0] = self.lr
            control["step"][0] = step
        for number, layer in enumerate(self._inside.layers):
            if layer.layer.random:
                control[f"{layer.name}.key"][0] = key_of(self.seed, step, number)
        parts = engine.run(inputs)
        scores, loss = engine.program.results
        return float(parts[0][loss][0]), np.concatenate([p[scores] for p in parts])

    # -- what comes in ----------------------------------------------------------------

    def _checked(self, x: Array) -> Array:
        x = np.asarray(x)
        wanted = self.net.input_shape
        if x.ndim == 0 or x.shape[1:] != wanted:
            raise ValueError(
                f"x is (N, {', '.join(map(str, wanted))}), N samples of the net's"
                f" INPUT({show_shape(wanted)}), and has shape {x.shape}"
            )
        if x.dtype.kind not in "fiub":
            raise ValueError(f"x holds numbers, not {x.dtype}")
        return x

    def _checked_classes(self, x: Array, y: Array) -> Array:
        y = np.asarray(y)
        places = self.training.loss.places(self.net.output_shape)
        if y.shape != (len(x), *places):
            raise ValueError(f"y has shape {(len(x), *places)}, not {y.shape}")
        if y.dtype.kind not in "iu":
            raise ValueError(f"y holds integer classes, not {y.dtype}")
        classes = self.net.output_shape[0]
        if y.min() < 0 or y.max() >= classes:
            wrong = y.max() if y.max() >= classes else y.min()
            raise ValueError(
                f"y has class {wrong}, and the net has {classes} outputs: 0 to {classes - 1}"
            )
        return y

    def _check_fitted(self) -> None:
        """Refuse to run a layer that has nothing to compute with; what is fitted stays so."""
        self._unfitted = [
            layer
            for layer in self._unfitted
            if not self._shared[f"{layer.stored}.{layer.layer.fitted}"].any()
        ]
        if self._unfitted:
            layer = self._unfitted[0]
            statistics = " and ".join(name for name, _ in layer.stored_weights())
            raise ValueError(
                f"{layer.name}, {layer.layer.written()}, is not fitted: cnnc.train fits it on the"
                f" training set; without it set the weights {statistics}"
            )

    def state(self) -> Mapping[str, Array]:
        """What the optimizer keeps, by name (views)."""
        buffers = self._train.program.buffers.values()
        return {b.name: self._shared[b.name] for b in buffers if b.home == "optimizer"}
