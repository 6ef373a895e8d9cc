"""Buckets and their owners: restarts, take-overs, nodes that share, pause and leave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.ids import floor_at
from gateway.domain.message import Event, Message, OnUnknown, Status, Step
from gateway.services import leases as lease_service
from gateway.services.dispatch import CancelOutcome
from gateway.storage import messages as message_rows
from gateway.storage.database import StorageUnavailable
from tests.services.road import LONG, START, Roads, Stretch, message_to, roads_on, until
from tests.services.test_dispatch import hurry


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


def many(count: int = 64, **fields: Any) -> list[Message]:
    return [message_to(f"86139053{n:05}", **fields) for n in range(count)]


async def counts(roads: Roads) -> dict[str, int]:
    rows = await roads.execute("SELECT node, count(*) FROM leases WHERE expires_at > now() GROUP BY node")
    return {row[0]: row[1] for row in rows}


async def test_the_first_node_takes_everything(roads: Roads) -> None:
    node = await roads.node()
    assert node.leases.owned() == list(range(256))
    assert node.leases.live()


async def test_a_backlog_survives_a_kill_and_a_quick_start_under_the_same_name(roads: Roads) -> None:
    """The former life's leases still run; prolonging them would say that its backlog is dealt with."""
    node = await roads.node()
    node.carrier.open_room = 0
    old = many(at=START - timedelta(minutes=10))
    await node.accept(*old)
    await node.leases._beat()
    await node.kill()
    again = await roads.node()
    await until(lambda: len(again.carrier.sent) == len(old))


