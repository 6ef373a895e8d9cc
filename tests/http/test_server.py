"""What every call meets: the door, the form of the body, limits, problems, and an answer whatever happens."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.http import server
from gateway.services.keys import Scope
from gateway.storage.database import StorageUnavailable
from tests.http.fakes import World, down, world

MESSAGE = {"to": "13905310001", "text": "您好"}
PROBLEM = "application/problem+json"


async def asked(api: World, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any], Any]:
    """Status, the problem or value, headers."""
    async with api.http.request(method, path, **options) as response:
        body = await response.json(content_type=None)
        if response.status >= 400 and path != "/readyz":
            assert response.content_type == PROBLEM
            assert body["status"] == response.status
            assert body["type"].startswith("/problems/")
        assert response.headers["X-Request-Id"]
        return response.status, body, response.headers


async def test_a_message_is_accepted_and_named(api: World) -> None:
    status, body, _ = await asked(api, "POST", "/v1/messages", json=MESSAGE)
    assert (status, body["status"], body["segments"]) == (202, "queued", 1)
    assert body["id"].startswith("msg_")
    assert api.intake.taken[0].text == "您好"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        pytest.param({"Authorization": ""}, 401, "unauthorized", id="no key"),
        pytest.param({"Authorization": "Basic YTpi"}, 401, "unauthorized", id="another scheme"),
        pytest.param({"Authorization": "Bearer nobody"}, 401, "unauthorized", id="unknown key"),
        pytest.param({"Authorization": "bearer reader"}, 403, "missing-scope", id="key without the scope"),
    ],
)
async def test_the_door(api: World, headers: dict[str, str], status: int, code: str) -> None:
    api.ring.add("reader", Scope.READ)
    got, body, answered = await asked(api, "POST", "/v1/messages", json=MESSAGE, headers=headers)
    assert (got, body["type"]) == (status, f"/problems/{code}")
    assert ("WWW-Authenticate" in answered) == (status == 401)
    assert not api.intake.taken


async def test_a_key_over_its_rate_is_told_when_to_come_again(api: World) -> None:
    token = api.ring.add("slow", Scope.MESSAGES_WRITE, rate=1)
    headers = {"Authorization": f"Bearer {token}"}
    first, _, _ = await asked(api, "POST", "/v1/messages", json=MESSAGE, headers=headers)
    second, body, answered = await asked(api, "POST", "/v1/messages", json=MESSAGE, headers=headers)
    assert (first, second, body["type"]) == (202, 429, "/problems/rate-exceeded")
    assert answered["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/v1/nothing", 404, "no-such-path", id="unknown path"),
        pytest.param("GET", "/v1/messages/", 404, "no-such-path", id="trailing slash"),
        pytest.param("GET", "//", 404, "no-such-path", id="empty segments"),
        pytest.param("PUT", "/v1/messages", 405, "method-not-allowed", id="wrong method"),
        pytest.param(
            "DELETE", "/v1/messages/msg_1", 405, "method-not-allowed", id="wrong method, with an id"
        ),
        pytest.param("GET", "/v1/messages/msg_1", 404, "unknown-id", id="impossible id"),
        pytest.param("GET", f"/v1/messages/msg_{'0' * 32}", 404, "unknown-id", id="nobody's id"),
        pytest.param("GET", f"/v1/surveys/msg_{'0' * 32}", 404, "unknown-id", id="id of another kind"),
        pytest.param("GET", "/v1/messages/%00%ff%2f", 404, "unknown-id", id="odd octets"),
        pytest.param("GET", "/v1/messages?color=red", 422, "invalid-query", id="unknown parameter"),
        pytest.param("GET", "/v1/messages?limit=0", 422, "invalid-query", id="limit too small"),
        pytest.param("GET", "/v1/messages?limit=x", 422, "invalid-query", id="limit no number"),
        pytest.param("GET", "/v1/messages?limit=1&limit=2", 422, "invalid-query", id="twice"),
        pytest.param("GET", "/v1/messages?cursor=abc", 422, "invalid-query", id="not a cursor"),
        pytest.param("GET", "/v1/messages?cursor=%E4%B8%AD", 422, "invalid-query", id="not even ASCII"),
        pytest.param("GET", "/v1/messages?ref=%00", 422, "invalid-query", id="NUL"),
        pytest.param("GET", "/v1/messages?ref=%ff", 422, "invalid-query", id="not UTF-8"),
        pytest.param("GET", "/v1/messages?since=2026-11-22T09:00:00", 422, "invalid-query", id="no offset"),
        pytest.param("GET", "/v1/messages?status=lost", 422, "invalid-query", id="no such status"),
        pytest.param("GET", "/healthz?x=1", 422, "invalid-query", id="takes no parameters"),
    ],
)
async def test_wrong_addresses(api: World, method: str, path: str, status: int, code: str) -> None:
    got, body, headers = await asked(api, method, path)
    assert (got, body["type"]) == (status, f"/problems/{code}")
    assert ("Allow" in headers) == (status == 405)


async def test_an_unknown_parameter_is_told_the_known_ones(api: World) -> None:
    _, body, _ = await asked(api, "GET", "/v1/messages?colour=red")
    assert body["errors"][0]["pointer"] == "/colour"
    assert "since" in body["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 400, "malformed-json", id="empty"),
        pytest.param(b"{", 400, "malformed-json", id="cut"),
        pytest.param(b'{"to":"\xff"}', 400, "malformed-json", id="not UTF-8"),
        pytest.param(b'{"params":{"a":' + b"[" * 50_000, 400, "malformed-json", id="deep"),
        pytest.param(b"[]", 422, "invalid-request", id="not an object"),
        pytest.param(b'{"to":5}', 422, "invalid-request", id="wrong type"),
        pytest.param(b'{"to":"13905310001","x":1}', 422, "invalid-request", id="unknown field"),
        pytest.param(b'{"to":"13905310001","text":"a\\u0000"}', 422, "invalid-request", id="NUL"),
        pytest.param(b'{"to":"12345"}', 422, "invalid-number", id="refused by the service"),
    ],
)
async def test_wrong_bodies(api: World, body: bytes, status: int, code: str) -> None:
    got, told, _ = await asked(
        api, "POST", "/v1/messages", data=body, headers={"Content-Type": "application/json"}
    )
    assert (got, told["type"]) == (status, f"/problems/{code}")
    assert status == 400 or told["errors"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "text/plain"}, id="text"),
        pytest.param({"Content-Type": "application/x-ndjson"}, id="lines where one is taken"),
        pytest.param({"Content-Type": "application/json; charset=gb18030"}, id="other charset"),
        pytest.param({"Content-Type": "application/json", "Content-Encoding": "gzip"}, id="compressed"),
    ],
)
async def test_other_forms_of_body_are_refused(api: World, headers: dict[str, str]) -> None:
    status, body, _ = await asked(api, "POST", "/v1/messages", data=json.dumps(MESSAGE), headers=headers)
    assert (status, body["type"]) == (415, "/problems/unsupported-type")


async def chunks(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield b" " * min(size, 65536)
        size -= 65536


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(
    ("path", "limit"),
    [
        pytest.param("/v1/messages", 1 << 20, id="one"),
        pytest.param("/v1/messages/batch", 16 << 20, id="batch"),
    ],
)
async def test_a_body_over_the_limit_is_refused(api: World, path: str, limit: int, chunked: bool) -> None:
    data = chunks(limit + 1) if chunked else io.BytesIO(b" " * (limit + 1))
    status, body, _ = await asked(
        api, "POST", path, data=data, headers={"Content-Type": "application/json", "Expect": "100-continue"}
    )
    assert (status, body["type"]) == (413, "/problems/too-large")


async def test_a_body_at_the_limit_is_read(api: World) -> None:
    text = json.dumps(MESSAGE).encode()
    data = text + b" " * ((1 << 20) - len(text))
    status, _, _ = await asked(
        api, "POST", "/v1/messages", data=data, headers={"Content-Type": "application/json"}
    )
    assert status == 202


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("order-77:2026.1", True, id="sane"),
        pytest.param("a b", False, id="blank inside"),
        pytest.param("x" * 129, False, id="too long"),
        pytest.param('"><script>', False, id="markup"),
    ],
)
async def test_the_callers_request_id_is_kept_when_sane(api: World, given: str, kept: bool) -> None:
    async with api.http.post("/v1/messages", json=MESSAGE, headers={"X-Request-Id": given}) as response:
        assert (response.headers["X-Request-Id"] == given) is kept
        assert api.intake.callers[0].request_id == response.headers["X-Request-Id"]


async def test_when_nothing_can_be_stored_it_says_503(api: World) -> None:
    api.intake.fails = StorageUnavailable("down")
    status, body, headers = await asked(api, "POST", "/v1/messages", json=MESSAGE)
    assert (status, body["type"]) == (503, "/problems/storage-unavailable")
    assert headers["Retry-After"] == "1"


async def test_beyond_a_bound_callers_are_asked_to_come_again(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_AT_ONCE", 0)
    status, body, headers = await asked(api, "POST", "/v1/messages", json=MESSAGE)
    assert (status, body["type"], headers["Retry-After"]) == (503, "/problems/overloaded", "1")
    assert (await asked(api, "GET", "/healthz"))[0] == 200


async def test_connections_without_end_are_cut_off(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)
    async with api.http.get("/healthz") as response:
        assert response.status == 200
        assert await raw(api, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    async with api.http.get("/healthz") as response:
        assert response.status == 200


async def test_a_fault_of_ours_tells_no_internals(api: World, caplog: pytest.LogCaptureFixture) -> None:
    api.intake.fails = RuntimeError("secret of the house")
    status, body, headers = await asked(api, "POST", "/v1/messages", json=MESSAGE)
    assert (status, body["type"]) == (500, "/problems/internal")
    assert "secret" not in json.dumps(body)
    assert headers["X-Request-Id"] in body["detail"]
    assert caplog.records[-1].__dict__["request_id"] == headers["X-Request-Id"]


async def raw(api: World, octets: bytes) -> bytes:
    """What comes back on a fresh connection for these octets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.listener.port)
    writer.write(octets)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"NOT HTTP AT ALL\r\n\r\n", id="garbage"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", id="blank in a header's name"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="two framings",
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", id="long header"),
    ],
)
async def test_what_is_not_http_gets_a_problem_too(api: World, octets: bytes) -> None:
    answer = await raw(api, octets)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert b"X-Request-Id: " in head
    assert json.loads(body)["type"] == "/problems/bad-http"


