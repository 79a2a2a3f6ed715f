"""Knobs, constants and defaults: what they are worth, and what wins over what."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, error, errors, layers

# -- knobs and constants --------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "units"),
    [
        ("param n = 3", 3),
        ("let n = 3", 3),
        ("param a = 2, n = a + 1", 3),
        ("param n = a + 1, a = 2", 3),
        ("let n = a + 1, a = 2", 3),
        ("let n = a + 1\nparam a = 2", 3),
        ("param n = a + 1\nlet a = 2", 3),
        ("let a = b, b = c, c = 2, n = a * b - 1", 3),
        ("let n = 4 if big else 3\nparam big = false", 3),
        ("let n = max(sizes)\nparam sizes = [1, 3, 2]", 3),
        ("param n = 3 in [1, 2, 3]", 3),
        ("param n = 3 in range(1, 4)", 3),
        ("param n = 3 in few\nlet few = [3]", 3),
        ("param n = 3 in [3.0]", 3),
    ],
)
def test_values(statements: str, units: int) -> None:
    spec = f"INPUT(4) -> FC(n)\n{statements}"  # statements may stand in any order
    assert layers(spec) == [f"FC({units})"]
    assert layers(f"{statements}\nINPUT(4) -> FC(n)") == [f"FC({units})"]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ("let n = nope", "E203 nope"),
        ("param n = nope", "E203 nope"),
        ("let n = n", "E207 n"),
        ("param n = n + 1", "E207 n"),
        ("let n = 1 // 0", "E406 1 // 0"),
        ("let n = foo(3)", "E208 foo"),
        ("param n = 3 in [1, 2]", "E205 n = 3 in [1, 2]"),
        ("param n = 3 in []", "E205 n = 3 in []"),
        ("param n = 1 in [true]", "E205 n = 1 in [true]"),
        ("param n = 3 in 3", "E205 3"),
        ("param n = 3 in (3, 4)", "E205 (3, 4)"),
        ("param n = 3 in nope", "E203 nope"),
    ],
)
def test_a_mistake_is_reported_once_and_silences_what_hangs_on_it(
    statements: str, found: str
) -> None:
    uses = "let m = n + 1, l = [n, m]\nINPUT(4) -> FC(n)*n -> RELU?(n > m) :: n\n"
    assert errors(f"{statements}\n{uses}expect params < n * max(l)") == [found]


def test_a_circle_is_shown() -> None:
    found = error("let a = b, b = c + 1, c = a\nINPUT(4) -> FC(3)")
    assert found.code == "E207"
    assert found.message == "a needs itself: a -> b -> c -> a"


def test_a_value_that_is_true_is_not_one() -> None:
    text = "param deep = true in [0, 1]\nINPUT(4) -> FC(3)?(deep)"
    assert errors(text) == ["E205 deep = true in [0, 1]"]
    assert errors(text.replace("[0, 1]", "[false, true]")) == []


def test_the_values_that_a_knob_may_take_are_offered() -> None:
    found = error("param n = 7 in [1, 2, 3, 4]\nINPUT(4) -> FC(n)")
    assert found.message == "n = 7 is none of the values that it may take"
    assert found.help == ("--set n=1", "--set n=2", "--set n=3")


def test_mistakes_of_constants_that_nothing_uses_are_found() -> None:
    assert errors("let a = 1 // 0, b = nope\nINPUT(4) -> FC(3)") == ["E406 1 // 0", "E203 nope"]
    assert errors("default CONV(0, nope)\nINPUT(4) -> FC(3)") == ["E403 0", "E203 nope"]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ("let a = 1\nlet a = 2", "E209 a"),
        ("let a = 1, a = 2", "E209 a"),
        ("param a = 1\nlet a = 2", "E209 a"),
        ("let a = 1\nparam a = 2", "E209 a"),
        ("net A\nnet B", "E209 net B"),
        ("net A\nnet A", "E209 net A"),
        ("train { lr = 1 }\ntrain { batch = 3 }", "E209 train { batch = 3 }"),
        ("default FC(3)\ndefault FC(4)", "E209 4"),
        ("default FC(3)\ndefault FC(units=4)", "E209 4"),
    ],
)
def test_what_is_said_twice(statements: str, found: str) -> None:
    assert errors(f"{statements}\nINPUT(4) -> FC(3)") == [found]


def test_the_first_of_two_counts_and_is_pointed_at() -> None:
    text = "let a = 1\nlet a = 2\nINPUT(4) -> FC(3)\nexpect a == 1"
    found = error(text)
    assert [related.span.begin for related in found.related] == [(1, 5)]


def test_knobs_are_named_as_declared_and_then_as_they_stand_in_the_text() -> None:
    text = "INPUT(1x8x8) -> [[RELU -> POOL?]*N -> RELU?(deep)]*M\nparam z = 1, a = [z, 2x2, 'x']"
    assert list(checked(text, {"deep": False, "M": 1, "N": 1}).knobs.items()) == [
        ("z", 1), ("a", [1, (2, 2), "x"]), ("pool", True), ("N", 1), ("deep", False), ("M", 1)
    ]  # fmt: skip


# -- defaults -------------------------------------------------------------------------


def test_a_default_is_taken_argument_by_argument() -> None:
    text = (
        "default CONV(8, 3, pad=same)\nINPUT(1x8x8) -> CONV -> CONV(4) -> CONV(k=1) -> CONV(pad=0)"
    )
    assert layers(text) == [
        "CONV(8, 3, pad=same)", "CONV(4, 3, pad=same)", "CONV(8, 1, pad=same)", "CONV(8, 3, pad=0)"
    ]  # fmt: skip


def test_several_defaults_add_up() -> None:
    text = "default CONV(8)\ndefault CONV(k=1)\nINPUT(1x8x8) -> CONV\ndefault CONV(bias=false)"
    assert layers(text) == ["CONV(8, 1, bias=false)"]


def test_what_wins() -> None:
    """The use, then --set, then default, then the layer's own."""
    text = "INPUT(1x8x8) -> CONV(8, 3) -> CONV(8)\n"
    default = "default CONV(k=5, stride=2)\n"
    assert layers(text) == ["CONV(8, 3)", "CONV(8)"]
    assert layers(text, {"CONV.k": 2}) == ["CONV(8, 3)", "CONV(8, 2)"]
    assert layers(f"{text}default CONV(k=5)") == ["CONV(8, 3)", "CONV(8, 5)"]
    assert layers(default + text.replace("8x8", "20x20"), {"CONV.k": 2}) == [
        "CONV(8, 3, stride=2)", "CONV(8, 2, stride=2)"
    ]  # fmt: skip
    assert layers(text, {"CONV.pad": "same", "CONV.filters": 3}) == [
        "CONV(8, 3, pad=same)", "CONV(8, pad=same)"
    ]  # fmt: skip


