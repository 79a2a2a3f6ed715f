"""What parts of a chain come to: a layer's class, a repeat's count, a condition, a loop's turns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Related
from cnnc.dsl.source import Span

from ..layers.layer import Layer
from ..layers.registry import LAYERS
from ..values import brief, is_integer
from .bind import open_evaluator, per_repetition
from .blocks import Block, switch_of
from .evaluate import Evaluator
from .scope import UNKNOWN, Mistake, Scope


def default_value(node: nodes.Expr, scope: Scope) -> Any:
    """A formal's default."""
    return open_evaluator(scope).value(node)


def takes_name(element: nodes.Element, scope: Scope) -> bool:
    """Whether a name is the layer's own, and not that of a group's or a block's output alone."""
    while isinstance(element, nodes.Optional | nodes.Shaped):
        element = element.element
    if isinstance(element, nodes.Branching):
        return element.name != "AUX"
    return isinstance(element, nodes.Layer) and element.name not in (*scope.blocks, "ID")


def layer_class(use: nodes.Layer, blocks: Iterable[str], taps: Iterable[str] = ()) -> type[Layer]:
    """The class of a layer's name; Mistake where there is none."""
    if use.name in LAYERS:
        return LAYERS[use.name]
    if use.name == "AUX":
        raise without_branches(use, "AUX{ … }")
    from .unknown_layers import unknown_layer  # only a spec with a mistake needs it

    raise unknown_layer(use, blocks, taps)


def least(element: Any, scope: Scope) -> int:
    """At least how many layers an element counts for, without expanding it: 1 or more."""
    match element:
        case nodes.Layer(name=name) if name in scope.blocks:
            return least_of_block(scope.blocks[name])
        case nodes.Group(chain=nodes.Chain(elements=inner)):
            return _least_of(inner, scope)
        case nodes.Branching(branches=branches):
            total = 1
            for branch in branches:
                total += _least_of(branch.elements, scope)
            return total
        case nodes.Repeat(element=inner, count=count):
            value = _value_or_unknown(count, scope)
            return value * least(inner, scope) if is_integer(value) and value > 0 else 1
        case nodes.For(items=items):
            value = _value_or_unknown(items, scope)
            turns = len(value) if isinstance(value, list | tuple) else 0
            return max(1, turns * least_of_body(element, scope))
        case nodes.Shaped(element=inner) | nodes.Named(element=inner):
            return least(inner, scope)
        case _:
            return 1


def _least_of(elements: Iterable[nodes.Element], scope: Scope) -> int:
    total = 0
    for inner in elements:  # no sum(): it would recurse on the C stack
        total += least(inner, scope)
    return total


def least_of_body(loop: nodes.For, scope: Scope) -> int:
    """The same for one turn of a loop, whatever its names stand for."""
    names = dict.fromkeys((target.id for target in loop.targets), UNKNOWN)
    return _least_of(loop.body.elements, scope.bind(names))


def _value_or_unknown(node: nodes.Expr, scope: Scope) -> Any:
    try:
        return Evaluator(scope).value(node)
    except Mistake:
        return UNKNOWN


def least_of_block(block: Block) -> int:
    """The same for a use of a block, whatever its arguments; worked out once."""
    if block.least is None:
        block.least = 1  # a block that uses itself is refused elsewhere
        if block.refused:
            return 1
        unknown = dict.fromkeys(block.arguments, UNKNOWN)
        scope = block.scope.inside(unknown, Scope(), many=False)
        block.least = max(1, _least_of(block.node.body.elements, scope))
    return block.least


def repeat_count(repeat: nodes.Repeat, scope: Scope, counts: list[int]) -> Any:
    """How often; where a list says it for each turn of an outer repeat, `counts` gets them all."""
    node = repeat.count
    value = Evaluator(scope).value(node)
    if isinstance(value, list):
        counts += (v for v in value if is_integer(v))
        value, node = per_repetition(value, node, scope)
    if value is not UNKNOWN and not (is_integer(value) and value >= 0):
        raise Mistake(
            "E408",
            f"a repeat count is an integer of at least 0, and this is {brief(value)}",
            node.span,
            help=_counts_near(value),
        )
    return value


def condition_of(optional: nodes.Optional, scope: Scope) -> Any:
    """Whether an optional element is kept."""
    node: nodes.Expr
    if optional.condition is not None:
        node = optional.condition
    elif (switch := switch_of(optional.element)) is not None:
        node = nodes.Name(optional.span, switch)
    else:
        raise Mistake(
            "E409",
            "`?` after a group needs its condition in parentheses",
            Span(optional.span.source, optional.span.end - 1, optional.span.end),  # the `?`
            help=[f"write {_short(optional.element.span.text)}?(name) and `param name = true`"],
        )
    value = Evaluator(scope).value(node)
    if isinstance(value, list):
        value, node = per_repetition(value, node, scope)
    if value is not UNKNOWN and not isinstance(value, bool) and value not in (0, 1):
        raise Mistake("E407", f"`?` asks for true or false, and this is {brief(value)}", node.span)
    return value


def turns_of(loop: nodes.For, names: list[str], scope: Scope) -> Any:
    """What the loop's names stand for in each turn."""
    for number, target in enumerate(loop.targets):
        if target.id in names[:number]:
            raise Mistake("E209", f"{target.id} is two names of one `for`", target.span)
    items = Evaluator(scope).value(loop.items)
    if items is UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list | tuple):
        raise Mistake(
            "E410", f"`for` goes through a list, and this is {brief(items)}", loop.items.span,
            help=[f"range({items}) counts from 0 to {items - 1}"]
            if is_integer(items) and items > 0 else [],
        )  # fmt: skip
    written = loop.items.items if isinstance(loop.items, nodes.ListValue | nodes.TupleValue) else ()
    places = [item.span for item in written] or [loop.items.span] * len(items)
    targets = loop.targets[0].span.to(loop.targets[-1].span)
    return [_unpack(names, item, at, targets) for item, at in zip(items, places, strict=True)]


def _short(text: str) -> str:
    """The text of a group on one line, with its middle left out where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:20]} … {text[-12:]}"


def _counts_near(value: Any) -> list[str]:
    if isinstance(value, float) and value > 0:
        return [f"*{int(value)} or *{int(value) + 1}", "// divides without a rest: *(5 // 2)"]
    if is_integer(value):
        return ["*0 leaves it out"]
    return []


def _unpack(names: list[str], item: Any, place: Span, targets: Span) -> dict[str, object]:
    if len(names) == 1:
        return {names[0]: item}
    several = isinstance(item, list | tuple)
    if not several or len(item) != len(names):
        raise Mistake(
            "E410",
            f"`for {', '.join(names)}` takes {len(names)} values from each item,"
            f" and {brief(item)} {f'has {len(item)}' if several else 'is one'}",
            place,
            help=[] if several else [f"write ({brief(item)}{', …' * (len(names) - 1)})"],
            related=[Related(f"{len(names)} names", targets)],
        )
    return dict(zip(names, item, strict=True))


def without_branches(use: nodes.Layer, form: str) -> Mistake:
    """A merge or a side exit that is used like a layer."""
    return Mistake(
        "E411", f"{use.name} has no branches here", use.span,
        help=[f"its branches stand in braces: {form}"],
    )  # fmt: skip
