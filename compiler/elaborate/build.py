"""Layer after layer: shapes, weights and costs of the expanded net."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.source import Span

from ..layers.conv import Conv
from ..layers.layer import Field, Layer, Misfit, Shape
from ..net import Net, NetLayer
from ..values import show_shape

BEFORE_DATA = ("input", "data", "unknown")  # the families that a data layer may come after
LARGEST_TENSOR = 2**31  # elements of one sample's tensor, and of each dimension


@dataclass
class Builder:
    """Appends layers to a net. Once a shape is unknown, what follows from it is not checked."""

    found: Diagnostics
    layers: list[NetLayer] = field(default_factory=list)
    shape: Shape | None = None  # of the last output; None where unknown
    field_now: Field = field(default_factory=lambda: Field((1, 1)))
    whole: tuple[int, int] = (0, 0)
    counts: dict[str, int] = field(default_factory=dict)
    started: bool = False
    last_family: str = ""

    def unknown(self) -> None:
        """What comes next has an input that is not known."""
        self.started = True
        self.shape = None
        self.last_family = "unknown"

    def add(self, layer: Layer | None, span: Span, use: Span) -> None:
        """Append a layer; None for one that could not be made out.

        span   its name in the text, for the caret
        use    the whole of its use
        """
        if layer is None:
            self.unknown()
            return
        self.counts[layer.kind] = number = self.counts.get(layer.kind, 0) + 1
        name = f"{layer.kind.lower()}{number}"
        self._check_place(layer, use)
        first = not self.started
        self.started = True
        self.last_family = layer.family
        if layer.family == "input":
            if first:
                self._start(layer, name, use)
            return
        if self.shape is None:
            return
        before = self.layers[-1].name
        try:
            output = layer.shape(self.shape)
        except Misfit as misfit:
            self._report(layer, misfit, use, before)
            self.unknown()
            return
        if not self._within_limits(layer, output, use):
            self.unknown()
            return
        note = layer.note(self.shape)
        if note:
            message, help = note
            self.found.add(
                Diagnostic("W601", message, use, f"gets {show_shape(self.shape)} from {before}",
                           help=(help,), severity="note")
            )  # fmt: skip
        self.field_now = layer.field(self.field_now, self.whole)
        self._append(layer, name, (before,), (self.shape,), output, use)

    def _start(self, layer: Layer, name: str, use: Span) -> None:
        output = layer.shape(())
        if not self._within_limits(layer, output, use):
            return
        maps = len(output) == 3
        self.whole = (output[1], output[2]) if maps else (0, 0)
        self.field_now = Field((1, 1) if maps else (0, 0))
        self._append(layer, name, (), (), output, use)

    def _append(
        self, layer: Layer, name: str, inputs: tuple[str, ...], shapes: tuple[Shape, ...],
        output: Shape, use: Span,
    ) -> None:  # fmt: skip
        x = shapes[0] if shapes else ()
        self.layers.append(
            NetLayer(name, layer, inputs, shapes, output, layer.weights(x) if shapes else (),
                     layer.macs(x) if shapes else 0, self.field_now, use)
        )  # fmt: skip
        self.shape = output

    def _check_place(self, layer: Layer, use: Span) -> None:
        if layer.family == "input" and self.started:
            self.found.add(
                Diagnostic("E305", "INPUT heads the net, and this one stands inside it", use,
                           help=("leave it out, or move it to the front",))
            )  # fmt: skip
        if layer.family == "data" and self.started and self.last_family not in BEFORE_DATA:
            self.found.add(
                Diagnostic(
                    "E305",
                    f"{layer.word} prepares the data, so it stands right after INPUT",
                    use,
                    help=(f"move it: INPUT(…) -> {layer.word} -> …",),
                )
            )

    def _report(self, layer: Layer, misfit: Misfit, use: Span, before: str) -> None:
        label = f"{misfit.label} from {before}" if misfit.label else f"gets its input from {before}"
        notes = (f"rule: {misfit.rule}",) if misfit.rule else ()
        source = self.layers[-1]
        related: tuple[Related, ...] = ()
        if len(self.layers) > 1:
            made = f"{before} makes {show_shape(source.output)} here"
            related = (Related(made, source.span),)
        self.found.add(
            Diagnostic(
                misfit.code,
                misfit.message,
                use,
                label,
                notes,
                (*misfit.fixes, *self._padding_before(layer)),
                related,
            )
        )

    def _padding_before(self, layer: Layer) -> list[str]:
        """What padding the nearest convolution before a layer would give it, if that fits."""
        number = len(self.layers) - 1
        while number > 0 and not isinstance(self.layers[number].layer, Conv):
            number -= 1
        conv = self.layers[number]
        if not isinstance(conv.layer, Conv):
            return []
        pad = max(conv.layer.k) // 2
        changed = conv.layer.replace(pad=pad)
        if pad == 0 or changed.pad == conv.layer.pad:
            return []
        try:
            after = changed.shape(conv.input_shapes[0])
            x = after
            for between in self.layers[number + 1 :]:
                x = between.layer.shape(x)
            last = layer.shape(x)
        except Misfit:
            return []
        then = f"{layer.written()} then gives {show_shape(last)}"
        return [f"{changed.written()} before it gives {show_shape(after)}, and {then}"]

    def _within_limits(self, layer: Layer, output: Shape, use: Span) -> bool:
        if max(output) < LARGEST_TENSOR and prod(output) < LARGEST_TENSOR:
            return True
        self.found.add(
            Diagnostic(
                "E905",
                f"{layer.written()} makes {show_shape(output)}: {prod(output):,} numbers a sample,"
                f" and the limit is {LARGEST_TENSOR - 1:,}",
                use,
            )
        )
        return False

    def expect_shape(self, wanted: Shape, span: Span) -> None:
        """`:: shape` at this point."""
        if self.shape is None or self.shape == wanted:
            return
        maker = self.layers[-1]
        self.found.add(
            Diagnostic(
                "E304",
                f"the shape is {show_shape(self.shape)} here, not {show_shape(wanted)}",
                span,
                f"{show_shape(self.shape)} from {maker.name}",
                help=(f":: {show_shape(self.shape)} says what is there",),
                related=(Related(f"{maker.name} makes {show_shape(self.shape)}", maker.span),),
            )
        )

    def net(self, name: str | None) -> Net:
        """The finished net."""
        return Net(name, tuple(self.layers))
