"""First answers on a real database: given again, for the same body, to whoever asks on whichever node."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.services.firsts import Firsts
from gateway.services.intake import Conflict, Once, Replay
from gateway.storage.database import Database
from tests.http.fakes import world

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def once(body: str = "a") -> Once:
    key, request = hashlib.sha256(b"key").digest(), hashlib.sha256(body.encode()).digest()
    return Once(key_hash=key, request_hash=request, render=lambda outcome: outcome)


class Work:
    """Counts how often it was done."""

    def __init__(self, status: int = 201) -> None:
        self.done = 0
        self.status = status

    async def __call__(self) -> tuple[int, bytes]:
        self.done += 1
        return self.status, b"%d" % self.done


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=2) as database:
        yield database


async def test_the_same_call_gets_the_first_answer_on_any_node(database: Database) -> None:
    work = Work()
    assert await Firsts(database, lambda: NOW).answer(once(), work) == (201, b"1")
    other_node = Firsts(database, lambda: NOW)
    assert await other_node.answer(once(), work) == Replay(http_status=201, body=b"1")
    assert await other_node.answer(once("b"), work) is Conflict.OTHER_BODY
    assert work.done == 1


async def test_a_refusal_is_not_kept(database: Database) -> None:
    work, firsts = Work(422), Firsts(database, lambda: NOW)
    await firsts.answer(once(), work)
    assert await firsts.answer(once(), work) == (422, b"2")


async def test_while_the_first_runs_the_second_is_told_so(database: Database) -> None:
    firsts, started, go_on = Firsts(database, lambda: NOW), asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[int, bytes]:
        started.set()
        await go_on.wait()
        return 201, b"done"

    first = asyncio.create_task(firsts.answer(once(), slow))
    await started.wait()
    assert await firsts.answer(once(), slow) is Conflict.STILL_RUNNING
    go_on.set()
    assert await first == (201, b"done")


async def test_a_webhook_is_registered_once_for_each_key(database: Database) -> None:
    async with world(firsts=Firsts(database, lambda: NOW)) as api:

        async def create(key: str) -> tuple[int, Any, bool]:
            body = {"url": "https://crm.example.com", "events": ["*"]}
            async with api.http.post("/v1/webhooks", json=body, headers={"Idempotency-Key": key}) as got:
                return got.status, json.loads(await got.read()), "Idempotency-Replayed" in got.headers

        status, made, replayed = await create("a")
        assert (status, replayed) == (201, False)
        assert await create("a") == (201, made, True)
        assert (await create("b"))[1]["id"] != made["id"]
        assert len(api.webhooks.endpoints) == 2
