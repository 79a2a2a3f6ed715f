"""Values are written as they are read, and shortened in messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnc.compiler.elaborate.evaluate import Evaluator
from cnnc.compiler.elaborate.scope import Scope
from cnnc.compiler.values import Made, Word, brief, is_integer, is_number, show, show_shape
from cnnc.dsl.parser import parse_value
from cnnc.dsl.source import Source


def read(text: str) -> Any:
    node, wrong = parse_value(Source("value", text))
    assert node is not None, wrong
    return Evaluator(Scope()).value(node)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"), (-3, "-3"), (0.5, "0.5"), (1e-12, "1e-12"), (2.0, "2.0"), (1e16, "1e+16"),
        (True, "true"), (False, "false"), (None, "none"),
        ("a b", '"a b"'), ('say "a"', "'say \"a\"'"),
        ((3, 32, 32), "3x32x32"), ((5, 5), "5x5"), ((5,), "(5,)"), ((), "()"),
        ((1, 2, 3, 4), "(1, 2, 3, 4)"), ((0, 1), "(0, 1)"), ((-1, 1), "(-1, 1)"),
        ((True, 1), "(true, 1)"), ((1.5, 2), "(1.5, 2)"),
        ([], "[]"), ([1, [2, (3, 4)]], "[1, [2, 3x4]]"), ([True, "a"], '[true, "a"]'),
        (Word("same"), "same"), (Made("normal", (0.1,), ()), "normal(0.1)"),
        (Made("sgd", (), (("momentum", 0.9), ("on", True))), "sgd(momentum=0.9, on=true)"),
        (Made("he", (), ()), "he()"),
    ],
)  # fmt: skip
def test_show(value: object, text: str) -> None:
    assert show(value) == text


PLAIN = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(-9e18, 9e18, allow_nan=False)
    | st.text("abc xyz#()[]->'", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=6,
)


@given(PLAIN)
def test_what_is_shown_is_read_back(value: object) -> None:
    again = read(show(value))
    assert again == value
    assert show(again) == show(value)


def test_a_long_list_is_shortened_in_a_message() -> None:
    assert brief([1, 2, 3, 4, 5, 6, 7, 8]) == "[1, 2, 3, 4, 5, 6, 7, 8]"
    assert brief(list(range(100))) == "[0, 1, 2, 3, …, 99]"
    assert brief(tuple(range(10, 100))) == "(10, 11, 12, 13, …, 99)"
    assert brief([[1, [2, [3]]], (4, (5,))]) == "[[1, […]], (4, (…))]"
    assert brief("long " * 3) == '"long long long "'


@given(PLAIN)
def test_a_message_stays_short_however_large_the_value(value: object) -> None:
    large = [[value] * 1000] * 1000
    assert len(brief(large)) < 25 * (len(brief(value)) + 10)


def test_show_shape() -> None:
    assert [show_shape(s) for s in ((3, 32, 32), (10,), (0, 1))] == ["3x32x32", "10", "0x1"]


def test_a_truth_is_no_number() -> None:
    assert [is_integer(v) for v in (3, True, 3.0, "3", None)] == [True, False, False, False, False]
    assert [is_number(v) for v in (3, 3.0, True, "3", None)] == [True, True, False, False, False]
