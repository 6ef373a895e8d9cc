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
from gateway.storage import conversations, subscriptions
from tests.services.customers import ANNA, BEN, START, World, a_world, mo

CANCEL = "service.cancel"
NAMES = {"news": "手机报", "video": "视频会员", "ring": "彩铃", "cloud": "云盘"}


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn, connectors=frozenset({CANCEL, "ticket.create"})) as world:
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


def told(world: World) -> list[tuple[str, dict[str, list[str]]]]:
    """The receipts: what is done, failed, under way."""
    return [
        (message.sender, message.body)
        for message in world.sent
        if message.template == "subscription/cancelled"
    ]


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
