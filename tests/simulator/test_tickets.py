"""The stand-in ticket system: write-backs, cases, faults, the page, and the clerks."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.simulator import control
from gateway.simulator.cases import CASES, DEPARTMENTS, TYPES
from gateway.simulator.desk import Desk
from gateway.simulator.record import Journal
from gateway.simulator.tickets import TicketSystem, build, read_satisfaction


class Tickets:
    """A ticket system that listens, and a caller."""

    def __init__(self, system: TicketSystem, url: str, session: aiohttp.ClientSession) -> None:
        self.system = system
        self.url = url
        self.session = session

    async def call(self, method: str, path: str, body: Any, key: str = "") -> tuple[int, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture
async def tickets(tmp_path: Path) -> AsyncIterator[Tickets]:
    system = TicketSystem(Journal(tmp_path / "calls.ndjson"))
    runner, port = await control.serve(build(system), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        yield Tickets(system, f"http://127.0.0.1:{port}", session)
    await runner.cleanup()
    system.close()


FLAT = {"score": 8, "scale": "ten", "comment": "态度好", "status": "answered", "text": "8分态度好"}


@pytest.mark.parametrize(
    ("body", "score", "comment"),
    [
        pytest.param(FLAT | {"survey": "srv_1", "ticket": {"id": "T1"}}, 8, "态度好", id="plain names"),
        pytest.param({"satisfaction": {"score": 3, "comment": "慢"}}, 3, "慢", id="under satisfaction"),
        pytest.param({"survey": {"score": 9}, "reply": {"text": "9"}}, 9, None, id="under survey"),
        pytest.param({"satisfaction": 7}, 7, None, id="a bare number"),
        pytest.param({"score": "6"}, 6, None, id="a number in quotes"),
        pytest.param({"status": "expired", "score": None}, None, None, id="no answer came"),
    ],
)
def test_satisfaction_is_read_in_its_usual_forms(
    body: dict[str, Any], score: int | None, comment: str | None
) -> None:
    read = read_satisfaction(body)
    assert read is not None
    assert (read.score, read.comment) == (score, comment)


@pytest.mark.parametrize(
    "body",
    [pytest.param({}, id="empty"), pytest.param({"score": "many"}, id="no number")],
)
def test_what_says_nothing_of_satisfaction_is_none(body: dict[str, Any]) -> None:
    assert read_satisfaction(body) is None


async def test_a_score_lands_in_its_ticket_once_for_each_key(tickets: Tickets) -> None:
    ticket = tickets.system.create(to="13905310001", complaint="太慢")
    for _ in range(3):
        status, answer = await tickets.call("PATCH", f"/tickets/{ticket.id}", FLAT, "k1")
        assert status == 200
        assert answer["satisfaction"]["score"] == 8
    assert ticket.calls == 1
    await tickets.call("PATCH", f"/tickets/{ticket.id}", FLAT | {"score": 9}, "k2")
    assert ticket.calls == 2
    assert ticket.satisfaction is not None
    assert ticket.satisfaction.score == 9
    status, _ = await tickets.call("POST", "/tickets", FLAT, "k2")
    assert status == 422


async def test_a_ticket_of_elsewhere_is_taken_in(tickets: Tickets) -> None:
    body = FLAT | {"to": "8613905310001", "ticket": {"id": "X-1", "type": "charges"}}
    assert (await tickets.call("PATCH", "/tickets/X-1", body))[0] == 200
    [shown] = (await tickets.call("GET", "/tickets.json", None))[1]["data"]
    assert (shown["id"], shown["type"], shown["satisfaction"]["score"]) == ("X-1", "charges", 8)
    assert shown["customer"] == "86139***10001"


async def test_words_and_follow_ups_become_cases(tickets: Tickets) -> None:
    first = tickets.system.create(to="13905310001", type="charges", department="it-centre")
    status, answer = await tickets.call(
        "POST", "/tickets", {"kind": "customer_words", "text": "宽带断了", "to": "1"}
    )
    assert status == 201
    assert answer["id"].endswith("-0002")
    await tickets.call("POST", "/tickets", {"kind": "follow_up", "ticket": {"id": first.id}, "text": "1分"})
    assert first.follow_ups == 1
    assert [each.kind for each in tickets.system.tickets.values()] == [
        "complaint",
        "customer_words",
        "follow_up",
    ]
    assert tickets.system.tickets[answer["id"]].complaint == "宽带断了"


@pytest.mark.parametrize(
    ("trouble", "status", "applied"),
    [
        pytest.param({"do": "error"}, 500, 0, id="500"),
        pytest.param({"do": "false-ok"}, 200, 0, id="200 with an error"),
        pytest.param({"do": "slow", "seconds": 0.01}, 200, 1, id="slow"),
        pytest.param({"do": "down"}, None, 0, id="down"),
        pytest.param({"do": "applied-silent", "seconds": 0.01}, None, 1, id="no answer after it was applied"),
    ],
)
async def test_troubles(
    tickets: Tickets, tmp_path: Path, trouble: dict[str, Any], status: int | None, applied: int
) -> None:
    ticket = tickets.system.create(to="13905310001")
    await tickets.call("POST", "/faults", trouble | {"times": 1})
    path = f"/tickets/{ticket.id}"
    if status is None:
        with pytest.raises(aiohttp.ClientError):
            await tickets.call("PATCH", path, FLAT, "k")
    else:
        got, answer = await tickets.call("PATCH", path, FLAT, "k")
        assert got == status
        assert ("error" in answer) == (applied == 0)
    assert ticket.calls == applied
    assert (await tickets.call("PATCH", path, FLAT, "k"))[0] == 200
    assert ticket.calls == 1
    tickets.system.close()
    lines = [json.loads(line) for line in (tmp_path / "calls.ndjson").read_text("utf-8").splitlines()]
    assert [line["status"] for line in lines] == [status or 0, 200]
    assert sum(line["applied"] for line in lines) == 1
    assert lines[-1]["replayed"] == bool(applied)
    assert lines[0]["body"]["comment"] == "态度好"


async def test_a_trouble_that_is_none_is_refused(tickets: Tickets) -> None:
    assert (await tickets.call("POST", "/faults", {"do": "explode"}))[0] == 422
    assert (await tickets.call("POST", "/faults", None))[1] == {"trouble": None}


async def test_the_page_is_told_of_each_change(tickets: Tickets) -> None:
    ticket = tickets.system.create(to="13905310001", complaint="慢")
    async with tickets.session.get(f"{tickets.url}/tickets/stream") as stream:
        assert await _event(stream) == ("all", [ticket.shown()])
        await tickets.call("PATCH", f"/tickets/{ticket.id}", FLAT)
        name, shown = await _event(stream)
        assert (name, shown["satisfaction"]["score"]) == ("ticket", 8)


async def _event(stream: aiohttp.ClientResponse) -> tuple[str, Any]:
    name = (await stream.content.readline()).decode().removeprefix("event: ").strip()
    data = (await stream.content.readline()).decode().removeprefix("data: ")
    await stream.content.readline()
    return name, json.loads(data)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/", "text/html", id="root"),
        pytest.param("/tickets", "text/html", id="tickets"),
        pytest.param("/tickets.css", "text/css", id="style"),
        pytest.param("/tickets.js", "text/javascript", id="script"),
    ],
)
async def test_the_page_is_served_under_a_strict_policy(tickets: Tickets, path: str, kind: str) -> None:
    async with tickets.session.get(tickets.url + path) as response:
        assert response.content_type == kind
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "<script>" not in await response.text()


async def test_the_clerks_call_the_gateway_and_try_again(tickets: Tickets) -> None:
    asked: list[tuple[str, str, Any]] = []

    async def resolutions(request: web.Request) -> web.Response:
        asked.append(
            (request.headers["Authorization"], request.headers["Idempotency-Key"], await request.json())
        )
        if len(asked) == 1:
            return web.json_response({"title": "not now"}, status=503)
        return web.json_response({"id": "msg_1", "survey": {"id": "srv_1", "status": "open"}}, status=202)

    app = web.Application()
    app.add_routes([web.post("/v1/resolutions", resolutions)])
    runner, port = await control.serve(app, "127.0.0.1", 0)
    try:
        await Desk(tickets.system, f"http://127.0.0.1:{port}/", "key").run(every=0.01, limit=2)
    finally:
        await runner.cleanup()
    assert len(asked) == 3
    assert {authorization for authorization, _, _ in asked} == {"Bearer key"}
    assert asked[0] == asked[1]
    body = asked[2][2]
    assert body["to"] == "13905310002"
    ticket = tickets.system.tickets[body["ticket"]["id"]]
    assert (ticket.status, ticket.survey, ticket.resolution) == ("resolved", "srv_1", body["text"])


def test_the_cases_are_many_and_of_all_types() -> None:
    assert len(CASES) >= 40
    assert set(Counter(case.type for case in CASES)) == set(TYPES)
    assert {case.department for case in CASES} == set(DEPARTMENTS)
    assert len({case.complaint for case in CASES}) == len(CASES)
    assert all(len(case.resolution) <= 500 for case in CASES)
