"""Lints: nets that hold, and are probably not what was meant. Each has a reason and a fix.

`elaborate/allowed.py` has the comments that switch a lint off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cnnc.dsl.diagnostics import Diagnostic, Related
from cnnc.dsl.source import Span

from .layers.data import looks_channels_last
from .net import Net, NetLayer
from .values import show_shape

LINEAR = ("CONV", "LOCAL", "FC")  # two of them in a row can do no more than one
BIASED = ("CONV", "DWCONV", "DECONV", "LOCAL", "FC")
RESHAPING = ("FLATTEN", "RESHAPE", "POOL", "GLOBALPOOL")
# Between two linear layers these are no activations.
NO_ACTIVATION = (*RESHAPING, "BN", "DROPOUT", "DROPOUT2D", "SUBSAMPLE", "UPSAMPLE")


@dataclass
class Graph:
    """A net's layers by name, and which layers read each output."""

    net: Net
    by_name: dict[str, NetLayer] = field(init=False)
    users: dict[str, list[NetLayer]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {layer.name: layer for layer in self.net.layers}
        self.users = {layer.name: [] for layer in self.net.layers}
        for layer in self.net.layers:
            for name in layer.inputs:
                self.users[name].append(layer)

    def before(self, layer: NetLayer) -> NetLayer:
        """The layer whose output a layer reads, the first one of a merge."""
        return self.by_name[layer.inputs[0]]

    def after(self, layer: NetLayer, passing: Callable[[NetLayer], bool]) -> list[NetLayer]:
        """The layers that follow, those looked for through layers that `passing` holds for."""
        found, waiting = [], list(self.users[layer.name])
        while waiting:
            user = waiting.pop()
            if passing(user):
                waiting += self.users[user.name]
            else:
                found.append(user)
        return found

    def is_output(self, layer: NetLayer) -> bool:
        """Whether training judges what a layer gives."""
        return layer.name in (self.net.last.name, *(exit.layer.name for exit in self.net.aux))


def lints(net: Net) -> Iterator[Diagnostic]:
    """What is doubtful in a net that holds."""
    graph = Graph(net)
    for layer in net.layers:
        for rule in RULES:
            yield from rule(layer, graph)


def sigmoid_between(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W602. The gate of a MUL is none, nor is an output."""
    after = [user for user in graph.users[layer.name] if user.kind != "MUL"]
    if layer.kind == "SIGMOID" and after:
        yield _warning(
            "W602", f"{layer.name} is a SIGMOID between layers", layer.span,
            "its gradient is at most 1/4, and almost 0 where it saturates",
            ["try RELU first; if its units die, LEAKYRELU or MAXOUT; else TANH, which is centred"],
            Related(f"{after[0].name} follows", after[0].span),
        )  # fmt: skip


def no_activation(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W603. What others read too, as squeeze-and-excitation does, one layer could not make."""
    if layer.kind not in LINEAR or len(graph.users[layer.name]) > 1:
        return

    def passing(between: NetLayer) -> bool:
        return between.kind in NO_ACTIVATION and len(graph.users[between.name]) == 1

    for user in graph.after(layer, passing):
        if user.kind in LINEAR:
            yield _warning(
                "W603", f"no activation stands between {layer.name} and {user.name}", user.span,
                "what one such layer makes of another's output, one layer alone could make",
                [f"put RELU after {layer.name}"],
                Related(f"{layer.name} is here", layer.span),
            )  # fmt: skip


def relu_at_the_end(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W604."""
    if layer.kind == "RELU" and graph.is_output(layer):
        yield _warning(
            "W604", f"{layer.name} is a RELU at the output", layer.span,
            "scores below 0 become 0, and learn nothing",
            ["leave it out: the loss takes scores of any sign"],
        )  # fmt: skip
    if layer.kind == "SOFTMAX" and graph.before(layer).kind == "RELU":
        before = graph.before(layer)
        yield _warning(
            "W604", f"{before.name} is a RELU right before {layer.name}", before.span,
            "scores below 0 become 0, and learn nothing",
            ["leave it out: SOFTMAX takes scores of any sign"],
            Related(f"{layer.name} is here", layer.span),
        )  # fmt: skip
    if layer.kind == "RELU" and graph.before(layer).kind == "SOFTMAX":
        yield _warning(
            "W604", f"{layer.name} is a RELU right after a SOFTMAX", layer.span,
            "probabilities are never below 0", ["leave it out: it changes nothing"],
            Related("the SOFTMAX", graph.before(layer).span),
        )  # fmt: skip


def same_activation_twice(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W605."""
    if layer.layer.family != "activation":
        return
    for user in graph.users[layer.name]:
        if user.kind == layer.kind:
            yield _warning(
                "W605", f"{layer.name} and {user.name} are the same activation twice in a row",
                user.span, "the second one",
                ["leave one out, or put a layer with weights between them"],
                Related("the first one", layer.span),
            )  # fmt: skip


def window_in_the_padding(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W606."""
    for axis, what in zip(layer.axes or (), ("rows", "columns"), strict=False):
        if any(axis.inside(window) == 0 for window in {0, axis.out - 1}):
            pad = f"{axis.before} before and {axis.after} after"
            yield _warning(
                "W606", f"{layer.name} has windows wholly in the padding", layer.span,
                f"{axis.size} {what}, padded by {pad}; a window covers {axis.reach}",
                [f"pad by at most {axis.reach - 1}, so that every window meets the input"],
            )  # fmt: skip
            return


def bias_before_norm(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W607."""
    users = graph.users[layer.name]
    biased = layer.kind in BIASED and getattr(layer.layer, "bias", False)
    if biased and len(users) == 1 and users[0].kind == "BN":
        size = next(w.size for w in layer.weights if w.name == "bias")
        without = layer.layer.replace(bias=False).written()
        yield _warning(
            "W607", f"{layer.name} has a bias right before {users[0].name}", layer.span,
            f"{size:,} weights without effect: BN subtracts the mean, and the bias with it",
            [f"{without}: BN has a bias of its own"],
            Related(f"{users[0].name} is here", users[0].span),
        )  # fmt: skip


def dropout_before_norm(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W608."""
    if layer.kind not in ("DROPOUT", "DROPOUT2D"):
        return

    def passing(between: NetLayer) -> bool:
        return between.kind in RESHAPING or between.layer.family == "activation"

    for user in graph.after(layer, passing):
        if user.kind == "BN":
            yield _warning(
                "W608", f"{layer.name} stands before {user.name}", layer.span,
                "BN learns the variance of training, and in prediction nothing is dropped",
                [f"put {layer.kind} after the last BN"],
                Related(f"{user.name} is here", user.span),
            )  # fmt: skip


def channels_last(layer: NetLayer, graph: Graph) -> Iterator[Diagnostic]:
    """W611."""
    if layer.kind == "INPUT" and looks_channels_last(layer.output):
        height, width, channels = layer.output
        yield _warning(
            "W611", f"{layer.layer.shown()} has {height} channels of {width}x{channels}",
            layer.span, "a shape is CxHxW, channels first",
            [f"INPUT({show_shape((channels, height, width))}) has {channels} of {height}x{width}"],
        )  # fmt: skip


RULES = (
    channels_last, sigmoid_between, no_activation, relu_at_the_end, same_activation_twice,
    window_in_the_padding, bias_before_norm, dropout_before_norm,
)  # fmt: skip


def _warning(
    code: str, message: str, span: Span, label: str, help: Sequence[str], *related: Related
) -> Diagnostic:
    return Diagnostic(code, message, span, label, (), tuple(help), related, "warning")
