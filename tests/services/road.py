"""The way to the SMSC for tests: nodes on a real database, with a carrier that answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.domain.event import Callback
from gateway.domain.ids import IdSource
from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.steering import Steering
from gateway.domain.timer import Timer
from gateway.esme.binds import Binds
from gateway.services.carrier import Channel, Fate, Outcome, Parcel
from gateway.services.cuts import Order, ReportOn
from gateway.services.dispatch import Dispatch, Patience
from gateway.services.flights import Flights, Segment
from gateway.services.leases import Leases
from gateway.services.ledger import Ledger
from gateway.services.notices import Notices
from gateway.services.receipts import Receipt, Receipts, Verdict
from gateway.services.timers import Timers
from gateway.services.upkeep import prepare
from gateway.sms.cutting import PLAIN, Cutting
from gateway.sms.segment import measure
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Database
from gateway.storage.leases import Lease
from tests.services.customers import FakeOutbox

ANNA, BEN = "8613905310001", "8613905310002"
START = datetime.now(UTC).replace(microsecond=0)
ALL = range(256)
LONG = "您上月流量213MB，其中180MB为夜间自动更新产生，已为您关闭后台更新。" * 3  # two segments in UCS-2

Script = Callable[[Parcel], Fate | None]


def message_to(
    msisdn: str = ANNA,
    body: str = "您好",
    *,
    at: datetime = START,
    ids: IdSource | None = None,
    **fields: Any,
) -> Message:
    """A message as intake would store it."""
    bucket = bucket_of(msisdn)
    row: dict[str, Any] = dict.fromkeys(Message._fields)
    row |= {
        "bucket": bucket,
        "id": IdSource().new(bucket, at.timestamp()),
        "accepted_at": at,
        "msisdn": msisdn,
        "sender": "10086",
        "lane": Lane.TRANSACTIONAL,
        "on_unknown": OnUnknown.RESEND,
        "body": body,
        "encoding": measure(body).encoding,
        "segments": measure(body).segments,
        "status": Status.QUEUED,
        "report": True,
    }
    return Message(**row | fields)


class Clock:
    """Time that goes by when a test says so."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **lapse: float) -> None:
        self.time += timedelta(**lapse)


EVERYWHERE = Steering((), ("main",)).default
NOWHERE = Steering((), ("other",)).default


class FakeOffer:
    """Room by route; a course's routes are taken in their order."""

    def __init__(self, room: dict[str, int]) -> None:
        self.room = room

    def place(self, channel: Channel, segments: int, msisdn: str = "") -> str | None:
        for route, _ in channel.course.to:
            if self.room.get(route, 0) > 0:
                self.room[route] -= segments
                return route
        return None

    def takes(self, msisdn: str) -> bool:
        return True


