"""Follow-ups on a real database: what the ticket system answers, and tickets that the rules pick."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.callback import Done, Park
from gateway.domain.conversation import Conversation
from gateway.domain.event import Callback
from gateway.domain.score import Scale
from gateway.domain.survey import Subject
from tests.services.customers import World, a_world
from tests.services.test_cases import answer, owed

TICKET = {"id": "TS-1"}


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, connectors=frozenset({"ticket.create"})) as world:
        yield world


async def picked(world: World, **changes: Any) -> Conversation:
    """A question about a ticket that the rules picked, with the timer that goes with it."""
    due = world.now + timedelta(hours=24)
    subject = Subject(scale=Scale.TEN, ticket=TICKET, callback_at=due)
    survey = await world.asks(subject=subject, **changes)
    await world.rows("INSERT INTO timers VALUES ($1, $2, 'conversation', $3)", survey.bucket, due, survey.id)
    return survey


async def follow_up(world: World, survey: Conversation) -> tuple[str | None, str | None]:
    task = (await world.survey(survey)).state.follow_up
    assert task is not None
    return task.number, task.failed


async def refused(world: World) -> Callback:
    await world.hears("2分，太慢")
    (call,) = await owed(world)
    await answer(world, call, Park("HTTP 422"))
    return call


async def test_the_follow_ups_number_is_in_the_survey(world: World) -> None:
    survey = await world.asks()
    await world.hears("2分，太慢")
    (call,) = await owed(world)
    assert (call.payload["key"], call.payload["kind"]) == ("follow_up", "follow_up")
    assert await follow_up(world, survey) == (None, None)
    await answer(world, call, Done("TS-77"))
    assert await follow_up(world, survey) == ("TS-77", None)
    (told,) = await world.calls("survey.follow_up")
    assert (told["changed"], told["follow_up"]["number"]) == ("recorded", "TS-77")


async def test_a_follow_up_that_is_refused_stands_in_the_inbox_until_it_is_taken(world: World) -> None:
    survey = await world.asks()
    call = await refused(world)
    assert await world.replies() == [("2分，太慢", "inbox", "follow-up-not-recorded: HTTP 422")]
    await answer(world, call, Done("TS-78"))  # sent again by hand
    ((_, status, _),) = await world.replies()
    assert (status, await follow_up(world, survey)) == ("read", ("TS-78", None))


async def test_a_picked_ticket_is_called_back_whatever_the_score(world: World) -> None:
    survey = await picked(world)
    await world.hears("10")
    await world.later(hours=23)
    assert await owed(world) == []
    await world.later(hours=1)
    (call,) = await owed(world)
    assert (call.payload["key"], call.payload["score"]) == ("callback", 10)
    await answer(world, call, Done("TS-79"))
    assert await follow_up(world, survey) == ("TS-79", None)
    await world.later(hours=72)
    assert len(await owed(world)) == 1
    assert [each["changed"] for each in await world.calls("survey.follow_up")] == ["asked", "recorded"]


async def test_a_picked_ticket_is_called_back_without_any_score(world: World) -> None:
    await picked(world)
    await world.later(hours=24)
    (call,) = await owed(world)
    assert (call.payload["status"], call.payload["score"]) == ("open", None)


async def test_a_low_score_was_followed_up_already(world: World) -> None:
    await picked(world)
    await world.hears("2")
    await world.later(hours=25)
    assert [call.payload["key"] for call in await owed(world)] == ["follow_up"]


async def test_a_ticket_resolved_twice_is_called_back_once(world: World) -> None:
    await picked(world, status="expired")
    await world.later(hours=2)
    second = await picked(world, address="10086002")
    await world.later(hours=48)
    (call,) = await owed(world)
    assert call.subject == second.id
