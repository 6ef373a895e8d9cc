"""Binds and the trace by HTTP: who may see what, what is asked of the binds, and streams that end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.domain.ids import IdSource, Kind, public
from gateway.services.keys import Scope
from gateway.services.ways import Frame, RouteState, Wanted
from tests.http.fakes import NOW, ROUTE, World, world
from tests.services.book import LI, Book, book_in

BIND = "main/transceiver-1"
FRAMES = [
    Frame(at=NOW + timedelta(seconds=at), bind=BIND, way="out", words=f"submit_sm #{at}") for at in range(3)
]
LINES = "application/x-ndjson"


@pytest.fixture
async def here(api: World) -> World:
    api.ways.frames = FRAMES
    api.ring.add("reader", Scope.READ)
    api.ring.add("operator", Scope.ADMIN)
    return api


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


async def got(api: World, path: str, token: str = "all", accept: str = "*/*") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    async with api.http.get(path, headers=headers) as response:
        body = await response.read()
        if response.content_type == LINES:
            return response.status, [json.loads(line) for line in body.splitlines() if line]
        return response.status, json.loads(body)


async def test_binds_are_told_to_whoever_may_read(here: World) -> None:
    status, body = await got(here, "/v1/binds", "reader")
    assert status == 200
    assert msgspec.convert(body["data"], list[RouteState]) == [ROUTE]


async def test_the_trace_is_for_admins(here: World) -> None:
    assert (await got(here, "/v1/trace", "reader"))[0] == 403
    status, body = await got(here, "/v1/trace", "operator")
    assert status == 200
    assert msgspec.convert(body["data"], list[Frame]) == FRAMES
    assert here.ways.asked == [(Wanted(), 100)]


async def test_open_takes_the_right_to_personal_data(here: World) -> None:
    status, body = await got(here, "/v1/trace?open=true", "operator")
    assert (status, body["type"]) == (403, "/problems/missing-scope")
    assert (await got(here, "/v1/trace?open=true"))[0] == 200
    assert here.ways.asked == [(Wanted(open=True), 100)]


@pytest.mark.parametrize(
    ("query", "wanted", "limit"),
    [
        pytest.param("bind=main", Wanted(bind="main"), 100, id="a route"),
        pytest.param(f"bind={BIND}&limit=7", Wanted(bind=BIND), 7, id="a bind"),
        pytest.param("to=%2B8613905310001", Wanted(number="8613905310001"), 100, id="a number"),
        pytest.param("to=008613905310001", Wanted(number="8613905310001"), 100, id="a number after 00"),
        pytest.param("quiet=false", Wanted(quiet=False), 100, id="not quiet"),
    ],
)
async def test_what_is_asked_for_reaches_the_binds(
    here: World, query: str, wanted: Wanted, limit: int
) -> None:
    assert (await got(here, f"/v1/trace?{query}"))[0] == 200
    assert here.ways.asked == [(wanted, limit)]


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        pytest.param(
            "bind=other",
            404,
            "There is no bind 'other'. There are main, main/transceiver-1.",
            id="an unknown bind",
        ),
        pytest.param("message=msg_1", 404, "There is no message 'msg_1'", id="no id of a message"),
        pytest.param(
            f"message={public(Kind.MESSAGE, IdSource().new(0, NOW.timestamp()))}",
            404,
            "There is no message",
            id="an unknown message",
        ),
        pytest.param("to=abc", 422, "to must have three digits", id="no number"),
        pytest.param("limit=0", 422, "limit must be at least 1", id="no limit"),
        pytest.param("follow=perhaps", 422, "follow must be true or false", id="neither true nor false"),
    ],
)
async def test_what_can_not_be_found_is_told(here: World, query: str, status: int, detail: str) -> None:
    answered, body = await got(here, f"/v1/trace?{query}")
    assert answered == status
    assert detail in body["detail"]


async def test_a_node_without_binds_says_so() -> None:
    async with world(sends=False) as api:
        for path in ("/v1/binds", "/v1/trace"):
            status, body = await got(api, path)
            assert (status, body["type"]) == (409, "/problems/no-binds")


async def test_lines_come_to_who_accepts_them(here: World) -> None:
    assert await got(here, "/v1/trace?limit=2", accept=LINES) == (200, msgspec.to_builtins(FRAMES[1:]))


async def test_following_gives_lines_until_they_end(here: World) -> None:
    assert await got(here, "/v1/trace?follow=true") == (200, msgspec.to_builtins(FRAMES))
    assert here.ways.asked == [(Wanted(), 10)]
    assert here.ways.followers == 0


async def test_a_follower_that_goes_away_is_let_go(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.server.LOOK_SECONDS", 0.01)
    here.ways.goes_on = True
    async with here.http.get("/v1/trace?follow=true") as response:
        assert json.loads(await response.content.readline())["words"] == "submit_sm #0"
        assert here.ways.followers == 1
        response.close()
    await until(lambda: here.ways.followers == 0)


async def test_a_follower_sees_the_end_when_the_server_stops(here: World) -> None:
    here.ways.goes_on = True
    async with here.http.get("/v1/trace?follow=true") as response:
        for _ in FRAMES:
            await response.content.readline()
        stopping = asyncio.create_task(here.listener.stop(5.0))
        assert await response.content.read() == b""
        await stopping
    assert here.ways.followers == 0


async def test_silence_is_filled_with_empty_lines(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.server.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("gateway.http.server.BREATH_SECONDS", 0.02)
    here.ways.frames, here.ways.goes_on = [], True
    async with here.http.get("/v1/trace?follow=true") as response:
        assert await response.content.readline() == b"\n"
        response.close()


async def test_only_so_many_follow_at_a_time(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.server.STREAMS_AT_ONCE", 1)
    here.ways.goes_on = True
    async with here.http.get("/v1/trace?follow=true") as response:
        await response.content.readline()
        assert (await got(here, "/v1/trace?follow=true"))[0] == 503
        response.close()


@pytest.fixture
async def book(database_dsn: str) -> AsyncIterator[Book]:
    async with book_in(database_dsn) as book:
        yield book


async def test_a_message_is_followed_by_its_number_and_its_ids(book: Book) -> None:
    uid = await book.message(LI, 0, ("attempt", "submitting"), ("submitted", "submitted"))
    record = await book.lookups.message(uid)
    assert record is not None
    ids = tuple(step.smsc_id for step in record.steps if step.smsc_id)
    async with world(lookups=book.lookups) as api:
        name = public(Kind.MESSAGE, uid)
        assert (await got(api, f"/v1/trace?message={name}"))[0] == 200
        assert api.ways.asked == [(Wanted(number=LI, smsc_ids=ids), 100)]
        status, body = await got(api, f"/v1/trace?message={name}&to=13905319999")
        assert (status, body["detail"]) == (422, "to is not the number that the message went to.")
