"""A list where one value is wanted is per repetition of the enclosing repeat as long as it."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import error, errors, layers

HEAD = "let six = [1, 2, 3, 4, 5, 6]\nINPUT(4x8x8) -> "


@pytest.mark.parametrize(
    ("chain", "filters"),
    [
        ("[CONV([1, 2, 3], 1)]*3", [1, 2, 3]),
        ("CONV([1, 2, 3], 1)*3", [1, 2, 3]),
        ("[CONV(six, 1)]*6", [1, 2, 3, 4, 5, 6]),
        ("[CONV([3]*2 + [5], 1)]*3", [3, 3, 5]),
        ("[CONV(range(2, 5), 1)]*3", [2, 3, 4]),
        ("[CONV(filters=[1, 2], k=[1, 3], pad=0)]*2", [1, 2]),
        # the outer of two, the inner of two, and a repeat that is neither
        ("[[CONV([1, 2, 3], 1)]*2]*3", [1, 1, 2, 2, 3, 3]),
        ("[[CONV([1, 2], 1)]*2]*3", [1, 2, 1, 2, 1, 2]),
        ("[[[CONV([1, 2], 1)]*1]*2]*3", [1, 2, 1, 2, 1, 2]),
        ("[CONV([1, 2], 1)*3]*2", [1, 1, 1, 2, 2, 2]),
        ("[CONV([7], 1)]*1", [7]),
        # a `for` is a repeat too
        ("for a in [8, 9] [CONV([1, 2], 1)]", [1, 2]),
        ("for a in range(3) [[CONV([1, 2, 3], 1)]*2]", [1, 1, 2, 2, 3, 3]),
        # a repeat that is counted by a list is meant where all its counts are that length
        ("[[CONV([1, 2], 1)]*[2, 2, 2]]*3", [1, 2] * 3),
        ("[[CONV([1, 2, 3], 1)]*[2, 2, 2]]*3", [1, 1, 2, 2, 3, 3]),
        ("[[CONV([1, 2], 1)]*[2, 1]]*2", [1, 1, 2]),
        ("[[CONV([1, 2], 1)]*[1, 3]]*2", [1, 2, 2, 2]),
        ("[[CONV([1, 2], 1)]*[0, 2]]*2", [2, 2]),
        # a repeat that runs no time asks nothing
        ("[CONV([1, 2], 1)]*0 -> CONV(5, 1)", [5]),
        ("[[CONV([1, 2], 1)]*0]*3 -> CONV(5, 1)", [5]),
    ],
)
def test_the_repeat_that_is_meant(chain: str, filters: list[int]) -> None:
    written = layers(HEAD + chain)
    assert [int(text.removeprefix("CONV(").split(",")[0]) for text in written] == filters


def test_several_lists_go_in_step() -> None:
    chain = "[CONV([1, 2], [1, 3], stride=[1x2, 1]) -> RELU?([1, 0])]*2"
    assert layers("INPUT(4x8x8) -> " + chain) == [
        "CONV(1, 1, stride=1x2)", "RELU", "CONV(2, 3, stride=1)",
    ]  # fmt: skip


def test_words_may_stand_in_such_a_list() -> None:
    assert layers("INPUT(4x8x8) -> [POOL(2, mode=[max, avg])]*2") == [
        "POOL(2, mode=max)", "POOL(2, mode=avg)"
    ]  # fmt: skip
    assert layers("INPUT(4) -> [FC(4, init=[zero, normal(0.1)])]*2") == [
        "FC(4, init=zero)", "FC(4, init=normal(0.1))"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chain", "place", "why"),
    [
        ("CONV([1, 2], 1)", "[1, 2]", "a repeat of 2, and no repeat is around"),
        ("[CONV([1, 2], 1)]*3", "[1, 2]", "and the repeat around it runs 3 times"),
        ("[[CONV([1, 2], 1)]*3]*4", "[1, 2]", "and the repeats around it run 4 and 3 times"),
        ("[[CONV([1, 2], 1)]*2]*2", "[1, 2]", "and two repeats around it run that often"),
        ("for a in [1, 2] [CONV([1, 2], 1)*2]", "[1, 2]", "two repeats around it run that often"),
        ("[[CONV([1, 2], 1)]*[2, 2]]*2", "[1, 2]", "two repeats around it run that often"),
        ("[[CONV([1, 2], 1)]*[2, 3, 2]]*3", "[1, 2]", "the repeats around it run 3 and 2 times"),
        ("CONV([5], 1)", "[5]", "a list of 1 here is for a repeat of 1, and no repeat is around"),
        ("[CONV([], 1)]*2", "[]", "a list of 0 here is for a repeat of 0"),
        ("[CONV(six, 1)]*2", "six", "a list of 6 here is for a repeat of 6"),
        ("CONV(4, 1)*[1, 2]", "[1, 2]", "no repeat is around"),
        ("[[CONV(4, 1)]*[1, 2]]*3", "[1, 2]", "runs 3 times"),
        ("[CONV(4, 1)?([1, 0])]*3", "[1, 0]", "runs 3 times"),
    ],
)
def test_none_or_two_that_are_meant(chain: str, place: str, why: str) -> None:
    found = error(HEAD + chain)
    assert (found.code, found.span and found.span.text) == ("E206", place)
    assert why in found.message
    assert found.help[-1] == f"say which: for v in {place} [ … v … ]"


def test_what_is_shown_is_another_way_to_say_it() -> None:
    wrong = "INPUT(4x8x8) -> [[CONV([1, 2], 1)]*2]*2"
    assert errors(wrong) == ["E206 [1, 2]"]
    right = "INPUT(4x8x8) -> [for v in [1, 2] [CONV(v, 1)]]*2"
    assert layers(right) == ["CONV(1, 1)", "CONV(2, 1)"] * 2


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("[CONV([4, 0], 1)]*2", "E403 0"),
        ("[CONV([4, [5]], 1)]*2", "E403 [5]"),
        ('[CONV(4, k=[1, "a"])]*2', 'E403 "a"'),
        ("[CONV(six, k=[1, 1, 1, 0, 1, 1])]*6", "E403 0"),
        ("[CONV([4] + [0], 1)]*2", "E403 [4] + [0]"),
        ("[RELU*[1, -1]]*2", "E408 -1"),
        ("[RELU?([1, 2])]*2", "E407 2"),
    ],
)
def test_the_item_that_is_wrong_is_pointed_at(chain: str, found: str) -> None:
    assert errors(HEAD + chain) == [found]


def test_a_pad_of_four_is_no_list_per_repetition_and_others_are() -> None:
    repeat = "INPUT(4x8x8) -> [CONV(4, 3, pad={})]*{}"
    assert layers(repeat.format("[1, 1, 0, 2]", 4)) == ["CONV(4, 3, pad=[1, 1, 0, 2])"] * 4
    assert layers(repeat.format("[same, 0, 1x2]", 3)) == [
        "CONV(4, 3, pad=same)", "CONV(4, 3, pad=0)", "CONV(4, 3, pad=1x2)"
    ]  # fmt: skip
    assert layers(repeat.format("[1, 2]", 2)) == ["CONV(4, 3, pad=1)", "CONV(4, 3, pad=2)"]
    assert errors(repeat.format("[1, 2]", 3)) == ["E206 [1, 2]"]
    assert errors(repeat.format("[1, 2, 3, -1]", 4)) == ["E403 [1, 2, 3, -1]"]


def test_a_knob_and_a_let_may_be_such_a_list() -> None:
    text = "param widths = [1, 2]\nlet ks = [1, 3]\nINPUT(4x8x8) -> [CONV(widths, ks)]*2"
    assert layers(text) == ["CONV(1, 1)", "CONV(2, 3)"]
    assert layers(text, {"widths": "[5, 6]"}) == ["CONV(5, 1)", "CONV(6, 3)"]
    assert errors(text, {"widths": "[5, 6, 7]"}) == ["E206 widths"]


def test_a_default_and_a_set_argument_may_be_such_a_list() -> None:
    text = "default CONV([1, 2], 1)\nINPUT(4x8x8) -> [CONV]*2 -> CONV(3, 1)"
    assert layers(text) == ["CONV(1, 1)", "CONV(2, 1)", "CONV(3, 1)"]
    bare = "INPUT(4x8x8) -> [CONV]*2"
    assert layers(bare, {"CONV.filters": "[5, 6]"}) == ["CONV(5)", "CONV(6)"]
    assert errors("default CONV([1, 2], 1)\nINPUT(4x8x8) -> CONV") == ["E206 [1, 2]"]
