"""Evidence in its tables: appended by many at once, read back, and held by its triggers."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from gateway.domain.evidence import ORIGIN, Entry, Head, New, canonical, follow
from gateway.domain.tampering import check
from gateway.storage import evidence
from gateway.storage.database import Connection, Database, connect

START = datetime(2026, 11, 22, 9, 0, 0, 5, UTC)
YEAR = timedelta(days=365)


def cnf(number: int, bucket: int) -> UUID:
    return UUID(int=(0x0199 << 112) | (number << 64) | bucket)


def new(bucket: int, number: int = 0, at: datetime = START) -> New:
    return New(bucket, cnf(number, bucket), at, "replied", canonical({"text": f"好的 {number}"}))


async def sealed(connection: Connection, before: datetime, limit: int = 1000) -> int:
    async with connection.transaction():
        end = await evidence.cut(connection, 7, before, limit)
        return await evidence.seal(connection, end, before, START) if end else 0


async def rows_of(connection: Connection, bucket: int, page: int = 1000) -> list[Entry]:
    return [entry async for entries in evidence.walk(connection, bucket, page) for entry in entries]


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(database_dsn)
    yield connection
    await connection.close()


async def test_entries_are_read_as_they_were_written(connection: Connection) -> None:
    news = [new(7, n, START + timedelta(seconds=n)) for n in range(5)]
    async with connection.transaction():
        await evidence.append(connection, [new(9), *news[:3]])
        await evidence.append(connection, [])
    async with connection.transaction():
        await evidence.append(connection, news[3:])
    expected, head = follow(Head(7, 0, ORIGIN), news)
    assert await rows_of(connection, 7, page=2) == expected
    assert await rows_of(connection, 7, page=5) == expected
    assert await evidence.heads(connection, 7) == [head]
    assert await evidence.of(connection, 7, cnf(3, 7)) == [expected[3]]
    assert len(await evidence.heads(connection)) == 256


async def test_what_is_rolled_back_leaves_no_gap(connection: Connection) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await evidence.append(connection, [new(7)])
    await transaction.rollback()
    await evidence.append(connection, [new(7, 1)])
    assert await rows_of(connection, 7) == follow(Head(7, 0, ORIGIN), [new(7, 1)])[0]


async def test_a_bucket_without_a_head_takes_nothing(connection: Connection) -> None:
    with pytest.raises(LookupError, match="bucket 300"):
        await evidence.append(connection, [new(300), new(7)])
    assert await rows_of(connection, 7) == []


async def test_who_appends_at_once_to_the_same_chains_waits_and_leaves_no_gap(database_dsn: str) -> None:
    buckets = range(4)

    async def write(seed: int) -> None:
        rng = random.Random(seed)
        for turn in range(25):
            async with database.transaction() as connection:
                chosen = rng.sample(buckets, 3)  # in any order
                await evidence.append(connection, [new(b, seed * 100 + turn) for b in chosen for _ in "ab"])

    async with await Database.open(database_dsn, size=8) as database:
        await asyncio.gather(*map(write, range(8)))
        async with database.connection() as connection:
            rows = [entry for bucket in buckets for entry in await rows_of(connection, bucket)]
            heads = await evidence.heads(connection)
    assert len(rows) == 8 * 25 * 6
    assert check(rows, heads) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET body = '{}'",
        "DELETE FROM evidence",
        "TRUNCATE evidence",
        "UPDATE evidence_heads SET n = 0",
        "UPDATE evidence_heads SET bucket = 300 WHERE bucket = 7",
        "DELETE FROM evidence_heads",
        "TRUNCATE evidence_heads",
        "UPDATE evidence_seals SET n = 2",
        "DELETE FROM evidence_seals",
        "TRUNCATE evidence_seals",
    ],
)
async def test_a_slip_is_refused(connection: Connection, statement: str) -> None:
    async with connection.transaction():
        await evidence.append(connection, [new(7, at=START - YEAR), new(7, 1)])
    assert await sealed(connection, START) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute(statement)


async def test_a_chain_is_cut_at_its_beginning_only(connection: Connection) -> None:
    ages = [5, 4, 1, 3, 0]
    async with connection.transaction():
        await evidence.append(connection, [new(7, n, START - age * YEAR) for n, age in enumerate(ages)])
    whole = await rows_of(connection, 7)

    async def cut(years: float) -> int:
        return await sealed(connection, START - years * YEAR)

    assert [await cut(years) for years in (9, 2, 2, 0.5)] == [0, 2, 0, 2]
    assert await rows_of(connection, 7) == whole[4:]
    seals = await evidence.seals(connection)
    assert [seal[:3] for seal in seals] == [(7, 4, whole[3].hash)]
    assert await evidence.seals(connection, 8) == []
    assert await cut(-1) == 1
    await evidence.append(connection, [new(7, 9)])
    rows, heads, seals = (
        await rows_of(connection, 7),
        await evidence.heads(connection),
        await evidence.seals(connection),
    )
    assert [row.n for row in rows] == [6]
    assert check(rows, heads, seals) == []


async def test_much_that_is_old_goes_a_part_at_a_time(connection: Connection) -> None:
    async with connection.transaction():
        await evidence.append(connection, [new(7, n, START - YEAR) for n in range(7)] + [new(9)])
    went = []
    while await evidence.old(connection, START) == [7]:
        went.append(await sealed(connection, START, limit=3))
    assert went == [3, 3, 1]
    assert check(
        await rows_of(connection, 9), await evidence.heads(connection), await evidence.seals(connection)
    ) == []  # fmt: skip


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "4000-01-01 BC", "20000-01-01"])
async def test_a_time_that_no_calendar_has_is_read_as_none(connection: Connection, moment: str) -> None:
    await connection.execute(
        "INSERT INTO evidence VALUES (7, 1, $1, $2::text::timestamptz, 'x', '', '', '')", cnf(1, 7), moment
    )
    assert [row.at for row in await rows_of(connection, 7)] == [None]


async def test_rows_of_buckets_that_there_are_not_are_known(connection: Connection) -> None:
    await connection.executemany(
        "INSERT INTO evidence VALUES ($1, 1, gen_random_uuid(), now(), 'x', '', '', '')",
        [(-1,), (7,), (263,)],
    )
    assert await evidence.stray_buckets(connection) == [-1, 263]
