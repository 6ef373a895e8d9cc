"""What a person says a reply means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from gateway.domain.survey import Status
from gateway.services.inbox import Gone, Judgement, NotFound, Refused, Resolved
from gateway.services.lookups import Lookups, Page
from tests.services.customers import ANNA, World, a_world


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, connectors=frozenset({"ticket.create"})) as world:
        yield world


def judged(**verdict: object) -> Judgement:
    return msgspec.convert(verdict, Judgement)


async def in_inbox(world: World) -> UUID:
    rows = await world.rows("SELECT id FROM replies WHERE status = 'inbox'")
    uid: UUID = rows[0]["id"]
    return uid


async def unparsed(world: World) -> UUID:
    await world.hears("什么意思")
    await world.hears("还可以吧")
    return await in_inbox(world)


async def test_a_person_sets_the_score_and_the_write_back_says_so(world: World) -> None:
    survey = await world.asks()
    reply = await unparsed(world)
    outcome = await world.inbox.resolve(reply, judged(**{"as": "score", "score": 7}), "li")
    assert outcome == Resolved(reply, "score")
    after = await world.survey(survey)
    assert (after.status, after.state.revisions[0].score, after.state.revisions[0].by) == (
        Status.ANSWERED,
        7,
        "li",
    )
    call = (await world.calls("ticket.satisfaction"))[-1]
    assert (call["score"], call["set_by_person"], call["person"]) == (7, True, "li")
    assert (call["text"], call["comment"]) == ("什么意思\n还可以吧", None)
    (row,) = await world.rows("SELECT status, resolved_as, resolved_by FROM replies WHERE id = $1", reply)
    assert row == {"status": "resolved", "resolved_as": {"as": "score", "score": 7}, "resolved_by": "li"}
    assert world.answers() == ["survey/clarify"]
    assert world.called[-1].event == "survey.answered"


async def test_a_late_score_can_be_set_by_a_person(world: World) -> None:
    survey = await world.asks()
    await world.later(hours=73)
    await world.hears("9")
    await world.inbox.resolve(await in_inbox(world), judged(**{"as": "score", "score": 9}), "li")
    assert (await world.survey(survey)).status is Status.ANSWERED


async def test_somebody_was_quicker(world: World) -> None:
    await world.asks()
    reply = await unparsed(world)
    outcomes = await asyncio.gather(
        *(world.inbox.resolve(reply, judged(**{"as": "score", "score": each}), "li") for each in (4, 5))
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Gone", "Resolved"]
    assert len(await world.calls("survey.answered")) == 1


async def test_what_the_customer_cleared_up_is_gone(world: World) -> None:
    await world.asks()
    reply = await unparsed(world)
    await world.hears("8")
    assert await world.inbox.resolve(reply, judged(**{"as": "nothing"}), "li") == Gone()


async def test_an_unknown_reply(world: World) -> None:
    assert await world.inbox.resolve(UUID(int=9), judged(**{"as": "nothing"}), "li") == NotFound()


async def test_own_words_become_a_ticket(world: World) -> None:
    await world.asks()
    await world.hears("家里宽带断了", "宽带还是断的")
    reply = await in_inbox(world)
    assert await world.inbox.resolve(reply, judged(**{"as": "ticket"}), "li") == Resolved(reply, "ticket")
    (call,) = await world.calls("ticket.create")
    assert (call["kind"], call["text"]) == ("customer_words", "家里宽带断了\n宽带还是断的")
    assert len(await world.calls("ticket.requested")) == 1


async def test_without_a_ticket_system_no_ticket_can_be_made(database_dsn: str) -> None:
    async with a_world(database_dsn) as world:
        await world.hears("家里宽带断了", address="10086")
        reply = await in_inbox(world)
        outcome = await world.inbox.resolve(reply, judged(**{"as": "ticket"}), "li")
        assert isinstance(outcome, Refused)
        assert "ticket.create" in outcome.detail
        assert await in_inbox(world) == reply


async def test_an_entry_shows_all_words_that_were_not_understood(world: World) -> None:
    await world.asks()
    reply = await unparsed(world)
    for before in ("", ANNA):
        (entry,) = await Lookups(world.database, lambda: world.now).inbox(Page(), to=before or None)
        assert (entry.id, entry.text) == (reply, "什么意思\n还可以吧")
    assert [text for text, _, _ in await world.replies()] == ["什么意思", "还可以吧"]


@pytest.mark.parametrize(
    ("texts", "text", "score", "comment"),
    [
        pytest.param(["网还是慢", "投诉"], "网还是慢\n投诉", None, None, id="not understood"),
        pytest.param(["投诉", "9"], "投诉", 9, "投诉", id="before a score"),
        pytest.param(["9", "网还是慢", "请回电"], "请回电", 9, "网还是慢\n请回电", id="after a score"),
    ],
)
async def test_a_ticket_made_of_a_reply_names_the_one_that_it_follows_from(
    world: World, texts: list[str], text: str, score: int | None, comment: str | None
) -> None:
    await world.asks()
    for each in texts:
        await world.hears(each)
    reply = await in_inbox(world)
    assert await world.inbox.resolve(reply, judged(**{"as": "ticket"}), "li") == Resolved(reply, "ticket")
    (call,) = await world.calls("ticket.create")
    assert (call["kind"], call["text"], call["score"], call["comment"]) == (
        "customer_words",
        text,
        score,
        comment,
    )
    assert call["ticket"] == {"id": "TS-1", "department": "it-centre"}


async def test_nothing_leaves_the_inbox_and_changes_no_survey(world: World) -> None:
    survey = await world.asks()
    reply = await unparsed(world)
    assert await world.inbox.resolve(reply, judged(**{"as": "nothing"}), "li") == Resolved(reply, "nothing")
    assert (await world.survey(survey)).status is Status.UNPARSED


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param({"as": "score"}, id="a score without one"),
        pytest.param({"as": "score", "score": 11}, id="off the scale"),
        pytest.param({"as": "score", "score": 0}, id="zero"),
        pytest.param({"as": "nothing", "score": 3}, id="a score with nothing"),
        pytest.param({"as": "yes"}, id="yes to a survey"),
        pytest.param({"as": "no"}, id="no to a survey"),
    ],
)
async def test_what_cannot_be_said_of_a_reply_changes_nothing(
    world: World, verdict: dict[str, object]
) -> None:
    await world.asks()
    reply = await unparsed(world)
    assert isinstance(await world.inbox.resolve(reply, judged(**verdict), "li"), Refused)
    assert await in_inbox(world) == reply


async def test_own_words_take_no_score(database_dsn: str) -> None:
    async with a_world(database_dsn) as world:
        await world.hears("家里宽带断了", address="10086")
        reply = await in_inbox(world)
        verdict = judged(**{"as": "score", "score": 3})
        assert isinstance(await world.inbox.resolve(reply, verdict, "li"), Refused)
        assert await in_inbox(world) == reply
