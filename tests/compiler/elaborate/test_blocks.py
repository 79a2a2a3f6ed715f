"""Blocks: formals, defaults, scopes, the repeats around a use, and what is wrong with them."""

from __future__ import annotations

import pytest

import cnnc


def names(text: str, **given: object) -> list[str]:
    return [layer.name for layer in cnnc.parse(text, **given).layers]  # type: ignore[arg-type]


def written(text: str) -> list[str]:
    return [layer.layer.written() for layer in cnnc.parse(text).layers[1:]]


def codes(text: str, **given: object) -> list[str]:
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(text, **given)  # type: ignore[arg-type]
    return [d.code for d in raised.value.diagnostics]


def test_a_block_is_expanded_in_place() -> None:
    text = "block pair(f, k=3) = CONV(f, k) -> RELU\nINPUT(3x9x9) -> pair(4) -> pair(k=1, f=8)"
    assert written(text) == ["CONV(4, 3)", "RELU", "CONV(8, 1)", "RELU"]
    assert names(text) == ["input1", "conv1", "relu1", "conv2", "relu2"]


def test_formals_have_defaults_that_may_use_lets_and_earlier_formals() -> None:
    text = (
        "let w = 2\nblock b(f, g=f*w) = CONV(f, 1) -> CONV(g, 1)\nINPUT(3x9x9) -> b(4) -> b(4, 5)"
    )
    assert written(text) == ["CONV(4, 1)", "CONV(8, 1)", "CONV(4, 1)", "CONV(5, 1)"]


def test_words_are_passed_through() -> None:
    text = "block b(m, p=same) = CONV(2, 3, pad=p) -> POOL(3, mode=m)\nINPUT(3x9x9) -> b(avg)"
    assert written(text) == ["CONV(2, 3, pad=same)", "POOL(3, mode=avg)"]
    text = "block b(i=normal(0.5)) = FC(2, init=i)\nINPUT(3) -> b -> b(orthogonal)"
    assert written(text) == ["FC(2, init=normal(0.5))", "FC(2, init=orthogonal)"]
    assert codes("block b(m) = POOL(3, mode=m)\nINPUT(3x9x9) -> b(average)") == ["E203"]


def test_lists_see_the_repeats_around_the_use_and_those_inside() -> None:
    body = "block b(f) = [CONV(f, 1)]*2\nINPUT(3x9x9) -> "
    assert written(body + "b([4, 8])") == ["CONV(4, 1)", "CONV(8, 1)"]
    assert written(body + "[b([4, 8, 5])]*3")[::2] == ["CONV(4, 1)", "CONV(8, 1)", "CONV(5, 1)"]
    assert codes(body + "[b([4, 8])]*2") == ["E206"]
    plain = "block b(f) = CONV(f, 1)\nINPUT(3x9x9) -> "
    assert written(plain + "[b([4, 8])]*2") == ["CONV(4, 1)", "CONV(8, 1)"]
    assert codes(plain + "b([4, 8])") == ["E206"]


def test_a_list_for_an_argument_that_is_one_is_not_per_repetition() -> None:
    text = "block b(p) = [CONV(4, 3, pad=p)]*4\nINPUT(3x9x9) -> b([1, 0, 1, 0])"
    assert written(text) == ["CONV(4, 3, pad=[1, 0, 1, 0])"] * 4


def test_names_are_those_of_the_place_where_the_block_is_written() -> None:
    text = "block b = RELU"  # formals stand in parentheses
    assert codes(text + "\nINPUT(3) -> FC(1)") == ["E123"]
    inner = "block b(f) = CONV(n, 1)\nINPUT(3x9x9) -> for n in [4] [ b(n) ]"
    assert codes(inner) == ["E203"]


def test_counts_and_options_that_name_nothing_are_knobs() -> None:
    text = "block b(f) = [CONV(f, 1) -> POOL?]*N\nINPUT(3x8x8) -> b(4)"
    assert codes(text) == ["E204"]
    assert names(text, set={"N": 2, "pool": False}) == ["input1", "conv1", "conv2"]
    unused = "block b(f) = [CONV(f, 1)]*N\nINPUT(3x9x9) -> FC(2)"
    assert names(unused) == ["input1", "fc1"]


