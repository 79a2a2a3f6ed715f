"""docs/layers.md is what the layers say now."""

from __future__ import annotations

from pathlib import Path

from cnnc.compiler.layers.registry import LAYERS
from cnnc.compiler.reference import page, sections

ROOT = Path(__file__).parents[2]


def test_page_is_fresh() -> None:
    written = (ROOT / "docs/layers.md").read_text("utf-8")
    assert written == page(), "docs/layers.md is out of date: run `make docs`"


def test_page_has_every_layer_once() -> None:
    lines = page().split("\n")
    for word in LAYERS:
        assert lines.count(f"### {word}") == 1


def test_sections_are_told_from_the_text() -> None:
    text, found = sections(LAYERS["RELU"])
    assert text == "What is negative becomes zero."
    assert found["Formula"] == "y = max(x, 0)"
    assert list(found) == ["Shapes", "Formula", "Gradient", "Errors", "Source"]
