"""Imports go one way: grammars, dsl, compiler, runtime, cli. And files stay short."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("cli", "compiler", "dsl", "grammars", "runtime")

# What of cnnc each part may import. Anyone may import `cnnc` itself, which loads nothing.
MAY_IMPORT = {
    "grammars": {"grammars"},
    "dsl": {"dsl", "grammars"},
    "compiler": {"compiler", "dsl"},
    "runtime": {"runtime", "compiler"},
    "cli": {"cli", "api", "runtime", "compiler", "dsl"},
    "api": {"api", "runtime", "compiler", "dsl"},
    "__init__": {"api", "runtime", "dsl"},
    "__main__": {"cli"},
}
# `cnnc check` starts in about 100 ms because of this.
ARRAYS = {"numpy", "cupy", "scipy", "sklearn"}
NO_ARRAYS = {"grammars", "dsl", "compiler", "__init__", "__main__"}

LONGEST, LONGEST_TEST = 400, 500


def python_files(*folders: str) -> list[str]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


# Path.rglob does not follow links, so no file comes twice.
PACKAGE = [*python_files(*PARTS), *(f"src/cnnc/{p.name}" for p in ROOT.glob("src/cnnc/*.py"))]
OTHER = python_files("tests", "benchmarks", ".ci")


def part_of(file: str) -> str:
    path = Path(file)
    return path.stem if path.parts[0] == "src" else path.parts[0]


def module_of(file: str) -> tuple[str, ...]:
    """The package that relative imports in a file start from, as ("cnnc", "dsl")."""
    path = Path(file)
    folder = path.parent.parts[2:] if path.parts[0] == "src" else path.parent.parts
    return ("cnnc", *folder)


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Every imported module, those inside functions too, by its full name and line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{name}.{alias.name}", node.lineno


def upward(code: str, file: str) -> list[str]:
    """What a file with this code imports and must not."""
    part = part_of(file)
    wrong = []
    for name, line in imports(ast.parse(code), module_of(file)):
        first, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if first == "cnnc" and target in MAY_IMPORT and target not in MAY_IMPORT[part]:
            wrong.append(f"{file}:{line}: {part} must not import {name}")
        if first in ARRAYS and part in NO_ARRAYS:
            wrong.append(f"{file}:{line}: {part} must not import {first}")
        if first in PARTS:
            wrong.append(f"{file}:{line}: `{first}` loads a second copy; import cnnc.{first}")
    return wrong


@pytest.mark.parametrize("file", PACKAGE)
def test_imports_go_one_way(file: str) -> None:
    assert upward((ROOT / file).read_text(), file) == []


@pytest.mark.parametrize("file", OTHER)
def test_nothing_imports_a_second_copy(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    names = {name.partition(".")[0] for name, _ in imports(tree, ())}
    assert names & set(PARTS) == set()


@pytest.mark.parametrize("file", PACKAGE + OTHER)
def test_file_is_short(file: str) -> None:
    longest = LONGEST_TEST if file.startswith("tests/") else LONGEST
    assert len((ROOT / file).read_text().splitlines()) <= longest, "split it by idea"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("dsl/x.py", "from cnnc.compiler import net"),
        ("dsl/x.py", "from ..compiler.net import Net"),
        ("dsl/x.py", "from .. import compiler"),
        ("compiler/passes/x.py", "def f():\n    from ...runtime import engine"),
        ("compiler/x.py", "import numpy as np"),
        ("compiler/layers/x.py", "def f():\n    import numpy.linalg"),
        ("runtime/x.py", "from ..dsl.source import Span"),
        ("runtime/data/x.py", "import cnnc.cli.main"),
        ("src/cnnc/api.py", "from .cli.main import main"),
        ("src/cnnc/__init__.py", "import numpy"),
        ("cli/x.py", "from dsl.source import Span"),
    ],
)
def test_upward_import_is_found(file: str, code: str) -> None:
    assert len(upward(code, file)) == 1


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("dsl/x.py", "from .source import Span\nfrom ..grammars import cnn_grammar"),
        ("compiler/layers/x.py", "from ...dsl.source import Span\nfrom ..geometry import out"),
        ("runtime/x.py", "import numpy\nfrom ..compiler.net import Net"),
        ("cli/x.py", "from cnnc import __version__, api\nfrom cnnc.runtime.errors import RunError"),
        ("src/cnnc/__main__.py", "from .cli.main import main"),
    ],
)
def test_downward_import_is_allowed(file: str, code: str) -> None:
    assert upward(code, file) == []
