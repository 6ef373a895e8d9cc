"""Connections to PostgreSQL: a pool, dedicated ones for the group-commit pipes, and what their loss means.

Services see one exception for everything that means "not now": `StorageUnavailable`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec
from asyncpg import Connection, Pool

__all__ = [
    "Connection",
    "Database",
    "Dedicated",
    "StorageUnavailable",
    "UnsafeDatabase",
    "advisory_lock",
    "check_durability",
    "connect",
    "guard",
]

OLDEST_SERVER: Final = 150000  # PostgreSQL 15
COMMAND_SECONDS: Final = (
    15.0  # a statement of the hot way takes milliseconds: this means a black-holed socket
)
CONNECT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.2

#: The server or the way to it fails; the same statement may succeed later. Faults of ours are not among them.
UNAVAILABLE: Final = (
    OSError,  # ConnectionError, TimeoutError, an unreachable host
    asyncpg.PostgresConnectionError,  # class 08, among them ConnectionDoesNotExistError
    asyncpg.OperatorInterventionError,  # class 57: shutdown, crash, starting up, statement time-out
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.PostgresSystemError,  # class 58: the server met an I/O error
    asyncpg.ReadOnlySQLTransactionError,  # the former primary after a fail-over
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # the protocol was cut in the middle
)

GONE: Final = re.compile(r"\bclos(ed|ing)\b|released back to the pool")

# As this session sees them: a role or a database may carry settings of its own.
DURABILITY: Final = """
SELECT current_setting('server_version_num')::int AS version,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery() AS read_only"""


class StorageUnavailable(Exception):  # noqa: N818 - a state of the world, named as the callers answer it
    """The database can't be used now. Whether a commit that was under way took effect is not known."""


class UnsafeDatabase(Exception):  # noqa: N818 - see above
    """The database would not keep what it has committed, or can't be written: Huiyin does not run on it."""


@contextmanager
def guard() -> Iterator[None]:
    """Turn every error that means "not now" into `StorageUnavailable`; let all others pass."""
    try:
        yield
    except UNAVAILABLE as error:
        raise StorageUnavailable(_sentence(error)) from error
    except asyncpg.InterfaceError as error:
        # The same class tells of misuse and of bad arguments, which are bugs and stay what they are.
        # A connection of the pool is "released" the moment it is cut.
        if isinstance(error, ValueError) or not GONE.search(str(error)):
            raise
        raise StorageUnavailable(_sentence(error)) from error


async def connect(dsn: str, *, name: str = "huiyin", patience: float = 0.0, **options: Any) -> Connection:
    """Open one connection with our codecs.

    For `patience` seconds a server that refuses connections or is starting up is tried again; other errors (a
    wrong password, an unreadable key file) are raised at once, as they came.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            connection = await asyncpg.connect(dsn, **_arguments(dsn, name), **options)
            break
        # Not OSError: the search for SSL files may raise PermissionError, which waiting does not heal.
        except (ConnectionError, asyncpg.CannotConnectNowError):
            if asyncio.get_running_loop().time() >= deadline:
                raise
            await asyncio.sleep(RETRY_SECONDS)
    await _prepare(connection)
    return connection


@asynccontextmanager
async def advisory_lock(connection: Connection, key: int, *, patience: float) -> AsyncIterator[None]:
    """Hold a lock of this session against other nodes. Raises `TimeoutError` after `patience` seconds.

    Polled: a call that waits for a lock is a transaction, and a concurrent index build waits for those.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
        if asyncio.get_running_loop().time() >= deadline:
            raise TimeoutError(f"another node has held the lock {key:#x} for over {patience:.0f} s")
        await asyncio.sleep(RETRY_SECONDS)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", key)


async def check_durability(connection: Connection) -> None:
    """Raise `UnsafeDatabase` unless this server keeps what it commits, is writable and recent enough."""
    row = await connection.fetchrow(DURABILITY)
    faults = [
        f"{setting} is off, so a power cut may lose what was accepted; set it to on"
        for setting in ("fsync", "full_page_writes", "synchronous_commit")
        if row[setting] == "off"
    ]
    if row["read_only"]:
        faults.append("it is read-only: a standby, or default_transaction_read_only is on")
    if row["version"] < OLDEST_SERVER:
        faults.append(f"it is PostgreSQL {row['version'] // 10000}, and 15 is the oldest supported")
    if faults:
        raise UnsafeDatabase("Huiyin does not run on this database: " + "; ".join(faults) + ".")


