"""Keywords of the business hall: looked up, answered once, whatever the operator's system does, on a real
database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.callback import Done, Park
from gateway.domain.event import Callback
from gateway.domain.keywords import Entry, Keywords
from gateway.domain.rules import Duration
from gateway.domain.survey_rules import AtMost
from gateway.services.conversations import OutrunError
from tests.services.customers import ANNA, BEN, RULES, World, a_world

KEYWORDS = Keywords(
    limit=AtMost(5, Duration(minutes=10)),
    entries={
        "balance": Entry(
            words=("余额", "CXYE", "balance"), lookup="balance", fields=("balance",), template="hall/balance"
        ),
        "points": Entry(words=("积分",), lookup="points", fields=("points",), template="hall/points"),
        "help": Entry(words=("帮助", "0"), template="hall/help", lists=True, line={"zh-CN": "0：帮助"}),
        "human": Entry(words=("投诉电话", "投诉"), template="hall/human", params={"hotline": "10086"}),
    },
)
HALL = replace(RULES, keywords=KEYWORDS)


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, HALL, connectors=frozenset({"lookup.balance"})) as world:
        yield world


def lookups(world: World) -> list[Callback]:
    return [call for call in world.called if call.target.startswith("lookup.")]


def told(world: World) -> list[str]:
    return [message.body.strip() for message in world.sent]


async def answer(world: World, call: Callback, verdict: Done | Park) -> None:
    """The system answered: what the settling transaction does."""
    async with world.database.transaction() as connection:
        afterwards = await world.conversations.on_answers(connection, [(call, verdict)], world.now)
    for do in afterwards:
        do()


async def enquiries(world: World) -> list[tuple[str, str]]:
    found = await world.rows(
        "SELECT touchpoint, status FROM conversations WHERE kind = 'enquiry' ORDER BY id"
    )
    return [(row["touchpoint"], row["status"]) for row in found]


async def test_a_keyword_is_looked_up_and_answered(world: World) -> None:
    await world.hears("ｃｘｙｅ。", address="10086")
    (call,) = lookups(world)
    assert (call.target, call.payload["to"], call.payload["keyword"]) == (
        "lookup.balance",
        ANNA,
        "ｃｘｙｅ。",
    )
    assert told(world) == []
    await answer(world, call, Done({"balance": "23.50", "internal": 7}))
    assert told(world) == ["hall/balance 23.50"]
    assert world.sent[0].sender == "10086"
    assert await enquiries(world) == [("hall.balance", "answered")]
    assert await world.replies() == [("ｃｘｙｅ。", "read", None)]


async def test_what_needs_no_look_up_is_answered_at_once(world: World) -> None:
    await world.hears("幫助", address="10086")
    assert told(world) == ["hall/help [{'line': '0：帮助'}]"]
    assert await enquiries(world) == [("hall.help", "answered")]


async def test_a_slow_system_gets_one_polite_sentence_and_its_answer_still_goes_out(world: World) -> None:
    await world.hears("余额", address="10086")
    (call,) = lookups(world)
    await world.later(seconds=5)
    await world.later(seconds=60)
    assert told(world) == ["hall/slow"]
    await answer(world, call, Done({"balance": "23.50"}))
    assert told(world) == ["hall/slow", "hall/balance 23.50"]
    await world.later(minutes=5)
    await answer(world, call, Done({"balance": "23.50"}))
    assert told(world) == ["hall/slow", "hall/balance 23.50"]


@pytest.mark.parametrize(
    "late", [pytest.param(True, id="the timer first"), pytest.param(False, id="the answer before the timer")]
)
async def test_an_answer_that_comes_too_late_is_of_no_use(world: World, late: bool) -> None:
    await world.hears("余额", address="10086")
    (call,) = lookups(world)
    await world.later(seconds=5)
    if late:
        await world.later(minutes=2)
    else:
        world.now += timedelta(minutes=2)
    await answer(world, call, Done({"balance": "23.50"}))
    await world.later(seconds=1)
    assert told(world) == ["hall/slow", "hall/unavailable"]
    assert await enquiries(world) == [("hall.balance", "unavailable")]


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(Park("HTTP 422"), id="refused"),
        pytest.param(Done(None), id="nothing at result"),
        pytest.param(Done("23.50"), id="no object at result"),
    ],
)
async def test_a_failed_look_up_is_told_once(world: World, verdict: Done | Park) -> None:
    await world.hears("余额", address="10086")
    (call,) = lookups(world)
    await answer(world, call, verdict)
    await answer(world, call, Done({"balance": "23.50"}))
    await world.later(minutes=5)
    assert told(world) == ["hall/unavailable"]


async def test_without_a_connector_the_customer_is_told(world: World) -> None:
    await world.hears("积分", address="10086")
    assert told(world) == ["hall/unavailable"]
    await world.later(minutes=5)
    assert told(world) == ["hall/unavailable"]


async def test_the_same_word_again_is_answered_once(world: World) -> None:
    await world.hears("余额", "余额", address="10086")
    await world.hears("查 余额", "CXYE", address="10086")
    (call,) = lookups(world)
    await answer(world, call, Done({"balance": "23.50"}))
    await world.hears("余额！", address="10086")
    assert told(world) == ["hall/balance 23.50"]
    await world.later(seconds=11)
    await world.hears("余额", address="10086")
    assert len(lookups(world)) == 2


async def test_two_customers_have_two_answers(world: World) -> None:
    await world.hears("余额", address="10086")
    await world.hears("余额", address="10086", msisdn=BEN)
    assert sorted(call.payload["to"] for call in lookups(world)) == [ANNA, BEN]


async def test_a_machine_that_asks_falls_silent(world: World) -> None:
    for _ in range(8):
        await world.hears("帮助", address="10086")
        await world.later(seconds=11)
    assert len(told(world)) == 5
    assert [status for _, status, _ in await world.replies()] == ["read"] * 5 + ["held"] * 3


async def test_an_enquiry_uses_up_no_automatic_answers_of_others(world: World) -> None:
    for _ in range(4):
        await world.hears("帮助", address="10086")
        await world.later(seconds=11)
    await world.asks()
    await world.hears("9")
    assert told(world)[-1].startswith("complaint/") or told(world)[-1].startswith("survey/")


@pytest.mark.parametrize(
    ("text", "reason"),
    [pytest.param("0", None, id="a number"), pytest.param("投诉", "asks-for-help", id="a wish for a person")],
)
async def test_an_open_question_comes_before_a_word_that_may_answer_it(
    world: World, text: str, reason: str | None
) -> None:
    await world.asks()
    await world.hears(text)
    assert await enquiries(world) == []
    ((_, _, why),) = await world.replies()
    assert reason is None or why == reason


async def test_a_keyword_leaves_an_open_question_open(world: World) -> None:
    survey = await world.asks()
    await world.hears("余额")
    assert await enquiries(world) == [("hall.balance", "open")]
    assert (await world.survey(survey)).status == "open"
    await world.hears("9")
    assert (await world.survey(survey)).status == "answered"


async def test_an_answer_settled_twice_at_once_goes_out_once(world: World) -> None:
    await world.hears("余额", address="10086")
    (call,) = lookups(world)
    results = await asyncio.gather(
        *(answer(world, call, Done({"balance": "1.00"})) for _ in range(4)), return_exceptions=True
    )
    assert all(result is None or isinstance(result, OutrunError) for result in results)
    assert told(world) == ["hall/balance 1.00"]
