"""Arguments that declare themselves: what each type takes, gives and says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cnnc.compiler.arguments import (
    BadValue,
    Declared,
    Type,
    arg,
    boolean,
    integer,
    list_of,
    made_of,
    make,
    number,
    one_of,
    padding,
    shape,
    text,
    window,
)
from cnnc.compiler.values import Made, Word


class Plain(Declared):
    word = "plain"


class Noise(Declared):
    """Two arguments of its own."""

    word = "noise"
    by_place = ("std",)

    std: float = arg(number(above=0), "how much")
    kind: str = arg(one_of("flat", "round"), "which", default="flat")


MADE = made_of(Plain, Noise)
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("type", "value", "parsed"),
    [
        (integer(), -3, -3),
        (integer(at_least=0), 0, 0),
        (number(), 3, 3),
        (number(at_least=0, below=1), 0, 0),
        (number(above=0, at_most=1), 1.0, 1.0),
        (boolean(), False, False),
        (one_of("max", "avg"), Word("avg"), "avg"),
        (one_of("max", "avg"), "max", "max"),
        (text(), "name", "name"),
        (window(), 3, (3, 3)),
        (window(), (1, 5), (1, 5)),
        (window(at_least=0), 0, (0, 0)),
        (padding(), 2, (2, 2, 2, 2)),
        (padding(), (1, 2), (1, 1, 2, 2)),
        (padding(), (1, 2, 3, 4), (1, 2, 3, 4)),
        (padding(), [0, 2, 0, 4], (0, 2, 0, 4)),
        (padding("same", "valid"), Word("same"), "same"),
        (shape(3, 1), (3, 8, 8), (3, 8, 8)),
        (shape(3, 1), 10, (10,)),
        (shape(3, 1), (10,), (10,)),
        (list_of(integer()), [1, 2], (1, 2)),
        (list_of(integer()), [], ()),
        (list_of(one_of("a", "b")), [Word("a")], ("a",)),
    ],
)
def test_what_a_type_takes(type: Type, value: object, parsed: object) -> None:
    assert type.parse(value) == parsed


@pytest.mark.parametrize(
    ("type", "values", "wanted"),
    [
        (integer(), [1.0, True, "1", None, [1], (1,)], "an integer"),
        (integer(at_least=1), [0, -1, 1.5, False], "an integer of at least 1"),
        (number(), [True, "1", None, NAN, INF, -INF, [1.0]], "a number"),
        (number(at_least=0), [-0.1, -1], "a number of at least 0"),
        (number(above=0), [0, 0.0, -1], "a number above 0"),
        (number(at_least=0, below=1), [1, 1.0, -0.1], "a number of at least 0 and below 1"),
        (number(above=0, at_most=0.5), [0, 0.6], "a number above 0 and of at most 0.5"),
        (boolean(), [0, 1, "true", None, Word("yes")], "true or false"),
        (one_of("max", "avg"), [Word("min"), "MAX", 1, None, [Word("max")]], "max or avg"),
        (text(), ["", 3, None, Word("a")], 'a text in quotes, "name"'),
        (window(), [0, (3,), (3, 0), (1, 2, 3), 1.5, True, "3", [3, 3], (1, True)],
         "a number or HxW, each of at least 1"),
        (padding("same"), [-1, (1,), (1, -1), (1, 2, 3), [1, 2], [1, 2, 3, 4, 5], 0.5, True,
                           (1, 2, 3, True), Word("valid"), "valid", None],
         "a number, HxW, (top, bottom, left, right) or same"),
        (padding(), [Word("same"), "same"], "a number, HxW, (top, bottom, left, right)"),
        (shape(3, 1), [0, (0,), (1, 2), (1, 2, 3, 4), (3, 0, 8), 1.5, [3, 8, 8], (3, 8, True), ()],
         "a shape such as 3x32x32 or 10"),
        (shape(3), [10, (10,)], "a shape such as 3x32x32"),
        (list_of(integer()), [3, Word("a"), "ab", None], "a list of an integer"),
        (MADE, [Word("other"), "other", 3, None, Made("other", (), ())], "plain or noise"),
    ],
)  # fmt: skip
def test_what_a_type_refuses_and_what_it_says(
    type: Type, values: list[object], wanted: str
) -> None:
    assert type.wanted == wanted
    for value in values:
        with pytest.raises(BadValue) as caught:
            type.parse(value)
        assert str(caught.value) == wanted


def test_a_wrong_item_of_a_list_says_what_the_list_takes() -> None:
    """The message goes on with the whole list: `…, not [1, 0]`."""
    with pytest.raises(BadValue, match=r"^a list of an integer of at least 1$"):
        list_of(integer(at_least=1)).parse([1, 0])


def test_which_lists_are_values_and_which_are_per_repetition() -> None:
    assert not integer().is_value([1, 2])
    assert not window().is_value([1, 2])
    assert list_of(integer()).is_value([]) and list_of(integer()).is_value([1] * 9)
    assert [padding().is_value([0] * n) for n in range(6)] == [n == 4 for n in range(6)]


# -- words that make something --------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "given"),
    [
        (Word("plain"), {}),
        ("plain", {}),
        (Made("plain", (), ()), {}),
        (Made("noise", (0.1,), ()), {"std": 0.1}),
        (Made("noise", (0.1, Word("round")), ()), {"std": 0.1, "kind": Word("round")}),
        (Made("noise", (), (("kind", Word("flat")), ("std", 2))), {"std": 2, "kind": Word("flat")}),
        (Noise(std=3), {"std": 3}),
    ],
)
def test_a_word_makes_an_instance(value: object, given: dict[str, object]) -> None:
    made: Any = MADE.parse(value)
    assert type(made) is (Noise if "std" in given else Plain)
    assert made.given == given


@pytest.mark.parametrize(
    ("positional", "named", "why"),
    [
        ((), {}, "std"),
        ((0,), {}, "noise with std = a number above 0"),
        ((1, 2), {}, "noise with kind = flat or round"),
        ((1, Word("flat"), 3), {}, "at most 2 arguments"),
        ((1,), {"std": 2}, "noise with std given once"),
        ((1,), {"size": 2}, "noise with std or kind"),
    ],
)
def test_a_word_with_wrong_arguments(
    positional: tuple[object, ...], named: dict[str, object], why: str
) -> None:
    with pytest.raises(BadValue) as caught:
        make(Noise, positional, tuple(named.items()))
    assert why in str(caught.value)


def test_a_word_that_needs_arguments_is_refused_without() -> None:
    with pytest.raises(BadValue):
        MADE.parse(Word("noise"))


# -- declared classes -----------------------------------------------------------------


class Base(Declared):
    word = "BASE"
    speed: float = arg(number(at_least=0), "how fast", default=1.0)
    mode: str = arg(one_of("up", "down"), "which way", default="up")


class Mover(Base):
    word = "MOVER"
    by_place = ("k", "stride")
    k: tuple[int, int] = arg(window(), "size")
    stride: tuple[int, int] = arg(window(), "step", same_as="k")
    pad: Any = arg(padding("same"), "padding", default=0)

    def check(self) -> None:
        if self.speed == 7:
            raise BadValue("a speed other than 7")


class Fixed(Mover):
    word = "FIXED"
    mode = "down"


def test_what_a_class_declares_stands_before_what_its_base_adds() -> None:
    assert list(Mover.arguments) == ["k", "stride", "pad", "speed", "mode"]
    assert list(Base.arguments) == ["speed", "mode"]
    assert [a.required for a in Mover.arguments.values()] == [True, False, False, False, False]


def test_an_argument_that_a_class_fixes_cannot_be_given() -> None:
    assert "mode" not in Fixed.arguments
    assert Fixed(k=3).mode == "down"
    with pytest.raises(TypeError, match="Fixed has no argument 'mode'"):
        Fixed(k=3, mode="up")


def test_values_are_parsed_and_defaults_filled_in() -> None:
    mover = Mover(k=3)
    assert (mover.k, mover.stride, mover.pad) == ((3, 3), (3, 3), (0, 0, 0, 0))
    assert (mover.speed, mover.mode) == (1.0, "up")
    assert Mover(k=3, stride=1, mode=Word("down")).stride == (1, 1)
    assert mover.given == {"k": 3}


def test_what_is_given_wrongly() -> None:
    with pytest.raises(TypeError, match="Mover needs k="):
        Mover()
    with pytest.raises(TypeError, match="Mover has no argument 'size'"):
        Mover(k=3, size=2)
    with pytest.raises(BadValue, match=r"^a number or HxW"):
        Mover(k=0)
    with pytest.raises(BadValue, match=r"^a speed other than 7$"):
        Mover(k=3, speed=7)


def test_the_same_with_other_arguments() -> None:
    mover = Mover(k=3, speed=2)
    changed = mover.replace(speed=4, pad=1)
    assert (changed.speed, changed.pad, changed.k) == (4, (1, 1, 1, 1), (3, 3))
    assert (mover.speed, mover.pad) == (2, (0, 0, 0, 0))
    with pytest.raises(BadValue):
        mover.replace(speed=-1)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"k": 3}, "MOVER(3)"),
        ({"k": 3, "stride": (1, 2)}, "MOVER(3, 1x2)"),
        ({"stride": 1, "k": 3}, "MOVER(3, 1)"),
        ({"k": 3, "pad": Word("same")}, "MOVER(3, pad=same)"),
        ({"k": 3, "pad": (0, 1, 0, 1), "speed": 0.5}, "MOVER(3, pad=(0, 1, 0, 1), speed=0.5)"),
        ({"k": 3, "mode": Word("up")}, "MOVER(3, mode=up)"),
    ],
)
def test_it_is_written_as_it_was_given(given: dict[str, object], written: str) -> None:
    assert Mover(**given).written() == repr(Mover(**given)) == written


def test_an_argument_usually_written_by_place_is_named_after_one_that_is_left_out() -> None:
    class Lax(Declared):
        word = "LAX"
        by_place = ("a", "b")
        a: int = arg(integer(), "one", default=1)
        b: int = arg(integer(), "two", default=2)

    assert Lax().written() == "LAX"
    assert Lax(b=3).written() == "LAX(b=3)"
    assert Lax(a=4, b=3).written() == "LAX(4, 3)"


def test_defaults_as_the_reference_writes_them() -> None:
    texts = {name: a.default_text() for name, a in Mover.arguments.items()}
    assert texts == {"k": "needed", "stride": "k", "pad": "0", "speed": "1.0", "mode": "up"}
