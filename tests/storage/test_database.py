"""Connections: codecs, what counts as unavailable, and which databases are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.storage.database import (
    Database,
    StorageUnavailable,
    UnsafeDatabase,
    advisory_lock,
    check_durability,
    connect,
    guard,
)
from gateway.storage.embedded import EmbeddedServer, remove
from tests.conftest import make_open_dir


@pytest.fixture
async def database(empty_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(empty_dsn, size=3) as database:
        yield database


@pytest.fixture(scope="module")
def throwaway() -> Iterator[EmbeddedServer]:
    """A server that a test may stop and spoil."""
    folder: Path = make_open_dir()
    with EmbeddedServer.start(folder, sync=False) as server:
        yield server
    remove(folder)


async def cut(database: Database, name: str) -> None:
    """The server ends the connections that carry this name."""
    other = await connect(database.dsn, name="scissors")
    await other.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = $1 AND datname = current_database()",
        name,
    )
    await other.close()


async def test_jsonb_goes_in_and_comes_out_as_values(database: Database) -> None:
    value = {"score": 8, "text": "满意", "parts": [1, None, True]}
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT $1::jsonb ->> 'text'", value) == "满意"
        assert await connection.fetchval("SELECT NULL::jsonb") is None


async def test_a_transaction_commits_or_leaves_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE kept (id int)")
    with pytest.raises(RuntimeError):  # noqa: PT012 - the block is what is tested
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO kept VALUES (1)")
            raise RuntimeError
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0


async def test_a_cut_connection_is_unavailable_once_and_then_replaced(database: Database) -> None:
    with pytest.raises(StorageUnavailable):  # noqa: PT012 - the block is what is tested
        async with database.transaction() as connection:
            await cut(database, "huiyin")
            await connection.execute("SELECT 1")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_dedicated_connection_is_opened_again(database: Database) -> None:
    pipe = await database.dedicated("intake")
    with pytest.raises(StorageUnavailable):  # noqa: PT012 - the block is what is tested
        async with pipe.transaction() as connection:
            assert await connection.fetchval("SELECT current_setting('application_name')") == "huiyin intake"
            await cut(database, "huiyin intake")
            await connection.execute("SELECT 1")
    async with pipe.transaction() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_dedicated_connection_cut_at_rest_is_opened_again_unnoticed(database: Database) -> None:
    pipe = await database.dedicated("intake")
    before = await pipe.live()
    await cut(database, "huiyin intake")
    while not before.is_closed():
        await asyncio.sleep(0.01)
    async with pipe.connection() as connection:
        assert connection is not before
        assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        pytest.param("SELECT pg_sleep(600)", "does not answer in time", id="time-out"),
        pytest.param(
            "SET LOCAL statement_timeout = 1; SELECT pg_sleep(600)",
            "statement timeout",
            id="server's time-out",
        ),
        pytest.param(
            "SET TRANSACTION READ ONLY; CREATE TABLE nowhere (id int)",
            "read-only transaction",
            id="read-only",
        ),
        pytest.param("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$", "53100", id="disk full"),
        pytest.param("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", "53300", id="too many connections"),
        pytest.param("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", "57P01", id="administrator's shutdown"),
        pytest.param("DO $$ BEGIN RAISE SQLSTATE '57P03'; END $$", "57P03", id="starting up"),
        pytest.param("DO $$ BEGIN RAISE SQLSTATE '58030'; END $$", "58030", id="I/O error"),
    ],
)
async def test_what_may_work_later_is_unavailable(empty_dsn: str, statement: str, message: str) -> None:
    async with await Database.open(empty_dsn, size=1, command_timeout=0.3) as database:
        with pytest.raises(StorageUnavailable, match=message):
            async with database.transaction() as connection:
                await connection.execute(statement)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.parametrize(
    ("statement", "arguments", "error"),
    [
        pytest.param("SELEKT", (), asyncpg.PostgresSyntaxError, id="syntax"),
        pytest.param("SELECT 1/0", (), asyncpg.DivisionByZeroError, id="division"),
        pytest.param("SELECT $1::int", ("x",), asyncpg.DataError, id="wrong argument"),
        pytest.param("SELECT 1", (1,), asyncpg.InterfaceError, id="too many arguments"),
    ],
)
async def test_a_fault_of_ours_stays_what_it_is(
    database: Database, statement: str, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with database.transaction() as connection:
            await connection.fetch(statement, *arguments)


async def test_an_exhausted_pool_is_unavailable(empty_dsn: str) -> None:
    async with await Database.open(empty_dsn, size=1, command_timeout=0.1) as database, database.connection():
        with pytest.raises(StorageUnavailable, match="in time"):
            async with database.connection():
                raise AssertionError("the pool has one connection, and it is taken")


async def test_a_closed_pool_is_unavailable(empty_dsn: str) -> None:
    database = await Database.open(empty_dsn)
    await database.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        async with database.connection():
            raise AssertionError("the pool is closed")


async def test_a_server_that_is_down_is_unavailable_and_back_after_its_start(
    throwaway: EmbeddedServer,
) -> None:
    async with await Database.open(throwaway.dsn) as database:
        pipe = await database.dedicated("intake")
        throwaway._halt()
        assert not throwaway.running
        for way in (database, pipe):
            with pytest.raises(StorageUnavailable):
                async with way.transaction() as connection:
                    await connection.execute("SELECT 1")
        with pytest.raises(StorageUnavailable):
            await Database.open(throwaway.dsn)
        throwaway.restart()
        for way in (database, pipe):
            async with way.transaction() as connection:
                assert await connection.fetchval("SELECT 1") == 1


async def test_a_start_is_waited_for(monkeypatch: pytest.MonkeyPatch, empty_dsn: str) -> None:
    real, tries = asyncpg.connect, 0

    async def late(*arguments: Any, **options: Any) -> asyncpg.Connection:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionRefusedError
        if tries == 2:
            raise asyncpg.CannotConnectNowError
        return await real(*arguments, **options)

    monkeypatch.setattr(asyncpg, "connect", late)
    connection = await connect(empty_dsn, patience=60)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_an_unreadable_key_file_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", "/root/.postgresql/postgresql.key")

    monkeypatch.setattr(asyncpg, "connect", unreadable)
    with pytest.raises(PermissionError, match=r"postgresql\.key"):
        await connect("postgresql://127.0.0.1/x", patience=1e9)


async def test_without_ssl_no_file_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    async def note(_: str, **options: Any) -> None:
        seen.update(options)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", note)
    with pytest.raises(ConnectionRefusedError):
        await connect("postgresql://127.0.0.1/x?sslmode=disable")
    assert seen["ssl"] is False


async def test_an_advisory_lock_keeps_the_second_out(empty_dsn: str) -> None:
    first, second = await connect(empty_dsn), await connect(empty_dsn)
    async with advisory_lock(first, 7, patience=0):
        with pytest.raises(TimeoutError, match="another node"):
            async with advisory_lock(second, 7, patience=0):
                raise AssertionError("the lock is held")
    async with advisory_lock(second, 7, patience=0):
        pass
    await first.close()
    await second.close()


def test_a_guard_lets_other_errors_pass() -> None:
    with pytest.raises(KeyError), guard():
        raise KeyError


async def test_the_embedded_server_keeps_what_it_commits(throwaway: EmbeddedServer) -> None:
    connection = await connect(throwaway.dsn)
    await check_durability(connection)
    await connection.close()


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        pytest.param("fsync", "off", "fsync is off, so a power cut may lose", id="fsync"),
        pytest.param("synchronous_commit", "off", "synchronous_commit is off", id="synchronous_commit"),
        pytest.param("full_page_writes", "off", "full_page_writes is off", id="full_page_writes"),
        pytest.param("default_transaction_read_only", "on", "it is read-only", id="read-only"),
    ],
)
async def test_a_database_that_may_lose_commits_is_refused(
    throwaway: EmbeddedServer, setting: str, value: str, message: str
) -> None:
    administrator = await connect(throwaway.dsn)
    try:
        await administrator.execute(f"ALTER SYSTEM SET {setting} = {value}")
        await reload(administrator, throwaway, setting, value)
        connection = await connect(throwaway.dsn)
        with pytest.raises(UnsafeDatabase, match=message):
            await check_durability(connection)
        await connection.close()
    finally:
        await administrator.execute("SET default_transaction_read_only = off")
        await administrator.execute(f"ALTER SYSTEM RESET {setting}")
        await reload(administrator, throwaway, setting, "off" if value == "on" else "on")
        await administrator.close()


async def reload(administrator: asyncpg.Connection, server: EmbeddedServer, setting: str, value: str) -> None:
    """Have the settings read again, and wait until a new connection sees them."""
    await administrator.execute("SELECT pg_reload_conf()")
    while True:
        connection = await connect(server.dsn)
        seen = await connection.fetchval("SELECT current_setting($1)", setting)
        await connection.close()
        if seen == value:
            return


async def test_an_old_server_is_refused() -> None:
    class Old:
        async def fetchrow(self, _: str) -> dict[str, Any]:
            on = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "on")
            return {"version": 140012, "read_only": False, **on}

    with pytest.raises(UnsafeDatabase, match="it is PostgreSQL 14, and 15 is the oldest supported"):
        await check_durability(Old())
