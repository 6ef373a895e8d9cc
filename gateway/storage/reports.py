"""Figures of many conversations: counted by day in tables of their own, read live where a day still moves.

A day is counted once, when most of it stands; `satisfaction_days` has a row for what is alike. A change that
comes later (an answer after weeks, a person's verdict, a long survey's end) leaves the conversation's id in
`report_changes` in its own transaction; its day is read live until it is counted anew. A report reads all of
that in one snapshot, hence it never differs from what the conversations say.

Weighed on 1,000,000 surveys of 180 days, all in memory: read live, a day takes 10 ms and a month 0.2 s, so a
small operator would need no such tables. But that grows with the surveys, and reads 700 bytes of each: with
a province's millions a month it would take the database from those who send. Counted, a month takes 20 ms and
half a year 0.1 s, whatever the surveys are, for as many rows as there are ways to be alike; only by agent it
is some ten times more. It costs one comparison in each update of a conversation, and 30 ms a day once.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from gateway.domain.days import Day
from gateway.domain.figures import Outcome
from gateway.domain.timeliness import Answered, Recorded
from gateway.storage.aspects import (
    AGENT,
    BY_PERSON,
    DEPARTMENT,
    FOLLOWED_UP,
    HOURS,
    LOW,
    REASON,
    REVISED,
    SCALE,
    SCORE,
    TYPE,
)
from gateway.storage.database import Connection
from gateway.storage.lookups import TooWide

#: A conversation so old that its day may have been counted: its changes are put on record.
SETTLED: Final = timedelta(days=4)
#: A day is counted when it ended longer ago. No transaction lives for the time between the two, so whoever
#: changed a conversation without putting that on record has committed when its day is counted.
COUNTED_AFTER: Final = SETTLED + timedelta(hours=1)
LOCK: Final = 0x6875_6979_0003  # one node at a time counts
COUNT_SECONDS: Final = 300.0  # a day of a whole country; nobody waits for it


class By(StrEnum):
    """What surveys are grouped by."""

    DAY = "day"
    DEPARTMENT = "department"
    TYPE = "type"
    TOUCHPOINT = "touchpoint"
    AGENT = "agent"
    SCALE = "scale"


class TicketsBy(StrEnum):
    """What resolutions are grouped by."""

    DAY = "day"
    DEPARTMENT = "department"
    TYPE = "type"
    HANDLER = "handler"


class Wanted(NamedTuple):
    """Which surveys or resolutions count. None: all; "": those without one."""

    touchpoint: str | None = None
    department: str | None = None
    type: str | None = None
    agent: str | None = None
    scale: str | None = None


#: One snapshot; nobody's report may take the database from those who send.
ONE_SNAPSHOT: Final = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = '10s';
SET LOCAL plan_cache_mode = force_custom_plan"""

# A counted day stands if it has the same ids still (another time zone has others) and nothing changed since.
COUNTED: Final = """
SELECT d.day FROM report_days d
  JOIN unnest($1::date[], $2::uuid[], $3::uuid[]) AS u (day, first_id, end_id)
    ON d.day = u.day AND d.first_id = u.first_id AND d.end_id = u.end_id
 WHERE NOT EXISTS (SELECT 1 FROM report_changes c WHERE c.id >= d.first_id AND c.id < d.end_id)"""


async def counted(connection: Connection, days: Sequence[Day]) -> set[date]:
    """Which of the days stand in the tables as they are."""
    return {row[0] for row in await connection.fetch(COUNTED, *_columns(days))}


# The conversations of some days ($1 to $3), bucket by bucket along the key. OFFSET 0 is a fence: with a
# filter pulled into it the planner thinks that few are meant, and reads all there are (800 against 60 ms for
# a week).
_LIVE: Final = """
  FROM unnest($1::date[], $2::uuid[], $3::uuid[]) AS d (day, first_id, end_id)
 CROSS JOIN generate_series(0, 255) AS b (bucket)
 CROSS JOIN LATERAL (
       SELECT c.touchpoint, c.ticket_id, c.status, c.subject, c.state
         FROM conversations c
        WHERE c.bucket = b.bucket::smallint AND c.id >= d.first_id AND c.id < d.end_id
          AND c.kind = 'survey'
       OFFSET 0) c"""

_OUTCOME: Final = """
scale, status, reason, score, low, followed_up, revised, by_person"""
_SURVEYS: Final = f"day, touchpoint, department, type, agent, {_OUTCOME}"

