"""Repeats, options and loops: what is built, how often, and in which order."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import checked, error, errors, layers

HEAD = "let two = 2, counts = [1, 2, 3]\nparam N = 3\nINPUT(1x4x4) -> "

# -- repeats --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "often"),
    [
        ("RELU*3", 3),
        ("RELU*0", 0),
        ("RELU*1", 1),
        ("[RELU]*2*3", 6),
        ("[[RELU]*2]*3", 6),
        ("[RELU*2 -> RELU]*3", 9),
        ("RELU*(1 + 1)", 2),
        ("RELU*(7 // 2)", 3),
        ("RELU*(len([5, 5, 5, 5]))", 4),
        ("RELU*two", 2),
        ("RELU*N", 3),
        ("[RELU*[1, 2, 3]]*3", 6),
        ("[RELU*[0, 2]]*2", 2),
        ("[RELU*counts]*3", 6),
        ("[RELU*counts]*N", 6),
        ("for n in [3, 1] [RELU*n]", 4),
        ("for n in [[1, 2], [4]] [RELU*(len(n))]", 3),
        ("for n in [1, 1] [RELU*[2, 3]]", 5),
        ("ID*5 -> RELU", 1),
        ("[ID -> RELU]*2", 2),
    ],
)
def test_counts(chain: str, often: int) -> None:
    assert layers(HEAD + chain) == ["RELU"] * often


@pytest.mark.parametrize(
    ("chain", "place"),
    [
        ("RELU*1.5", "1.5"),
        ("RELU*(1 - 2)", "(1 - 2)"),
        ("RELU*(4 / 2)", "(4 / 2)"),
        ("RELU*(2 > 1)", "(2 > 1)"),
        ("RELU*('2')", "('2')"),
        ("RELU*(2x2)", "(2x2)"),
        ("[RELU*[1, -1]]*2", "-1"),
        ("[RELU*[1, 0.5]]*2", "0.5"),
        ("for n in [1, true] [RELU*n]", "n"),
    ],
)
def test_what_is_no_count(chain: str, place: str) -> None:
    assert errors(HEAD + chain) == [f"E408 {place}"]


def test_a_repeat_runs_from_front_to_back() -> None:
    text = HEAD + "[[CONV([1, 2], 1) -> RELU]*2 -> [CONV([3, 4, 5], 1)]*3]*1"
    convs = [f"CONV({n}, 1)" for n in range(1, 6)]
    assert layers(text) == [convs[0], "RELU", convs[1], "RELU", *convs[2:]]


# -- optional elements ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "kept"),
    [
        ("RELU?", 1),
        ("RELU?(true)", 1),
        ("RELU?(false)", 0),
        ("RELU?(1)", 1),
        ("RELU?(0)", 0),
        ("RELU?(N > 2)", 1),
        ("RELU?(N > 3)", 0),
        ("RELU?(N > 2 and not two == 2)", 0),
        ("[RELU -> RELU]?(N == 3)", 2),
        ("[RELU]*2?(false)", 0),
        ("[RELU?(false)]*2", 0),
        ("[RELU?([true, false, true])]*N", 2),
        ("[RELU?([1, 1, 0])]*3", 2),
        ("[RELU?(counts == [1, 2, 3])]*3", 3),
        ("for keep in [true, false] [RELU?(keep)]", 1),
        ("for keep in [(1, 0), (0, 0)] [RELU?(max(keep))]", 1),
        ("for relu in [true, false, true] [RELU?]", 2),
    ],
)
def test_options(chain: str, kept: int) -> None:
    assert layers(HEAD + chain) == ["RELU"] * kept


def test_an_option_is_decided_by_the_spec_alone() -> None:
    """A pooling that does not fit is a mistake, not a reason to leave it out."""
    assert errors("INPUT(1x2x2) -> POOL(3)?") == ["E301 POOL(3)"]
    assert errors("INPUT(1x2x2) -> POOL(3)?(false)") == []


def test_the_knob_of_an_option_is_that_of_its_layer_in_lower_case() -> None:
    text = "INPUT(1x8x8) -> [RELU? -> MAXPOOL? -> POOL?]*2"
    assert checked(text).knobs == {"relu": True, "maxpool": True, "pool": True}
    assert layers(text, {"maxpool": False, "relu": False}) == ["POOL", "POOL"]
    assert layers(text, {"maxpool": "[1, 0]", "pool": "[0, 1]"}) == [
        "RELU", "MAXPOOL", "RELU", "POOL"
    ]  # fmt: skip
    declared = "param pool = false\nlet relu = false\n" + text
    assert layers(declared) == ["MAXPOOL", "MAXPOOL"]
    assert checked(declared).knobs == {"pool": False, "maxpool": True}


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("RELU?(2)", "E407 2"),
        ("RELU?(0.5)", "E407 0.5"),
        ("RELU?('a')", "E407 'a'"),
        ("RELU?(two)", "E407 two"),
        ("RELU?((1, 0))", "E407 (1, 0)"),
        ("[RELU?([1, 2])]*2", "E407 2"),
        ("RELU?(not 1)", "E407 1"),
        ("RELU?(true and 1)", "E407 1"),
        ("[RELU?([1, 0])]*3", "E206 [1, 0]"),
        ("[RELU -> RELU]?", "E409 ?"),
        ("RELU*2?", "E409 ?"),
        ("RELU?(true)?", "E409 ?"),
    ],
)
def test_what_is_no_condition(chain: str, found: str) -> None:
    assert errors(HEAD + chain) == [found]


def test_a_knob_of_an_option_that_is_no_truth() -> None:
    assert errors("param relu = 3\nINPUT(1x4x4) -> RELU?") == ["E407 RELU?"]
    assert errors("INPUT(1x4x4) -> RELU?", {"relu": "3"}) == ["E407 RELU?"]


def test_a_group_needs_its_condition_and_is_shown_how() -> None:
    assert error("INPUT(1x4x4) -> [RELU]?").help == ("write [RELU]?(name) and `param name = true`",)


# -- for ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loop", "filters"),
    [
        ("for f in [4, 8] [CONV(f, 1)]", [4, 8]),
        ("for f in (4, 8) [CONV(f, 1)]", [4, 8]),
        ("for f in [] [CONV(f, 1)] -> CONV(9, 1)", [9]),
        ("for f in range(1, 4) [CONV(2**f, 1)]", [2, 4, 8]),
        ("for f in range(3, 0, -1) [CONV(f, 1)]", [3, 2, 1]),
        ("for f, n in [(4, 2), (8, 1)] [CONV(f, 1)*n]", [4, 4, 8]),
        ("for f, n in [[4, 2], [8, 1]] [CONV(f, 1)*n]", [4, 4, 8]),
        ("for f, n in ((4, 2), (8, 1)) [CONV(f, 1)*n]", [4, 4, 8]),
        ("for f, n in [2x3] [CONV(f, 1)*n]", [2, 2, 2]),
        ("for f, n in zip([4, 8], [1, 2]) [CONV(f, 1)*n]", [4, 8, 8]),
        ("for f, n, m in zip([4], [1], [2]) [CONV(f, 1)*(n + m)]", [4, 4, 4]),
        ("for f in zip([4, 8]) [CONV(max(f), 1)]", [4, 8]),
        ("for f in counts [CONV(f, 1)]", [1, 2, 3]),
        ("for f in [N, two] [CONV(f, 1)]", [3, 2]),
        ("for f in [5] [for g in [f, f + 1] [CONV(g, 1)]]", [5, 6]),
        ("for f in [1, 2] [for f in [3, 4] [CONV(f, 1)] -> CONV(f, 1)]", [3, 4, 1, 3, 4, 2]),
        ("for N in [1, 2] [CONV(N, 1)] -> CONV(N, 1)", [1, 2, 3]),
        ("for two in [7] [CONV(two, 1)] -> CONV(two, 1)", [7, 2]),
        ("[for f in [1, 2] [CONV(f, 1)]]*2", [1, 2, 1, 2]),
    ],
)
def test_loops(loop: str, filters: list[int]) -> None:
    assert layers(HEAD + loop) == [f"CONV({f}, 1)" for f in filters]


def test_a_let_does_not_see_the_loop_around_its_use() -> None:
    text = "param f = 5\nlet twice = 2 * f\nINPUT(1x4x4) -> for f in [1, 2] [CONV(twice + f, 1)]"
    assert layers(text) == ["CONV(11, 1)", "CONV(12, 1)"]
    assert errors(text.replace("param f = 5\n", "")) == ["E203 f"]


@pytest.mark.parametrize(
    ("loop", "found"),
    [
        ("for f in 3 [RELU]", "E410 3"),
        ("for f in true [RELU]", "E410 true"),
        ("for f in 'ab' [RELU]", "E410 'ab'"),
        ("for f, n in [4, 8] [RELU]", "E410 4"),
        ("for f, n in [(4, 1), (8, 1, 2)] [RELU]", "E410 (8, 1, 2)"),
        ("for f, n in [(4, 1), [8]] [RELU]", "E410 [8]"),
        ("for f, n in zip([4, 8]) [RELU]", "E410 zip([4, 8])"),
        ("for f, n in counts [RELU]", "E410 counts"),
        ("for f in zip([4, 8], [1]) [RELU]", "E406 zip([4, 8], [1])"),
        ("for f, f in [(4, 8)] [RELU]", "E209 f"),
        ("for f in nothing [RELU]", "E203 nothing"),
        ("for f in [4, nothing] [CONV(f, 1)]", "E203 nothing"),
        ("for f in [4] [CONV(f, 1)] -> CONV(f, 1)", "E203 f"),
    ],
)
def test_loops_that_are_none(loop: str, found: str) -> None:
    assert errors(HEAD + loop) == [found]


def test_what_does_not_unpack_is_counted() -> None:
    loop = "INPUT(1x4x4) -> for f, n in [{}] [RELU]"
    assert error(loop.format("(1, 2, 9)")).message == (
        "`for f, n` takes 2 values from each item, and 1x2x9 has 3"
    )
    assert error(loop.format("7")).message.endswith("and 7 is one")


def test_a_wrong_item_is_pointed_at_on_its_own_line() -> None:
    found = error("INPUT(1x4x4)\n-> for f, n in [\n  (4, 1),\n  (8, 1, 2),\n] [CONV(f, 1)*n]")
    assert found.span is not None
    assert found.span.begin == (4, 3)


# -- what is not known silences what hangs on it --------------------------------------


def test_a_body_is_checked_once_where_the_count_is_not_known() -> None:
    """Mistakes that stand by themselves are found, shapes and lists are not judged."""
    body = "[CONV([1, 2], 9) -> POOL(0) -> NOPE]"
    assert errors(f"INPUT(1x4x4) -> {body}*Q -> POOL(77) :: 3") == ["E403 0", "E201 NOPE", "E204 Q"]
    assert errors(f"INPUT(1x4x4) -> for a in b {body}") == ["E203 b", "E403 0", "E201 NOPE"]
    assert errors(f"INPUT(1x4x4) -> {body}?(q)") == [
        "E206 [1, 2]", "E403 0", "E201 NOPE", "E204 q"
    ]  # fmt: skip


def test_a_mistake_in_a_body_is_reported_once_for_all_turns() -> None:
    assert errors("INPUT(1x4x4) -> [CONV(4, 9)]*5") == ["E301 CONV(4, 9)"]
    assert errors("INPUT(1x4x4) -> for i in range(5) [CONV(nope, 1)]") == ["E203 nope"]
