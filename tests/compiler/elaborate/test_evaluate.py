"""Expressions: as in Python, on numbers and lists that stay small."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compiler.elaborate.harness import checked, errors

from cnnc.compiler.elaborate import scope
from cnnc.compiler.elaborate.arithmetic import FUNCTIONS, size
from cnnc.compiler.elaborate.evaluate import Evaluator
from cnnc.compiler.elaborate.scope import UNKNOWN, Mistake, Scope
from cnnc.dsl.parser import parse_value
from cnnc.dsl.source import Source


def value(text: str, **names: object) -> Any:
    node, wrong = parse_value(Source("value", text))
    assert node is not None, wrong
    return Evaluator(Scope(names)).value(node)


def same(text: str, expected: object) -> None:
    """Equal, and of the same type: 2 is not 2.0, and true is not 1."""
    actual = value(text)
    assert (actual, type(actual)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2", "7 - 9", "3 * 4", "7 / 2", "6 / 3", "7 // 2", "-7 // 2", "7 % 3", "-7 % 3",
        "7.5 // 2", "5 % 2.5", "2 ** 10", "2 ** 3 ** 2", "-2 ** 2", "2 ** -1", "(-8) ** 2.0",
        "1 - 2 - 3", "100 // 10 // 3", "2 + 3 * 4", "(2 + 3) * 4", "- -3", "+3", "1.5 + 1",
        "1 < 2", "1 < 2 < 3", "1 < 3 < 2", "3 > 2 > 1 > 0", "1 <= 1.0", "1 == 1.0", "1 != 2",
        "'a' < 'b'", "'a' == 'b'", "'a' == 1", "[1] == [1]", "[1] != [2]",
        "1 if 2 > 1 else 3", "1 if 2 < 1 else 3 if 1 < 1 else 4", "not 1 > 2",
        "1 < 2 and 2 < 3", "1 > 2 or 2 > 1", "not (1 < 2 and 2 > 3)",
        "[1, 2] + [3]", "[1] * 3", "2 * [1, 2]", "[1] * 0", "[1] * -1", "[[1]] * 2", "[]",
        "(1, 2)", "(1,)", "()",
        "range(3)", "range(1, 4)", "range(5, 0, -2)", "range(0)",
        "len([1, 2])", "len((1, 2, 3))", "len([])", "sum([1, 2.5])", "sum([])", "sum((1, 2))",
        "min(3, 2)", "min([3, 2])", "max(1, 2.5)", "max((3, 5))", "abs(-3)", "abs(-1.5)",
        "round(2.5)", "round(3.5)", "round(1.25, 1)", "round(1250, -2)", "round(-0.5)",
    ],
)  # fmt: skip
def test_what_python_gives(text: str) -> None:
    """The same text is Python's, but for lists where Python has a range."""
    python: Any = eval(text)
    same(text, list(python) if isinstance(python, range) else python)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True), ("false and true", False), ("true or false", True),
        ("100k", 100_000), ("1.5M", 1_500_000), ("61_706", 61_706), ("512MB", 2**29), ("1e3", 1e3),
        ("3x4", (3, 4)), ("3x4 == (3, 4)", True), ("max(3x5)", 5), ("len(3x5x7)", 3),
        ("zip([1, 2], [3, 4])", [(1, 3), (2, 4)]), ("zip([1])", [(1,)]), ("zip()", []),
        ("zip([1, 2], 3x4)", [(1, 3), (2, 4)]),
        ("ceil(2.1)", 3), ("ceil(2)", 2), ("floor(-0.5)", -1), ("floor(7 / 2)", 3),
        ("log2(8)", 3.0), ("sqrt(16)", 4.0), ("2**63", 2**63), ("-2**63", -(2**63)),
    ],
)  # fmt: skip
def test_what_is_not_pythons(text: str, expected: object) -> None:
    same(text, expected)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("5x5 < 7x7", True), ("5x7 < 7x7", False), ("5x7 <= 7x7", True), ("5x8 <= 7x7", False),
        ("5x5 >= 5", True), ("5 <= 5x6", True), ("5x4 >= 5", False), ("3 == 3x3", True),
        ("3x3 != 3x4", True), ("3x3 == 3x3x3", False), ("(10,) == 10", True), ("10 < (11,)", True),
    ],
)  # fmt: skip
def test_shapes_compare_entry_by_entry(text: str, holds: bool) -> None:
    same(text, holds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "divides by zero"), ("1 // 0", "divides by zero"), ("1 % 0.0", "divides by zero"),
        ("0 ** -1", "divides by zero"), ("(-8) ** 0.5", "is not a real number"),
        ("2 ** 64", "too large"), ("2 ** 63 * 2", "too large"), ("2.0 ** 5000", "too large"),
        ("9e18 ** 17", "too large"), ("2 ** 2 ** 2 ** 2 ** 2", "too large"),
        ("sum([2 ** 63, 1])", "too large"), ("ceil(2.0 ** 70)", "too large"),
        ("'a' + 'b'", "+ takes numbers"), ("true + 1", "+ takes numbers"), ("'a' * 3", "numbers"),
        ("3x3 + 1x1", "+ takes numbers"), ("(1,) * 2", "* takes numbers"), ("-'a'", "a number"),
        ("-true", "- takes a number"), ("+[1]", "+ takes a number"), ("[1] - [1]", "lists take +"),
        ("[1] + (2,)", "lists take +"), ("[1] * 2.0", "lists take +"), ("[1] * true", "lists take"),
        ("[1] * [2]", "lists take +"), ("[1] < [2]", "takes two numbers"),
        ("1 < 'a'", "takes two numbers"), ("true < 2", "takes two numbers"),
        ("3x3 < 3x3x3", "no common order"), ("3x3 < 'a'", "no common order"),
        ("('a',) < 3", "no common order"), ("(true, 1) < 3", "no common order"),
        ("range()", "one to three integers"), ("range(1.0)", "one to three integers"),
        ("range(1, 2, 0)", "a step other than 0"), ("range(100_001)", "longer than 100,000"),
        ("range(-2**63, 2**63)", "longer than 100,000"), ("len(3)", "takes a list"),
        ("len()", "takes one list"), ("len('abc')", "takes a list"), ("len([1], [2])", "one list"),
        ("sum(3)", "takes a list"), ("sum([true])", "numbers"), ("sum([1], [2])", "one list"),
        ("min()", "at least one"), ("max([])", "at least one"), ("min([1], 2)", "takes numbers"),
        ("max(1)", "takes a list"), ("abs('a')", "one number"), ("abs(1, 2)", "one number"),
        ("round('a')", "one number"), ("round(1, 2, 3)", "one number"), ("ceil()", "one number"),
        ("log2(0)", "is not a real number"), ("log2(-1)", "not a real"), ("sqrt(-1)", "not a real"),
        ("zip(1)", "takes a list"), ("zip([1, 2], [3])", "these have 2, 1 items"),
    ],
)  # fmt: skip
def test_what_has_no_value(text: str, why: str) -> None:
    with pytest.raises(Mistake) as caught:
        value(text)
    found = caught.value.diagnostic
    assert found.code == "E406"
    assert found.message.startswith("this has no value: ")
    assert why in found.message


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("nope + 1", "E203", "nope"), ("[1, nope]", "E203", "nope"),
        ("foo(3)", "E208", "foo"), ("Range(3)", "E208", "Range"),
        ("range(stop=3)", "E402", "stop=3"),
        ("not 1", "E407", "1"), ("true and 1", "E407", "1"), ("1 or true", "E407", "1"),
        ("1 if 2 else 3", "E407", "2"), ("1 + (2 + 1 // 0)", "E406", "1 // 0"),
        ("max(1, [2 ** 99])", "E406", "2 ** 99"),
    ],
)  # fmt: skip
def test_a_mistake_is_marked_where_it_is(text: str, code: str, place: str) -> None:
    with pytest.raises(Mistake) as caught:
        value(text)
    found = caught.value.diagnostic
    assert (found.code, found.span and found.span.text) == (code, place)


