"""0000 to the receipt, on a real database: what is listed, what is cancelled, and what the customer hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.callback import Done, Park
from gateway.domain.event import Callback
from gateway.domain.menu import Menu
from gateway.domain.msisdn import bucket_of
from gateway.domain.subscription import Status, Subscription
from gateway.services.inbound import Inbound
from gateway.storage import conversations, subscriptions
from tests.services.customers import ANNA, BEN, SENDERS, START, World, a_world, mo

CANCEL = "service.cancel"
CONNECTORS = frozenset({CANCEL, "ticket.create"})
NAMES = {"news": "手机报", "video": "视频会员", "ring": "彩铃", "cloud": "云盘"}


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, connectors=CONNECTORS, is_live=lambda _session: True) as world:
        yield world


async def has(world: World, *services: str, msisdn: str = ANNA, **changes: Any) -> None:
    """This customer subscribes to these, in this order."""
    rows = [
        Subscription(
            bucket_of(msisdn),
            msisdn,
            service,
            NAMES.get(service, service),
            Decimal("5.00"),
            "month",
            Status.ACTIVE,
            False,
            START + timedelta(seconds=place),
            None,
            None,
            START,
        )._replace(**changes)
        for place, service in enumerate(services)
    ]
    async with world.database.connection() as connection:
        await subscriptions.put(connection, rows)


async def standing(world: World) -> dict[str, str]:
    found = await world.rows("SELECT service, status FROM subscriptions ORDER BY service")
    return {row["service"]: row["status"] for row in found}


async def menus(world: World) -> list[Menu]:
    """All lists, the newest last."""
    found = await world.rows("SELECT bucket, id FROM conversations WHERE kind = 'menu' ORDER BY id")
    async with world.database.connection() as connection:
        loaded = await conversations.load(connection, [(row["bucket"], row["id"]) for row in found])
    return [each for row in found if isinstance(each := loaded[row["id"]], Menu)]


def asked(world: World) -> list[Callback]:
    """The calls to the platform."""
    return [call for call in world.called if call.target == CANCEL]


def codes(calls: Sequence[Callback]) -> list[str]:
    return [call.payload["service"]["code"] for call in calls]


def told(world: World) -> list[str]:
    """The receipts."""
    return [message.body for message in world.sent if message.template == "subscription/cancelled"]


async def answer(world: World, call: Callback, verdict: Done | Park) -> None:
    """The platform answered: what the settling transaction does."""
    async with world.database.transaction() as connection:
        afterwards = await world.conversations.on_answers(connection, [(call, verdict)], world.now)
    for do in afterwards:
        do()


async def test_from_0000_to_the_receipt(world: World) -> None:
    await has(world, "news", "video", "ring")
    await world.hears("0000", address="10086")
    (menu,) = await menus(world)
    (listed,) = world.sent
    assert (listed.template, listed.sender) == ("subscription/list", menu.address)
    assert menu.address.startswith("10086")
    assert len(menu.address) == len("10086") + 3
    assert [item.name for item in menu.subject.items] == ["手机报", "视频会员", "彩铃"]
    await world.hears("3", address=menu.address)
    (call,) = asked(world)
    assert (call.payload["to"], call.payload["key"], codes([call])) == (ANNA, "video", ["video"])
    assert await standing(world) == {"news": "active", "ring": "active", "video": "cancelling"}
    assert world.answers() == ["subscription/list"]
    await answer(world, call, Done(None))
    assert await standing(world) == {"news": "active", "ring": "active", "video": "cancelled"}
    assert world.answers() == ["subscription/list", "subscription/cancelled"]
    assert world.sent[-1].sender == menu.address
    assert "视频会员" in world.sent[-1].body
    (event,) = await world.calls("subscription.cancelled")
    assert event["service"] == {"code": "video", "name": "视频会员", "price": "5.00", "period": "month"}


async def test_who_has_nothing_is_told_so(world: World) -> None:
    await has(world, "news", status=Status.CANCELLED)
    await has(world, "video", expires_at=START - timedelta(seconds=1))
    await has(world, "ring", msisdn=BEN)
    await world.hears("0000", address="10086001")
    assert world.answers() == ["subscription/none"]
    assert [menu.status for menu in await menus(world)] == ["empty"]


@pytest.mark.parametrize("address", ["10086", "10010", "10086777"])
async def test_any_number_of_ours_lists(world: World, address: str) -> None:
    await has(world, "news")
    await world.hears("００００。", address=address)
    (listed,) = world.sent
    assert listed.template == "subscription/list"
    assert listed.sender.startswith(address[:5])
    await world.hears("2", address=listed.sender)
    assert codes(asked(world)) == ["news"]


async def test_an_opt_out_word_beside_a_list_cancels_nothing(world: World) -> None:
    await has(world, "news")
    menu = await lists(world)
    await world.hears("TD", address=menu.address)
    assert asked(world) == []
    assert (await world.rows("SELECT opt_outs FROM contacts")) == [{"opt_outs": ["lane:marketing"]}]


async def lists(world: World, word: str = "0000", address: str = "10086") -> Menu:
    await world.hears(word, address=address)
    return (await menus(world))[-1]


async def test_several_numbers_are_one_call_each_and_one_receipt(world: World) -> None:
    await has(world, "news", "video", "ring")
    menu = await lists(world)
    await world.hears("2、4", address=menu.address)
    first, second = asked(world)
    assert codes([first, second]) == ["news", "ring"]
    await answer(world, first, Done(None))
    assert told(world) == []
    await answer(world, second, Done(None))
    assert len(told(world)) == 1
    assert await standing(world) == {"news": "cancelled", "ring": "cancelled", "video": "active"}


@pytest.mark.parametrize("word", ["1", "00000", "全部退订"])
async def test_all_goes_after_one_question(world: World, word: str) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    await world.hears(word, address=menu.address)
    menu = (await menus(world))[-1]
    assert (world.answers()[-1], asked(world), menu.status) == ("subscription/all", [], "confirming")
    await world.hears("Y", address=menu.address)
    calls = asked(world)
    assert codes(calls) == ["news", "video"]
    for call in calls:
        await answer(world, call, Done(None))
    assert world.answers()[-1] == "subscription/cancelled"
    assert len(told(world)) == 1
    assert set((await standing(world)).values()) == {"cancelled"}


async def test_a_no_keeps_all_and_the_list_still_holds(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world, "00000")
    await world.hears("不退订", address=menu.address)
    assert (world.answers()[-1], asked(world)) == ("subscription/kept", [])
    assert (await menus(world))[-1].status == "open"


@pytest.mark.parametrize("text", ["1", "好的", "Y?", "退吧要不", "全部退订"])
async def test_no_other_word_cancels_all(world: World, text: str) -> None:
    await has(world, "news", "video")
    menu = await lists(world, "00000")
    for _ in range(3):
        await world.hears(text, address=menu.address)
    assert asked(world) == []
    assert world.answers()[1:] == ["subscription/clarify"]
    assert [status for _, status, _ in await world.replies()] == ["read", "read", "inbox", "inbox"]


async def test_an_unclear_reply_is_asked_about_once_then_a_person_reads_it(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    await world.hears("手机报怎么退", address=menu.address)
    assert world.answers()[-1] == "subscription/clarify"
    await world.hears("看不懂", address=menu.address)
    assert (await world.replies())[-1] == ("看不懂", "inbox", "not-understood")
    await world.hears("3", address=menu.address)
    assert codes(asked(world)) == ["video"]


async def test_who_asks_for_a_person_gets_one(world: World) -> None:
    await has(world, "news")
    menu = await lists(world)
    await world.hears("我要投诉乱扣费", address=menu.address)
    assert (await world.replies())[-1][1:] == ("inbox", "asks-for-help")


async def test_numbers_never_shift_while_the_list_holds(world: World) -> None:
    await has(world, "news", "video", "ring")
    menu = await lists(world)
    await has(world, "news", status=Status.CANCELLED, updated_at=START + timedelta(seconds=30))
    await has(world, "aaa", started_at=START - timedelta(days=1))
    await world.later(minutes=29)
    await world.hears("3", address=menu.address)
    assert codes(asked(world)) == ["video"]


async def test_a_number_after_the_time_of_the_list_is_told_to_send_0000_again(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    await world.later(minutes=31)
    assert (await menus(world))[-1].status == "expired"
    await world.hears("3", address=menu.address)
    assert (world.answers()[-1], asked(world)) == ("subscription/over", [])
    await world.hears("3", address="10086")
    assert world.answers()[-1] == "subscription/over"
    await world.later(days=2)
    await world.hears("3", address="10086")
    assert (await world.replies())[-1][1] == "case"


async def test_a_new_0000_takes_the_place_of_the_open_list(world: World) -> None:
    await has(world, "news", "video")
    first = await lists(world)
    second = await lists(world)
    assert [menu.status for menu in await menus(world)] == ["superseded", "open"]
    assert first.address != second.address
    await world.hears("2", address=first.address)
    assert (world.answers()[-1], asked(world)) == ("subscription/over", [])
    await world.hears("2", address=second.address)
    assert codes(asked(world)) == ["news"]


async def test_two_lists_at_once_leave_one(world: World) -> None:
    await has(world, "news", "video")
    await asyncio.gather(
        *(
            inbound.store([mo("0000", ANNA, "10086", START + timedelta(milliseconds=n))])
            for n, inbound in enumerate([world.inbound] * 5 + [other(world) for _ in range(3)])
        )
    )
    statuses = [menu.status.value for menu in await menus(world)]
    assert sorted(statuses) == ["open"] + ["superseded"] * 7


def other(world: World) -> Inbound:
    """Another node's way in, on the same database."""
    return Inbound(
        world.database,
        world.conversations,
        world.ids,
        SENDERS,
        lambda: world.now,
        is_live=lambda _session: True,
    )


