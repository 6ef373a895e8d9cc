"""What has to be done from time to time: partitions made and dropped, what is too old removed."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.services.evidence import Evidence
from gateway.storage import idempotency, partitions
from gateway.storage import messages as message_rows
from gateway.storage.database import Connection, Database, StorageUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 600.0
#: Tables that grow, by ranges of their id; the log of steps goes with its messages.
MESSAGES: Final = ("messages", "steps")
REPLIES: Final = ("parts", "replies")
FIRST_ANSWERS_KEPT: Final = timedelta(hours=48)


async def prepare(connection: Connection, now: datetime) -> None:
    """Make the partitions that are needed now and soon. To be done before anything is stored."""
    await partitions.ensure(connection, [*MESSAGES, *REPLIES], now)


class Upkeep:
    """Looks after the tables while the gateway runs."""

    def __init__(
        self,
        database: Database,
        *,
        messages_kept: timedelta,
        replies_kept: timedelta,
        early_receipts_kept: timedelta,
        evidence_kept: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._kept = {**dict.fromkeys(MESSAGES, messages_kept), **dict.fromkeys(REPLIES, replies_kept)}
        self._early_receipts_kept = early_receipts_kept
        self._evidence_kept = evidence_kept
        self._evidence = Evidence(database, now)
        self._now = now

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.once()
            except StorageUnavailable as error:
                log.warning("upkeep put off", extra={"why": str(error)})
            except Exception:
                log.exception("upkeep failed")

    async def once(self) -> None:
        """Everything that is due. Raises `StorageUnavailable`."""
        now = self._now()
        async with self._database.connection() as connection:
            await prepare(connection, now)
            await idempotency.forget_before(connection, now - FIRST_ANSWERS_KEPT)
            await message_rows.forget_early_before(connection, now - self._early_receipts_kept)
            for table, kept in self._kept.items():
                dropped = await partitions.drop_before(connection, table, now - kept)
                if dropped:
                    log.info("dropped", extra={"partitions": dropped})
        retired = await self._evidence.retire(now - self._evidence_kept)
        if retired.rows:
            log.info("evidence retired", extra={"rows": retired.rows})
        if retired.doubted:
            log.error(
                "old evidence is not as it was written and stays; run `huiyin evidence verify`",
                extra={"buckets": list(retired.doubted)},
            )
