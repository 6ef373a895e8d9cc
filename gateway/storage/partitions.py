"""Weekly partitions of tables whose key holds a UUIDv7: made ahead of time, dropped when their time is over.

The first 48 bits of a UUIDv7 are its milliseconds (RFC 9562 §5.7), so a range of ids is a range of time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from gateway.storage.database import Connection, advisory_lock

LOCK: Final = 0x6875_6979_0002  # one node at a time makes or drops partitions
LOCK_SECONDS: Final = 60.0
WEEK: Final = timedelta(weeks=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TABLE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,50}")
PARTITION_NAME: Final = re.compile(r"(?P<table>.+)_p(?P<year>\d{4})w(?P<week>\d{2})")

# Those attached, those half detached by a run that was cut off, and those detached but not yet dropped.
PARTITIONS: Final = r"""
SELECT child.relname AS name, i.inhparent IS NOT NULL AS attached,
       coalesce(i.inhdetachpending, false) AS pending
  FROM pg_class AS parent
  JOIN pg_class AS child ON child.relnamespace = parent.relnamespace AND child.relkind = 'r'
  LEFT JOIN pg_inherits AS i ON i.inhparent = parent.oid AND i.inhrelid = child.oid
 WHERE parent.oid = $1::text::regclass AND child.relname ~ ('^' || $1 || '_p\d{4}w\d{2}$')
 ORDER BY child.relname"""


def week_bounds(moment: datetime) -> tuple[str, UUID, UUID]:
    """The ISO week (UTC) that `moment` lies in: its name (`2026w47`), its first id, the first id after it."""
    start = _monday(moment)
    year, week, _ = start.isocalendar()
    return f"{year:04}w{week:02}", _first_id(start), _first_id(start + WEEK)


async def ensure(
    connection: Connection,
    tables: Sequence[str],
    now: datetime,
    *,
    weeks_back: int = 1,
    weeks_ahead: int = 4,
    storage: Mapping[str, str] | None = None,
) -> list[str]:
    """Make the missing partitions around `now` and give their names. Several nodes may do it at once.

    `storage` has the storage parameters of a table's partitions (`{"messages": "fillfactor = 50"}`): a
    partitioned table can't carry them itself.
    """
    weeks = [now + WEEK * offset for offset in range(-weeks_back, weeks_ahead + 1)]
    made: list[str] = []
    async with advisory_lock(connection, LOCK, patience=LOCK_SECONDS):
        for table in tables:
            there = {row["name"] for row in await _partitions(connection, table) if row["attached"]}
            parameters = f"WITH ({storage[table]})" if storage and table in storage else ""
            for week, lower, upper in map(week_bounds, weeks):
                if (name := f"{table}_p{week}") not in there:
                    values = f"FROM ('{lower}') TO ('{upper}')"
                    await _make(connection, table, name, values, parameters)
                    made.append(name)
    return made


async def drop_before(connection: Connection, table: str, moment: datetime) -> list[str]:
    """Drop the partitions that end at or before `moment` and give their names. Not within a transaction."""
    dropped: list[str] = []
    async with advisory_lock(connection, LOCK, patience=LOCK_SECONDS):
        for row in await _partitions(connection, table):
            name = row["name"]
            if _end(name) > moment:
                continue
            if row["attached"]:
                # Concurrently: the plain form locks the whole table against its readers and writers.
                how = "FINALIZE" if row["pending"] else "CONCURRENTLY"
                await connection.execute(f'ALTER TABLE "{table}" DETACH PARTITION "{name}" {how}')
            await connection.execute(f'DROP TABLE "{name}"')
            dropped.append(name)
    return dropped


async def _partitions(connection: Connection, table: str) -> list[asyncpg.Record]:
    if not TABLE_NAME.fullmatch(table):
        raise ValueError(f"not the name of a partitioned table: {table!r}")
    return list(await connection.fetch(PARTITIONS, table))


async def _make(connection: Connection, table: str, name: str, values: str, parameters: str) -> None:
    """Two statements sent as one are one transaction.

    ATTACH does not lock the table against writers, as CREATE … PARTITION OF does. An identity stays out: the
    partition gets its parent's.
    """
    await connection.execute(
        f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL EXCLUDING IDENTITY) {parameters};'
        f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES {values}'
    )


def _monday(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _first_id(moment: datetime) -> UUID:
    return UUID(int=((moment - EPOCH) // timedelta(milliseconds=1)) << 80)


def _end(name: str) -> datetime:
    match = PARTITION_NAME.fullmatch(name)
    assert match is not None  # noqa: S101 - the query gives no other names
    return datetime.fromisocalendar(int(match["year"]), int(match["week"]), 1).replace(tzinfo=UTC) + WEEK