async def test_the_same_number_ten_times_at_once_is_one_call(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    nodes = [world.inbound, *(other(world) for _ in range(4))]
    await asyncio.gather(
        *(
            nodes[n % 5].store([mo("3", ANNA, menu.address, world.now + timedelta(milliseconds=n))])
            for n in range(10)
        )
    )
    assert codes(asked(world)) == ["video"]
    rows = await world.rows("SELECT id FROM callbacks WHERE target = $1", CANCEL)
    assert len(rows) == 1
    replies = await world.replies()
    assert [status for text, status, _ in replies if text == "3"] == ["read"] * 10


async def test_an_answer_that_comes_twice_counts_once(world: World) -> None:
    await has(world, "news")
    menu = await lists(world)
    await world.hears("2", address=menu.address)
    (call,) = asked(world)
    for verdict in (Done(None), Done(None), Park("late")):
        await answer(world, call, verdict)
    assert len(told(world)) == 1
    assert len(await world.calls("subscription.cancelled")) == 1
    assert await standing(world) == {"news": "cancelled"}


async def test_what_the_platform_refuses_is_told_and_a_person_sees_it(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    await world.hears("2 3", address=menu.address)
    first, second = asked(world)
    await answer(world, first, Park("HTTP 422"))
    await answer(world, second, Done(None))
    assert len(told(world)) == 1
    assert (await world.replies())[-1] == ("2 3", "inbox", "not-cancelled: news: HTTP 422")
    assert await standing(world) == {"news": "active", "video": "cancelled"}
    await answer(world, first, Done(None))  # sent again by hand
    assert await standing(world) == {"news": "cancelled", "video": "cancelled"}
    assert len(told(world)) == 2


async def test_without_a_platform_to_ask_the_customer_is_told_at_once(database_dsn: str) -> None:
    async with a_world(database_dsn) as world:
        await has(world, "news")
        menu = await lists(world)
        await world.hears("2", address=menu.address)
        assert world.answers()[-1] == "subscription/cancelled"
        ((*_, reason),) = [each for each in await world.replies() if each[1] == "inbox"]
        assert reason == "not-cancelled: news: no connector of this name is configured"
        assert await standing(world) == {"news": "active"}


async def test_a_slow_platform_keeps_nobody_waiting(world: World) -> None:
    await has(world, "news", "video")
    menu = await lists(world)
    await world.hears("2 3", address=menu.address)
    first, second = asked(world)
    await answer(world, first, Done(None))
    await world.later(seconds=61)
    assert len(told(world)) == 1  # one is done, the other takes longer
    await world.later(minutes=40)
    assert len(told(world)) == 1
    await answer(world, second, Done(None))
    assert len(told(world)) == 2
    assert await standing(world) == {"news": "cancelled", "video": "cancelled"}


async def test_a_number_sent_again_calls_nobody_again(world: World) -> None:
    await has(world, "news")
    menu = await lists(world)
    await world.hears("2", address=menu.address)
    await world.hears("2", address=menu.address)
    assert len(asked(world)) == 1
    assert world.answers()[-1] == "subscription/cancelled"  # how it stands


async def test_a_long_list_comes_in_pages_and_only_what_was_seen_is_chosen(world: World) -> None:
    await has(world, *(f"service-{n:02}" for n in range(23)))
    menu = await lists(world)
    await world.hears("15", address=menu.address)
    assert (world.answers()[-1], asked(world)) == ("subscription/clarify", [])
    for text in ("更多", "MORE"):
        await world.hears(text, address=menu.address)
        assert world.answers()[-1] == "subscription/list"
    await world.hears("更多", address=menu.address)
    assert world.answers()[-1] == "subscription/clarify"
    await world.hears("15", address=menu.address)
    assert codes(asked(world)) == ["service-13"]


async def test_a_machine_that_sends_0000_for_ever_is_held(world: World) -> None:
    await has(world, "news")
    for _ in range(15):
        await world.hears("0000", address="10086")
    assert [status for _, status, _ in await world.replies()].count("held") == 5


# --- Beside other questions, on a number without extensions -----------------------------------------------


async def test_a_number_that_may_be_a_score_is_asked_about_and_cancels_nothing(world: World) -> None:
    await has(world, "news", "video")
    survey = await world.asks(address="10010")
    menu = await lists(world, address="10010")
    assert menu.address == "10010"
    await world.hears("3", address="10010")
    assert (world.answers()[-1], asked(world)) == ("contact/which", [])
    assert (await world.survey(survey)).status == "open"
    await world.hears("3", address="10010")
    assert (asked(world), (await world.replies())[-1][1]) == ([], "inbox")


@pytest.mark.parametrize("text", ["退订3", "取消3", "QX3", "3 退订"])
async def test_with_a_word_that_cancels_it_is_cancelled(world: World, text: str) -> None:
    await has(world, "news", "video")
    survey = await world.asks(address="10010")
    await lists(world, address="10010")
    await world.hears("3", address="10010")
    await world.hears(text, address="10010")
    assert codes(asked(world)) == ["video"]
    assert (await world.survey(survey)).status == "open"


async def test_with_points_it_is_a_score(world: World) -> None:
    await has(world, "news", "video")
    survey = await world.asks(address="10010")
    await lists(world, address="10010")
    await world.hears("3", address="10010")
    await world.hears("3分", address="10010")
    assert asked(world) == []
    assert (await world.survey(survey)).state.revisions[-1].score == 3


async def test_a_score_off_the_list_is_a_score(world: World) -> None:
    await has(world, "news", "video")
    survey = await world.asks(address="10010")
    await lists(world, address="10010")
    await world.hears("9", address="10010")
    assert (await world.survey(survey)).state.revisions[-1].score == 9


async def test_at_extensions_of_their_own_nothing_is_mixed_up(world: World) -> None:
    await has(world, "news", "video")
    survey = await world.asks(address="10086001")
    menu = await lists(world, address="10086001")
    await world.hears("3", address="10086001")
    assert ((await world.survey(survey)).state.revisions[-1].score, asked(world)) == (3, [])
    await world.hears("3", address=menu.address)
    assert codes(asked(world)) == ["video"]
