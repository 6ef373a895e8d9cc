"""The rate that an account has bought: what comes faster is throttled."""


class Bucket:
    """Submits that an account may make now: refilled by the second, never over the burst."""

    def __init__(self, rate: float, burst: float | None, now: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate / 10 if burst is None else burst)
        self._tokens = self._most
        self._at = now

    def spend(self, now: float) -> bool:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
