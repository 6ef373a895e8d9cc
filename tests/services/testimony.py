"""Confirmations of a few customers with all that is put on record of them, for tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.domain.evidence import New
from gateway.domain.testimony import (
    Answered,
    Became,
    Body,
    Called,
    Carried,
    Octets,
    Offered,
    Part,
    Replied,
    Said,
    Service,
    Understood,
    attest,
)
from gateway.storage import evidence
from gateway.storage.database import Database

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
ANNA = "8613905310001"
MESSAGE = UUID("0199aaaa-0000-7000-8000-000000000007")
TEXT = "订购「视频会员」10.00元/月？回复Y确认，N拒绝，24小时内有效。"


def cnf(number: int, bucket: int = 7) -> UUID:
    return UUID(int=(0x0199 << 112) | (number << 64) | bucket)


def story(reply: str = "Y", octets: bytes = b"\x00Y") -> list[Body]:
    """Offered, sent, answered with yes, activated, confirmed."""
    service = Service(code="video-vip", name="视频会员", price="10.00 元", period="月")
    sent = START + timedelta(seconds=1)
    parts = (
        Part(at=sent, what="attempt", segment=1, copy=1, route="main"),
        Part(at=sent, what="submitted", segment=1, copy=1, route="main", smsc_id="a34950e7ee46"),
        Part(at=sent, what="delivered", segment=1, smsc_id="a34950e7ee46", receipt="id:a3 stat:DELIVRD"),
    )
    return [
        Offered(
            to=ANNA,
            address="10086001",
            service=service,
            text=TEXT,
            expires_at=START + timedelta(days=1),
            channel="app",
            ref="ORDER-1",
            language="zh-CN",
            message_id=MESSAGE,
        ),
        Carried(message_id=MESSAGE, status="delivered", parts=parts),
        Replied(
            sender=ANNA,
            address="10086001",
            text=reply,
            received_at=START + timedelta(seconds=40),
            parts=(
                Octets(
                    received_at=START + timedelta(seconds=40),
                    route="main",
                    payload=octets.hex(),
                    data_coding=8,
                    esm_class=0,
                ),
            ),
        ),
        Understood(reading="yes", reason="the letter Y alone"),
        Became(status="accepted", before="pending"),
        Called(connector="billing.activate", key="cnf-7", request={"msisdn": ANNA, "price": "10.00"}),
        Answered(connector="billing.activate", outcome="done", http_status=200, answer='{"order": 4711}'),
        Said(purpose="receipt", text="您已订购视频会员，回复0000可退订。", message_id=MESSAGE),
    ]


def entries(confirmation_id: UUID, *bodies: Body) -> list[New]:
    told = bodies or story()
    return [attest(confirmation_id, START + timedelta(seconds=n), body) for n, body in enumerate(told)]


async def record(database: Database, *confirmations: UUID) -> None:
    """Put the story of each on record, step by step in turns, as customers answer."""
    for step in zip(*map(entries, confirmations), strict=True):
        for new in step:
            async with database.transaction() as connection:
                await evidence.append(connection, [new])
