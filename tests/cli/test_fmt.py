"""`cnnc fmt` changes what it should, and loses nothing when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnc.cli import fmt

UGLY = "INPUT(1x8x8)->CONV( 4,3 )   ->   RELU # kept\n"
PRETTY = "INPUT(1x8x8) -> CONV(4, 3) -> RELU"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.cnn"
    path.write_text(UGLY)
    return path


def test_formats_in_place_and_a_second_time_changes_nothing(spec: Path, cnnc) -> None:
    done = cnnc("fmt", "a.cnn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "formatted a.cnn\n")
    formatted = spec.read_text()
    assert formatted.startswith(PRETTY)
    assert "# kept" in formatted
    done = cnnc("fmt", "a.cnn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert spec.read_text() == formatted


def test_check_changes_nothing_and_names_the_files(spec: Path, tmp_path: Path, cnnc) -> None:
    (tmp_path / "b.cnn").write_text(cnnc("fmt", "-", input=UGLY).stdout)
    done = cnnc("fmt", "--check", "a.cnn", "b.cnn")
    assert (done.returncode, done.stdout) == (1, "would change a.cnn\n")
    assert done.stderr == "1 of 2 would change\n"
    assert spec.read_text() == UGLY
    assert cnnc("fmt", "--check", "b.cnn").returncode == 0


def test_standard_input(cnnc) -> None:
    done = cnnc("fmt", "-", input=UGLY)
    assert done.returncode == 0
    assert done.stdout.startswith(PRETTY)
    assert cnnc("fmt", "--check", "-", input=UGLY).returncode == 1
    assert cnnc("fmt", "--check", "-", input=done.stdout).returncode == 0


def test_file_with_a_syntax_error_is_left_alone_and_the_others_are_done(
    spec: Path, tmp_path: Path, cnnc
) -> None:
    wrong = tmp_path / "wrong.cnn"
    wrong.write_text("INPUT(1x8x8) ->-> RELU\n")
    done = cnnc("fmt", "wrong.cnn", "none.cnn", "a.cnn")
    assert done.returncode == 1
    assert "wrong.cnn:1:" in done.stderr
    assert "none.cnn" in done.stderr
    assert wrong.read_text() == "INPUT(1x8x8) ->-> RELU\n"
    assert spec.read_text().startswith(PRETTY)


def test_mode_and_link_are_kept(spec: Path, tmp_path: Path, cnnc) -> None:
    spec.chmod(0o640)
    link = tmp_path / "link.cnn"
    link.symlink_to(spec)
    assert cnnc("fmt", "link.cnn").returncode == 0
    assert link.is_symlink()
    assert spec.stat().st_mode & 0o777 == 0o640
    assert spec.read_text().startswith(PRETTY)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cnn", "link.cnn"]


def test_byte_order_mark_and_carriage_returns_go(tmp_path: Path, cnnc) -> None:
    path = tmp_path / "w.cnn"
    path.write_bytes(b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode())
    assert cnnc("fmt", "w.cnn").returncode == 0
    assert b"\r" not in path.read_bytes()
    assert path.read_bytes().startswith(PRETTY.encode())


def test_failed_write_leaves_the_old_file_and_no_other(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(OSError, match="No space"):
                fmt._replace(spec, "new")
        assert spec.read_text() == UGLY
        assert list(spec.parent.iterdir()) == [spec]
