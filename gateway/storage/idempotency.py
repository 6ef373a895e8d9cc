"""First answers, to be given again byte for byte."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from gateway.storage.database import Connection
from gateway.storage.messages import columns


class First(NamedTuple):
    """One row of `idempotency`, in the order of its columns."""

    bucket: int
    key_hash: bytes
    request_hash: bytes
    created_at: datetime
    http_status: int
    body: bytes


# Who comes second waits here until the first has committed, and then stores nothing.
CLAIM: Final = """
INSERT INTO idempotency (bucket, key_hash, request_hash, created_at, http_status, body)
SELECT * FROM unnest($1::smallint[], $2::bytea[], $3::bytea[], $4::timestamptz[], $5::int[], $6::bytea[])
    ON CONFLICT (bucket, key_hash) DO NOTHING
RETURNING key_hash"""

FIND: Final = """
SELECT i.bucket, i.key_hash, i.request_hash, i.created_at, i.http_status, i.body
  FROM idempotency i JOIN unnest($1::smallint[], $2::bytea[]) AS u (bucket, key_hash)
    ON i.bucket = u.bucket AND i.key_hash = u.key_hash"""

FORGET: Final = "DELETE FROM idempotency WHERE created_at < $1"


async def claim(connection: Connection, firsts: Sequence[First]) -> set[bytes]:
    """Store answers; returns the keys that had none before."""
    return {row[0] for row in await connection.fetch(CLAIM, *columns(sorted(firsts)))}


async def find(connection: Connection, places: Sequence[tuple[int, bytes]]) -> dict[bytes, First]:
    """The answers kept under these keys."""
    rows = await connection.fetch(FIND, [b for b, _ in places], [k for _, k in places])
    return {row[1]: First(*row) for row in rows}


async def forget_before(connection: Connection, moment: datetime) -> None:
    """Remove answers that nobody may ask for any more."""
    await connection.execute(FORGET, moment)
