"""A name in an expression that nothing has: what it is most likely meant to be."""

from __future__ import annotations

from cnnc.dsl import nodes

from ..other_tools import word_here
from ..suggest import did_you_mean, nearest
from .scope import Mistake, Scope

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
