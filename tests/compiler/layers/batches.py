"""Calls the bodies of a layer with statistics over the batch, as a program with parts does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.compiler.layers.harness import Arrays, Case, garbage, locked

from cnnc.compiler.layers.layer import Work

BODIES = (
    "partial", "combine", "track", "finish", "backward_partial", "backward_combine",
    "backward_finish",
)  # fmt: skip


@dataclass
class BatchCase(Case):
    """A case whose samples stand in parts: one where there is one sample, else two."""

    bodies = tuple(body for body in BODIES if body != "track")

    @property
    def parts(self) -> list[slice]:
        n = len(self.x)
        middle = (n + 1) // 2
        return [slice(0, middle), slice(middle, n)] if n > 1 else [slice(0, 1)]

    def forward(self, arrays: Arrays | None = None) -> Any:
        """The output in training."""
        y = garbage(self.x.shape, str(self.x.dtype))
        wholes = self.statistics()
        for part in self.parts:
            a = {"x": locked(self.x[part]), "y": y[part], **self._weights(), **locks(wholes)}
            self._call(self.layer.finish, a | self._works("finish", part))
        return y

    def statistics(self) -> dict[str, Any]:
        """Those of the batch."""
        layer, shape = self.layer, self.x.shape[1:]
        parts = []
        for part in self.parts:
            parts.append(self._fresh(layer.partials(shape)))
            a = {"x": locked(self.x[part])} | parts[-1]
            self._call(layer.partial, a | self._works("partial", part))
        wholes = self._fresh(layer.wholes(shape))
        self._call(layer.combine, wholes | of_all(parts) | self._works("combine"))
        return wholes

    def backward(
        self, *, dx: bool = True, trained: Iterable[str] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The gradients. Those of the weights are always computed: dx needs them."""
        known = {"x": self.x, **self._weights(), **self.statistics()}
        reads = {name: known[name] for name in self.layer.backward_reads}
        weights = [w for w in self.described if not w.statistic]
        parts = []
        for part in self.parts:
            parts.append({f"d{w.name}": self._garbage(w.shape) for w in weights})
            a = self._reads(reads, part) | parts[-1]
            self._call(self.layer.backward_partial, a | self._works("backward_partial", part))
        sums = {f"d{w.name}": self._garbage(w.shape) for w in weights}
        self._call(self.layer.backward_combine, sums | of_all(parts))
        names = {w.name for w in weights}
        names &= names if trained is None else set(trained)
        grads = {name: sums[f"d{name}"] for name in sorted(names)}
        if not dx:
            return None, grads
        whole = self._garbage(self.x.shape)
        for part in self.parts:
            a = self._reads(reads, part) | locks(sums) | {"dx": whole[part]}
            self._call(self.layer.backward_finish, a | self._works("backward_finish", part))
        return whole, grads

    def _reads(self, reads: dict[str, Any], part: slice) -> dict[str, Any]:
        return locks(
            {name: array[part] if array is self.x else array for name, array in reads.items()}
            | {"dy": self.dy[part]}
        )

    def _weights(self) -> dict[str, Any]:
        statistics = {w.name for w in self.described if w.statistic}
        return locks({n: w for n, w in self.weights.items() if n not in statistics})

    def _works(self, body: str, part: slice = slice(0, 0)) -> dict[str, Any]:
        works = self.layer.buffers(self.capacity, self.x.shape[1:])
        return Arrays(works, part.stop - part.start, str(self.x.dtype)).of(body)

    def _fresh(self, works: tuple[Work, ...]) -> dict[str, Any]:
        return {work.name: self._garbage(work.shape) for work in works}

    def _garbage(self, shape: tuple[int, ...]) -> Any:
        return garbage(shape, str(self.x.dtype))


def locks(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: locked(array) for name, array in arrays.items()}


def of_all(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"part_{name}": tuple(locked(part[name]) for part in parts) for name in parts[0]}
