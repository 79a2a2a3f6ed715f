"""Mistakes in a train block: found by a check, and shown where they stand."""

from __future__ import annotations

from typing import Any

import pytest

import cnnc
from cnnc import SpecError
from cnnc.compiler.elaborate.settings import WrongUse

IMAGES, VECTOR = "INPUT(2x8x8) -> CONV(3, 3) -> FC(5)", "INPUT(64) -> FC(1)"


def diagnostics(block: str, chain: str = IMAGES) -> list[Any]:
    try:
        cnnc.parse(f"{chain}\ntrain {{ {block} }}")
    except SpecError as error:
        return list(error.diagnostics)
    return []


@pytest.mark.parametrize(
    "block, at, code, message",
    [
        ("clip = 0", "0", "E403", "train's clip takes a number above 0, not 0"),
        ("clip = big", "big", "E203", "nothing is called big here"),
        ("clop = 1", "clop", "E402", "train has no setting clop"),
        ("init_from = 3", "3", "E403", 'init_from takes a text in quotes, "name", not 3'),
        ("lr_reused = -1", "-1", "E403", "lr_reused takes a number of at least 0, not -1"),
        ("lr_new = true", "true", "E403", "lr_new takes a number of at least 0, not true"),
        ("optimizer = adamw(beta=1)", "beta", "E402", "adamw has no argument beta"),
        ("optimizer = rmsprop(alpha=1)", "1", "E403", "alpha takes a number of at least 0 and"),
        ("optimizer = rmsprop(0.9, 0, 0)", "0", "E403", "rmsprop's eps takes a number above 0"),
        ("optimizer = adam(amsgrad=1)", "1", "E403", "adam's amsgrad takes true or false, not 1"),
        ("optimizer = sgd(0, true, 0, 5)", "5", "E404", "sgd has no place for this argument"),
        ("optimizer = sgd(nesterov=true)", "sgd(nesterov=true)", "E403", "a momentum above 0"),
        ("optimizer = adamw(weight_decay=0.1)  weight_decay = 0.2", "0.2", "E403",
         "weight_decay takes what adamw(weight_decay=0.1) says already"),
        ("optimizer = adagrad", "adagrad", "E203", "nothing is called adagrad here"),
        ("schedule = step", "step", "E403", "schedule takes step with every= given"),
        ('schedule = "step"', '"step"', "E403", "schedule takes step with every= given"),
        ("schedule = multistep([4, 4])", "multistep([4, 4])", "E403", "increasing numbers of ep"),
        ("schedule = multistep([4, 2])", "multistep([4, 2])", "E403", "increasing numbers of ep"),
        ("schedule = multistep([])", "multistep([])", "E403", "increasing numbers of epochs"),
        ("schedule = multistep([0, 1])", "[0, 1]", "E403", "a list of an integer of at least 1"),
        ("schedule = multistep(3)", "3", "E403", "milestones takes a list of an integer"),
        ("schedule = poly(0)", "0", "E403", "poly's power takes a number above 0, not 0"),
        ("schedule = plateau(gamma=1)", "1", "E403", "gamma takes a number above 0 and below 1"),
        ("schedule = plateau(1.5)", "1.5", "E403", "patience takes an integer of at least 0"),
        ("epochs = 5  schedule = cosine(warmup=5)", "cosine(warmup=5)", "E403",
         "train's schedule takes a warmup below the run's 5 epochs, not 5"),
        ("schedule = cosine(10)  epochs = 1", "cosine(10)", "E403", "below the run's 1 epoch, not"),
        ("loss = mse(2)", "2", "E404", "mse has no place for this argument"),
        ("augment = flip", "flip", "E403", "augment takes a list of flip or crop"),
        ("augment = [flip, rotate(181)]", "181", "E403", "deg takes a number above 0 and of at mo"),
        ("augment = [jitter(contrast=2)]", "2", "E403", "contrast takes a number of at least 0"),
        ("augment = [jitter(0, 0)]", "[jitter(0, 0)]", "E403", "a brightness or contrast above 0"),
        ("augment = [cutout]", "[cutout]", "E403", "augment takes cutout with n= given"),
        ("augment = [cutout(0)]", "0", "E403", "cutout's n takes an integer of at least 1"),
        ("augment = [mixup(0)]", "0", "E403", "mixup's a takes a number above 0, not 0"),
        ("augment = [mixup, flip, mixup(1)]", "[mixup, flip, mixup(1)]", "E403", "at most once"),
        ("augment = [flop]", "flop", "E203", "nothing is called flop here"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_stands(block: str, at: str, code: str, message: str) -> None:
    (found,) = diagnostics(block)
    assert (found.code, found.span.text) == (code, at)
    assert message in found.message


@pytest.mark.parametrize(
    "block, help",
    [
        ("optimizer = adamww", "did you mean adamw?"),
        ("optimizer = rmsporp(0.9)", "did you mean rmsprop?"),
        ("optimizer = adam(beta_1=0.8)", "did you mean beta1?"),
        ("schedule = multstep([1])", "did you mean multistep?"),
        ("loss = hings", "did you mean hinge?"),
        ("augment = [jiter]", "did you mean jitter?"),
        ("lr_resued = 0.1", "did you mean lr_reused?"),
        ("augment = cutout(3)", "write a list: augment=[cutout(3)]"),
    ],
)
def test_help(block: str, help: str) -> None:
    (found,) = diagnostics(block)
    assert help in found.help


@pytest.mark.parametrize(
    "block, at, message",
    [
        ("loss = hinge", "hinge",
         "train's loss takes hinge for 2 outputs or more, and the net has 1"),
        ("augment = [mixup, rotate]", "[mixup, rotate]",
         "train's augment takes rotate for maps CxHxW, and INPUT is the vector 64"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_the_net(block: str, at: str, message: str) -> None:
    (found,) = diagnostics(block, VECTOR)
    assert (found.code, found.span.text, found.message) == ("E403", at, message)
    assert diagnostics(block) == []


def test_all_mistakes_are_shown_at_once() -> None:
    block = "clip = -1  optimizer = adam(beta1=2)  augment = [crop(-1)]  loss = mse(1)  lr = 0"
    assert [d.span.text for d in diagnostics(block)] == ["-1", "2", "-1", "1", "0"]


@pytest.mark.parametrize(
    "block, decay",
    [
        ("optimizer = sgd", 0), ("optimizer = adam", 0), ("optimizer = rmsprop", 0),
        ("optimizer = adamw", 0.01), ("optimizer = adamw  weight_decay = 0", 0),
        ("optimizer = adamw(weight_decay=0.2)", 0.2), ("optimizer = sgd(weight_decay=0.1)", 0.1),
        ("weight_decay = 0.3", 0.3),
        ("weight_decay = 0.1  optimizer = adam(weight_decay=0.1)", 0.1),
    ],
)  # fmt: skip
def test_weight_decay(block: str, decay: float) -> None:
    assert cnnc.parse(f"{IMAGES}\ntrain {{ {block} }}").training.weight_decay == decay


def test_another_optimizer_brings_its_own_decay() -> None:
    training = cnnc.parse(f"{IMAGES}\ntrain {{ optimizer = adamw }}").training
    assert training.replace(optimizer="sgd").weight_decay == 0
    assert training.replace(weight_decay=0.5).weight_decay == 0.5


def test_everything_at_once_is_fine() -> None:
    block = """
        batch = 8  epochs = 20  optimizer = adamw(0.8, 0.99, amsgrad=true)  lr = 1e-3
        schedule = cosine(warmup=2.5)  weight_decay = 0.05  loss = mse  clip = 1
        augment = [flip, crop(2), rotate(10), jitter(0.1, contrast=0.3), cutout(3), mixup(0.2)]
        seed = 4  init_from = "runs/a"  lr_reused = 0  lr_new = 2
    """
    assert diagnostics(block) == []
    training = cnnc.parse(f"{IMAGES}\ntrain {{ {block} }}").training
    assert [a.word for a in training.changes] == ["flip", "crop", "rotate", "jitter", "cutout"]
    assert training.mixup is not None and training.mixup.a == 0.2
    assert (training.init_from, training.lr_reused, training.lr_new) == ("runs/a", 0, 2)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"schedule": "cosine(4)", "epochs": 4}, "schedule takes a warmup below the run's 4 epo"),
        ({"schedule": "cosine(10)"}, "schedule takes a warmup below the run's 10 epochs, not 10"),
        ({"weight_decay": 0.2}, r"weight_decay takes what adamw\(weight_decay=0.1\) says already"),
        ({"loss": "hinge"}, "loss takes hinge for 2 outputs or more"),
        ({"augment": "[flip]"}, "augment takes flip for maps"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: Any, message: str) -> None:
    net = cnnc.parse(
        f"{VECTOR}\ntrain {{ schedule = cosine(3)  optimizer = adamw(weight_decay=0.1) }}"
    )
    with pytest.raises(WrongUse, match=message):
        cnnc.train(net, data="random:10", **options)


def test_a_shorter_run_of_a_spec_with_a_warmup_can_be_tried(tmp_path: Any) -> None:
    net = cnnc.parse("INPUT(4) -> FC(2)\ntrain { schedule = cosine(3)  batch = 4  lr = 1e-3 }")
    run = cnnc.train(net, "random:16", tmp_path / "run", epochs=1)
    assert run.history[0].lr == pytest.approx(1e-3 / 3)


def test_options_are_judged_together_and_not_one_by_one(tmp_path: Any) -> None:
    """A warmup that is too long for the usual 10 epochs, with the epochs that it needs."""
    net = cnnc.parse("INPUT(4) -> FC(2)")
    out = tmp_path / "run"
    run = cnnc.train(net, "random:10", out, schedule="cosine(11)", epochs=12, batch=10)
    assert len(run.history) == 12
