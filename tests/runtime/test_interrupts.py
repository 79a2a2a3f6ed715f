"""Ctrl-C waits inside `interrupts_held`, and only there."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from cnnc.runtime.interrupts import interrupts_held


@pytest.fixture(autouse=True)
def usual_handler() -> Iterator[None]:
    """As an interactive shell starts Python; a job in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_comes_at_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts_held():
            interrupt()
            done.append("rest")
        done.append("after")
    assert done == ["rest"]
    with pytest.raises(KeyboardInterrupt):
        interrupt()  # as before


def test_without_an_interrupt_nothing_happens() -> None:
    with interrupts_held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_comes_through_and_the_handler_comes_back() -> None:
    with pytest.raises(ZeroDivisionError), interrupts_held():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_programs_own_is_left_alone() -> None:
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append("own"))
    with interrupts_held():
        interrupt()
        assert seen == ["own"]


def test_in_another_thread_nothing_is_held() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with interrupts_held():
                pass
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failures
