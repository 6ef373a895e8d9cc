"""This node's right to its buckets: taken, prolonged, shared with the other nodes, given back.

Two things keep a paused node from sending what another one owns by now: it looks at its own clock, which runs
on while it stands still, before each batch of octets; and each step it writes would collide with the other's.
"""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.ids import BUCKETS, floor_at
from gateway.storage import leases as lease_rows
from gateway.storage.database import Connection, Dedicated, StorageUnavailable
from gateway.telemetry import BUCKETS as BUCKETS_OWNED

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=10)
BEAT_SECONDS: Final = 1.0
#: We stop a little before others may begin: this part of the lease.
MARGIN: Final = 0.2
#: A node without its lock is dead when it has missed two beats.
SILENT_SECONDS: Final = 2 * BEAT_SECONDS
#: What is given away is kept so long for answers that are outstanding.
LEAVING_SECONDS: Final = 35.0
#: A message may be committed so long after its id was made.
COMMIT_LAG: Final = timedelta(seconds=30)

Gained = Callable[[Sequence[lease_rows.Lease]], Awaitable[None]]
Lost = Callable[[Sequence[int]], Awaitable[None]]


class Leases:
    """The buckets that are ours."""

    def __init__(
        self,
        connection: Dedicated,
        node: str,
        *,
        gained: Gained,
        lost: Lost,
        oldest_open: Callable[[], UUID | None],
        now: Callable[[], datetime],
        lease: timedelta = LEASE,
    ) -> None:
        """`lease` is how long we stay the owner without a sign of life: some beats at least."""
        self._connection = connection
        self._seconds = lease.total_seconds()
        self._node = node
        self._lock = zlib.crc32(node.encode()) | 0x4875_6979 << 32  # "Huiy": our corner of the lock space
        self._gained = gained
        self._lost = lost
        self._oldest_open = oldest_open
        self._now = now
        self._epochs: list[int | None] = [None] * BUCKETS
        self._valid_until = 0.0
        self._locked_on: Connection | None = None
        self._leaving: dict[int, tuple[int, float]] = {}  # given away: epoch, and since when
        self.unanswered: Callable[[], Collection[int]] = set  #: buckets given away that wait for an answer
        self.others = 0  #: further nodes that live

    # Ownership, as dispatch asks

    def epoch(self, bucket: int) -> int | None:
        """The epoch of our lease on a bucket; None: it is not ours."""
        return self._epochs[bucket]

    def live(self) -> bool:
        """Whether our leases hold at this very moment."""
        return asyncio.get_running_loop().time() < self._valid_until

    def owned(self) -> list[int]:
        """Our buckets."""
        return [bucket for bucket, epoch in enumerate(self._epochs) if epoch is not None]

    # The loop

    async def start(self) -> None:
        """Take what is free. Raises `StorageUnavailable`."""
        await self._beat()

    async def run(self) -> None:
        """Prolong and share for ever."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except StorageUnavailable as error:
                log.warning("leases not renewed", extra={"why": str(error)})
                if not self.live() and self.owned():
                    await self._drop(self.owned())
            except Exception:
                log.exception("leases not renewed")

    async def stop(self) -> None:
        """Give everything back, so that others need not wait."""
        owned = list(self._epochs_held())
        self._epochs = [None] * BUCKETS
        self._leaving.clear()
        self._valid_until = 0.0
        try:
            async with self._connection.connection() as connection:
                await lease_rows.release(connection, self._node, owned)
                await lease_rows.forget(connection, self._node)
        except StorageUnavailable as error:
            log.warning("leases not given back", extra={"why": str(error)})

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._connection.connection() as connection:
            await self._hold_lock(connection)
            await lease_rows.beat(connection, self._node, self._lock)
            epochs = self._epochs_held()
            held = await lease_rows.renew(
                connection, self._node, self._seconds, self._settled_before(), epochs
            )
            await lease_rows.release_former(connection, self._node, held)
            gone = [bucket for bucket in self.owned() if bucket not in held]
            await self._let_leave(connection, began)
            nodes = await lease_rows.live_nodes(connection, self._seconds)
            self.others = len(set(nodes) - {self._node})
            fair = -(-BUCKETS // max(1, len(nodes)))
            mine = len(self.owned()) - len(gone)
            taken: list[lease_rows.Lease] = []
            if mine < fair:
                dead = await lease_rows.dead_holders(connection, self._node, SILENT_SECONDS)
                taken = await lease_rows.take(connection, self._node, self._seconds, fair - mine, dead)
        self._valid_until = began + self._seconds * (1 - MARGIN)
        if gone:
            await self._drop(gone)
        if taken:
            await self._take(taken)
        elif mine > fair:
            await self._give_away(self.owned()[fair:], began)
        BUCKETS_OWNED.set(len(self.owned()))

    async def _take(self, taken: Sequence[lease_rows.Lease]) -> None:
        for lease in taken:
            self._epochs[lease.bucket] = lease.epoch
        log.info("buckets taken", extra={"count": len(taken)})
        try:
            await self._gained(taken)
        except BaseException:
            # What they hold was not read, and prolonging them would say that it was dealt with. Let go, they
            # are given back with the next beat, and read by who takes them then.
            await self._drop([lease.bucket for lease in taken])
            raise

    async def _hold_lock(self, connection: Connection) -> None:
        """The lock that tells others that we live; gone with the connection."""
        if self._locked_on is connection:
            return
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
            raise StorageUnavailable(
                f"another process runs as node {self._node!r}: give each its own [node] name"
            )
        self._locked_on = connection

    async def _drop(self, buckets: Sequence[int]) -> None:
        log.warning("buckets lost", extra={"count": len(buckets)})
        for bucket in buckets:
            self._epochs[bucket] = None
        await self._lost(buckets)

    async def _give_away(self, buckets: Sequence[int], since: float) -> None:
        """Another node has joined: leave it its share, when what is on its way has been answered."""
        leaving = {
            bucket: (epoch, since) for bucket in buckets if (epoch := self._epochs[bucket]) is not None
        }
        await self._drop(buckets)
        self._leaving |= leaving

    async def _let_leave(self, connection: Connection, now: float) -> None:
        if not self._leaving:
            return
        waiting = self.unanswered()
        gone = [
            bucket
            for bucket, (_, since) in self._leaving.items()
            if bucket not in waiting or now - since > LEAVING_SECONDS
        ]
        await lease_rows.release(connection, self._node, gone)
        for bucket in gone:
            del self._leaving[bucket]

    def _epochs_held(self) -> dict[int, int]:
        held = {bucket: epoch for bucket, epoch in enumerate(self._epochs) if epoch is not None}
        return held | {bucket: epoch for bucket, (epoch, _) in self._leaving.items()}

    def _settled_before(self) -> UUID:
        """All messages older than this have been dealt with, as far as we own them."""
        bound = floor_at(self._now() - COMMIT_LAG)
        oldest = self._oldest_open()
        return bound if oldest is None else min(bound, oldest)
