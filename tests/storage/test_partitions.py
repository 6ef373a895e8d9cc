"""Weekly partitions: their bounds, making them ahead, dropping them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.storage.database import Connection, connect
from gateway.storage.partitions import drop_before, ensure, week_bounds

NOW = datetime(2026, 11, 22, 9, 3, 10, tzinfo=UTC)  # a Sunday


def uuid7(moment: datetime, tail: int = 0) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | tail)


@pytest.fixture
async def connection(empty_dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(empty_dsn)
    await connection.execute(
        """CREATE TABLE parts (
             bucket int NOT NULL, id uuid NOT NULL, body text DEFAULT 'x' CHECK (body <> ''),
             number bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (bucket, id))
             PARTITION BY RANGE (id);
           CREATE INDEX parts_body ON parts (body)"""
    )
    yield connection
    await connection.close()


async def partitions(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent = 'parts'::regclass ORDER BY name"
    )
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        pytest.param(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), "2026w47", id="last second of Sunday"),
        pytest.param(datetime(2026, 11, 23, tzinfo=UTC), "2026w48", id="Monday midnight"),
        pytest.param(
            datetime(2026, 11, 23, 7, 59, tzinfo=timezone(timedelta(hours=8))),
            "2026w47",
            id="Monday in China",
        ),
        pytest.param(datetime(2027, 1, 1, tzinfo=UTC), "2026w53", id="new year in the old year's week"),
        pytest.param(datetime(2024, 12, 31, tzinfo=UTC), "2025w01", id="old year in the new year's week"),
    ],
)
def test_a_week_is_the_iso_week_in_utc(moment: datetime, name: str) -> None:
    assert week_bounds(moment)[0] == name


def test_bounds_are_the_first_ids_of_two_mondays() -> None:
    _, lower, upper = week_bounds(NOW)
    assert lower.int >> 80 == int(datetime(2026, 11, 16, tzinfo=UTC).timestamp() * 1000)
    assert upper.int >> 80 == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
    assert lower.int % (1 << 80) == upper.int % (1 << 80) == 0


@given(
    st.integers(946_684_800, 7_258_118_400).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.integers(0, 2**62 - 1),
)
def test_an_id_lies_in_the_week_of_its_time(moment: datetime, tail: int) -> None:
    _, lower, upper = week_bounds(moment)
    assert lower <= uuid7(moment, tail) < upper
    assert week_bounds(moment + timedelta(weeks=1))[1] == upper


async def test_partitions_are_made_around_now_and_only_once(connection: Connection) -> None:
    made = await ensure(connection, ["parts"], NOW)
    assert made == [f"parts_p2026w{week}" for week in range(46, 52)]
    assert await ensure(connection, ["parts"], NOW) == []
    assert await partitions(connection) == made


async def test_a_row_finds_its_week_with_defaults_checks_and_indexes(connection: Connection) -> None:
    await ensure(connection, ["parts"], NOW, storage={"parts": "fillfactor = 50"})
    await connection.execute("INSERT INTO parts (bucket, id) VALUES (1, $1)", uuid7(NOW))
    row = await connection.fetchrow("SELECT tableoid::regclass::text AS place, body, number FROM parts")
    assert tuple(row) == ("parts_p2026w47", "x", 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO parts (bucket, id) VALUES (1, $1)", uuid7(NOW))
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO parts (bucket, id, body) VALUES (2, $1, '')", uuid7(NOW))
    with pytest.raises(asyncpg.CheckViolationError, match="no partition"):
        await connection.execute(
            "INSERT INTO parts (bucket, id) VALUES (1, $1)", uuid7(NOW + timedelta(weeks=9))
        )
    assert await connection.fetchval("SELECT reloptions FROM pg_class WHERE relname = 'parts_p2026w47'") == [
        "fillfactor=50"
    ]
    indexes = await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'parts_p2026w47'")
    assert indexes == 2


async def test_several_nodes_make_them_at_once(connection: Connection, empty_dsn: str) -> None:
    nodes = [await connect(empty_dsn) for _ in range(4)]
    made = await asyncio.gather(*(ensure(node, ["parts"], NOW) for node in nodes))
    assert sorted(name for names in made for name in names) == await partitions(connection)
    for node in nodes:
        await node.close()


async def test_only_weeks_that_have_ended_are_dropped(connection: Connection) -> None:
    await ensure(connection, ["parts"], NOW)
    await connection.execute("CREATE TABLE parts_p2020w01_notes (id int)")
    sunday_night = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert await drop_before(connection, "parts", sunday_night) == ["parts_p2026w46"]
    assert await drop_before(connection, "parts", sunday_night + timedelta(seconds=1)) == ["parts_p2026w47"]
    assert await partitions(connection) == [f"parts_p2026w{week}" for week in range(48, 52)]
    assert await connection.fetchval("SELECT to_regclass('parts_p2020w01_notes')") is not None


async def test_a_partition_left_detached_by_a_cut_run_is_dropped(connection: Connection) -> None:
    await ensure(connection, ["parts"], NOW)
    await connection.execute('ALTER TABLE parts DETACH PARTITION "parts_p2026w46"')
    assert await drop_before(connection, "parts", NOW) == ["parts_p2026w46"]
    assert await connection.fetchval("SELECT to_regclass('parts_p2026w46')") is None


async def test_a_name_that_is_no_table_of_ours_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="not the name"):
        await ensure(connection, ['parts"; DROP TABLE parts; --'], NOW)
