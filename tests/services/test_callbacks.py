"""Calls out, end to end: PostgreSQL on one side, an HTTP server that misbehaves on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway.domain.callback import Answer, Done, Park, Request
from gateway.domain.connector import load_connectors
from gateway.domain.event import Call, Callback, CallbackStatus, Event
from gateway.domain.ids import IdSource, Kind, public
from gateway.domain.lines import Board
from gateway.domain.target import Targets
from gateway.domain.webhook import Endpoint, new_secret
from gateway.http.client import Client
from gateway.services.callbacks import Callbacks, Outbox, Poster
from gateway.services.changes import OutrunError
from gateway.storage import callbacks as table
from gateway.storage.database import Connection, Database
from tests.services.other_side import Answering, OtherSide, cut, fine, hang, in_turn, status, until

IDS = IdSource()
SCORE = "ticket.satisfaction"
QUICK = {"first_pause": timedelta(milliseconds=20), "longest_pause": timedelta(milliseconds=50)}
CALM = {"breaker_failures": 1000}


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Node:
    """One process: an outbox, a client and a service, with shorthands for what tests do."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        buckets: Collection[int] = range(256),
        poster: Poster | None = None,
        **options: Any,
    ) -> None:
        self.database, self.clock, self.buckets = database, clock, buckets
        self.outbox = Outbox(IDS)
        self.client = Client(Targets(["127.0.0.0/8"]))
        self.service = Callbacks(
            database, self.outbox, poster or self.client, clock, lambda: self.buckets, **options
        )

    def connect(self, url: str, name: str = SCORE, **definition: Any) -> None:
        loaded, faults = load_connectors(
            {name: {"method": "PATCH", "url": url, **QUICK, **CALM, **definition}}
        )
        assert faults == []
        self.outbox.configure({**self.outbox.connectors, **loaded})

    async def owe(self, *events: Call | Event, hand_over: bool = True) -> list[Callback]:
        rows = self.outbox.rows(events, self.clock())
        async with self.database.transaction() as connection:
            await table.insert(connection, rows)
        if hand_over:
            self.service.hand_over(rows)
        return rows

    async def settled(self, count: int = 1) -> list[Any]:
        """Wait until so many callbacks neither wait nor are under way."""
        sql = "SELECT * FROM callbacks WHERE status <> 'waiting' ORDER BY created_at, id"
        async with asyncio.timeout(20):
            while True:
                async with self.database.connection() as connection:
                    rows = await connection.fetch(sql)
                if len(rows) >= count and not self.service.waiting:
                    return list(rows)
                await asyncio.sleep(0.01)

    async def tries(self) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch("SELECT * FROM callback_tries ORDER BY callback_id, try"))


def scored(
    score: int = 8, subject: UUID | None = None, ticket: str = "TS-1", name: str = SCORE, bucket: int = 7
) -> Call:
    uid = subject or IDS.new(bucket, datetime.now(UTC).timestamp())
    data = {
        "survey": "srv_1",
        "score": score,
        "scale": "ten",
        "ticket": {"id": ticket},
        "to": "8613905310001",
    }
    return Call(connector=name, bucket=uid.bytes[15], subject=uid, at=datetime.now(UTC), data=data)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=4) as database:
        yield database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[Node]:
    async with node.client:
        await node.service.start()
        try:
            yield node
        finally:
            await node.service.stop(0.2)


@pytest.fixture
async def other() -> AsyncIterator[OtherSide]:
    async with OtherSide() as other:
        yield other


@pytest.fixture
async def node(database: Database, clock: Clock, other: OtherSide) -> AsyncIterator[Node]:
    node = Node(database, clock)
    node.connect(other.url + "/tickets/{{ ticket.id }}")
    async with running(node):
        yield node


