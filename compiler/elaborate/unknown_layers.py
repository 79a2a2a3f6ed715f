"""A name that is no layer: what it is most likely meant to be, and how that is written."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

from cnnc.dsl import nodes

from ..layers.registry import LAYERS
from ..layers.side_exit import Aux
from ..other_tools import called_here, translated
from ..suggest import did_you_mean
from .scope import Mistake

_WORDS = (*LAYERS, "AUX", "ID")
_LINE = 88


def unknown_layer(use: nodes.Layer, blocks: Iterable[str], taps: Iterable[str] = ()) -> Mistake:
    """E201, with the name that is meant: of a layer here or elsewhere, a block, a tap."""
    name = use.name
    called = called_here(name)
    upper = name.rpartition(".")[2].replace("_", "").upper()
    help: tuple[str, ...]
    label = ""
    if name in taps:
        label = "an output that `as` named"
        help = (f"a branch begins from it as @{name}",)
    elif upper in _WORDS:
        help = (f"layers are written in upper case: {_written(use, upper)}",)
    elif called is not None and called.word:
        label = f"{called.tool} calls it so"
        help = (f"it is called {called.word} here: {_written(use, called.word)}",)
    elif called is not None:
        label = f"{called.tool} calls it so"
        help = (called.help,)
    else:
        words = (*LAYERS, "AUX", "ID", *blocks)
        help = did_you_mean(name, words) or (_all(blocks),)
    return Mistake("E201", f"there is no layer {name}", use.name_span, label, help)


def _written(use: nodes.Layer, word: str) -> str:
    """The whole use as it is written here, or the word where that can't be told."""
    cls = Aux if word == "AUX" else LAYERS.get(word)
    return translated(use, word, cls.arguments if cls else {}) or word


def _all(blocks: Iterable[str]) -> str:
    return fill(f"there are {', '.join((*LAYERS, *blocks))} and ID", _LINE)
