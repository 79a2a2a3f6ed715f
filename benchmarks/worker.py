"""One process that times training steps of one net in one way, on request.

    python -m benchmarks.worker cnnc 0

Reads numbers of steps, one a line, from standard input; answers each with the median time of
a step in milliseconds. A process of its own for each way: an idle thread pool of one would
otherwise slow the other down.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

THREADS = 2


def cnnc_step(number: int) -> Callable[[], object]:
    """A training step of cnnc."""
    import numpy as np

    import cnnc

    from .nets import CASES

    case = CASES[number]
    program = cnnc.parse(case.spec).compile(
        batch=case.batch, optimizer="sgd(momentum=0.9)", threads=THREADS
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(case.batch, *case.input)).astype("float32")  # (N, C, H, W)
    y = rng.integers(0, 10, case.batch)  # (N,)
    return lambda: program.step(x, y)


def torch_step(number: int, channels_last: bool = False) -> Callable[[], object]:
    """A training step of PyTorch, eager."""
    import torch

    from .nets import CASES

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    case = CASES[number]
    x = torch.randn(case.batch, *case.input)  # (N, C, H, W)
    y = torch.randint(0, 10, (case.batch,))  # (N,)
    net = case.module()
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


WAYS: dict[str, Callable[[int], Callable[[], object]]] = {
    "cnnc": cnnc_step,
    "torch": torch_step,
    "torch-cl": lambda number: torch_step(number, channels_last=True),
}


def main() -> None:
    """Serve until standard input ends."""
    step = WAYS[sys.argv[1]](int(sys.argv[2]))
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e3)
        print(statistics.median(times), flush=True)


if __name__ == "__main__":
    main()
