"""Nothing is sent after the commit of an opt-out: attempts and opt-outs race on a real database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.domain.ids import IdSource
from gateway.domain.message import Event, Lane, Message, Status, Step
from gateway.domain.msisdn import bucket_of
from gateway.services.ending import Ending
from gateway.services.heeding import Asked
from gateway.services.ledger import Entry, Ledger
from gateway.storage import contacts, partitions
from gateway.storage.database import Database
from tests.services.road import START, message_to, roads_on

NOW = datetime.now(UTC)
IDS = IdSource()
RACES = 1000


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn) as database:
        async with database.connection() as connection:
            await partitions.ensure(connection, ["messages", "steps", "parts", "replies"], NOW)
        yield database


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    ledger = Ledger("attempts", await database.dedicated("attempts"), lambda _: None)
    yield ledger
    await ledger.drain()


def attempt(msisdn: str, lane: Lane, category: str | None = None) -> Entry:
    bucket = bucket_of(msisdn)
    uid = IDS.new(bucket, NOW.timestamp())
    step = Step(bucket, uid, 1, NOW, Event.ATTEMPT, Status.SUBMITTING, 1)
    asks = [] if lane is Lane.TRANSACTIONAL else [Asked(bucket, msisdn, uid, lane, category, NOW)]
    return Entry([step], asks=asks)


async def opt_out(database: Database, msisdn: str, scope: str = "lane:marketing") -> None:
    async with database.transaction() as connection:
        await contacts.opt_out(connection, [(bucket_of(msisdn), msisdn, scope)], NOW)


@pytest.mark.parametrize(
    ("lane", "category", "stored"),
    [
        pytest.param(Lane.MARKETING, None, False, id="the lane that was left"),
        pytest.param(Lane.SERVICE, None, True, id="another lane"),
        pytest.param(Lane.SERVICE, "offers", False, id="the category that was left"),
        pytest.param(Lane.TRANSACTIONAL, "offers", True, id="never stopped"),
    ],
)
async def test_an_attempt_after_an_opt_out_is_not_stored(
    database: Database, ledger: Ledger, lane: Lane, category: str | None, stored: bool
) -> None:
    await opt_out(database, "8613905310001")
    await opt_out(database, "8613905310001", "category:offers")
    entry = attempt("8613905310001", lane, category)
    other = attempt("8613905310002", Lane.MARKETING)
    lost, none = await asyncio.gather(ledger.record(entry), ledger.record(other))
    assert none == frozenset()
    assert lost == (frozenset() if stored else {(entry.steps[0].message_id, 1)})
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT message_id FROM steps")
    assert (entry.steps[0].message_id in {row[0] for row in rows}) is stored


async def test_who_collides_is_asked_again(database: Database, ledger: Ledger) -> None:
    """Another owner took the place of one; the opt-out of the other still holds."""
    taken, refused = attempt("8613905310001", Lane.MARKETING), attempt("8613905310002", Lane.MARKETING)
    await ledger.record(taken)
    await opt_out(database, "8613905310002")
    again = list(await asyncio.gather(ledger.record(taken), ledger.record(refused)))
    assert again == [{(entry.steps[0].message_id, 1)} for entry in (taken, refused)]


async def test_no_attempt_is_committed_after_an_opt_out(database: Database, ledger: Ledger) -> None:
    """The order of commits is the database's own: each opt-out notes the attempts that it could see."""
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE seen (msisdn text, attempts bigint)")
    chance = random.Random(1)

    async def send(msisdn: str, sent: list[Entry]) -> None:
        for _ in range(3):
            entry = attempt(msisdn, Lane.MARKETING)
            sent.append(entry)
            await ledger.record(entry)
            await asyncio.sleep(chance.random() / 1000)

    async def leave(msisdn: str, sent: list[Entry]) -> None:
        await asyncio.sleep(chance.random() / 100)
        async with database.transaction() as connection:
            await contacts.opt_out(connection, [(bucket_of(msisdn), msisdn, "lane:marketing")], NOW)
            # Under the lock: no attempt of this customer is committed between this look and our commit.
            await connection.execute(
                "INSERT INTO seen SELECT $1, count(*) FROM steps WHERE message_id = ANY ($2::uuid[])",
                msisdn,
                [entry.steps[0].message_id for entry in sent],
            )

    async def race(msisdn: str, sent: list[Entry]) -> None:
        await asyncio.gather(send(msisdn, sent), leave(msisdn, sent))

    numbers = {f"86139{at:08}": list[Entry]() for at in range(RACES)}
    for first in range(0, RACES, 50):
        some = list(numbers.items())[first : first + 50]
        await asyncio.gather(*(race(msisdn, sent) for msisdn, sent in some))
    async with database.connection() as connection:
        stored = {row[0] for row in await connection.fetch("SELECT message_id FROM steps")}
        seen = {row[0]: row[1] for row in await connection.fetch("SELECT msisdn, attempts FROM seen")}
    after = {
        msisdn: sum(entry.steps[0].message_id in stored for entry in sent) for msisdn, sent in numbers.items()
    }
    assert {msisdn for msisdn in numbers if after[msisdn] > seen[msisdn]} == set()
    assert 0 < sum(after.values()) < 3 * RACES  # both came first now and then


async def test_an_opt_out_between_the_look_and_the_attempt_stops_the_message(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with roads_on(database_dsn) as roads:
        node = await roads.node()
        message = message_to(lane=Lane.MARKETING)
        look = Ending.forbidden
        looks = 0

        async def leaves_after_the_look(ending: Ending, messages: Sequence[Message]) -> dict[UUID, str]:
            nonlocal looks
            looks += 1
            found = await look(ending, messages)
            if looks == 1:
                async with roads.database.transaction() as connection:
                    await contacts.opt_out(
                        connection, [(message.bucket, message.msisdn, "lane:marketing")], START
                    )
            return found

        monkeypatch.setattr(Ending, "forbidden", leaves_after_the_look)
        await node.accept(message)
        await node.until(message, "suppressed")
        assert node.carrier.sent == []
        assert [kind for kind, _ in await node.steps(message)] == ["stopped"]
        assert looks == 2
