"""The process that fuzzes: libFuzzer ends it as it likes. `__main__.py` starts it."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import random
import sys
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cnnc"]):
    from tests.fuzz.targets import TARGETS

    import cnnc.compiler.elaborate
    import cnnc.compiler.layers
    import cnnc.dsl

    for package in (cnnc.dsl, cnnc.compiler.layers, cnnc.compiler.elaborate):
        # Also what is loaded for mistakes alone.
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)

from tests.fuzz.mutations import mutated
from tests.fuzz.words import seeds, words

FOUND = Path(__file__).parent / "found"
WORDS, SEEDS = sorted({*words()}), sorted({*seeds()})
BYTES = 10  # one in so many mutations is libFuzzer's own, of bytes
seen: set[str] = set()


def one_input(data: bytes) -> None:
    """What the fuzzer calls with each text. One is kept for each place that breaks."""
    text = _text(data)
    for target in TARGETS:
        try:
            target(text)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)[-2:]
            where = f"{type(error).__name__} {[(f.filename, f.lineno) for f in frames]}"
            if where not in seen:
                seen.add(where)
                name = hashlib.sha256(where.encode()).hexdigest()[:12]
                (FOUND / f"{name}.cnn").write_text(text, "utf-8")
                print(f"\nfound/{name}.cnn breaks {target.__name__}:", flush=True)
                traceback.print_exc()


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """What the fuzzer calls for a new text."""
    draw = random.Random(seed)
    if draw.randrange(BYTES) == 0:
        return atheris.Mutate(data, most)
    return mutated(_text(data), WORDS, SEEDS, draw).encode("utf-8", "replace")[:most]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input, custom_mutator=mutate)
    atheris.Fuzz()
