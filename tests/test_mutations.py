"""One random mistake in a right spec is one error, on the mistake's line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.mutations import FILES, KINDS, SEVERAL, SPECS, Mutant, mutants

from cnnc.api import check_source
from cnnc.cli.main import run
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Source

SEEDS = 5
ONE = list(mutants(KINDS, SEEDS))
MANY = list(mutants(SEVERAL, SEEDS))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the files that specs import."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def name(mutant: Mutant) -> str:
    return mutant.name


def errors(text: str) -> list[Diagnostic]:
    found = check_source(Source("a.cnn", text)).diagnostics
    return [d for d in found if d.severity == "error"]


def lines(diagnostic: Diagnostic) -> Iterator[int]:
    """The lines that a diagnostic points at."""
    spans = [related.span for related in diagnostic.related]
    for span in [diagnostic.span, *spans]:
        if span is not None:
            yield span.begin.line


@pytest.mark.parametrize("spec", SPECS)
def test_without_a_mistake_there_is_no_error(spec: str) -> None:
    assert errors(SPECS[spec]) == []


@pytest.mark.parametrize("mutant", ONE, ids=name)
def test_one_mistake_is_one_error_on_its_line(mutant: Mutant) -> None:
    found = errors(mutant.text)
    assert len(found) == 1, [f"{d.code} {d.message}" for d in found]
    assert mutant.line in lines(found[0]), found[0].message


@pytest.mark.parametrize("mutant", MANY, ids=name)
def test_one_of_several_errors_is_on_the_mistakes_line(mutant: Mutant) -> None:
    assert mutant.line in {line for d in errors(mutant.text) for line in lines(d)}


@pytest.mark.parametrize("mutant", [*ONE, *MANY][::4], ids=name)
def test_the_command_ends_with_status_1(mutant: Mutant, tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.cnn"
    path.write_text(mutant.text, "utf-8")
    assert run(["check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "error[" in out and err == ""
    assert "Traceback" not in out


def test_there_are_many_mistakes_of_many_kinds() -> None:
    kinds = {mutant.name.split("-")[0] for mutant in ONE}
    assert kinds == set(KINDS), "each kind is found in some spec"
    assert len(kinds) >= 60
    assert len(ONE) >= 600
    assert len({mutant.text for mutant in ONE}) > 0.9 * len(ONE)


def test_the_same_seeds_make_the_same_mistakes() -> None:
    assert list(mutants(KINDS, 2)) == list(mutants(KINDS, 2))
