"""The log's writer: steps, and the timers and callbacks that belong to them, in shared commits."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from gateway.domain.event import Callback
from gateway.domain.message import Step
from gateway.domain.timer import Timer
from gateway.services.commit import GroupCommit
from gateway.services.heeding import Asked, heed
from gateway.storage import callbacks as callback_rows
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Dedicated, StorageUnavailable

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.5


class Entry(NamedTuple):
    """What is to be stored together."""

    steps: Sequence[Step]
    timers: Sequence[Timer] = ()
    callbacks: Sequence[Callback] = ()
    #: Anything else of the same transaction.
    also: Callable[[Connection], Awaitable[None]] | None = None
    asks: Sequence[Asked] = ()  #: whose steps are stored only if no opt-out stands against them


Place = tuple[UUID, int]  #: a message and the seq of a step

_NONE: Final[frozenset[Place]] = frozenset()


def _place(step: Step) -> Place:
    return step.message_id, step.seq


def _in_turn(entries: Sequence[Entry]) -> tuple[list[Step], list[set[Place]]]:
    """The steps of entries that may contradict each other, or themselves, and for each entry the places that
    were taken before, with what follows from them: a caller may take a message back while it is sent."""
    taken: set[Place] = set()
    steps: list[Step] = []
    late: list[set[Place]] = []
    for entry in entries:
        over: set[UUID] = set()
        mine: set[Place] = set()
        for step in entry.steps:
            place = _place(step)
            if step.message_id in over or place in taken:
                over.add(step.message_id)
                mine.add(place)
            else:
                taken.add(place)
                steps.append(step)
        late.append(mine)
    return steps, late


class Ledger:
    """One pipe into `steps`. `record` returns after the commit."""

    def __init__(
        self, name: str, connection: Dedicated, callbacks_made: Callable[[Sequence[Callback]], None]
    ) -> None:
        self._connection = connection
        self._callbacks_made = callbacks_made
        self._tasks: set[asyncio.Task[frozenset[Place]]] = set()
        self._commit: GroupCommit[Entry, frozenset[Place]] = GroupCommit(name, self._flush, limit=2000)

    async def record(self, entry: Entry) -> frozenset[Place]:
        """Store an entry. Returns the steps that were not stored: another owner took their place first,
        or the customer has opted out.

        Raises `StorageUnavailable`; then whether it was stored is not known.
        """
        return await self._commit.add(entry)

    async def record_at_last(self, entry: Entry) -> frozenset[Place]:
        """As `record`, for what the world has already done: tried until the database is back.

        A try whose commit succeeded unseen collides with itself: its own rows are then no loss.
        """
        while True:
            try:
                return await self._commit.add(entry)
            except StorageUnavailable as error:
                log.warning("outcome not stored yet", extra={"steps": len(entry.steps), "why": str(error)})
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # one row is poison: GroupCommit has seen to it that it is alone
                log.exception("outcome can't be stored", extra={"steps": len(entry.steps)})
                return _NONE

    def later(self, entry: Entry) -> None:
        """`record_at_last`, without waiting for it."""
        task = asyncio.create_task(self.record_at_last(entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until all that was handed in is stored, or has failed."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._commit.drain()

    async def _flush(self, entries: list[Entry]) -> list[frozenset[Place]]:
        steps = [step for entry in entries for step in entry.steps]
        callbacks = [callback for entry in entries for callback in entry.callbacks]
        timers = [timer for entry in entries for timer in entry.timers]
        others = [entry.also for entry in entries if entry.also is not None]
        asked = [asked for entry in entries for asked in entry.asks]
        lost = [_NONE] * len(entries)
        refused: frozenset[UUID] = frozenset()
        try:
            if callbacks or timers or others or asked:
                async with self._connection.transaction() as connection:
                    if asked and (refused := await heed(connection, asked)):
                        steps = [step for step in steps if step.message_id not in refused]
                    if steps:
                        await message_rows.append(connection, steps)
                    await self._beside(connection, timers, callbacks, others)
            else:
                async with self._connection.connection() as connection:
                    await message_rows.append(connection, steps)
        except asyncpg.UniqueViolationError:
            steps, late = _in_turn(entries)
            async with self._connection.transaction() as connection:
                if asked and (refused := await heed(connection, asked)):
                    steps = [step for step in steps if step.message_id not in refused]
                stored = await message_rows.append_if_free(connection, steps)
                await self._beside(connection, timers, callbacks, others, again=True)
            lost = [
                frozenset(place for place in map(_place, entry.steps) if place in mine or place not in stored)
                for entry, mine in zip(entries, late, strict=True)
            ]
        else:
            if refused:
                lost = [
                    frozenset(_place(step) for step in entry.steps if step.message_id in refused)
                    for entry in entries
                ]
        if callbacks:
            self._callbacks_made(callbacks)
        return lost

    async def _beside(
        self,
        connection: Connection,
        timers: Sequence[Timer],
        callbacks: Sequence[Callback],
        others: Sequence[Callable[[Connection], Awaitable[None]]],
        *,
        again: bool = False,
    ) -> None:
        if timers:
            await timer_rows.insert(connection, timers)
        if callbacks:
            if again:  # a commit that succeeded unseen has stored them
                callbacks = await callback_rows.unknown_among(connection, callbacks)
            await callback_rows.insert(connection, callbacks)
        for also in others:
            await also(connection)
