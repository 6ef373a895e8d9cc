"""The pipe into the log of steps: what two of its callers say of the same message at the same time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.domain.message import Event, Message, Status, Step
from gateway.services.ledger import Entry
from gateway.storage import messages as message_rows
from tests.services.road import START, Roads, message_to, roads_on


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


def step(message: Message, seq: int, kind: Event, status: Status) -> Step:
    return Step(message.bucket, message.id, seq, START, kind, status)


async def test_of_two_that_take_the_same_place_at_once_one_is_told_that_it_lost(roads: Roads) -> None:
    node = await roads.node()
    message, other = message_to(), message_to()
    async with roads.database.connection() as connection:
        await message_rows.insert(connection, [message, other])
    sent = step(message, 1, Event.ATTEMPT, Status.SUBMITTING)
    taken_back = step(message, 1, Event.CANCELLED, Status.CANCELLED)
    told = step(message, 2, Event.RECEIPT, Status.CANCELLED)
    ledger = node.ledgers[0]
    before = ledger.record(Entry([step(other, 1, Event.ATTEMPT, Status.SUBMITTING)]))
    lost = await asyncio.gather(
        before, *(ledger.record(e) for e in (Entry([sent]), Entry([taken_back, told])))
    )
    assert lost == [set(), set(), {(message.id, 1), (message.id, 2)}]
    assert await node.steps(message) == [("attempt", "submitting")]


async def test_what_takes_one_place_twice_in_one_entry_is_stored_once(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    async with roads.database.connection() as connection:
        await message_rows.insert(connection, [message])
    twice = Entry([step(message, 1, Event.ATTEMPT, Status.SUBMITTING)] * 2)
    assert await node.ledgers[0].record(twice) == {(message.id, 1)}
    assert await node.steps(message) == [("attempt", "submitting")]