def test_default_and_set_serve_blocks_too() -> None:
    text = "block b(f, k=1) = CONV(f, k)\ndefault b(4)\nINPUT(3x9x9) -> b -> b(5)"
    assert written(text) == ["CONV(4, 1)", "CONV(5, 1)"]
    net = cnnc.parse(text, set={"b.k": 3})
    assert [layer.layer.written() for layer in net.layers[1:]] == ["CONV(4, 3)", "CONV(5, 3)"]
    with pytest.raises(ValueError, match="b has no argument z"):
        cnnc.parse(text, set={"b.z": 3})


@pytest.mark.parametrize(
    "text, code, column",
    [
        ("block a(n) = RELU -> a(n)\nINPUT(3) -> a(1)", "E214", 22),
        ("block a() = b()\nblock b() = RELU -> a()\nINPUT(3) -> a()", "E214", 21),
        ("block a(n) = FC(n)\nINPUT(3) -> a(1, 2)", "E404", 18),
        ("block a(n) = FC(n)\nINPUT(3) -> a(m=2)", "E402", 15),
        ("block a(n) = FC(n)\nINPUT(3) -> a", "E401", 13),
        ("block a(n) = FC(n)\nINPUT(3) -> a(2, n=2)", "E405", 18),
        ("block a(n) = FC(n)\nblock a(m) = FC(m)\nINPUT(3) -> a(2)", "E209", 7),
        ("block a(n, n) = FC(n)\nINPUT(3) -> a(2, 3)", "E209", 12),
        ("block FC(n) = RELU\nINPUT(3) -> FC(2)", "E209", 7),
        ("block a(n) = FCC(n)\nINPUT(3) -> a(2)", "E201", 14),
        ("block a(n) = FC(n)\nINPUT(3) -> aa(2)", "E201", 13),
        ("block a(n) = FC(n)\nINPUT(3) -> a(0)", "E403", 17),
    ],
)
def test_one_mistake_is_reported_once_at_its_place(text: str, code: str, column: int) -> None:
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(text)
    [found] = raised.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.begin.column) == (code, column)


def test_a_mistake_in_a_block_points_at_the_use_too() -> None:
    text = "block a(k) = CONV(2, k)\nblock b(k) = a(k)\nINPUT(3x4x4) -> b(3) -> b(9)"
    with pytest.raises(cnnc.SpecError) as raised:
        cnnc.parse(text)
    [found] = raised.value.diagnostics
    assert found.span is not None and found.span.begin.line == 1
    uses = [r.span.text for r in found.related if r.message.startswith("in this use")]
    assert uses == ["a(k)", "b(9)"]


def test_blocks_that_nothing_uses_are_checked_as_far_as_they_can_be() -> None:
    library = "block a(n) = CONV(n, 3) -> CONVV(n)\nblock b(n) = [a(n)]*n -> POOL(3, strid=2)"
    assert codes(library) == ["E201", "E402"]
    assert not cnnc_check("block a(n) = [CONV(n, [3, 5]) -> POOL?]*N -> ADD{ ID | CONV(n, 1) }")


def cnnc_check(text: str) -> list[str]:
    from cnnc.api import check_source
    from cnnc.dsl.source import Source

    return [d.code for d in check_source(Source("a.cnn", text)).diagnostics]


def test_limits_hold_through_blocks() -> None:
    text = "block a() = [RELU]*1000\nblock b() = [a()]*1000\nINPUT(3) -> [b()]*1000"
    assert codes(text) == ["E904"]
    doubling = "\n".join(f"block b{i}() = b{i + 1}() -> b{i + 1}()" for i in range(40))
    assert codes(f"{doubling}\nblock b40() = RELU\nINPUT(3) -> b0()") == ["E904"]
