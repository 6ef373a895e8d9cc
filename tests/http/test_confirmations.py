"""`/v1/confirmations` over a real database: asked, read, listed, taken back, attested."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.domain.callback import Done
from gateway.services.confirmations import Confirmations
from gateway.services.keys import Scope
from gateway.services.lookups import Lookups
from tests.http.fakes import World, world
from tests.services.confirming import Shop, a_shop

SERVICE = {"code": "video-vip", "name": "视频会员", "price": "10.00", "period": "month"}
BODY = {
    "to": "13905310001",
    "service": SERVICE,
    "channel": "app",
    "ref": "ORDER-1",
}


@pytest.fixture
async def shop(database_dsn: str) -> AsyncIterator[Shop]:
    async with a_shop(database_dsn) as shop:
        yield shop


@pytest.fixture
async def api(shop: Shop) -> AsyncIterator[World]:
    async with world(
        lookups=Lookups(shop.database, lambda: shop.now),
        confirmations=Confirmations(shop.database, shop.conversations, lambda: shop.now),
        evidence=shop.evidence,
    ) as api:
        yield api


async def read(api: World, path: str, status: int = 200, **headers: str) -> Any:
    async with api.http.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json() if "json" in answer.content_type else await answer.text()


async def test_it_is_asked_by_name(api: World) -> None:
    async with api.http.post("/v1/confirmations", json=BODY) as answer:
        assert answer.status == 202
        told = await answer.json()
    assert (told["id"][:4], told["status"]) == ("cnf_", "pending")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        pytest.param({"service": SERVICE | {"price": "10,00"}}, "/service/price", id="a comma"),
        pytest.param({"service": SERVICE | {"price": "-1"}}, "/service/price", id="below nothing"),
        pytest.param({"service": SERVICE | {"price": 10}}, "/service/price", id="a number"),
        pytest.param({"service": SERVICE | {"price": "1.005"}}, "/service/price", id="too fine"),
        pytest.param({"service": SERVICE | {"code": "a b"}}, "/service/code", id="no code"),
        pytest.param({"service": SERVICE | {"name": " "}}, "/service/name", id="no name"),
        pytest.param({"channel": ""}, "/channel", id="no channel"),
        pytest.param({"colour": "red"}, "/colour", id="no field"),
    ],
)
async def test_what_is_wrong_is_pointed_at(api: World, changes: dict[str, Any], pointer: str) -> None:
    async with api.http.post("/v1/confirmations", json=BODY | changes) as answer:
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["pointer"] == pointer


async def test_it_is_read_and_listed_and_attested(shop: Shop, api: World) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address)
    await shop.answers(shop.calls()[0], Done())
    path = f"/v1/confirmations/cnf_{offered.id.hex}"
    told = await read(api, path)
    assert (told["status"], told["service"]["price"], told["masked"]) == ("active", "10.00", False)
    assert [reply["text"] for reply in told["replies"]] == ["Y"]
    for query, found in (
        ("to=13905310001", 1),
        ("status=active", 1),
        ("status=pending", 0),
        ("since=2020-01-01T00:00:00Z", 1),
    ):
        assert len((await read(api, f"/v1/confirmations?{query}"))["data"]) == found
    evidence = await read(api, f"{path}/evidence")
    assert evidence["intact"] is True
    says = {entry["kind"]: entry["says"] for entry in evidence["entries"]}
    assert says["offered"]["text"] == shop.sent[0].body
    assert says["replied"]["parts"][0]["payload"] == "0059"
    assert says["answered"]["outcome"] == "done"
    assert "<html" in await read(api, f"{path}/evidence", Accept="text/html")


async def test_without_the_right_to_numbers_they_are_masked(shop: Shop, api: World) -> None:
    offered = await shop.offers()
    await shop.hears("Y?", address=offered.address)
    api.ring.add("reader", Scope.READ)
    told = await read(api, f"/v1/confirmations/cnf_{offered.id.hex}", Authorization="Bearer reader")
    assert (told["to"], told["masked"], told["replies"][0]["text"]) == ("139****0001", True, None)


async def test_it_is_taken_back_once(shop: Shop, api: World) -> None:
    offered = await shop.offers()
    path = f"/v1/confirmations/cnf_{offered.id.hex}/cancel"
    for status in (200, 409):
        async with api.http.post(path) as answer:
            assert answer.status == status
    await read(api, "/v1/confirmations/cnf_00", 404)
    await read(api, f"/v1/confirmations/cnf_{'0' * 32}/evidence", 404)
