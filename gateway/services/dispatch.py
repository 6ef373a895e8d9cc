"""From the queue to the SMSC: claim, ask the policy again, commit the attempt, hand over, settle the answer.

An attempt is on disk before its first octet is written, so whatever we die of, the log knows what may have
left. One instance owns the messages of its node's buckets.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from gateway.domain.event import Callback
from gateway.domain.ids import Kind, bucket_of_id, public
from gateway.domain.message import CANCELLABLE, Event, Message, Status, Step
from gateway.domain.policy import NOBODY_KNOWN, Refuse, concerns, decide
from gateway.domain.timer import Timer, TimerKind
from gateway.services.flights import Flights, Leg, Outgoing, Queue, Segment, due_segments, resendable
from gateway.services.ledger import Entry, Ledger
from gateway.services.notices import Notices
from gateway.sms.segment import split
from gateway.storage import contacts as contact_rows
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.telemetry import ACCEPT_TO_SUBMIT, MAYBE_DUPLICATE, SETTLED, UNKNOWN, WAITING

log = logging.getLogger(__name__)

#: Pauses after a temporary refusal; one more, and it is final.
PATIENCE: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
#: What is due later than this rests in the table, not in memory.
REST: Final = timedelta(seconds=60)
#: How soon a timer looks again after a message that it released.
REMINDER: Final = timedelta(seconds=30)
#: Messages in memory. Beyond, they wait in the table and are read when half of these have gone.
HIGH_WATER: Final = 100_000
BATCH: Final = 1000
PAUSE_SECONDS: Final = 0.2


class Parcel(NamedTuple):
    """One short message for the carrier. `token` comes back with its outcome."""

    token: Segment
    destination: str
    sender: str
    payload: bytes
    esm_class: int
    data_coding: int
    report: bool
    expires_at: datetime | None


class Fate(Enum):
    """What the carrier says of a parcel."""

    TAKEN = auto()  #: the SMSC answered OK
    PUT_OFF = auto()  #: refused for now
    REFUSED = auto()  #: refused for good
    LOST = auto()  #: written, and no answer
    UNSENT = auto()  #: not one octet was written


class Outcome(NamedTuple):
    """The carrier's answer. `key` is how a receipt will name it, after the route's rules."""

    token: Segment
    fate: Fate
    route: str
    smsc_id: str | None = None
    key: str | None = None
    command_status: int | None = None
    reason: str | None = None


class Carrier(Protocol):
    """Whoever brings parcels to the SMSC. It tells outcomes through `Dispatch.outcomes`."""

    def room(self) -> int:
        """How many parcels may be handed over now."""

    def submit(self, parcels: Sequence[Parcel]) -> None:
        """Take them. Each comes back as one outcome, and perhaps a second, late one."""


class Ownership(Protocol):
    """Which buckets are ours, and under which epoch."""

    def epoch(self, bucket: int) -> int | None:
        """The epoch of our lease on a bucket; None: it is not ours."""

    def live(self) -> bool:
        """Whether our leases hold at this very moment, by the clock that no pause stops."""


class EarlyReceipts(Protocol):
    """Receipts that came before their response."""

    def claim(self, route: str, key: str, segment: Segment) -> None:
        """A response names this id: see whether its receipt is already here."""


class CancelOutcome(StrEnum):
    """What became of the wish to take a message back."""

    CANCELLED = "cancelled"
    TOO_LATE = "too-late"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited before an unknown attempt is made once more."""

    unknown: timedelta