class Dedicated:
    """One connection for one task, opened again when it was lost."""

    def __init__(self, dsn: str, name: str, command_timeout: float) -> None:
        self.name = name
        self._dsn = dsn
        self._command_timeout = command_timeout
        self._connection: Connection | None = None

    async def live(self) -> Connection:
        """A live connection, opened anew where needed. Raises `StorageUnavailable`."""
        if self._connection is None or self._connection.is_closed():
            with guard():
                self._connection = await connect(
                    self._dsn, name=self.name, command_timeout=self._command_timeout
                )
        return self._connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """The live connection, guarded; dropped after `StorageUnavailable`."""
        connection = await self.live()
        try:
            with guard():
                yield connection
        except StorageUnavailable:
            _drop(connection)
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction on it, committed at the end. When this returns, the commit is on disk."""
        async with self.connection() as connection, _transaction(connection):
            yield connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _close(connection)


class Database:
    """The pool for everybody, and dedicated connections for those who never rest."""

    def __init__(self, dsn: str, pool: Pool, command_timeout: float) -> None:
        self.dsn = dsn
        self.pool = pool
        self._command_timeout = command_timeout
        self._dedicated: list[Dedicated] = []

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        size: int = 8,
        name: str = "huiyin",
        patience: float = 0.0,
        command_timeout: float = COMMAND_SECONDS,
    ) -> Self:
        """Connect; a server that is starting up has `patience` seconds. Raises `StorageUnavailable`."""
        with guard():
            await _close(await connect(dsn, name=name, patience=patience))
            pool = await asyncpg.create_pool(
                dsn,
                **_arguments(dsn, name),
                min_size=1,
                max_size=size,
                init=_prepare,
                reset=_reset,
                command_timeout=command_timeout,
            )
        return cls(dsn, pool, command_timeout)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, guarded; dropped after `StorageUnavailable`."""
        with guard():
            # The same limit bounds the release: a black-holed connection is not waited for.
            async with self.pool.acquire(timeout=self._command_timeout) as connection:
                try:
                    with guard():
                        yield connection
                except StorageUnavailable:
                    _drop(connection)
                    raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, committed at the end. When this returns, the commit is on disk."""
        async with self.connection() as connection, _transaction(connection):
            yield connection

    async def dedicated(self, name: str) -> Dedicated:
        """A connection of its own, shown as `huiyin name` by the server. Raises `StorageUnavailable`."""
        dedicated = Dedicated(self.dsn, f"huiyin {name}", self._command_timeout)
        await dedicated.live()
        self._dedicated.append(dedicated)
        return dedicated

    async def close(self) -> None:
        """Close everything; what is still at work after a few seconds is cut."""
        for dedicated in self._dedicated:
            await dedicated.close()
        self._dedicated.clear()
        try:
            await asyncio.wait_for(self.pool.close(), CONNECT_SECONDS)
        except (TimeoutError, *UNAVAILABLE):
            self.pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _arguments(dsn: str, name: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "timeout": CONNECT_SECONDS,
        "statement_cache_size": 256,
        "server_settings": {"application_name": name, "timezone": "UTC"},
    }
    if parse_qs(urlsplit(dsn).query).get("sslmode") == ["disable"]:
        arguments["ssl"] = False  # said outright, so that no file is looked for
    return arguments


async def _prepare(connection: Connection) -> None:
    """jsonb goes in and comes out as plain values; its binary form is a version octet and the text."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(memoryview(data)[1:]),
        format="binary",
    )


async def _reset(connection: Connection) -> None:
    """Between two users of a connection. Nobody sets session state, so the usual round trip is spared."""
    if connection.is_in_transaction():
        await connection.reset()


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=CONNECT_SECONDS)
    except (*UNAVAILABLE, asyncpg.InterfaceError):
        _drop(connection)


def _drop(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # the pool has taken it back already: it was cut
        connection.terminate()


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[None]:
    """As asyncpg's own, except that the first error is the one that is seen when the connection is gone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        try:
            await transaction.rollback()
        except (*UNAVAILABLE, asyncpg.InterfaceError):
            _drop(connection)
        raise
    await transaction.commit()


def _sentence(error: BaseException) -> str:
    """What happened, without the statement or its values."""
    if isinstance(error, TimeoutError):
        return "the database does not answer in time"
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"the database is not available: {said}"
