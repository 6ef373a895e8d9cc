"""The loop that finds what is due, and has it dealt with in the transaction that removes the timer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.domain.timer import Timer
from gateway.services.conversations import COLLISIONS, OutrunError
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Database, StorageUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
BATCH: Final = 500
#: A timer whose handler failed rests so long, and holds nobody up.
PUT_OFF: Final = timedelta(minutes=5)

AfterCommit = Iterable[Callable[[], None]]


class Handler(Protocol):
    """Deals with due timers in the transaction that removes them; returns what is to run after it."""

    def __call__(
        self, connection: Connection, timers: Sequence[Timer], now: datetime, /
    ) -> Awaitable[AfterCommit]: ...


class Timers:
    """Polls `timers` for the buckets that are ours."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._handlers: dict[str, Handler] = {}
        self._awake = asyncio.Event()

    def register(self, kind: str, handler: Handler) -> None:
        """Let `handler` deal with timers of this kind."""
        self._handlers[kind] = handler

    def wake(self) -> None:
        """Look at once."""
        self._awake.set()

    async def run(self, buckets: Callable[[], Sequence[int]]) -> None:
        """Deal with what is due, for ever. `buckets` are asked for anew each time."""
        while True:
            try:
                more = await self.once(buckets())
            except StorageUnavailable as error:
                log.warning("timers wait for the database", extra={"error": str(error)})
                more = False
            except Exception:
                log.exception("timers could not be looked at")
                more = False
            if not more:
                await self._rest()

    async def once(self, buckets: Sequence[int]) -> bool:
        """Deal with one batch of each kind. Whether there may be more."""
        if not buckets or not self._handlers:
            return False
        now = self._now()
        async with self._database.connection() as connection:
            found = await timer_rows.due(connection, buckets, now, list(self._handlers), BATCH)
        dealt = 0
        for kind in {timer.kind for timer in found}:
            dealt += await self._deal(kind, [timer for timer in found if timer.kind == kind], now)
        return len(found) == BATCH and dealt > 0

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()

    async def _deal(self, kind: str, timers: Sequence[Timer], now: datetime) -> int:
        """All in one transaction; when that fails, one by one, so that a bad one is found and put off."""
        try:
            await self._deal_together(kind, timers, now)
        except StorageUnavailable:
            raise
        except (OutrunError, *COLLISIONS):
            return 0  # somebody was at the same customers: the next round sees what they did
        except Exception:
            if len(timers) > 1:
                return sum([await self._deal(kind, [timer], now) for timer in timers])
            log.exception("timer put off", extra={"kind": kind, "subject": str(timers[0].subject)})
            await self._put_off(timers[0], now)
        return len(timers)

    async def _deal_together(self, kind: str, timers: Sequence[Timer], now: datetime) -> None:
        after_commit: AfterCommit = ()
        async with self._database.transaction() as connection:
            taken = await timer_rows.take(connection, timers)
            if taken:
                after_commit = await self._handlers[kind](connection, taken, now)
        for each in after_commit:
            each()

    async def _put_off(self, timer: Timer, now: datetime) -> None:
        async with self._database.transaction() as connection:
            if await timer_rows.take(connection, [timer]):
                await timer_rows.insert(connection, [timer._replace(due_at=now + PUT_OFF)])
