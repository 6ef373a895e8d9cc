"""Confirmations taken back by who asked for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.confirmation import CANCELLABLE, Confirmation
from gateway.domain.given import Cancel
from gateway.domain.ids import bucket_of_id
from gateway.services.conversations import COLLISIONS, Conversations, OutrunError
from gateway.storage import conversations as conversation_rows
from gateway.storage.database import Database

ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Taken back. `prompt` is the message that asks, which may not have left yet."""

    prompt: UUID | None


@dataclass(frozen=True, slots=True)
class TooLate:
    """It was answered, or is over."""

    status: str


class Confirmations:
    """Takes confirmations back."""

    def __init__(self, database: Database, conversations: Conversations, now: Callable[[], datetime]) -> None:
        self._database = database
        self._conversations = conversations
        self._now = now

    async def cancel(self, confirmation_id: UUID) -> Cancelled | TooLate | None:
        """Take it back while nothing was activated; None: there is none. Raises `StorageUnavailable`."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._cancel(confirmation_id)
            except (OutrunError, *COLLISIONS):
                continue  # the customer answered in this moment
        return await self._cancel(confirmation_id)

    async def _cancel(self, confirmation_id: UUID) -> Cancelled | TooLate | None:
        changes = self._conversations.changes(self._now())
        key = (bucket_of_id(confirmation_id), confirmation_id)
        async with self._database.transaction() as connection:
            found = (await conversation_rows.load(connection, [key])).get(confirmation_id)
            if not isinstance(found, Confirmation):
                return None
            if found.status not in CANCELLABLE:
                return TooLate(found.status)
            changes.move(found, Cancel(), changes.now)
            await changes.write(connection)
        self._conversations.hand_over(changes)
        return Cancelled(found.message_id)
