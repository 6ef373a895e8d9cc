"""What waits to be sent: due now, due later, and, beyond what memory holds, in the table alone."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final
from uuid import UUID

from gateway.domain.message import ALWAYS_ALLOWED, Message
from gateway.services.carrier import Channel
from gateway.services.flights import Flights, Leg, Outgoing, Segment, resendable
from gateway.services.queue import Queue
from gateway.services.unread import Unread

#: Messages in memory. Beyond, they wait in the table.
HIGH_WATER: Final = 100_000
#: So much more of the free memory a channel may hold with messages of urgent lanes.
URGENT_SHARE: Final = 4
#: So many messages are worth a commit in any case.
WORTHWHILE: Final = 50
#: So many entries of messages that have left the queue are not worth looking for.
SPARE: Final = 1000


class Backlog:
    """The queue with its surroundings. `wake` is set when there may be something to do.

    A channel may hold as many messages as there is memory free. What exceeds that waits in the table, with
    all of the channel that comes after it. So a route that is down fills half of the memory at most, two of
    them two thirds, and so on: there is always some left for those that work.
    """

    def __init__(
        self, flights: Flights, channel_of: Callable[[Message], Channel], now: Callable[[], datetime]
    ) -> None:
        self._flights = flights
        self._channel_of = channel_of
        self._now = now
        self._gathers = False  # little room, and more waits for it
        self._later: list[tuple[float, int, Segment | Outgoing]] = []
        self._ending: list[tuple[datetime, int, Outgoing]] = []  # of what waits, by the end of its validity
        self._order = count()
        self.table = Unread()
        self.queue = Queue(channel_of)
        self.wake = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether memory holds as many messages as are to be read at the start, before sending begins."""
        return len(self._flights.open) * 2 >= HIGH_WATER

    @property
    def wants_more(self) -> bool:
        """Whether there is room again for what was left in the table."""
        return not self.table.reading and any(self._has_room(channel) for channel in self.table.since)

    def enqueue(self, outgoing: Outgoing, *, read: bool = False, due: bool = False) -> None:
        """A message that is due. While older ones wait in the table, only urgent lanes go past them.

        `read`: it was read from the table, in its turn. `due`: it was put off, and its time has come.
        """
        message = outgoing.message
        channel = self._channel_of(message)
        if read:
            waits = not due and not self.table.is_turn_of(channel)
        else:
            waits = self.table.waits_for(channel) and message.lane not in ALWAYS_ALLOWED
        if waits:
            self.table.leave(message.id, channel)
        elif self._keep(outgoing, channel):
            self._put(outgoing)

    def passes_over(self, message: Message) -> bool:
        """Whether a message just read, never tried yet, stays in the table: it is not its turn."""
        channel = self._channel_of(message)
        if self.table.is_turn_of(channel):
            return False
        self.table.leave(message.id, channel)
        return True

    def hold(self, outgoing: Outgoing) -> bool:
        """Keep it in memory, if there is room and it is not there; whoever gets True may go on with it."""
        return self._keep(outgoing, self._channel_of(outgoing.message))

    def _keep(self, outgoing: Outgoing, channel: Channel) -> bool:
        uid = outgoing.message.id
        if uid in self._flights.open:
            return False
        share = URGENT_SHARE if outgoing.message.lane in ALWAYS_ALLOWED else 1
        if self.queue.kept(channel) >= share * (HIGH_WATER - len(self._flights.open)):
            self.table.leave(uid, channel)
            return False
        self._flights.open[uid] = outgoing
        return True

    def _has_room(self, channel: Channel | None) -> bool:
        """Whether enough of what a channel may hold has gone; None: whether anything may be read at all."""
        free = HIGH_WATER - len(self._flights.open)
        return free * 10 >= HIGH_WATER if channel is None else self.queue.kept(channel) * 2 < free

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

    def take_overdue(self, most: int) -> list[Outgoing]:
        """Those in the queue whose validity has ended and of which nothing has left, wherever they stand."""
        now = self._now()
        taken: list[Outgoing] = []
        while self._ending and self._ending[0][0] <= now and len(taken) < most:
            outgoing = heappop(self._ending)[2]
            if self._is_open(outgoing) and outgoing.untouched and self.queue.remove(outgoing):
                outgoing.taken = True
                taken.append(outgoing)
        return taken

    def drop(self, buckets: frozenset[int]) -> list[Outgoing]:
        """Forget all messages of buckets that are somebody else's now; which these were."""
        dropped = list(self._flights.drop(buckets))
        for outgoing in dropped:
            self.queue.remove(outgoing)
        return dropped

    def _is_open(self, outgoing: Outgoing) -> bool:
        return self._flights.open.get(outgoing.message.id) is outgoing

    def _put(self, outgoing: Outgoing) -> None:
        self.queue.put(outgoing)
        self._watch(outgoing)

    def _watch(self, outgoing: Outgoing) -> None:
        """See to it that a message in the queue ends with its validity."""
        expires_at = outgoing.message.expires_at
        if expires_at is None:
            return
        heappush(self._ending, (expires_at, next(self._order), outgoing))
        if len(self._ending) > SPARE + 2 * len(self._flights.open):  # most of them have gone
            self._ending = list({each[2]: each for each in self._ending if self._is_open(each[2])}.values())
            heapify(self._ending)

    def put_back(self, returned: Sequence[Outgoing]) -> None:
        """They could not be sent after all: before all others of their lanes."""
        returned = [outgoing for outgoing in returned if self._is_open(outgoing) and not outgoing.final]
        self.queue.put_first(returned)
        for outgoing in returned:
            outgoing.taken = False
            self._watch(outgoing)
        self.wake.set()

    def sort_anew(self) -> None:
        """The channels of messages are others now."""
        self.queue.sort_anew()
        self.table.sort_anew()

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
            if not self._is_open(outgoing):
                continue
            if isinstance(what, Segment) and what.state is Leg.UNKNOWN and resendable(what):
                what.state = Leg.WAITING
                self._flights.send_again(what)
            if not outgoing.busy:
                self._flights.let_go(outgoing)
            elif not outgoing.taken and any(s.state is Leg.WAITING for s in outgoing.segments):
                self._put(outgoing)

    # In the table

    def leave_rest(self, since: UUID) -> None:
        """All from this message on is in the table only."""
        self.table.leave(since, None)

    def begin_reading(self) -> UUID | None:
        """From where the table is to be read next."""
        return self.table.begin([channel for channel in self.table.since if self._has_room(channel)])

    def oldest_open(self) -> UUID | None:
        """The oldest message that a successor would have to look at."""
        ids = [uid.int for messages in (self._flights.open, self._flights.leaving) for uid in messages]
        ids += [uid.int for uid in self.table.oldest()]
        return UUID(int=min(ids)) if ids else None
