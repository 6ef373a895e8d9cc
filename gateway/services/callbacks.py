"""Calls into other people's systems: at least once, in order for each subject, retried with growing pauses,
and parked for a person when nothing helps. They wait in the table; a bounded part of them in memory as well.
"""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from gateway.domain.backoff import Breaker
from gateway.domain.call_template import TemplateFault
from gateway.domain.callback import (
    ANY,
    Answer,
    Done,
    Fault,
    Park,
    Request,
    Retry,
    Try,
    Verdict,
    answer_text,
    judge,
)
from gateway.domain.connector import Connector, ends_quietly
from gateway.domain.event import Callback, CallbackKind, CallbackStatus
from gateway.domain.ids import bucket_of_id
from gateway.domain.lines import Board, Target
from gateway.domain.webhook import BACKOFF, BREAKER_FAILURES, BREAKER_PAUSE, CONCURRENCY
from gateway.services.outbox import Outbox
from gateway.services.settler import RETRY_STORAGE, Answered, Outcome, Settler, report
from gateway.storage import callbacks as table
from gateway.storage.callbacks import Delivery
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.telemetry import CALLS_PARKED, CALLS_WAITING

__all__ = ["Callbacks", "Outbox", "Poster"]

log = logging.getLogger(__name__)

TICK: Final = 0.1  # seconds between looks at what has rested long enough
SWEEP: Final = 1.0  # seconds between looks at what fell due in the table
FULL_SWEEP: Final = timedelta(minutes=1)  # between looks at all that waits in it
OVERLAP: Final = timedelta(seconds=10)  # commits that took long, clocks that differ
BATCH: Final = 2000
SPARING: Final = 1000  # calls of a dead target that stay in memory
UNKNOWN_ENDPOINT: Final = timedelta(seconds=5)


class Poster(Protocol):
    """Makes calls. Whatever happens is an answer; nothing but cancellation is raised."""

    async def post(self, request: Request) -> Answer: ...


class _Made(NamedTuple):
    """A call that was made, or could not be."""

    callback: Callback
    connector: Connector | None
    answer: Answer
    at: datetime
    seconds: float


