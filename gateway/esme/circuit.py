"""The circuit of a route: closed while it works, open while most of its answers are failures, and in between
half-open, to try with a few whether it works again."""

from enum import StrEnum
from typing import Final

#: So many answers are looked at, the latest; older than this many seconds they tell nothing.
LOOKED_AT: Final = 50
AGE_SECONDS: Final = 30.0
#: Fewer answers than this open no circuit.
LEAST: Final = 20
FIRST_PAUSE: Final = 10.0
LONGEST_PAUSE: Final = 120.0
#: Messages that may be on their way at a time to try whether it works; so many successes close the circuit.
PROBES: Final = 3
#: A probe that is not heard of any more (it was given back unsent) is replaced after this.
PROBE_SECONDS: Final = 10.0


class State(StrEnum):
    """Whether the route is used."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit:
    """Told of each answer; `now` in seconds.

    A failure is a time-out, a system error or a lost link; a throttle or a recipient's fault is none.
    """

    __slots__ = ("_at", "_good", "_next", "_pause", "_probes", "_state", "_until", "opened_at")

    def __init__(self) -> None:
        self._at = [0.0] * LOOKED_AT  # when the latest answers came; failures below zero, 0: none yet
        self._next = 0
        self._state = State.CLOSED
        self._pause = FIRST_PAUSE
        self._until = 0.0  # open: of the pause; half-open: when probes are replaced
        self._probes = self._good = 0
        self.opened_at: float | None = None  #: since when it has not worked; none: it does

    def state(self, now: float) -> State:
        """Open becomes half-open when its pause is over."""
        if self._state is State.OPEN and now >= self._until:
            self._state = State.HALF_OPEN
            self._good = 0
            self._rearm(now)
        return self._state

    def allows(self, now: float) -> bool:
        """Whether a message may take this route now."""
        if self._state is State.CLOSED:
            return True
        if self.state(now) is State.OPEN:
            return False
        if now >= self._until:
            self._rearm(now)
        return self._probes > 0

    def placed(self) -> None:
        """A message takes the route: while it is half-open, one probe less is left."""
        if self._state is State.HALF_OPEN:
            self._probes -= 1

    def worked(self, times: int, now: float) -> None:
        """So many answers came."""
        if self._state is State.CLOSED:
            self._note(now, times)
        elif self.state(now) is State.HALF_OPEN:
            self._good += times
            self._probes += times
            if self._good >= PROBES:
                self._close()

    def failed(self, now: float, times: int = 1) -> None:
        """No answer came, or one that says that the SMSC does not work."""
        if self._state is State.CLOSED:
            self._note(-now, times)
            if self._fails(now):
                self._open(now)
        elif self.state(now) is State.HALF_OPEN:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._open(now)

    def _note(self, at: float, times: int) -> None:
        """Over the oldest that are known."""
        begin = self._next
        end = begin + min(times, LOOKED_AT)
        self._at[begin:end] = [at] * (min(end, LOOKED_AT) - begin)
        if end > LOOKED_AT:
            end -= LOOKED_AT
            self._at[:end] = [at] * end
        self._next = end % LOOKED_AT

    def _fails(self, now: float) -> bool:
        since = now - AGE_SECONDS
        recent = [at for at in self._at if at and abs(at) >= since]
        return len(recent) >= LEAST and sum(at < 0 for at in recent) * 2 > len(recent)

    def _open(self, now: float) -> None:
        self._state = State.OPEN
        self._until = now + self._pause
        if self.opened_at is None:
            self.opened_at = now

    def _rearm(self, now: float) -> None:
        self._probes = PROBES
        self._until = now + PROBE_SECONDS

    def _close(self) -> None:
        self._state = State.CLOSED
        self._at = [0.0] * LOOKED_AT
        self._pause = FIRST_PAUSE
        self.opened_at = None
