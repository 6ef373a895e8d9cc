"""The rate that an account has bought: what comes faster is throttled, and how near it is can be told."""

from math import exp
from typing import Final

_SECONDS: Final = 0.5  #: over which the rate of an account is measured
#: congestion_state at exactly the rate: the middle of what a client is to steer to (SMPP 5.0 §4.8.4.18).
_OPTIMUM: Final = 85
CONGESTED: Final = 100


class Bucket:
    """Submits that an account may make now: refilled by the second, never over the burst."""

    def __init__(self, rate: float, burst: float | None, now: float) -> None:
        self.rate = rate
        self._most = max(1.0, rate / 10 if burst is None else burst)
        self._tokens = self._most
        self._at = now

    def spend(self, now: float) -> bool:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Meter:
    """How fast an account submits, as of lately."""

    def __init__(self, now: float) -> None:
        self._rate = 0.0
        self._at = now
        self.refused = False  #: the last one was too much

    def count(self, now: float, *, refused: bool) -> None:
        self._rate = self.rate(now) + 1 / _SECONDS
        self._at = now
        self.refused = refused

    def rate(self, now: float) -> float:
        """Submits a second, weighed so that the latest count most."""
        return self._rate * exp((self._at - now) / _SECONDS)

    def congestion(self, now: float, rate: float, full: float) -> int:
        """congestion_state, 0 idle to 100: of the rate, or of the queue, of which a part is `full`."""
        if self.refused:
            return CONGESTED
        of_rate = self.rate(now) / rate * _OPTIMUM if rate else 0.0
        return min(CONGESTED - 1, int(max(of_rate, full * CONGESTED)))
