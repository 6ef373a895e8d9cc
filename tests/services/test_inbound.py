"""From a short message to what follows from it, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.domain.survey import Status
from tests.services.customers import World, a_world


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn) as world:
        yield world


async def test_a_score_lands_in_the_conversation_and_is_owed_to_the_ticket(world: World) -> None:
    survey = await world.asks()
    await world.hears("8，处理得很快")
    after = await world.survey(survey)
    assert after.status is Status.ANSWERED
    assert [each.score for each in after.state.revisions] == [8]
    assert await world.replies() == [("8，处理得很快", "read", None)]
    (call,) = await world.calls("ticket.satisfaction")
    assert call["ticket"] == {"id": "TS-1", "department": "it-centre"}
    assert (call["score"], call["scale"], call["comment"], call["text"]) == (
        8,
        "ten",
        "处理得很快",
        "8，处理得很快",
    )
    assert call["set_by_person"] is False
    assert world.answers() == ["survey/thanks"]
    assert {each.event for each in world.called} == {"ticket.satisfaction", "survey.answered"}
