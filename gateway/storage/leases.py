"""Which node owns which bucket: leases with fencing epochs, and the nodes that hold them."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from gateway.storage.database import Connection

# Seen lately, by the database's clock: nodes need not agree on the time.
BEAT: Final = """
INSERT INTO nodes (id, lock, seen_at) VALUES ($1, $2, now())
    ON CONFLICT (id) DO UPDATE SET seen_at = now(), lock = $2"""

LIVE_NODES: Final = "SELECT id FROM nodes WHERE seen_at > now() - $1 * interval '1 second' ORDER BY id"

FORGET: Final = "DELETE FROM nodes WHERE id = $1"

# A lease is free when it ran out, or when its holder is dead: the advisory lock that a living node holds on
# its connection is then to be had, long before the lease runs out.
HOLDERS: Final = """
SELECT DISTINCT l.node, n.lock FROM leases l JOIN nodes n ON n.id = l.node
 WHERE l.node <> $1 AND l.expires_at > now()"""

TAKE: Final = """
UPDATE leases SET node = $1, epoch = epoch + 1, expires_at = now() + $2 * interval '1 second'
 WHERE bucket IN (SELECT bucket FROM leases
                   WHERE node IS NULL OR expires_at <= now() OR node = ANY ($4::text[])
                   ORDER BY bucket
                   LIMIT $3
                     FOR UPDATE SKIP LOCKED)
RETURNING bucket, epoch, settled_before"""

# settled_before never goes back: what is below it stays dealt with.
RENEW: Final = """
UPDATE leases SET expires_at = now() + $2 * interval '1 second',
                  settled_before = greatest(settled_before, $3)
 WHERE node = $1 AND expires_at > now()
RETURNING bucket, epoch"""

RELEASE: Final = """
UPDATE leases SET node = NULL, expires_at = '-infinity'
 WHERE node = $1 AND bucket = ANY ($2::smallint[])"""


class Lease(NamedTuple):
    """The right to a bucket, under an epoch. `settled_before` bounds the look back of a new owner."""

    bucket: int
    epoch: int
    settled_before: UUID


async def beat(connection: Connection, node: str, lock: int) -> None:
    """Say that this node lives."""
    await connection.execute(BEAT, node, lock)


async def live_nodes(connection: Connection, seconds: float) -> list[str]:
    """The nodes seen within so many seconds."""
    return [row[0] for row in await connection.fetch(LIVE_NODES, seconds)]


async def dead_holders(connection: Connection, node: str) -> list[str]:
    """Other nodes that hold leases although their connection, and so their advisory lock, is gone."""
    dead: list[str] = []
    for holder, lock in await connection.fetch(HOLDERS, node):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
            dead.append(holder)
    return dead


async def take(
    connection: Connection, node: str, seconds: float, most: int, dead: Sequence[str]
) -> list[Lease]:
    """Take up to `most` buckets that are free, or were held by nodes that are dead."""
    return [Lease(*row) for row in await connection.fetch(TAKE, node, seconds, most, dead)]


async def renew(connection: Connection, node: str, seconds: float, settled_before: UUID) -> dict[int, int]:
    """Prolong what we hold; returns the epochs by bucket. What is missing has been lost."""
    return dict(await connection.fetch(RENEW, node, seconds, settled_before))


async def release(connection: Connection, node: str, buckets: Sequence[int]) -> None:
    """Give buckets back."""
    await connection.execute(RELEASE, node, buckets)


async def forget(connection: Connection, node: str) -> None:
    """This node is gone."""
    await connection.execute(FORGET, node)
