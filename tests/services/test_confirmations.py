"""Paid confirmations, on a real database: one call for a plain yes, and none for anything else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.domain.callback import Done
from tests.services.confirming import Shop, a_shop


@pytest.fixture
async def shop(database_dsn: str) -> AsyncIterator[Shop]:
    async with a_shop(database_dsn) as shop:
        yield shop


async def test_a_yes_is_activated_once_and_the_customer_gets_a_receipt(shop: Shop) -> None:
    offered = await shop.offers()
    assert "视频会员" in shop.sent[0].body
    await shop.hears("Y", address=offered.address)
    assert await shop.status(offered) == "activating"
    (call,) = shop.calls()
    assert call.payload["service"]["code"] == "video"
    await shop.answers(call, Done())
    assert await shop.status(offered) == "active"
    assert shop.told() == ["confirmation/confirm", "confirmation/active"]
    assert await shop.events() == ["confirmation.accepted", "confirmation.active"]
    assert await shop.testimony(offered) == [
        "offered", "carried", "replied", "understood", "became", "became", "called",
        "answered", "became", "said", "carried",
    ]  # fmt: skip
