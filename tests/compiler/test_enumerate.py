"""The members of a family: what is varied, in which order, which of them hold, how many."""

from __future__ import annotations

import pytest

import cnnc
from cnnc.compiler.elaborate.settings import WrongUse
from cnnc.compiler.enumerate import MOST_MEMBERS, Family, Member, alternatives
from cnnc.dsl.diagnostics import SpecError
from cnnc.dsl.source import Source

SPEC = """\
param N = 2 in [1, 2, 3], M = 1, f = 4
INPUT(1x8x8) -> [[CONV(f, 3, pad=1) -> RELU]*N -> POOL]*M -> FC(10)
"""


def family(text: str = SPEC, input: str | None = None, where: str | None = None, **sets: str):
    return Family(Source("family.cnn", text), sets, input, where)


def members(*args, **sets) -> list[Member]:
    return list(family(*args, **sets).members())


def test_knobs_with_a_list_are_varied_and_others_keep_their_value() -> None:
    found = members()
    assert [m.values for m in found] == [{"N": "1"}, {"N": "2"}, {"N": "3"}]
    assert [m.checked.knobs["M"] for m in found] == [1, 1, 1]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1..3", [1, 2, 3]),
        (" 2 .. 8 .. 3 ", [2, 5, 8]),
        ("1..8..3", [1, 4, 7]),
        ("-1..1", [-1, 0, 1]),
        ("1k..1_002", [1000, 1001, 1002]),
        ("5..5", [5]),
        ("[1, 2, 4]", ["1", "2", "4"]),
        ("[true, false]", ["true", "false"]),
        ("[[1, 2], [3]]", ["[1, 2]", "[3]"]),
        ("[2, 2, 1]", ["2", "1"]),
        ("3x3", ["3x3"]),
        ("'a..b'", ["'a..b'"]),
        ("(1, 2)", ["(1, 2)"]),
    ],
)
def test_alternatives(text: str, values: list[object]) -> None:
    assert list(alternatives("N", text)) == values


@pytest.mark.parametrize(
    "text", ["1..", "..3", "1..2..3..4", "0.1..0.3", "a..b", "3..1", "1..5..0", "1..5..-1", "[]",
             "1 2", "..", "", "true..false"],
)  # fmt: skip
def test_alternatives_without_meaning(text: str) -> None:
    with pytest.raises(WrongUse, match="N"):
        alternatives("N", text)


def test_every_combination_the_last_name_fastest() -> None:
    found = members(M="[1, 2]", f="3..4", N="2")
    assert [tuple(m.values.values()) for m in found] == [
        ("1", "3"), ("1", "4"), ("2", "3"), ("2", "4")
    ]  # fmt: skip
    assert len(family(M="[1, 2]", f="3..4")) == 12


def test_member_is_the_net_that_setting_its_values_gives() -> None:
    for member in members(M="1..2", f="[4, 8]"):
        alone = cnnc.parse(SPEC, set=dict(member.values))
        assert (member.net.params, member.net.macs) == (alone.params, alone.macs)
        assert str(member.net) == str(alone.checked.require())
    text = SPEC + "expect memory(batch=16) == {}\n"
    assert cnnc.parse(text.format(members(N="2")[0].memory(16))).params > 0


def test_arguments_of_layers_are_varied_too() -> None:
    found = members("INPUT(1x8x8) -> CONV(4) -> POOL -> FC(10)",
                    **{"CONV.k": "[1, 3, 1x3]", "POOL.mode": "[max, avg]"})  # fmt: skip
    assert len(found) == 6
    assert {m.net.layers[2].layer.mode for m in found} == {"max", "avg"}  # type: ignore[attr-defined]


def test_members_that_do_not_hold_say_why() -> None:
    found = members(M="3..4", N="1")
    assert found[0].error is None
    assert found[1].error is not None
    assert (found[1].error.code, found[1].error.message) == (
        "E301", "POOL does not fit: its input is 1x1"
    )  # fmt: skip
    with pytest.raises(SpecError):
        _ = found[1].net


