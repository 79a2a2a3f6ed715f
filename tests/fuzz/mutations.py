"""Changes of a text token by token: bytes at random hardly ever make a new spec."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\s+|\w+|->|::|\*\*|//|[=!<>]=|.", re.DOTALL)
_NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "1.5",
    "200",
    "1_000",
    "2**31",
    "2**63",
    "1e300",
    "-1",
    "64k",
)


def mutated(text: str, words: Sequence[str], others: Sequence[str], draw: random.Random) -> str:
    """The text with one to four changes; `others` are texts to take pieces from."""
    tokens = _TOKEN.findall(text)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(tokens) + 1)
        end = min(len(tokens), at + draw.randint(1, 6))
        match draw.randrange(8):
            case 0:
                del tokens[at:end]
            case 1:
                tokens[at:at] = tokens[at:end]
            case 2:
                to = draw.randrange(len(tokens) + 1)
                tokens[to:to] = tokens[at:end]
            case 3:
                tokens.insert(at, draw.choice(words))
            case 4:
                tokens[at : at + 1] = [draw.choice(words)]
            case 5:
                numbers = [i for i, token in enumerate(tokens) if token[0].isdigit()]
                if numbers:
                    tokens[draw.choice(numbers)] = draw.choice(_NUMBERS)
            case 6:
                piece = _TOKEN.findall(draw.choice(others))
                start = draw.randrange(len(piece) + 1)
                tokens[at:end] = piece[start : start + draw.randint(1, 30)]
            case 7:
                names = [i for i, token in enumerate(tokens) if token[0].isalpha()]
                if len(names) > 1:
                    one, other = draw.sample(names, 2)
                    tokens[one] = tokens[other]
    return "".join(tokens)