_LIVE_SURVEYS: Final = f"""
SELECT d.day, c.touchpoint, {DEPARTMENT} AS department, {TYPE} AS type, {AGENT} AS agent, {SCALE} AS scale,
       c.status, {REASON} AS reason, {SCORE} AS score, {LOW} AS low, {FOLLOWED_UP} AS followed_up,
       {REVISED} AS revised, {BY_PERSON} AS by_person
  {_LIVE}"""

_TICKETS: Final = "day, department, type, handler, hours"
_LIVE_TICKETS: Final = f"""
SELECT d.day, {DEPARTMENT} AS department, {TYPE} AS type, {AGENT} AS handler, {HOURS} AS hours
  {_LIVE} WHERE c.ticket_id IS NOT NULL"""


def _wanted(columns: Iterable[str], first: int) -> str:
    """The condition that each column is as its argument says, numbered from `first`."""
    return " AND ".join(
        f"(${n}::text IS NULL OR coalesce({column}, '') = ${n})" for n, column in enumerate(columns, first)
    )


# $4 the counted days; the rest are filters.
SATISFACTION: Final = f"""
SELECT %s::text AS key, {_OUTCOME}, sum(surveys)::bigint
  FROM (SELECT {_SURVEYS}, surveys FROM satisfaction_days
         WHERE day = ANY($4::date[]) AND by_agent = $10
         UNION ALL
        SELECT {_SURVEYS}, 1 FROM ({_LIVE_SURVEYS}) live) s
 WHERE {_wanted(Wanted._fields, 5)}
 GROUP BY key, {_OUTCOME}"""  # noqa: S608 - fragments of ours

TIMELINESS: Final = f"""
SELECT %s::text AS key, hours, sum(resolutions)::bigint
  FROM (SELECT {_TICKETS}, resolutions FROM timeliness_days WHERE day = ANY($4::date[])
         UNION ALL
        SELECT {_TICKETS}, 1 FROM ({_LIVE_TICKETS}) live) t
 WHERE {_wanted(("department", "type", "handler"), 5)}
 GROUP BY key, hours"""  # noqa: S608


async def satisfaction(
    connection: Connection, days: Sequence[Day], by: By, wanted: Wanted
) -> dict[str | None, list[Outcome]]:
    """What came of the surveys of these days, by group. Raises `TooWide`; inside `ONE_SNAPSHOT`."""
    by_agent = by is By.AGENT or wanted.agent is not None
    rows = await _both(connection, SATISFACTION % by.value, days, (*wanted, by_agent))
    return _grouped((row[0], Outcome(*row[1:])) for row in map(tuple, rows))


async def timeliness(
    connection: Connection, days: Sequence[Day], by: TicketsBy, wanted: Wanted
) -> dict[str | None, list[Answered]]:
    """How soon tickets were answered, by group. Raises `TooWide`; inside `ONE_SNAPSHOT`."""
    filters = (wanted.department, wanted.type, wanted.agent)
    rows = await _both(connection, TIMELINESS % by.value, days, filters)
    return _grouped((row[0], Answered(*row[1:])) for row in map(tuple, rows))


# By conversations_cases; a case that was taken back was none. $4 the promise, $5 the latest, in seconds.
RECORDED: Final = """
SELECT d.day::text,
       count(*) AS cases,
       count(*) FILTER (WHERE c.seconds <= $4) AS within_15m,
       count(*) FILTER (WHERE c.seconds > $4 AND c.seconds <= $5) AS within_12h,
       count(*) FILTER (WHERE c.seconds > $4 AND c.seconds > $5) AS later,
       count(*) FILTER (WHERE c.status = 'open') AS open,
       count(*) FILTER (WHERE c.status = 'failed') AS failed,
       ceil(percentile_disc(0.5) WITHIN GROUP (ORDER BY c.seconds))::int AS median_seconds
  FROM unnest($1::date[], $2::uuid[], $3::uuid[]) AS d (day, first_id, end_id)
 CROSS JOIN LATERAL (
       SELECT c.status, CASE WHEN c.status = 'recorded' THEN
              extract(epoch FROM (c.state ->> 'recorded_at')::timestamptz - c.opened_at)::float8
              END AS seconds
         FROM conversations c
        WHERE c.kind = 'case' AND c.id >= d.first_id AND c.id < d.end_id AND c.status <> 'cancelled'
       OFFSET 0) c
 GROUP BY GROUPING SETS ((d.day), ())
 ORDER BY d.day NULLS LAST"""


