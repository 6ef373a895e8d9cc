"""Which node owns which bucket: leases with fencing epochs, and the nodes that hold them."""

from collections.abc import Collection, Mapping, Sequence
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
# its connection is then to be had, long before the lease runs out. A living one whose connection was cut has
# it again with its next beat.
HOLDERS: Final = """
SELECT DISTINCT l.node, n.lock FROM leases l JOIN nodes n ON n.id = l.node
 WHERE l.node <> $1 AND l.expires_at > now() AND n.seen_at < now() - $2 * interval '1 second'"""

TAKE: Final = """
UPDATE leases SET node = $1, epoch = epoch + 1, expires_at = now() + $2 * interval '1 second'
 WHERE bucket IN (SELECT bucket FROM leases
                   WHERE node IS NULL OR expires_at <= now() OR node = ANY ($4::text[])
                   ORDER BY bucket
                   LIMIT $3
                     FOR UPDATE SKIP LOCKED)
RETURNING bucket, epoch, settled_before"""

# settled_before never goes back: what is below it stays dealt with. Only leases of this very life are
# prolonged: what a former life under the same name has left open, nobody has looked at yet.
RENEW: Final = """
UPDATE leases l SET expires_at = now() + $2 * interval '1 second',
                    settled_before = greatest(l.settled_before, $3)
  FROM unnest($4::smallint[], $5::bigint[]) AS u (bucket, epoch)
 WHERE l.bucket = u.bucket AND l.epoch = u.epoch AND l.node = $1 AND l.expires_at > now()
RETURNING l.bucket"""

RELEASE_FORMER: Final = """
UPDATE leases SET node = NULL, expires_at = '-infinity'
 WHERE node = $1 AND bucket <> ALL ($2::smallint[])"""

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


async def dead_holders(connection: Connection, node: str, silent_seconds: float) -> list[str]:
    """Other nodes, silent for so long, that hold leases although their connection and its lock are gone."""
    dead: list[str] = []
    for holder, lock in await connection.fetch(HOLDERS, node, silent_seconds):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
            dead.append(holder)
    return dead


async def take(
    connection: Connection, node: str, seconds: float, most: int, dead: Sequence[str]
) -> list[Lease]:
    """Take up to `most` buckets that are free, or were held by nodes that are dead."""
    return [Lease(*row) for row in await connection.fetch(TAKE, node, seconds, most, dead)]


async def renew(
    connection: Connection, node: str, seconds: float, settled_before: UUID, epochs: Mapping[int, int]
) -> set[int]:
    """Prolong what we hold, epochs by bucket; returns the buckets. What is missing has been lost."""
    rows = await connection.fetch(
        RENEW, node, seconds, settled_before, list(epochs.keys()), list(epochs.values())
    )
    return {row[0] for row in rows}


async def release_former(connection: Connection, node: str, held: Collection[int]) -> None:
    """Give back what is held in this node's name by a former life of it."""
    await connection.execute(RELEASE_FORMER, node, list(held))


async def release(connection: Connection, node: str, buckets: Sequence[int]) -> None:
    """Give buckets back."""
    await connection.execute(RELEASE, node, buckets)


async def forget(connection: Connection, node: str) -> None:
    """This node is gone."""
    await connection.execute(FORGET, node)
