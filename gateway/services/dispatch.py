"""From the queue to the SMSC: claim, ask the policy again, commit the attempt, hand over.

An attempt is on disk before its first octet is written, so whatever we die of, the log knows what may have
left. One instance owns the messages of its node's buckets. What the SMSC answers is judged in `settling`, and
what is taken up again from the log in `resume`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from gateway.domain.ids import BUCKETS, Kind, bucket_of_id, public
from gateway.domain.message import CANCELLABLE, Event, Message, Status
from gateway.domain.policy import concerns
from gateway.domain.timer import Timer
from gateway.services.backlog import Backlog
from gateway.services.carrier import Carrier, EarlyReceipts, Fate, Outcome, Ownership, Parcel
from gateway.services.ending import Ending, is_too_late
from gateway.services.flights import Flights, Leg, Outgoing, Segment
from gateway.services.heeding import ask
from gateway.services.ledger import Ledger
from gateway.services.notices import Notices
from gateway.services.preparing import Preparing
from gateway.services.queue import segments_of
from gateway.services.resume import NOTHING, Resumption, Unsent
from gateway.services.settling import PAUSE_SECONDS, Page, Settling
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.telemetry import WAITING

__all__ = ["CancelOutcome", "Carrier", "Dispatch", "Fate", "Outcome", "Parcel", "Patience"]

log = logging.getLogger(__name__)

BATCH: Final = 1000
GATHER_SECONDS: Final = 0.002
REST_SECONDS: Final = 1.0
#: So long after its attempt what the carrier keeps need not go by the policy again.
POLICY_HOLDS: Final = timedelta(seconds=5)

Batch = Sequence[tuple[Outgoing, str]]  #: messages with their routes


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
        self._now = now
        self._backlog = Backlog(flights, carrier.channel, now)
        self._settling = Settling(
            flights=flights, backlog=self._backlog, notices=notices, unknown_wait=patience.unknown, now=now
        )
        self._ending = Ending(database, flights, self._settling, now)
        self._resume = Resumption(
            database=database,
            settlements=settlements,
            flights=flights,
            backlog=self._backlog,
            leases=leases,
            unknown_wait=patience.unknown,
            now=now,
        )
        self._reserved: Counter[str] = Counter()  # by route: parcels whose attempt is being committed
        self._looked_at = 0.0  # when overdue messages were last looked for
        self._troubled = 0  # batches that wait for the database to be back
        self._preparing = Preparing(carrier, flights.references)
        self._in_order = asyncio.Lock()
        self._unsaved: Counter[int] = Counter()  # answers for buckets given away that are not on record yet
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def early(self) -> EarlyReceipts | None:
        """Who keeps the receipts that nobody could place."""
        return self._settling.early

    @early.setter
    def early(self, early: EarlyReceipts) -> None:
        self._settling.early = early
        self._resume.early = early

    # What others tell us

    def hand_over(self, messages: Iterable[Message]) -> None:
        """Messages just committed. Those not due, or of other nodes' buckets, are left alone."""
        for message in messages:
            if message.status == Status.QUEUED and self._leases.epoch(message.bucket) is not None:
                self._backlog.enqueue(Outgoing(message))
        self._backlog.wake.set()

    def room_again(self) -> None:
        """The carrier has room, or may have."""
        self._backlog.wake.set()

    def steered(self) -> None:
        """The carrier leads messages other ways than before."""
        self._backlog.sort_anew()
        self._backlog.wake.set()

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """What the SMSC said. Memory is brought up to date at once, the log in the next commit."""
        away = [outgoing.message.bucket for outgoing in self._flights.leaving.values()]
        page = self._settling.settle(outcomes)
        if page.steps:
            self._spawn(self._put_on_record(page, away))
        self._backlog.wake.set()

    def waiting(self) -> int:
        """Messages due that the SMSC does not have yet."""
        return len(self._backlog.queue)

    # The loop

    async def run(self) -> None:
        """Send until `stop`."""
        while not self._stopping:
            try:
                await self._round()
            except Exception:
                log.exception("dispatch stumbled")
                await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self, patience: float) -> None:
        """Begin nothing more, and wait for what is in flight."""
        self._stopping = True
        self._backlog.wake.set()
        deadline = asyncio.get_running_loop().time() + patience
        while self._flying() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - of thousands
            await asyncio.sleep(0.02)
        await self.drain(patience)

    async def drain(self, patience: float = 10.0) -> None:
        """Wait until what is known is on record, or until it seems that it can't be put there."""
        deadline = asyncio.get_running_loop().time() + patience
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)

    async def _round(self) -> None:
        backlog = self._backlog
        backlog.wake.clear()
        backlog.release_due()
        self._end_overdue()
        if len(backlog.queue) and not self._troubled and self._leases.live():
            if backlog.rests():
                await asyncio.sleep(GATHER_SECONDS)
                return
            if batch := backlog.queue.take(self._carrier.offer(self._reserved), BATCH):
                backlog.took(len(batch))
                reserved: Counter[str] = Counter()
                for outgoing, route in batch:
                    reserved[route] += segments_of(outgoing)
                self._reserved.update(reserved)
                self._spawn(self._attempt(batch, reserved))
                await asyncio.sleep(0)
                return
        if backlog.wants_more and (since := backlog.begin_reading()) is not None:
            self._spawn(self._refill(since))
        wait = REST_SECONDS
        if (due := backlog.next_due()) is not None:
            wait = min(wait, max(0.0, due - asyncio.get_running_loop().time()))
        try:
            async with asyncio.timeout(wait):
                await backlog.wake.wait()
        except TimeoutError:
            pass

    def _end_overdue(self) -> None:
        """Messages whose validity ends while they wait for a route: now and then."""
        clock = asyncio.get_running_loop().time()
        if clock < self._looked_at + REST_SECONDS or self._troubled or not self._leases.live():
            return
        self._looked_at = clock
        if overdue := self._backlog.take_overdue(BATCH):
            self._spawn(self._end(overdue))

    def _flying(self) -> bool:
        return any(self._reserved.values()) or any(
            segment.state is Leg.FLYING
            for messages in (self._flights.open, self._flights.leaving)
            for outgoing in messages.values()
            for segment in outgoing.segments
        )

    async def _refill(self, since: UUID) -> None:
        """There is memory again for what was left in the table: one page of it."""
        table = self._backlog.table
        try:
            table.end(*await self._resume.read_page(self._owned(), since))
        except StorageUnavailable:
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            table.give_up()  # what has not come to its end
            self._backlog.wake.set()

    def _owned(self) -> list[int]:
        return [bucket for bucket in range(BUCKETS) if self._leases.epoch(bucket) is not None]

    # claim → decide → attempt → submit

    async def _attempt(self, batch: Batch, reserved: Counter[str]) -> None:
        page = Page()
        parcels: list[Parcel] = []
        try:
            async with self._in_order:  # the ledger keeps the order from here on
                refused = await self._ending.forbidden([outgoing.message for outgoing, _ in batch])
                now = self._now()
                for outgoing, route in batch:
                    outgoing.taken = False
                    if not self._is_ours(outgoing):
                        continue
                    if not self._ending.ends(outgoing, refused.get(outgoing.message.id), now, page):
                        if outgoing.untouched and (asked := ask(outgoing.message, now)) is not None:
                            page.asks.append(asked)
                        parcels += self._prepare(outgoing, route, now, page)
            if page.steps:
                lost = await self._ledger.record(page.entry())
                if lost:
                    parcels = self._give_up(lost, parcels)
                self._send(parcels)
        except StorageUnavailable as error:
            await self._not_stored([outgoing for outgoing, _ in batch], parcels, error)
        finally:
            self._reserved.subtract(reserved)
            self._backlog.wake.set()

    async def _end(self, overdue: Sequence[Outgoing]) -> None:
        """They were taken out of the queue because their validity is over."""
        page = Page()
        try:
            async with self._in_order:
                now = self._now()
                for outgoing in overdue:
                    outgoing.taken = False
                    if self._is_ours(outgoing):
                        self._ending.ends(outgoing, None, now, page)
            if page.steps and (lost := await self._ledger.record(page.entry())):
                self._give_up(lost, [])
        except StorageUnavailable as error:
            await self._not_stored(overdue, (), error)

    def _is_ours(self, outgoing: Outgoing) -> bool:
        """Whether it is for us to go on with. A bucket that was lost and regained was read anew: what had
        been taken up of it before is another object, and whose turn it is not."""
        if outgoing.final or self._leases.epoch(outgoing.message.bucket) is None:
            self._flights.let_go(outgoing)
            return False
        return self._flights.open.get(outgoing.message.id) is outgoing

    def _prepare(self, outgoing: Outgoing, route: str, now: datetime, page: Page) -> list[Parcel]:
        """Attempts for what waits of a message; parcels to be sent once these are on record."""
        message = outgoing.message
        try:
            epoch = self._leases.epoch(message.bucket)
            made, parcels = self._preparing.prepare(outgoing, route, epoch, now)
        except Exception as error:
            log.exception("can't be cut", extra={"message_id": public(Kind.MESSAGE, message.id)})
            self._ending.can_not_be_cut(outgoing, str(error), now, page)
            return []
        page.steps += made
        return parcels

    def _send(self, parcels: list[Parcel]) -> None:
        """The attempts are on disk. If our lease ran out meanwhile, another node decides about them."""
        may_go = [parcel for parcel in parcels if self._is_flying(parcel.token)]
        if len(may_go) < len(parcels):
            going = {parcel.token for parcel in may_go}
            self.outcomes([Outcome(p.token, Fate.UNSENT, p.route) for p in parcels if p.token not in going])
        if may_go:
            self._carrier.submit(may_go)

    def _is_flying(self, segment: Segment) -> bool:
        """Whether its attempt is still ours to write: a late answer to the first copy may have come since."""
        outgoing = segment.outgoing
        return (
            segment.state is Leg.FLYING
            and self._flights.open.get(outgoing.message.id) is outgoing
            and self._leases.live()
        )

    def may_go(self, parcel: Parcel) -> bool:
        """Whether a parcel that the carrier has kept for a while may still be written; else it comes back."""
        segment = parcel.token
        if not self._is_flying(segment):
            return False
        now = self._now()
        if is_too_late(segment, now):
            return False
        stale = segment.sent_at is not None and now - segment.sent_at > POLICY_HOLDS
        return not (stale and concerns(segment.outgoing.message.lane))  # it goes by the policy again

    def _give_up(self, lost: frozenset[tuple[UUID, int]], parcels: list[Parcel]) -> list[Parcel]:
        """Steps of ours whose place was taken: somebody cancelled the message, or owns it now."""
        ids = {message_id for message_id, _ in lost}
        for message_id in ids:
            if (outgoing := self._flights.open.get(message_id)) is not None:
                self._flights.let_go(outgoing)
        ours = [parcel for parcel in parcels if parcel.token.outgoing.message.id in ids]
        self._spawn(self._look_again([(bucket_of_id(uid), uid) for uid in ids], _unsent(ours)))
        return [parcel for parcel in parcels if parcel.token.outgoing.message.id not in ids]

    async def _not_stored(
        self, batch: Sequence[Outgoing], parcels: Sequence[Parcel], error: StorageUnavailable
    ) -> None:
        """Nothing was written; whether the attempts were stored, the log will tell."""
        log.warning("attempts not stored", extra={"messages": len(batch), "why": str(error)})
        for outgoing in batch:
            self._flights.let_go(outgoing)
        waiting = {
            (outgoing.message.id, segment.number): 0
            for outgoing in batch
            for segment in outgoing.segments
            if segment.state is Leg.WAITING and not segment.doubtful
        }
        await self._look_again([(o.message.bucket, o.message.id) for o in batch], waiting | _unsent(parcels))

    async def _look_again(self, places: Sequence[tuple[int, UUID]], unsent: Unsent = NOTHING) -> None:
        """Go on with messages from where their log ends, as soon as it can be read."""
        self._troubled += 1
        try:
            while not self._stopping:
                try:
                    await self._resume.look_again(places, unsent)
                    break
                except StorageUnavailable:
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._troubled -= 1
            self._backlog.wake.set()

    async def _put_on_record(self, page: Page, away: Sequence[int]) -> None:
        self._unsaved.update(away)
        try:
            lost = await self._settlements.record_at_last(page.entry())
            answers = [step for step in page.steps if (step.message_id, step.seq) in lost and step.smsc_id]
            if answers:
                await self._resume.put_on_record(answers)
        finally:
            self._unsaved.subtract(away)

    # cancel, timers, buckets

    async def cancel(self, message_id: UUID) -> CancelOutcome:
        """Take a message back while nothing of it has left. Raises `StorageUnavailable`."""
        outgoing = self._flights.open.get(message_id)
        if outgoing is None:
            outgoing = await self._resume.load(message_id)
            if outgoing is None:
                return CancelOutcome.UNKNOWN
        if outgoing.taken or outgoing.status not in CANCELLABLE or not outgoing.untouched:
            return CancelOutcome.TOO_LATE
        step = outgoing.advance(Event.CANCELLED, self._now(), reason="cancelled by the caller")
        page = Page()
        page.steps.append(step)
        self._settling.finish(outgoing, step, page)
        try:
            lost = await self._ledger.record(page.entry())
        except StorageUnavailable as error:
            self._spawn(self._not_stored([outgoing], (), error))
            raise
        if lost:
            self._spawn(self._look_again([(outgoing.message.bucket, message_id)]))
            return CancelOutcome.TOO_LATE
        return CancelOutcome.CANCELLED

    async def due(
        self, connection: Connection, timers: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        """Timers of messages rang: see `Resumption.due`."""
        return await self._resume.due(connection, timers, now)

    async def gained(self, buckets: Sequence[int], since: UUID) -> int:
        """Buckets are ours now: read what is unsettled, judge the attempts that their owner left behind."""
        return await self._resume.read(buckets, since)

    async def look_for_strays(self, since: UUID, *, all_of_it: bool) -> None:
        """Take up what was committed since then and nobody handed over, or only a page of it a time."""
        await self._resume.look_for_strays(self._owned(), since, all_of_it=all_of_it)

    async def lost(self, buckets: Iterable[int]) -> None:
        """These buckets are somebody else's: send nothing more of theirs."""
        for outgoing in self._backlog.drop(frozenset(buckets)):
            log.debug("left to another node", extra={"message_id": public(Kind.MESSAGE, outgoing.message.id)})

    def unanswered(self) -> set[int]:
        """Buckets that are no longer ours, of which something still waits for its answer."""
        unsaved = {bucket for bucket, answers in self._unsaved.items() if answers > 0}
        return unsaved | {outgoing.message.bucket for outgoing in self._flights.leaving.values()}

    def oldest_open(self) -> UUID | None:
        """The oldest message that a successor would have to look at."""
        return self._backlog.oldest_open()

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
        for lane, length in self._backlog.queue.lengths().items():
            WAITING.labels(lane).set(length)


def _unsent(parcels: Sequence[Parcel]) -> dict[tuple[UUID, int], int]:
    """Attempts that may be on record and were never written; see `resume.Unsent`."""
    return {(p.token.outgoing.message.id, p.token.number): p.token.copy for p in parcels}
