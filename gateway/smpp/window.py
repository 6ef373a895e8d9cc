"""Requests that wait for their response: never more than the window, and what timed out is remembered."""

from typing import Any, Final, NamedTuple

from gateway.smpp.constants import MAX_SEQUENCE_NUMBER
from gateway.smpp.errors import WindowFull


class Pending(NamedTuple):
    """One request in flight."""

    token: Any
    sent_at: float
    command_id: int


class Window:
    """Outstanding requests by sequence number, oldest first, and a bounded memory of those that timed out.

    Sequence numbers run from 1 to 0x7FFFFFFF and round again (SMPP 3.4 §5.1.4), leaving out what is in
    flight or remembered.
    """

    __slots__ = ("_last", "_late", "pending", "size")

    #: Timed-out requests remembered per place in the window, and at least so many in all.
    MEMORY_FACTOR: Final = 4
    MEMORY_LEAST: Final = 1000

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("a window of less than one request")
        self.size = size
        self.pending: dict[int, Pending] = {}
        self._late: dict[int, Pending] = {}
        self._last = 0

    @property
    def room(self) -> int:
        """How many requests may still be sent."""
        return max(0, self.size - len(self.pending))

    def next_sequence_number(self) -> int:
        """A number that nothing in flight and nothing remembered has."""
        number = self._last
        while True:
            number = number + 1 if number < MAX_SEQUENCE_NUMBER else 1
            if number not in self.pending and number not in self._late:
                self._last = number
                return number

    def add(self, sequence_number: int, command_id: int, token: Any, now: float) -> None:
        """Raises `WindowFull`."""
        if len(self.pending) >= self.size:
            raise WindowFull(f"{self.size} requests are outstanding")
        self.pending[sequence_number] = Pending(token, now, command_id)

    def expire(self, before: float) -> list[Pending]:
        """Take out those sent at `before` or earlier, oldest first, and remember them."""
        expired: list[tuple[int, Pending]] = []
        for number, request in self.pending.items():
            if request.sent_at > before:
                break  # insertion order is the order of time
            expired.append((number, request))
        for number, request in expired:
            del self.pending[number]
            self._late[number] = request
        memory = max(self.MEMORY_LEAST, self.MEMORY_FACTOR * self.size)
        while len(self._late) > memory:
            del self._late[next(iter(self._late))]
        return [request for _, request in expired]

    def remembered(self, sequence_number: int) -> Pending | None:
        """The timed-out request with this number, if it is still known."""
        return self._late.get(sequence_number)

    def forget(self, sequence_number: int) -> None:
        """Its late response has come."""
        self._late.pop(sequence_number, None)

    def clear(self) -> tuple[Any, ...]:
        """Take out all that is in flight: the tokens, oldest first."""
        tokens = tuple(request.token for request in self.pending.values())
        self.pending.clear()
        return tokens
