"""What shells complete: spec files, and the knobs of one. The mechanism is click's."""

from __future__ import annotations

import os
from collections.abc import Sequence

from click.shell_completion import CompletionItem


def spec_files(start: str) -> list[CompletionItem]:
    """The .cnn files and folders whose path begins with `start`."""
    folder, begin = os.path.split(start)
    files, folders = [], []
    try:
        entries = list(os.scandir(os.path.expanduser(folder) or "."))
    except OSError:
        return []
    for entry in sorted(entries, key=lambda entry: entry.name):
        if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
            continue
        path = os.path.join(folder, entry.name)
        if entry.is_dir():
            folders.append(CompletionItem(path + "/"))
        elif entry.name.endswith(".cnn"):
            files.append(CompletionItem(path))
    if not files and folders:  # the shell itself goes into folders without adding a space
        return [CompletionItem(start, type="dir")]
    return files + folders


def knobs(given: Sequence[str], start: str) -> list[CompletionItem]:
    """NAME=VALUE for each knob of the spec that is the first of the arguments given before:
    its value, or all that it may take.
    """
    from cnnc.api import check_source
    from cnnc.compiler.elaborate.scope import UNKNOWN
    from cnnc.compiler.values import show
    from cnnc.dsl.diagnostics import SpecError
    from cnnc.dsl.parser import read_source

    if not given or given[0] == "-":  # what comes through standard input must not be read here
        return []
    try:
        checked = check_source(read_source(given[0]))
    except SpecError:
        return []
    values = {name: [value] for name, value in checked.knobs.items()} | dict(checked.choices)
    texts = [
        f"{name}=" if value is UNKNOWN else f"{name}={show(value)}"
        for name, each in values.items()
        for value in each
    ]
    return [CompletionItem(text) for text in texts if text.startswith(start)]
