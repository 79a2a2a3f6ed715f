"""The folders, the links, pyproject.toml and the public names go together."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

import cnnc

ROOT = Path(__file__).parent.parent
PARTS = ("cli", "compiler", "dsl", "grammars", "runtime")
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())


def sources(part: str) -> list[Path]:
    return [path for path in (ROOT / part).rglob("*.py") if "__pycache__" not in path.parts]


def test_packages_are_the_folders_with_sources() -> None:
    folders = {path.parent.relative_to(ROOT) for part in PARTS for path in sources(part)}
    names = {"cnnc"} | {"cnnc." + ".".join(folder.parts) for folder in folders}
    assert set(CONFIG["tool"]["setuptools"]["packages"]) == names


@pytest.mark.parametrize("part", PARTS)
def test_each_package_has_an_init_that_says_what_it_holds(part: str) -> None:
    for folder in {path.parent for path in sources(part)}:
        text = (folder / "__init__.py").read_text()
        assert text.startswith('"""'), f"{folder} has no docstring"


@pytest.mark.parametrize("part", PARTS)
def test_links_lead_to_the_folders(part: str) -> None:
    link = ROOT / "src" / "cnnc" / part
    assert link.is_symlink()
    assert link.readlink() == Path("..", "..", part)
    assert CONFIG["tool"]["setuptools"]["package-dir"][f"cnnc.{part}"] == part


def test_constraints_pin_what_the_project_asks_for() -> None:
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    project = CONFIG["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [requirement for group in groups for requirement in group]
    names = {requirement.split(">=")[0] for requirement in wanted}
    assert names - pins.keys() == set()


def test_make_alone_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    wanted = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert wanted
    run = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\S+) +\S", run.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(wanted[1].split())


def test_grammar_is_package_data() -> None:
    assert resources.files("cnnc.grammars").joinpath("cnn.lark").is_file()


def test_public_names_are_there() -> None:
    for name in cnnc.__all__:
        assert getattr(cnnc, name) is not None, name
    assert set(cnnc.__all__) <= set(dir(cnnc))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        cnnc.__getattr__("laod")


def loaded_after(code: str, path: Path = ROOT / "src") -> set[str]:
    """The modules that are loaded after some code ran in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        env={"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.splitlines()[-1].split())


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_after("import cnnc")
    assert not {"numpy", "lark", "click", "dataclasses"} & loaded
    assert not {name for name in loaded if name.startswith("cnnc.")}


def test_works_where_the_links_were_lost(tmp_path: Path) -> None:
    """As on Windows, or after a copy that drops links."""
    package = tmp_path / "src" / "cnnc"
    package.mkdir(parents=True)
    (package / "__init__.py").write_bytes((ROOT / "src/cnnc/__init__.py").read_bytes())
    (tmp_path / "dsl").symlink_to(ROOT / "dsl")
    assert "cnnc.dsl.diagnostics" in loaded_after("import cnnc; cnnc.SpecError", tmp_path / "src")
