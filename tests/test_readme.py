"""Every fenced block of README.md, CONTRIBUTING.md and docs/ does what it says.

A block's language says how it is tested, and an HTML comment right before it can say more:

    sh        every line runs with status 0; `make …` lines that CI runs are left to CI
    console   `$ ` lines run, and print what follows; `…` stands for any text in a line, a
              line `...` for any lines
    python    runs, in one namespace a document
    cnn       `cnnc check` finds no error in it
    <!-- file: lenet.cnn -->          a cnn block is written there for later blocks
    <!-- gives: E301 -->              a cnn block has this error instead
    <!-- from: compiler/geometry.py --> a block is an excerpt; a line `...` leaves lines out
    <!-- not run: because … -->
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]

_COMMENT = re.compile(r"<!-- (not run|file|gives|from): (.*) -->")
_MADE_BY_CI = re.findall(r"^make .*$", (ROOT / ".ci/run").read_text(), re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and what the comment before it says."""

    place: str
    line: int
    language: str
    text: str
    comment: dict[str, str]


def blocks(text: str, name: str) -> list[Block]:
    """The fenced blocks of a page. Fences inside lists may be indented."""
    found: list[Block] = []
    comment: dict[str, str] = {}
    fence, start, body = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None and line.strip() == "```":
            code = textwrap.dedent("\n".join(body)) + "\n"
            found.append(Block(f"{name}:{start}", start, fence, code, comment))
            fence, comment = None, {}
        elif fence is not None:
            body.append(line)
        elif line.strip().startswith("```"):
            fence, start, body = line.strip()[3:], number, []
        elif said := _COMMENT.fullmatch(line.strip()):
            comment = {**comment, said[1]: said[2]}
        elif line.strip():
            comment = {}
    assert fence is None, f"{name}:{start}: the block does not end"
    return found


class Page:
    """Runs the blocks of one page, in order, in one folder with a copy of examples/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        (folder / "examples").symlink_to(ROOT / "examples")
        command = folder / ".bin" / "cnnc"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnc "$@"\n')
        command.chmod(0o755)
        path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "FORCE_COLOR"},
            "PATH": path,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUTF8": "1",
        }

    def test(self, block: Block) -> None:
        if "not run" in block.comment:
            assert block.comment["not run"].strip()
        elif "from" in block.comment:
            self.excerpt(block)
        else:
            how = getattr(self, f"{block.language or 'none'}_block", None)
            assert how, f"{block.place}: `{block.language}` blocks need a comment: not run: …"
            how(block)

    def sh_block(self, block: Block) -> None:
        lines = block.text.replace("\\\n", " ").splitlines()
        for line in (line.strip() for line in lines):
            if line and not line.startswith("#") and line.split(" #")[0].strip() not in _MADE_BY_CI:
                status, output = self.run(line)
                assert status == 0, f"{block.place}: {line}\n{output}"

    def console_block(self, block: Block) -> None:
        assert block.text.startswith("$ "), f"{block.place}: a console block begins with `$ `"
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            line, _, expected = part.partition("\n")
            status, output = self.run(line)
            assert status in (0, 1), f"{block.place}: {line} gave {status}\n{output}"
            assert matches(expected, output), f"{block.place}: {line} prints\n{output}"

    def python_block(self, block: Block) -> None:
        # The empty lines give a traceback the page's own line numbers.
        code = "\n" * block.line + block.text
        exec(compile(code, block.place, "exec"), self.namespace)

    def cnn_block(self, block: Block) -> None:
        file = block.comment.get("file", "block.cnn")
        (self.folder / file).write_text(block.text)
        _, output = self.run(f"cnnc check --format json {file}")
        found = json.loads(output)["files"][0]["diagnostics"]
        errors = [d for d in found if d["severity"] == "error"]
        if "gives" in block.comment:
            codes = [d["code"] for d in found]
            assert block.comment["gives"] in codes, f"{block.place}: gives {codes}"
        else:
            assert not errors, f"{block.place}: {errors}"

    def excerpt(self, block: Block) -> None:
        text = (ROOT / block.comment["from"]).read_text()
        expected = [line.strip() for line in block.text.splitlines() if line.strip()]
        actual = "\n".join(line.strip() for line in text.splitlines() if line.strip())
        chunks = re.split(r"^\.\.\.$", "\n".join(expected), flags=re.MULTILINE)
        place = 0
        for chunk in chunks:
            place = actual.find(chunk.strip("\n"), place)
            assert place >= 0, f"{block.place}: not in {block.comment['from']}:\n{chunk}"

    def run(self, line: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode not in (70, 127), f"{line}\n{done.stdout}"
        return done.returncode, done.stdout


def matches(expected: str, output: str) -> bool:
    """Whether an output is as a page shows it, spaces at the ends of lines aside."""
    pattern = ""
    for line in expected.rstrip().splitlines():
        if line.strip() == "..." and line == line.lstrip():
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(piece) for piece in line.rstrip().split("…")) + "\n"
    plain = "".join(line.rstrip() + "\n" for line in output.rstrip().splitlines())
    return re.fullmatch(pattern, plain) is not None


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Page(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks((ROOT / page).read_text(), page):
        runner.test(block)


# -- the test's own tests: each kind of block can fail ---------------------------------


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nfalse\n```",
        "```console\n$ echo a\nb\n```",
        "```console\n$ exit 2\n```",
        "```python\nassert False\n```",
        "<!-- from: LICENSE -->\n```text\nno such line\n```",
        "```text\nwhatever\n```",
        "<!-- not run: in a paragraph before -->\nText.\n```\nwhatever\n```",
        "```cnn\nINPUT(1x8x8) -> POOL(9)\n```",
        "<!-- gives: E399 -->\n```cnn\nINPUT(1x8x8) -> POOL(9)\n```",
    ],
)
def test_wrong_block_is_found(page: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Page(tmp_path).test(blocks(page, "page")[0])


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nmake test   # all tests\ntrue \\\n  # goes on\n```",
        "```console\n$ echo a 12; echo b; echo c\na …\n...\nc\n$ true\n```",
        "<!-- from: LICENSE -->\n```text\nMIT License\n...\nSOFTWARE.\n```",
        "<!-- not run: it is a drawing -->\n\n```text\nwhatever\n```",
        "<!-- gives: E301 -->\n```cnn\nINPUT(1x8x8) -> POOL(9)\n```",
        "```cnn\nINPUT(1x8x8) -> POOL(2)\n```",
    ],
)
def test_right_block_passes(page: str, tmp_path: Path) -> None:
    Page(tmp_path).test(blocks(page, "page")[0])