async def test_a_backlog_survives_a_take_over_that_fails_half_way(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await roads.node(started=False)
    old = many(at=START - timedelta(minutes=10))
    await node.accept(*old, hand_over=False)
    read = node.dispatch.gained
    monkeypatch.setattr(node.dispatch, "gained", fail_once(read))
    with pytest.raises(StorageUnavailable):
        await node.leases._beat()
    assert node.leases.owned() == []
    await node.leases._beat()
    await node.start()
    await until(lambda: len(node.carrier.sent) == len(old))


def fail_once(work: Callable[..., Any]) -> Callable[..., Any]:
    failures = [StorageUnavailable("gone in the middle")]

    async def wrapped(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await work(*arguments)

    return wrapped


# Rebuilt from the log

A, L, D, T, S = Event.ATTEMPT, Event.LOST, Event.DEFERRED, Event.ACCEPTED, Event.SUBMITTED
IN_A_MINUTE = (START + timedelta(seconds=50)).isoformat()
IN_TEN = (START + timedelta(minutes=10)).isoformat()


def step(kind: Event, status: Status, segment: int = 1, copy: int = 1, detail: str | None = None) -> Any:
    return kind, status, segment, copy, detail


@pytest.mark.parametrize(
    ("body", "logged", "sent_now", "sent_later", "flagged", "kinds"),
    [
        pytest.param("x", [], [1], [], False, [A, S], id="queued"),
        pytest.param("x", [step(A, Status.SUBMITTING)], [], [1], True, [A, L, A, S], id="submitting"),
        pytest.param(
            "x",
            [step(A, Status.SUBMITTING), step(L, Status.UNKNOWN)],
            [],
            [1],
            True,
            [A, L, A, S],
            id="unknown",
        ),
        pytest.param(
            "x",
            [step(A, Status.SUBMITTING), step(D, Status.RETRYING, detail=IN_A_MINUTE)],
            [],
            [1],
            False,
            [A, D, A, S],
            id="retrying soon",
        ),
        pytest.param(
            "x",
            [step(A, Status.SUBMITTING), step(D, Status.RETRYING, detail=IN_TEN)],
            [],
            [],
            False,
            [A, D],
            id="retrying much later, which a timer sees to",
        ),
        pytest.param(
            LONG,
            [step(A, Status.SUBMITTING, 1), step(A, Status.SUBMITTING, 2), step(T, Status.SUBMITTING, 1)],
            [],
            [2],
            True,
            [A, A, T, L, A, S],
            id="half answered",
        ),
        pytest.param(
            LONG,
            [step(A, Status.SUBMITTING, 1), step(T, Status.SUBMITTING, 1)],
            [2],
            [],
            False,
            [A, T, A, S],
            id="half sent",
        ),
        pytest.param(
            "x", [step(A, Status.SUBMITTING), step(S, Status.SUBMITTED)], [], [], False, [A, S], id="sent"
        ),
    ],
)
async def test_a_new_owner_goes_on_where_the_log_ends(
    roads: Roads,
    body: str,
    logged: list[Any],
    sent_now: list[int],
    sent_later: list[int],
    flagged: bool,
    kinds: list[Event],
) -> None:
    node = await roads.node(started=False)
    message = message_to(body=body)
    steps = [
        Step(message.bucket, message.id, n, START, kind, status, part, copy, 0, "main", f"{n}", detail=detail)
        for n, (kind, status, part, copy, detail) in enumerate(logged, 1)
    ]
    await node.accept(message, hand_over=False)
    async with roads.database.connection() as connection:
        await message_rows.append(connection, steps)
    await node.start()
    await node.settled()
    await until(lambda: len(node.carrier.sent) >= len(sent_now))
    assert [parcel.token.number for parcel in node.carrier.sent] == sent_now
    hurry(node)
    await until(lambda: len(node.carrier.sent) >= len(sent_now) + len(sent_later))
    await node.settled()
    assert [parcel.token.number for parcel in node.carrier.sent] == sent_now + sent_later
    assert [kind for kind, _ in await node.steps(message)] == kinds
    maybe = [reason for reason in await node.reasons(message, "attempt") if reason]
    assert maybe == ["maybe_duplicate"] * flagged


async def test_a_scheduled_message_whose_sender_died_in_the_attempt_is_not_forgotten(roads: Roads) -> None:
    """Its id is older than what is looked at on take-over: its timer brings it."""
    then = START - timedelta(days=7)
    old = message_to(at=then, accepted_at=then, status=Status.SCHEDULED, due_at=START)
    node = await roads.node(lambda _: None)
    await node.accept(old)
    await node.leases._beat()
    await node.later(seconds=1)
    await until(lambda: node.carrier.sent)
    await node.kill()
    again = await roads.node()
    await again.later(minutes=1)
    assert await again.until(old, "submitted") == ["released", "attempt", "lost", "attempt", "submitted"]
    assert await again.reasons(old, "attempt") == [None, "maybe_duplicate"]


async def test_the_unknown_of_a_class_that_is_never_sent_again_stays_unknown(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    await node.kill()
    again = await roads.node()
    await again.until(message, "unknown")
    hurry(again)
    await again.settled()
    assert again.carrier.sent == []
    assert again.dispatch.oldest_open() is None


# Several nodes


async def share(*nodes: Stretch) -> None:
    for _ in range(3):
        for node in nodes:
            await node.leases._beat()


async def test_two_nodes_share_the_buckets_and_the_work(roads: Roads) -> None:
    one, two = await roads.node(), await roads.node(name="two")
    await share(one, two)
    assert await counts(roads) == {"one": 128, "two": 128}
    assert not set(one.leases.owned()) & set(two.leases.owned())
    messages = many()
    async with roads.database.transaction() as connection:
        await message_rows.insert(connection, messages)
    for node in (one, two):
        node.dispatch.hand_over(messages)
    await until(lambda: len(one.carrier.sent) + len(two.carrier.sent) >= len(messages))
    assert sorted(one.carrier.bodies() + two.carrier.bodies()) == sorted(m.body for m in messages)
    assert one.carrier.sent
    assert two.carrier.sent


async def test_a_joining_node_gets_its_share_when_what_is_on_its_way_was_answered(roads: Roads) -> None:
    one = await roads.node(lambda _: None)
    messages = many(32)
    await one.accept(*messages)
    await until(lambda: len(one.carrier.sent) == len(messages))
    two = await roads.node(name="two")
    await share(one, two)
    waiting = {m.bucket for m in messages} - set(one.leases.owned())
    assert waiting
    assert not waiting & set(two.leases.owned())
    for parcel in one.carrier.sent:
        one.carrier.answer(parcel.token)
    await one.settled()
    await share(one, two)
    assert await counts(roads) == {"one": 128, "two": 128}
    for message in messages:
        assert [kind for kind, _ in await one.steps(message)] == ["attempt", "submitted"]
    assert two.carrier.sent == []


async def test_a_dead_node_is_inherited_long_before_its_leases_end(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_service, "SILENT_SECONDS", 0.0)
    one, two = await roads.node(), await roads.node(name="two")
    await share(one, two)
    one.carrier.open_room = 0
    messages = many()
    mine = [m for m in messages if m.bucket in one.leases.owned()]
    await one.accept(*mine)
    await one.kill()
    await roads.execute("DELETE FROM nodes WHERE id = 'nobody'")
    await roads.execute("UPDATE nodes SET seen_at = now() - interval '11 seconds' WHERE id = 'one'")
    await two.leases._beat()
    assert len(two.leases.owned()) == 256
    await until(lambda: len(two.carrier.sent) == len(mine))


async def test_a_living_node_is_not_taken_for_dead_when_its_connection_was_cut(roads: Roads) -> None:
    one, two = await roads.node(), await roads.node(name="two")
    await share(one, two)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
    await roads.execute(cut, "huiyin one leases")
    await asyncio.sleep(0.05)
    await two.leases._beat()
    assert len(two.leases.owned()) == 128
    await one.leases._beat()
    assert len(one.leases.owned()) == 128


async def test_a_paused_node_wakes_up_and_sends_nothing(roads: Roads) -> None:
    one = await roads.node()
    one.carrier.open_room = 0
    messages = many(16)
    await one.accept(*messages)
    one.leases._valid_until = 0.0  # its clock ran on while it stood still
    await roads.execute("UPDATE leases SET expires_at = '-infinity'")
    await roads.execute("UPDATE nodes SET seen_at = now() - interval '11 seconds'")
    two = await roads.node(name="two")
    await share(two)
    one.carrier.open_room = 1000
    one.dispatch.room_again()
    await until(lambda: len(two.carrier.sent) == len(messages))
    await one.settled()
    assert one.carrier.sent == []
    await one.leases._beat()
    await asyncio.sleep(0.02)
    assert one.carrier.sent == []


async def test_an_answer_that_comes_after_the_take_over_stops_the_second_copy(roads: Roads) -> None:
    one = await roads.node(lambda _: None)
    message = message_to()
    await one.accept(message)
    await until(lambda: one.carrier.sent)
    await roads.execute("UPDATE leases SET expires_at = '-infinity'")
    two = await roads.node(name="two")
    await share(two)
    await two.until(message, "unknown")
    smsc_id = one.carrier.answer(one.carrier.sent[0].token)
    await one.until(message, "submitted")
    hurry(two)
    await two.settled()
    await asyncio.sleep(0.02)
    await two.settled()
    assert two.carrier.sent == []
    await two.receipt(smsc_id)
    await two.until(message, "delivered")


async def test_an_attempt_of_who_owns_the_bucket_after_us_is_left_to_him(roads: Roads) -> None:
    one = await roads.node(lambda _: None)
    message = message_to()
    await one.accept(message, hand_over=False)
    await roads.execute("UPDATE leases SET expires_at = '-infinity'")
    two = await roads.node(lambda _: None, name="two")
    await share(two)
    await until(lambda: two.carrier.sent)
    await one.dispatch.gained([message.bucket], floor_at(START - timedelta(days=1)))  # it still thinks so
    assert await one.steps(message) == [("attempt", "submitting")]


async def test_a_second_process_under_the_same_name_is_told_so(roads: Roads) -> None:
    await roads.node()
    with pytest.raises(StorageUnavailable, match="give each its own"):
        await roads.node()


async def test_what_was_given_back_is_free_at_once(roads: Roads) -> None:
    one = await roads.node()
    await one.leases.stop()
    assert not one.leases.live()
    two = await roads.node(name="two")
    assert len(two.leases.owned()) == 256
    message = message_to()
    await two.accept(message)
    await two.until(message, "submitted")
    assert await two.dispatch.cancel(message.id) is CancelOutcome.TOO_LATE


async def test_a_step_that_follows_a_lost_one_is_not_stored(roads: Roads) -> None:
    """A long message: somebody cancelled, and no attempt of any segment may stand behind that."""
    node = await roads.node(started=False)
    message = message_to(body=LONG)
    await node.accept(message, hand_over=False)
    cancelled = Step(message.bucket, message.id, 1, START, Event.CANCELLED, Status.CANCELLED)
    attempts = [Step(message.bucket, message.id, n, START, A, Status.SUBMITTING, n, 1) for n in (1, 2)]
    async with roads.database.transaction() as connection:
        await message_rows.append(connection, [cancelled])
        assert await message_rows.append_if_free(connection, attempts) == set()
    assert await node.steps(message) == [("cancelled", "cancelled")]


async def test_leases_hold_as_long_as_the_settings_say(roads: Roads) -> None:
    """And we stop a fifth of that time before others may begin."""
    node = await roads.node(started=False)
    leases = lease_service.Leases(
        await node.database.dedicated("one leases"),
        "patient",
        gained=node._gained,
        lost=node._lost,
        oldest_open=lambda: None,
        now=node.clock,
        lease=timedelta(seconds=60),
    )
    await leases.start()
    left = await roads.execute("SELECT max(extract(epoch FROM expires_at - now())) FROM leases")
    assert 50 < left[0][0] <= 60
    assert 40 < leases._valid_until - asyncio.get_running_loop().time() <= 48
    await leases.stop()
