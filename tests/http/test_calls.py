"""Callbacks, webhooks and the inbox as callers meet them."""

from typing import Any

import pytest

from gateway.domain.ids import IdSource, Kind, public
from gateway.services.inbox import Gone, NotFound, Refused, Resolved
from gateway.services.keys import Scope
from gateway.services.webhooks import Created
from tests.http.fakes import SUBJECT as REPLY
from tests.http.fakes import World, delivery


async def call(api: World, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with api.http.request(method, path, **options) as response:
        return response.status, await response.json() if response.status != 204 else None


async def test_parked_calls_are_listed_with_their_answers(api: World) -> None:
    ids = IdSource()
    api.callbacks.rows = [delivery(ids) for _ in range(3)]
    status, page = await call(api, "GET", "/v1/callbacks?status=parked&limit=2")
    assert (status, len(page["data"])) == (200, 2)
    first = page["data"][0]
    assert (first["payload"], first["answers"][0]["http_status"]) == ({"to": "8613905310001"}, 500)
    assert "8613905310001" not in first["answers"][0]["answer"]
    await call(api, "GET", f"/v1/callbacks?status=parked&limit=2&cursor={page['next_cursor']}")
    assert api.callbacks.asked[1]["before"] == api.callbacks.rows[1][0].id


@pytest.mark.parametrize("deliveries", [False, True], ids=["calls out", "deliveries of a webhook"])
async def test_what_is_told_to_others_and_what_they_say_is_personal_data(
    api: World, deliveries: bool
) -> None:
    api.callbacks.rows = [delivery(IdSource())]
    made = await api.webhooks.create("https://crm.example.com", ["*"])
    assert isinstance(made, Created)
    path = f"/v1/webhooks/{made.id}/deliveries" if deliveries else "/v1/callbacks"
    headers = {"Authorization": f"Bearer {api.ring.add('reader', Scope.READ)}"}
    _, page = await call(api, "GET", path, headers=headers)
    assert page["data"][0]["payload"] is None
    assert page["data"][0]["answers"] == [
        {"at": "2026-11-22T09:00:00Z", "seconds": 0.25, "http_status": 500, "answer": None}
    ]
    assert "太慢了" not in str(page)
    _, page = await call(api, "GET", path)
    assert "太慢了" in page["data"][0]["answers"][0]["answer"]


async def test_a_parked_call_is_sent_again(api: World) -> None:
    api.callbacks.rows = [delivery(IdSource())]
    name = public(Kind.CALLBACK, api.callbacks.rows[0][0].id)
    assert await call(api, "POST", f"/v1/callbacks/{name}/redeliver") == (
        202,
        {"id": name, "status": "waiting"},
    )
    status, _ = await call(api, "POST", f"/v1/callbacks/cbk_{'0' * 32}/redeliver")
    assert status == 404


async def test_a_webhooks_life(api: World) -> None:
    status, made = await call(
        api, "POST", "/v1/webhooks", json={"url": "https://crm.example.com", "events": ["survey.*"]}
    )
    assert (status, made["secret"]) == (201, "whsec_1")
    at = f"/v1/webhooks/{made['id']}"
    _, page = await call(api, "GET", "/v1/webhooks")
    assert [(hook["id"], hook["events"]) for hook in page["data"]] == [(made["id"], ["survey.*"])]
    assert "secret" not in str(page)
    assert (await call(api, "POST", f"{at}/rotate")) == (200, {"id": made["id"], "secret": "whsec_2"})
    assert (await call(api, "POST", f"{at}/end-rotation"))[0] == 204
    api.callbacks.rows = [delivery(IdSource())]
    _, sent = await call(api, "GET", f"{at}/deliveries")
    assert (await call(api, "POST", f"{at}/deliveries/{sent['data'][0]['id']}/redeliver"))[0] == 202
    assert (await call(api, "POST", f"{at}/deliveries/cbk_1/redeliver"))[0] == 404
    assert (await call(api, "DELETE", at))[0] == 204
    assert (await call(api, "DELETE", at))[0] == 404
    assert (await call(api, "GET", f"{at}/deliveries"))[0] == 404


async def test_a_rotation_that_is_not_ended_is_told_with_the_way_out(api: World) -> None:
    made = await api.webhooks.create("https://crm.example.com", ["*"])
    assert isinstance(made, Created)
    api.webhooks.unended = True
    status, told = await call(api, "POST", f"/v1/webhooks/{made.id}/rotate")
    assert (status, told["type"]) == (409, "/problems/rotation-open")
    assert f"/v1/webhooks/{made.id}/end-rotation" in told["detail"]


async def test_an_endpoint_that_may_not_be_called_is_refused_with_the_reason(api: World) -> None:
    status, told = await call(api, "POST", "/v1/webhooks", json={"url": "http://10.0.0.1", "events": ["*"]})
    assert (status, told["type"]) == (422, "/problems/invalid-webhook")
    assert told["errors"] == [{"pointer": "/url", "detail": "must be https"}]


@pytest.mark.parametrize(
    ("outcome", "status", "kind"),
    [
        pytest.param(Resolved(REPLY, "score"), 200, None, id="done"),
        pytest.param(Gone(), 409, "/problems/already-resolved", id="somebody was quicker"),
        pytest.param(Refused("off the scale"), 422, "/problems/unfitting", id="does not fit"),
        pytest.param(NotFound(), 404, "/problems/unknown-id", id="no such reply"),
    ],
)
async def test_a_person_settles_a_reply(api: World, outcome: Any, status: int, kind: str | None) -> None:
    api.inbox.says = outcome
    got, told = await call(
        api, "POST", f"/v1/inbox/{public(Kind.REPLY, REPLY)}/resolve", json={"as": "score", "score": 8}
    )
    assert (got, told.get("type")) == (status, kind)
    reply_id, judgement, who = api.inbox.heard[0]
    assert (reply_id, judgement.as_, judgement.score, who) == (REPLY, "score", 8, "all")
