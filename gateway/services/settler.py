"""Puts on record what calls out got: whatever was answered during one commit shares the next."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from gateway.domain.callback import Answer, Done, Park, Settlement, Try, Verdict
from gateway.domain.event import Callback, CallbackKind, CallbackStatus
from gateway.domain.ids import Kind, public
from gateway.services.changes import COLLISIONS, OutrunError
from gateway.storage import callbacks as table
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.telemetry import CALL_SECONDS, CALLS

log = logging.getLogger(__name__)

BATCH: Final = 2000
RETRY_STORAGE: Final = 0.5  # seconds
ATTEMPTS: Final = 5  #: at a settlement that others outran

#: Called in the transaction that settles calls of connectors for good, done or parked. What it returns is
#: called after the commit; what it raises, the settlement shares.
Answered = Callable[
    [Connection, Sequence[tuple[Callback, Done | Park]], datetime], Awaitable[Sequence[Callable[[], None]]]
]


class Outcome(NamedTuple):
    """One call, answered."""

    callback: Callback  #: as it stands after the call
    attempt: Try
    settled_at: datetime | None  #: None: it waits for its next try
    verdict: Done | Park | None = None  #: None: it waits, or nobody cares any more


class Settler:
    """Outcomes go in; they are in the table some milliseconds later, or as soon as the database is back."""

    def __init__(
        self, database: Database, answered: Answered | None, settled: Callable[[Sequence[Outcome]], None]
    ) -> None:
        self._database = database
        self._answered = answered
        self._settled = settled
        self._waiting: list[Outcome] = []
        self._bell = asyncio.Event()
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def add(self, outcome: Outcome) -> None:
        self._waiting.append(outcome)
        self._bell.set()

    async def stop(self, seconds: float) -> None:
        """Settle what is left, within so many seconds."""
        if self._task is None:
            return
        self._ending = True
        self._bell.set()
        await asyncio.wait([self._task], timeout=seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiting or not self._ending:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                batch = self._waiting[:BATCH]
                try:
                    await self._settle_anew(batch)
                except StorageUnavailable as error:
                    log.warning("answers of calls out wait for the database", extra={"reason": str(error)})
                    await asyncio.sleep(RETRY_STORAGE)
                    continue
                except Exception:
                    log.exception("answers of calls out could not be put on record together")
                    await self._settle_singly(batch)
                del self._waiting[: len(batch)]
                self._settled(batch)

    async def _settle_anew(self, batch: Sequence[Outcome]) -> None:
        """Settle; where the customer wrote in the same moment, read again and decide again."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._settle(batch)
            except (OutrunError, *COLLISIONS):
                continue
        return await self._settle(batch)

    async def _settle(self, batch: Sequence[Outcome]) -> None:
        last = {outcome.callback.id: outcome for outcome in batch}
        settlements = [
            Settlement(c.bucket, c.id, c.status, c.tries, c.due_at, outcome.settled_at)
            for outcome in last.values()
            for c in (outcome.callback,)
        ]
        answers = [
            (outcome.callback, outcome.verdict)
            for outcome in batch
            if outcome.verdict is not None and outcome.callback.kind == CallbackKind.CONNECTOR
        ]
        afterwards: Sequence[Callable[[], None]] = ()
        async with self._database.transaction() as connection:
            await table.settle(connection, [outcome.attempt for outcome in batch], settlements)
            if answers and self._answered is not None:
                now = max(outcome.settled_at for outcome in batch if outcome.settled_at is not None)
                afterwards = await self._answered(connection, answers, now)
        for do in afterwards:
            try:
                do()
            except Exception:  # it is stored: a sweep finds what was not woken
                log.exception("what follows from answers waits for the next sweep")

    async def _settle_singly(self, batch: Sequence[Outcome]) -> None:
        """One row is poison: let it not take the others with it. What fails stays waiting in the table."""
        for outcome in batch:
            try:
                await self._settle_anew([outcome])
            except StorageUnavailable:
                await asyncio.sleep(RETRY_STORAGE)
            except Exception:
                log.exception(
                    "the answer of a call out could not be put on record",
                    extra={"callback_id": public(Kind.CALLBACK, outcome.callback.id)},
                )


def report(callback: Callback, verdict: Verdict, answer: Answer, seconds: float) -> None:
    """Count a call that was answered, and say so if it was not taken."""
    label = callback.target if callback.kind == CallbackKind.CONNECTOR else CallbackKind.WEBHOOK.value
    CALLS.labels(label, type(verdict).__name__.lower()).inc()
    CALL_SECONDS.labels(label).observe(seconds)
    if isinstance(verdict, Done):
        return
    log.log(
        logging.INFO if callback.status == CallbackStatus.WAITING else logging.WARNING,
        "call out not taken",
        extra={
            "callback_id": public(Kind.CALLBACK, callback.id),
            "target": callback.target,
            "status": str(callback.status),
            "tries": callback.tries,
            "http_status": answer.status,
            "reason": verdict.reason,
        },
    )
