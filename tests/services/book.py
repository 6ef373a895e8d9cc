"""A database with messages, surveys and replies in it, for those who look things up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.domain.ids import IdSource
from gateway.domain.message import Message, Step
from gateway.domain.msisdn import bucket_of
from gateway.domain.scale import Scale
from gateway.domain.survey import State, Status, Subject, Survey
from gateway.services.lookups import Lookups
from gateway.storage import conversations as conversation_rows
from gateway.storage import messages as message_rows
from gateway.storage import partitions
from gateway.storage import replies as reply_rows
from gateway.storage.database import Database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LI, WANG = "8613905310001", "8613905310002"


@dataclass
class Book:
    """A database, and what writes into it."""

    database: Database
    lookups: Lookups
    ids: IdSource

    def id(self, msisdn: str, minute: int) -> UUID:
        at = NOW + timedelta(minutes=minute)
        return self.ids.new(bucket_of(msisdn), at.timestamp())

    async def message(
        self,
        msisdn: str,
        minute: int,
        *steps: tuple[str, str],
        copy: int = 1,
        detail: str | None = None,
        **fields: Any,
    ) -> UUID:
        """A message accepted at `minute`, and its steps (kind, status) a second apart."""
        uid, at = self.id(msisdn, minute), NOW + timedelta(minutes=minute)
        row: dict[str, Any] = (
            dict.fromkeys(Message._fields)
            | {
                "bucket": bucket_of(msisdn),
                "id": uid,
                "accepted_at": at,
                "msisdn": msisdn,
                "sender": "10086",
                "lane": "service",
                "on_unknown": "resend",
                "body": "您好",
                "encoding": "ucs2",
                "segments": 1,
                "status": "queued",
                "report": True,
            }
            | fields
        )
        taken = [
            Step(
                bucket_of(msisdn),
                uid,
                n,
                at + timedelta(seconds=n),
                kind,
                status,
                1,
                copy,
                1,
                "main",
                detail=detail,
            )
            for n, (kind, status) in enumerate(steps, start=1)
        ]
        async with self.database.transaction() as connection:
            await message_rows.insert(connection, [Message(**row)])
            await message_rows.append(connection, taken)
        return uid

    async def survey(self, msisdn: str, minute: int, status: Status, **fields: Any) -> UUID:
        uid, at = self.id(msisdn, minute), NOW + timedelta(minutes=minute)
        row = Survey(
            bucket=bucket_of(msisdn),
            id=uid,
            kind="survey",
            msisdn=msisdn,
            address="10086001",
            touchpoint=f"t{minute}",
            ticket_id=fields.get("ticket"),
            status=status,
            opened_at=at,
            expires_at=at + timedelta(hours=72),
            message_id=None,
            subject=Subject(scale=Scale.TEN),
            state=fields.get("state", State()),
            version=1,
        )
        async with self.database.transaction() as connection:
            await conversation_rows.insert(connection, [row])
        return uid

    async def reply(self, msisdn: str, minute: int, status: str, conversation: UUID | None = None) -> UUID:
        uid = self.id(msisdn, minute)
        row: dict[str, Any] = dict.fromkeys(reply_rows.Reply._fields) | {
            "bucket": bucket_of(msisdn),
            "id": uid,
            "received_at": NOW + timedelta(minutes=minute),
            "msisdn": msisdn,
            "address": "10086001",
            "text": "8分",
            "complete": True,
            "redelivery": False,
            "status": status,
            "conversation_id": conversation,
        }
        async with self.database.transaction() as connection:
            await reply_rows.insert(connection, [reply_rows.Reply(**row)])
        return uid


@asynccontextmanager
async def book_in(dsn: str) -> AsyncIterator[Book]:
    """An empty book in that database."""
    async with await Database.open(dsn, size=2) as database:
        async with database.connection() as connection:
            await partitions.ensure(connection, ["messages", "steps", "parts", "replies"], NOW)
        yield Book(database, Lookups(database, lambda: NOW + timedelta(minutes=5)), IdSource())
