"""What a batch of changes puts on record as evidence: in order, once, and late in its transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.domain.event import Callback, CallbackKind
from gateway.domain.evidence import New
from gateway.domain.ids import Kind, bucket_of_id, public
from gateway.domain.message import Message
from gateway.domain.testimony import Body, Called, Said, attest, carried
from gateway.storage import evidence as evidence_rows
from gateway.storage import messages as message_rows
from gateway.storage.database import Connection


class _Traced(NamedTuple):
    """The log of a message, to be read when all else is stored."""

    message_id: UUID
    purpose: str


class _Owed(NamedTuple):
    """A call, whose id is known when it is stored."""

    connector: str
    key: str


class Attestations:
    """What is to be put on record of conversations."""

    def __init__(self) -> None:
        self._entries: list[tuple[UUID, datetime, Body | _Traced | _Owed]] = []

    def add(self, conversation_id: UUID, at: datetime, body: Body) -> None:
        """Something that is known already."""
        self._entries.append((conversation_id, at, body))

    def said(self, conversation_id: UUID, at: datetime, purpose: str, message: Message) -> None:
        """An SMS of ours."""
        body = Said(
            purpose=purpose,
            text=message.body,
            message_id=message.id,
            template=message.template,
            version=message.version,
        )
        self.add(conversation_id, at, body)

    def trace(self, conversation_id: UUID, at: datetime, message_id: UUID, purpose: str) -> None:
        """What became of an SMS of ours, as far as it is known when this is stored."""
        self._entries.append((conversation_id, at, _Traced(message_id, purpose)))

    def called(self, conversation_id: UUID, at: datetime, connector: str, key: str) -> None:
        """A call that is owed, if its connector is configured."""
        self._entries.append((conversation_id, at, _Owed(connector, key)))

    async def write(self, connection: Connection, callbacks: Sequence[Callback]) -> None:
        """Store all of it; `callbacks` are those of this batch. Nothing else is to be locked after this."""
        if not self._entries:
            return
        logs = await self._logs(connection)
        news: list[New] = []
        for uid, at, entry in self._entries:
            match entry:
                case _Traced(message_id, purpose):
                    if message_id in logs:
                        message, steps = logs[message_id]
                        news.append(attest(uid, at, carried(message, steps, purpose)))
                case _Owed():
                    if (call := _call(uid, entry, callbacks)) is not None:
                        news.append(attest(uid, at, call))
                case _:
                    news.append(attest(uid, at, entry))
        await evidence_rows.append(connection, news)

    async def _logs(self, connection: Connection) -> message_rows.Logs:
        traced = {
            (bucket_of_id(uid), entry.message_id)
            for uid, _, entry in self._entries
            if isinstance(entry, _Traced)
        }
        return await message_rows.logs(connection, list(traced)) if traced else {}


def _call(uid: UUID, owed: _Owed, callbacks: Sequence[Callback]) -> Called | None:
    for each in callbacks:
        if (
            each.kind == CallbackKind.CONNECTOR
            and (each.subject, each.target) == (uid, owed.connector)
            and each.payload.get("key", "") == owed.key
        ):
            return Called(
                connector=owed.connector,
                key=public(Kind.CALLBACK, each.id),
                callback_id=each.id,
                request=each.payload,
            )
    return None
