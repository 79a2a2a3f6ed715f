"""What a line of help promises, and the text changed as it says: does it give what it promises?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cnnc.compiler.elaborate.check import Checked, check
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.parser import parse
from cnnc.dsl.source import Source, Span

SHAPE = r"([0-9]+(?:x[0-9]+)*)"
LAYER = r"([A-Z][A-Z0-9]*(?:\((?:[^()]|\([^()]*\))*\))?)"
NOWHERE = -1
NUMBER = "([0-9]+)"
THEN = rf"{LAYER} then gets {SHAPE} and gives {SHAPE}"


@dataclass(frozen=True)
class Edit:
    """Characters of a text and what takes their place."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Promise:
    """A changed text, the place of a layer in it, and the shape that its last one gives."""

    text: str
    at: int
    gives: str

    def kept(self) -> bool:
        """Whether the changed text is right, and the layer gives what was promised."""
        net = checked(self.text).net
        if net and self.at == NOWHERE:
            return True  # a `::` holds
        there = [made for made in net.layers if made.span.start == self.at] if net else []
        return bool(there) and "x".join(map(str, there[-1].output)) == self.gives


def checked(text: str) -> Checked:
    return check(*parse(Source("net.cnn", text)))


def promise(found: Diagnostic, line: str) -> Promise | None:
    """The change that a line of help proposes; None where it proposes none of a known form."""
    assert found.span is not None
    for pattern, change in FORMS:
        match = re.fullmatch(pattern, line)
        if match:
            edits = change(found, *match.groups())
            text, at = found.span.source.text, found.span.start
            moved = sum(len(e.new) - (e.end - e.start) for e in edits if e.start < at)
            for edit in sorted(edits, key=lambda e: -e.start):
                text = text[: edit.start] + edit.new + text[edit.end :]
            place = NOWHERE if found.code == "E304" else at + moved
            return Promise(text, place, match.groups()[-1])
    return None


# -- the forms, and the edits that each asks for ----------------------------------------------


def _place(found: Diagnostic) -> Span:
    assert found.span is not None
    return found.span


def _text(found: Diagnostic) -> str:
    return _place(found).source.text


def itself(found: Diagnostic, new: str, *_: str) -> list[Edit]:
    return [Edit(_place(found).start, _place(found).end, new)]


def input_of(found: Diagnostic, shape: str, *_: str) -> list[Edit]:
    match = re.search(r"INPUT\(([^)]*)\)", _text(found))
    assert match
    return [Edit(match.start(1), match.end(1), shape)]


def _find(found: Diagnostic, old: str) -> int:
    """The last place before the diagnostic's that says `old`, or the next one after it."""
    text = _text(found)
    at = text.rfind(old, 0, _place(found).start)
    at = at if at >= 0 else text.find(old, _place(found).start)
    assert at >= 0, (text, old)
    return at


def replaced(found: Diagnostic, new: str, old: str, *_: str) -> list[Edit]:
    at = _find(found, old)
    return [Edit(at, at + len(old), new)]


def nearest(found: Diagnostic, new: str, *_: str) -> list[Edit]:
    """The nearest layer of the same kind before the place."""
    kind = new.partition("(")[0]
    layer = rf"(?<![A-Z]){kind}(?![A-Z])(?:\([^()]*(?:\([^()]*\))?[^()]*\))?"
    uses = [m for m in re.finditer(layer, _text(found)) if m.start() != _place(found).start]
    before = [m for m in uses if m.start() < _place(found).start] or uses
    return [Edit(before[-1].start(), before[-1].end(), new)]


def put_before(found: Diagnostic, new: str, *_: str) -> list[Edit]:
    at = _place(found).start
    return [Edit(at - 1, at, f" {new} -> ")]


def left_out(found: Diagnostic, old: str, *_: str) -> list[Edit]:
    text, at = _text(found), _find(found, old)
    arrow = text.rfind("->", 0, at)
    if text[arrow + 2 : at].strip():  # the first of its group
        return [Edit(at, text.index("->", at) + 2, "")]
    return [Edit(arrow, at + len(old), "")]


def everywhere(found: Diagnostic, *_: str) -> list[Edit]:
    conv = re.compile(r"(?<![A-Z])CONV\(([^()]*?)(?:, pad=\w+)?\)")
    uses = conv.finditer(_text(found))
    return [
        Edit(m.start(), m.end(), f"CONV({m[1]}, pad=same)")
        for m in uses if m.start() < _place(found).start
    ]  # fmt: skip


def times(found: Diagnostic, sign: str, new: str, old: str, where: str, *_: str) -> list[Edit]:
    """The count of the last repeat that ends before the place, or of the one around it."""
    text, place = _text(found), _place(found)
    at = text.rfind(sign + old, 0, place.start)
    if sign == "*" and where == "around":
        at = text.find(sign + old, place.end)
    assert at >= 0, (text, sign, old)
    return [Edit(at, at + len(sign + old), sign + new)]


def moved_before(found: Diagnostic, layer: str, other: str, *_: str) -> list[Edit]:
    """What stands from the other layer to the place, after the layer instead of before it."""
    text, at, place = _text(found), _find(found, other), _place(found)
    between = text[at : place.start].rstrip().removesuffix("->").rstrip()
    return [Edit(at, place.start, ""), Edit(place.end, place.end, f" -> {between}")]


def branches(found: Diagnostic, parts: str, *_: str) -> list[Edit]:
    edits = []
    for part in parts.split(" and "):
        if match := re.fullmatch(rf"{LAYER} in place of {LAYER}", part):
            edits += replaced(found, *match.groups())
        else:
            match = re.fullmatch(rf"{LAYER} at the end of the branch of {SHAPE}", part)
            assert match, part
            for related in found.related:
                if related.message.startswith(f"{match[2]} from "):
                    edits.append(Edit(related.span.end, related.span.end, f" -> {match[1]}"))
    return edits


FORMS: list[tuple[str, Callable[..., list[Edit]]]] = [
    (rf"{LAYER} gives {SHAPE}", itself),
    (rf"{LAYER} takes the vector {NUMBER} and gives {SHAPE}", itself),
    (rf"{LAYER} gives {SHAPE} with (?:the same weights|weights of its own)", itself),
    (rf"{LAYER} shares with others of that name, and gives {SHAPE} as well", itself),
    (rf"an input of {SHAPE}: {THEN}", input_of),
    (rf"an input of {SHAPE} gives {SHAPE}", input_of),
    (rf"INPUT\({SHAPE}\)(?:, channels first)?: {THEN}", input_of),
    (rf"{LAYER} before it gives {SHAPE}, and {LAYER} then gives {SHAPE}", nearest),
    (rf"{LAYER} before it: {THEN}", nearest),
    (rf"{LAYER} before it makes maps of the vector: {THEN}", put_before),
    (rf"without {LAYER} before it: {THEN}", left_out),
    (rf"pad=same in every CONV before it: {THEN}", everywhere),
    (rf"(\*){NUMBER} in place of \*{NUMBER} (before|around) it: {THEN}", times),
    (rf"(\w+ = ){NUMBER} in place of {NUMBER} (before|around) it: {THEN}", times),
    (rf"{LAYER} before {LAYER} gets {SHAPE} and gives {SHAPE}", moved_before),
    (rf"{LAYER} without {LAYER} gets {SHAPE} and gives {SHAPE}",
     lambda found, _, other, *more: left_out(found, other)),
    (rf"{LAYER} in place of {LAYER} gives {SHAPE}", replaced),
    (rf"(.+): [A-Z]+ then gives {SHAPE}", branches),
]  # fmt: skip
