"""`import`: what comes from other files, and which files are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import cnnc
from cnnc.dsl.diagnostics import Diagnostic


def net_of(folder: Path, **files: str) -> cnnc.Net:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.cnn"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return cnnc.load(folder / "main.cnn")


def written(net: cnnc.Net) -> list[str]:
    return [layer.layer.written() for layer in net.layers[1:]]


def mistakes(folder: Path, **files: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(cnnc.SpecError) as raised:
        net_of(folder, **files)
    return raised.value.diagnostics


def test_blocks_lets_and_defaults(tmp_path: Path) -> None:
    net = net_of(
        tmp_path,
        main='import "parts/blocks.cnn"\nINPUT(3x9x9) -> b(width) -> CONV(2) -> RELU',
        parts__blocks="let width = 5\ndefault CONV(k=1)\nblock b(f) = CONV(f) -> CONV(width)\n"
        "INPUT(1) -> FC(1)\nexpect params == 0",
    )
    assert written(net) == ["CONV(5, 1)", "CONV(5, 1)", "CONV(2, 1)", "RELU"]


def test_a_block_keeps_the_lets_and_defaults_of_its_file(tmp_path: Path) -> None:
    net = net_of(
        tmp_path,
        main='import "lib.cnn"\nlet w = 2\ndefault CONV(k=3)\nINPUT(3x9x9) -> b() -> CONV(w)',
        lib="let w = 5\nparam n = 2\ndefault CONV(k=1, pad=1)\nblock b() = [CONV(w)]*n",
    )
    # The imported default has a pad; a file takes it only for kinds of which it has none.
    assert written(net) == ["CONV(5, 1, pad=1)"] * 2 + ["CONV(2, 3)"]


def test_files_that_import_files(tmp_path: Path) -> None:
    net = net_of(
        tmp_path,
        main='import "a/one.cnn"\nimport "a/two.cnn"\nINPUT(3x9x9) -> one() -> two() -> base()',
        a__one='import "base/base.cnn"\nblock one() = base() -> RELU',
        a__two='import "base/base.cnn"\nblock two() = base() -> TANH',
        a__base__base="block base() = CONV(2, 1)",
    )
    assert written(net) == ["CONV(2, 1)", "RELU", "CONV(2, 1)", "TANH", "CONV(2, 1)"]


def test_a_files_own_blocks_win(tmp_path: Path) -> None:
    net = net_of(
        tmp_path,
        main='import "lib.cnn"\nblock b() = TANH\nINPUT(3) -> b() -> c()',
        lib="block b() = RELU\nblock c() = b()",
    )
    assert written(net) == ["TANH", "RELU"]


def test_knobs_that_imported_blocks_leave_open(tmp_path: Path) -> None:
    (tmp_path / "lib.cnn").write_text("block b() = [CONV(2, 1) -> RELU?]*N")
    (tmp_path / "main.cnn").write_text('import "lib.cnn"\nINPUT(3x9x9) -> b()')
    net = cnnc.load(tmp_path / "main.cnn", set={"N": 2, "relu": False})
    assert written(net) == ["CONV(2, 1)"] * 2


@pytest.mark.parametrize(
    "path", ["../up.cnn", "/etc/passwd", "parts/../../up.cnn", "", "linked.cnn", "\\0"]
)
def test_nothing_outside_the_folder_is_read(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    (tmp_path / "up.cnn").write_text("block b() = RELU")
    os.symlink(tmp_path / "up.cnn", folder / "linked.cnn")
    [found] = mistakes(folder, main=f'import "{path}"\nINPUT(3) -> b() -> FC(2)')
    assert found.code in ("E211", "E210")
    assert path != "linked.cnn" or found.code == "E211"


def test_a_file_that_is_missing_silences_what_hangs_on_it(tmp_path: Path) -> None:
    [found] = mistakes(tmp_path, main='import "no.cnn"\nINPUT(3) -> b(w) -> FC(width) -> c()')
    assert found.code == "E210" and found.span is not None and found.span.text == '"no.cnn"'


def test_circles(tmp_path: Path) -> None:
    [found] = mistakes(tmp_path, main='import "main.cnn"\nINPUT(3) -> FC(2)')
    assert found.code == "E212"
    [found] = mistakes(
        tmp_path, main='import "a.cnn"\nINPUT(3) -> FC(2)', a='import "b.cnn"', b='import "a.cnn"'
    )
    assert found.code == "E212" and "a.cnn -> b.cnn -> a.cnn" in found.message


def test_mistakes_in_an_imported_file_point_into_it(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        main='import "lib.cnn"\nINPUT(3x4x4) -> b(2) -> c()',
        lib="block b(f) = CONV(f, 9)\nblock c() = RELU ->\nlet a = 1\nlet a = 2",
    )
    places = {(d.code, os.path.basename(d.span.source.name)) for d in found if d.span}
    assert ("E209", "lib.cnn") in places
    assert {name for _, name in places} == {"lib.cnn"}
    use = next(d for d in found if d.code == "E301").related
    assert [os.path.basename(r.span.source.name) for r in use][-1] == "main.cnn"


def test_two_files_with_a_block_of_one_name(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        main='import "a.cnn"\nimport "b.cnn"\nINPUT(3) -> x()',
        a="block x() = RELU",
        b="block x() = TANH",
    )
    assert [d.code for d in found] == ["E209"]


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.cnn")
    [found] = mistakes(tmp_path, main='import "pipe.cnn"\nINPUT(3) -> FC(2)')
    assert found.code == "E210" and "no regular file" in found.message
