"""First answers of calls that are not the intake's: kept, and given again to the same call.

The answer is kept after the work, in a transaction of its own. Whoever dies between the two does the work
again when the caller repeats; what would reach a customer goes through the intake, which has no such gap.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.services.intake import Conflict, Once, Replay
from gateway.storage import idempotency
from gateway.storage.database import Database
from gateway.storage.idempotency import First


class Firsts:
    """Does a piece of work once for each key."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._running: set[bytes] = set()

    async def answer(
        self, once: Once, work: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes] | Replay | Conflict:
        """The work's status and body, or what was answered before. Refusals (4xx) are not kept.

        Raises `StorageUnavailable`.
        """
        if once.key_hash in self._running:
            return Conflict.STILL_RUNNING
        self._running.add(once.key_hash)
        try:
            async with self._database.connection() as connection:
                kept = await idempotency.find(connection, [(once.bucket, once.key_hash)])
            if (first := kept.get(once.key_hash)) is not None:
                if first.request_hash != once.request_hash:
                    return Conflict.OTHER_BODY
                return Replay(http_status=first.http_status, body=first.body)
            status, body = await work()
            if status < 400:
                made = First(once.bucket, once.key_hash, once.request_hash, self._now(), status, body)
                async with self._database.transaction() as connection:
                    await idempotency.claim(connection, [made])
            return status, body
        finally:
            self._running.discard(once.key_hash)
