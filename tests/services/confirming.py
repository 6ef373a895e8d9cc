"""A gateway's inner half for paid confirmations: real templates, real tables, a platform that is played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.config import shipped
from gateway.domain import ids, template
from gateway.domain.callback import Done, Park
from gateway.domain.confirmation import Confirmation
from gateway.domain.event import Callback
from gateway.domain.ids import IdSource, Kind
from gateway.domain.message import Event, Message, Status, Step
from gateway.domain.request import Asked, ConfirmationRequest, Rejected, ServiceWish
from gateway.domain.rulebook import Rules
from gateway.services.compose import Composer, Sender
from gateway.services.conversations import Conversations
from gateway.services.evidence import Evidence
from gateway.services.inbound import Inbound
from gateway.services.inbox import Inbox
from gateway.services.intake import Caller, Conflict, Intake, Once, Replay
from gateway.services.timers import Timers
from gateway.storage import conversations as conversation_rows
from gateway.storage import messages as message_rows
from gateway.storage import partitions
from gateway.storage.database import Database
from tests.services.customers import ANNA, RULES, START, FakeOutbox, mo

CALLER = Caller(key_id=None, request_id="req_1")
CATALOGUE = template.load(shipped("templates") / "sms", template.DEFAULT_SIGNATURES, "zh-CN")
SENDERS = {"default": Sender(number="10086", extensions=3), "plain": Sender(number="10010", extensions=0)}
PLATFORM = frozenset({"service.activate", "service.cancel"})


class Shop:
    """One node. `now` is its clock; `sent` and `called` are what it handed over."""

    def __init__(self, database: Database, rules: Rules, connectors: frozenset[str]) -> None:
        self.database = database
        self.ids = IdSource()
        self.now = START
        self.sent: list[Message] = []
        self.called: list[Callback] = []
        self.composer = Composer(lambda: CATALOGUE, SENDERS, self.ids, language="zh-CN")
        self.conversations = Conversations(
            self.composer,
            FakeOutbox(self.ids, connectors),
            lambda: rules,
            hand_over_messages=self.sent.extend,
            hand_over_callbacks=self.called.extend,
        )
        numbers = {sender.number: sender.extensions for sender in SENDERS.values()}
        self.inbound = Inbound(database, self.conversations, self.ids, numbers, lambda: self.now)
        self.inbox = Inbox(database, self.conversations, lambda: self.now)
        self.evidence = Evidence(database, lambda: self.now)
        self.timers = Timers(database, lambda: self.now)
        self.timers.register("conversation", self.conversations.on_timers)
        self.timers.register("reassembly", self.inbound.on_reassembly)

    async def open(self) -> None:
        self.intake = Intake(
            database=self.database,
            connection=await self.database.dedicated("intake"),
            composer=self.composer,
            conversations=self.conversations,
            regions=("cn",),
            hand_over=self._hand_over,
            now=lambda: self.now,
        )

    def _hand_over(self, messages: Sequence[Message]) -> None:
        self.sent.extend(messages)

    async def asks(
        self, to: str = ANNA, *, price: str = "10.00", once: Once | None = None, **wish: Any
    ) -> Asked | Rejected | Replay | Conflict:
        service = {"code": "video", "name": "视频会员", "period": "month"} | {
            key: wish.pop(key) for key in ("code", "name", "period") if key in wish
        }
        request = ConfirmationRequest(
            to=to,
            service=ServiceWish(price=price, **service),
            **({"channel": "app", "ref": "ORDER-1"} | wish),
        )
        return await self.intake.confirmation(request, CALLER, once)

    async def offers(self, to: str = ANNA, *, sent: bool = True, **wish: Any) -> Confirmation:
        """A pending confirmation whose prompt is on the phone, unless it is not sent; five seconds go by."""
        asked = await self.asks(to, **wish)
        assert isinstance(asked, Asked), asked
        uid = ids.parse(Kind.CONFIRMATION, asked.id)
        assert uid is not None
        offered = await self.confirmation(uid)
        if sent:
            await self.carries(offered, Event.ATTEMPT, Status.SUBMITTING)
            await self.carries(offered, Event.SUBMITTED, Status.SUBMITTED)
        self.now += timedelta(seconds=5)
        return offered

    async def carries(self, offered: Confirmation, event: Event, status: Status) -> None:
        """The next step of its prompt."""
        assert offered.message_id is not None
        rows = await self.rows("SELECT count(*) AS n FROM steps WHERE message_id = $1", offered.message_id)
        step = Step(
            offered.bucket,
            offered.message_id,
            rows[0]["n"] + 1,
            self.now,
            event,
            status,
            1,
            1,
            1,
            "main",
            "a1",
        )
        async with self.database.transaction() as connection:
            await message_rows.append(connection, [step])

    async def hears(self, *texts: str | bytes, msisdn: str = ANNA, address: str, **changes: Any) -> None:
        """Short messages, stored in one batch; a second goes by."""
        await self.inbound.store(
            [
                mo(text, msisdn, address, self.now + timedelta(milliseconds=at), **changes)
                for at, text in enumerate(texts)
            ]
        )
        self.now += timedelta(seconds=1)

    async def answers(self, call: Callback, verdict: Done | Park) -> None:
        """The platform answered: what the settling transaction does."""
        async with self.database.transaction() as connection:
            afterwards = await self.conversations.on_answers(connection, [(call, verdict)], self.now)
        for do in afterwards:
            do()
        self.now += timedelta(seconds=1)

    async def later(self, **lapse: float) -> None:
        """Time goes by, and what is due is dealt with."""
        self.now += timedelta(**lapse)
        while await self.timers.once(range(256)):
            pass

    async def confirmation(self, uid: UUID | Confirmation) -> Confirmation:
        """As it is stored now."""
        key = uid.id if isinstance(uid, Confirmation) else uid
        async with self.database.connection() as connection:
            found = await conversation_rows.load(connection, [(key.bytes[15], key)])
        after = found[key]
        assert isinstance(after, Confirmation)
        return after

    async def status(self, offered: Confirmation) -> str:
        return (await self.confirmation(offered)).status.value

    async def rows(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]

    async def replies(self) -> list[tuple[str, str, str | None]]:
        found = await self.rows("SELECT text, status, reason FROM replies ORDER BY received_at, id")
        return [(row["text"], row["status"], row["reason"]) for row in found]

    async def events(self) -> list[str]:
        """Of confirmations and subscriptions, in order."""
        found = await self.rows(
            "SELECT event FROM callbacks WHERE kind = 'webhook' ORDER BY created_at, event"
        )
        return [
            row["event"] for row in found if row["event"].split(".")[0] in ("confirmation", "subscription")
        ]

    def calls(self, connector: str = "service.activate") -> list[Callback]:
        return [each for each in self.called if each.target == connector]

    def told(self) -> list[str | None]:
        """The templates of what was sent, in order."""
        return [each.template for each in self.sent]

    async def testimony(self, offered: Confirmation) -> list[str]:
        """The kinds of what is on record, which is whole."""
        dossier = await self.evidence.dossier(offered.id)
        assert dossier is not None
        assert dossier.intact
        return [each.entry.kind for each in dossier.testimonies]


@asynccontextmanager
async def a_shop(
    dsn: str, rules: Rules = RULES, connectors: frozenset[str] = PLATFORM
) -> AsyncIterator[Shop]:
    async with await Database.open(dsn) as database:
        async with database.connection() as connection:
            await partitions.ensure(connection, ["messages", "steps", "parts", "replies"], START)
        shop = Shop(database, rules, connectors)
        await shop.open()
        yield shop


def since(moment: datetime) -> timedelta:
    return moment - START
