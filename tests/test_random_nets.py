"""Random nets over all layers and forms of a chain: never a traceback, and expanded the same."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from tests.fuzz.targets import checks, formats
from tests.random_nets import specs

import cnnc
from cnnc.dsl.diagnostics import SpecError

cnnc.parse("INPUT(1)")  # raises the recursion limit, which hypothesis would notice
many = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])


@many
@given(specs())
def test_a_random_net_is_checked_and_formatted(text: str) -> None:
    checks(text)
    formats(text)


@many
@given(specs())
def test_a_net_as_expanded_is_the_same_net(text: str) -> None:
    try:
        net = cnnc.parse(text)
    except SpecError:
        return
    again = cnnc.parse(net.expanded())
    assert str(again.checked.require()) == str(net.checked.require())
    assert again.expanded() == net.expanded()


def test_most_random_nets_hold_and_all_layers_are_in_them() -> None:
    held: list[bool] = []
    kinds: set[str] = set()

    @settings(max_examples=200, derandomize=True, database=None)
    @given(specs())
    def look(text: str) -> None:
        try:
            net = cnnc.parse(text)
        except SpecError:
            held.append(False)
            return
        held.append(True)
        kinds.update(layer.kind for layer in net.layers)

    look()
    assert sum(held) / len(held) > 0.25, sum(held) / len(held)
    assert len(kinds) >= 30, sorted(kinds)