class FakeCarrier:
    """Takes parcels and answers as `script` says; None keeps the answer back."""

    def __init__(self, script: Script | None = None) -> None:
        self.script: Script = script or (lambda _: Fate.TAKEN)
        self.sent: list[Parcel] = []
        self.open_room = 1000
        self.dead: set[str] = set()  #: senders whose messages have a way of their own, which is shut
        self.outcomes: Callable[[Sequence[Outcome]], None] = lambda _: None
        self._ids = 0

    def channel(self, message: Message) -> Channel:
        return Channel(NOWHERE if message.sender in self.dead else EVERYWHERE, "")

    def cutting(self, route: str) -> Cutting:
        return PLAIN

    def order(self, route: str) -> Order:
        return "first-first"

    def report_on(self, route: str) -> ReportOn:
        return "each"

    def offer(self, reserved: Mapping[str, int]) -> FakeOffer:
        return FakeOffer({"main": self.open_room - reserved.get("main", 0)})

    def submit(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            fate = self.script(parcel)
            if fate is not Fate.UNSENT:
                self.sent.append(parcel)
            if fate is not None:
                self.answer(parcel.token, fate)

    def answer(self, token: Segment, fate: Fate = Fate.TAKEN, smsc_id: str | None = None) -> str:
        """One answer, some time after the submit; the id that the SMSC gave."""
        self._ids += 1
        smsc_id = smsc_id or f"id{self._ids}"
        taken = fate is Fate.TAKEN
        outcome = Outcome(
            token,
            fate,
            "main",
            smsc_id if taken else None,
            smsc_id if taken else None,
            {Fate.TAKEN: 0, Fate.PUT_OFF: 0x14, Fate.REFUSED: 0x0B}.get(fate),
            None if taken else fate.name.lower(),
        )
        asyncio.get_running_loop().call_soon(self.outcomes, [outcome])
        return smsc_id

    def bodies(self) -> list[str]:
        return [parcel.token.outgoing.message.body for parcel in self.sent]


class Stretch:
    """One node between the table and the carrier."""

    def __init__(self, database: Database, carrier: FakeCarrier, clock: Clock, name: str) -> None:
        self.database, self.carrier, self.clock, self.name = database, carrier, clock, name
        self.ids = IdSource()
        self.told: list[Callback] = []
        self.flights = Flights()
        self.timers = Timers(database, clock)
        self._tasks: list[asyncio.Task[None]] = []

    async def build(self, *, unknown_wait: float = 60.0) -> None:
        notices = Notices(FakeOutbox(self.ids))
        pipes = [await self.database.dedicated(f"{self.name} {what}") for what in "asr"]
        self.ledgers = [Ledger(f"{n}", pipe, self.told.extend) for n, pipe in enumerate(pipes)]
        self.leases = Leases(
            await self.database.dedicated(f"{self.name} leases"),
            self.name,
            gained=self._gained,
            lost=self._lost,
            oldest_open=lambda: self.dispatch.oldest_open(),  # noqa: PLW0108 - made below
            now=self.clock,
        )
        self.dispatch = Dispatch(
            database=self.database,
            ledger=self.ledgers[0],
            settlements=self.ledgers[1],
            flights=self.flights,
            carrier=self.carrier,
            leases=self.leases,
            notices=notices,
            patience=Patience(unknown=timedelta(seconds=unknown_wait)),
            now=self.clock,
        )
        self.receipts = Receipts(
            database=self.database,
            ledger=self.ledgers[2],
            flights=self.flights,
            notices=notices,
            ids=self.ids,
            smsc_ids=Binds([]),
            now=self.clock,
        )
        self.dispatch.early = self.receipts
        self.leases.unanswered = self.dispatch.unanswered
        self.carrier.outcomes = self.dispatch.outcomes
        self.timers.register("message", self.dispatch.due)

    async def start(self) -> None:
        await self.receipts.load()
        await self.leases.start()
        self.run(self.dispatch.run())

    def run(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def kill(self) -> None:
        """As kill -9 would: nothing is finished, nothing is given back."""
        for task in [*self._tasks, *self.dispatch._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.carrier.outcomes = lambda _: None
        for pipe in self.database._dedicated:
            if pipe.name.startswith(f"huiyin {self.name} "):
                await pipe.close()

    async def stop(self) -> None:
        await self.dispatch.stop(1.0)
        for ledger in self.ledgers:
            await ledger.drain()
        await self.kill()

    async def _gained(self, leases: Sequence[Lease]) -> None:
        for since in {lease.settled_before for lease in leases}:
            mine = [lease.bucket for lease in leases if lease.settled_before == since]
            await self.dispatch.gained(mine, since)

    async def _lost(self, buckets: Sequence[int]) -> None:
        await self.dispatch.lost(buckets)

    # What tests do

    async def accept(self, *messages: Message, hand_over: bool = True) -> None:
        """Store, and tell dispatch as intake does."""
        timers = [Timer(m.bucket, m.due_at, "message", m.id) for m in messages if m.due_at is not None]
        async with self.database.transaction() as connection:
            await message_rows.insert(connection, messages)
            await timer_rows.insert(connection, timers)
        if hand_over:
            self.dispatch.hand_over(messages)

    async def receipt(self, smsc_id: str, msisdn: str = ANNA, verdict: Verdict = Verdict.DELIVERED) -> None:
        await self.receipts.store([receipt_for(smsc_id, msisdn, verdict)])

    async def later(self, **lapse: float) -> None:
        """Time goes by, and the timers that are due ring."""
        self.clock.forward(**lapse)
        while await self.timers.once(ALL):
            pass

    async def steps(self, message: Message) -> list[tuple[str, str]]:
        """What is on record of a message: kind and status, step by step."""
        async with self.database.connection() as connection:
            found = await message_rows.steps_of(connection, [(message.bucket, message.id)])
        return [(step.kind, step.status) for step in found.get(message.id, [])]

    async def reasons(self, message: Message, kind: str) -> list[str | None]:
        async with self.database.connection() as connection:
            found = await message_rows.steps_of(connection, [(message.bucket, message.id)])
        return [step.reason for step in found.get(message.id, []) if step.kind == kind]

    async def until(self, message: Message, status: str) -> list[str]:
        """Wait for a status on record; the kinds of all steps."""
        steps: list[tuple[str, str]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not steps or steps[-1][1] != status:
                    await asyncio.sleep(0.005)
                    steps = await self.steps(message)
        assert steps, "nothing is on record"
        assert steps[-1][1] == status, steps
        return [kind for kind, _ in steps]

    async def settled(self) -> None:
        """All that was started is on record."""
        for _ in range(3):
            await asyncio.sleep(0.01)
            await self.dispatch.drain()
            for ledger in self.ledgers:
                await ledger.drain()


def receipt_for(smsc_id: str, msisdn: str = ANNA, verdict: Verdict = Verdict.DELIVERED) -> Receipt:
    return Receipt(
        "main", smsc_id, smsc_id, msisdn, verdict, verdict.name.lower(), "000", f"stat:{verdict.name}"
    )


async def until(happened: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until it has happened."""
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.005)


class Roads:
    """A database and the nodes on it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.nodes: list[Stretch] = []

    async def node(
        self, script: Script | None = None, *, name: str = "one", started: bool = True, **options: Any
    ) -> Stretch:
        stretch = Stretch(self.database, FakeCarrier(script), self.clock, name)
        await stretch.build(**options)
        self.nodes.append(stretch)
        if started:
            await stretch.start()
        return stretch

    async def execute(self, statement: str, *arguments: Any) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(statement, *arguments))


@asynccontextmanager
async def roads_on(dsn: str) -> AsyncIterator[Roads]:
    async with await Database.open(dsn, size=4) as database:
        async with database.connection() as connection:
            for moment in (START, START - timedelta(days=14)):
                await prepare(connection, moment)
        roads = Roads(database)
        try:
            yield roads
        finally:
            for node in roads.nodes:
                await node.kill()
