"""What is due: when a round waits for more room."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.services.backlog import WORTHWHILE, Backlog
from gateway.services.carrier import Channel
from gateway.services.flights import Flights, Outgoing
from tests.services.road import EVERYWHERE, FakeOffer, message_to


@pytest.mark.parametrize(
    ("waiting", "room", "rests"),
    [
        pytest.param(1000, WORTHWHILE, [False, False], id="enough room"),
        pytest.param(1000, 1, [True, False], id="a little room waits once for more"),
        pytest.param(3, 3, [False, False], id="room for all that waits"),
        pytest.param(3, 2, [True, False], id="room for less than waits"),
    ],
)
async def test_after_a_little_room_it_waits_once_for_more(waiting: int, room: int, rests: list[bool]) -> None:
    await asyncio.sleep(0)
    backlog = Backlog(Flights(), lambda _: Channel(EVERYWHERE, ""), lambda: datetime.now(UTC))
    for _ in range(waiting):
        backlog.enqueue(Outgoing(message_to()))
    backlog.took(len(backlog.queue.take(FakeOffer({"main": room}), 10_000)))
    assert [backlog.rests() for _ in rests] == rests
