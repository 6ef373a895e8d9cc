"""`/v1/subscriptions` over HTTP, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.services.keys import Scope
from gateway.services.subscriptions import Subscriptions
from gateway.storage.database import Database
from tests.http.fakes import World, world

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ONE = "/v1/subscriptions/13905310001/news"
NEWS = {"name": "手机报", "price": "5", "period": "month"}


@pytest.fixture
async def api(database_dsn: str) -> AsyncIterator[World]:
    async with await Database.open(database_dsn) as database:
        mirror = Subscriptions(database, lambda: NOW, lambda: ("cn",))
        async with world(subscriptions=mirror) as running:
            running.ring.add("reader", Scope.READ)
            running.ring.add("platform", Scope.CONFIRMATIONS_WRITE)
            yield running


async def call(
    api: World, method: str, path: str, body: Any = None, token: str = "all"
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with api.http.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json() if response.status != 204 else {}


async def test_a_platform_says_reads_and_takes_back(api: World) -> None:
    status, told = await call(api, "PUT", ONE, NEWS, "platform")
    assert (status, told["changed"], told["masked"], told["to"]) == (200, True, True, "139****0001")
    status, listed = await call(api, "GET", "/v1/subscriptions?to=13905310001")
    (row,) = listed["data"]
    assert row["to"] == "8613905310001"
    assert row["service"] == {"code": "news", "name": "手机报", "price": "5.00", "period": "month"}
    assert (row["status"], row["expires_at"], row["trial"]) == ("active", None, False)
    assert (await call(api, "DELETE", ONE))[0] == 204
    assert (await call(api, "DELETE", ONE))[0] == 204
    _, listed = await call(api, "GET", "/v1/subscriptions?to=13905310001&status=cancelled")
    assert [row["service"]["code"] for row in listed["data"]] == ["news"]


async def test_older_words_are_answered_with_what_is_known(api: World) -> None:
    await call(api, "PUT", ONE, NEWS)
    status, told = await call(api, "PUT", ONE, NEWS | {"price": "9", "at": "2026-11-22T08:00:00Z"})
    assert (status, told["changed"], told["service"]["price"]) == (200, False, "5.00")
    assert (await call(api, "DELETE", f"{ONE}?at=2026-11-22T08:00:00Z"))[0] == 204
    _, listed = await call(api, "GET", "/v1/subscriptions?to=13905310001")
    assert listed["data"][0]["status"] == "active"


async def test_the_list_goes_on_at_its_cursor(api: World) -> None:
    for code in "abc":
        await call(api, "PUT", f"/v1/subscriptions/13905310001/{code}", NEWS)
    path, found = "/v1/subscriptions?to=13905310001&limit=2", []
    _, page = await call(api, "GET", path)
    found += page["data"]
    _, page = await call(api, "GET", f"{path}&cursor={page['next_cursor']}")
    found += page["data"]
    assert sorted(row["service"]["code"] for row in found) == ["a", "b", "c"]
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        pytest.param("PUT", "/v1/subscriptions/12/news", NEWS, "/msisdn", id="no number"),
        pytest.param("PUT", "/v1/subscriptions/13905310001/a%20b", NEWS, "/service", id="no code"),
        pytest.param("PUT", ONE, NEWS | {"price": "5.001"}, "/price", id="half a cent"),
        pytest.param("PUT", ONE, NEWS | {"price": 5}, "/price", id="a number for a price"),
        pytest.param("PUT", ONE, NEWS | {"at": "2026-11-23T09:00:00Z"}, "/at", id="tomorrow's news"),
        pytest.param("PUT", ONE, NEWS | {"status": "cancelling"}, "/status", id="ours to say"),
        pytest.param("PUT", ONE, {"name": "x"}, "/price", id="no price"),
        pytest.param("GET", "/v1/subscriptions?to=12", None, "/to", id="a list of no number"),
        pytest.param("GET", "/v1/subscriptions", None, "/to", id="a list of nobody"),
    ],
)
async def test_what_can_not_be_so_is_refused_with_its_place(
    api: World, method: str, path: str, body: Any, pointer: str
) -> None:
    status, told = await call(api, method, path, body)
    assert status == 422
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]


async def test_nobody_had_it(api: World) -> None:
    assert (await call(api, "DELETE", ONE))[0] == 404


async def test_a_reader_writes_nothing(api: World) -> None:
    assert (await call(api, "PUT", ONE, NEWS, "reader"))[0] == 403
    assert (await call(api, "DELETE", ONE, token="reader"))[0] == 403
    assert (await call(api, "GET", "/v1/subscriptions?to=13905310001", token="reader"))[0] == 200
