"""The tables of calls out: what is read back, in which order, and what a settlement may change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.callback import Settlement, Try
from gateway.domain.event import Callback, CallbackStatus
from gateway.domain.ids import IdSource
from gateway.storage import callbacks as table
from gateway.storage.database import Connection, Database

IDS = IdSource()
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def owed(second: int, bucket: int = 1, target: str = "a", **changes: Any) -> Callback:
    at = START + timedelta(seconds=second)
    uid = IDS.new(bucket, at.timestamp())
    row = Callback(
        bucket, uid, "connector", target, "x", IDS.new(bucket, 0), {"n": second}, at, "waiting", 0, at
    )
    return row._replace(**changes)


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[Connection]:
    async with await Database.open(database_dsn, size=1) as database, database.connection() as connection:
        yield connection


def done(row: Callback) -> Settlement:
    return Settlement(row.bucket, row.id, CallbackStatus.DONE, 1, row.due_at, START)


def tried(row: Callback, number: int = 1) -> Try:
    return Try(row.bucket, row.id, number, START, 0.25, 200, "fine")


async def test_what_waits_comes_back_as_it_was_stored_oldest_first(connection: Connection) -> None:
    rows = [owed(3), owed(1), owed(2, payload={"text": "满意 \ufffd", "deep": [{"n": None}]})]
    await table.insert(connection, rows)
    assert await table.oldest(connection, [1], 10) == [rows[1], rows[2], rows[0]]


async def test_a_zero_octet_in_a_text_does_not_refuse_the_batch(connection: Connection) -> None:
    await table.insert(connection, [owed(1, payload={"text": "a\x00b"}), owed(2)])
    first, _ = await table.oldest(connection, [1], 10)
    assert first.payload == {"text": "a\ufffdb"}


async def test_each_target_has_its_share_of_the_oldest(connection: Connection) -> None:
    dead, alive = [owed(second, target="dead") for second in range(9)], [owed(20, target="alive")]
    await table.insert(connection, dead + alive)
    assert await table.oldest(connection, [1], 3) == dead[:3] + alive
    assert await table.oldest_of(connection, [1], "dead", 4) == dead[:4]


async def test_other_nodes_buckets_are_left_alone(connection: Connection) -> None:
    ours, theirs = owed(1, bucket=1), owed(1, bucket=2)
    await table.insert(connection, [ours, theirs])
    assert await table.oldest(connection, [1], 10) == [ours]
    assert await table.oldest_of(connection, [1], "a", 10) == [ours]
    assert await table.fallen_due(connection, [1], START, START + timedelta(days=1), 10) == [ours]


async def test_only_what_fell_due_meanwhile_is_found(connection: Connection) -> None:
    rows = [owed(second) for second in (0, 5, 10, 15)]
    await table.insert(connection, rows)
    since, until = START, START + timedelta(seconds=10)
    assert await table.fallen_due(connection, [1], since, until, 10) == rows[1:3]


async def test_a_settlement_ends_what_waits_and_keeps_its_tries(connection: Connection) -> None:
    first, second = owed(1), owed(2)
    await table.insert(connection, [first, second])
    await table.settle(connection, [tried(first)], [done(first)])
    assert await table.oldest(connection, [1], 10) == [second]
    found = await table.find(connection, first.bucket, first.id)
    assert found is not None
    assert (found.status, found.tries, found.settled_at) == ("done", 1, START)
    assert (await table.tries_of(connection, [found]))[first.id] == [tried(first)]


async def test_the_same_try_twice_is_one(connection: Connection) -> None:
    row = owed(1)
    await table.insert(connection, [row])
    await table.settle(connection, [tried(row)], [])
    await table.settle(connection, [tried(row)._replace(answer="other")], [done(row)])
    found = await table.find(connection, row.bucket, row.id)
    assert found is not None
    assert [attempt.answer for attempt in (await table.tries_of(connection, [found]))[row.id]] == ["fine"]


async def test_a_late_settlement_does_not_revive_what_was_dropped(connection: Connection) -> None:
    row = owed(1)
    await table.insert(connection, [row])
    assert await table.drop(connection, "a", START) == 1
    await table.settle(connection, [tried(row)], [done(row)])
    found = await table.find(connection, row.bucket, row.id)
    assert found is not None
    assert found.status == "dropped"
    assert await table.redeliver(connection, row.bucket, row.id, START) is None


async def test_redelivery_lets_it_wait_from_now(connection: Connection) -> None:
    row = owed(1)
    await table.insert(connection, [row])
    await table.settle(connection, [], [done(row)._replace(status=CallbackStatus.PARKED, tries=7)])
    assert await table.parked(connection) == {"a": 1}
    later = START + timedelta(days=4)
    assert await table.redeliver(connection, row.bucket, row.id, later, target="b") is None
    again = await table.redeliver(connection, row.bucket, row.id, later, target="a")
    assert again == row._replace(tries=7, due_at=later)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"status": CallbackStatus.PARKED}, [3]),
        ({"target": "b"}, [4]),
        ({"kind": "webhook"}, [2]),
        ({"limit": 2}, [4, 3]),
        ({"target": "a", "status": CallbackStatus.WAITING}, [2, 1, 0]),
    ],
)
async def test_lists_are_newest_first_and_filtered(
    connection: Connection, filters: dict[str, Any], found: list[int]
) -> None:
    rows = [owed(0), owed(1), owed(2, kind="webhook"), owed(3, status="parked"), owed(4, target="b")]
    await table.insert(connection, rows)
    assert [delivery.payload["n"] for delivery in await table.listed(connection, **filters)] == found


async def test_pages_begin_after_the_last_one(connection: Connection) -> None:
    rows = [owed(second) for second in range(5)]
    await table.insert(connection, rows)
    page = await table.listed(connection, before=rows[2].id)
    assert [delivery.id for delivery in page] == [rows[1].id, rows[0].id]
