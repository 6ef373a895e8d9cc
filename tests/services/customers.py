"""A gateway's inner half for tests: a real database, stand-ins for templates and listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.domain.conversation import Conversation, Kind
from gateway.domain.event import Call, Callback, CallbackKind, CallbackStatus, Event
from gateway.domain.ids import IdSource
from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.reply_rules import Phrases, ReplyRules
from gateway.domain.request import Rejected
from gateway.domain.rulebook import Rules
from gateway.domain.score import Scale
from gateway.domain.survey import State, Subject, Survey
from gateway.domain.survey import Status as SurveyStatus
from gateway.services.compose import Draft
from gateway.services.conversations import Conversations
from gateway.services.inbound import Inbound, ShortMessage
from gateway.services.inbox import Inbox
from gateway.services.timers import Timers
from gateway.storage import conversations as conversation_rows
from gateway.storage import partitions
from gateway.storage.database import Database

ANNA = "8613905310001"
BEN = "8613905310002"
START = datetime.now(UTC).replace(microsecond=0)
RULES = Rules(
    replies=ReplyRules(
        courtesy=("谢谢", "ok"),
        help=Phrases(whole=("投诉",), within=("我要投诉", "请回电")),
        takes_back=Phrases(within=("打错",)),
    ),
    access_numbers=frozenset({"10086", "10010"}),
)
SENDERS = {"10086": 3, "10010": 0}


class FakeComposer:
    """Says the template's name."""

    def __init__(self, ids: IdSource) -> None:
        self.ids = ids

    def compose(self, draft: Draft, now: datetime) -> Message | Rejected:
        bucket = bucket_of(draft.to)
        return Message(
            bucket=bucket,
            id=self.ids.new(bucket, now.timestamp()),
            accepted_at=now,
            msisdn=draft.to,
            sender=draft.sender or "10086",
            lane=Lane.TRANSACTIONAL,
            category=None,
            on_unknown=OnUnknown.RESEND,
            template=draft.template,
            version=1,
            language="zh-CN",
            body=" ".join([draft.template or "", *map(str, draft.params.values())]),
            encoding="gsm7",
            segments=1,
            status=Status.QUEUED,
            reason=None,
            due_at=None,
            expires_at=None,
            report=True,
            ref=None,
            key_id=None,
            request_id=None,
            conversation_id=draft.conversation_id,
        )


class FakeOutbox:
    """Everybody listens to everything; which connectors there are, the test says."""

    def __init__(self, ids: IdSource, connectors: frozenset[str] = frozenset()) -> None:
        self._ids = ids
        self.connectors = connectors

    def has(self, connector: str) -> bool:
        return connector in self.connectors

    def wants(self, event_type: str) -> bool:
        return bool(event_type)

    def rows(self, events: Iterable[Event | Call], now: datetime) -> list[Callback]:
        rows = [self._row(event, now) for event in events]
        return [row._replace(created_at=now + timedelta(microseconds=at)) for at, row in enumerate(rows)]

    def _row(self, event: Event | Call, now: datetime) -> Callback:
        is_call = isinstance(event, Call)
        name = event.connector if isinstance(event, Call) else event.type
        return Callback(
            bucket=event.bucket,
            id=self._ids.new(event.bucket, now.timestamp()),
            kind=CallbackKind.CONNECTOR if is_call else CallbackKind.WEBHOOK,
            target=name if is_call else "listener",
            event=name,
            subject=event.subject,
            payload=event.data,
            created_at=now,
            status=CallbackStatus.WAITING,
            tries=0,
            due_at=now,
        )


