"""How large a net may get: it is counted before it is built."""

from __future__ import annotations

import pytest
from tests.compiler.elaborate.harness import error, errors

from cnnc.compiler.elaborate import expand
from cnnc.compiler.elaborate.bind import Binder
from cnnc.compiler.elaborate.build import Builder
from cnnc.compiler.elaborate.expand import MOST_LAYERS, MOST_VISITS, Expander, TooLarge
from cnnc.compiler.elaborate.scope import Scope
from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostics
from cnnc.dsl.parser import parse
from cnnc.dsl.source import Source

HEAD = "INPUT(1x4x4) -> "


def expanded(chain: str) -> Expander:
    """The expander after a chain, as far as it came."""
    file, wrong = parse(Source("a.cnn", HEAD + chain))
    assert not wrong
    found = Diagnostics()
    expander = Expander(Binder(found), Builder(found))
    (whole,) = file.statements
    assert isinstance(whole, nodes.Chain)
    try:
        expander.chain(whole, None, Scope())
    except TooLarge:
        assert [d.code for d in found.sorted()] == ["E904"]
    else:
        assert not found.failed
    return expander


@pytest.mark.parametrize(
    ("chain", "layers"),
    [
        ("RELU", 2),
        ("RELU*10", 11),
        ("[RELU -> ID]*10", 21),  # ID is none, and costs as much
        ("RELU*0", 2),
        ("[RELU?(false)]*10", 11),
        ("[RELU*0]*10", 11),
        ("for i in [] [RELU]", 2),
        ("for i in range(3) [RELU*i]", 5),  # the turn of none counts 1
    ],
)
def test_turns_that_build_nothing_count_too(chain: str, layers: int) -> None:
    assert expanded(chain).layers == layers


@pytest.mark.parametrize(
    "chain",
    [
        f"RELU*{MOST_LAYERS}",
        "RELU*9_000_000_000",
        "[[RELU]*1000]*1000",
        "[[[RELU]*100]*100]*100",
        "[RELU -> RELU]*50_000",
        "[[RELU]*0]*1_000_000",
        "[[RELU?(false)]*1000]*1000",
        "for i in range(100_000) [RELU]",
        "[for i in range(1000) [RELU]]*1000",
        "for i in range(1000) [RELU*1000]",
        "for i in range(1000) [for j in range(1000) [RELU]]",
        "for i in range(1000) [[for j in [] [RELU]]*1000]",
    ],
)
def test_what_is_too_large_is_refused_before_anything_of_it_is_built(chain: str) -> None:
    expander = expanded(chain)
    assert expander.visited <= 3  # INPUT and what is refused
    assert len(expander.builder.layers) == 1


@pytest.mark.parametrize(
    "chain",
    [
        "for i in range(100) [RELU*i]",  # 4,950 in all, and the first turns are small
        "for n in [600, 600] [RELU*n]",
        "[RELU*[999, 3]]*2",
        "RELU*600 -> RELU*600",
    ],
)
def test_nothing_is_built_past_the_limit(chain: str, monkeypatch) -> None:
    monkeypatch.setattr(expand, "MOST_LAYERS", 1000)
    expander = expanded(chain)
    assert len(expander.builder.layers) <= 1000
    assert expander.visited <= 2000


@pytest.mark.parametrize(
    "chain", ["for n in [998, 0] [ID*n]", "[ID*[997, 0, 0]]*3", "[ID*3]*333", "RELU*999"]
)
def test_what_is_within_the_limit_is_not_refused(chain: str, monkeypatch) -> None:
    monkeypatch.setattr(expand, "MOST_LAYERS", 1000)
    assert expanded(chain).layers == 1000


def test_groups_around_few_layers_are_steps_too(monkeypatch) -> None:
    """100 brackets around each of few layers: the layers alone would be within the limit."""
    monkeypatch.setattr(expand, "MOST_VISITS", MOST_VISITS // 1000)
    deep = "[" * 100 + "ID" + "]" * 100
    assert errors(f"{HEAD}[{deep}]*9") == []
    assert [code.split()[0] for code in errors(f"{HEAD}[{deep}]*11")] == ["E904"]


def test_a_net_that_is_too_large_is_one_mistake() -> None:
    chain = "[[RELU]*1000]*1000"
    assert errors(f"{HEAD}{chain} -> CONV(0) -> NOPE*Q -> POOL(9) :: 3\nexpect params == 1") == [
        f"E904 {chain}", "E204 Q"
    ]  # fmt: skip


# -- blocks ---------------------------------------------------------------------------


def chain_of_blocks(n: int, body: str = "b{}", last: str = "FC(3)") -> str:
    """n blocks, each of which uses the next."""
    blocks = [f"block b{i}() = {body.format(i + 1)}" for i in range(n)]
    return "\n".join([*blocks, f"block b{n}() = {last}"])


def test_blocks_are_counted_before_they_are_expanded() -> None:
    text = f"INPUT(4) -> b0\n{chain_of_blocks(60, 'b{0} -> b{0}')}"  # 2**60 layers
    assert errors(text) == ["E904 b0"]
    text = f"INPUT(4) -> b0\n{chain_of_blocks(60, '[b{0} -> b{0}]?(false)', 'RELU')} -> FC(3)"
    assert errors(text) == []


@pytest.mark.parametrize("body", ["b{}", "[b{}]*1", "CONCAT{{ ID | b{} }}", "b{}?(true) as x"])
def test_blocks_do_not_nest_without_end(body: str) -> None:
    assert errors(f"INPUT(4) -> b0\n{chain_of_blocks(100, body)}") == []
    (found,) = errors(f"INPUT(4) -> b0\n{chain_of_blocks(1100, body)}")
    assert found.startswith("E902 b")


def test_nor_does_the_search_for_circles() -> None:
    """Far more blocks than Python has room for calls, in both orders."""
    lines = chain_of_blocks(6000).splitlines()
    for text in ("\n".join(lines), "\n".join(reversed(lines))):
        (found,) = errors(f"INPUT(4) -> b0\n{text}")
        assert found.startswith("E902 b")


def test_brackets_in_blocks_add_up() -> None:
    deep = "[" * 190 + "b{}" + "]" * 190
    assert errors(f"INPUT(4) -> b0\n{chain_of_blocks(5, deep)}") == []
    (found,) = errors(f"INPUT(4) -> b0\n{chain_of_blocks(50, deep)}")
    assert found.startswith("E902 b")


def test_a_long_circle_is_shown_in_short() -> None:
    found = error(f"INPUT(4) -> b0\n{chain_of_blocks(3000, last='b0')}")
    assert found.message == ("block b0 uses itself: b0 -> b1 -> b2 -> b3 -> … -> b3000 -> b0")
