"""The Python interface: load or parse a spec, look at its net, compile it, train it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .compiler.arguments import BadValue
from .compiler.elaborate.bind import Binder
from .compiler.elaborate.check import Checked, check
from .compiler.elaborate.scope import Mistake, Scope
from .compiler.elaborate.settings import WrongUse
from .compiler.layers.layer import Shape
from .compiler.net import Net as Layers
from .compiler.net import NetLayer
from .compiler.suggest import did_you_mean
from .compiler.training.settings import Training
from .compiler.values import show
from .dsl import nodes
from .dsl.diagnostics import Diagnostic, Diagnostics
from .dsl.parser import parse as parse_source
from .dsl.parser import parse_value, read_source
from .dsl.source import Source

if TYPE_CHECKING:
    from .runtime.compiled import Compiled
    from .runtime.run import Run
    from .runtime.trainer import Watch


class Net:
    """A checked net: its shapes and counts, before anything runs."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self._net: Layers = checked.require()

    @property
    def name(self) -> str | None:
        """As `net NAME` says."""
        return self._net.name

    @property
    def input_shape(self) -> Shape:
        """Of one sample: (C, H, W) or (K,)."""
        return self._net.input_shape

    @property
    def output_shape(self) -> Shape:
        """Of one sample."""
        return self._net.output_shape

    @property
    def params(self) -> int:
        """How many weights."""
        return self._net.params

    @property
    def trainable(self) -> int:
        """How many of them are trained."""
        return self._net.trainable

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return self._net.macs

    @property
    def layers(self) -> tuple[NetLayer, ...]:
        """Every layer of the expanded net."""
        return self._net.layers

    @property
    def training(self) -> Training:
        """The `train` block, with the defaults for what it does not say."""
        return self.checked.training or Training()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Warnings and notes."""
        return self.checked.diagnostics

    def __repr__(self) -> str:
        return str(self._net)

    def expanded(self) -> str:
        """The net as a spec without knobs, repeats, blocks or defaults: the same net."""
        return self._net.text

    def compile(
        self,
        batch: int = 64,
        device: str = "cpu",
        seed: int = 0,
        optimizer: str | None = None,
        loss: str | None = None,
        shards: int | None = None,
        threads: int | None = None,
        dtype: str = "float32",
    ) -> Compiled:
        """A compiled net, ready to train and predict.

        batch      the most samples of a training step
        optimizer  as in a train block, "sgd(momentum=0.9)"; None for what the spec says
        loss       likewise
        shards     into how many parts a batch is split: it belongs to the result's bits
        threads    how many parts run at once: it does not
        """
        from .runtime.compiled import Compiled

        _check_device(device)
        given: dict[str, Any] = {}
        for name, text in (("optimizer", optimizer), ("loss", loss)):
            if text is not None:
                if not isinstance(text, str):
                    raise ValueError(f"{name} is text of a train block, not {text!r}")
                given[name] = _setting(name, text)
        return Compiled(
            self._net, _changed(self, given), batch=batch, seed=seed, shards=shards,
            threads=threads, dtype=dtype,
        )  # fmt: skip


def load(
    path: str | os.PathLike[str],
    set: Mapping[str, object] | None = None,
    input: str | tuple[int, ...] | None = None,
) -> Net:
    """Read and check a spec file; raises SpecError with `.diagnostics` where it does not hold.

    set    knobs and layer arguments: {"N": 3, "CONV.filters": 16}
    input  replaces INPUT's shape: "3x32x32" or (3, 32, 32)
    """
    return Net(check_source(read_source(os.fspath(path)), set, input))


def parse(
    text: str,
    set: Mapping[str, object] | None = None,
    input: str | tuple[int, ...] | None = None,
    name: str = "<text>",
) -> Net:
    """Check a spec given as text; otherwise as `load`."""
    return Net(check_source(Source(name, text), set, input))


def train(
    spec: str | os.PathLike[str] | Net,
    data: str,
    out: str | os.PathLike[str] | None = None,
    *,
    set: Mapping[str, object] | None = None,
    input: str | tuple[int, ...] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    shards: int | None = None,
    watch: Watch | None = None,
    init_from: str | os.PathLike[str] | None = None,
    **options: object,
) -> Run:
    """Compile a spec and train it: what `cnnc train` does.

    set, input  as for `load`; a Net has its own already
    init_from   a run or a .safetensors file: layers of the same name and shapes are reused
    options     settings of the train block that win over the spec's: epochs, batch, lr, seed,
                optimizer, …, each as a value or as text of the language
    """
    from .runtime.run import train_run

    _check_device(device)
    if isinstance(spec, Net) and (set or input):
        raise TypeError("a Net is checked already: give set= and input= to cnnc.load")
    net = spec if isinstance(spec, Net) else load(spec, set, input)
    changes = {name: _setting(name, _text(value)) for name, value in options.items()}
    if init_from is not None:
        changes["init_from"] = os.fspath(init_from) or "."
    training = _changed(net, changes)
    return train_run(
        net.checked.require(), training, data, out,
        spec_text=net.expanded(), threads=threads, shards=shards, watch=watch,
    )  # fmt: skip


def check_source(
    source: Source,
    set: Mapping[str, object] | None = None,
    input: str | tuple[int, ...] | None = None,
) -> Checked:
    """Check a source: what `load` does, with the diagnostics instead of an exception."""
    file, diagnostics = parse_source(source)
    sets = {name: _value(f"--set {name}", value) for name, value in (set or {}).items()}
    shape = None if input is None else _value("--input", input)
    return check(file, diagnostics, sets, shape)


def _value(where: str, value: object) -> nodes.Expr:
    """A value of the language, given as text or as a Python value."""
    text = value if isinstance(value, str) else show(value)
    node, diagnostics = parse_value(Source(where, text))
    if diagnostics or node is None:
        help = ("a shape is written 3x32x32",) if where == "--input" else ()
        raise WrongUse(f"{where} takes a value of the language, and {text!r} is none", help)
    return node


def _check_device(device: str) -> None:
    if device != "cpu":
        raise ValueError(f"device {device!r} is not built yet: use device='cpu'")


def _text(value: object) -> str:
    """A setting as it is written; strings are written already, those in a list too."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(item) for item in value)}]"
    return value if isinstance(value, str) else show(value)


def _setting(name: str, text: str) -> Any:
    """One setting of a train block, from text."""
    if name not in Training.arguments:
        raise TypeError(f"no setting {name!r}; there are {', '.join(Training.arguments)}")
    argument = Training.arguments[name]
    node, wrong = parse_value(Source(name, text))
    if node is not None:
        try:
            return Binder(Diagnostics()).value(argument, node, Scope(), "train")
        except Mistake as mistake:
            wrong = (mistake.diagnostic,)
    # the message says which part is wrong
    if wrong[0].code in ("E402", "E403", "E404", "E903"):
        said = wrong[0].message
        raise WrongUse(said if name in said else f"{name}: {said}", wrong[0].help)
    near = did_you_mean(text, argument.type.words)
    raise WrongUse(f"{name} takes {argument.type.wanted}, not {text!r}", near)


def _changed(net: Net, settings: Mapping[str, object]) -> Training:
    """A net's training settings with others; WrongUse where they do not go together."""
    try:
        training = net.training.replace(**settings)
        if "schedule" in settings:
            training.schedule.require(training.epochs)
        training.require(net.input_shape, net.output_shape)
    except BadValue as wrong:
        raise WrongUse(f"{wrong.argument or 'train'} takes {wrong}") from None
    return training
