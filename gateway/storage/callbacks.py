"""Calls out that are owed, and each try with the answer that it got."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.domain.callback import Settlement, Try
from gateway.domain.event import Callback, CallbackStatus
from gateway.storage.database import Connection

_OWN: Final = ", ".join(Callback._fields)
_OF_C: Final = ", ".join(f"c.{name}" for name in Callback._fields)


class Delivery(NamedTuple):
    """A callback as people look at it."""

    bucket: int
    id: UUID
    kind: str
    target: str
    event: str
    subject: UUID
    payload: dict[str, Any]
    created_at: datetime
    status: str
    tries: int
    due_at: datetime
    settled_at: datetime | None


_OF_DELIVERY: Final = ", ".join(Delivery._fields)


async def insert(connection: Connection, callbacks: Sequence[Callback]) -> None:
    """Store what is owed, in the transaction of what it tells of. Octets that jsonb refuses are replaced."""
    await connection.copy_records_to_table(
        "callbacks", records=[_storable(callback) for callback in callbacks], columns=Callback._fields
    )


KNOWN: Final = """
SELECT c.id FROM callbacks c JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON c.bucket = u.bucket AND c.id = u.id"""


async def unknown_among(connection: Connection, callbacks: Sequence[Callback]) -> list[Callback]:
    """Those that are not stored yet."""
    rows = await connection.fetch(KNOWN, [c.bucket for c in callbacks], [c.id for c in callbacks])
    known = {row[0] for row in rows}
    return [callback for callback in callbacks if callback.id not in known]


def _storable(callback: Callback) -> Callback:
    """jsonb has no U+0000, and a customer's text may."""
    encoded = msgspec.json.encode(callback.payload)
    if b"\\u0000" not in encoded:
        return callback
    return callback._replace(payload=msgspec.json.decode(encoded.replace(b"\\u0000", b"\\ufffd")))


# At start, at take-over and once in a while: the oldest calls of each target. A window over the narrow
# columns first, so that the payloads of a long queue are not sorted.
OLDEST: Final = f"""
SELECT {_OF_C}
  FROM (SELECT bucket, id, row_number() OVER (PARTITION BY target ORDER BY created_at, id) AS place
          FROM callbacks
         WHERE status = 'waiting' AND bucket = ANY ($1::smallint[])) AS o
  JOIN callbacks c ON c.bucket = o.bucket AND c.id = o.id
 WHERE o.place <= $2 AND c.status = 'waiting'
 ORDER BY c.created_at, c.id"""  # noqa: S608 - column names of ours


async def oldest(connection: Connection, buckets: Sequence[int], each: int) -> list[Callback]:
    """What waits in these buckets: up to `each` of one target, oldest first."""
    return _callbacks(await connection.fetch(OLDEST, buckets, each))


# What fell due lately: calls that nobody handed over, and those that a person sends again.
FALLEN_DUE: Final = f"""
SELECT {_OWN}
  FROM callbacks
 WHERE status = 'waiting' AND bucket = ANY ($1::smallint[]) AND due_at > $2 AND due_at <= $3
 ORDER BY created_at, id
 LIMIT $4"""  # noqa: S608 - column names of ours


async def fallen_due(
    connection: Connection, buckets: Sequence[int], since: datetime, until: datetime, limit: int
) -> list[Callback]:
    """What waits and fell due within this time, oldest first."""
    return _callbacks(await connection.fetch(FALLEN_DUE, buckets, since, until, limit))


OLDEST_OF: Final = f"""
SELECT {_OWN}
  FROM callbacks
 WHERE status = 'waiting' AND bucket = ANY ($1::smallint[]) AND target = $2
 ORDER BY created_at, id
 LIMIT $3"""  # noqa: S608 - column names of ours


async def oldest_of(
    connection: Connection, buckets: Sequence[int], target: str, limit: int
) -> list[Callback]:
    """What waits for one target, oldest first."""
    return _callbacks(await connection.fetch(OLDEST_OF, buckets, target, limit))


# A try belongs to who made it first; a second owner of the same bucket may have made it as well.
RECORD: Final = """
INSERT INTO callback_tries (bucket, callback_id, try, at, seconds, http_status, answer)
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::int[], $4::timestamptz[], $5::real[], $6::int[],
                     $7::text[])
    ON CONFLICT (bucket, callback_id, try) DO NOTHING"""