def test_names_that_are_near_are_suggested() -> None:
    with pytest.raises(Mistake) as caught:
        value("widht", width=3)
    assert caught.value.diagnostic.help == ("did you mean width?",)
    with pytest.raises(Mistake) as caught:
        value("rnage(3)")
    assert caught.value.diagnostic.help == ("did you mean range?",)


def test_what_is_not_reached_is_not_worked_out() -> None:
    same("true or nope", True)
    same("false and nope", False)
    same("1 if true else nope", 1)
    same("nope if false else 1", 1)
    assert value("known or 1 // 0", known=True) is True


@pytest.mark.parametrize(
    "text",
    ["x + 1", "1 - x", "-x", "not x", "x < 1", "1 < x", "[x]", "(1, x)", "max(x, 1)", "x or true",
     "x and false", "1 if x else 2", "x if true else 2", "[x] + [1]", "len([x])", "3 * x == 4"],
)  # fmt: skip
def test_what_hangs_on_something_unknown_is_unknown(text: str) -> None:
    assert value(text, x=UNKNOWN) is UNKNOWN


def test_what_does_not_hang_on_it_is_known() -> None:
    assert value("true or x", x=UNKNOWN) is True
    assert value("1 if true else x", x=UNKNOWN) == 1


# -- properties -----------------------------------------------------------------------

NUMBERS = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6, allow_nan=False)


@given(NUMBERS, st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="]),
       NUMBERS)  # fmt: skip
