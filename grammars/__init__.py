"""The grammar of the .cnn language, as data: `cnn.lark` and how to read it."""

from os.path import dirname, join


def cnn_grammar() -> str:
    """The text of `cnn.lark`."""
    with open(join(dirname(__file__), "cnn.lark"), encoding="utf-8") as file:
        return file.read()
