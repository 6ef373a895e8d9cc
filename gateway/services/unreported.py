"""How many receipts are outstanding, those of before the start included: the log tells once what an earlier
process, or an earlier owner, handed to the SMSC. Nothing is matched by it: it keeps figures and alarms true.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from gateway.domain.ids import floor_at
from gateway.domain.message import Event, Message, Step
from gateway.services.flights import Flights, Leg, Outgoing
from gateway.services.matching import Ids, Receipt, Verdict
from gateway.storage import messages as message_rows
from gateway.storage import unreported as rows
from gateway.storage.database import Database, StorageUnavailable

log = logging.getLogger(__name__)

#: Messages of a bucket that are looked at, the newest: half a million in all.
NEWEST: Final = 2_000
#: Segments that are kept count of; of more, the newest.
KEPT: Final = 100_000
BUCKETS: Final = 16  # read at once
READ: Final = 1_000  # messages
PAUSE_SECONDS: Final = 0.02
#: What was read is held against the log again, a part at a time: receipts may have been matched otherwise.
AGAIN: Final = (10.0, 1_000)
_ANSWERS: Final = frozenset({Event.ACCEPTED, Event.SUBMITTED})

Store = Callable[[Sequence[Receipt]], Awaitable[None]]
Key = tuple[str, str]  #: a route, and what makes an id comparable there


class Due(NamedTuple):
    """A segment whose receipt is outstanding."""

    bucket: int
    message: UUID
    sent_at: datetime


class Unreported:
    """Counts beside `Flights`, which knows what this process sent. `run` reads what `gained` asked for."""

    def __init__(
        self, *, database: Database, flights: Flights, smsc_ids: Ids, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._flights = flights
        self._smsc_ids = smsc_ids
        self._now = now
        self._due: dict[str, dict[str, Due]] = {}  # by route and key, the oldest first
        self._wanted: list[int] = []
        self._wake = asyncio.Event()
        self._place = 0

    def awaiting_of(self, route: str) -> tuple[int, datetime | None]:
        """How many segments of a route wait for their receipt, and when the oldest of them was sent."""
        count, oldest = self._flights.awaiting_of(route)
        due = self._due.get(route)
        if not due:
            return count, oldest
        first = next(iter(due.values())).sent_at
        return count + len(due), first if oldest is None else min(first, oldest)

    def gained(self, buckets: Sequence[int]) -> None:
        """These are ours from now on: what was sent of them is to be looked for."""
        self._wanted += buckets
        self._wake.set()

    def lost(self, buckets: Collection[int]) -> None:
        """They are another's, and so is the count."""
        gone = frozenset(buckets)
        self._wanted = [bucket for bucket in self._wanted if bucket not in gone]
        self._keep(lambda due: due.bucket not in gone)

    def told(self, receipts: Sequence[Receipt]) -> None:
        """Receipts that have been stored: those that end something end the waiting for it."""
        for receipt in receipts:
            due = self._due.get(receipt.route)
            if due and receipt.verdict is not Verdict.NOTHING_YET:
                due.pop(receipt.key, None)

    def hearing(self, store: Store) -> Store:
        """The same storing of receipts, of which it is `told` then."""

        async def stored(receipts: Sequence[Receipt]) -> None:
            await store(receipts)
            self.told(receipts)

        return stored

    async def run(self) -> None:
        """Read what was gained, and look again at what was read; never ends."""
        while True:
            try:
                await self._read_wanted()
                await self._look_again()
            except StorageUnavailable as error:
                log.debug("outstanding receipts not counted yet", extra={"why": str(error)})
            try:
                async with asyncio.timeout(AGAIN[0]):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _read_wanted(self) -> None:
        self._wake.clear()
        read = False
        since = floor_at(self._now() - Flights.LONGEST)
        while self._wanted:
            buckets = self._wanted[:BUCKETS]
            async with self._database.connection() as connection:
                places = await rows.unreported(connection, buckets, since, NEWEST)
            for some in _batched(places, READ):
                for (route, key), due in await self._outstanding(some):
                    if self._flights.find(route, key) is None:
                        self._due.setdefault(route, {})[key] = due
            self._wanted = [bucket for bucket in self._wanted if bucket not in buckets]
            read = True
            await asyncio.sleep(PAUSE_SECONDS)
        if read:
            self._sort()

    def _sort(self) -> None:
        """The oldest in front; those beyond what is kept are let go."""
        every = sorted(
            ((due, route, key) for route, some in self._due.items() for key, due in some.items()),
            key=lambda each: each[0].sent_at,
        )
        self._due = {}
        for due, route, key in every[-KEPT:]:
            self._due.setdefault(route, {})[key] = due
        if every:
            log.info("receipts outstanding from before", extra={"segments": min(len(every), KEPT)})

    async def _look_again(self) -> None:
        """A part of them, held against the log: what has ended otherwise is waited for no longer."""
        limit = self._now() - Flights.LONGEST
        self._keep(lambda due: due.sent_at > limit)
        total = sum(map(len, self._due.values()))
        self._place = self._place if self._place < total else 0
        every = ((route, key, due) for route, some in self._due.items() for key, due in some.items())
        part = list(islice(every, self._place, self._place + AGAIN[1]))
        if not part:
            return
        places = sorted({(due.bucket, due.message) for *_, due in part})
        still = {name for name, _ in await self._outstanding(places)}
        ended = [(route, key) for route, key, _ in part if (route, key) not in still]
        for route, key in ended:
            self._due[route].pop(key, None)
        self._place += len(part) - len(ended)

    async def _outstanding(self, places: Sequence[tuple[int, UUID]]) -> list[tuple[Key, Due]]:
        async with self._database.connection() as connection:
            messages = await message_rows.load(connection, places)
            steps = await message_rows.steps_of(connection, places)
        return [each for message in messages for each in self._of(message, steps.get(message.id, []))]

    def _of(self, message: Message, log_of_it: Sequence[Step]) -> Iterator[tuple[Key, Due]]:
        outgoing = Outgoing(message)
        outgoing.replay(log_of_it)
        if outgoing.final:
            return
        ids = {
            step.segment or 1: (step.route or "", step.smsc_id)
            for step in log_of_it
            if step.kind in _ANSWERS and step.smsc_id
        }
        for segment in outgoing.segments:
            if segment.state is Leg.TAKEN and segment.number in ids and self._flights.reports(segment):
                route, smsc_id = ids[segment.number]
                key = self._smsc_ids.response_key(route, smsc_id)
                yield (route, key), Due(message.bucket, message.id, segment.sent_at or message.accepted_at)

    def _keep(self, wanted: Callable[[Due], bool]) -> None:
        self._due = {
            route: {key: due for key, due in some.items() if wanted(due)} for route, some in self._due.items()
        }


def _batched(places: Sequence[tuple[int, UUID]], size: int) -> Iterator[Sequence[tuple[int, UUID]]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]
