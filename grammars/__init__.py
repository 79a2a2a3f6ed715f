"""The grammar of the .cnn language, as data: `cnn.lark` and how to read it."""

from pathlib import Path


def cnn_grammar() -> str:
    """The text of `cnn.lark`."""
    return Path(__file__).with_name("cnn.lark").read_text(encoding="utf-8")
