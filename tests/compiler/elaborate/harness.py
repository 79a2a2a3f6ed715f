"""Checks a text and says in few words what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from cnnc.api import check_source
from cnnc.compiler.elaborate.check import Checked
from cnnc.compiler.net import Net
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Source


def checked(
    text: str, sets: Mapping[str, object] | None = None, input: str | None = None
) -> Checked:
    """What `cnnc check` finds in a text."""
    return check_source(Source("a.cnn", text), sets, input)


def net(text: str, sets: Mapping[str, object] | None = None, input: str | None = None) -> Net:
    """The net of a text without errors."""
    return checked(text, sets, input).require()


def layers(
    text: str, sets: Mapping[str, object] | None = None, input: str | None = None
) -> list[str]:
    """The layers of a right text after INPUT, as they would be written."""
    return [layer.layer.written() for layer in net(text, sets, input).layers[1:]]


def errors(
    text: str, sets: Mapping[str, object] | None = None, input: str | None = None
) -> list[str]:
    """Code and marked text of each error: `E403 0`."""
    found = checked(text, sets, input).diagnostics
    return [f"{d.code} {marked(d)}" for d in found if d.severity == "error"]


def error(
    text: str, sets: Mapping[str, object] | None = None, input: str | None = None
) -> Diagnostic:
    """The one error of a text."""
    (found,) = (d for d in checked(text, sets, input).diagnostics if d.severity == "error")
    return found


def marked(diagnostic: Diagnostic) -> str:
    """The text that a diagnostic is about."""
    return diagnostic.span.text if diagnostic.span else ""
