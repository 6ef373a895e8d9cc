"""The table `api_keys`: who may call. Only the hash of a secret is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from gateway.storage.database import Connection


class KeyRow(NamedTuple):
    """One row of `api_keys`, in the order of its columns."""

    id: UUID
    name: str
    hash: bytes
    scopes: Sequence[str]
    rate: int | None
    created_at: datetime
    revoked_at: datetime | None


INSERT: Final = """
INSERT INTO api_keys (id, name, hash, scopes, rate, created_at) VALUES ($1, $2, $3, $4, $5, $6)"""


async def insert(connection: Connection, row: KeyRow) -> None:
    """Put a new key on record."""
    await connection.execute(INSERT, row.id, row.name, row.hash, list(row.scopes), row.rate, row.created_at)


# All that open doors now. Keys are few: the ring reads all of them each time.
LIVE: Final = """
SELECT id, name, hash, scopes, rate, created_at, revoked_at FROM api_keys WHERE revoked_at IS NULL"""


async def live(connection: Connection) -> list[KeyRow]:
    """The keys that are not revoked."""
    return [KeyRow(*row) for row in await connection.fetch(LIVE)]


EVERY: Final = """
SELECT id, name, hash, scopes, rate, created_at, revoked_at FROM api_keys ORDER BY id DESC"""


async def every(connection: Connection) -> list[KeyRow]:
    """All keys, revoked ones too, newest first."""
    return [KeyRow(*row) for row in await connection.fetch(EVERY)]


# The first revocation stands.
REVOKE: Final = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id"""


async def revoke(connection: Connection, key_id: UUID, now: datetime) -> bool:
    """Close the door for this key. False: there is no such key."""
    return await connection.fetchval(REVOKE, key_id, now) is not None