# Only what still waits: an endpoint may have been removed while its call was under way.
SETTLE: Final = """
UPDATE callbacks c
   SET status = u.status, tries = u.tries, due_at = u.due_at, settled_at = u.settled_at
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[])
       AS u (bucket, id, status, tries, due_at, settled_at)
 WHERE c.bucket = u.bucket AND c.id = u.id AND c.status = 'waiting'"""


async def settle(connection: Connection, tries: Sequence[Try], settlements: Sequence[Settlement]) -> None:
    """Put tries on record, and what they make of their callbacks. One settlement a callback."""
    if tries:
        await connection.execute(RECORD, *zip(*tries, strict=True))
    if settlements:
        await connection.execute(SETTLE, *zip(*settlements, strict=True))


REDELIVER: Final = f"""
UPDATE callbacks SET status = 'waiting', due_at = $3, settled_at = NULL
 WHERE bucket = $1 AND id = $2 AND status <> 'dropped' AND ($4::text IS NULL OR target = $4)
RETURNING {_OWN}"""  # noqa: S608 - column names of ours


async def redeliver(
    connection: Connection, bucket: int, callback_id: UUID, now: datetime, target: str | None = None
) -> Callback | None:
    """Let it wait again, due at once. None: there is none of this id and target, or its endpoint is gone."""
    row = await connection.fetchrow(REDELIVER, bucket, callback_id, now, target)
    return None if row is None else Callback(*row)


DROP: Final = """
UPDATE callbacks SET status = 'dropped', settled_at = $2
 WHERE target = $1 AND status IN ('waiting', 'parked')"""


async def drop(connection: Connection, target: str, now: datetime) -> int:
    """Give up what is owed to a target that was removed; says how many."""
    told: str = await connection.execute(DROP, target, now)
    return int(told.rpartition(" ")[2])


LISTED: Final = f"""
SELECT {_OF_DELIVERY}
  FROM callbacks
 WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR target = $2)
   AND ($3::uuid IS NULL OR id < $3) AND ($4::text IS NULL OR kind = $4)
 ORDER BY id DESC
 LIMIT $5"""  # noqa: S608 - column names of ours


async def listed(
    connection: Connection,
    *,
    status: CallbackStatus | None = None,
    target: str | None = None,
    kind: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Newest first; `before` is the last id of the page before."""
    rows = await connection.fetch(LISTED, status, target, before, kind, limit)
    return [Delivery(*row) for row in rows]


FIND: Final = f"SELECT {_OF_DELIVERY} FROM callbacks WHERE bucket = $1 AND id = $2"  # noqa: S608 - see above


async def find(connection: Connection, bucket: int, callback_id: UUID) -> Delivery | None:
    """One callback, whatever its status."""
    row = await connection.fetchrow(FIND, bucket, callback_id)
    return None if row is None else Delivery(*row)


TRIES: Final = """
SELECT t.bucket, t.callback_id, t.try, t.at, t.seconds, t.http_status, t.answer
  FROM unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
  JOIN callback_tries t ON t.bucket = u.bucket AND t.callback_id = u.id
 ORDER BY t.callback_id, t.try"""


async def tries_of(
    connection: Connection, deliveries: Sequence[Delivery] | Sequence[Callback]
) -> dict[UUID, list[Try]]:
    """The tries of each of these, in order."""
    found: dict[UUID, list[Try]] = {delivery.id: [] for delivery in deliveries}
    if found:
        rows = await connection.fetch(TRIES, [d.bucket for d in deliveries], list(found))
        for row in rows:
            found[row["callback_id"]].append(Try(*row))
    return found


COUNTS: Final = "SELECT target, count(*) FROM callbacks WHERE status = 'parked' GROUP BY target"


async def parked(connection: Connection) -> dict[str, int]:
    """How many calls of each target wait for a person."""
    return {row[0]: row[1] for row in await connection.fetch(COUNTS)}


def _callbacks(rows: Sequence[Any]) -> list[Callback]:
    return [Callback(*row) for row in rows]