class World:
    """One node. `now` is its clock, to be set; `sent` and `called` are what it handed over."""

    def __init__(
        self,
        database: Database,
        rules: Rules = RULES,
        connectors: frozenset[str] = frozenset(),
        **options: Any,
    ) -> None:
        self.database = database
        self.ids = IdSource()
        self.now = START
        self.sent: list[Message] = []
        self.called: list[Callback] = []
        self.conversations = Conversations(
            FakeComposer(self.ids),
            FakeOutbox(self.ids, connectors),
            lambda: rules,
            hand_over_messages=self.sent.extend,
            hand_over_callbacks=self.called.extend,
        )
        self.inbound = Inbound(database, self.conversations, self.ids, SENDERS, lambda: self.now, **options)
        self.inbox = Inbox(database, self.conversations, lambda: self.now)
        self.timers = Timers(database, lambda: self.now)
        self.timers.register("conversation", self.conversations.on_timers)
        self.timers.register("reassembly", self.inbound.on_reassembly)

    async def asks(
        self, msisdn: str = ANNA, address: str = "10086001", touchpoint: str = "complaint", **changes: Any
    ) -> Conversation:
        """An open survey, stored."""
        survey = make_survey(self.ids, msisdn, address, self.now, touchpoint)._replace(**changes)
        async with self.database.connection() as connection:
            await conversation_rows.insert(connection, [survey])
        return survey

    async def hears(self, *texts: str, msisdn: str = ANNA, address: str = "10086001", **changes: Any) -> None:
        """Short messages, stored in one batch; a second goes by."""
        await self.inbound.store(
            [
                mo(text, msisdn, address, self.now + timedelta(milliseconds=at), **changes)
                for at, text in enumerate(texts)
            ]
        )
        self.now += timedelta(seconds=1)

    async def later(self, **lapse: float) -> None:
        """Time goes by, and what is due is dealt with."""
        self.now += timedelta(**lapse)
        while await self.timers.once(range(256)):
            pass

    async def survey(self, survey: Conversation) -> Survey:
        """A survey as it is stored now."""
        async with self.database.connection() as connection:
            found = await conversation_rows.load(connection, [(survey.bucket, survey.id)])
        after = found[survey.id]
        assert isinstance(after, Survey)
        return after

    async def rows(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """What a query says."""
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]

    async def replies(self) -> list[tuple[str, str, str | None]]:
        """Text, status and reason of all replies, in the order of their coming."""
        found = await self.rows("SELECT text, status, reason FROM replies ORDER BY received_at, id")
        return [(row["text"], row["status"], row["reason"]) for row in found]

    async def calls(self, event: str) -> list[dict[str, Any]]:
        """The payloads of all callbacks for an event or connector, as stored."""
        found = await self.rows("SELECT payload FROM callbacks WHERE event = $1 ORDER BY created_at", event)
        return [row["payload"] for row in found]

    def answers(self) -> list[str | None]:
        """The templates of what was sent, in order."""
        return [message.template for message in self.sent]


def make_survey(
    ids: IdSource, msisdn: str, address: str, now: datetime, touchpoint: str = "complaint"
) -> Survey:
    """An open survey about a ticket."""
    bucket = bucket_of(msisdn)
    uid = ids.new(bucket, now.timestamp())
    return Survey(
        bucket=bucket,
        id=uid,
        kind=Kind.SURVEY,
        msisdn=msisdn,
        address=address,
        touchpoint=touchpoint,
        ticket_id="TS-1",
        status=SurveyStatus.OPEN,
        opened_at=now,
        expires_at=now + timedelta(hours=72),
        message_id=UUID(int=uid.int ^ 1 << 60),
        subject=Subject(scale=Scale.TEN, ticket={"id": "TS-1", "department": "it-centre"}),
        state=State(),
        version=1,
    )


def mo(
    text: str | bytes, msisdn: str, address: str, now: datetime, *, session: str = "main-1", **changes: Any
) -> ShortMessage:
    """A short message as the link hands it in; a text goes in UCS-2."""
    given: dict[str, Any] = {
        "route": "main",
        "session": session,
        "msisdn": msisdn,
        "address": address,
        "esm_class": 0,
        "data_coding": 8,
        "payload": text if isinstance(text, bytes) else text.encode("utf-16-be"),
        "received_at": now,
    }
    return ShortMessage(**given | changes)


@asynccontextmanager
async def a_world(dsn: str, rules: Rules = RULES, **options: Any) -> AsyncIterator[World]:
    """A node on this database."""
    async with await Database.open(dsn) as database:
        async with database.connection() as connection:
            await partitions.ensure(connection, ["messages", "steps", "parts", "replies"], START)
        yield World(database, rules, **options)
