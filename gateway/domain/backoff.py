"""When a call that failed is tried again: growing pauses with an end, and a breaker for a dead target."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: A target may ask for a longer pause than ours (Retry-After), up to this.
LONGEST_WISH: Final = timedelta(days=1)

#: Pauses vary by a quarter either way, so that what failed together does not come back together.
SPREAD: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double from `first` to `longest`, until `patience` is over.

    As it stands: 2 s, 4 s, 8 s, 16 s, 32 s, 64 s, 128 s, 4 min, 9 min, 17 min, 34 min, then hourly: 82 tries.
    """

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(hours=1)
    patience: timedelta = timedelta(days=3)

    def pause(self, tries: int, jitter: float) -> timedelta:
        """The pause after the given number of tries (1…), for a `jitter` out of 0…1."""
        doubled = self.first * 2 ** min(tries - 1, 40) if self.first < self.longest else self.longest
        return min(doubled, self.longest) * (1 - SPREAD + 2 * SPREAD * jitter)

    def next_try(
        self, tries: int, since: datetime, now: datetime, jitter: float, wish: timedelta | None = None
    ) -> datetime | None:
        """When to try again, or None: enough. `since` is when it was first owed, `wish` the target's own.

        The last try is made at the very end of our patience.
        """
        end = since + self.patience
        if now >= end:
            return None
        pause = self.pause(tries, jitter)
        if wish is not None:
            pause = max(pause, min(wish, LONGEST_WISH))
        return min(now + pause, end)


class Breaker:
    """Lets nothing through to a target that failed `failures` times in a row, but one probe after each rest.

    Rests grow from a sixth of `rest` to `rest`: a target that only restarted is found soon.
    """

    __slots__ = ("_failed", "_failures", "_probing", "_rest", "_rests", "_until")

    def __init__(self, failures: int = 5, rest: timedelta = timedelta(seconds=30)) -> None:
        self._failures = failures
        self._rest = rest
        self._failed = 0
        self._rests = 0
        self._until: datetime | None = None
        self._probing = False

    @property
    def open(self) -> bool:
        return self._until is not None

    def allows(self, now: datetime) -> bool:
        """Whether a call may begin. While open: one probe, once the rest is over."""
        return self._until is None or (not self._probing and now >= self._until)

    def began(self) -> None:
        """A call begins; if the breaker is open, it is the probe."""
        self._probing = self._until is not None

    def succeeded(self) -> bool:
        """The target answered for itself. Says whether that closed the breaker."""
        closed = self._until is not None
        self._failed = self._rests = 0
        self._until = None
        self._probing = False
        return closed

    def failed(self, now: datetime) -> None:
        """The target could not be reached, or is in trouble."""
        self._failed += 1
        if self._probing or (self._until is None and self._failed >= self._failures):
            self._rests += 1
            self._until = now + min(self._rest / 6 * 2 ** min(self._rests - 1, 8), self._rest)
            self._probing = False

    def left(self) -> None:
        """A call ended without a word on the target: if it was the probe, another may be one."""
        self._probing = False