async def test_a_broken_chunk_is_a_bad_request(api: World) -> None:
    answer = await raw(
        api,
        b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer all\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    )
    assert b" 400 " in answer.splitlines()[0]
    assert b"/problems/bad-http" in answer


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.05)
    answer = await raw(
        api,
        b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer all\r\n"
        b'Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"to"',
    )
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_caller_who_asks_first_is_told_to_go_on(api: World) -> None:
    body = json.dumps(MESSAGE).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", api.listener.port)
    head = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer all\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.read()).startswith(b"HTTP/1.1 202 ")
    writer.close()


async def test_a_pipeline_of_calls_is_answered_in_order(api: World) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: %d\r\n%s\r\n"
    answer = await raw(
        api, b"".join(one % (n, b"Connection: close\r\n" if n == 4 else b"") for n in range(5))
    )
    found = [int(part[:1]) for part in answer.split(b"X-Request-Id: ")[1:]]
    assert found == [0, 1, 2, 3, 4]


async def test_head_is_get_without_a_body(api: World) -> None:
    async with api.http.head("/healthz") as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_readiness_names_each_part_and_its_reason() -> None:
    async def hangs() -> tuple[bool, str]:
        raise TimeoutError

    async def broken() -> tuple[bool, str]:
        raise StorageUnavailable("the database is not available")

    async with world(checks={"binds": down, "database": hangs, "keys": broken}) as api:
        status, body, _ = await asked(api, "GET", "/readyz", headers={"Authorization": ""})
    assert status == 503
    assert [(part["name"], part["ready"]) for part in body["parts"]] == [
        ("binds", False),
        ("database", False),
        ("keys", False),
    ]
    assert body["parts"][2]["reason"] == "the database is not available"
    assert body["parts"][0]["reason"] == "no bind is up"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_open_doors_need_no_key(api: World, path: str) -> None:
    async with api.http.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 200


async def test_stopping_finishes_what_runs() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[bool, str]:
        started.set()
        await go_on.wait()
        return True, "ok"

    async with world(checks={"slow": slow}) as api:
        port = api.listener.port
        call = asyncio.create_task(asked(api, "GET", "/readyz"))
        await started.wait()
        stopping = asyncio.create_task(api.listener.stop(5.0))
        await asyncio.sleep(0)
        go_on.set()
        status, _, headers = await call
        await stopping
        assert (status, headers["Connection"]) == (200, "close")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