def test_a_default_is_for_its_own_word() -> None:
    text = "default POOL(4)\nINPUT(1x64x64) -> POOL -> MAXPOOL -> AVGPOOL(2)"
    assert layers(text) == ["POOL(4)", "MAXPOOL", "AVGPOOL(2)"]
    assert layers(text, {"MAXPOOL.k": 8}) == ["POOL(4)", "MAXPOOL(8)", "AVGPOOL(2)"]


def test_a_default_sees_knobs_and_not_the_loop_around_a_use() -> None:
    text = "param w = 4\ndefault FC(w)\nINPUT(4) -> FC -> for w in [7] [FC -> FC(w)] -> FC"
    assert layers(text, {"w": 5}) == ["FC(5)", "FC(5)", "FC(7)", "FC(5)"]
    assert errors("default FC(w)\nINPUT(4) -> for w in [7] [FC]") == ["E203 w"]
    bare = "param w = 4\nINPUT(4) -> for w in [7, 8] [FC]"
    assert layers(bare, {"FC.units": "w"}) == ["FC(4)", "FC(4)"]


def test_a_wrong_default_is_found_where_every_use_gives_the_value() -> None:
    assert errors("default FC(0, bias=3)\nINPUT(4) -> FC(3)") == ["E403 0", "E403 3"]


def test_a_mistake_in_a_default_is_reported_once_at_the_default() -> None:
    head = "INPUT(1x8x8) -> [CONV -> RELU]*3 -> CONV(4)\n"
    assert errors(f"{head}default CONV(0)") == ["E403 0"]
    assert errors(f"{head}default CONV(4, sride=2)") == ["E402 sride"]
    assert errors(f"{head}default CONV(4, nope)") == ["E203 nope"]
    assert errors(f"{head}default RELU(4)\ndefault CONV(4)") == ["E404 4"]
    assert errors(f"{head}default CONV(4, filters=4)") == ["E405 filters"]


@pytest.mark.parametrize(
    ("statement", "found", "help"),
    [
        ("default CONV(4, pda=same)", "E402 pda", "did you mean pad?"),
        ("default COVN(4, pad=same)", "E201 COVN", "did you mean CONV?"),
        (
            "default conv(4, pad=same)",
            "E201 conv",
            "layers are written in upper case: CONV(4, pad=same)",
        ),
        ("defalut CONV(4, pad=1)", "E201 defalut", "did you mean the statement `default …`?"),
        ("defaults CONV(4, pad=1)", "E201 defaults", "did you mean the statement `default …`?"),
    ],
)
def test_a_default_that_could_not_be_read_is_not_missed_in_its_uses(
    statement: str, found: str, help: str
) -> None:
    chain = "INPUT(1x8x8) -> [CONV(k=3) -> CONV(2)]*9 -> POOL(2) :: 2x4x4\nexpect params == 1"
    for text in (f"{statement}\n{chain}", f"{chain}\n{statement}"):
        assert errors(text) == [found]
        assert error(text).help[0] == help


def test_a_misspelt_net_statement_is_no_second_chain() -> None:
    assert errors("nte LeNet\nINPUT(1x8x8) -> RELU") == ["E201 nte"]
    assert error("INPUT(1x8x8) -> RELU\nnett LeNet").help == (
        "did you mean the statement `net …`?",
    )


def test_two_chains_are_still_two() -> None:
    found = error("INPUT(1x8x8) -> RELU\nexpect params == 1\nCONV(4) -> RELU")
    assert (found.code, found.span and found.span.text) == ("E110", "CONV(4)")
    assert [related.span.text for related in found.related] == ["RELU"]
