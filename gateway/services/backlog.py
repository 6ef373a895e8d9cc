"""What waits to be sent: due now, due later, and, beyond what memory holds, in the table alone."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Final
from uuid import UUID

from gateway.domain.message import ALWAYS_ALLOWED, Message
from gateway.services.carrier import Channel
from gateway.services.flights import Flights, Leg, Outgoing, Segment, resendable
from gateway.services.queue import Queue

#: Messages in memory. Beyond, they wait in the table and are read when half of these have gone.
HIGH_WATER: Final = 100_000
#: So many messages are worth a commit in any case.
WORTHWHILE: Final = 50


class Backlog:
    """The queue with its surroundings. `wake` is set when there may be something to do."""

    def __init__(
        self, flights: Flights, channel_of: Callable[[Message], Channel], now: Callable[[], datetime]
    ) -> None:
        self._flights = flights
        self._now = now
        self._gathers = False  # little room, and more waits for it
        self._later: list[tuple[float, int, Segment | Outgoing]] = []
        self._order = count()
        self._missed: UUID | None = None
        self.queue = Queue(channel_of)
        self.wake = asyncio.Event()
        self.unread_from: UUID | None = None  #: the oldest message left in the table for want of memory

    @property
    def full(self) -> bool:
        """Whether memory holds as many messages as it should."""
        return len(self._flights.open) >= HIGH_WATER

    @property
    def wants_more(self) -> bool:
        """Whether there is room again for what was left in the table."""
        return self.unread_from is not None and len(self._flights.open) < HIGH_WATER // 2

    def enqueue(self, outgoing: Outgoing, *, read: bool = False) -> None:
        """A message that is due. While older ones wait in the table, only urgent lanes go past them.

        `read`: it was read from the table, in its turn.
        """
        queues = self.unread_from is not None and outgoing.message.lane not in ALWAYS_ALLOWED
        if queues and not read:
            self.leave(outgoing.message.id)
        elif self.hold(outgoing):
            self.queue.put(outgoing)

    def hold(self, outgoing: Outgoing) -> bool:
        """Keep it in memory, if there is room and it is not there; whoever gets True may go on with it."""
        uid = outgoing.message.id
        if uid in self._flights.open:
            return False
        if self.full:
            self.leave(uid)
            return False
        self._flights.open[uid] = outgoing
        return True

    def rests(self) -> bool:
        """Whether to wait a moment before the next round: once after each that took a little and left more.

        Each answer makes room for one message. To commit an attempt for each of them costs three times as
        much as to commit for fifty, and once begun it goes on: quick commits, little room, quick commits.
        """
        rests, self._gathers = self._gathers, False
        return rests

    def took(self, messages: int) -> None:
        """A round took so many."""
        self._gathers = self.queue.pressed and messages < WORTHWHILE

    def put_back(self, returned: Sequence[Outgoing]) -> None:
        """They could not be sent after all: before all others of their lanes."""
        returned = [o for o in returned if self._flights.open.get(o.message.id) is o and not o.final]
        for outgoing in returned:
            outgoing.taken = False
        self.queue.put_first(returned)
        self.wake.set()

    def sort_anew(self) -> None:
        """The channels of messages are others now."""
        self.queue.sort_anew()

    # Later

    def later(self, when: datetime, what: Segment | Outgoing) -> None:
        """A message that was put off, or a segment to be sent again if nobody knows more of it by then."""
        delay = max(0.0, (when - self._now()).total_seconds())
        heappush(self._later, (asyncio.get_running_loop().time() + delay, next(self._order), what))

    def next_due(self) -> float | None:
        """When, by the loop's clock, the next of these is due."""
        return self._later[0][0] if self._later else None

    def release_due(self) -> None:
        """Put into the queue what has waited long enough."""
        clock = asyncio.get_running_loop().time()
        while self._later and self._later[0][0] <= clock:
            what = heappop(self._later)[2]
            outgoing = what.outgoing if isinstance(what, Segment) else what
            if self._flights.open.get(outgoing.message.id) is not outgoing:
                continue
            if isinstance(what, Segment) and what.state is Leg.UNKNOWN and resendable(what):
                what.state = Leg.WAITING
                self._flights.settle_unknown(what)
            if not outgoing.busy:
                self._flights.let_go(outgoing)
            elif not outgoing.taken and any(s.state is Leg.WAITING for s in outgoing.segments):
                self.queue.put(outgoing)

    # In the table

    def leave(self, uid: UUID) -> None:
        """This message, and perhaps younger ones, are in the table only."""
        self.unread_from = uid if self.unread_from is None else min(self.unread_from, uid)
        self._missed = uid if self._missed is None else min(self._missed, uid)

    def begin_reading(self, *, in_order: bool) -> UUID | None:
        """From where the table is to be read. With `in_order`, what comes meanwhile is left there as well."""
        since, self._missed = self.unread_from, None
        if not in_order:
            self.unread_from = None
        return since

    def end_reading(self) -> None:
        """All was read but what was left since the beginning."""
        self.unread_from = self._missed

    def oldest_open(self) -> UUID | None:
        """The oldest message that a successor would have to look at."""
        ids = [uid.int for messages in (self._flights.open, self._flights.leaving) for uid in messages]
        if self.unread_from is not None:
            ids.append(self.unread_from.int)
        return UUID(int=min(ids)) if ids else None
