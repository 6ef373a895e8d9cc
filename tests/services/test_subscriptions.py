"""The mirror as platforms write it, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.domain.request import Rejected
from gateway.domain.subscription import Status, Subscription
from gateway.services.lookups import UnknownNumber
from gateway.services.subscriptions import Put, Subscriptions, Wish, place_of
from gateway.storage.database import Database
from tests.services.customers import ANNA, BEN, START

LAST = UUID(int=(1 << 128) - 1)


@pytest.fixture
async def mirror(database_dsn: str) -> AsyncIterator[Subscriptions]:
    async with await Database.open(database_dsn) as database:
        yield Subscriptions(database, lambda: START, lambda: ("cn",))


def ago(minutes: int) -> datetime:
    return START - timedelta(minutes=minutes)


async def say(mirror: Subscriptions, service: str = "news", **wish: Any) -> Put:
    outcome = await mirror.put("13905310001", service, Wish(**{"name": "手机报", "price": "5"} | wish))
    assert isinstance(outcome, Put)
    return outcome


async def stands(mirror: Subscriptions, status: Status | None = None) -> list[Subscription]:
    return await mirror.list("+86 139 0531 0001", status, before=LAST, limit=50)


async def test_what_a_platform_says_is_kept(mirror: Subscriptions) -> None:
    put = await say(mirror, period="month", trial=True, expires_at=START + timedelta(days=3))
    assert put.changed
    assert [put.subscription] == await stands(mirror)
    assert (put.subscription.msisdn, str(put.subscription.price), put.subscription.started_at) == (
        ANNA,
        "5.00",
        START,
    )


async def test_said_again_it_began_when_it_began(mirror: Subscriptions) -> None:
    await say(mirror, at=ago(60))
    put = await say(mirror, at=ago(1), name="新手机报")
    assert (put.subscription.started_at, put.subscription.name) == (ago(60), "新手机报")


async def test_older_words_change_nothing_and_say_so(mirror: Subscriptions) -> None:
    await say(mirror, at=ago(1))
    put = await say(mirror, at=ago(2), status="cancelled")
    assert (put.changed, put.subscription.status) == (False, Status.ACTIVE)


async def test_what_is_over_stays_so_until_newer_words(mirror: Subscriptions) -> None:
    await say(mirror, at=ago(10))
    for _ in range(2):
        assert isinstance(await mirror.remove("13905310001", "news", ago(5)), Subscription)
    assert not (await say(mirror, at=ago(7))).changed
    assert [each.status for each in await stands(mirror)] == [Status.CANCELLED]
    assert (await say(mirror, at=ago(3))).subscription.status is Status.ACTIVE


async def test_the_list_is_by_number_status_and_place(mirror: Subscriptions) -> None:
    for place, service in enumerate(["a", "b", "c"]):
        await say(mirror, service, at=ago(30 - place))
    await mirror.remove("13905310001", "b", None)
    await mirror.put(BEN, "d", Wish(name="d", price="1"))
    assert [each.service for each in await stands(mirror)] == ["c", "b", "a"]
    assert [each.service for each in await stands(mirror, Status.ACTIVE)] == ["c", "a"]
    first, *_ = await stands(mirror)
    rest = await mirror.list(ANNA, None, before=place_of(first), limit=1)
    assert [each.service for each in rest] == ["b"]


@pytest.mark.parametrize(
    ("to", "service", "at", "pointers"),
    [
        pytest.param("12345", "news", None, ["/msisdn"], id="no number"),
        pytest.param(ANNA, "a b", None, ["/service"], id="no code"),
        pytest.param(ANNA, "", None, ["/service"], id="an empty code"),
        pytest.param(ANNA, "news", START + timedelta(hours=1), ["/at"], id="later than now"),
        pytest.param("x", "\0", None, ["/msisdn", "/service"], id="all at once"),
    ],
)
async def test_what_can_not_be_so_is_refused(
    mirror: Subscriptions, to: str, service: str, at: datetime | None, pointers: list[str]
) -> None:
    outcomes = [
        await mirror.put(to, service, Wish(name="x", price="1", at=at)),
        await mirror.remove(to, service, at),
    ]
    for outcome in outcomes:
        assert isinstance(outcome, Rejected)
        assert [fault.pointer for fault in outcome.errors] == pointers


async def test_a_clock_that_is_a_little_ahead_is_taken_for_now(mirror: Subscriptions) -> None:
    put = await say(mirror, at=START + timedelta(minutes=1))
    assert put.subscription.updated_at == START


async def test_nobody_had_it_and_nobody_is_asked_for(mirror: Subscriptions) -> None:
    assert await mirror.remove(ANNA, "news", None) is None
    with pytest.raises(UnknownNumber):
        await mirror.list("12", None, before=LAST, limit=1)