def test_first_of_several_mistakes_is_the_reason() -> None:
    (member,) = members("INPUT(1x8x8) -> POOL(9) -> CONVV(2)")
    assert [d.code for d in member.checked.diagnostics] == ["E301", "E201"]
    assert member.error is member.checked.diagnostics[0]


def test_value_outside_its_list_does_not_hold() -> None:
    assert [m.error and m.error.code for m in members(N="3..4")] == [None, "E205"]


def test_expectation_that_fails_does_not_hold() -> None:
    found = members(SPEC + "expect params < 800\n", N="[1, 3]", f="4")
    assert [m.error and m.error.code for m in found] == [None, "E501"]


@pytest.mark.parametrize(
    ("where", "fitting"),
    [
        ("N >= 2", ["2", "3"]),
        ("params < 1k and N > 1", ["2", "3"]),
        ("macs / N > 6.1k", ["3"]),
        ("output == 10 and receptive_field == 8x8 and depth < 4", ["1", "2"]),
        ("memory(batch=1) > 1GB", []),
        ("true", ["1", "2", "3"]),
    ],
)
def test_condition(where: str, fitting: list[str]) -> None:
    found = members(where=where)
    assert [m.values["N"] for m in found if m.meets] == fitting
    assert all(m.error is None for m in found)
    assert all(m.net.params for m in found if m.meets)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("prams < 3", "an expectation knows nothing called prams"),
        ("params", "an expectation is true or false"),
        ("params <", "is none"),
        ("", "is none"),
        ("1 / (N - 1) < 2", "divides by zero"),
        ("memory(batch=0) < 1", "at least 1"),
        ("params < 1 INPUT(3)", "is none"),
    ],
)
def test_wrong_condition(where: str, message: str) -> None:
    with pytest.raises(WrongUse, match=message) as error:
        members(where=where)
    assert "--where" in error.value.message


def test_wrong_condition_is_found_where_no_member_holds() -> None:
    with pytest.raises(WrongUse, match="prams"):
        members(M="5..6", where="prams < 3")


@pytest.mark.parametrize("sets", [{"Q": "1..2"}, {"CONV.kk": "[1, 2]"}, {"DROPOUT.p": "0.1"}])
def test_what_the_spec_does_not_have_is_wrong_use(sets: dict[str, str]) -> None:
    with pytest.raises(WrongUse, match=r"^\S+ has no (knob|layer)|CONV has no"):
        family(**sets)


def test_other_input_shape() -> None:
    assert members(input="1x4x4", N="1")[0].net.input_shape == (1, 4, 4)
    with pytest.raises(WrongUse, match="--input"):
        members(input="none")


def test_count_is_checked_before_anything_else() -> None:
    most = family(f=f"1..{MOST_MEMBERS}", N="1")
    assert len(most) == MOST_MEMBERS
    for sets in (
        {"f": f"1..{MOST_MEMBERS + 1}", "N": "1"},
        {"f": f"1..{MOST_MEMBERS}"},
        {"f": "-9223372036854775807..9223372036854775807"},
        {"f": "1..1_000_000_000_000", "M": "1..1_000_000_000"},
    ):
        with pytest.raises(WrongUse, match="members, and the limit is 10,000") as error:
            family(**sets)
        assert "(f)" in error.value.message


def test_choices_may_be_expressions() -> None:
    text = "let top = 3\nparam N = 1 in range(1, top + 1)\nINPUT(1x8x8) -> [RELU]*N -> FC(2)\n"
    assert [m.values["N"] for m in members(text)] == ["1", "2", "3"]


def test_wrong_list_is_reported_by_the_check() -> None:
    found = members("param N = 1 in 3\nINPUT(1x8x8) -> [RELU]*N -> FC(2)\n")
    assert [m.error and m.error.code for m in found] == ["E205"]


@pytest.mark.parametrize("text", ["INPUT(1x8x8) ->", "let a = 1\n", ""])
def test_spec_without_a_net(text: str) -> None:
    with pytest.raises(SpecError):
        for member in members(text):
            assert member.error is None or member.net
