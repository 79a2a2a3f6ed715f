"""W609: knobs, lets and blocks that nothing in the file uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Span

from .blocks import Reach, switch_of
from .declarations import Declarations


def unused(file: nodes.File, declared: Declarations, reach: Reach) -> Iterator[Diagnostic]:
    """What a file with a net declares and never uses. Of a library, others use it."""
    if not declared.chains:
        return
    names = {name for statement in file.statements for name in _used(statement)}
    for name, knob in declared.knobs.items():
        if name not in names:
            yield _warning(f"the knob {name} is never used", knob.name.span)
    for name, setting in declared.lets.items():
        if name not in names:
            yield _warning(f"the let {name} is never used", setting.name.span)
    used = {id(block.node) for block in reach.uses}
    for name, block in declared.blocks.items():
        if id(block) not in used:
            yield _warning(f"the block {name} is never used", block.name.span)


def _used(node: Any) -> Iterator[str]:
    """The names that are read below a node; not those that it declares."""
    match node:
        case nodes.Name(id=name):
            yield name
            return
        case nodes.Optional(element=element, condition=None):
            switch = switch_of(element)
            if switch is not None:
                yield switch
    declares = getattr(node, "name", None)
    for child in nodes.children(node):
        if child is not declares:
            yield from _used(child)


def _warning(message: str, span: Span) -> Diagnostic:
    help = ("use it, or leave it out",)
    return Diagnostic("W609", message, span, "", (), help, (), "warning")
