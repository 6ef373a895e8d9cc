"""Customers' own words that become cases, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.domain.callback import Done, Park
from gateway.domain.event import Callback
from gateway.telemetry import REGISTRY
from tests.services.customers import ANNA, BEN, World, a_world


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, connectors=frozenset({"ticket.create", "ticket.comment"})) as world:
        yield world


async def owed(world: World) -> list[Callback]:
    return [call for call in world.called if call.target == "ticket.create"]


def told(world: World) -> list[str]:
    """What the customer was sent."""
    return [message.body.strip() for message in world.sent]


async def answer(world: World, call: Callback, verdict: Done | Park) -> None:
    """The ticket system answered: what the settling transaction does."""
    async with world.database.transaction() as connection:
        afterwards = await world.conversations.on_answers(connection, [(call, verdict)], world.now)
    for do in afterwards:
        do()


async def cases(world: World) -> list[tuple[str, str | None]]:
    found = await world.rows(
        "SELECT status, state->>'number' AS number FROM conversations WHERE kind = 'case' ORDER BY id"
    )
    return [(row["status"], row["number"]) for row in found]


async def test_own_words_become_a_case_and_the_customer_is_told_its_number(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    assert await world.replies() == [("家里宽带断了", "case", None)]
    (call,) = await owed(world)
    assert (call.payload["kind"], call.payload["text"], call.payload["to"]) == (
        "customer_words",
        "家里宽带断了",
        ANNA,
    )
    assert told(world) == []
    await answer(world, call, Done("TS-77"))
    assert await cases(world) == [("recorded", "TS-77")]
    assert told(world) == ["complaint/received TS-77"]
    assert world.sent[0].sender == "10086"


async def test_the_time_to_the_number_is_counted_once(world: World) -> None:
    def seen(name: str) -> float:
        return REGISTRY.get_sample_value(f"huiyin_case_seconds_{name}") or 0

    count, seconds = seen("count"), seen("sum")
    await world.hears("家里宽带断了", address="10086")
    (call,) = await owed(world)
    await world.later(seconds=41)
    await answer(world, call, Done("TS-77"))
    await answer(world, call, Done("TS-77"))
    assert (seen("count") - count, seen("sum") - seconds) == (1, 42)


async def test_words_soon_after_belong_to_the_same_case(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    (call,) = await owed(world)
    await world.hears("快点派人来", address="10086")
    await answer(world, call, Done(4711))
    await world.later(minutes=9)
    await world.hears("昨天就断了", address="10086")
    assert await cases(world) == [("recorded", "4711")]
    further = await world.calls("ticket.comment")
    assert [each["text"] for each in further] == ["快点派人来", "昨天就断了"]
    await world.later(minutes=11)
    await world.hears("又断了", address="10086")
    assert await cases(world) == [("recorded", "4711"), ("open", None)]


async def test_two_customers_have_two_cases(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    await world.hears("家里宽带断了", address="10086", msisdn=BEN)
    assert await cases(world) == [("open", None), ("open", None)]


async def test_a_slow_ticket_system_keeps_no_customer_waiting(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    (call,) = await owed(world)
    await world.later(seconds=61)
    assert told(world) == ["complaint/received"]
    await answer(world, call, Done("TS-78"))
    assert told(world) == ["complaint/received", "complaint/received TS-78"]


async def test_an_answer_without_a_number_is_told_once(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    (call,) = await owed(world)
    await answer(world, call, Done(None))
    await answer(world, call, Done(None))
    assert told(world) == ["complaint/received"]
    assert await cases(world) == [("recorded", None)]


async def test_what_the_ticket_system_refuses_is_for_a_person_and_may_still_succeed(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    (call,) = await owed(world)
    await answer(world, call, Park("HTTP 422"))
    assert await world.replies() == [("家里宽带断了", "inbox", "not-recorded: HTTP 422")]
    await answer(world, call, Done("TS-79"))  # sent again by hand
    assert await cases(world) == [("recorded", "TS-79")]
    assert told(world) == ["complaint/received TS-79"]


async def test_what_is_not_recorded_in_half_a_day_is_for_a_person(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    await world.later(hours=12, seconds=1)
    ((_, status, reason),) = await world.replies()
    assert (status, reason) == ("inbox", "not-recorded: not recorded in time")


@pytest.mark.parametrize("text", ["谢谢", "ok", "。。。"])
async def test_thanks_and_nothing_make_no_case(world: World, text: str) -> None:
    await world.hears(text, address="10086")
    assert await cases(world) == []


async def test_words_beside_a_survey_name_the_ticket_that_they_follow(world: World) -> None:
    await world.asks()
    await world.later(hours=73)
    await world.hears("还是上不了网", address="10086001")
    (call,) = await owed(world)
    assert call.payload["ticket"]["id"]
    assert call.payload["text"] == "还是上不了网"