class Callbacks:
    """Makes the calls that are owed in the buckets of this node."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        poster: Poster,
        now: Callable[[], datetime],
        owned: Callable[[], Collection[int]],
        *,
        answered: Answered | None = None,
        board: Board | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._poster = poster
        self._now = now
        self._owned = owned
        self._board = board or Board()
        self._jitter = jitter
        self._loaded: set[int] = set()  # buckets whose waiting calls have been read from the table
        self._settled_meanwhile: set[UUID] = (
            set()
        )  # while the table is read: what is read of them is outdated
        self._swept: datetime | None = None
        self._swept_fully: datetime | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._sweep_bell = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._settler = Settler(database, answered, self._forget)
        self._open = False

    # --- for the services that owe calls, and for people ------------------------------------------------

    def hand_over(self, callbacks: Sequence[Callback]) -> None:
        """What was just committed goes out at once; what is not ours here, its owner finds in the table."""
        if not self._open:
            return
        touched = {}
        for callback in callbacks:
            if callback.bucket not in self._loaded:
                continue
            target = self._target(callback)
            if target.overflowing:  # older ones wait in the table: this one after them
                target.turned_away = True
            elif self._board.add(target, callback):
                touched[target.name] = target
        for target in touched.values():
            self._pump(target)

    async def redeliver(self, callback_id: UUID, target: str | None = None) -> bool:
        """Send it (again) now. False: there is no such callback, or its endpoint was removed."""
        async with self._database.transaction() as connection:
            row = await table.redeliver(
                connection, bucket_of_id(callback_id), callback_id, self._now(), target
            )
        if row is not None:
            self.hand_over([row])
        return row is not None

    async def list(
        self,
        *,
        status: CallbackStatus | None = None,
        target: str | None = None,
        kind: CallbackKind | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[Delivery, Sequence[Try]]]:
        """Newest first, each with its tries and the answers they got. `before`: the last id of a page."""
        async with self._database.connection() as connection:
            found = await table.listed(
                connection, status=status, target=target, kind=kind, before=before, limit=limit
            )
            tries = await table.tries_of(connection, found)
        return [(delivery, tries[delivery.id]) for delivery in found]

    async def find(self, callback_id: UUID) -> tuple[Delivery, Sequence[Try]] | None:
        """One callback with its tries."""
        async with self._database.connection() as connection:
            found = await table.find(connection, bucket_of_id(callback_id), callback_id)
            if found is None:
                return None
            return found, (await table.tries_of(connection, [found]))[found.id]

    def look(self) -> None:
        """Another process says that it left something for us in the table: do not wait for the next sweep."""
        self._sweep_bell.set()

    @property
    def waiting(self) -> int:
        """Calls in memory: waiting, under way, or answered and not yet settled."""
        return len(self._board)

    # --- life ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read what waits, and begin. If the database can't be reached now, it begins when it can."""
        self._open = True
        try:
            await self._sweep()
        except StorageUnavailable:
            log.warning("calls out wait for the database")
        self._settler.start()
        self._loops = [asyncio.create_task(self._tick()), asyncio.create_task(self._sweep_forever())]

    async def stop(self, seconds: float = 5.0) -> None:
        """Begin no more calls, give those under way so many seconds, put on record what they got."""
        self._open = False
        for loop in self._loops:
            loop.cancel()
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=seconds)
            for call in late:  # the other side may have it: it will get it again, under the same key
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._settler.stop(seconds)

    # --- calling ---------------------------------------------------------------------------------------

    def _target(self, callback: Callback) -> Target:
        name = callback.target
        target = self._board.targets.get(name)
        if target is None:
            concurrency, breaker = CONCURRENCY, Breaker(BREAKER_FAILURES, BREAKER_PAUSE)
            if connector := self._connector(callback):
                concurrency = connector.concurrency
                breaker = Breaker(connector.breaker_failures, connector.breaker_pause)
            target = self._board.targets[name] = Target(name, concurrency, breaker)
        return target

    def _connector(self, callback: Callback) -> Connector | None:
        return (
            self._outbox.connectors.get(callback.target) if callback.kind == CallbackKind.CONNECTOR else None
        )

    def _pump(self, target: Target) -> None:
        """Begin as many calls as may begin now."""
        now = self._now()
        while self._open and (callback := target.take(now)) is not None:
            call = asyncio.create_task(self._call(target, callback))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, target: Target, callback: Callback) -> None:
        at, clock = self._now(), asyncio.get_running_loop().time
        began = clock()
        connector = self._connector(callback)
        try:
            request = self._request(callback, connector, at)
        except TemplateFault as fault:
            made = _Made(callback, connector, Answer(), at, 0.0)
            return self._conclude(target, made, Park(f"the call could not be made: {fault}"))
        if request is None:
            return self._without_target(target, callback, at)
        answer = await self._post(request)
        success, result = (connector.success, connector.result) if connector else (ANY, "")
        verdict = judge(answer, success, self._now(), result)
        return self._conclude(target, _Made(callback, connector, answer, at, clock() - began), verdict)

    async def _post(self, request: Request) -> Answer:
        try:
            return await self._poster.post(request)
        except Exception as error:  # a bug in the edge must not stop a line for ever
            log.exception("call out failed in an unforeseen way")
            return Answer(fault=Fault.UNREACHABLE, detail=type(error).__name__)

    def _request(self, callback: Callback, connector: Connector | None, now: datetime) -> Request | None:
        """The call to make, or None if its endpoint or connector is not known. Raises TemplateFault."""
        if connector is not None:
            return connector.request(callback)
        endpoint = self._outbox.endpoints.get(callback.target)
        return endpoint.request(callback, now) if endpoint is not None else None

    def _without_target(self, target: Target, callback: Callback, now: datetime) -> None:
        """An endpoint that was removed, or one that another node registered a moment ago, or no connector."""
        if callback.kind == CallbackKind.CONNECTOR:
            made = _Made(callback, None, Answer(), now, 0.0)
            return self._conclude(target, made, Park(f"no connector {callback.target} is configured"))
        read_at = self._outbox.endpoints_read_at
        if read_at is None or read_at < callback.created_at + UNKNOWN_ENDPOINT:
            return target.postpone(callback, now + timedelta(seconds=1))
        target.breaker.succeeded()
        target.settled(callback)
        for call in (callback, *target.drop(lambda _: True)):
            attempt = _attempt(call, now, "its endpoint was removed")
            self._settler.add(Outcome(call._replace(status=CallbackStatus.DROPPED), attempt, now))
        return None

    def _conclude(self, target: Target, made: _Made, verdict: Verdict) -> None:
        """What the answer means for the call, its line and its target."""
        now, callback, connector, answer = self._now(), made.callback, made.connector, made.answer
        tries, due_at, reason = callback.tries + 1, callback.due_at, ""
        match verdict:
            case Done():
                status = CallbackStatus.DONE
            case Retry(reason, wish):
                backoff = connector.backoff if connector else BACKOFF
                due = backoff.next_try(tries, callback.created_at, now, self._jitter(), wish)
                status = _given_up(callback) if due is None else CallbackStatus.WAITING
                due_at = due or due_at
            case Park(reason):
                status = _given_up(callback)
        after = callback._replace(status=status, tries=tries, due_at=due_at)
        if status is CallbackStatus.WAITING and callback.bucket in self._loaded:
            target.rest(after)
        else:  # or the bucket became another node's in the meantime, which will try again
            target.settled(callback)
            if status is CallbackStatus.WAITING:
                self._board.forget([callback.id])
        text = answer_text(answer, reason, connector.hidden if connector else ())
        attempt = Try(callback.bucket, callback.id, tries, made.at, made.seconds, answer.status, text)
        if status is CallbackStatus.WAITING:
            self._settler.add(Outcome(after, attempt, None))
        else:
            last = verdict if isinstance(verdict, Done) else Park(reason)
            self._settler.add(Outcome(after, attempt, now, last))
        self._tell_breaker(target, verdict, answer, now)
        report(after, verdict, answer, made.seconds)
        self._pump(target)

    def _tell_breaker(self, target: Target, verdict: Verdict, answer: Answer, now: datetime) -> None:
        if isinstance(verdict, Retry) and verdict.blames:
            was_open = target.breaker.open
            target.breaker.failed(now)
            if target.breaker.open and not was_open:
                log.warning("calls out rest: their target is in trouble", extra={"target": target.name})
        elif answer.status is None:  # never sent
            target.breaker.left()
        elif target.breaker.succeeded():
            log.info("calls out go on: their target is back", extra={"target": target.name})
            target.bring_forward(now)

    def _forget(self, batch: Sequence[Outcome]) -> None:
        """These are settled in the table."""
        settled = [o.callback.id for o in batch if o.callback.status != CallbackStatus.WAITING]
        self._board.forget(settled)
        self._settled_meanwhile.update(settled)
        if any(self._is_thirsty(target) for target in self._board.targets.values()):
            self._sweep_bell.set()

    # --- reading the table -----------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for target in list(self._board.targets.values()):
                self._pump(target)

    async def _sweep_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sweep_bell.wait(), SWEEP)
            self._sweep_bell.clear()
            try:
                await self._sweep()
            except StorageUnavailable as error:
                log.warning("calls out can't be read", extra={"reason": str(error)})
                await asyncio.sleep(RETRY_STORAGE)
            except Exception:
                log.exception("reading calls out failed")

    async def _sweep(self) -> None:
        """Bring memory and table together: buckets that came and went, what fell due, what found no room."""
        now, board = self._now(), self._board
        self._settled_meanwhile.clear()
        owned = set(self._owned())
        self._leave(self._loaded - owned)
        async with self._database.connection() as connection:
            full = self._swept_fully is None or now >= self._swept_fully + FULL_SWEEP
            fresh = owned if full else owned - self._loaded
            if fresh:
                rows = await table.oldest(connection, sorted(fresh), board.share)
                self._loaded |= fresh
                self._admit(rows)
                for name, number in Counter(row.target for row in rows).items():
                    if number >= board.share:
                        board.targets[name].overflowing = True
            if full:
                self._swept_fully = now
                self._measure(await table.parked(connection))
            elif self._swept is not None and self._loaded:
                since = self._swept - OVERLAP
                rows = await table.fallen_due(connection, sorted(self._loaded), since, now, BATCH)
                self._admit(rows)
                if len(rows) == BATCH:  # there may be more, and what comes by hand must not overtake it
                    self._swept_fully = None
                    self._sweep_bell.set()
            self._swept = now
            for target in list(board.targets.values()):
                if self._is_thirsty(target):
                    await self._refill(connection, target)
        self._tidy(now)

    def _admit(self, rows: Sequence[Callback]) -> None:
        """Rows of the table, oldest first."""
        for row in rows:
            target = self._target(row)
            if row.id in self._settled_meanwhile:
                continue
            if not target.overflowing or self._board.knows(row):
                self._board.add(target, row)
        for name in {row.target for row in rows}:
            self._pump(self._board.targets[name])

    def _is_thirsty(self, target: Target) -> bool:
        least = SPARING if target.breaker.open else self._board.share
        return target.overflowing and target.held <= least // 4

    async def _refill(self, connection: Connection, target: Target) -> None:
        """More of what waits in the table for a target that had more than memory holds."""
        share = SPARING if target.breaker.open else self._board.share
        target.turned_away = False
        rows = await table.oldest_of(connection, sorted(self._loaded), target.name, share)
        for row in rows:
            if row.id not in self._settled_meanwhile and not self._board.add(target, row):
                break
        else:
            target.overflowing = len(rows) == share or target.turned_away
        self._pump(target)

    def _leave(self, lost: set[int]) -> None:
        """Buckets that are another node's now."""
        if not lost:
            return
        self._loaded -= lost
        for target in self._board.targets.values():
            gone = target.drop(lambda call: call.bucket in lost)
            self._board.forget([call.id for call in gone])

    def _tidy(self, now: datetime) -> None:
        """Give up what is too old for a target that does not answer; leave the bulk of it to the table."""
        for name, target in list(self._board.targets.items()):
            if connector := self._outbox.connectors.get(name):  # it may have been configured anew
                target.concurrency = connector.concurrency
            if target.breaker.open:
                self._board.forget([call.id for call in target.shed(SPARING)])
                for call in target.drop(lambda call: self._is_overdue(call, now)):
                    reason = "its target did not answer for as long as we try"
                    parked = call._replace(status=_given_up(call))
                    self._settler.add(Outcome(parked, _attempt(call, now, reason), now, Park(reason)))
            elif not target.held and not target.overflowing:
                del self._board.targets[name]

    def _is_overdue(self, callback: Callback, now: datetime) -> bool:
        connector = self._connector(callback)
        return now > callback.created_at + (connector.backoff if connector else BACKOFF).patience

    def _measure(self, parked: Mapping[str, int]) -> None:
        waiting: dict[str, int] = dict.fromkeys(self._outbox.connectors, 0) | {CallbackKind.WEBHOOK.value: 0}
        at_rest = dict(waiting)
        for target in self._board.targets.values():
            label = target.name if target.name in waiting else CallbackKind.WEBHOOK.value
            waiting[label] += target.size
        for name, number in parked.items():
            at_rest[name if name in at_rest else CallbackKind.WEBHOOK.value] += number
        for label, number in waiting.items():
            CALLS_WAITING.labels(label).set(number)
            CALLS_PARKED.labels(label).set(at_rest[label])


def _given_up(callback: Callback) -> CallbackStatus:
    """What a call is that is not tried any more."""
    return CallbackStatus.DROPPED if ends_quietly(callback) else CallbackStatus.PARKED


def _attempt(callback: Callback, now: datetime, told: str) -> Try:
    """A try that was none: what became of the callback without a call."""
    return Try(callback.bucket, callback.id, callback.tries + 1, now, 0.0, None, told)
