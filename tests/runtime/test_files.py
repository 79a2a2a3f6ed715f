"""Files are whole at every moment: every operation of a write is made to fail in turn."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from cnnc.runtime import files
from cnnc.runtime.errors import RunError
from cnnc.runtime.files import remove_stale, write_atomic

OLD, NEW = b"the old file", b"the new file, which is longer" * 1000


def two_writes(file):
    file.write(NEW[:9000])
    file.write(NEW[9000:])


@pytest.mark.parametrize("data", [NEW, two_writes])
def test_writes_and_replaces(tmp_path, data):
    path = tmp_path / "a"
    write_atomic(path, data)
    write_atomic(str(path), data)
    assert path.read_bytes() == NEW
    assert os.listdir(tmp_path) == ["a"]


def test_a_new_file_has_the_permissions_of_a_new_file(tmp_path):
    write_atomic(tmp_path / "a", NEW)
    (tmp_path / "b").touch()
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == stat.S_IMODE(
        os.stat(tmp_path / "b").st_mode
    )


def test_a_link_stays_one(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/a")
    write_atomic(link, NEW)
    assert link.is_symlink()
    assert (tmp_path / "folder" / "a").read_bytes() == NEW


class Fault:
    """Counts the operations of a write and makes the n-th of them fail."""

    def __init__(self, monkeypatch, n, code):
        self.n, self.code, self.log = n, code, []
        for name in ("fsync", "replace", "open"):
            monkeypatch.setattr(files.os, name, self.wrap(name, getattr(os, name)))
        real_open = open

        def opened(*args, **kwargs):
            return FaultyFile(self, self.wrap("create", real_open)(*args, **kwargs))

        monkeypatch.setattr(files, "open", opened, raising=False)

    def wrap(self, name, function):
        def call(*args, **kwargs):
            self.log.append(name)
            if len(self.log) == self.n:
                raise OSError(self.code, os.strerror(self.code))
            return function(*args, **kwargs)

        return call


class FaultyFile:
    def __init__(self, fault, file):
        self.file = file
        self.write = fault.wrap("write", file.write)
        self.flush = fault.wrap("flush", file.flush)
        self.fileno = file.fileno

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.file.close()


ORDER = ["create", "write", "write", "flush", "fsync", "replace", "open", "fsync"]


def test_the_data_is_synced_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    fault = Fault(monkeypatch, 0, errno.EIO)
    write_atomic(tmp_path / "a", two_writes)
    assert fault.log == ORDER


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("n", range(1, len(ORDER) + 1))
def test_any_operation_that_fails_leaves_a_whole_file(tmp_path, monkeypatch, n, code):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    with monkeypatch.context() as patch:
        fault = Fault(patch, n, code)
        with pytest.raises(RunError) as caught:
            write_atomic(path, two_writes)
    assert fault.log == ORDER[:n]
    assert caught.value.message == f"cannot write {path}: {os.strerror(code)}"
    assert path.read_bytes() == (OLD if n <= ORDER.index("replace") + 1 else NEW)
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_system_that_does_not_sync_folders_is_no_error(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        Fault(patch, len(ORDER), errno.EINVAL)
        write_atomic(tmp_path / "a", two_writes)
    assert (tmp_path / "a").read_bytes() == NEW


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_the_writer_raises_comes_through(tmp_path, error):
    def interrupted(file):
        file.write(NEW)
        raise error

    (tmp_path / "a").write_bytes(OLD)
    with pytest.raises(error):
        write_atomic(tmp_path / "a", interrupted)
    assert (tmp_path / "a").read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a"]


def test_no_folder(tmp_path):
    with pytest.raises(RunError, match="No such file or directory") as caught:
        write_atomic(tmp_path / "no" / "a", NEW)
    assert caught.value.help == (f"make the folder {tmp_path / 'no'}",)


@pytest.mark.parametrize("path", [os.devnull, "."])
def test_only_regular_files_are_replaced(path):
    with pytest.raises(RunError, match="not a regular file"):
        write_atomic(path, NEW)


def test_a_limit_on_the_size_of_files(tmp_path):
    """A real refusal by the system, halfway through the data."""
    code = f"""
import resource, signal
from cnnc.runtime.errors import RunError
from cnnc.runtime.files import write_atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_atomic({str(tmp_path / "a")!r}, bytes(100_000))
except RunError as error:
    print(error.message, error.help[0])
"""
    (tmp_path / "a").write_bytes(OLD)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout
    assert "make room" in done.stdout
    assert (tmp_path / "a").read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a"]


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_killed_writers_leave_whole_files_and_what_they_left_is_removed(tmp_path):
    code = f"""
from cnnc.runtime.files import write_atomic
for n in range(10**9):
    write_atomic({str(tmp_path / "a")!r}, bytes([n % 256]) * 3_000_000)
"""
    for wait in (0.02, 0.05, 0.031, 0.043):
        writer = subprocess.Popen([sys.executable, "-c", code], env=environment())
        while not (tmp_path / "a").exists():
            time.sleep(0.01)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        data = (tmp_path / "a").read_bytes()
        assert data == data[:1] * 3_000_000
    remove_stale(tmp_path)
    assert os.listdir(tmp_path) == ["a"]


def test_only_the_temporary_files_of_the_dead_are_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    names = {
        "dead": f".weights.safetensors.{dead.pid}.3.tmp",
        "living": f".weights.safetensors.{living.pid}.3.tmp",
        "own": f".weights.safetensors.{os.getpid()}.999999.tmp",  # of one before with our number
        "other": "notes.tmp",
        "huge": f".a.{10**30}.0.tmp",
    }
    for name in names.values():
        (tmp_path / name).touch()

    def clean(file):
        file.write(NEW)
        removed = remove_stale(tmp_path)  # in the middle of a write of our own
        assert sorted(path.name for path in removed) == sorted([names["dead"], names["own"]])

    write_atomic(tmp_path / "a", clean)
    living.communicate(b"\n")
    left = ["a", names["living"], names["other"], names["huge"]]
    assert sorted(os.listdir(tmp_path)) == sorted(left)


def test_cleaning_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match="cannot clean"):
        remove_stale(tmp_path / "no")
