"""What is measured of a bind's answers: how many a second, and how long they take."""

from bisect import bisect_left
from itertools import accumulate
from typing import Final

from gateway.services.ways import RoundTrip
from gateway.telemetry import QUICK, Tally

BIN: Final = 0.25  # seconds
BIN_PDUS: Final = 10
BIN_LONGEST: Final = 2.0
LEAST_SECONDS: Final = 0.05  # what comes in less is a burst, not a pace

#: Upper bounds of round trips, seconds: a quarter more each time, and those that are shown as figures.
BOUNDS: Final = tuple(sorted({*QUICK, *(0.0001 * 1.25**step for step in range(60))}))
#: Which of the figures' buckets each belongs to.
_SHOWN: Final = tuple(bisect_left(QUICK, bound) for bound in (*BOUNDS, QUICK[-1] * 2))
#: Round trips are told over three generations of so many seconds.
GENERATION_SECONDS: Final = 60.0
GENERATIONS: Final = 3


class Pace:
    """PDUs a second lately: over a quarter of a second to half of one, or as long as ten of them take."""

    def __init__(self, now: float) -> None:
        self._count = self._before = 0
        self._from = self._before_from = now
        self._last = now

    def count(self, pdus: int, now: float) -> None:
        """So many more."""
        if now - self._last > BIN_LONGEST:  # idle since: that says nothing of what might have been
            self._count = self._before = 0
            self._from = self._before_from = now
        self._last = now
        elapsed = now - self._from
        if elapsed >= BIN and (self._count >= BIN_PDUS or elapsed >= BIN_LONGEST):
            self._before, self._before_from = self._count, self._from
            self._count, self._from = 0, now
        self._count += pdus

    def per_second(self, now: float) -> float:
        """The pace; 0 when nothing came lately."""
        if now - self._last > BIN_LONGEST:
            return 0.0
        return (self._before + self._count) / max(now - self._before_from, LEAST_SECONDS)


class RoundTrips:
    """How long answers take: a histogram of the last few minutes, and the route's figures."""

    def __init__(self, shown: Tally, now: float) -> None:
        self._shown = shown
        #: Since the last `tick`: who adds one does so by itself, `fresh[bisect_left(BOUNDS, seconds)] += 1`.
        self.fresh = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0  #: the sum of them
        self._recent = [[0] * (len(BOUNDS) + 1) for _ in range(GENERATIONS)]
        self._since = now
        self.best: float | None = None  #: the shortest lately, about; None: there were none

    def tick(self, now: float) -> None:
        """Count what came since the last one in, and forget what is old."""
        if now - self._since >= GENERATION_SECONDS:
            self._since = now
            self._recent = [[0] * (len(BOUNDS) + 1), *self._recent[:-1]]
        if self.seconds:
            newest, shown = self._recent[0], self._shown.counts
            for at, count in enumerate(self.fresh):
                if count:
                    newest[at] += count
                    shown[_SHOWN[at]] += count
                    self.fresh[at] = 0
            self._shown.total += self.seconds
            self.seconds = 0.0
            self.best = min(_bound(next(at for at, n in enumerate(g) if n)) for g in self._recent if any(g))

    def told(self) -> RoundTrip | None:
        """The quantiles, in milliseconds; None: no answers in the last minutes."""
        counts = [sum(each) for each in zip(self.fresh, *self._recent, strict=True)]
        whole = sum(counts)
        if not whole:
            return None
        return RoundTrip(
            count=whole,
            p50=_quantile(counts, whole * 0.5),
            p95=_quantile(counts, whole * 0.95),
            p99=_quantile(counts, whole * 0.99),
            slowest=_quantile(counts, whole),
        )


def _bound(at: int) -> float:
    return BOUNDS[min(at, len(BOUNDS) - 1)]


def _quantile(counts: list[int], rank: float) -> float:
    """The upper bound of the bucket in which it lies: up to a quarter too much, never too little."""
    at = bisect_left(list(accumulate(counts)), rank)
    return round(_bound(at) * 1000, 3)
