"""What must hold for every text, whatever it says. Fuzzing and the tests of its findings use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from cnnc.compiler.elaborate.check import check
from cnnc.compiler.elaborate.settings import WrongUse
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.format import format_source
from cnnc.dsl.parser import parse, parse_value
from cnnc.dsl.render import as_json, plain, summary, text
from cnnc.dsl.reports import github, sarif
from cnnc.dsl.source import Source, Span


def checks(words: str) -> None:
    """A check ends, with a net or with reports that all formats can show."""
    source = Source("fuzz.cnn", words)
    checked = check(*parse(source))
    assert checked.ok or any(d.severity == "error" for d in checked.diagnostics)
    shown(checked.diagnostics, source)
    if checked.ok and checked.net is not None:
        str(checked.net)


def shown(found: Sequence[Diagnostic], source: Source) -> None:
    """All places lie inside their texts, no two reports are the same, and every format holds."""
    places = [(d.code, d.span) for d in found if d.span is not None]
    assert len(places) == len({*places}), "two reports of one mistake"
    for d in found:
        for span in (d.span, *(related.span for related in d.related)):
            if span is not None:
                inside(span)
        assert d.message and "\n" not in text(d).split("\n")[0]
        text(d, colour=True)
        assert "\n" not in plain(d)
        assert "\n" not in github(d)
        assert all(d.help) and all(d.notes)
        json.dumps(as_json(d, source.name))
    summary(found)
    json.dumps(sarif(found, "1"))


def inside(span: Span) -> None:
    """A place is one of its text."""
    assert 0 <= span.start <= span.end <= len(span.source.text)
    assert span.begin <= span.finish


def formats(words: str) -> None:
    """Formatting keeps the tree, and formatting twice changes nothing more."""
    source = Source("fuzz.cnn", words)
    tree, found = parse(source)
    if found:
        return
    once = Source("fuzz.cnn", format_source(source))
    again, found = parse(once)
    assert found == (), "what is formatted is no spec any more"
    assert again == tree, "formatting changed what it says"
    assert format_source(once) == once.text, "formatting twice changes it twice"


def values(words: str) -> None:
    """A short text as that of `--set N=…` and `--input …`."""
    if len(words) > 80 or "->" in words:  # no value has an arrow
        return
    source = Source("--set N", words)
    value, found = parse_value(source)
    shown(found, source)
    if value is None:
        return
    file, syntax = parse(Source("fuzz.cnn", "param N = 1\nINPUT(3x8x8) -> [CONV(4)]*N -> FC(N)"))
    for given in ({"sets": {"N": value}}, {"input": value}):
        try:
            shown(check(file, syntax, **given).diagnostics, file.source)  # type: ignore[arg-type]
        except WrongUse as wrong:
            assert wrong.message


TARGETS: tuple[Callable[[str], None], ...] = (checks, formats, values)
