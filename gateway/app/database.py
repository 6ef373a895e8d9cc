"""Which database a command works on: the embedded one, started for it, or the one of the DSN."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from gateway.config import Settings
from gateway.storage import migrate as migrations
from gateway.storage.database import Database, StorageUnavailable, guard
from gateway.storage.embedded import DataDirInUse, EmbeddedError, EmbeddedServer, dsn_of

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
def database(settings: Settings, *, share: bool = False, patience: float = 0.0) -> Iterator[str]:
    """The DSN, while the server runs. With `share` a server that another process of ours started will do;
    without, another process has `patience` seconds to leave it. It blocks: call it before the work begins.
    """
    if not settings.database.embedded:
        yield settings.database.dsn.reveal()
        return
    folder = settings.path(settings.database.folder)
    deadline = time.monotonic() + patience
    while True:
        try:
            server = EmbeddedServer.start(folder)
            break
        except DataDirInUse:
            if share:
                yield dsn_of(folder)
                return
            if time.monotonic() >= deadline:
                raise
            time.sleep(AGAIN_SECONDS)
    with server:
        yield server.dsn


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
    dsn = stack.enter_context(database(settings, share=True))
    with guard():
        waiting = await migrations.pending(dsn)
    if waiting:
        names = ", ".join(migration.path.name for migration in waiting)
        raise NoDatabaseError(f"the database waits for {names}: run `huiyin migrate` first")
    return await stack.enter_async_context(await Database.open(dsn, size=2))
