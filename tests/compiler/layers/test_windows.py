"""What layers with windows say when no window fits, or when rows are left out."""

from __future__ import annotations

import re

import pytest

from cnnc.compiler.layers.conv import Conv
from cnnc.compiler.layers.layer import Misfit
from cnnc.compiler.layers.pool import Pool


def test_a_misfit_gives_the_rule_and_changes_that_fit() -> None:
    with pytest.raises(Misfit) as raised:
        Pool(k=3).shape((16, 2, 2))
    misfit = raised.value
    assert misfit.code == "E301"
    assert misfit.label == "needs at least 3x3, gets 16x2x2"
    assert (
        misfit.rule == "out = floor((in + 2*pad - k)/stride) + 1 = floor((2 + 2*0 - 3)/3) + 1 = 0"
    )
    assert misfit.fixes == ("POOL(2) gives 16x1x1", "POOL(3, pad=1) gives 16x1x1")


def test_the_size_that_is_needed_follows_from_what_is_rounded_up() -> None:
    with pytest.raises(Misfit) as raised:
        Pool(k=6, stride=2, ceil=True).shape((1, 4, 4))
    assert raised.value.label.startswith("needs at least 5x5,")
    assert Pool(k=6, stride=2, ceil=True).shape((1, 5, 5)) == (1, 1, 1)


def test_dilation_stands_in_the_rule() -> None:
    with pytest.raises(Misfit) as raised:
        Conv(filters=1, k=3, dilation=4, pad=(1, 0, 1, 0)).shape((1, 7, 9))
    assert "floor((7 + 1 + 0 - 4*(3 - 1) - 1)/1) + 1 = 0" in raised.value.rule
    assert raised.value.label == "needs at least 8x8, gets 1x7x9"
    for fix in raised.value.fixes:
        assert re.fullmatch(r"CONV\(.*\) gives 1x\d+x\d+", fix)


def test_a_vector_is_no_map() -> None:
    for layer in (Conv(filters=1), Pool()):
        with pytest.raises(Misfit) as raised:
            layer.shape((10,))
        assert raised.value.code == "E302"


@pytest.mark.parametrize("groups, channels, filters", [(2, 3, 4), (3, 6, 4)])
def test_groups_divide_channels_and_filters(groups: int, channels: int, filters: int) -> None:
    with pytest.raises(Misfit) as raised:
        Conv(filters=filters, groups=groups).shape((channels, 5, 5))
    assert raised.value.code == "E303"
    assert raised.value.fixes


@pytest.mark.parametrize(
    "layer, shape, expected",
    [
        (Conv(filters=1, k=2, stride=2), (1, 7, 6), "the last 1 of 7 rows"),
        (Conv(filters=1, k=3, stride=3, pad=1), (1, 6, 9), "the last 1 of 6 rows"),
        (Pool(k=4), (1, 11, 10), "the last 3 of 11 rows and the last 2 of 10 columns"),
    ],
)
def test_rows_that_are_left_out_are_noted_with_the_padding_that_reaches_them(
    layer: Conv | Pool, shape: tuple[int, int, int], expected: str
) -> None:
    note = layer.note(shape)
    assert note is not None
    message, help = note
    assert expected in message
    pad = re.match(r"pad=\((\d+), (\d+), (\d+), (\d+)\) reaches them", help)
    assert pad, help
    assert layer.replace(pad=tuple(int(n) for n in pad.groups())).note(shape) is None


def test_rows_between_windows_are_left_out_on_purpose() -> None:
    """As in a residual net's projection: no padding would reach the last row."""
    assert Conv(filters=1, k=1, stride=2).note((1, 8, 8)) is None


def test_even_padding_is_written_as_one_number() -> None:
    note = Conv(filters=1, k=2, stride=2, pad=(1, 0, 1, 0)).note((1, 6, 6))
    assert note is not None
    assert note[1] == "pad=1 reaches them"
