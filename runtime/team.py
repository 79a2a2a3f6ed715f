"""Threads that work on the parts of a batch.

Part number i always goes to thread i modulo the number of threads, and no two parts write the
same array, so the number of threads changes the time and not one bit of the result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

Task = Callable[[], None]


class Share:
    """The tasks of one thread in one run, and how they ended."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self.failure: BaseException | None = None
        self.ended = False
        self._running = threading.Lock()
        self._running.acquire()

    def work(self) -> None:
        """Run the tasks; a failure ends them and is kept."""
        try:
            for task in self.tasks:
                task()
        except BaseException as failure:
            self.failure = failure
        self.ended = True
        self._running.release()

    def wait(self) -> None:
        """Return when the tasks have ended; may be called again after an interrupt."""
        while not self.ended:
            self._running.acquire()


class Team:
    """The caller and `threads - 1` persistent threads. A hand-over takes microseconds."""

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        self._work: list[SimpleQueue[Share | None]] = []
        for number in range(1, self.threads):
            queue: SimpleQueue[Share | None] = SimpleQueue()
            self._work.append(queue)
            name = f"cnnc-{number}"
            threading.Thread(target=_serve, args=(queue,), name=name, daemon=True).start()

    def run(self, tasks: Sequence[Task]) -> None:
        """Run all tasks and return when all are done; the first failure is raised."""
        shares = [Share(tasks[i :: self.threads]) for i in range(min(self.threads, len(tasks)))]
        for queue, share in zip(self._work, shares[1:], strict=False):
            queue.put(share)
        failures: list[BaseException | None] = []
        for share in shares[:1]:
            share.work()
        for share in shares:
            while not share.ended:
                try:
                    share.wait()
                except KeyboardInterrupt as interrupt:
                    # The others still write into their arrays: nobody may go on before they end.
                    failures.append(interrupt)
            failures.append(share.failure)
        for failure in failures:
            if failure is not None:
                raise failure

    def close(self) -> None:
        """Let the threads end."""
        for queue in self._work:
            queue.put(None)

    def __del__(self) -> None:
        self.close()


def _serve(queue: SimpleQueue[Share | None]) -> None:
    while (share := queue.get()) is not None:
        share.work()
        del share  # a program must not live on because a thread remembers its last task
