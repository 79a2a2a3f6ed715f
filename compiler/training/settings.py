"""The `train` block: its settings, their ranges and defaults."""

from __future__ import annotations

from ..arguments import BadValue, Declared, arg, integer, list_of, made_of, number, text
from ..layers.layer import Shape
from . import losses, optimizers, schedules
from .augment import AUGMENTATIONS, Augmentation, Mixup


class Training(Declared):
    """How a net is trained. Command-line options win over the block."""

    word = "train"
    noun = "setting"

    batch: int = arg(integer(at_least=1), "samples a step", default=64)
    epochs: int = arg(integer(at_least=1), "times through the training set", default=10)
    optimizer: optimizers.Optimizer = arg(
        made_of(*optimizers.OPTIMIZERS), "how weights move", default=optimizers.SGD(momentum=0.9)
    )
    lr: float = arg(number(above=0), "learning rate", default=0.01)
    schedule: schedules.Schedule = arg(
        made_of(*schedules.SCHEDULES), "how the learning rate moves", default="constant"
    )
    weight_decay: float = arg(
        number(at_least=0),
        "factor on every trainable weight, added to its gradient; unless said it is 0, and 0.01"
        " for adamw, which takes it off the weight itself", default=None,
    )  # fmt: skip
    loss: losses.Loss = arg(
        made_of(*losses.LOSSES), "what training makes small", default="cross_entropy"
    )
    clip: float | None = arg(
        number(above=0),
        "the most that the norm of all gradients together may be: they are scaled down to it",
        default=None,
    )
    augment: tuple[Augmentation | Mixup, ...] = arg(
        list_of(made_of(*AUGMENTATIONS)), "changes of the training images", default=[]
    )
    seed: int = arg(integer(at_least=0), "where all randomness starts", default=0)
    init_from: str | None = arg(
        text(),
        "a run, or a .safetensors file, whose layers of the same name and shapes are reused; the"
        " path is from where the command runs", default=None,
    )  # fmt: skip
    lr_reused: float = arg(
        number(at_least=0), "with init_from, a factor on the learning rate of reused layers",
        default=0.1,
    )  # fmt: skip
    lr_new: float = arg(
        number(at_least=0), "with init_from, a factor on that of the others", default=1.0
    )

    def check(self) -> None:
        """Settings that go together; and the weight decay, where the optimizer says it."""
        own = self.optimizer.weight_decay
        if self.weight_decay is None:
            self.weight_decay = self.optimizer.usual_decay if own is None else own
        elif own is not None and own != self.weight_decay:
            raise BadValue(
                f"what {self.optimizer} says already: one of the two is enough", "weight_decay"
            )
        if sum(isinstance(a, Mixup) for a in self.augment) > 1:
            raise BadValue("mixup at most once", "augment")

    def require(self, input: Shape, output: Shape) -> None:
        """Raise BadValue where a net of these shapes cannot be trained so."""
        self.loss.require(output)
        for change in self.changes:
            change.require(input)

    @property
    def changes(self) -> tuple[Augmentation, ...]:
        """The augmentations that change samples one by one."""
        return tuple(a for a in self.augment if isinstance(a, Augmentation))

    @property
    def mixup(self) -> Mixup | None:
        """The one that mixes samples, where there is one."""
        return next((a for a in self.augment if isinstance(a, Mixup)), None)
