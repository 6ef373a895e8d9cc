"""A token bucket over PDUs: how fast one sender address may go, over all binds of this process."""

from typing import Final

#: Seconds' worth that may go at once: the binds look for room ten times a second.
BURST_SECONDS: Final = 0.25


class RateLimit:
    """Filled with `rate` tokens a second; `now` in seconds. A long text may take it below nothing."""

    __slots__ = ("_filled_at", "_tokens", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate  #: PDUs a second, above 0
        self._tokens = self._most
        self._filled_at = now

    @property
    def _most(self) -> float:
        return 1.0 + self.rate * BURST_SECONDS

    def allows(self, now: float) -> bool:
        """Whether a message may go now."""
        if now > self._filled_at:
            self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self.rate)
            self._filled_at = now
        return self._tokens >= 1.0

    def spend(self, pdus: int) -> None:
        """So many go."""
        self._tokens -= pdus
