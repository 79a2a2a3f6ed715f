"""Did you mean …?"""

from __future__ import annotations

import pytest

from cnnc.compiler.suggest import did_you_mean, nearest

LAYERS = ("INPUT", "CONV", "POOL", "MAXPOOL", "FC", "RELU", "LEAKYRELU")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("CONVV", "CONV"), ("COMV", "CONV"), ("CNOV", "CONV"), ("CONV2D", "CONV"),
        ("conv", "CONV"), ("Relu", "RELU"), ("REUL", "RELU"), ("maxpol", "MAXPOOL"),
        ("LEAKY_RELU", "LEAKYRELU"), ("fc", "FC"), ("FCC", "FC"),
        ("DENSE", None), ("Z", None), ("", None),
    ],
)  # fmt: skip
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, LAYERS) == meant


def test_the_same_word_in_other_letters_comes_before_one_that_is_near() -> None:
    assert nearest("k", ("K1", "K")) == "K"
    assert nearest("N", ("M", "n")) == "n"
    assert nearest("width", ("widths", "WIDTH")) == "WIDTH"


def test_nothing_is_known() -> None:
    assert nearest("CONV", ()) is None
    assert did_you_mean("CONV", ()) == ()


def test_help() -> None:
    assert did_you_mean("CONVV", LAYERS) == ("did you mean CONV?",)
    assert did_you_mean("zzz", iter(LAYERS)) == ()