async def test_a_score_reaches_the_ticket_with_all_that_is_known(node: Node, other: OtherSide) -> None:
    (row,) = await node.owe(scored(9, ticket="TS/2026 1"))
    (settled,) = await node.settled()
    (got,) = other.got
    assert (got.method, got.path) == ("PATCH", "/tickets/TS%2F2026%201")
    assert got.key == public(Kind.CALLBACK, row.id)
    assert got.headers["Content-Type"] == "application/json"
    body = msgspec.json.decode(got.body)
    assert (body["score"], body["ticket_id"], body["to"]) == (9, "TS/2026 1", "8613905310001")
    assert (settled["status"], settled["tries"]) == ("done", 1)
    (attempt,) = await node.tries()
    assert (attempt["try"], attempt["http_status"], attempt["answer"]) == (1, 200, '{"ok": true}')


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param(status(500, "boom"), "HTTP 500\nboom", id="500"),
        pytest.param(status(503, Retry_After="0"), "HTTP 503", id="503 with Retry-After"),
        pytest.param(status(429, Retry_After="0"), "HTTP 429", id="429"),
        pytest.param(status(401, "token expired"), "HTTP 401\ntoken expired", id="401"),
        pytest.param(status(404), "HTTP 404", id="404"),
        pytest.param(status(409), "HTTP 409", id="409"),
        pytest.param(status(425), "HTTP 425", id="425"),
        pytest.param(hang, "no answer within 0.2 s", id="hanging"),
        pytest.param(
            cut, "the connection broke (ServerDisconnectedError)", id="applied, and the answer lost"
        ),
        pytest.param(
            status(302, Location="http://127.0.0.1:1/"),
            "it redirects to http://127.0.0.1:1/; redirects are not followed",
            id="redirecting to localhost",
        ),
    ],
)
async def test_what_may_heal_is_tried_again_under_the_same_key(
    node: Node, other: OtherSide, fault: Answering, told: str
) -> None:
    node.connect(other.url + "/tickets/{{ ticket.id }}", timeout=timedelta(seconds=0.2))
    other.answer = in_turn(fault, fault, fine)
    await node.owe(scored())
    (settled,) = await node.settled()
    assert (settled["status"], settled["tries"]) == ("done", 3)
    assert len({got.key for got in other.got}) == 1
    assert len(other.got) == 3
    assert [attempt["answer"] for attempt in await node.tries()] == [told, told, '{"ok": true}']


async def test_an_error_inside_a_200_is_tried_again(node: Node, other: OtherSide) -> None:
    node.connect(other.url + "/", success={"pointer": "/ok", "equals": True})
    wrong = status(200, '{"ok": false, "error": "locked"}')
    other.answer = in_turn(wrong, status(200, "<html>"), fine)
    await node.owe(scored())
    assert [row["status"] for row in await node.settled()] == ["done"]
    assert [attempt["answer"].partition("\n")[0] for attempt in await node.tries()] == [
        "HTTP 200, but /ok is false",
        "HTTP 200, but the answer is not JSON",
        '{"ok": true}',
    ]


@pytest.mark.parametrize("code", [400, 405, 410, 413, 415, 422, 431])
async def test_a_call_that_is_wrong_in_itself_is_parked_at_once(
    node: Node, other: OtherSide, code: int
) -> None:
    other.answer = status(code, "no such field")
    await node.owe(scored())
    (settled,) = await node.settled()
    assert (settled["status"], len(other.got)) == ("parked", 1)
    (attempt,) = await node.tries()
    assert attempt["answer"].endswith("\nno such field")


async def test_an_event_that_lacks_what_a_template_names_is_parked_with_the_name(
    node: Node, other: OtherSide
) -> None:
    node.connect(other.url + "/tickets/{{ ticket.number }}")
    await node.owe(scored())
    assert [row["status"] for row in await node.settled()] == ["parked"]
    (attempt,) = await node.tries()
    assert "url: 'dict object' has no attribute 'number'" in attempt["answer"]
    assert other.got == []


