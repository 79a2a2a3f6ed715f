"""Texts past the limits: one diagnostic, in time, and the other statements stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnc.dsl import nodes as n
from cnnc.dsl.limits import LARGEST_TEXT
from cnnc.dsl.parser import parse, read_source
from cnnc.dsl.source import Source


def codes(text: str) -> list[str]:
    return [d.code for d in parse(Source("text", text))[1]]


def test_text_past_the_limit() -> None:
    assert codes("#" * 2**20) == []
    assert codes("#" * (2**20 + 1)) == ["E901"]
    assert codes("#" + "é" * 2**19) == ["E901"]


@pytest.mark.parametrize("opener", ["[", "(", "{"])
def test_brackets_past_the_limit(opener: str) -> None:
    assert codes("A -> " + "[" * 200 + "B" + "]" * 200) == []
    _, (found,) = parse(Source("", "A -> " + opener * 100_000))
    assert found.code == "E902"
    assert found.span is not None
    assert (found.span.begin.column, found.span.text) == (206, opener)


def test_brackets_in_strings_and_comments_do_not_count() -> None:
    assert codes("# " + "[" * 500 + '\nimport "' + "(" * 500 + '"') == []


@pytest.mark.parametrize(
    "text",
    [
        "let a = " + "not " * 300 + "b",
        "let a = " + "-" * 300 + "b",
        "let a = " + "2 ** " * 300 + "b",
        "let a = " + "1 if b else " * 300 + "c",
        "let a = " + "not " * 200_000 + "b",
        "let a = " + "f(1 - -" * 101 + "d" + ")" * 101,
    ],
)  # fmt: skip
def test_values_nested_without_brackets(text: str) -> None:
    file, diagnostics = parse(Source("", text + "\n"))
    assert [d.code for d in diagnostics] == ["E902"]
    assert file.statements == ()


def test_long_values_are_not_deep() -> None:
    assert codes("let a = " + "1 + " * 5000 + "1") == []
    assert codes("let a = " + "b and " * 5000 + "c") == []
    assert codes("let a = [" + "-1 ** -2, " * 1000 + "1]") == []
    assert codes("let a = " + "not " * 200 + "b") == []


@pytest.mark.parametrize("postfix", ["?", "*2", " as a", " :: 3", "?(b)"])
def test_postfixes_past_the_limit(postfix: str) -> None:
    assert codes("A" + postfix * 200) == []
    assert codes("A" + postfix * 201) == ["E902"]
    assert codes("[A" + postfix * 101 + "]" + postfix * 100) == ["E902"]


def test_a_statement_past_a_limit_takes_no_other_with_it() -> None:
    file, diagnostics = parse(Source("", f"net A\nlet b = {'-' * 300}1\nlet c = 2"))
    assert [d.code for d in diagnostics] == ["E902"]
    assert [type(s) for s in file.statements] == [n.Net, n.Let]


@pytest.mark.parametrize(
    "text", [str(2**63 + 1), "9" * 5000, "9" * 100_000, "1e999", "10000000000G", "9" * 50 + "k"]
)
def test_numbers_past_the_limit(text: str) -> None:
    file, diagnostics = parse(Source("", f"let a = {text}\nnet B"))
    assert [(d.code, d.span.start) for d in diagnostics if d.span] == [("E903", 8)]
    assert len(diagnostics[0].message) < 200
    assert [type(s) for s in file.statements] == [n.Let, n.Net]


@pytest.mark.parametrize("text", [f"3x{2**31}", "1x" + "9" * 5000, f"{2**31}x1"])
def test_dims_past_the_limit(text: str) -> None:
    assert codes(f"INPUT({text})") == ["E903"]
    assert codes(f"INPUT({2**31 - 1}x1)") == []


@pytest.mark.parametrize("content", [b"#" * 2**20 * 3, "# \u00e9".encode() * 2**20, b"\0" * 2**22])
def test_of_a_huge_file_no_more_is_read_than_shows_it(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "huge.cnn"
    path.write_bytes(content)
    source = read_source(str(path))
    assert len(source.text) <= 2 * LARGEST_TEXT + 8
    assert [d.code for d in parse(source)[1]] == ["E901"]


def test_a_text_of_windows_lines_within_the_limit_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.cnn"
    path.write_bytes(b"\r\n" * (LARGEST_TEXT - 20) + b"INPUT(3) -> FC(2)\r\n")
    file, found = parse(read_source(str(path)))
    assert not found and len(file.statements) == 1
