"""Which layers of two nets go together, and what of them is said to differ."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnc
from cnnc.compiler import diff as module
from cnnc.compiler.diff import KIND, SAME, Difference, align, diff
from cnnc.compiler.net import Net

HEAD = "INPUT(2x6x6) -> "
# Layers that keep the shape, so that every sequence of them is a net.
STEPS = ["CONV(2, 3, pad=1)", "CONV(2, 1)", "RELU", "TANH", "POOL(3, stride=1, pad=1)"]


def net_of(text: str) -> Net:
    return cnnc.parse(text).checked.require()


def compare(before: str, after: str) -> Difference:
    a, b = cnnc.parse(before), cnnc.parse(after)
    return diff(a.checked.require(), b.checked.require(), a.training, b.training)


def words(found: Difference) -> list[tuple[str, str | None, str | None]]:
    """What happened: the word, and the names before and after; of what differs at all."""
    return [
        (c.word, c.before.name if c.before else None, c.after.name if c.after else None)
        for c in found.layers
        if c.word != "same"
    ]


def test_same_net_has_no_difference() -> None:
    text = HEAD + "CONV(4) -> RELU -> FC(3)"
    found = compare(text, text.replace("CONV(4)", "CONV(filters=4, k=3)"))
    assert found.same
    assert [c.word for c in found.layers] == ["same"] * 4


def test_added_and_removed_layers() -> None:
    short, long = "CONV(4) -> RELU -> FC(3)", "CONV(4) -> RELU -> DROPOUT -> FC(3)"
    assert words(compare(HEAD + short, HEAD + long)) == [("added", None, "dropout1")]
    assert words(compare(HEAD + long, HEAD + short)) == [("removed", "dropout1", None)]


def test_other_kind_is_removed_then_added() -> None:
    found = compare(HEAD + "CONV(4) -> RELU -> FC(3)", HEAD + "CONV(4) -> TANH -> FC(3)")
    assert words(found) == [("removed", "relu1", None), ("added", None, "tanh1")]


def test_changed_arguments_and_what_follows_from_them() -> None:
    found = compare(HEAD + "CONV(4, 3) -> RELU -> FC(3)", HEAD + "CONV(5, 3) -> RELU -> FC(3)")
    assert [(c.word, c.differs) for c in found.layers] == [
        ("same", ()),
        ("changed", ("filters", "output", "params", "trainable", "macs")),
        ("changed", ("output",)),
        ("changed", ("params", "trainable", "macs")),
    ]


def test_frozen_layer_changed() -> None:
    found = compare(HEAD + "FC(3)", HEAD + "FC(3, freeze=true)")
    assert found.layers[1].differs == ("freeze", "trainable")


def test_initialiser_changed() -> None:
    found = compare(HEAD + "FC(3, init=he)", HEAD + "FC(3, init=normal(0.1))")
    assert found.layers[1].differs == ("init",)


def test_word_for_the_same_layer_is_no_change() -> None:
    assert compare(HEAD + "POOL(2)", HEAD + "MAXPOOL(2)").same
    found = compare(HEAD + "POOL(2)", HEAD + "AVGPOOL(2)")
    assert found.layers[1].differs == ("mode",)


def test_ordinals_that_shift_are_no_change() -> None:
    found = compare(HEAD + "RELU -> RELU -> FC(3)", HEAD + "RELU -> TANH -> RELU -> RELU -> FC(3)")
    assert [w for w, _, _ in words(found)] == ["added", "added"]


def test_stage_is_dropped_as_one() -> None:
    stages = [f"CONV({f}, 3, pad=1) -> RELU -> POOL(1)" for f in (4, 8, 16)]
    found = compare(HEAD + " -> ".join(stages), HEAD + " -> ".join([stages[0], stages[2]]))
    assert words(found)[:3] == [
        ("removed", "conv2", None), ("removed", "relu2", None), ("removed", "pool2", None)
    ]  # fmt: skip


def test_outputs_go_together_where_layers_before_them_are_dropped() -> None:
    found = compare(HEAD + "FC(9) -> FC(8) -> FC(7)", HEAD + "FC(5) -> FC(4)")
    assert words(found) == [
        ("changed", "fc1", "fc1"), ("removed", "fc2", None), ("changed", "fc3", "fc2")
    ]  # fmt: skip


def test_settings_of_training() -> None:
    found = compare(
        HEAD + "FC(3) train { lr = 0.1 }",
        HEAD + "FC(3) train { optimizer = adam(beta1=0.8)  augment = [flip] }",
    )
    assert not found.same
    assert found.settings == (
        ("optimizer", "sgd(momentum=0.9)", "adam(beta1=0.8)"),
        ("lr", "0.1", "0.01"),
        ("augment", "[]", "[flip]"),
    )


# -- branches -------------------------------------------------------------------------

BRANCHES = HEAD + "CONV(2, 1) as a -> RELU as b -> ADD{ CONV(2, 3, pad=1) | @a } -> FC(3)"


def test_other_input_of_a_merge() -> None:
    found = compare(BRANCHES, BRANCHES.replace("@a", "@b"))
    assert [(c.word, c.differs) for c in found.layers if c.word != "same"] == [
        ("changed", ("inputs",))
    ]


def test_inputs_that_are_called_otherwise_are_the_same() -> None:
    """Layers before a merge shift the ordinals of what it reads."""
    before = HEAD + "RELU -> ADD{ CONV(2, 3, pad=1) | ID } -> FC(3)"
    after = HEAD + "TANH -> RELU -> ADD{ CONV(2, 3, pad=1) | ID } -> FC(3)"
    assert [w for w, _, _ in words(compare(before, after))] == ["added"]
    after = HEAD + "CONV(2, 1) -> RELU -> ADD{ CONV(2, 3, pad=1) | ID } -> FC(3)"
    found = compare(before, after)
    assert words(found) == [("added", None, "conv1")]
    assert compare(after, before).layers[-1].word == "same"


def test_given_name_is_part_of_a_layer_and_pairs_it() -> None:
    before = HEAD + "CONV(2, 1) as a -> RELU -> CONV(2, 1) as b -> FC(3)"
    assert [c.differs for c in compare(before, before.replace("as b", "as c")).layers[3:4]] == [
        ("name",)
    ]
    found = compare(before, HEAD + "CONV(2, 3, pad=1) as b -> FC(3)")
    pairs = [(c.before.name, c.after.name) for c in found.layers if c.before and c.after]
    assert ("b", "b") in pairs


def test_name_may_pair_layers_of_different_kinds() -> None:
    found = compare(HEAD + "CONV(2, 1) as a -> FC(3)", HEAD + "LOCAL(2, 1) as a -> FC(3)")
    assert found.layers[1].word == "changed"
    assert found.layers[1].differs[0] == "kind"


def test_side_exits() -> None:
    text = HEAD + "CONV(2, 1) -> AUX(0.3){ FC(3) } -> RELU -> FC(3)"
    found = compare(text, text.replace("0.3", "0.5"))
    assert not found.same
    assert [(c.differs, c.after.name if c.after else "") for c in found.layers if c.differs] == [
        (("exit",), "fc1")
    ]
    exits = [module.side_exit(found.after, layer) for layer in found.after.layers[1:4]]
    assert exits == ["none", "its output, weight 0.5", "none"]
    inner = HEAD + "CONV(2, 1) -> AUX{ RELU -> FC(3) } -> RELU -> FC(3)"
    net = net_of(inner)
    assert module.side_exit(net, net.layers[2]) == "inside one"


# -- the alignment itself -------------------------------------------------------------


def worth(before: list[str], after: list[str]) -> int:
    """What the best alignment is worth, by the plain recurrence over all of it."""
    best = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, a in enumerate(before, 1):
        for j, b in enumerate(after, 1):
            pair = SAME if a == b else KIND if a.split("(")[0] == b.split("(")[0] else 0
            best[i][j] = max(best[i - 1][j], best[i][j - 1], pair and best[i - 1][j - 1] + pair)
    return best[-1][-1]


CHAIN = st.lists(st.sampled_from(STEPS), min_size=1, max_size=9)


@given(CHAIN, CHAIN)
def test_alignment_is_whole_in_order_and_best(before: list[str], after: list[str]) -> None:
    a, b = (net_of(HEAD + " -> ".join(chain)).layers[1:] for chain in (before, after))
    pairs = align(a, b)
    assert [i for i, _ in pairs if i is not None] == list(range(len(a)))
    assert [j for _, j in pairs if j is not None] == list(range(len(b)))
    total = 0
    for i, j in pairs:
        if i is not None and j is not None:
            assert a[i].kind == b[j].kind
            total += SAME if before[i] == after[j] else KIND
    # The last two are paired even where that is worth one less.
    assert 0 <= worth(before, after) - total <= 1


@given(CHAIN, CHAIN)
def test_added_and_removed_are_mirrored(before: list[str], after: list[str]) -> None:
    x, y = HEAD + " -> ".join(before), HEAD + " -> ".join(after)
    there, back = compare(x, y), compare(y, x)
    assert there.same == back.same == (x == y)
    count = len(there.after.layers) - len(there.before.layers)
    moves = [w for w, _, _ in words(there)]
    assert moves.count("added") - moves.count("removed") == count


def test_long_nets_are_aligned_near_the_diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", 20_000)
    text = "INPUT(1x1x1) -> [CONV({}, 1) -> RELU]*1000 -> FC(2)"
    before, after = net_of(text.format(1)), net_of(text.format(2))
    start = time.process_time()
    pairs = align(before.layers, after.layers)
    assert time.process_time() - start < 5
    assert pairs == [(i, i) for i in range(2002)]


@pytest.mark.parametrize(("n", "m"), [(3, 900), (900, 3), (0, 5), (5, 0), (1, 1)])
def test_lengths_that_differ_much(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", 100)
    before, after = (
        net_of(f"INPUT(1x1x1) -> [RELU]*{k} -> FC({out})").layers for k, out in ((n, 2), (m, 3))
    )
    pairs = align(before, after)
    assert [i for i, _ in pairs if i is not None] == list(range(n + 2))
    assert [j for _, j in pairs if j is not None] == list(range(m + 2))
    for a, b in pairwise(p for p in pairs if None not in p):
        assert a[0] < b[0]  # type: ignore[operator]
        assert a[1] < b[1]  # type: ignore[operator]
