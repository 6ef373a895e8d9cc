"""What is due: how much of it is taken at a time."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.services.backlog import WORTHWHILE, Backlog
from gateway.services.flights import Flights, Outgoing
from tests.services.road import message_to


@pytest.mark.parametrize(
    ("waiting", "room", "worth"),
    [
        pytest.param(1000, WORTHWHILE, [True, True], id="enough room"),
        pytest.param(1000, 1, [False, True, False], id="a little room waits once for more"),
        pytest.param(3, 3, [True, True], id="room for all that waits"),
        pytest.param(3, 2, [False, True], id="room for less than waits"),
    ],
)
async def test_a_little_room_waits_once_for_more(waiting: int, room: int, worth: list[bool]) -> None:
    await asyncio.sleep(0)
    backlog = Backlog(Flights(), lambda: datetime.now(UTC))
    for _ in range(waiting):
        backlog.enqueue(Outgoing(message_to()))
    assert [backlog.is_worth(room) for _ in worth] == worth
