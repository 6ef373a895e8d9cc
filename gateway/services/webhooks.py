"""Registers endpoints that hear of events, and keeps what each process knows of them up to date."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.callback import Try
from gateway.domain.event import CallbackKind
from gateway.domain.ids import IdSource, Kind, public
from gateway.domain.request import Fault, Rejected
from gateway.domain.target import Targets, fault_in_url
from gateway.domain.webhook import SECRET_OCTETS, Endpoint, fault_in_pattern, new_secret
from gateway.services.callbacks import Callbacks, Outbox
from gateway.services.intake import Conflict, Once, Replay
from gateway.storage import callbacks as owed
from gateway.storage import idempotency
from gateway.storage import webhooks as table
from gateway.storage.callbacks import Delivery
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.storage.idempotency import First

log = logging.getLogger(__name__)

REFRESH: Final = 1.0  # seconds: other processes hear of a change within two
MOST_ENDPOINTS: Final = 200
MOST_PATTERNS: Final = 50
MOST_SECRETS: Final = 4  # sign at once; whoever asks for more has forgotten to end the rotation


@dataclass(frozen=True, slots=True)
class Created:
    """A new endpoint, or a new secret of one. The secret is shown now and never again."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Unended:
    """As many secrets sign as may: the rotation must be ended first."""

    secrets: int = MOST_SECRETS


class Webhooks:
    """The endpoints: made, listed, removed; their secrets; what was delivered to them."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        callbacks: Callbacks,
        targets: Targets,
        *,
        ids: IdSource,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._callbacks = callbacks
        self._targets = targets
        self._ids = ids
        self._now = now

    async def create(
        self, url: str, events: Sequence[str], once: Once | None = None
    ) -> Created | Rejected | Replay | Conflict:
        """Register an endpoint for these patterns of events, once for each `once`.

        The first answer is kept in the same transaction. Who comes second meanwhile waits for its end.
        """
        now, secret = self._now(), new_secret(os.urandom(SECRET_OCTETS))
        endpoint = Endpoint(
            id=self._ids.new(0, now.timestamp()),
            url=url,
            events=tuple(dict.fromkeys(events)),
            secrets=(secret,),
            created_at=now,
        )
        created = Created(endpoint.name, secret)
        async with self._database.transaction() as connection:
            if once is not None and (first := await _first_answer(connection, once)) is not None:
                return first
            faults = list(self._faults(url, events))
            if not faults and len(await table.alive(connection)) >= MOST_ENDPOINTS:
                faults = [Fault("", f"{MOST_ENDPOINTS} endpoints are registered; remove one first")]
            if faults:
                return _rejected(faults)
            if once is not None:
                status, body = once.render(created)
                answer = First(once.bucket, once.key_hash, once.request_hash, now, status, body)
                if not await idempotency.claim(connection, [answer]):  # somebody was quicker, and has ended
                    return await _first_answer(connection, once) or Conflict.STILL_RUNNING
            await table.insert(connection, endpoint)
        await self.refresh()
        return created

    def _faults(self, url: str, events: Sequence[str]) -> list[Fault]:
        faults = []
        if told := fault_in_url(url, self._targets):
            faults.append(Fault("/url", told))
        if not events or len(events) > MOST_PATTERNS:
            faults.append(Fault("/events", f"name from 1 to {MOST_PATTERNS} events, as survey.* or *"))
        for place, pattern in enumerate(events):
            if told := fault_in_pattern(pattern):
                faults.append(Fault(f"/events/{place}", told))
        return faults

    async def list(self) -> list[Endpoint]:
        """All endpoints, oldest first. Their secrets are not for showing."""
        async with self._database.connection() as connection:
            return await table.alive(connection)

    async def remove(self, endpoint_id: UUID) -> bool:
        """Take an endpoint off; what it has not got, it will not get. False: there is none."""
        now = self._now()
        async with self._database.transaction() as connection:
            if not await table.remove(connection, endpoint_id, now):
                return False
            dropped = await owed.drop(connection, public(Kind.WEBHOOK, endpoint_id), now)
        log.info("webhook removed", extra={"webhook": public(Kind.WEBHOOK, endpoint_id), "dropped": dropped})
        await self.refresh()
        return True

    async def rotate(self, endpoint_id: UUID) -> Created | Unended | None:
        """A new secret; those of before sign as well until the rotation ends. None: no such endpoint."""
        secret = new_secret(os.urandom(SECRET_OCTETS))
        async with self._database.transaction() as connection:
            if not await table.rotate(connection, endpoint_id, secret, MOST_SECRETS):
                return Unended() if await table.known(connection, endpoint_id) else None
        await self.refresh()
        return Created(public(Kind.WEBHOOK, endpoint_id), secret)

    async def end_rotation(self, endpoint_id: UUID) -> bool:
        """Forget all secrets but the newest. False: there is no such endpoint."""
        async with self._database.transaction() as connection:
            found = await table.end_rotation(connection, endpoint_id)
        await self.refresh()
        return found

    async def deliveries(
        self, endpoint_id: UUID, *, before: UUID | None = None, limit: int = 50
    ) -> Sequence[tuple[Delivery, Sequence[Try]]]:
        """What was or will be sent to an endpoint, newest first, with the answers that it gave."""
        return await self._callbacks.list(
            target=public(Kind.WEBHOOK, endpoint_id), kind=CallbackKind.WEBHOOK, before=before, limit=limit
        )

    async def redeliver(self, endpoint_id: UUID, callback_id: UUID) -> bool:
        """Send one of them again, now. False: this endpoint has no such delivery, or is gone."""
        return await self._callbacks.redeliver(callback_id, public(Kind.WEBHOOK, endpoint_id))

    async def refresh(self) -> None:
        """Let the outbox know what is registered. Raises StorageUnavailable."""
        read_at = self._now()
        async with self._database.connection() as connection:
            endpoints = await table.alive(connection)
        self._outbox.register(endpoints, read_at)

    async def run(self) -> None:
        """Keep up with what other processes register, until cancelled."""
        while True:
            try:
                await self.refresh()
            except StorageUnavailable:
                log.warning("webhooks can't be read; what was known of them stays in force")
            await asyncio.sleep(REFRESH)


async def _first_answer(connection: Connection, once: Once) -> Replay | Conflict | None:
    """What was answered to this key before, if that was the same call."""
    kept = await idempotency.find(connection, [(once.bucket, once.key_hash)])
    first = kept.get(once.key_hash)
    if first is None:
        return None
    if first.request_hash != once.request_hash:
        return Conflict.OTHER_BODY
    return Replay(http_status=first.http_status, body=first.body)


def _rejected(faults: list[Fault]) -> Rejected:
    return Rejected(
        code="invalid-webhook",
        title="The endpoint can't be registered",
        status=422,
        detail="; ".join(fault.detail for fault in faults),
        errors=tuple(fault for fault in faults if fault.pointer),
    )
