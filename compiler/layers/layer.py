"""The base of all layers: what a layer says about itself, and the words it says it in.

A layer is one class, read from top to bottom: documentation, arguments, shape rule,
weights, MACs, buffers, forward, backward, samples. The bodies get the array module as
`xp` and their planned arrays as attributes of `a`:

    a.x, a.y          input and output, (N, *shape); a.xs for merges, see `merge.py`
    a.dx, a.dy        their gradients; a.dx is None where nothing needs it
    a.weight, …       the weights by their names, and a.dweight, … (None where frozen)
    a.mask, …         what `buffers` asked for

They write every element of what they write, never add to it, and never modify what they read.
A layer whose output depends on the whole batch has more bodies: see `BatchStatistics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import gcd, prod
from typing import Any, ClassVar, Literal

from cnnc.dsl.record import Record

from ..arguments import Declared, arg, boolean, made_of, number, text
from ..geometry import Axis
from ..values import show_shape
from .initializers import INITIALIZERS, Initializer, Zero

Shape = tuple[int, ...]  # of one sample: (C, H, W) or (K,)
Samples = tuple[tuple[str, Shape], ...]  # (as written, input shape) pairs for the tests
Array = Any  # an array of NumPy or CuPy
Arrays = Any  # the attributes that a body reads and writes
Use = Literal[
    "saved", "forward", "backward", "both", "constant",
    "partial", "combine", "track", "finish", "backward_partial", "backward_finish",
]  # fmt: skip


class Misfit(Exception):
    """A layer that its input does not fit. The elaborator adds the place.

    rule      the rule with this layer's numbers filled in
    fixes     changes that make it fit, each with what it gives
    changes   those of its own arguments, to be tried again where a repeat makes several layers
              of one text
    """

    def __init__(
        self, code: str, message: str, label: str = "", rule: str = "", fixes: Sequence[str] = (),
        changes: Sequence[Mapping[str, object]] = (),
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code, self.message, self.label = code, message, label
        self.rule, self.fixes, self.changes = rule, tuple(fixes), tuple(changes)


class Unfit(Exception):
    """A training set that a data layer cannot be fitted on; the text says why."""


class Weight(Record):
    """An array that a layer keeps from step to step.

    fan_in, fan_out   how many inputs feed an output and the reverse, for initialisers
    statistic         fitted or running, not trained: counted in no total
    """

    name: str
    shape: Shape
    init: Initializer
    fan_in: int = 1
    fan_out: int = 1
    trainable: bool = True
    statistic: bool = False

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


class Work(Record):
    """An array that a body needs besides inputs, outputs and weights.

    per_sample  whether (N, *shape) is meant, N the samples of a part; else `shape` alone
    use         saved: from forward to backward; forward, backward, both: inside that body
                only; constant: holds `values` and is never written; the name of a body of
                `BatchStatistics`: inside that one
    dtype       "float" is the program's
    """

    name: str
    shape: Shape
    dtype: str = "float"
    per_sample: bool = True
    use: Use = "saved"
    values: Sequence[float] = ()


class Field(Record):
    """A receptive field: its rows and columns of INPUT, and the step from one to the next.

    Both are counted in 1/parts of a row, because UPSAMPLE and DECONV divide the step.
    """

    size: tuple[int, int]
    jump: tuple[int, int] = (1, 1)
    parts: tuple[int, int] = (1, 1)

    @property
    def seen(self) -> tuple[int, int]:
        """The size in whole rows and columns: what is seen in part is seen."""
        (height, width), (p, q) = self.size, self.parts
        return -(-height // p), -(-width // q)

    def windowed(
        self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)
    ) -> Field:
        """That of a window over this: size + (kernel - 1)*dilation*jump, jump*stride."""
        return self._each(
            lambda size, jump, parts, taps, step, holes: (
                size + (taps - 1) * holes * jump, jump * step, parts
            ),
            kernel, stride, dilation,
        )  # fmt: skip

    def stretched(self, factor: tuple[int, int]) -> Field:
        """Where each place becomes `factor` places: the size stays, jump/factor."""
        return self._each(
            lambda size, jump, parts, times: (size * times, jump, parts * times), factor
        )

    def merged(self, other: Field) -> Field:
        """The larger size and the larger step of two, for each axis."""
        return self._each(
            lambda size, jump, parts, size2, jump2, parts2: (
                max(size * parts2, size2 * parts), max(jump * parts2, jump2 * parts), parts * parts2
            ),
            other.size, other.jump, other.parts,
        )  # fmt: skip

    def _each(self, rule: Callable[..., tuple[int, int, int]], *given: tuple[int, int]) -> Field:
        """Size, jump and parts by a rule for each axis, in lowest terms: a long net stays small."""
        axes = []
        for numbers in zip(self.size, self.jump, self.parts, *given, strict=True):
            size, jump, parts = rule(*numbers)
            common = gcd(size, jump, parts)
            axes.append((size // common, jump // common, parts // common))
        (s0, j0, p0), (s1, j1, p1) = axes
        return Field((s0, s1), (j0, j1), (p0, p1))

    @staticmethod
    def everything(whole: tuple[int, int]) -> Field:
        """That of what sees the whole input: no window over it sees more."""
        return Field(whole, (0, 0))


class Layer(Declared):
    """The base of all layers; what stands here is that of an element-wise layer without weights."""

    kind: ClassVar[str]  # layers are numbered by kind: MAXPOOL's is POOL
    family: ClassVar[str] = ""  # of Activation, Data, …: what the checks of a chain ask for
    backward_reads: ClassVar[tuple[str, ...]] = ()  # of "x" (or "xs"), "y" and the weights
    takes: ClassVar[tuple[str, ...]] = ()  # of what the layer that it is paired with saves
    random: ClassVar[bool] = False  # whether the bodies get a.key and a.sample
    training_only: ClassVar[bool] = False  # whether it is left out of prediction
    view: ClassVar[bool] = False  # whether the output is the input's memory in another shape
    # The statistic that is all zero until it is fitted, of a layer that cannot run before.
    fitted: ClassVar[str] = ""
    samples: ClassVar[Samples] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls) and "word" not in vars(cls):
            cls.word = cls.kind

    def shape(self, x: Shape) -> Shape:
        """The output's shape for an input's; raises Misfit."""
        return x

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """The weights for an input's shape."""
        return ()

    def macs(self, x: Shape) -> int:
        """Multiply-accumulates for one sample."""
        return 0

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The receptive field of the output; `whole` is INPUT's height and width."""
        return field

    def note(self, x: Shape) -> tuple[str, str] | None:
        """Something worth knowing that is no mistake: (message, help), or None."""
        return None

    def axes(self, height: int, width: int) -> tuple[Axis, Axis] | None:
        """The input's rows and columns, for a layer whose window slides over them; else None."""
        return None

    def explain(self, xs: tuple[Shape, ...], y: Shape) -> dict[str, str]:
        """How its numbers come about, filled in: any of output, rows, columns, weights, macs.

        What is not said here `compiler/explain.py` says of its window, its weights and how often
        each of them is used: most layers need nothing of their own.
        """
        return {}

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """What the bodies need besides; `n` is the most samples that they get at once."""
        return ()

    def partner_name(self) -> str | None:
        """The layer that it is paired with, and whose saved arrays `takes` names; for UNPOOL."""
        return None

    # What the compiler asks for: a merge answers for all its inputs, any other layer for its one.

    def shape_from(self, xs: Sequence[Shape]) -> Shape:
        """The output's shape for those of all inputs."""
        return self.shape(xs[0])

    def field_from(self, fields: Sequence[Field], whole: tuple[int, int]) -> Field:
        """The receptive field of the output for those of all inputs."""
        return self.field(fields[0], whole)

    def buffers_from(self, n: int, xs: Sequence[Shape]) -> tuple[Work, ...]:
        """What the bodies need besides, for the shapes of all inputs."""
        return self.buffers(n, xs[0])

    def forward(self, xp: Any, a: Arrays) -> None:
        """Write a.y from a.x."""
        raise NotImplementedError

    def backward(self, xp: Any, a: Arrays) -> None:
        """Write a.dx and the weights' gradients from a.dy, where they are not None."""
        raise NotImplementedError

    def fit(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> dict[str, Array]:
        """Statistics of the training set, for data layers; raises Unfit."""
        return {}

    def maps(self, x: Shape) -> tuple[int, int, int]:
        """The input as (C, H, W); Misfit for a vector."""
        if len(x) != 3:
            raise Misfit(
                "E302",
                f"{self.shown()} needs maps CxHxW and gets the vector {show_shape(x)}",
                f"gets {show_shape(x)}",
            )
        return x[0], x[1], x[2]


class Weighted(Layer):
    """A layer with weights: adds what each of them takes."""

    lr: float = arg(number(at_least=0), "factor on the learning rate of its weights", default=1.0)
    decay: float = arg(number(at_least=0), "factor on the weight decay of its weights", default=1.0)
    freeze: bool = arg(boolean(), "whether its weights stay as they are", default=False)
    init: Initializer = arg(made_of(*INITIALIZERS), "how its weights start", default="he")
    share: str | None = arg(
        text(), "name that its weights are stored under, and shared with others", default=None
    )

    def bias_weight(self, size: int) -> Weight:
        """A bias: one number an output, zero at the start."""
        return Weight("bias", (size,), Zero(), trainable=not self.freeze)


class BatchStatistics(Weighted):
    """A layer that in training needs statistics over the whole batch, which stands in parts.

    Prediction calls `forward`, which knows running statistics alone. Training goes there and
    back in steps, so that what it computes does not depend on how the batch is split:

        partial           each part: a.x -> its statistics, as `partials` names them
        combine           once: those of every part, a.part_mean, … -> the batch's, as `wholes`
                          names them
        track             once, in training steps alone: the batch's -> the running ones
        finish            each part: a.x, the batch's statistics, the weights -> a.y
        backward_partial  each part: a.dy and `backward_reads` -> its share of a.dweight, …
        backward_combine  once, for more than one part: every part's share, a.part_dweight, …
                          -> a.dweight, …
        backward_finish   each part: a.dy, `backward_reads` and the batch's a.dweight, … -> a.dx

    What a part needs to know of the others on the way back are the gradients of the weights.
    They are there even where the weights are frozen. `a.part_…` are tuples in the parts' order.
    """

    def partials(self, x: Shape) -> tuple[Work, ...]:
        """The statistics of a part."""
        raise NotImplementedError

    def wholes(self, x: Shape) -> tuple[Work, ...]:
        """The statistics of the batch."""
        raise NotImplementedError

    def partial(self, xp: Any, a: Arrays) -> None:
        """Write the statistics of a part."""
        raise NotImplementedError

    def combine(self, xp: Any, a: Arrays) -> None:
        """Write the statistics of the batch from those of its parts."""
        raise NotImplementedError

    def track(self, xp: Any, a: Arrays) -> None:
        """Move the running statistics, in place."""
        raise NotImplementedError

    def finish(self, xp: Any, a: Arrays) -> None:
        """Write a.y of a part."""
        raise NotImplementedError

    def backward_partial(self, xp: Any, a: Arrays) -> None:
        """Write a part's share of the weights' gradients."""
        raise NotImplementedError

    def backward_combine(self, xp: Any, a: Arrays) -> None:
        """Write the weights' gradients over the whole batch, part after part."""
        raise NotImplementedError

    def backward_finish(self, xp: Any, a: Arrays) -> None:
        """Write a.dx of a part from the weights' gradients over the whole batch."""
        raise NotImplementedError
