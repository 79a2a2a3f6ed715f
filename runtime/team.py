"""Threads that work on the parts of a batch.

Part number i always goes to thread i modulo the number of threads, and no two parts write the
same array, so the number of threads changes the time and not one bit of the result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

Task = Callable[[], None]


class Team:
    """The caller and `threads - 1` persistent threads. A hand-over takes microseconds."""

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._work: list[SimpleQueue[list[Task] | None]] = []
        for number in range(1, self.threads):
            queue: SimpleQueue[list[Task] | None] = SimpleQueue()
            self._work.append(queue)
            args = (queue, self._done)
            name = f"cnnc-{number}"
            threading.Thread(target=_serve, args=args, name=name, daemon=True).start()

    def run(self, tasks: Sequence[Task]) -> None:
        """Run all tasks and return when all are done; the first failure is raised."""
        shares = [list(tasks[i :: self.threads]) for i in range(self.threads)]
        handed = 0
        for queue, share in zip(self._work, shares[1:], strict=True):
            if share:
                queue.put(share)
                handed += 1
        failures = [_attempt(shares[0])]
        while handed:
            try:
                failures.append(self._done.get())
                handed -= 1
            except KeyboardInterrupt as interrupt:
                # The others still write into their arrays: nobody may go on before they end.
                failures.append(interrupt)
        for failure in failures:
            if failure is not None:
                raise failure

    def close(self) -> None:
        """Let the threads end."""
        for queue in self._work:
            queue.put(None)

    def __del__(self) -> None:
        self.close()


def _attempt(tasks: list[Task]) -> BaseException | None:
    try:
        for task in tasks:
            task()
    except BaseException as failure:
        return failure
    return None


def _serve(queue: SimpleQueue[Any], done: SimpleQueue[Any]) -> None:
    while (tasks := queue.get()) is not None:
        done.put(_attempt(tasks))
        del tasks  # a program must not live on because a thread remembers its last task
