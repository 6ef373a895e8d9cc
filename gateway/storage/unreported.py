"""Messages that the SMSC took and has not reported on, found in the log: for figures, not for matching."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from gateway.domain.message import FINAL
from gateway.storage.database import Connection

# Of each bucket the newest, by the key; no index knows what is outstanding.
UNREPORTED: Final = """
SELECT m.bucket, m.id
  FROM unnest($1::smallint[]) AS b (bucket)
 CROSS JOIN LATERAL (SELECT bucket, id, report FROM messages
                      WHERE messages.bucket = b.bucket AND id >= $2
                      ORDER BY id DESC LIMIT $3) AS m
 WHERE m.report
   AND EXISTS (SELECT FROM steps s
                WHERE s.bucket = m.bucket AND s.message_id = m.id AND s.message_id >= $2
                  AND s.kind IN ('accepted', 'submitted'))
   AND NOT EXISTS (SELECT FROM steps s
                    WHERE s.bucket = m.bucket AND s.message_id = m.id AND s.message_id >= $2
                      AND s.status = ANY ($4::text[]))"""


async def unreported(
    connection: Connection, buckets: Sequence[int], since: UUID, newest: int
) -> list[tuple[int, UUID]]:
    """Bucket and id of messages that want a receipt, have an answer and no end; so many of each bucket are
    looked at."""
    rows = await connection.fetch(UNREPORTED, buckets, since, newest, sorted(FINAL))
    return [(row[0], row[1]) for row in rows]
