"""What fuzzing begins with: the texts of examples and tests, and the words of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cnnc.compiler.elaborate.arithmetic import FUNCTIONS
from cnnc.compiler.layers.registry import LAYERS
from cnnc.compiler.other_tools import all_names
from cnnc.compiler.training.settings import Training
from cnnc.dsl.codes import CODES
from cnnc.grammars import cnn_grammar

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def seeds() -> Iterator[str]:
    """Texts to begin with: right ones and wrong ones."""
    for path in ROOT.glob("examples/**/*.cnn"):
        yield path.read_text("utf-8")
    for code in CODES.values():
        yield code.wrong
        yield code.mended
    corpus = (ROOT / "tests/dsl/syntax_errors.txt").read_text("utf-8")
    for case in corpus.split("====\n")[1:]:
        yield re.sub(r"(?m)^[!=](?: .*)?\n", "", case)
    for page in ROOT.glob("docs/*.md"):
        yield from re.findall(r"(?s)```cnn\n(.*?)```", page.read_text("utf-8"))
    for path in (HERE / "findings").glob("*.cnn"):
        if not path.name.startswith("slow"):  # thousands of layers in a few words
            yield path.read_text("utf-8")


def words() -> Iterator[str]:
    """The words and signs of the language, and those that it is mistaken for."""
    for quoted in re.findall(r'"([^"\s]+)"', cnn_grammar()):
        yield quoted.replace("\\", "")
    yield from FUNCTIONS
    for cls in (*LAYERS.values(), Training):
        yield cls.word
        for name, argument in cls.arguments.items():
            yield f"{name}="
            yield from argument.type.words
    yield from all_names()
    yield from ("params", "macs", "output", "depth", "receptive_field", "memory(batch=8)", "main")
    yield from ("3x8x8", "AUX(0.3){ ", " as a", "@a", "# cnnc: allow ", "[1, 2, 3]", "(2, 3)", "*2")
    yield from ("->", "->", " -> CONV(4, 3) -> RELU", "INPUT(2x8x8) -> ", "block b(f) = ", "b(4)")
    yield from ("param N = 2 in [1, 2]\n", "let a = 3, b = a + 1\n", "expect params < 9k\n", "*N")
