"""A name in an expression that nothing has: what it is most likely meant to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Related
from cnnc.dsl.source import Span

from ..arguments import Argument, BadValue
from ..other_tools import word_here
from ..suggest import did_you_mean, nearest
from ..values import show
from .scope import Mistake, Repetition, Scope

_NOTHING = ("None", "none", "null", "nil", "NULL")


def unknown_name(node: nodes.Name, scope: Scope, words: tuple[str, ...]) -> Mistake:
    """E203; `words` are those that the place of the expression understands."""
    name = node.id
    known = [*scope.names(), *words]
    meant = word_here(name, words)
    if name in _NOTHING:
        help: tuple[str, ...] = ("leave the argument out: it then has its default",)
    elif meant is not None:
        help = (f"it is called {meant} here",)
    elif nearest(name, known):
        help = did_you_mean(name, known)
    else:
        help = (f"declare it: `param {name} = …` for a knob, `let {name} = …` for a constant",)
        if words:
            help = (f"there are the words {', '.join(words)}", *help)
    label = "no knob, no let" + (" and no word" if words else "") + " has this name"
    return Mistake("E203", f"nothing is called {name} here", node.span, label, help)


def text_without_quotes(mistake: Mistake, node: nodes.Expr, argument: str) -> Mistake:
    """The same mistake where an argument takes a text: what is missing are the quotes."""
    d = mistake.diagnostic
    if d.code != "E203" or not isinstance(node, nodes.Name):
        return mistake
    return Mistake(
        "E403",
        f"{argument} takes a text in quotes",
        node.span,
        "without quotes",
        [f'write {argument}="{node.id}"'],
    )


def unknown_output(name: str, span: Span, scope: Scope) -> Mistake:
    """E215 for `@name`: the name is given further on, or is a slip, or is given nowhere."""
    later = scope.taps.place(name)
    if later is not None:
        return Mistake(
            "E215",
            f"@{name} stands before the output that is named {name}",
            span,
            "a tap reaches back, not ahead",
            [f"move this branch behind `as {name}`, or name an output before it"],
            related=[Related("named only here", later)],
        )
    near = nearest(name, scope.taps.names())
    place = scope.taps.place(near) if near else None
    return Mistake(
        "E215",
        f"no output before this one is named {name}",
        span,
        "`as` names an output",
        [f"did you mean {near}?"] if near
        else [f"write `as {name}` after the layer whose output is meant, further up the chain"],
        related=[Related(f"{near} is named here", place)] if place else [],
    )  # fmt: skip


def list_for_no_repeat(
    values: list[Any], node: nodes.Expr, scope: Scope, meant: Sequence[Repetition]
) -> Mistake:
    """E206 for a list with one value for each repetition, and no or several such repeats."""
    count = len(values)
    counts = " and ".join(str(r.count) for r in scope.repeats)
    runs = "repeat around it runs" if len(scope.repeats) == 1 else "repeats around it run"
    around = f"the {runs} {counts} times" if scope.repeats else "no repeat is around"
    why = "two repeats around it run that often" if meant else around
    help = []
    inner = scope.repeats[-1] if scope.repeats else None
    if not meant and inner is not None and count:
        if inner.place is not None and inner.place.text.isdecimal():
            help.append(f"*{count} in place of *{inner.place.text}, one repetition a value")
        if isinstance(inner.count, int) and 0 < inner.count < count:
            help.append(f"the first {inner.count} alone: {show(values[: inner.count])}")
    text = " ".join(node.span.text.split())
    return Mistake(
        "E206",
        f"a list of {count} here is for a repeat of {count}, and {why}",
        node.span,
        f"{count} value{'' if count == 1 else 's'}",
        [*help, f"say which: for v in {text} [ … v … ]"],
        related=[
            Related(f"{r.count} times", r.place)
            for r in (meant or scope.repeats)
            if r.place is not None
        ],
    )


def list_for_one_value(mistake: Mistake, argument: Argument, items: list[Any]) -> Mistake:
    """The same mistake where a tuple of the items is one value of the argument: k=[3, 3]."""
    d = mistake.diagnostic
    try:
        argument.type.parse(tuple(items))
    except BadValue:
        return mistake
    assert d.span is not None
    help = [f"write {show(tuple(items))} for one value", *d.help]
    return Mistake(d.code, d.message, d.span, d.label, help, d.notes, d.related)
