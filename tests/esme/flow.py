"""A bind's throttle against a model of an SMSC, in virtual time: what gets through, what is refused."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gateway.esme.throttle import Throttle

STEP = 0.01  #: how often a link looks what may go


class Agenda:
    """Virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = count()

    def at(self, when: float, what: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._heap, (when, next(self._number), what, arguments))

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            self.now, _, what, arguments = heapq.heappop(self._heap)
            what(*arguments)
        self.now = until


@dataclass(kw_only=True)
class Model:
    """An SMSC that takes `rates` ((from second, PDUs a second), …) and refuses, or queues, what is over.

    `burst`: seconds' worth of its bucket; `windows`: it counts by whole seconds instead.
    """

    rates: Sequence[tuple[float, float]]
    burst: float = 0.1
    windows: bool = False
    queues: bool = False
    congestion: bool = False
    taken: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    tokens: float | None = None
    filled_at: float = 0.0
    free_at: float = 0.0
    lately: deque[float] = field(default_factory=deque)

    def rate(self, now: float) -> float:
        return [rate for since, rate in self.rates if since <= now][-1]

    def judge(self, now: float) -> tuple[bool, float]:
        """Whether it takes one more PDU, and when it answers."""
        rate = self.rate(now)
        ok, at = True, now
        if self.queues:
            self.free_at = at = max(self.free_at, now) + 1 / rate
        elif rate <= 0:
            ok = False
        elif self.windows:
            ok = self.taken[int(now)] < rate
        else:
            most = max(1.0, rate * self.burst)
            tokens = most if self.tokens is None else self.tokens + (now - self.filled_at) * rate
            self.tokens, self.filled_at = min(tokens, most), now
            ok = self.tokens >= 1
            self.tokens -= ok
        (self.taken if ok else self.refused)[int(at)] += 1
        if self.congestion:
            self.lately.append(now)
            while self.lately[0] < now - 1:
                self.lately.popleft()
        return ok, at

    def congestion_state(self, now: float) -> int:
        return min(100, int(100 * len(self.lately) / (self.rate(now) * 1.15)))

    def between(self, since: float, until: float) -> tuple[float, float]:
        """Taken a second, and the share that was refused."""
        seconds = range(int(since), int(until))
        taken = sum(self.taken[second] for second in seconds)
        refused = sum(self.refused[second] for second in seconds)
        return taken / len(seconds), refused / max(1, taken + refused)

    def reached(self, rate: float, since: int) -> int:
        """Seconds after `since` at which it takes `rate` in one second, for the first time."""
        return next((s - since for s in sorted(self.taken) if s >= since and self.taken[s] >= rate), 10**6)


class Bind:
    """A link that always has something to send."""

    def __init__(
        self,
        agenda: Agenda,
        model: Model,
        *,
        window: int,
        latency: float,
        rate: float = 0.0,
        lag: float = 0.0,
    ) -> None:
        self.agenda, self.model, self.window, self.latency = agenda, model, window, latency
        self.throttle = Throttle(rate, 0.0)
        self.again: deque[int] = deque()
        self.numbers = count()
        self.in_flight = 0
        self.base = 1e9
        self.slowest: Counter[int] = Counter()
        self.load: Callable[[float], bool] = lambda _: True
        agenda.at(lag, self.tick)
        agenda.at(lag, self.step)

    def tick(self) -> None:
        self.throttle.tick(self.agenda.now)
        self.agenda.at(self.agenda.now + 0.1, self.tick)

    def step(self) -> None:
        self.pump()
        self.agenda.at(self.agenda.now + STEP, self.step)

    def pump(self) -> None:
        now = self.agenda.now
        allowed = self.throttle.allowance(now)
        room = self.window - self.in_flight
        room = room if allowed is None else min(room, allowed)
        written = 0
        for _ in range(room):
            if not self.again and not self.load(now):
                break
            self.again.popleft() if self.again else next(self.numbers)
            written += 1
            self.agenda.at(now + self.latency / 2, self.arrive, now)
        self.in_flight += written
        if written:
            self.throttle.spend(written, now)

    def arrive(self, sent_at: float) -> None:
        ok, at = self.model.judge(self.agenda.now)
        self.agenda.at(at + self.latency / 2, self.answered, ok, sent_at)

    def answered(self, ok: bool, sent_at: float) -> None:
        now = self.agenda.now
        full = self.in_flight * 5 >= self.window * 4
        self.in_flight -= 1
        self.base = min(self.base, now - sent_at)
        self.slowest[int(now)] = max(self.slowest[int(now)], int((now - sent_at) * 1000))
        if self.model.congestion:
            self.throttle.told(self.model.congestion_state(now), now)
        if ok:
            self.throttle.taken(1, now)
            self.throttle.felt(now - sent_at, self.base, full, now)
        else:
            self.throttle.refused(now, sent_at)
            self.again.append(0)
        self.pump()


def play(
    model: Model,
    seconds: float,
    *,
    binds: int = 1,
    window: int = 100,
    latency: float = 0.002,
    rate: float = 0.0,
) -> list[Bind]:
    """Let so many binds send for so long."""
    agenda = Agenda()
    each = [
        Bind(agenda, model, window=window, latency=latency, rate=rate, lag=0.0037 * n) for n in range(binds)
    ]
    agenda.run(seconds)
    return each