@pytest.mark.parametrize(
    ("answered", "ahead"),
    [
        pytest.param(status(422, "no such number"), 0, id="refused"),
        pytest.param(status(500, "down"), 61, id="not answered for a minute"),
    ],
)
async def test_a_look_up_that_is_given_up_waits_for_nobody(
    node: Node, other: OtherSide, clock: Clock, answered: Any, ahead: int
) -> None:
    other.answer = answered
    node.connect(other.url, "lookup.balance")
    (row,) = await node.owe(scored(name="lookup.balance"))
    await until_tries(node, 1)
    clock.ahead = timedelta(seconds=ahead)
    (settled,) = await node.settled()
    assert settled["status"] == "dropped"
    assert list(await node.service.list(status=CallbackStatus.PARKED)) == []
    assert not await node.service.redeliver(row.id)


async def test_a_forbidden_target_is_never_connected_to(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    node = Node(database, clock)
    node.client = Client(Targets())
    node.service = Callbacks(database, node.outbox, node.client, clock, lambda: range(256))
    node.connect(other.url)
    async with running(node):
        await node.owe(scored())
        await until_tries(node, 1)
    assert other.got == []
    assert "127.0.0.1 is not a public address" in (await node.tries())[0]["answer"]


async def until_tries(node: Node, count: int) -> None:
    async with asyncio.timeout(20):
        while len(await node.tries()) < count:
            await asyncio.sleep(0.01)


async def test_after_three_days_it_is_parked_and_a_person_may_send_it_again(
    node: Node, other: OtherSide, clock: Clock
) -> None:
    other.answer = status(500, "still down")
    (row,) = await node.owe(scored())
    await until_tries(node, 2)
    clock.ahead = timedelta(days=3)
    (settled,) = await node.settled()
    assert settled["status"] == "parked"
    ((delivery, tries),) = await node.service.list(status=CallbackStatus.PARKED)
    assert (delivery.id, tries[-1].http_status) == (row.id, 500)
    other.answer = fine
    assert await node.service.redeliver(row.id)
    await until(lambda: not node.service.waiting)
    found = await node.service.find(row.id)
    assert found is not None
    assert (found[0].status, found[1][-1].number) == ("done", settled["tries"] + 1)
    assert len({got.key for got in other.got}) == 1


async def test_redelivery_does_not_wait_for_the_pause(node: Node, other: OtherSide) -> None:
    node.connect(other.url, first_pause=timedelta(hours=1), longest_pause=timedelta(hours=1))
    other.answer = in_turn(status(500), fine)
    (row,) = await node.owe(scored())
    await until_tries(node, 1)
    assert await node.service.redeliver(row.id)
    assert [settled["status"] for settled in await node.settled()] == ["done"]


async def test_what_is_unknown_is_not_redelivered(node: Node) -> None:
    assert not await node.service.redeliver(IDS.new(1, 0))


async def test_calls_of_one_subject_go_in_order_whatever_happens(node: Node, other: OtherSide) -> None:
    other.answer = in_turn(status(500), cut, status(503), fine)
    subject = IDS.new(3, 0)
    for score in range(5):
        await node.owe(scored(score, subject=subject))
    await node.settled(5)
    scores = [msgspec.json.decode(got.body)["score"] for got in other.got]
    assert scores == [0, 0, 0, 0, 1, 2, 3, 4]


async def test_a_parked_call_does_not_hold_up_those_after_it(node: Node, other: OtherSide) -> None:
    other.answer = in_turn(status(422), fine)
    subject = IDS.new(3, 0)
    await node.owe(scored(1, subject=subject), scored(2, subject=subject))
    assert [row["status"] for row in await node.settled(2)] == ["parked", "done"]


async def test_a_dead_target_slows_no_other(node: Node, other: OtherSide) -> None:
    async with OtherSide(hang) as dead:
        node.connect(dead.url, name="lookup.dead", timeout=timedelta(seconds=30), concurrency=2)
        await node.owe(*(scored(name="lookup.dead") for _ in range(50)))
        await until(lambda: len(dead.got) == 2)
        await node.owe(*(scored() for _ in range(50)))
        await until(lambda: len(other.got) == 50)
        assert len(dead.got) == 2


async def test_the_breaker_spares_a_target_and_finds_it_again(node: Node, other: OtherSide) -> None:
    node.connect(other.url, breaker_failures=3, breaker_pause=timedelta(seconds=0.6), concurrency=1)
    down = True

    async def answer(got: Any) -> Any:
        return await (status(500) if down else fine)(got)

    other.answer = answer
    await node.owe(*(scored() for _ in range(30)))
    await until_tries(node, 4)
    asked = len(other.got)
    assert asked < 10  # of 30 calls, each due: the breaker let probes through, one at a time
    down = False
    assert {row["status"] for row in await node.settled(30)} == {"done"}


async def test_what_was_not_handed_over_is_found_in_the_table(node: Node, other: OtherSide) -> None:
    await node.owe(scored(), hand_over=False)
    await until(lambda: len(other.got) == 1)


async def test_a_new_process_goes_on_where_the_killed_one_was(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    """The first one dies with calls under way, calls that rest, and calls that never began."""
    subject = IDS.new(9, 0)
    first = Node(database, clock)
    other.answer = in_turn(status(500), hang)
    first.connect(other.url, concurrency=2, first_pause=timedelta(seconds=1))
    async with running(first):
        await first.owe(
            scored(1, subject=subject), scored(2, subject=subject), scored(3), scored(4), scored(5)
        )
        await until_tries(first, 1)
        await until(lambda: len(other.got) == 3)
    other.got.clear()
    other.answer = fine
    second = Node(database, clock)
    second.connect(other.url)
    async with running(second):
        assert {row["status"] for row in await second.settled(5)} == {"done"}
    scores = [msgspec.json.decode(got.body)["score"] for got in other.got]
    assert sorted(scores) == [1, 2, 3, 4, 5]
    assert scores.index(1) < scores.index(2)


async def test_only_the_owner_of_a_bucket_calls(database: Database, clock: Clock, other: OtherSide) -> None:
    here, there = Node(database, clock, buckets={1}), Node(database, clock, buckets={2})
    here.connect(other.url + "/here/{{ ticket.id }}")
    there.connect(other.url + "/there/{{ ticket.id }}")
    async with running(here), running(there):
        await here.owe(scored(ticket="a", bucket=1), scored(ticket="b", bucket=2))
        await until(lambda: len(other.got) == 2)
        assert sorted(other.paths) == ["/here/a", "/there/b"]
        here.buckets, there.buckets = {1, 2}, set()
        await until(lambda: here.service._loaded == {1, 2})
        await here.owe(scored(ticket="c", bucket=2))
        await until(lambda: len(other.got) == 3)
        assert other.paths[-1] == "/here/c"


async def test_what_memory_does_not_hold_waits_in_the_table_in_order(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    node = Node(database, clock, board=Board(limit=40, share=20, least=5))
    node.connect(other.url, concurrency=1)
    subjects = [IDS.new(3, 0) for _ in range(4)]
    async with running(node):
        most = 0
        for number in range(200):
            await node.owe(scored(number, subject=subjects[number % 4]))
            most = max(most, node.service.waiting)
        assert {row["status"] for row in await node.settled(200)} == {"done"}
    assert most <= 45
    scores = [msgspec.json.decode(got.body)["score"] for got in other.got]
    for rest in range(4):
        assert [score for score in scores if score % 4 == rest] == list(range(rest, 200, 4))


async def test_a_long_backlog_is_read_piece_by_piece(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    """More waits at the start than memory holds, for a system that is up and for one that is not."""
    node = Node(database, clock, board=Board(limit=100, share=20, least=5))
    node.connect(other.url, concurrency=4)
    node.connect("http://127.0.0.1:9/", name="lookup.dead", breaker_failures=1)
    subjects = [IDS.new(3, 0) for _ in range(5)]
    for number in range(30):
        await node.owe(*(scored(number, subject) for subject in subjects), hand_over=False)
        await node.owe(*(scored(number, name="lookup.dead") for _ in range(5)), hand_over=False)
    async with running(node):
        await until(lambda: len(other.got) == 150)
    scores = [msgspec.json.decode(got.body)["score"] for got in other.got]
    assert all(scores.count(number) == 5 for number in range(30))


async def test_a_call_under_way_is_finished_at_the_end(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    async def slow(got: Any) -> Any:
        await asyncio.sleep(0.1)
        return await fine(got)

    other.answer = slow
    node = Node(database, clock)
    node.connect(other.url)
    async with running(node):
        await node.owe(scored())
        await until(lambda: len(other.got) == 1)
        await node.service.stop(10)
        assert [row["status"] for row in await node.settled()] == ["done"]


class _Poison:
    """A poster whose answers the database refuses, or that fails in a way nobody thought of."""

    async def post(self, request: Request) -> Answer:
        if b"bug" in (request.body or b""):
            raise ZeroDivisionError
        return Answer(200, b"\x00\xff\xfe fine")


async def test_octets_that_are_no_text_are_kept_as_far_as_they_are(database: Database, clock: Clock) -> None:
    node = Node(database, clock, poster=_Poison())
    node.connect("http://127.0.0.1:9/")
    async with running(node):
        await node.owe(scored(ticket="TS\x00\ufffe"))
        assert [row["status"] for row in await node.settled()] == ["done"]
    assert (await node.tries())[0]["answer"] == "\ufffd\ufffd\ufffd fine"


async def test_a_bug_in_the_edge_stops_no_line(database: Database, clock: Clock) -> None:
    node = Node(database, clock, poster=_Poison())
    node.connect("http://127.0.0.1:9/")
    async with running(node):
        await node.owe(scored(ticket="bug"))
        await until_tries(node, 2)
    assert {attempt["answer"] for attempt in await node.tries()} == {"ZeroDivisionError"}


async def test_what_the_answer_names_is_told_in_the_settling_transaction(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    told: list[tuple[UUID, Done | Park]] = []
    after: list[int] = []

    async def answered(
        connection: Connection, found: Sequence[tuple[Callback, Done | Park]], now: datetime
    ) -> list[Callable[[], None]]:
        assert connection.is_in_transaction()
        told.extend((callback.id, verdict) for callback, verdict in found)
        assert now <= clock()
        return [lambda: after.append(len(told))]

    other.answer = status(201, '{"ticket": {"id": 4711}}')
    node = Node(database, clock, answered=answered)
    node.connect(other.url, name="ticket.create", method="POST", result="/ticket/id")
    async with running(node):
        (row,) = await node.owe(scored(name="ticket.create"))
        await node.settled()
    assert told == [(row.id, Done(4711))]
    assert after == [1]


async def test_an_answer_that_a_customer_outran_is_settled_again(
    database: Database, clock: Clock, other: OtherSide, caplog: pytest.LogCaptureFixture
) -> None:
    """The call is not made again for it, and nobody is alarmed: a customer wrote in the same moment."""
    outrun: list[int] = []

    async def answered(_connection: Connection, found: Sequence[Any], _now: datetime) -> list[Any]:
        outrun.append(len(found))
        if len(outrun) < 3:
            raise OutrunError
        return []

    node = Node(database, clock, answered=answered)
    node.connect(other.url, name="service.activate")
    async with running(node):
        await node.owe(scored(name="service.activate"))
        assert [row["status"] for row in await node.settled()] == ["done"]
    assert (outrun, len(other.got), len(await node.tries())) == ([1, 1, 1], 1, 1)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_secrets_are_sent_and_never_kept(node: Node, other: OtherSide) -> None:
    async def echo(got: Any) -> Any:
        return await status(422, got.headers["Authorization"])(got)

    other.answer = echo
    node.connect(other.url, secret="hush-hush", headers={"Authorization": "Bearer {{ secret }}"})
    await node.owe(scored())
    await node.settled()
    assert other.got[0].headers["Authorization"] == "Bearer hush-hush"
    assert (await node.tries())[0]["answer"].endswith("\nBearer ***")


async def test_calls_wait_while_the_database_is_away_and_are_settled_after(
    node: Node, other: OtherSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.services import settler
    from gateway.storage.database import StorageUnavailable

    away = 3
    settle = table.settle

    async def failing(*arguments: Any) -> None:
        nonlocal away
        if away:
            away -= 1
            raise StorageUnavailable("away")
        await settle(*arguments)

    monkeypatch.setattr(table, "settle", failing)
    monkeypatch.setattr(settler, "RETRY_STORAGE", 0.01)
    await node.owe(scored())
    assert [row["status"] for row in await node.settled()] == ["done"]
    assert len(other.got) == 1


def endpoint(url: str, *events: str) -> Endpoint:
    now = datetime.now(UTC)
    return Endpoint(
        id=IDS.new(0, now.timestamp()),
        url=url,
        events=events,
        secrets=(new_secret(b"k" * 32),),
        created_at=now,
    )


def happened(event_type: str = "survey.answered") -> Event:
    uid = IDS.new(5, 0)
    return Event(type=event_type, bucket=5, subject=uid, at=datetime.now(UTC), data={"survey": {"score": 8}})


async def test_each_endpoint_that_listens_gets_the_event(node: Node, other: OtherSide) -> None:
    wide, narrow = endpoint(other.url + "/all", "*"), endpoint(other.url + "/s", "survey.*")
    node.outbox.register([wide, narrow], node.clock())
    await node.owe(happened("survey.answered"), happened("message.failed"))
    await node.settled(3)
    assert sorted(other.paths) == ["/all", "/all", "/s"]
    ids = {msgspec.json.decode(got.body)["id"] for got in other.got}
    assert len(ids) == 2
    assert {got.headers["webhook-id"] for got in other.got} == ids


@pytest.mark.parametrize(
    ("event_type", "wanted"),
    [("survey.answered", True), ("message.failed", False), (SCORE, True), ("ticket.create", False)],
)
async def test_the_outbox_says_who_is_listening(node: Node, event_type: str, wanted: bool) -> None:
    node.outbox.register([endpoint("http://127.0.0.1/", "survey.*")], node.clock())
    assert node.outbox.wants(event_type) is wanted
    events: list[Event | Call] = (
        [scored(name=event_type)] if event_type.startswith("ticket") else [happened(event_type)]
    )
    assert bool(node.outbox.rows(events, node.clock())) is wanted


async def test_what_is_owed_to_a_removed_endpoint_is_dropped(
    node: Node, other: OtherSide, clock: Clock
) -> None:
    gone = endpoint(other.url, "*")
    node.outbox.register([gone], clock())
    rows = node.outbox.rows([happened()], clock())
    node.outbox.register([], clock())
    async with node.database.transaction() as connection:
        await table.insert(connection, rows)
    node.service.hand_over(rows)
    await asyncio.sleep(0.05)
    assert node.service.waiting == 1  # perhaps another process registered it just now
    node.outbox.register([], clock() + timedelta(seconds=10))
    clock.ahead = timedelta(seconds=5)
    assert [row["status"] for row in await node.settled()] == ["dropped"]
    assert other.got == []


async def test_calls_too_old_for_a_dead_target_are_parked_without_another_try(
    database: Database, clock: Clock, other: OtherSide
) -> None:
    other.answer = status(500)
    node = Node(database, clock)
    node.connect(other.url, breaker_failures=1, breaker_pause=timedelta(hours=1), concurrency=1)
    async with running(node):
        await node.owe(*(scored() for _ in range(5)))
        await until_tries(node, 1)
        node.connect(other.url, breaker_failures=1, retry_for=timedelta(milliseconds=1))
        rows = await node.settled(5)
        assert {row["status"] for row in rows} == {"parked"}
        assert len(other.got) == 1
        assert (await node.tries())[-1]["answer"] == "its target did not answer for as long as we try"
