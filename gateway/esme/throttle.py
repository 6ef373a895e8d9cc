"""How fast one bind may send: the rate that was configured, and the one that refusals taught it."""

from typing import Final

PAUSE: Final = 0.25  # seconds without sending after a refusal
BACK_OFF: Final = 0.7  # of what the SMSC has just been taking
FEEL: Final = 0.5  # more for each second without refusal, as a share
STEP: Final = 10.0  # and so much at least, in PDUs a second
CALM: Final = 30.0  # seconds without refusal after which nothing is held back any more
LEAST: Final = 1.0


class Throttle:
    """A token bucket over PDUs whose rate falls at a refusal and feels its way up again. `now` in seconds."""

    def __init__(self, rate: float, now: float) -> None:
        self._configured = rate
        self._learned: float | None = None
        self._tokens = rate
        self._filled_at = now
        self._paused_until = 0.0
        self._refused_at = 0.0
        self._taken = 0
        self._counted_from = now
        self._felt_at = self._taken_at = now
        self._pace = 0.0  # PDUs a second that the SMSC took lately

    @property
    def rate(self) -> float:
        """PDUs a second that hold now; 0 is no limit."""
        limits = [limit for limit in (self._configured, self._learned) if limit]
        return min(limits) if limits else 0.0

    def allowance(self, now: float) -> int | None:
        """How many PDUs may go now; None is as many as the window takes."""
        if now < self._paused_until:
            return 0
        rate = self.rate
        if not rate:
            return None
        # A tenth of a second's worth at once: enough to batch, too little to provoke the next refusal.
        self._tokens = min(self._tokens + (now - self._filled_at) * rate, max(1.0, rate / 10))
        self._filled_at = now
        return int(self._tokens)

    def spend(self, pdus: int) -> None:
        """So many were written."""
        self._tokens -= pdus

    def taken(self, pdus: int, now: float) -> None:
        """So many were answered OK."""
        if now - self._taken_at > 1.0:  # idle since: that says nothing of what the SMSC would have taken
            self._pace, self._taken, self._counted_from = 0.0, 0, now
        self._taken_at = now
        self._taken += pdus
        if now - self._counted_from >= 1.0:
            self._pace = self._taken / (now - self._counted_from)
            self._taken = 0
            self._counted_from = now

    def refused(self, now: float) -> None:
        """The SMSC said: slower. Refusals of one window count once."""
        if now < self._paused_until:
            return
        pace = self._pace or self._taken / max(now - self._counted_from, 0.05)
        self._learned = max(LEAST, min(pace or LEAST, self._learned or pace) * BACK_OFF)
        self._paused_until = now + PAUSE
        self._refused_at = self._filled_at = now
        self._tokens = 0.0

    def tick(self, now: float) -> None:
        """Feel the way up, by the time that went by, however often this is called."""
        lapse, self._felt_at = now - self._felt_at, now
        if self._learned is None or now - self._refused_at < 1.0:
            return
        if now - self._refused_at > CALM:
            self._learned = None
        else:
            self._learned += lapse * max(self._learned * FEEL, STEP)
