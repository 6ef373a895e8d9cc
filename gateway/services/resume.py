"""Messages taken up again from their log: at start and take-over, when their time has come, when another
owner wrote into it, and when there is memory again for what was left in the table."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

from gateway.domain.ids import bucket_of_id
from gateway.domain.message import Event, Message, Status, Step
from gateway.domain.timer import Timer, TimerKind
from gateway.services.backlog import Backlog
from gateway.services.carrier import EarlyReceipts, Ownership
from gateway.services.flights import Flights, Leg, Outgoing, Segment, resendable
from gateway.services.ledger import Entry, Ledger
from gateway.services.settling import REST, take_back
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Database

log = logging.getLogger(__name__)

#: How soon a timer looks again after a message that it released.
REMINDER: Final = timedelta(seconds=30)
READ: Final = 10_000  # messages read at once
NEVER: Final = UUID(int=(1 << 128) - 1)
TURN: Final = 250  # of these are taken up before others have their turn
TRIES: Final = 5
LEFT: Final = "left by a stopped process"

Place = tuple[int, UUID]  #: a message's bucket and id

#: By message and number of a segment: from which copy on its attempts were surely never written, although
#: they may be on record.
Unsent = Mapping[tuple[UUID, int], int]
NOTHING: Final[Unsent] = MappingProxyType({})


class Resumption:
    """Goes on where the log of a message ends."""

    def __init__(
        self,
        *,
        database: Database,
        settlements: Ledger,
        flights: Flights,
        backlog: Backlog,
        leases: Ownership,
        unknown_wait: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settlements = settlements
        self._flights = flights
        self._backlog = backlog
        self._leases = leases
        self._unknown_wait = unknown_wait
        self._now = now
        self._strays_from: UUID | None = None  # where the last look for them broke off
        self._sample = 0  # which bucket tells how far a page goes
        self.early: EarlyReceipts | None = None

    async def read(self, buckets: Sequence[int], since: UUID, *, all_of_it: bool = False) -> int:
        """Take up what is unsettled in these buckets; all of it, or until memory has enough to begin with."""
        found = 0
        while True:
            count, more_from = await self.read_page(buckets, since)
            found += count
            if more_from is None:
                return found
            since = more_from
            if self._backlog.full and not all_of_it:
                self._backlog.leave_rest(since)
                return found

    async def read_page(self, buckets: Sequence[int], since: UUID) -> tuple[int, UUID | None]:
        """Take up one page of it: how many messages it had, and from where the table goes on, if it does."""
        found = 0
        more_from: UUID | None = since
        while more_from is not None and found < READ // 2:
            count, more_from = await self._read_from(buckets, more_from)
            found += count
        return found, more_from

    async def look_for_strays(self, buckets: Sequence[int], since: UUID, *, all_of_it: bool) -> None:
        """Take up what nobody handed over: all of it, or a page, and the next one when asked again.

        With much in the table, to look through all of that anew each time would cost more than to send it.
        """
        if all_of_it:
            await self.read(buckets, since, all_of_it=True)
        else:
            _, self._strays_from = await self.read_page(buckets, self._strays_from or since)

    async def _read_from(self, buckets: Sequence[int], since: UUID) -> tuple[int, UUID | None]:
        """A page, or a part of one: no index orders all buckets, so one of them tells where it ends."""
        if not buckets:
            return 0, None
        self._sample += 1
        bucket = buckets[self._sample % len(buckets)]
        async with self._database.connection() as connection:
            before = await message_rows.unsettled_at(connection, bucket, since, READ // len(buckets))
            messages = await message_rows.unsettled(connection, buckets, since, before or NEVER, READ)
            steps = await message_rows.steps_of(connection, [(m.bucket, m.id) for m in messages])
        await self._resume(messages, steps)
        return len(messages), UUID(int=messages[-1].id.int + 1) if len(messages) == READ else before

    async def load(self, uid: UUID) -> Outgoing | None:
        """A message as its log has it; None: there is none."""
        place = [(bucket_of_id(uid), uid)]
        async with self._database.connection() as connection:
            messages = await message_rows.load(connection, place)
            steps = await message_rows.steps_of(connection, place)
        if not messages:
            return None
        outgoing = Outgoing(messages[0])
        outgoing.replay(steps.get(uid, ()))
        return outgoing

    async def look_again(self, places: Sequence[Place], unsent: Unsent = NOTHING) -> None:
        """Read messages anew that memory has let go, and go on with those that are still ours to send."""
        async with self._database.connection() as connection:
            messages = await message_rows.load(connection, places)
            steps = await message_rows.steps_of(connection, places)
        await self._resume(messages, steps, unsent=unsent, let_go=True)

    async def due(
        self, connection: Connection, timers: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        """Timers of messages rang: their time to be sent has come. What is returned runs after the commit.

        Each timer is set again until its message has left: one that old is not looked for at start.
        """
        places = [(timer.bucket, timer.subject) for timer in timers]
        messages = await message_rows.load(connection, places)
        steps = await message_rows.steps_of(connection, places)
        made: list[Step] = []
        again: list[Timer] = []
        ready: list[tuple[Outgoing, Sequence[Step]]] = []
        for message in messages:
            log_of_it = steps.get(message.id, [])
            if message.id not in self._flights.open:
                outgoing = Outgoing(message)
                outgoing.replay(log_of_it)
                if outgoing.status in (Status.SCHEDULED, Status.HELD):
                    made.append(outgoing.advance(Event.RELEASED, now))
                if self._is_left_behind(outgoing, log_of_it):
                    made += _left_behind(outgoing, now)
                if not outgoing.busy:
                    continue
                if all(segment.state is not Leg.FLYING for segment in outgoing.segments):
                    ready.append((outgoing, log_of_it))
            again.append(Timer(message.bucket, now + REMINDER, TimerKind.MESSAGE, message.id))
        if made:
            await message_rows.append(connection, made)
        if again:
            await timer_rows.insert(connection, again)
        return [partial(self._enqueue, ready)]

    async def put_on_record(self, answers: Sequence[Step]) -> None:
        """Answers of the SMSC whose place in the log another owner took: they happened all the same."""
        for _ in range(TRIES):
            places = [(step.bucket, step.message_id) for step in answers]
            async with self._database.connection() as connection:
                messages = {m.id: m for m in await message_rows.load(connection, places)}
                steps = await message_rows.steps_of(connection, places)
            made: list[Step] = []
            for answer in answers:
                log_of_it = steps.get(answer.message_id, [])
                number = answer.segment or 1
                known = {(step.segment, step.route, step.smsc_id) for step in log_of_it}
                if (number, answer.route, answer.smsc_id) in known or answer.message_id not in messages:
                    continue  # it was ours, and its commit succeeded unseen
                outgoing = Outgoing(messages[answer.message_id])
                outgoing.replay(log_of_it)
                outgoing.segments[number - 1].state = Leg.TAKEN
                last = all(segment.state in (Leg.TAKEN, Leg.ARRIVED) for segment in outgoing.segments)
                is_open = not outgoing.final and outgoing.status is not Status.SUBMITTED
                event = Event.SUBMITTED if last and is_open else Event.ACCEPTED
                step = outgoing.advance(event, answer.at, number)
                step = answer._replace(seq=step.seq, kind=event, status=step.status)
                made.append(step)
                log_of_it.append(step)
                steps[answer.message_id] = log_of_it
            if not made or not (lost := await self._settlements.record_at_last(Entry(made))):
                return
            answers = [step for step in made if (step.message_id, step.seq) in lost]

    def _enqueue(self, ready: Sequence[tuple[Outgoing, Sequence[Step]]]) -> None:
        for outgoing, log_of_it in ready:
            self._pick_up(outgoing, log_of_it, due=True)
        self._backlog.wake.set()

    async def _resume(
        self,
        messages: Sequence[Message],
        steps: dict[UUID, list[Step]],
        *,
        unsent: Unsent = NOTHING,
        let_go: bool = False,
    ) -> None:
        now = self._now()
        made: list[Step] = []
        taken_up: list[tuple[Outgoing, Sequence[Step]]] = []
        for number, message in enumerate(messages, 1):
            if number % TURN == 0:  # what is urgent must not wait until all is looked at
                await asyncio.sleep(0)
            log_of_it = steps.get(message.id, [])
            ours = self._leases.epoch(message.bucket)
            if ours is None or message.id in self._flights.open:
                continue
            if not log_of_it and self._backlog.passes_over(message):
                continue
            newest = max((step.epoch for step in log_of_it if step.epoch is not None), default=-1)
            if newest > ours or (newest == ours and not let_go):
                continue  # in the hands of who has the bucket after us, or in our own already
            outgoing = Outgoing(message)
            outgoing.replay(log_of_it)
            for segment in outgoing.segments:
                first = unsent.get((message.id, segment.number))
                if segment.state is Leg.FLYING and first is not None and segment.copy >= first:
                    made.append(take_back(segment, now))
            made += _left_behind(outgoing, now)
            taken_up.append((outgoing, log_of_it))
        lost: set[UUID] = set()
        if made:
            lost = {message_id for message_id, _ in await self._settlements.record_at_last(Entry(made))}
        for number, (outgoing, its_log) in enumerate(taken_up, 1):
            if number % TURN == 0:
                await asyncio.sleep(0)
            if outgoing.message.id not in lost:
                self._pick_up(outgoing, its_log)
        self._claim([outgoing for outgoing, _ in taken_up if outgoing.message.id not in lost])
        self._backlog.wake.set()
        if lost:  # somebody wrote at the same time, or our own commit was not seen: the log will tell
            places = [(o.message.bucket, o.message.id) for o, _ in taken_up if o.message.id in lost]
            await self.look_again(places)

    def _claim(self, taken_up: Sequence[Outgoing]) -> None:
        """A receipt may tell of an attempt without an answer, now that all such attempts are known."""
        if self.early is None:
            return
        for outgoing in taken_up:
            for segment in outgoing.segments:
                if segment.state is Leg.UNKNOWN:
                    self.early.claim_unknown(segment)

    def _pick_up(self, outgoing: Outgoing, steps: Sequence[Step], *, due: bool = False) -> None:
        """Into the queue, or to wait for its moment. `due`: a timer says that this is the moment."""
        waits = any(segment.state is Leg.WAITING for segment in outgoing.segments)
        until = None if due else _put_off_until(outgoing, steps)
        unknown = self._remember_unknown(outgoing, steps)
        if not outgoing.busy:
            return
        if until is None and not unknown:
            self._backlog.enqueue(outgoing, read=True, due=due)
            return
        if until is not None and until - self._now() > REST and not unknown:
            return  # a timer brings it
        if not self._backlog.hold(outgoing):
            return
        for number, at in unknown:
            self._backlog.later(at + self._unknown_wait, outgoing.segments[number - 1])
        if waits:
            self._backlog.later(until or self._now(), outgoing)

    def _remember_unknown(self, outgoing: Outgoing, steps: Sequence[Step]) -> list[tuple[int, datetime]]:
        """Let receipts find what is unknown; those that are to be sent again, and since when they wait."""
        again: list[tuple[int, datetime]] = []
        for segment in outgoing.segments:
            if segment.state is Leg.UNKNOWN and not outgoing.final:
                self._flights.mark_unknown(segment)
                routes = _routes_of(segment, steps)[-max(1, segment.doubtful) :]
                if (new := len(routes) - self._flights.nameless(segment)[0]) > 0:
                    self._flights.lose(segment, routes[-new:])
                if resendable(segment):
                    again.append((segment.number, segment.sent_at or self._now()))
        return again

    def _is_left_behind(self, outgoing: Outgoing, steps: Sequence[Step]) -> bool:
        ours = self._leases.epoch(outgoing.message.bucket)
        return ours is not None and all(step.epoch is None or step.epoch < ours for step in steps)


def _left_behind(outgoing: Outgoing, now: datetime) -> list[Step]:
    """Attempts without an answer, whose owner is gone: nobody knows."""
    made: list[Step] = []
    for segment in outgoing.segments:
        if segment.state is Leg.FLYING:
            segment.state = Leg.UNKNOWN
            made.append(outgoing.advance(Event.LOST, now, segment.number, copy=segment.copy, reason=LEFT))
    return made


def _routes_of(segment: Segment, steps: Sequence[Step]) -> list[str]:
    """By which routes its copies were sent, the first in front."""
    routes: dict[int, str] = {}
    for step in steps:
        if step.kind == Event.ATTEMPT and step.segment == segment.number:
            routes[step.copy or 1] = step.route or ""
    return [routes[copy] for copy in sorted(routes)] or [segment.route]


def _put_off_until(outgoing: Outgoing, steps: Sequence[Step]) -> datetime | None:
    """Until when the SMSC's refusal puts it off."""
    deferred = [step for step in steps if step.kind == Event.DEFERRED and step.detail]
    if not deferred or outgoing.status is not Status.RETRYING:
        return None
    return datetime.fromisoformat(deferred[-1].detail or "")
