"""Group commit: whatever waits is written by one flush, and all who brought it go on after the commit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.storage.database import StorageUnavailable
from gateway.telemetry import COMMIT_SECONDS, COMMIT_SIZE

#: What waits when a flush ends waits so much longer for company: one or fifty, a commit costs the same.
COMPANY_SECONDS: Final = 0.002

T = TypeVar("T")
R = TypeVar("R")


class Failed(NamedTuple):
    """A result that is raised for its item alone."""

    error: Exception


class GroupCommit(Generic[T, R]):
    """Collects items while a flush runs; the next flush takes all of them.

    Alone, an item is flushed at once. Under load a flush carries what came during the one before and in the
    two milliseconds behind it. `flush` returns one result an item, in order. What it raises for several,
    unless it is one of `common` that holds for all of them, is found out one by one: a bad item harms nobody
    else.
    """

    def __init__(
        self,
        name: str,
        flush: Callable[[list[T]], Awaitable[list[R]]],
        *,
        limit: int,
        at_once: int = 1,
        common: tuple[type[Exception], ...] = (StorageUnavailable,),
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._at_once = at_once
        self._common = common
        self._waiting: list[T] = []
        self._done: list[asyncio.Future[R]] = []
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._seconds = COMMIT_SECONDS.labels(name)
        self._size = COMMIT_SIZE.labels(name)

    @property
    def waiting(self) -> int:
        """Items that no flush has taken yet."""
        return len(self._waiting)

    async def add(self, item: T) -> R:
        """Hand an item in; returns its result after the commit."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append(item)
        self._done.append(done)
        if self._running < self._at_once:
            self._running += 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await done

    async def drain(self) -> None:
        """Wait until nothing is left."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._waiting:
                items, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                done, self._done = self._done[: self._limit], self._done[self._limit :]
                await self._one(items, done)
                if 0 < len(self._waiting) < self._limit:
                    await asyncio.sleep(COMPANY_SECONDS)
        finally:
            self._running -= 1

    async def _one(self, items: list[T], done: list[asyncio.Future[R]]) -> None:
        started = asyncio.get_running_loop().time()
        try:
            results = await self._flush(items)
        except BaseException as error:
            if len(items) > 1 and isinstance(error, Exception) and not isinstance(error, self._common):
                for item, future in zip(items, done, strict=True):
                    await self._one([item], [future])
                return
            for future in done:
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # a caller who went away leaves no warning behind
            if not isinstance(error, Exception):
                raise
            return
        self._seconds.observe(asyncio.get_running_loop().time() - started)
        self._size.observe(len(items))
        for future, result in zip(done, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Failed):
                future.set_exception(result.error)
                future.exception()
            else:
                future.set_result(result)