async def recorded(
    connection: Connection, days: Sequence[Day], promise: timedelta, latest: timedelta
) -> dict[str | None, Recorded]:
    """How soon customers' own words were recorded, by day; None: all of them. Raises `TooWide`; inside
    `ONE_SNAPSHOT`.
    """
    try:
        rows = await connection.fetch(
            RECORDED, *_columns(days), promise.total_seconds(), latest.total_seconds()
        )
    except asyncpg.QueryCanceledError:
        raise TooWide from None
    return {row[0]: Recorded(**dict(list(row.items())[1:])) for row in rows}


async def _both(
    connection: Connection, query: str, days: Sequence[Day], filters: Sequence[str | bool | None]
) -> Sequence[Any]:
    try:
        stands = await counted(connection, days)
        live = [day for day in days if day.date not in stands]
        return list(await connection.fetch(query, *_columns(live), sorted(stands), *filters))
    except asyncpg.QueryCanceledError:
        raise TooWide from None


def _grouped(rows: Iterable[tuple[str | None, Any]]) -> dict[str | None, list[Any]]:
    found: dict[str | None, list[Any]] = {}
    for key, row in rows:
        found.setdefault(key, []).append(row)
    return found


def _columns(days: Sequence[Day]) -> tuple[list[date], list[UUID], list[UUID]]:
    return [day.date for day in days], [day.first for day in days], [day.end for day in days]


# Counting

# The least id of each bucket; PostgreSQL 15 has no min(uuid).
OLDEST: Final = """
SELECT c.id
  FROM generate_series(0, 255) AS b (bucket)
 CROSS JOIN LATERAL (SELECT c.id FROM conversations c WHERE c.bucket = b.bucket::smallint
                      ORDER BY c.id LIMIT 1) c
 ORDER BY c.id LIMIT 1"""


async def clock(connection: Connection) -> datetime:
    """What time it is by the clock that says whether a conversation is settled."""
    found: datetime = await connection.fetchval("SELECT now()")
    return found


async def oldest(connection: Connection) -> UUID | None:
    """The first conversation on record."""
    found: UUID | None = await connection.fetchval(OLDEST)
    return found


# Twice: with the agents, and without them, which is some fifteen times shorter and what is mostly asked for.
COUNT_SATISFACTION: Final = f"""
INSERT INTO satisfaction_days ({_SURVEYS}, by_agent, surveys)
SELECT {_SURVEYS}, grouping(agent) = 0, count(*) FROM ({_LIVE_SURVEYS}) live
 GROUP BY day, touchpoint, department, type, {_OUTCOME}, GROUPING SETS ((agent), ())"""  # noqa: S608
COUNT_TIMELINESS: Final = f"""
INSERT INTO timeliness_days ({_TICKETS}, resolutions)
SELECT {_TICKETS}, count(*) FROM ({_LIVE_TICKETS}) live GROUP BY {_TICKETS}"""  # noqa: S608
RECORD_DAY: Final = """
INSERT INTO report_days (day, first_id, end_id, counted_at)
SELECT d.*, $4 FROM unnest($1::date[], $2::uuid[], $3::uuid[]) AS d (day, first_id, end_id)
ON CONFLICT (day) DO UPDATE
   SET first_id = excluded.first_id, end_id = excluded.end_id, counted_at = excluded.counted_at"""
FORGET_CHANGES: Final = "DELETE FROM report_changes WHERE id >= $1 AND id < $2"


class Outrun(Exception):  # noqa: N818 - a finding: nothing has to be done
    """Another node is counting."""


async def count(connection: Connection, day: Day, now: datetime) -> None:
    """Count a day, anew if it was counted before. Raises `Outrun`. In a transaction of its own.

    All in one snapshot: what is changed while we count is not in it, and its mark is not either. So the mark
    stays, and the day is counted once more.
    """
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
        raise Outrun
    try:
        await connection.execute(RECORD_DAY, *_columns([day]), now)
    except asyncpg.SerializationError:  # it was counted between our snapshot and our lock
        raise Outrun from None
    for table in ("satisfaction_days", "timeliness_days"):
        await connection.execute(f"DELETE FROM {table} WHERE day = $1", day.date)  # noqa: S608
    await connection.execute(COUNT_SATISFACTION, *_columns([day]), timeout=COUNT_SECONDS)
    await connection.execute(COUNT_TIMELINESS, *_columns([day]), timeout=COUNT_SECONDS)
    await connection.execute(FORGET_CHANGES, day.first, day.end)


MARK: Final = "INSERT INTO report_changes (id) SELECT unnest($1::uuid[])"


async def mark(connection: Connection, conversations: Sequence[UUID]) -> None:
    """Put on record that these conversations, older than `SETTLED`, are changed by this transaction."""
    await connection.execute(MARK, conversations)
