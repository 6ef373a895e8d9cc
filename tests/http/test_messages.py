"""`/v1/messages` as callers meet it: once for each Idempotency-Key, batches item by item, taking back."""

import json
from typing import Any

import pytest

from gateway.domain.ids import Kind, parse
from gateway.services.keys import Scope
from tests.http.fakes import World

MESSAGE = {"to": "13905310001", "text": "您好"}
ID = f"msg_{'0' * 32}"


async def post(api: World, path: str, **options: Any) -> tuple[int, bytes, Any]:
    async with api.http.post(path, **options) as response:
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/v1/messages", MESSAGE, 202, id="message"),
        pytest.param("/v1/messages/batch", [MESSAGE, {"to": "1234"}], 200, id="batch"),
        pytest.param("/v1/resolutions", {"to": "13905310001", "ticket": {"id": "T1"}}, 202, id="resolution"),
        pytest.param("/v1/surveys", {"to": "13905310001", "touchpoint": "hotline"}, 202, id="survey"),
    ],
)
async def test_the_same_call_again_gets_the_first_answer(
    api: World, path: str, body: Any, status: int
) -> None:
    options: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "a-1"}}
    first_status, first, first_headers = await post(api, path, **options)
    again_status, again, again_headers = await post(api, path, **options)
    assert (first_status, again_status, again) == (status, status, first)
    assert "Idempotency-Replayed" not in first_headers
    assert again_headers["Idempotency-Replayed"] == "true"
    assert again_headers["Content-Type"] == first_headers["Content-Type"]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/batch"])
async def test_a_refusal_is_not_kept(api: World, path: str) -> None:
    headers = {"Idempotency-Key": "a-1"}
    for body in ({**MESSAGE, "to": "1234"}, MESSAGE):
        sent = [body] if path.endswith("batch") else body
        status, _, answered = await post(api, path, json=sent, headers=headers)
        assert "Idempotency-Replayed" not in answered
    assert status in {200, 202}
    assert len(api.intake.taken) == 1


async def test_an_idempotency_key_belongs_to_one_body_one_route_and_one_caller(api: World) -> None:
    headers = {"Idempotency-Key": "a-1"}
    other = {"Authorization": f"Bearer {api.ring.add('other', Scope.MESSAGES_WRITE)}", **headers}
    assert (await post(api, "/v1/messages", json=MESSAGE, headers=headers))[0] == 202
    status, body, _ = await post(api, "/v1/messages", json={**MESSAGE, "ref": "b"}, headers=headers)
    assert (status, json.loads(body)["type"]) == (422, "/problems/idempotency-conflict")
    assert (await post(api, "/v1/messages/batch", json=[MESSAGE], headers=headers))[0] == 200
    assert (await post(api, "/v1/messages", json=MESSAGE, headers=other))[0] == 202
    assert len(api.intake.taken) == 3


async def test_while_the_first_call_runs_the_second_waits(api: World) -> None:
    api.intake.running = True
    status, body, headers = await post(api, "/v1/messages", json=MESSAGE, headers={"Idempotency-Key": "a"})
    assert (status, json.loads(body)["type"]) == (409, "/problems/still-running")
    assert headers["Retry-After"] == "1"


@pytest.mark.parametrize("key", ["", "中", "x" * 256, "a b"], ids=["empty", "not ASCII", "long", "blank"])
async def test_an_impossible_idempotency_key_is_refused(api: World, key: str) -> None:
    status, body, _ = await post(api, "/v1/messages", json=MESSAGE, headers={"Idempotency-Key": key})
    assert (status, json.loads(body)["type"]) == (422, "/problems/invalid-idempotency-key")


BAD_ITEMS = [
    pytest.param('{"to": 5}', 422, "invalid-request", id="wrong type"),
    pytest.param('{"to": "13905310001", "txt": "a"}', 422, "invalid-request", id="unknown field"),
    pytest.param('{"to": "1234"}', 422, "invalid-number", id="refused by the service"),
    pytest.param('{"to": "13905310001", "text": "\\u0000"}', 422, "invalid-request", id="NUL"),
    pytest.param("7", 422, "invalid-request", id="not an object"),
]


