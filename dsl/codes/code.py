"""What is said about a diagnostic's code, beside the message of each single case."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """The meaning of a code.

    title         what is wrong, in a few words
    explanation   why that is a mistake and how it comes about, in one paragraph
    wrong         a spec that gives the code; empty where no text of a spec does
    mended        the same spec without the mistake
    """

    title: str
    explanation: str
    wrong: str = ""
    mended: str = ""
