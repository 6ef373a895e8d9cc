"""Endpoints are registered, told of events, rotated and removed; several processes agree about them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from gateway.domain.event import Callback, Event
from gateway.domain.ids import IdSource, Kind, parse, public
from gateway.domain.request import Rejected
from gateway.domain.target import Targets
from gateway.http.client import Client
from gateway.services.callbacks import Callbacks, Outbox
from gateway.services.intake import Conflict, Once, Replay
from gateway.services.webhooks import MOST_SECRETS, Created, Unended, Webhooks
from gateway.storage import callbacks as owed
from gateway.storage import webhooks as webhook_rows
from gateway.storage.database import Database
from tests.http.fakes import world
from tests.services.other_side import OtherSide, fine, status, until

IDS = IdSource()
TARGETS = Targets(["127.0.0.0/8"])


def now() -> datetime:
    return datetime.now(UTC)


class Process:
    """The services of one process."""

    def __init__(self, database: Database, buckets: range = range(256)) -> None:
        self.database = database
        self.outbox = Outbox(IDS)
        self.client = Client(TARGETS)
        self.callbacks = Callbacks(database, self.outbox, self.client, now, lambda: buckets)
        self.webhooks = Webhooks(database, self.outbox, self.callbacks, TARGETS, ids=IDS, now=now)

    async def happens(self, event_type: str = "survey.answered") -> list[Callback]:
        event = Event(
            type=event_type, bucket=5, subject=IDS.new(5, 0), at=now(), data={"survey": {"score": 8}}
        )
        rows = self.outbox.rows([event], now())
        async with self.database.transaction() as connection:
            await owed.insert(connection, rows)
        self.callbacks.hand_over(rows)
        return rows

    async def __aenter__(self) -> Process:
        await self.client.start()
        await self.callbacks.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.callbacks.stop(0.2)
        await self.client.close()


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=4) as database:
        yield database


@pytest.fixture
async def process(database: Database) -> AsyncIterator[Process]:
    async with Process(database) as process:
        yield process


@pytest.fixture
async def other() -> AsyncIterator[OtherSide]:
    async with OtherSide() as other:
        yield other


def once(key: str = "key", body: str = "a") -> Once:
    name, request = hashlib.sha256(key.encode()).digest(), hashlib.sha256(body.encode()).digest()
    return Once(key_hash=name, request_hash=request, render=lambda made: (201, made.id.encode()))


async def registered(process: Process, url: str, *events: str) -> tuple[UUID, Created]:
    created = await process.webhooks.create(url, events or ("*",))
    assert isinstance(created, Created)
    uid = parse(Kind.WEBHOOK, created.id)
    assert uid is not None
    return uid, created


async def test_an_endpoint_gets_events_signed_with_the_secret_it_was_given(
    process: Process, other: OtherSide
) -> None:
    _, created = await registered(process, other.url + "/hook", "survey.*")
    await process.happens("message.failed")
    await process.happens("survey.answered")
    await until(lambda: other.got)
    (got,) = other.got
    told = Webhook(created.secret).verify(got.body, got.headers)
    assert told["type"] == "survey.answered"
    assert told["data"] == {"survey": {"score": 8}}
    assert told["id"].startswith("evt_")


@pytest.mark.parametrize(
    ("url", "events", "pointer", "told"),
    [
        pytest.param("http://10.0.0.1/", ["*"], "/url", "security.allow_targets", id="inner address"),
        pytest.param("gopher://example.com/", ["*"], "/url", "begins with https://", id="scheme"),
        pytest.param("https://example.com/", [], "/events", "name from 1", id="no events"),
        pytest.param("https://example.com/", ["*"] * 51, "/events", "to 50", id="too many"),
        pytest.param(
            "https://example.com/", ["*", "survey.anwsered"], "/events/1", "survey.answered?", id="typo"
        ),
    ],
)
async def test_what_can_not_be_registered_is_told_with_its_place(
    process: Process, url: str, events: list[str], pointer: str, told: str
) -> None:
    rejected = await process.webhooks.create(url, events)
    assert isinstance(rejected, Rejected)
    assert (rejected.status, rejected.code) == (422, "invalid-webhook")
    assert [fault.pointer for fault in rejected.errors] == [pointer]
    assert told in rejected.errors[0].detail
    assert await process.webhooks.list() == []


async def test_a_call_that_is_made_again_registers_nothing_more(process: Process) -> None:
    url = "http://127.0.0.1/"
    first = await process.webhooks.create(url, ["*"], once())
    assert isinstance(first, Created)
    async with Process(process.database) as other_node:
        again = await other_node.webhooks.create(url, ["*"], once())
        assert again == Replay(http_status=201, body=first.id.encode())
        assert await other_node.webhooks.create(url, ["*"], once(body="b")) is Conflict.OTHER_BODY
        assert isinstance(await other_node.webhooks.create(url, ["*"], once("another")), Created)
    assert len(await process.webhooks.list()) == 2


async def test_the_same_call_at_once_registers_one_endpoint(process: Process) -> None:
    made = await asyncio.gather(
        *(process.webhooks.create("http://127.0.0.1/", ["*"], once()) for _ in range(3))
    )
    assert sorted(type(each).__name__ for each in made) == ["Created", "Replay", "Replay"]
    assert len(await process.webhooks.list()) == 1


async def test_a_registration_that_fails_keeps_no_answer(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patch:
        patch.setattr(webhook_rows, "insert", fail)
        with pytest.raises(RuntimeError):
            await process.webhooks.create("http://127.0.0.1/", ["*"], once())
    assert isinstance(await process.webhooks.create("http://127.0.0.1/", [], once()), Rejected)
    assert isinstance(await process.webhooks.create("http://127.0.0.1/", ["*"], once()), Created)


async def test_an_idempotency_key_is_honoured_over_http(process: Process) -> None:
    async with world(webhooks=process.webhooks) as api:

        async def create(key: str) -> tuple[int, bytes, bool]:
            body = {"url": "http://127.0.0.1/", "events": ["*"]}
            async with api.http.post("/v1/webhooks", json=body, headers={"Idempotency-Key": key}) as got:
                return got.status, await got.read(), "Idempotency-Replayed" in got.headers

        status, made, replayed = await create("a")
        assert (status, replayed) == (201, False)
        assert await create("a") == (201, made, True)
        assert (await create("b"))[1] != made
    assert len(await process.webhooks.list()) == 2


async def test_rotation_signs_with_both_secrets_until_it_ends(process: Process, other: OtherSide) -> None:
    uid, old = await registered(process, other.url)
    new = await process.webhooks.rotate(uid)
    assert isinstance(new, Created)
    await process.happens()
    await until(lambda: len(other.got) == 1)
    for secret in (old.secret, new.secret):
        Webhook(secret).verify(other.got[0].body, other.got[0].headers)
    assert await process.webhooks.end_rotation(uid)
    await process.happens()
    await until(lambda: len(other.got) == 2)
    assert len(other.got[1].headers["webhook-signature"].split()) == 1
    Webhook(new.secret).verify(other.got[1].body, other.got[1].headers)


async def test_rotating_again_drops_no_secret_until_the_rotation_ends(
    process: Process, other: OtherSide
) -> None:
    uid, first = await registered(process, other.url)
    made = [first]
    for _ in range(MOST_SECRETS - 1):
        new = await process.webhooks.rotate(uid)
        assert isinstance(new, Created)
        made.append(new)
    assert await process.webhooks.rotate(uid) == Unended(MOST_SECRETS)
    await process.happens()
    await until(lambda: len(other.got) == 1)
    for each in made:
        Webhook(each.secret).verify(other.got[0].body, other.got[0].headers)
    assert await process.webhooks.end_rotation(uid)
    assert isinstance(await process.webhooks.rotate(uid), Created)


async def test_an_unknown_endpoint_is_not_rotated(process: Process) -> None:
    assert await process.webhooks.rotate(IDS.new(0, 0)) is None


async def test_a_removed_endpoint_gets_nothing_more(process: Process, other: OtherSide) -> None:
    other.answer = status(500)
    uid, _ = await registered(process, other.url)
    (row,) = await process.happens()
    await until(lambda: len(other.got) == 1)
    assert await process.webhooks.remove(uid)
    assert not await process.webhooks.remove(uid)
    assert await process.happens() == []
    found = await process.callbacks.find(row.id)
    assert found is not None
    assert found[0].status == "dropped"
    assert not await process.webhooks.redeliver(uid, row.id)
    assert await process.webhooks.list() == []
    async with process.database.connection() as connection:
        assert await connection.fetchval("SELECT secrets FROM webhooks") == []


async def test_what_waits_in_memory_for_a_removed_endpoint_goes_with_it(
    process: Process, other: OtherSide
) -> None:
    other.answer = status(500)
    uid, _ = await registered(process, other.url)
    for _ in range(30):
        await process.happens()
    await until(lambda: len(other.got) >= 5)  # the breaker is open, the others have not been tried
    await process.webhooks.remove(uid)
    process.outbox.register([], now() + timedelta(seconds=10))
    other.got.clear()
    await until(lambda: not process.callbacks.waiting)
    assert other.got == []


async def test_deliveries_show_the_answers_and_can_be_sent_again(process: Process, other: OtherSide) -> None:
    other.answer = status(422, "no thanks")
    uid, _ = await registered(process, other.url)
    (row,) = await process.happens()
    await until(lambda: not process.callbacks.waiting)
    ((delivery, tries),) = await process.webhooks.deliveries(uid)
    assert (delivery.id, delivery.status) == (row.id, "parked")
    assert [(t.number, t.http_status) for t in tries] == [(1, 422)]
    assert "no thanks" in tries[0].answer
    other.answer = fine
    assert await process.webhooks.redeliver(uid, row.id)
    await until(lambda: len(other.got) == 2 and not process.callbacks.waiting)
    ((delivery, tries),) = await process.webhooks.deliveries(uid)
    assert (delivery.status, [t.number for t in tries]) == ("done", [1, 2])
    assert other.got[0].headers["webhook-id"] == other.got[1].headers["webhook-id"]


async def test_another_endpoints_delivery_is_not_redelivered(process: Process, other: OtherSide) -> None:
    await registered(process, other.url)
    second, _ = await registered(process, other.url, "message.failed")
    (row,) = await process.happens()
    await until(lambda: not process.callbacks.waiting)
    assert not await process.webhooks.redeliver(second, row.id)


async def test_pages_of_deliveries_follow_each_other(process: Process, other: OtherSide) -> None:
    uid, created = await registered(process, other.url)
    rows = [(await process.happens())[0] for _ in range(5)]
    await until(lambda: not process.callbacks.waiting)
    first = await process.webhooks.deliveries(uid, limit=3)
    rest = await process.webhooks.deliveries(uid, limit=3, before=first[-1][0].id)
    listed = [delivery.id for delivery, _ in (*first, *rest)]
    assert listed == sorted((row.id for row in rows), reverse=True)
    assert {delivery.target for delivery, _ in first} == {created.id}


async def test_other_processes_hear_of_a_new_endpoint(database: Database, other: OtherSide) -> None:
    """Registered in the first process; the event happens in the second and is sent by the first."""
    async with Process(database) as first, Process(database, range(0)) as second:
        keeping_up = asyncio.create_task(second.webhooks.run())
        try:
            await registered(first, other.url)
            await until(lambda: second.outbox.wants("survey.answered"))
            await second.happens()
            await until(lambda: other.got)
        finally:
            keeping_up.cancel()
            await asyncio.gather(keeping_up, return_exceptions=True)


async def test_a_subscription_is_listed_as_registered(process: Process, other: OtherSide) -> None:
    uid, created = await registered(process, other.url, "survey.*", "survey.*", "message.failed")
    (endpoint,) = await process.webhooks.list()
    assert (endpoint.id, endpoint.name) == (uid, created.id)
    assert endpoint.events == ("survey.*", "message.failed")
    assert public(Kind.WEBHOOK, uid) == created.id
