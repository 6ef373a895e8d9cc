"""Which database a command works on: the embedded one, started for it, or the one of the DSN."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from gateway.config import Settings
from gateway.storage import migrate as migrations
from gateway.storage.database import Database, StorageUnavailable, guard
from gateway.storage.embedded import DataDirInUse, EmbeddedError, EmbeddedServer, dsn_of

log = logging.getLogger(__name__)

#: How long one waits for a server that does not answer, and for one that is being made.
ANSWER_SECONDS: Final = 5.0
MADE_SECONDS: Final = 15.0
AGAIN_SECONDS: Final = 0.2


class NoDatabaseError(Exception):
    """There is nothing to work on; the message says what to do about it."""


#: What a command tells in a sentence.
TROUBLES: Final = (
    NoDatabaseError,
    EmbeddedError,
    StorageUnavailable,
    migrations.MigrationError,
    asyncpg.PostgresError,
    OSError,
)


@contextmanager
def serving(settings: Settings, *, patience: float = 0.0) -> Iterator[tuple[str, EmbeddedServer | None]]:
    """The DSN, and the embedded server behind it if it is ours to run. It blocks: call it before the work.

    Another process has `patience` seconds to leave the embedded one; then `DataDirInUse`.
    """
    if not settings.database.embedded:
        yield settings.database.dsn.reveal(), None
        return
    folder = settings.path(settings.database.folder)
    deadline = time.monotonic() + patience
    while True:
        try:
            server = EmbeddedServer.start(folder)
            break
        except DataDirInUse:
            if time.monotonic() >= deadline:
                raise
            time.sleep(AGAIN_SECONDS)
    with server:
        yield server.dsn, server


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The DSN, while the server runs; one that another process of ours started will do."""
    with ExitStack() as stack:
        try:
            dsn, _ = stack.enter_context(serving(settings))
        except DataDirInUse:
            dsn = dsn_of(settings.path(settings.database.folder))
        yield dsn


async def keep_running(server: EmbeddedServer | None) -> None:
    """Start the embedded server again when it ends by itself: killed, or its disk was full."""
    while server is not None:
        await asyncio.sleep(AGAIN_SECONDS)
        if not server.running:
            log.error("the embedded PostgreSQL has ended; it is started again")
            try:
                server.restart()  # on this thread: the server ends with the thread that started it
            except (EmbeddedError, OSError) as error:
                log.error("it does not start", extra={"why": str(error)})
                await asyncio.sleep(ANSWER_SECONDS)


@asynccontextmanager
async def existing(settings: Settings, *, awaited: bool = False) -> AsyncIterator[Database]:
    """A database that was made and migrated before. With `awaited` one that is only being made will do.

    Makes none. Raises one of `TROUBLES`.
    """
    began = time.monotonic()
    told = False
    async with AsyncExitStack() as stack:
        while True:
            try:
                opened = await _open(settings, stack)
                break
            except (NoDatabaseError, StorageUnavailable) as error:
                await stack.aclose()
                lacks = isinstance(error, NoDatabaseError)
                patience = MADE_SECONDS if awaited else 0.0 if lacks else ANSWER_SECONDS
                if time.monotonic() - began >= patience:
                    raise
            if awaited and not told:
                told = True
                print("waiting for the database …", file=sys.stderr)
            await asyncio.sleep(AGAIN_SECONDS)
        yield opened


async def _open(settings: Settings, stack: AsyncExitStack) -> Database:
    folder = settings.path(settings.database.folder)
    if settings.database.embedded and not (folder / "port").exists():  # written when it first ran
        raise NoDatabaseError(
            f"there is no database in {folder} yet: start `huiyin serve`, or run `huiyin migrate`"
        )
    dsn = stack.enter_context(database(settings))
    with guard():
        waiting = await migrations.pending(dsn)
    if waiting:
        names = ", ".join(migration.path.name for migration in waiting)
        raise NoDatabaseError(f"the database waits for {names}: run `huiyin migrate` first")
    return await stack.enter_async_context(await Database.open(dsn, size=2))
