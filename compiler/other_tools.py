"""What PyTorch, Keras and Caffe call things, for those who write it here out of habit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnnc.dsl import nodes

_ALL = 99


@dataclass(frozen=True)
class Called:
    """What a layer of another tool is here.

    word      our word; empty where `help` says what to do without a layer
    least     from this many arguments without a name on, the first says what a layer here knows
              by itself: in_channels
    keeps     how many arguments after that mean something here
    named     an argument that the other layer implies
    """

    tool: str
    word: str
    least: int = _ALL
    keeps: int = _ALL
    named: str = ""
    help: str = ""


def _pytorch(word: str, least: int = _ALL, keeps: int = _ALL, named: str = "") -> Called:
    return Called("PyTorch", word, least, keeps, named)


def _keras(word: str, keeps: int = _ALL, named: str = "") -> Called:
    return Called("Keras", word, keeps=keeps, named=named)


_LAYERS: dict[str, Called] = {
    "Conv2d": _pytorch("CONV", 3), "ConvTranspose2d": _pytorch("DECONV", 3),
    "Linear": _pytorch("FC", 2), "MaxPool2d": _pytorch("MAXPOOL"),
    "AvgPool2d": _pytorch("AVGPOOL"), "AdaptiveAvgPool2d": _pytorch("GLOBALPOOL", keeps=0),
    "AdaptiveMaxPool2d": _pytorch("GLOBALPOOL", keeps=0, named="max"),
    "BatchNorm1d": _pytorch("BN", keeps=0), "BatchNorm2d": _pytorch("BN", keeps=0),
    "LayerNorm": _pytorch("LN", keeps=0), "GroupNorm": _pytorch("GN", keeps=1),
    "LocalResponseNorm": _pytorch("LRN"), "Identity": _pytorch("ID", keeps=0),
    "MaxUnpool2d": _pytorch("UNPOOL", keeps=0), "LogSoftmax": _pytorch("SOFTMAX", keeps=0),
    "Swish": _pytorch("SILU"), "Interpolate": _pytorch("UPSAMPLE"),
    "View": _pytorch("FLATTEN", keeps=0), "Cat": _pytorch("CONCAT"),
    "Dense": _keras("FC"), "Conv2D": _keras("CONV"), "Conv2DTranspose": _keras("DECONV"),
    "DepthwiseConv2D": _keras("DWCONV"), "LocallyConnected2D": _keras("LOCAL"),
    "MaxPooling2D": _keras("MAXPOOL"), "AveragePooling2D": _keras("AVGPOOL"),
    "GlobalAveragePooling2D": _keras("GLOBALPOOL", keeps=0),
    "GlobalMaxPooling2D": _keras("GLOBALPOOL", keeps=0, named="max"),
    "BatchNormalization": _keras("BN", keeps=0), "LayerNormalization": _keras("LN", keeps=0),
    "GroupNormalization": _keras("GN"), "SpatialDropout2D": _keras("DROPOUT2D"),
    "UpSampling2D": _keras("UPSAMPLE"), "Concatenate": _keras("CONCAT"),
    "Multiply": _keras("MUL"), "InputLayer": _keras("INPUT"),
    "ZeroPadding2D": Called("Keras", "", help="pad= of the layer after it pads its input"),
    "Sequential": Called("Keras", "", help="a net is a chain: INPUT(3x32x32) -> CONV(16) -> …"),
    "Convolution": Called("Caffe", "CONV"), "Deconvolution": Called("Caffe", "DECONV"),
    "InnerProduct": Called("Caffe", "FC"), "Pooling": Called("Caffe", "POOL"),
    "Eltwise": Called("Caffe", "ADD"), "BatchNorm": Called("Caffe", "BN", keeps=0),
    "Data": Called("Caffe", "INPUT", keeps=0),
}  # fmt: skip
_FOLDED = {name.lower(): name for name in reversed(_LAYERS)}

# By name, what an argument is called here; the first that the layer has.
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "kernel_size": ("k",), "kernel": ("k",), "ksize": ("k",), "pool_size": ("k",),
    "window": ("k",), "strides": ("stride",), "padding": ("pad",), "paddings": ("pad",),
    "dilation_rate": ("dilation",), "dilations": ("dilation",),
    **dict.fromkeys(
        ("out_channels", "num_output", "num_filters", "n_filters", "channels", "out_features",
         "num_units", "hidden_units", "units", "filters", "features", "neurons"),
        ("filters", "units"),
    ),
    "group": ("groups",), "num_groups": ("groups",), "use_bias": ("bias",),
    "bias_term": ("bias",), "rate": ("p",), "prob": ("p",), "dropout_ratio": ("p",),
    "negative_slope": ("slope",), "alpha": ("slope",), "ceil_mode": ("ceil",),
    "count_include_pad": ("include_pad",), "output_padding": ("outpad",),
    "scale_factor": ("factor",), "size": ("factor",), "interpolation": ("mode",),
    "epsilon": ("eps",), "local_size": ("size",), "kernel_initializer": ("init",),
    "initializer": ("init",), "weight_filler": ("init",), "depth_multiplier": ("multiplier",),
    "pool": ("mode",), "input_shape": ("size",), "shape": ("size",), "target_shape": ("size",),
    "batch_size": ("batch",), "batchsize": ("batch",), "learning_rate": ("lr",),
    "base_lr": ("lr",), "num_epochs": ("epochs",), "n_epochs": ("epochs",),
    "max_epochs": ("epochs",), "optim": ("optimizer",), "criterion": ("loss",),
    "scheduler": ("schedule",), "lr_policy": ("schedule",), "lr_scheduler": ("schedule",),
    "l2": ("weight_decay",), "random_seed": ("seed",), "step_size": ("every",),
}  # fmt: skip
_KNOWN_BY_ITSELF = {
    "in_channels", "in_features", "num_features", "input_shape", "input_dim", "num_channels",
    "normalized_shape", "batch_input_shape",
}  # fmt: skip
_WITHOUT_MEANING = {
    "inplace", "dim", "axis", "data_format", "device", "dtype", "padding_mode", "affine",
    "track_running_stats", "align_corners", "return_indices",
}  # fmt: skip
_WORDS = {
    "he_normal": "he", "he_uniform": "he", "kaiming": "he", "kaiming_normal": "he",
    "kaiming_uniform": "he", "msra": "he", "glorot": "xavier", "glorot_uniform": "xavier",
    "glorot_normal": "xavier", "xavier_uniform": "xavier", "xavier_normal": "xavier",
    "lecun_normal": "lecun", "gaussian": "normal", "zeros": "zero", "average": "avg",
    "ave": "avg", "mean": "avg", "maximum": "max", "linear": "bilinear",
    "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "crossentropyloss": "cross_entropy", "nll_loss": "cross_entropy", "mean_squared_error": "mse",
    "mseloss": "mse", "steplr": "step", "multisteplr": "multistep", "cosine_annealing": "cosine",
    "cosineannealinglr": "cosine", "reducelronplateau": "plateau", "hflip": "flip",
    "horizontal_flip": "flip", "random_crop": "crop",
}  # fmt: skip


def called_here(name: str) -> Called | None:
    """What a layer of another tool is called here; `nn.` and the like do not count."""
    last = name.rpartition(".")[2]
    found = _LAYERS.get(last) or _LAYERS.get(_FOLDED.get(last.replace("_", "").lower(), ""))
    return found


def word_here(word: str, words: Collection[str]) -> str | None:
    """The word that an argument takes for what another tool calls `word`."""
    small = word.rpartition(".")[2].lower()
    meant = _WORDS.get(small, small)
    return meant if meant in words else None


def argument_help(name: str, value: nodes.Expr, arguments: Mapping[str, Any]) -> list[str]:
    """What to write for an argument that another tool has, if it is one."""
    small = name.lower()
    meant = next((n for n in _ARGUMENTS.get(small, ()) if n in arguments), None)
    if meant:
        return [f"{name} is called {meant} here: {meant}={_value(value, arguments[meant])}"]
    if small in ("activation", "act", "nonlinearity"):
        layer = _word(value).upper() or "RELU"
        return [f"an activation is a layer of its own: … -> {layer}"]
    if small == "name" and _word(value).isidentifier():
        return [f"a layer is named with `as`: … as {_word(value)}"]
    if small in _KNOWN_BY_ITSELF:
        return ["leave it out: a layer knows its input's shape"]
    if small in _WITHOUT_MEANING:
        return ["leave it out: it has no meaning here"]
    return []


def translated(use: nodes.Layer, word: str, arguments: Mapping[str, Any]) -> str | None:
    """A use of another tool's layer as it is written here; None where that can't be told."""
    called = called_here(use.name) or Called("", word)
    given = list(use.args or ())
    positional = [a for a in given if a.name is None]
    kept = positional[len(positional) >= called.least :][: called.keeps]
    parts = [called.named] if called.named else []
    after = ""
    for argument in [*kept, *(a for a in given if a.name is not None)]:
        small = (argument.name or "").lower()
        if small in ("activation", "act") or (argument.name is None and _is_activation(argument)):
            after = f" -> {_word(argument.value).upper()}"
        elif argument.name is None:
            parts.append(_value(argument.value, None))
        elif argument.name in arguments:
            parts.append(f"{argument.name}={_value(argument.value, arguments[argument.name])}")
        elif meant := next((n for n in _ARGUMENTS.get(small, ()) if n in arguments), None):
            parts.append(f"{meant}={_value(argument.value, arguments[meant])}")
        elif small not in _KNOWN_BY_ITSELF | _WITHOUT_MEANING:
            return None
    if len(parts) > len(arguments):
        return None
    return (f"{word}({', '.join(parts)})" if parts else word) + after


def _is_activation(argument: nodes.Argument) -> bool:
    return isinstance(argument.value, nodes.String) and argument.value.value.isalpha()


def _word(value: nodes.Expr) -> str:
    """The word that a value is: `relu`, `'relu'`, `nn.ReLU()`."""
    match value:
        case nodes.String(value=text):
            return text
        case nodes.Name(id=name) | nodes.Call(function=nodes.Name(id=name)):
            return name.rpartition(".")[2]
    return ""


def _value(value: nodes.Expr, argument: Any) -> str:
    """A value as it is written here: `(3, 3)` is 3, `'same'` is a word."""
    words = argument.type.words if argument is not None else ()
    text = " ".join(value.span.text.split())
    match value:
        case nodes.String(value=inside) if inside.lower() in words:
            return inside.lower()
        case nodes.Name() | nodes.Call() if (word := word_here(_word(value), words)) is not None:
            return word
        case nodes.TupleValue(items=items) if all(isinstance(i, nodes.Number) for i in items):
            numbers = [item.span.text for item in items]
            if argument is None and len({*numbers}) == 1:
                return numbers[0]
            same = len({*numbers}) == 1 and len(numbers) == 2
            return numbers[0] if same else "x".join(numbers)
        case nodes.Boolean():
            return "true" if value.value else "false"
    return re.sub(r"\s+", " ", text)


def all_names() -> Iterator[str]:
    """Every name of a layer that is known, for tests."""
    yield from _LAYERS
