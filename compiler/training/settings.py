"""The `train` block: its settings, their ranges and defaults."""

from __future__ import annotations

from ..arguments import Declared, arg, integer, list_of, made_of, number
from . import augment, losses, optimizers, schedules


class Training(Declared):
    """How a net is trained. Command-line options win over the block."""

    word = "train"
    noun = "setting"
    later = ("clip", "init_from", "lr_reused", "lr_new")

    batch: int = arg(integer(at_least=1), "samples a step", default=64)
    epochs: int = arg(integer(at_least=1), "times through the training set", default=10)
    optimizer: optimizers.Optimizer = arg(
        made_of(*optimizers.OPTIMIZERS, later=optimizers.NOT_BUILT_YET),
        "how weights move", default=optimizers.SGD(momentum=0.9),
    )  # fmt: skip
    lr: float = arg(number(above=0), "learning rate", default=0.01)
    schedule: schedules.Schedule = arg(
        made_of(*schedules.SCHEDULES, later=schedules.NOT_BUILT_YET),
        "how the learning rate moves", default="constant",
    )  # fmt: skip
    weight_decay: float = arg(
        number(at_least=0), "factor on every trainable weight, added to its gradient", default=0.0
    )
    loss: losses.Loss = arg(
        made_of(*losses.LOSSES, later=losses.NOT_BUILT_YET),
        "what training makes small", default="cross_entropy",
    )  # fmt: skip
    augment: tuple[augment.Augmentation, ...] = arg(
        list_of(made_of(*augment.AUGMENTATIONS, later=augment.NOT_BUILT_YET)),
        "changes of the training images", default=[],
    )  # fmt: skip
    seed: int = arg(integer(at_least=0), "where all randomness starts", default=0)