@pytest.mark.parametrize("form", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize(("bad", "status", "code"), BAD_ITEMS)
async def test_a_bad_message_does_not_fail_the_batch(
    api: World, form: str, bad: str, status: int, code: str
) -> None:
    good = json.dumps(MESSAGE)
    body = f"[{good}, {bad}, {good}]" if form == "application/json" else f"{good}\n\n{bad}\r\n{good}\n"
    got, answer, _ = await post(api, "/v1/messages/batch", data=body.encode(), headers={"Content-Type": form})
    result = json.loads(answer)
    assert (got, result["accepted"], result["rejected"]) == (200, 2, 1)
    assert [(item["index"], item["status"]) for item in result["data"]] == [(0, 202), (1, status), (2, 202)]
    lines = [item.get("line") for item in result["data"]]
    assert lines == ([None] * 3 if form == "application/json" else [1, 3, 4])
    assert result["data"][1]["problem"]["type"] == f"/problems/{code}"
    assert parse(Kind.MESSAGE, result["data"][2]["id"])


async def test_a_line_that_is_no_json_fails_alone(api: World) -> None:
    body = json.dumps(MESSAGE).encode() + b'\n{"to":\n'
    got, answer, _ = await post(
        api, "/v1/messages/batch", data=body, headers={"Content-Type": "application/x-ndjson"}
    )
    result = json.loads(answer)
    assert (got, [item["status"] for item in result["data"]]) == (200, [202, 400])


@pytest.mark.parametrize(
    ("body", "lines", "statuses"),
    [
        pytest.param(b"\n\n{0}\r\n \t\n{0}", [3, 5], [202, 202], id="blank lines"),
        pytest.param(b"{0}{0}\n{0}\n", [1, 2], [400, 202], id="two in one line"),
        pytest.param(b"{1}\n{2}\n{0}\n", [1, 2, 3], [400, 400, 202], id="one in two lines"),
    ],
)
async def test_each_result_names_its_line(
    api: World, body: bytes, lines: list[int], statuses: list[int]
) -> None:
    whole = json.dumps(MESSAGE).encode()
    for mark, text in ((b"{0}", whole), (b"{1}", whole[:20]), (b"{2}", whole[20:])):
        body = body.replace(mark, text)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "lines"}
    _, answer, _ = await post(api, "/v1/messages/batch", data=body, headers=headers)
    data = json.loads(answer)["data"]
    assert [item["index"] for item in data] == list(range(len(lines)))
    assert [(item["line"], item["status"]) for item in data] == list(zip(lines, statuses, strict=True))
    assert (await post(api, "/v1/messages/batch", data=body, headers=headers))[1] == answer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"[]", 422, id="none"),
        pytest.param(b"[" + b",".join([b"7"] * 10_001) + b"]", 422, id="too many"),
        pytest.param(b"{}", 422, id="not an array"),
        pytest.param(b'[{"to":', 400, id="cut"),
        pytest.param(b"[" * 50_000, 400, id="deep"),
    ],
)
async def test_a_batch_that_is_none_is_refused_whole(api: World, body: bytes, status: int) -> None:
    got, answer, _ = await post(
        api, "/v1/messages/batch", data=body, headers={"Content-Type": "application/json"}
    )
    assert (got, json.loads(answer)["status"]) == (status, status)
    assert not api.intake.taken


async def test_ten_thousand_are_answered_in_order(api: World) -> None:
    lines = b"\n".join(
        b'{"to":"13905310001","text":"a","ref":"%d"}' % n if n % 100 else b"{}" for n in range(10_000)
    )
    got, answer, _ = await post(
        api, "/v1/messages/batch", data=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    result = json.loads(answer)
    assert (got, result["accepted"], result["rejected"]) == (200, 9900, 100)
    assert [item["index"] for item in result["data"]] == list(range(10_000))
    assert [int(request.ref) for request in api.intake.taken] == [n for n in range(10_000) if n % 100]


@pytest.mark.parametrize(
    ("says", "status", "kind"),
    [
        pytest.param("cancelled", 200, None, id="taken back"),
        pytest.param("too-late", 409, "/problems/too-late", id="on its way"),
        pytest.param("unknown-id", 404, "/problems/unknown-id", id="nobody's"),
    ],
)
async def test_a_message_is_taken_back_while_it_waits(
    api: World, says: str, status: int, kind: str | None
) -> None:
    api.dispatch.says = says
    got, body, _ = await post(api, f"/v1/messages/{ID}/cancel")
    answer = json.loads(body)
    assert (got, answer.get("type")) == (status, kind)
    assert status != 200 or answer == {"id": ID, "status": "cancelled"}


async def test_a_resolution_opens_a_survey(api: World) -> None:
    body = {"to": "13905310001", "ticket": {"id": "TS-1"}, "text": "a", "survey": {"scale": "ten"}}
    status, answer, _ = await post(api, "/v1/resolutions", json=body)
    told = json.loads(answer)
    assert (status, told["survey"]["status"]) == (202, "open")
    assert parse(Kind.SURVEY, told["survey"]["id"])


async def test_a_touchpoint_gets_the_ids_of_survey_and_message(api: World) -> None:
    status, answer, _ = await post(api, "/v1/surveys", json={"to": "13905310001", "touchpoint": "hotline"})
    told = json.loads(answer)
    assert (status, told["status"]) == (202, "open")
    assert sorted(told) == ["encoding", "id", "message_id", "segments", "status"]
    assert parse(Kind.SURVEY, told["id"])
    assert parse(Kind.MESSAGE, told["message_id"])
