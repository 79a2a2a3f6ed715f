"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip of, or None; case is forgiven first."""
    return _nearest(word, tuple(known))


@lru_cache(maxsize=1_000)
def _nearest(word: str, names: tuple[str, ...]) -> str | None:
    """In a repeat one slip is looked up for each repetition."""
    from difflib import get_close_matches  # only a spec with a mistake needs it

    for name in names:
        if name.lower() == word.lower():
            return name
    folded = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """A help line naming the nearest known word, if one is near."""
    near = nearest(word, known)
    return (f"did you mean {near}?",) if near else ()
