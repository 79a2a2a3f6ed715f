"""Two chains in a row, which a file has by mistake only: an arrow, an `as`, a `*` is missing."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related
from cnnc.dsl.repair import shortened
from cnnc.dsl.source import Span

from ..layers.registry import LAYERS
from ..other_tools import called_here


def joined(
    statements: Sequence[nodes.Statement], blocks: Container[str], found: Diagnostics
) -> list[nodes.Statement]:
    """The statements with chains that follow one another made one, which is reported.

    A chain that begins with INPUT is one of its own. Where there is one, a chain right after a
    block goes on with the block.
    """
    has_net = any(isinstance(s, nodes.Chain) and begins_with_input(s) for s in statements)
    result: list[nodes.Statement] = []
    for statement in statements:
        before = result[-1] if result else None
        if not isinstance(statement, nodes.Chain) or begins_with_input(statement):
            result.append(statement)
        elif isinstance(before, nodes.Chain):
            result[-1] = _join(before, statement, blocks, found)
        elif isinstance(before, nodes.Block) and has_net:
            body = _join(before.body, statement, blocks, found)
            result[-1] = before.replace(body=body, span=before.span.to(body.span))
        else:
            result.append(statement)
    return result


def begins_with_input(chain: nodes.Chain) -> bool:
    """Whether INPUT heads a chain."""
    head = chain.elements[0]
    return isinstance(head, nodes.Layer) and head.name == "INPUT"


def _join(
    first: nodes.Chain, second: nodes.Chain, blocks: Container[str], found: Diagnostics
) -> nodes.Chain:
    last, (head, *rest) = first.elements[-1], second.elements
    text, glued = shortened(last.span.text), last.span.end == head.span.start
    whole = first.span.to(second.span)
    word = head.name if isinstance(head, nodes.Layer) and head.args is None else ""
    if glued and re.fullmatch(r"[xX]\d{1,6}", word):  # [CONV -> RELU]x2
        found.add(_times(head.span, text, word[1:]))
        count = nodes.Number(head.span, int(word[1:]), word[1:])
        repeat = nodes.Repeat(last.span.to(head.span), last, count)
        return nodes.Chain(whole, (*first.elements[:-1], repeat, *rest))
    if _is_name(word, blocks):
        found.add(_name(head.span, text, word))
        named = nodes.Named(last.span.to(head.span), last, nodes.Name(head.span, word))
        return nodes.Chain(whole, (*first.elements[:-1], named, *rest))
    found.add(
        Diagnostic(
            "E108", "a `->` is missing between these two layers", head.span,
            "`->` is missing before this",
            help=(f"write `{text} -> {shortened(head.span.text)}`",),
            related=(Related("the first one", last.span),),
        )
    )  # fmt: skip
    return nodes.Chain(whole, (*first.elements, *second.elements))


def _is_name(word: str, blocks: Container[str]) -> bool:
    """Whether a word in a layer's place is most likely the name of an output."""
    known = word in blocks or word.upper() in (*LAYERS, "ID", "AUX") or called_here(word)
    return bool(word) and not known and not word.isupper()


def _times(span: Span, element: str, count: str) -> Diagnostic:
    return Diagnostic(
        "E114", "a repetition is written with `*`", span, "`*` is meant",
        help=(f"write `{element}*{count}`",),
    )  # fmt: skip


def _name(span: Span, element: str, word: str) -> Diagnostic:
    return Diagnostic(
        "E108", f"an `as` or a `->` is missing before `{word}`", span, "what is this?",
        help=(
            f"write `{element} as {word}` to name the output",
            f"write `{element} -> {word}` where {word} is a block",
        ),
    )  # fmt: skip
