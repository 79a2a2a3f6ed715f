"""The team of threads: who does what, failures, interruptions and the end."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable

import pytest

from cnnc.runtime.team import Team


def test_part_i_goes_to_thread_i_modulo_the_number_of_threads() -> None:
    team = Team(3)
    ran: dict[int, str] = {}

    def task(i: int) -> Callable[[], None]:
        return lambda: ran.update({i: threading.current_thread().name})

    for _ in range(20):
        ran.clear()
        team.run([task(i) for i in range(8)])
        mine = threading.current_thread().name
        names = [mine, "cnnc-1", "cnnc-2"]
        assert ran == {i: names[i % 3] for i in range(8)}


@pytest.mark.parametrize("tasks", [0, 1, 2, 5])
def test_any_number_of_tasks_is_done_once(tasks: int) -> None:
    done: list[int] = []
    Team(4).run([lambda i=i: done.append(i) for i in range(tasks)])  # type: ignore[misc]
    assert sorted(done) == list(range(tasks))


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failure_is_raised_when_all_are_done(failing: int) -> None:
    team = Team(3)
    done: list[int] = []

    def task(i: int) -> None:
        if i == failing:
            raise ZeroDivisionError(f"task {i}")
        time.sleep(0.01)
        done.append(i)

    tasks = [lambda i=i: task(i) for i in range(3)]  # type: ignore[misc]
    for _ in range(2):  # and the team works on
        done.clear()
        with pytest.raises(ZeroDivisionError, match=f"task {failing}"):
            team.run(tasks)
        assert sorted(done) == [i for i in range(3) if i != failing]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")
@pytest.mark.parametrize("late", [False, True])
def test_an_interrupted_wait_still_waits_for_all(late: bool) -> None:
    """Else the next run would take this run's tasks for its own, and count them as done."""
    team = Team(2)
    done: list[int] = []

    def slow() -> None:
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        if not late:  # else it comes at the moment that the wait ends
            time.sleep(0.05)
        done.append(1)

    with pytest.raises(KeyboardInterrupt):
        team.run([lambda: None, slow])
    assert done == [1]
    team.run([lambda: done.append(2), lambda: done.append(3)])
    assert sorted(done) == [1, 2, 3]


def test_one_thread_starts_none() -> None:
    before = threading.active_count()
    team = Team(1)
    assert threading.active_count() == before
    team.run([lambda: None] * 3)


def test_the_threads_end_with_the_team() -> None:
    before = set(threading.enumerate())
    team = Team(4)
    started = set(threading.enumerate()) - before
    assert len(started) == 3
    team.run([lambda: None] * 4)
    del team
    gc.collect()
    for thread in started:
        thread.join(timeout=5)
        assert not thread.is_alive()