class Dispatch:
    """The sender of this node's messages."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        settlements: Ledger,
        flights: Flights,
        carrier: Carrier,
        leases: Ownership,
        notices: Notices,
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._settlements = settlements
        self._flights = flights
        self._carrier = carrier
        self._leases = leases
        self._notices = notices
        self._patience = patience
        self._now = now
        self._queue = Queue()
        self._later: list[tuple[float, int, Segment | Outgoing]] = []
        self._order = count()
        self._wake = asyncio.Event()
        self._reserved = 0  # parcels whose attempt is being committed
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._unread_from: UUID | None = None  # the oldest message left in the table for want of memory
        self.early: EarlyReceipts | None = None

    # What others tell us

    def hand_over(self, messages: Iterable[Message]) -> None:
        """Messages just committed. Those not due, or of other nodes' buckets, are left alone."""
        for message in messages:
            if message.status == Status.QUEUED and self._leases.epoch(message.bucket) is not None:
                self._enqueue(Outgoing(message))
        self._wake.set()

    def room_again(self) -> None:
        """The carrier has room, or may have."""
        self._wake.set()

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """What the SMSC said. Memory is brought up to date at once, the log in the next commit."""
        now = self._now()
        entries: list[Step] = []
        timers: list[Timer] = []
        callbacks: list[Callback] = []
        for outcome in outcomes:
            self._settle(outcome, now, entries, timers, callbacks)
        if entries:
            self._settlements.later(Entry(entries, timers, callbacks))
        self._wake.set()

    def waiting(self) -> int:
        """Messages due that the SMSC does not have yet."""
        return len(self._queue)

    # The loop

    async def run(self) -> None:
        """Send until `stop`."""
        while not self._stopping:
            self._wake.clear()
            self._release_due()
            room = min(self._carrier.room() - self._reserved, BATCH)
            if room > 0 and len(self._queue):
                batch = self._queue.take(room)
                self._reserved += sum(outgoing.message.segments for outgoing in batch)
                self._spawn(self._attempt(batch))
                await asyncio.sleep(0)
                continue
            if self._unread_from is not None and len(self._flights.open) < HIGH_WATER // 2:
                await self._refill()
            await self._rest()

    async def stop(self, patience: float) -> None:
        """Begin nothing more, and wait for what is in flight."""
        self._stopping = True
        self._wake.set()
        deadline = asyncio.get_running_loop().time() + patience
        while self._flying() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flying(self) -> bool:
        return self._reserved > 0 or any(
            segment.state is Leg.FLYING
            for outgoing in self._flights.open.values()
            for segment in outgoing.segments
        )

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        wait = 1.0
        if self._later:
            wait = min(wait, max(0.0, self._later[0][0] - loop.time()))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _enqueue(self, outgoing: Outgoing) -> None:
        message = outgoing.message
        if message.id in self._flights.open:
            return
        if len(self._flights.open) >= HIGH_WATER or (self._unread_from and message.lane == "marketing"):
            if self._unread_from is None or message.id < self._unread_from:
                self._unread_from = message.id
            return
        self._flights.open[message.id] = outgoing
        self._queue.put(outgoing)

    def _later_on(self, when: datetime, what: Segment | Outgoing) -> None:
        delay = max(0.0, (when - self._now()).total_seconds())
        heappush(self._later, (asyncio.get_running_loop().time() + delay, next(self._order), what))

    def _release_due(self) -> None:
        """Put back into the queue what has waited long enough."""
        clock = asyncio.get_running_loop().time()
        while self._later and self._later[0][0] <= clock:
            what = heappop(self._later)[2]
            outgoing = what.outgoing if isinstance(what, Segment) else what
            if outgoing.message.id not in self._flights.open or outgoing.final:
                continue
            if isinstance(what, Segment):
                if what.state is not Leg.UNKNOWN or not resendable(what):
                    continue
                what.state = Leg.WAITING
                self._flights.settle_unknown(what)
            if not outgoing.taken:
                self._queue.put(outgoing)

    # claim → decide → attempt → submit

    async def _attempt(self, batch: list[Outgoing]) -> None:
        reserved = sum(outgoing.message.segments for outgoing in batch)
        try:
            now = self._now()
            refused = await self._forbidden(batch)
            steps: list[Step] = []
            timers: list[Timer] = []
            callbacks: list[Callback] = []
            parcels: list[Parcel] = []
            for outgoing in batch:
                outgoing.taken = False
                if outgoing.final or not self._mine(outgoing):
                    self._flights.open.pop(outgoing.message.id, None)
                    continue
                end = self._end(outgoing, refused, now)
                if end is not None:
                    self._finish(outgoing, end, timers, callbacks)
                    steps.append(end)
                    continue
                self._prepare(outgoing, now, steps, parcels)
            if steps:
                lost = await self._ledger.record(Entry(steps, timers, callbacks))
                if lost:
                    parcels = self._give_up(lost, parcels)
                self._send(parcels)
        except StorageUnavailable as error:
            await self._not_stored(batch, error)
        finally:
            self._reserved -= reserved
            self._wake.set()

    async def _forbidden(self, batch: list[Outgoing]) -> dict[UUID, str]:
        """The policy, asked again: who must not get it any more, and why."""
        asked = [o.message for o in batch if concerns(o.message.lane)]
        if not asked:
            return {}
        async with self._database.connection() as connection:
            known = await contact_rows.standings(connection, [(m.bucket, m.msisdn) for m in asked])
        now = self._now()
        refused: dict[UUID, str] = {}
        for message in asked:
            decision = decide(message.lane, message.category, known.get(message.msisdn, NOBODY_KNOWN), now)
            if isinstance(decision, Refuse):
                refused[message.id] = decision.reason
        return refused

    def _end(self, outgoing: Outgoing, refused: dict[UUID, str], now: datetime) -> Step | None:
        """The step that ends a message before it is sent, if one does."""
        if outgoing.status not in CANCELLABLE:
            return None  # part of it has left; the rest follows
        message = outgoing.message
        if message.expires_at is not None and message.expires_at <= now:
            return outgoing.advance(Event.OVERDUE, now, reason="its validity ended before it could be sent")
        if message.id in refused:
            return outgoing.advance(Event.STOPPED, now, reason=refused[message.id])
        return None

    def _prepare(self, outgoing: Outgoing, now: datetime, steps: list[Step], parcels: list[Parcel]) -> None:
        message = outgoing.message
        cut = split(message.body, outgoing.reference)
        epoch = self._leases.epoch(message.bucket)
        for segment in due_segments(outgoing):
            segment.state = Leg.FLYING
            segment.copy += 1
            steps.append(
                outgoing.advance(
                    Event.ATTEMPT,
                    now,
                    segment.number,
                    copy=segment.copy,
                    epoch=epoch,
                    reason="maybe_duplicate" if segment.copy > 1 + segment.refusals else None,
                )
            )
            parcels.append(
                Parcel(
                    segment,
                    message.msisdn,
                    message.sender,
                    cut.payloads[segment.number - 1],
                    cut.esm_class,
                    cut.data_coding,
                    message.report,
                    message.expires_at,
                )
            )

    def _send(self, parcels: list[Parcel]) -> None:
        """The attempts are on disk. If our lease ran out meanwhile, another node decides about them."""
        if not parcels:
            return
        if not self._leases.live():
            self.outcomes([Outcome(parcel.token, Fate.UNSENT, "") for parcel in parcels])
            return
        self._carrier.submit(parcels)

    def _mine(self, outgoing: Outgoing) -> bool:
        return self._leases.epoch(outgoing.message.bucket) is not None

    def _give_up(self, lost: frozenset[tuple[UUID, int]], parcels: list[Parcel]) -> list[Parcel]:
        """Steps of ours whose place was taken: somebody cancelled the message, or owns it now."""
        ids = {message_id for message_id, _ in lost}
        for message_id in ids:
            self._flights.open.pop(message_id, None)
        return [parcel for parcel in parcels if parcel.token.outgoing.message.id not in ids]

    async def _not_stored(self, batch: list[Outgoing], error: StorageUnavailable) -> None:
        """Whether the attempts were stored is not known, but nothing was written: look, and go on from there."""
        log.warning("attempts not stored", extra={"messages": len(batch), "why": str(error)})
        for outgoing in batch:
            self._flights.open.pop(outgoing.message.id, None)
        ids = [(outgoing.message.bucket, outgoing.message.id) for outgoing in batch]
        while not self._stopping:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with self._database.connection() as connection:
                    known = await message_rows.steps_of(connection, ids)
            except StorageUnavailable:
                continue
            break
        else:
            return
        for old in batch:
            outgoing = Outgoing(old.message)
            outgoing.replay(known.get(old.message.id, ()))
            if outgoing.final:
                continue
            for segment in outgoing.segments:
                if segment.state is Leg.FLYING:  # on record, and never written: not an attempt that counts
                    segment.state = Leg.WAITING
                    segment.copy -= 1
            self._enqueue(outgoing)

    # settle

    def _settle(
        self,
        outcome: Outcome,
        now: datetime,
        steps: list[Step],
        timers: list[Timer],
        callbacks: list[Callback],
    ) -> None:
        segment = outcome.token
        outgoing = segment.outgoing
        if outcome.fate is Fate.UNSENT:
            self._take_back(segment)
            return
        if segment.state in (Leg.TAKEN, Leg.ARRIVED, Leg.LOST):
            self._answered_again(outcome, now, steps)
            return
        if outcome.fate is Fate.LOST and segment.state is not Leg.FLYING:
            return  # it timed out before, and now its link broke as well
        fields: dict[str, Any] = {
            "copy": segment.copy,
            "route": outcome.route,
            "smsc_id": outcome.smsc_id,
            "command_status": outcome.command_status,
            "reason": outcome.reason,
        }
        event = self._judge(segment, outcome, now, fields)
        step = outgoing.advance(event, now, segment.number, **fields)
        steps.append(step)
        if event is Event.DEFERRED:
            self._put_off(segment, now, timers)
        elif event is Event.LOST:
            self._unknown(segment, outcome, now)
        elif outcome.key is not None and outgoing.message.report:
            self._flights.await_receipt(outcome.route, outcome.key, segment)
            if self.early is not None:
                self.early.claim(outcome.route, outcome.key, segment)
        if outgoing.status in (Status.SUBMITTED, Status.FAILED):
            self._finish(outgoing, step, timers, callbacks)

    def _answered_again(self, outcome: Outcome, now: datetime, steps: list[Step]) -> None:
        """Both copies of a segment were answered: the second one's receipt must find its message too."""
        segment = outcome.token
        if outcome.fate is Fate.TAKEN and segment.state is Leg.TAKEN and outcome.key is not None:
            if self._flights.find(outcome.route, outcome.key) is segment:
                return  # the same answer twice
            steps.append(
                segment.outgoing.advance(
                    Event.ACCEPTED,
                    now,
                    segment.number,
                    copy=segment.copy,
                    route=outcome.route,
                    smsc_id=outcome.smsc_id,
                    reason="maybe_duplicate",
                )
            )
            self._flights.await_receipt(outcome.route, outcome.key, segment)

    def _judge(self, segment: Segment, outcome: Outcome, now: datetime, fields: dict[str, Any]) -> Event:
        """Which event an answer is, and where it leaves the segment."""
        if segment.state is Leg.UNKNOWN:
            self._flights.settle_unknown(segment)
        match outcome.fate:
            case Fate.TAKEN:
                segment.state = Leg.TAKEN
                last = all(other.state in (Leg.TAKEN, Leg.ARRIVED) for other in segment.outgoing.segments)
                return Event.SUBMITTED if last else Event.ACCEPTED
            case Fate.PUT_OFF if segment.refusals < len(PATIENCE):
                segment.state = Leg.WAITING
                due = now + PATIENCE[segment.refusals]
                segment.refusals += 1
                fields["detail"] = due.isoformat()
                return Event.DEFERRED
            case Fate.LOST:
                segment.state = Leg.UNKNOWN
                return Event.LOST
            case _:
                segment.state = Leg.LOST
                return Event.REFUSED

    def _put_off(self, segment: Segment, now: datetime, timers: list[Timer]) -> None:
        pause = PATIENCE[segment.refusals - 1]
        outgoing = segment.outgoing
        if pause <= REST:
            self._later_on(now + pause, outgoing)
            return
        message = outgoing.message
        self._flights.open.pop(message.id, None)
        timers.append(Timer(message.bucket, now + pause, TimerKind.MESSAGE, message.id))

    def _unknown(self, segment: Segment, outcome: Outcome, now: datetime) -> None:
        UNKNOWN.labels(outcome.route, outcome.reason or "").inc()
        self._flights.mark_unknown(segment)
        if resendable(segment):
            self._later_on(now + self._patience.unknown, segment)
            MAYBE_DUPLICATE.labels(outcome.route).inc()
        elif all(other.state is not Leg.WAITING for other in segment.outgoing.segments):
            self._flights.open.pop(segment.outgoing.message.id, None)

    def _take_back(self, segment: Segment) -> None:
        """Not one octet left: the attempt on record does not count, and the segment waits again."""
        if segment.state is not Leg.FLYING:
            return
        segment.state = Leg.WAITING
        segment.copy -= 1
        outgoing = segment.outgoing
        if not outgoing.taken and outgoing.message.id in self._flights.open:
            outgoing.taken = True
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._requeue, outgoing)

    def _requeue(self, outgoing: Outgoing) -> None:
        outgoing.taken = False
        if not outgoing.final:
            self._queue.put(outgoing)
            self._wake.set()

    def _finish(self, outgoing: Outgoing, step: Step, timers: list[Timer], callbacks: list[Callback]) -> None:
        """The SMSC has all of it, or it is final: memory lets go, and those who care are told."""
        message = outgoing.message
        self._flights.open.pop(message.id, None)
        if outgoing.status is Status.SUBMITTED:
            ACCEPT_TO_SUBMIT.labels(message.lane).observe((step.at - message.accepted_at).total_seconds())
        else:
            SETTLED.labels(message.lane, outgoing.status).inc()
        self._notices.of(outgoing, step, timers, callbacks)

    # cancel, timers, start

    async def cancel(self, message_id: UUID) -> CancelOutcome:
        """Take a message back while nothing of it has left. Raises `StorageUnavailable`."""
        outgoing = self._flights.open.get(message_id)
        if outgoing is None:
            outgoing = await self._read(message_id)
            if outgoing is None:
                return CancelOutcome.UNKNOWN
        if outgoing.taken or outgoing.status not in CANCELLABLE:
            return CancelOutcome.TOO_LATE
        step = outgoing.advance(Event.CANCELLED, self._now(), reason="cancelled by the caller")
        timers: list[Timer] = []
        callbacks: list[Callback] = []
        self._finish(outgoing, step, timers, callbacks)
        try:
            lost = await self._ledger.record(Entry([step], timers, callbacks))
        except StorageUnavailable as error:
            self._spawn(self._not_stored([outgoing], error))
            raise
        return CancelOutcome.TOO_LATE if lost else CancelOutcome.CANCELLED

    async def _read(self, message_id: UUID) -> Outgoing | None:
        place = [(bucket_of_id(message_id), message_id)]
        async with self._database.connection() as connection:
            messages = await message_rows.load(connection, place)
            steps = await message_rows.steps_of(connection, place)
        if not messages:
            return None
        outgoing = Outgoing(messages[0])
        outgoing.replay(steps.get(message_id, ()))
        return outgoing

    async def due(
        self, connection: Connection, timers: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        """Timers of messages rang: their time to be sent has come. What is returned runs after the commit.

        Each timer is set again until its message has left: one that old is not looked for at start.
        """
        places = [(timer.bucket, timer.subject) for timer in timers]
        messages = await message_rows.load(connection, places)
        steps = await message_rows.steps_of(connection, places)
        released: list[Step] = []
        again: list[Timer] = []
        ready: list[Outgoing] = []
        for message in messages:
            outgoing = self._flights.open.get(message.id)
            if outgoing is None:
                outgoing = Outgoing(message)
                outgoing.replay(steps.get(message.id, ()))
                if outgoing.status in (Status.SCHEDULED, Status.HELD):
                    released.append(outgoing.advance(Event.RELEASED, now))
                if outgoing.final or not due_segments(outgoing):
                    continue
                ready.append(outgoing)
            again.append(Timer(message.bucket, now + REMINDER, TimerKind.MESSAGE, message.id))
        if released:
            await message_rows.append(connection, released)
        if again:
            await timer_rows.insert(connection, again)
        return [partial(self._enqueue_all, ready)]

    def _enqueue_all(self, ready: Sequence[Outgoing]) -> None:
        for outgoing in ready:
            self._enqueue(outgoing)
        self._wake.set()

    async def gained(self, buckets: Sequence[int], since: UUID) -> int:
        """Buckets are ours now: read what is unsettled, judge the attempts that their owner left behind."""
        found = 0
        while True:
            async with self._database.connection() as connection:
                messages = await message_rows.unsettled(connection, buckets, since, BATCH * 10)
                steps = await message_rows.steps_of(connection, [(m.bucket, m.id) for m in messages])
            await self._resume(messages, steps)
            found += len(messages)
            if len(messages) < BATCH * 10 or self._unread_from is not None:
                return found
            since = UUID(int=messages[-1].id.int + 1)

    async def _resume(self, messages: Sequence[Message], steps: dict[UUID, list[Step]]) -> None:
        now = self._now()
        left: list[Step] = []
        for message in messages:
            log_of_it = steps.get(message.id, ())
            ours = self._leases.epoch(message.bucket)
            if message.id in self._flights.open or any(step.epoch == ours for step in log_of_it):
                continue  # in our own hands already
            outgoing = Outgoing(message)
            outgoing.replay(log_of_it)
            left_behind = [segment for segment in outgoing.segments if segment.state is Leg.FLYING]
            for segment in left_behind:
                segment.state = Leg.UNKNOWN
                left.append(
                    outgoing.advance(
                        Event.LOST, now, segment.number, copy=segment.copy, reason="left by a stopped process"
                    )
                )
            self._pick_up(outgoing, log_of_it)
        if left:
            await self._settlements.record_at_last(Entry(left))
        self._wake.set()

    def _pick_up(self, outgoing: Outgoing, steps: Sequence[Step]) -> None:
        """Where a message that was found in the table goes on."""
        unknown = [segment for segment in outgoing.segments if segment.state is Leg.UNKNOWN]
        waiting = due_segments(outgoing)
        for segment in unknown:
            self._flights.mark_unknown(segment)
            if resendable(segment):
                self._flights.open[outgoing.message.id] = outgoing
                attempts = [s.at for s in steps if s.segment == segment.number and s.kind == Event.ATTEMPT]
                self._later_on((attempts[-1] if attempts else self._now()) + self._patience.unknown, segment)
        if not waiting:
            return
        deferred = [s for s in steps if s.kind == Event.DEFERRED and s.detail]
        if deferred and outgoing.status is Status.RETRYING:
            due = datetime.fromisoformat(deferred[-1].detail or "")
            if due - deferred[-1].at > REST:
                return  # a timer brings it
            self._flights.open[outgoing.message.id] = outgoing
            self._later_on(due, outgoing)
            return
        self._enqueue(outgoing)

    async def lost(self, buckets: Iterable[int]) -> None:
        """These buckets are somebody else's: send nothing more of theirs."""
        for outgoing in self._flights.drop(frozenset(buckets)):
            log.debug("left to another node", extra={"message_id": public(Kind.MESSAGE, outgoing.message.id)})

    def oldest_open(self) -> UUID | None:
        """The oldest message that a successor would have to look at."""
        ids = [uid.int for uid in self._flights.open]
        if self._unread_from is not None:
            ids.append(self._unread_from.int)
        return UUID(int=min(ids)) if ids else None

    async def _refill(self) -> None:
        """There is memory again for what was left in the table."""
        since, self._unread_from = self._unread_from, None
        if since is None:
            return
        buckets = [bucket for bucket in range(256) if self._leases.epoch(bucket) is not None]
        try:
            await self.gained(buckets, since)
        except StorageUnavailable:
            self._unread_from = since
            await asyncio.sleep(PAUSE_SECONDS)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("dispatch failed", exc_info=task.exception())

    def observe(self) -> None:
        """Show the queue's length, lane by lane."""
        for lane, length in self._queue.lengths().items():
            WAITING.labels(lane).set(length)
