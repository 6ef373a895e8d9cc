"""Evidence of confirmations: appended to its chains, read back by confirmation or whole, sealed when old."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.domain.evidence import Entry, Head, New, Seal, follow
from gateway.storage.database import Connection
from gateway.storage.messages import columns

PAGE: Final = 2000
AT_ONCE: Final = 5000  # rows that are removed in one transaction
_POSTGRES_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EARLIEST: Final = (datetime.min.replace(tzinfo=UTC) - _POSTGRES_EPOCH) // timedelta(microseconds=1)
_LATEST: Final = (datetime.max.replace(tzinfo=UTC) - _POSTGRES_EPOCH) // timedelta(microseconds=1)

# In the order of bucket, whoever asks: two who append to the same chains wait, and never for each other.
LOCK: Final = """
SELECT bucket, n, hash FROM evidence_heads WHERE bucket = ANY ($1::smallint[]) ORDER BY bucket FOR UPDATE"""

APPEND: Final = f"""
WITH written AS (
     INSERT INTO evidence ({", ".join(Entry._fields)})
     SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
                          $7::bytea[], $8::bytea[]))
UPDATE evidence_heads h SET n = u.n, hash = u.hash
  FROM unnest($9::smallint[], $10::bigint[], $11::bytea[]) AS u (bucket, n, hash)
 WHERE h.bucket = u.bucket"""  # noqa: S608 - column names of ours


async def append(connection: Connection, entries: Sequence[New]) -> None:
    """Put entries on record, those of one bucket in the order given.

    Once in a transaction, and late in it: from here to the commit nobody else appends to these chains, and a
    second call might wait for who waits for the first. `LookupError`: a bucket has no head.
    """
    if not entries:
        return
    news: dict[int, list[New]] = {}
    for entry in entries:
        news.setdefault(entry.bucket, []).append(entry)
    locked = [Head(*row) for row in await connection.fetch(LOCK, sorted(news))]
    if len(locked) != len(news):
        missing = news.keys() - {head.bucket for head in locked}
        raise LookupError(
            f"evidence_heads has no row for bucket {min(missing)}: run `huiyin evidence verify`"
        )
    rows: list[Entry] = []
    heads: list[Head] = []
    for head in locked:
        chained, after = follow(head, news[head.bucket])
        rows += chained
        heads.append(after)
    await connection.execute(APPEND, *columns(rows), *columns(heads))


# The time as the server keeps it: what was tampered with may be a time that no calendar has.
_COLUMNS: Final = "bucket, n, confirmation_id, timestamptz_send(at), kind, body, previous, hash"

OF: Final = f"""
SELECT {_COLUMNS} FROM evidence WHERE bucket = $1 AND confirmation_id = $2 ORDER BY n"""  # noqa: S608 - ours


async def of(connection: Connection, bucket: int, confirmation_id: UUID) -> list[Entry]:
    """All that is on record of one confirmation, first to last."""
    return [_entry(row) for row in await connection.fetch(OF, bucket, confirmation_id)]


WALK: Final = f"""
SELECT {_COLUMNS} FROM evidence
 WHERE bucket = $1 AND ($2::bigint IS NULL OR n > $2) AND ($4::bigint IS NULL OR n <= $4)
 ORDER BY n LIMIT $3"""  # noqa: S608 - ours


async def walk(
    connection: Connection, bucket: int, page: int = PAGE, until: int | None = None
) -> AsyncIterator[list[Entry]]:
    """A bucket's chain from its first row to its last, or to number `until`, a page at a time.

    Within a transaction that reads one state of the database, or rows that are appended meanwhile look as if
    the head did not know of them.
    """
    after: int | None = None
    while rows := await connection.fetch(WALK, bucket, after, page, until):
        yield [_entry(row) for row in rows]
        after = rows[-1]["n"]
        if len(rows) < page:
            return


HEADS: Final = """
SELECT bucket, n, hash FROM evidence_heads WHERE $1::smallint IS NULL OR bucket = $1 ORDER BY bucket"""


async def heads(connection: Connection, bucket: int | None = None) -> list[Head]:
    """Where each chain ends, or where one does. Every bucket has a head: no answer tells that one is gone."""
    return [Head(*row) for row in await connection.fetch(HEADS, bucket)]


# The latest of each chain: those before it say what it says.
SEALS: Final = """
SELECT DISTINCT ON (bucket) bucket, n, hash, before, sealed_at
  FROM evidence_seals
 WHERE $1::smallint IS NULL OR bucket = $1
 ORDER BY bucket, n DESC"""


async def seals(connection: Connection, bucket: int | None = None) -> list[Seal]:
    """Up to where each chain, or one, was removed because its time was over; one that is whole has none."""
    return [Seal(*row) for row in await connection.fetch(SEALS, bucket)]


# Two looks at the key: rows of buckets that there are not.
STRAY: Final = "SELECT DISTINCT bucket FROM evidence WHERE bucket < 0 OR bucket > 255 ORDER BY bucket"


async def stray_buckets(connection: Connection) -> list[int]:
    """Buckets with rows outside of 0 to 255: nobody of ours has written those."""
    return [row["bucket"] for row in await connection.fetch(STRAY)]


# One look at the first row of each chain.
OLD: Final = """
SELECT b.bucket
  FROM generate_series(0, 255) AS b (bucket)
 CROSS JOIN LATERAL (SELECT e.at FROM evidence e WHERE e.bucket = b.bucket ORDER BY e.n LIMIT 1) AS first
 WHERE first.at < $1
 ORDER BY b.bucket"""


async def old(connection: Connection, before: datetime) -> list[int]:
    """Buckets whose chain begins with a row older than `before`."""
    return [row["bucket"] for row in await connection.fetch(OLD, before)]


# As far as all rows are older: a chain is cut at its beginning only.
CUT: Final = """
SELECT e.n, e.hash
  FROM evidence e
 WHERE e.bucket = $1
   AND e.n < (SELECT min(f.n) FROM evidence f WHERE f.bucket = $1) + $3
   AND e.n < coalesce((SELECT min(y.n) FROM evidence y WHERE y.bucket = $1 AND y.at >= $2),
                      9223372036854775807)
 ORDER BY e.n DESC LIMIT 1"""

SEAL: Final = """
INSERT INTO evidence_seals (bucket, n, hash, before, sealed_at) VALUES ($1, $2, $3, $4, $5)"""

REMOVE: Final = "DELETE FROM evidence WHERE bucket = $1 AND n <= $2"


async def cut(connection: Connection, bucket: int, before: datetime, limit: int = AT_ONCE) -> Head | None:
    """Where a chain may be cut because all up to there is older than `before`; None: nowhere.

    At most `limit` rows on. In a transaction: who appends to the chain waits until its end.
    """
    await connection.fetch(LOCK, [bucket])
    row = await connection.fetchrow(CUT, bucket, before, limit)
    return None if row is None else Head(bucket, row["n"], row["hash"])


async def seal(connection: Connection, end: Head, before: datetime, now: datetime) -> int:
    """Remove a chain's rows up to where `cut` said, and keep where they ended; gives how many went.

    The chain from there on can be checked as before, and exported heads up to there can't.
    """
    await connection.execute(SEAL, *end, before, now)
    done: str = await connection.execute(REMOVE, end.bucket, end.n)
    return int(done.rpartition(" ")[2])


def _entry(row: Sequence[Any]) -> Entry:
    bucket, n, confirmation_id, at, kind, body, previous, hash_ = row
    return Entry(bucket, n, confirmation_id, _moment(at), kind, body, previous, hash_)


def _moment(sent: bytes) -> datetime | None:
    """A timestamptz as it goes over the wire: microseconds since 2000 (PostgreSQL, timestamp_send)."""
    since = int.from_bytes(sent, "big", signed=True)
    return _POSTGRES_EPOCH + timedelta(microseconds=since) if _EARLIEST <= since <= _LATEST else None
