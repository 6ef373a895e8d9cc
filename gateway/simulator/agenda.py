"""What is due later, on one timer: one for each of 40,000 receipts a second would cost too much."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any, Final

STEP: Final = 0.001  # seconds; what falls due within is done together


class Agenda:
    """Calls in the order of their time. `afterwards` is called once after each round of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, afterwards: Callable[[], None]) -> None:
        self._loop = loop
        self._afterwards = afterwards
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = 0
        self._handle: asyncio.TimerHandle | None = None
        self._armed_at = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, do: Callable[..., object], *args: Any) -> None:
        """Call it at this time of the loop's clock; those of one time in the order they were put down."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, do, args))
        if self._handle is None or when < self._armed_at - STEP:
            self._arm(when)

    def clear(self) -> None:
        """Forget it all."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_at = when
        self._handle = self._loop.call_at(when, self._run)

    def _run(self) -> None:
        self._handle = None
        heap = self._heap
        due = self._loop.time() + STEP / 2
        try:
            while heap and heap[0][0] <= due:
                _, _, do, args = heapq.heappop(heap)
                do(*args)
        finally:  # one that fails does not keep the others from their time
            self._afterwards()
            if heap and self._handle is None:
                self._arm(max(heap[0][0], self._loop.time() + STEP))
