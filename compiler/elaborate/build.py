"""Layer after layer: shapes, weights and costs of the expanded net."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Span

from ..layers.layer import Field, Layer, Misfit, Shape
from ..net import Exit, Net, NetLayer
from ..values import show_shape
from .names import NOT_KNOWN, Label, Tensor
from .trials import Retry, Trial, Turns

BEFORE_DATA = {"input", "data"}  # the families that a data layer may come after
MOST_TRIALS = 10  # places that help is tried out for
MOST_TRIED = 500  # layers of a net that is expanded again for it
LARGEST_TENSOR = 2**31  # elements of one sample's tensor, and of each dimension


def judged(output: Shape) -> Shape:
    """An output as the loss takes it: Cx1x1 counts as a vector."""
    return output[:1] if output[1:] == (1, 1) else output


class SideExit(State):
    """A side exit: its output, the weight of its loss, and where it is written."""

    tensor: Tensor
    weight: float
    span: Span


class Builder(State):
    """Appends layers to a net. Once a shape is not known, what follows from it is not checked.

    whole   height and width of INPUT
    aux     whether what is appended stands in a side exit
    held    the places of `::` that held
    retry   builds the net again with changes, to try out what help proposes
    """

    found: Diagnostics
    layers: list[NetLayer] = fresh(factory=list)
    by_name: dict[str, NetLayer] = fresh(factory=dict)
    families: set[str] = fresh(factory=set)  # of the layers so far
    places: dict[str, Span] = fresh(factory=dict)  # of names, for messages
    counts: dict[str, int] = fresh(factory=dict)
    owners: dict[str, NetLayer] = fresh(factory=dict)  # of stored weights
    whole: tuple[int, int] = (0, 0)
    aux: bool = False
    exits: list[SideExit] = fresh(factory=list)
    repeats: list[Turns] = fresh(factory=list)  # that ran, or run
    held: set[Span] = fresh(factory=set)
    retry: Retry | None = None
    trials: int = 0

    def add(
        self,
        layer: Layer | None,
        inputs: Sequence[Tensor | None],
        use: Span,
        label: Label | None = None,
        branches: Sequence[Span] = (),
    ) -> Tensor:
        """Append a layer and give its output; a layer of None is one that could not be made out.

        inputs     what it reads; None before INPUT
        use        where it is written
        label      the name that an `as` gives it
        branches   of a merge, where they are written
        """
        if layer is None:
            return NOT_KNOWN
        self.counts[layer.kind] = number = self.counts.get(layer.kind, 0) + 1
        label = label or Label(f"{layer.kind.lower()}{number}", use)
        self._check_place(layer, inputs[0], use)
        if layer.family == "input":
            return self._start(layer, label, use)
        known = [tensor.maker for tensor in inputs if tensor is not None and tensor.maker]
        if len(known) < len(inputs):
            return NOT_KNOWN
        shapes = tuple(maker.output for maker in known)
        try:
            output = layer.shape_from(shapes)
        except Misfit as misfit:
            self._report(layer, misfit, use, known, branches)
            return NOT_KNOWN
        if not self._within_limits(layer, output, use):
            return NOT_KNOWN
        note = layer.note(shapes[0])
        if note:
            message, help = note
            self.found.add(
                Diagnostic(
                    "W601", message, use, f"gets {show_shape(shapes[0])} from {known[0].name}",
                    help=(help,), severity="note",
                )
            )  # fmt: skip
        seen = layer.field_from([maker.field for maker in known], self.whole)
        return self._append(layer, label, known, output, seen, use)

    def _start(self, layer: Layer, label: Label, use: Span) -> Tensor:
        output = layer.shape(())
        if not self._within_limits(layer, output, use):
            return NOT_KNOWN
        maps = len(output) == 3
        self.whole = (output[1], output[2]) if maps else (0, 0)
        return self._append(layer, label, [], output, Field((1, 1) if maps else (0, 0)), use)

    def _append(
        self, layer: Layer, label: Label, makers: Sequence[NetLayer], output: Shape, seen: Field,
        use: Span,
    ) -> Tensor:  # fmt: skip
        name = label.name
        if not self._is_free(label):
            return NOT_KNOWN
        weights = layer.weights(makers[0].output) if makers else ()
        stored = getattr(layer, "share", None) or name
        macs = layer.macs(makers[0].output) if makers and not self.aux else 0
        made = NetLayer(
            name,
            layer,
            tuple(maker.name for maker in makers),
            tuple(maker.output for maker in makers),
            output,
            weights,
            macs,
            seen,
            use,
            stored,
            stored not in self.owners,
            self.aux,
            layer.partner_name(),
        )
        if weights:
            self._share(made)
        self.layers.append(made)
        self.families.add(layer.family)
        self.by_name[name] = made
        return Tensor(made)

    def _is_free(self, label: Label) -> bool:
        """Whether no other layer has the name; else it is reported."""
        other = self.places.setdefault(label.name, label.span)
        if label.name not in self.by_name:
            return True
        self.found.add(
            Diagnostic(
                "E216",
                f"two layers are called {label.name}",
                label.span,
                "the second one",
                help=("give another name: unnamed layers are called by kind and number",),
                related=(Related("the first one", other),),
            )
        )
        return False

    def _share(self, made: NetLayer) -> None:
        """Remember whose the weights are; those who share must have the same."""
        owner = self.owners.setdefault(made.stored, made)
        if owner is made:
            return
        one, other = (
            [(w.name, w.shape, w.trainable) for w in layer.weights] for layer in (owner, made)
        )
        if one == other:
            return
        from .shape_fixes import sharing_fixes  # what mends mistakes is loaded for mistakes alone

        frozen = [w[:2] for w in one] == [w[:2] for w in other]
        what = "freeze" if frozen else "their shapes"
        shown = ", ".join(f"{name} {show_shape(shape)}" for name, shape, _ in other)
        before = ", ".join(f"{name} {show_shape(shape)}" for name, shape, _ in one)
        self.found.add(
            Diagnostic(
                "E316",
                f'{made.name} cannot share "{made.stored}" with {owner.name}:'
                f" they differ in {what}",
                made.span,
                f"here {shown}",
                help=tuple(sharing_fixes(made, owner)),
                related=(Related(f"{owner.name}: {before}", owner.span),),
            )
        )

    def refuse_input(self, layer: Layer | None, x: Tensor, use: Span) -> None:
        """Report an INPUT that something comes before; it may say no shape."""
        help = ("leave it out, or move it to the front",)
        self.found.add(
            Diagnostic("E305", "INPUT heads the net, and this one stands inside it", use,
                       help=self._place_fixes(layer, x) if layer else help, related=self._head())
        )  # fmt: skip

    def _check_place(self, layer: Layer, first: Tensor | None, use: Span) -> None:
        if layer.family != "data" or first is None or first.maker is None:
            return
        if first.maker is not self.layers[-1] or not self.families <= BEFORE_DATA:
            self.found.add(
                Diagnostic(
                    "E305",
                    f"{layer.word} prepares the data, so it stands right after INPUT",
                    use,
                    help=self._place_fixes(layer, first),
                    related=self._head(),
                )
            )

    def _place_fixes(self, layer: Layer, x: Tensor) -> tuple[str, ...]:
        if x.shape is None or not self.layers:
            return ("move it to the front",)
        from .shape_fixes import place_fixes

        return tuple(place_fixes(layer, self.layers, x.shape))

    def _head(self) -> tuple[Related, ...]:
        return (Related("INPUT is here", self.layers[0].span),) if self.layers else ()

    def _report(
        self, layer: Layer, misfit: Misfit, use: Span, makers: Sequence[NetLayer],
        branches: Sequence[Span],
    ) -> None:  # fmt: skip
        from .branch_fixes import branch_fixes
        from .fixes import fixes, sizes_on_the_way, vector_maker

        before = makers[0]
        label = f"gets its input from {before.name}"
        if misfit.label:
            gets = misfit.label.startswith(("gets", "needs"))
            label = f"{misfit.label} from {before.name}" if gets else misfit.label
        notes: tuple[str, ...] = (f"rule: {misfit.rule}",) if misfit.rule else ()
        related: tuple[Related, ...] = ()
        if branches:
            label = "the branches do not go together"
            related = tuple(
                Related(f"{show_shape(maker.output)} from {maker.name}", branch)
                for maker, branch in zip(makers, branches, strict=True)
            )
        elif before.inputs:
            made = f"{before.name} makes {show_shape(before.output)} here"
            related = (Related(made, before.span),)
        trial = self._trial(layer, use, makers)
        if misfit.code == "E315":
            help = branch_fixes(trial, branches)
        else:
            help = fixes(trial, misfit, self.repeats)
        if misfit.code == "E301":
            notes += sizes_on_the_way(trial)
        if misfit.code == "E302" and (vector := vector_maker(trial)) is not before:
            made = f"{vector.name} makes the vector {show_shape(vector.output)} here"
            related = (Related(made, vector.span),)
        self.found.add(
            Diagnostic(misfit.code, misfit.message, use, label, notes, tuple(help), related)
        )

    def _trial(self, layer: Layer, use: Span, makers: Sequence[NetLayer]) -> Trial:
        """What help for a layer is tried out with; without a way to do so where it costs too much.

        A place that was reported already is not tried again: the report would be dropped.
        """
        self.trials += not self.found.at(use)
        worth = self.trials <= MOST_TRIALS and len(self.layers) <= MOST_TRIED
        worth = worth and not self.found.at(use)
        return Trial(layer, use, tuple(makers), self.by_name, self.retry if worth else None)

    def _within_limits(self, layer: Layer, output: Shape, use: Span) -> bool:
        if max(output) < LARGEST_TENSOR and prod(output) < LARGEST_TENSOR:
            return True
        self.found.add(
            Diagnostic(
                "E905",
                f"{layer.shown()} makes {show_shape(output)}: {prod(output):,} numbers a sample,"
                f" and the limit is {LARGEST_TENSOR - 1:,}",
                use,
            )
        )
        return False

    def expect_shape(self, tensor: Tensor | None, wanted: Shape, span: Span) -> None:
        """`:: shape` at this point."""
        maker = tensor.maker if tensor else None
        if maker is None:
            return
        if maker.output == wanted:
            self.held.add(span)
            return
        from .shape_fixes import shape_fixes

        shape = show_shape(maker.output)
        self.found.add(
            Diagnostic(
                "E304",
                f"the shape is {shape} here, not {show_shape(wanted)}",
                span,
                f"{shape} from {maker.name}",
                help=(
                    *shape_fixes(self._trial(maker.layer, span, [maker]), wanted),
                    f":: {shape} says what is there",
                ),
                related=(Related(f"{maker.name} makes {shape}", maker.span),),
            )
        )

    def check_exits(self, output: Tensor) -> None:
        """Side exits are judged by the same classes as the net: their outputs have its shape."""
        for exit in self.exits:
            made = exit.tensor.maker
            if output.maker is None or made is None:
                continue
            if judged(made.output) == judged(output.maker.output):
                continue
            from .shape_fixes import exit_fixes

            wanted = show_shape(output.maker.output)
            self.found.add(
                Diagnostic(
                    "E318",
                    f"a side exit gives {show_shape(made.output)}, and the net {wanted}",
                    exit.span,
                    "both are judged by the same classes",
                    help=tuple(exit_fixes(made, output.maker)),
                    related=(Related(f"the net's output, {wanted}", output.maker.span),),
                )
            )

    def net(self, name: str | None, output: Tensor, text: str) -> Net:
        """The finished net."""
        assert output.maker is not None
        exits = [Exit(e.tensor.maker, e.weight) for e in self.exits if e.tensor.maker]
        return Net(name, tuple(self.layers), output.maker, tuple(exits), text)
