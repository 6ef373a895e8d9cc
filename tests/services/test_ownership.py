"""Buckets that are lost and regained while messages wait: each message goes once."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.services.carrier import Fate
from tests.services.road import Roads, Stretch, message_to, roads_on, until

MESSAGES = [message_to(f"86139053{number}") for number in range(10_000, 10_050)]


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def dropped_twice(roads: Roads, node: Stretch) -> None:
    """As when the database was away for longer than a lease holds."""
    for _ in range(2):
        await node.leases._drop(node.leases.owned())
        await node.leases._beat()
        await node.leases._beat()


async def another_came_and_went(roads: Roads, node: Stretch) -> None:
    other = await roads.node(name="other", started=False)
    other.carrier.open_room = 0
    await other.start()
    for _ in range(4):
        await node.leases._beat()
        await other.leases._beat()
    assert len(node.leases.owned()) == len(other.leases.owned()) == 128
    await other.dispatch.stop(0.1)
    await other.leases.stop()
    for _ in range(3):
        await node.leases._beat()


@pytest.mark.parametrize(
    "flap",
    [
        pytest.param(dropped_twice, id="lost and retaken twice"),
        pytest.param(another_came_and_went, id="given to a node that goes again"),
    ],
)
async def test_a_backlog_whose_buckets_come_back_is_sent_once(
    roads: Roads, flap: Callable[[Roads, Stretch], Awaitable[None]]
) -> None:
    node = await roads.node()
    node.carrier.open_room = 0
    await node.accept(*MESSAGES)
    await until(lambda: len(node.dispatch._backlog.queue) == len(MESSAGES))
    await flap(roads, node)
    assert len(node.leases.owned()) == 256
    assert len(node.dispatch._backlog.queue) == len(node.flights.open) == len(MESSAGES)
    node.carrier.open_room = 1000
    for message in MESSAGES:
        assert await node.until(message, "submitted") == ["attempt", "submitted"]
    sent = Counter(parcel.token.outgoing.message.id for parcel in node.carrier.sent)
    assert sent == dict.fromkeys((message.id for message in MESSAGES), 1)


async def test_what_was_taken_up_before_its_bucket_was_lost_is_not_attempted(roads: Roads) -> None:
    """It was drawn, its turn for the log had not come, and its bucket went and came meanwhile."""
    node = await roads.node(lambda _: Fate.TAKEN)
    message = message_to()
    async with node.dispatch._in_order:
        await node.accept(message)
        await until(lambda: not len(node.dispatch._backlog.queue))
        await node.leases._drop(node.leases.owned())
        await node.leases._beat()
        await node.leases._beat()
    assert await node.until(message, "submitted") == ["attempt", "submitted"]
    await node.settled()
    assert len(node.carrier.sent) == 1