def test_operators_are_pythons(left: float, op: str, right: float) -> None:
    text = f"x {op} y"
    if op in ("/", "//", "%") and right == 0:
        with pytest.raises(Mistake):
            value(text, x=left, y=right)
        return
    expected = eval(text, {"x": left, "y": right})
    if isinstance(expected, float) and not math.isfinite(expected):
        return
    actual = value(text, x=left, y=right)
    assert (actual, type(actual)) == (expected, type(expected))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=8,
).filter(lambda v: v is not None)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(VALUES, max_size=3))
def test_functions_give_a_value_or_a_mistake(name: str, values: list[object]) -> None:
    names = {f"x{i}": v for i, v in enumerate(values)}
    try:
        value(f"{name}({', '.join(names)})", **names)
    except Mistake as mistake:
        assert mistake.diagnostic.code == "E406"


@given(VALUES, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<", "==", ">="]), VALUES)
def test_operators_give_a_value_or_a_mistake(left: object, op: str, right: object) -> None:
    try:
        value(f"x {op} y", x=left, y=right)
    except Mistake as mistake:
        assert mistake.diagnostic.code == "E406"


# -- limits ---------------------------------------------------------------------------


def test_a_list_is_measured_with_the_lists_in_it() -> None:
    assert [size(v) for v in (3, "abc", [], [1, 2], [[1, 2], (3,)], [[[]]])] == [0, 0, 0, 2, 5, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("let a = [0]*100_000", []),
        ("let a = [0]*100_001", ["E406 [0]*100_001"]),
        ("let a = [0]*60_000, b = a + a", ["E406 a + a"]),
        ("let a = [0]*999, b = [a]*1000", []),
        ("let a = [0]*1000, b = [a]*1000", ["E406 [a]*1000"]),
        ("let a = [0]*900, b = [a]*600, c = [b, b]", ["E406 [b, b]"]),
        ("let a = [0]*900, b = [a]*600, c = (b, b)", ["E406 (b, b)"]),
        ("let a = [[0]*9]*99_999, b = a, c = zip(a)", ["E406 zip(a)"]),
        ("let a = 9_000_000_000 * [0]", ["E406 9_000_000_000 * [0]"]),
    ],
)  # fmt: skip
def test_lists_stay_small_however_they_are_made(text: str, found: list[str]) -> None:
    assert errors(f"INPUT(4) -> FC(3)\n{text}") == found


def test_lists_do_not_nest_without_end() -> None:
    chain = ", ".join(f"a{i + 1} = [a{i}]" for i in range(300))
    assert errors(f"INPUT(4) -> FC(3)\nlet a0 = 1, {chain}") == ["E406 [a200]"]


def test_constants_do_not_need_one_another_without_end() -> None:
    chain = ", ".join(f"a{i} = a{i + 1}" for i in range(199))
    assert errors(f"INPUT(4) -> FC(a0)\nlet {chain}, a199 = 3") == []
    chain = ", ".join(f"a{i} = a{i + 1}" for i in range(900))
    found = checked(f"INPUT(4) -> FC(a0)\nlet {chain}, a900 = 3").diagnostics
    assert {d.code for d in found} == {"E902"}
    assert found[0].message == "a200 is needed through more than 200 others"
    forward = ", ".join(f"a{i + 1} = a{i}" for i in range(900))
    assert errors(f"INPUT(4) -> FC(a900)\nlet a0 = 3, {forward}") == []


def test_the_largest_nets_are_within_the_limit_of_steps(monkeypatch) -> None:
    """A hundredth of 100,000 layers, with every argument given, in a hundredth of the steps."""
    monkeypatch.setattr(scope, "MOST_STEPS", scope.MOST_STEPS // 100)
    conv = "CONV(2 * w, k, stride=1 + 0, pad=(1, 1, 1, 1), dilation=1x1, groups=1, bias=w > 0)"
    assert errors(f"let w = 2, k = 3\nINPUT(4x8x8) -> [{conv}]*1000") == []


def test_steps_are_counted_and_refused_past_a_limit_once(monkeypatch) -> None:
    """Sums of long lists, again and again: 2 * 100 items and a few nodes in each turn."""
    monkeypatch.setattr(scope, "MOST_STEPS", 10_000)
    chain = "INPUT(1x4x4) -> for i in range({}) [RELU?(sum(range(100)) > i)]"
    assert errors(chain.format(40)) == []
    (found,) = checked(f"{chain.format(90)} -> RELU?(1 + 1 > 1) -> POOL(9)").diagnostics
    assert found.code == "E904"
    assert found.message == "the spec is more than 10,000 steps to work out"
    assert found.span is not None and "range(100)" in found.span.text


def test_items_of_shared_lists_are_counted_where_they_are_compared(monkeypatch) -> None:
    monkeypatch.setattr(scope, "MOST_STEPS", 10_000)
    lists = "let a = [0]*30, b = [a]*30, c = [0]*30, d = [c]*30"
    text = f"{lists}\nINPUT(4) -> for i in range({{}}) [RELU?(b == d)]"
    assert errors(text.format(4)) == []
    (found,) = checked(text.format(20)).diagnostics
    assert (found.code, found.span and found.span.text) == ("E904", "b == d")
