"""BLAS is held to one thread inside, whoever else is inside, and has its own number after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import cnnc
from cnnc.runtime import blas
from cnnc.runtime.blas import one_thread

Threads = Callable[[], int]


@pytest.fixture
def threads() -> Iterator[Threads]:
    """BLAS with three threads; gives how many it has now."""
    controls = blas._controls()
    if controls is None:
        pytest.skip("this NumPy was built on another BLAS")
    setter, getter = controls
    before = getter()
    setter(3)
    yield getter
    setter(before)


def test_inside_there_is_one_thread(threads: Threads) -> None:
    assert threads() == 3
    with one_thread():
        assert threads() == 1
        with one_thread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == 3


def test_the_number_that_is_set_is_numpys(threads: Threads) -> None:
    """As another package finds out."""
    pool = pytest.importorskip("threadpoolctl")

    def numbers() -> set[int]:
        found = pool.threadpool_info()
        return {p["num_threads"] for p in found if "numpy" in p["filepath"]}

    assert numbers() == {3}
    with one_thread():
        assert numbers() == {1}


def test_after_an_error_it_is_as_before(threads: Threads) -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert threads() == 3


def test_two_that_overlap_end_with_the_number_from_before_both(threads: Threads) -> None:
    """Two nets that train in threads of their own."""
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_thread():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        assert inside.wait(10)
    assert threads() == 1  # the other is still inside
    leave.set()
    thread.join()
    assert threads() == 3


def test_a_step_holds_blas_and_gives_it_back(threads: Threads) -> None:
    seen = []
    program = cnnc.parse("INPUT(3) -> FC(2)").compile(batch=4, shards=2, threads=2)
    run = program._team.run

    def watched(tasks: Any) -> None:
        seen.append(threads())
        run(tasks)

    program._team.run = watched  # type: ignore[method-assign]
    x = np.zeros((4, 3), "float32")
    program.step(x, np.array([0, 1, 0, 1]))
    program.predict(x)
    assert len(seen) >= 2 and set(seen) == {1}
    assert threads() == 3


def test_without_openblas_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_controls", lambda: None)
    with one_thread():
        pass
