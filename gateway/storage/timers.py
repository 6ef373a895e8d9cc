"""What is due at a moment. A timer is gone in the transaction that deals with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.domain.timer import Timer
from gateway.storage.database import Connection
from gateway.storage.messages import columns

SET: Final = """
INSERT INTO timers (bucket, due_at, kind, subject)
SELECT * FROM unnest($1::smallint[], $2::timestamptz[], $3::text[], $4::uuid[])
    ON CONFLICT DO NOTHING"""


async def insert(connection: Connection, timers: Sequence[Timer]) -> None:
    """Set timers; one that is set already stays."""
    if timers:
        await connection.execute(SET, *columns(timers))


DUE: Final = """
SELECT bucket, due_at, kind, subject FROM timers
 WHERE bucket = ANY ($1::smallint[]) AND due_at <= $2 AND kind = ANY ($3::text[])
 ORDER BY due_at
 LIMIT $4"""


async def due(
    connection: Connection, buckets: Sequence[int], now: datetime, kinds: Sequence[str], limit: int
) -> list[Timer]:
    """Timers of these buckets and kinds whose time has come, the oldest first."""
    return [Timer(*row) for row in await connection.fetch(DUE, buckets, now, kinds, limit)]


TAKE: Final = """
DELETE FROM timers t
 USING unnest($1::smallint[], $2::timestamptz[], $3::text[], $4::uuid[]) AS u (bucket, due_at, kind, subject)
 WHERE t.bucket = u.bucket AND t.due_at = u.due_at AND t.kind = u.kind AND t.subject = u.subject
RETURNING t.bucket, t.due_at, t.kind, t.subject"""


async def take(connection: Connection, timers: Sequence[Timer]) -> list[Timer]:
    """Remove timers; those that were still there are the caller's to deal with."""
    return [Timer(*row) for row in await connection.fetch(TAKE, *columns(timers))]
