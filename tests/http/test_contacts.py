"""`/v1/contacts` over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.services.keys import Scope
from tests.http.fakes import World, world

ONE = "/v1/contacts/13905310001"


@pytest.fixture
async def api() -> AsyncIterator[World]:
    async with world() as running:
        running.ring.add("reader", Scope.READ)
        running.ring.add("crm", Scope.CONTACTS_WRITE)
        yield running


async def call(
    api: World, method: str, path: str, body: Any = None, token: str = "all"
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with api.http.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def test_a_contact_is_written_and_read(api: World) -> None:
    status, told = await call(api, "PUT", ONE, {"language": "en", "tier": "vip"})
    assert (status, told["to"], told["language"], told["tier"]) == (200, "8613905310001", "en", "vip")
    status, told = await call(api, "GET", ONE, token="reader")
    assert (status, told["masked"], told["opt_outs"]) == (200, True, [])
    assert told["to"] != "8613905310001"


async def test_opt_outs_come_and_go(api: World) -> None:
    status, told = await call(api, "POST", f"{ONE}/opt-outs", {"scope": "category:offers"}, "crm")
    assert (status, [each["scope"] for each in told["data"]]) == (200, ["category:offers"])
    assert told["data"][0]["by"].startswith("key_")
    assert await call(api, "GET", f"{ONE}/opt-outs", token="reader") == (200, told)
    assert await call(api, "DELETE", f"{ONE}/opt-outs?scope=category:offers", token="crm") == (
        200,
        {"data": []},
    )


@pytest.mark.parametrize(
    "scope", ["lane:emergency", "lane:transactional", "lane:x", "offers", "category:", ""]
)
async def test_what_no_opt_out_stops_is_refused(api: World, scope: str) -> None:
    status, told = await call(api, "POST", f"{ONE}/opt-outs", {"scope": scope})
    assert (status, told["errors"][0]["pointer"]) == (422, "/scope")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/contacts/12345", None),
        ("PUT", "/v1/contacts/12345", {}),
        ("GET", "/v1/contacts/12345/opt-outs", None),
        ("POST", "/v1/contacts/12345/opt-outs", {"scope": "lane:marketing"}),
        ("DELETE", "/v1/contacts/12345/opt-outs", None),
    ],
)
async def test_what_is_no_number_is_refused(api: World, method: str, path: str, body: Any) -> None:
    status, _ = await call(api, method, path, body)
    assert status == 422


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("PUT", ONE, "reader"),
        ("POST", f"{ONE}/opt-outs", "reader"),
        ("DELETE", f"{ONE}/opt-outs", "reader"),
        ("GET", ONE, "crm"),
    ],
)
async def test_each_door_has_its_key(api: World, method: str, path: str, token: str) -> None:
    body = {"scope": "lane:marketing"} if method == "POST" else {} if method == "PUT" else None
    status, _ = await call(api, method, path, body, token)
    assert status == 403
