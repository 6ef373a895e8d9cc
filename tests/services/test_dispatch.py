"""Messages to the carrier: attempts on record first, and what its answers make of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.services import backlog
from gateway.services.carrier import Fate, Parcel
from gateway.services.dispatch import CancelOutcome
from gateway.services.queue import WEIGHTS
from gateway.storage import contacts
from gateway.storage import messages as message_rows
from gateway.storage.database import StorageUnavailable
from tests.services.road import ANNA, BEN, LONG, START, Roads, Stretch, message_to, roads_on, until


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def waits_for(stretch: Stretch, parcels: int) -> None:
    await until(lambda: len(stretch.carrier.sent) >= parcels)


async def test_an_attempt_is_on_record_before_it_is_sent(roads: Roads) -> None:
    seen: list[list[tuple[str, str]]] = []

    def look(parcel: Parcel) -> None:
        async def read() -> None:
            seen.append(await node.steps(parcel.token.outgoing.message))
            node.carrier.answer(parcel.token)

        node.run(read())

    node = await roads.node(look)
    message = message_to()
    await node.accept(message)
    assert await node.until(message, "submitted") == ["attempt", "submitted"]
    assert seen == [[("attempt", "submitting")]]
    assert not node.flights.open


@pytest.mark.parametrize(
    ("fates", "kinds"),
    [
        pytest.param([Fate.REFUSED], ["attempt", "refused"], id="refused for good"),
        pytest.param(
            [Fate.PUT_OFF] * 4,
            ["attempt", "deferred"] * 3 + ["attempt", "refused"],
            id="put off three times, then refused",
        ),
    ],
)
async def test_a_refusal_ends_it(roads: Roads, fates: list[Fate], kinds: list[str]) -> None:
    left = list(fates)
    node = await roads.node(lambda _: left.pop(0))
    message = message_to()
    await node.accept(message)
    for n in range(len(fates)):
        await waits_for(node, n + 1)
        await node.settled()
        if n == 0 and len(fates) > 1:  # the first pause rests in memory
            hurry(node)
        else:
            await node.later(minutes=10)
    assert await node.until(message, "failed") == kinds
    assert [event.event for event in node.told] == ["message.failed"]


async def test_pauses_after_temporary_refusals_grow_and_long_ones_rest_in_the_table(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.PUT_OFF)
    message = message_to()
    await node.accept(message)
    await node.until(message, "retrying")
    assert await roads.execute("SELECT FROM timers") == []
    for pause in (timedelta(minutes=2), timedelta(minutes=10)):
        if pause < timedelta(minutes=5):
            hurry(node)
        else:
            await node.later(minutes=2)
        sent = len(node.carrier.sent) + 1
        await waits_for(node, sent)
        await node.settled()
        due = [row["due_at"] for row in await roads.execute("SELECT due_at FROM timers ORDER BY due_at")]
        assert due[-1] == roads.clock() + pause
        assert not node.flights.open


async def test_what_could_not_be_written_goes_again_first_and_unflagged(roads: Roads) -> None:
    down = [True]
    node = await roads.node(lambda _: Fate.UNSENT if down[0] else Fate.TAKEN)
    first, second = (message_to(body=body) for body in ("one", "two"))
    await node.accept(first, second)
    await until(lambda: node.dispatch._settling._returned)
    third = message_to(body="three")
    node.carrier.open_room = 0
    await node.accept(third)
    down[0] = False
    await until(lambda: not node.dispatch._settling._returned)
    node.carrier.open_room = 1000
    node.dispatch.room_again()
    await node.until(third, "submitted")
    await node.until(first, "submitted")
    assert node.carrier.bodies() == ["one", "two", "three"]
    assert await node.reasons(first, "attempt") == [None, None]


async def test_lanes_share_by_weight_and_emergency_goes_first(roads: Roads) -> None:
    node = await roads.node()
    node.carrier.open_room = 0
    lanes = (Lane.MARKETING, Lane.SURVEY, Lane.SERVICE, Lane.TRANSACTIONAL, Lane.EMERGENCY)
    await node.accept(
        *(message_to(lane=lane) for lane in lanes for _ in range(100 if lane is not Lane.EMERGENCY else 5))
    )
    node.carrier.open_room = 105
    node.dispatch.room_again()
    await until(lambda: len(node.carrier.sent) >= 105)
    sent = [Lane(parcel.token.outgoing.message.lane) for parcel in node.carrier.sent]
    assert sent[:5] == [Lane.EMERGENCY] * 5
    shares = Counter(sent[5:105])
    assert shares.total() == 100
    for lane, weight in WEIGHTS.items():
        assert abs(shares[lane] - weight) <= 2, shares


# Unknown outcomes


def hurry(node: Stretch) -> None:
    """What waits in memory is due now."""
    node.dispatch._backlog._later = [
        (0.0, n, what) for n, (*_, what) in enumerate(node.dispatch._backlog._later)
    ]
    node.dispatch.room_again()


async def test_an_unknown_attempt_is_made_once_more_and_flagged(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    assert len(node.carrier.sent) == 1
    for _ in range(3):
        hurry(node)
        await node.settled()
    assert await node.steps(message) == [
        ("attempt", "submitting"),
        ("lost", "unknown"),
        ("attempt", "submitting"),
        ("lost", "unknown"),
    ]
    assert await node.reasons(message, "attempt") == [None, "maybe_duplicate"]
    assert not node.flights.open


async def test_a_refusal_for_now_is_no_copy(roads: Roads) -> None:
    fates = [Fate.PUT_OFF, Fate.LOST, Fate.TAKEN]
    node = await roads.node(lambda _: fates.pop(0))
    message = message_to()
    await node.accept(message)
    await node.until(message, "retrying")
    hurry(node)
    await node.until(message, "unknown")
    hurry(node)
    await node.until(message, "submitted")
    assert await node.reasons(message, "attempt") == [None, None, "maybe_duplicate"]


async def test_the_class_that_is_never_sent_again_is_not(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    message = message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await node.until(message, "unknown")
    hurry(node)
    await node.settled()
    assert len(node.carrier.sent) == 1
    assert not node.flights.open


async def test_a_late_answer_before_the_second_sending_saves_it(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    node.carrier.answer(node.carrier.sent[0].token)
    assert await node.until(message, "submitted") == ["attempt", "lost", "submitted"]
    hurry(node)
    await node.settled()
    assert len(node.carrier.sent) == 1


async def test_both_copies_answered_are_both_on_record(roads: Roads) -> None:
    fates: list[Fate | None] = [Fate.LOST, None]
    node = await roads.node(lambda _: fates.pop(0))
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    hurry(node)
    await waits_for(node, 2)
    ids = [node.carrier.answer(parcel.token) for parcel in node.carrier.sent]
    await until(lambda: node.flights.awaiting == 2)
    await node.receipt(ids[1])
    await node.receipt(ids[0])
    assert await node.until(message, "delivered") == [
        "attempt",
        "lost",
        "attempt",
        "submitted",
        "accepted",
        "delivered",
        "receipt",
    ]


async def test_a_late_answer_to_a_copy_that_was_put_off_since(roads: Roads) -> None:
    fates = [Fate.LOST, Fate.PUT_OFF]
    node = await roads.node(lambda _: fates.pop(0))
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    hurry(node)
    await node.until(message, "retrying")
    node.carrier.answer(node.carrier.sent[0].token)
    await node.until(message, "submitted")
    hurry(node)
    await node.settled()
    assert len(node.carrier.sent) == 2


async def test_an_expired_or_unwanted_message_gets_no_second_copy(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    message = message_to(expires_at=START + timedelta(minutes=5))
    await node.accept(message)
    await node.until(message, "unknown")
    roads.clock.forward(minutes=6)
    hurry(node)
    await node.settled()
    assert len(node.carrier.sent) == 1
    assert await node.until(message, "unknown") == ["attempt", "lost"]


# Long messages


async def test_only_the_unknown_segment_is_sent_again_with_the_same_reference(roads: Roads) -> None:
    node = await roads.node(lambda p: Fate.LOST if p.token.number == 2 and p.token.copy == 1 else Fate.TAKEN)
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "unknown")
    hurry(node)
    await node.until(message, "submitted")
    first, second, again = node.carrier.sent
    assert [parcel.token.number for parcel in node.carrier.sent] == [1, 2, 2]
    assert second.payload == again.payload
    assert first.payload[3] == again.payload[3] == node.carrier.sent[0].token.outgoing.reference


async def test_a_segment_that_is_refused_fails_the_message(roads: Roads) -> None:
    node = await roads.node(lambda p: Fate.REFUSED if p.token.number == 1 else None)
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "failed")
    for fate in (Fate.LOST, Fate.TAKEN):
        node.carrier.answer(node.carrier.sent[1].token, fate)
        await node.settled()
    assert await node.until(message, "failed") == ["attempt", "attempt", "refused", "lost", "accepted"]
    assert [event.event for event in node.told] == ["message.failed"]
    assert not node.flights.open


async def test_a_segment_put_off_while_another_is_unknown_still_goes(roads: Roads) -> None:
    """The class that is never sent again: the unknown segment stays, the other one goes on."""
    fates: dict[int, list[Fate | None]] = {1: [Fate.LOST], 2: [None, Fate.TAKEN]}
    node = await roads.node(lambda p: fates[p.token.number].pop(0))
    message = message_to(body=LONG, on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await node.until(message, "unknown")
    node.carrier.answer(node.carrier.sent[1].token, Fate.PUT_OFF)
    await node.settled()
    hurry(node)
    await until(lambda: len(node.carrier.sent) == 3)
    await node.settled()
    assert [parcel.token.number for parcel in node.carrier.sent] == [1, 2, 2]
    assert not node.flights.open


# Cancelling, expiring, opting out


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SCHEDULED])
async def test_a_message_that_has_not_left_can_be_taken_back(roads: Roads, status: Status) -> None:
    node = await roads.node()
    node.carrier.open_room = 0
    due_at = START + timedelta(hours=1) if status is Status.SCHEDULED else None
    message = message_to(status=status, due_at=due_at)
    await node.accept(message)
    assert await node.dispatch.cancel(message.id) is CancelOutcome.CANCELLED
    assert await node.dispatch.cancel(message.id) is CancelOutcome.TOO_LATE
    node.carrier.open_room = 1000
    await node.later(hours=2)
    await node.settled()
    assert node.carrier.sent == []
    assert await node.steps(message) == [("cancelled", "cancelled")]


async def test_what_has_left_in_part_is_not_taken_back(roads: Roads) -> None:
    node = await roads.node(lambda p: Fate.TAKEN if p.token.number == 1 else Fate.PUT_OFF)
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "retrying")
    assert await node.dispatch.cancel(message.id) is CancelOutcome.TOO_LATE


async def test_nobody_knows_a_message_that_was_never_taken_in(roads: Roads) -> None:
    node = await roads.node()
    assert await node.dispatch.cancel(message_to().id) is CancelOutcome.UNKNOWN


async def test_200_races_are_won_by_the_caller_or_by_the_sender_never_by_both(roads: Roads) -> None:
    node = await roads.node()
    other = await roads.node(name="other", started=False)  # a node that owns nothing cancels through the log
    messages = [message_to(body=body, lane=Lane.SERVICE) for body in ["race", LONG] * 100]
    async with roads.database.transaction() as connection:
        await message_rows.insert(connection, messages)

    async def race(n: int, message: Message) -> CancelOutcome:
        node.dispatch.hand_over([message])
        await asyncio.sleep(0.0005 * (n % 7))
        return await (node if n % 2 else other).dispatch.cancel(message.id)

    outcomes = await asyncio.gather(*(race(n, message) for n, message in enumerate(messages)))
    await node.settled()
    await asyncio.sleep(0.05)
    await node.settled()
    sent = {parcel.token.outgoing.message.id for parcel in node.carrier.sent}
    cancelled = {
        m.id for m, outcome in zip(messages, outcomes, strict=True) if outcome == CancelOutcome.CANCELLED
    }
    assert not sent & cancelled
    assert sent | cancelled == {message.id for message in messages}
    for message in messages:
        status = (await node.steps(message))[-1][1]
        assert status == ("cancelled" if message.id in cancelled else "submitted")


async def test_a_message_whose_time_is_over_is_not_sent(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.UNSENT)
    message = message_to(expires_at=START + timedelta(minutes=1))
    await node.accept(message)
    await until(lambda: node.dispatch._settling._returned)
    roads.clock.forward(minutes=2)
    assert await node.until(message, "expired")
    assert [event.event for event in node.told] == ["message.failed"]


@pytest.mark.parametrize(
    ("lane", "scope", "status"),
    [
        pytest.param(Lane.MARKETING, "lane:marketing", "suppressed", id="marketing"),
        pytest.param(Lane.SURVEY, "category:survey", "suppressed", id="surveys"),
        pytest.param(Lane.TRANSACTIONAL, "lane:transactional", "submitted", id="transactional goes out"),
    ],
)
async def test_an_opt_out_after_acceptance_stops_it(
    roads: Roads, lane: Lane, scope: str, status: str
) -> None:
    node = await roads.node()
    node.carrier.open_room = 0
    message = message_to(lane=lane)
    await node.accept(message)
    async with roads.database.connection() as connection:
        await contacts.opt_out(connection, [(message.bucket, ANNA, scope)], START)
    node.carrier.open_room = 10
    node.dispatch.room_again()
    await node.until(message, status)
    assert len(node.carrier.sent) == (status == "submitted")


async def test_a_question_that_fails_wakes_its_conversation(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.REFUSED)
    question = message_to()
    message = message_to(conversation_id=question.id)
    await node.accept(message)
    await node.until(message, "failed")
    [timer] = await roads.execute("SELECT kind, subject FROM timers")
    assert tuple(timer) == ("conversation", question.id)


async def test_a_scheduled_message_goes_when_its_time_has_come(roads: Roads) -> None:
    node = await roads.node()
    message = message_to(status=Status.SCHEDULED, due_at=START + timedelta(hours=1))
    await node.accept(message)
    await node.later(minutes=59)
    assert node.carrier.sent == []
    await node.later(minutes=2)
    assert await node.until(message, "submitted") == ["released", "attempt", "submitted"]
    await node.later(minutes=2)
    assert await roads.execute("SELECT FROM timers") == []


# More than memory holds


async def test_what_is_over_the_high_water_goes_out_in_order_and_completely(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "HIGH_WATER", 20)
    node = await roads.node()
    node.carrier.open_room = 0
    messages = [
        message_to(body=f"{n}", at=START + timedelta(seconds=n), lane=Lane.SERVICE) for n in range(150)
    ]
    for n in range(0, 150, 10):
        await node.accept(*messages[n : n + 10])
    assert len(node.flights.open) == 10
    node.carrier.open_room = 7
    node.dispatch.room_again()
    await until(lambda: len(node.carrier.sent) == 150)
    await node.settled()
    assert node.carrier.bodies() == [f"{n}" for n in range(150)]
    assert node.dispatch.oldest_open() is None


async def test_a_route_that_is_down_keeps_nobody_elses_messages_waiting(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much waits for it, and although most of that is in the table only."""
    monkeypatch.setattr(backlog, "HIGH_WATER", 20)
    node = await roads.node()
    node.carrier.dead.add("10010")
    stuck = [
        message_to(body=f"{n}", at=START + timedelta(seconds=n), lane=Lane.SERVICE, sender="10010")
        for n in range(60)
    ]
    await node.accept(*stuck)
    live = [message_to(BEN, f"{n}", at=START + timedelta(seconds=100 + n)) for n in range(60)]
    await node.accept(*live)
    await until(lambda: len(node.carrier.sent) == 60)
    assert node.carrier.bodies() == [f"{n}" for n in range(60)]
    node.carrier.dead.clear()
    node.dispatch.steered()
    await until(lambda: len(node.carrier.sent) == 120)
    await node.settled()
    assert node.carrier.bodies()[60:] == [f"{n}" for n in range(60)]
    assert node.dispatch.oldest_open() is None


async def test_what_waits_for_a_route_that_is_down_expires_in_its_time(roads: Roads) -> None:
    node = await roads.node()
    node.carrier.dead.add("10010")
    message = message_to(sender="10010", expires_at=START + timedelta(minutes=5))
    await node.accept(message)
    node.clock.forward(minutes=6)
    assert await node.until(message, "expired") == ["overdue"]


async def test_behind_one_that_is_valid_for_long_others_expire_in_their_time(roads: Roads) -> None:
    node = await roads.node()
    node.carrier.open_room = 0
    first, code, last = (
        message_to(to, expires_at=START + lapse)
        for to, lapse in ((ANNA, timedelta(days=7)), (BEN, timedelta(minutes=5)), (ANNA, timedelta(days=7)))
    )
    await node.accept(first, code, last)
    node.clock.forward(minutes=6)
    assert await node.until(code, "expired") == ["overdue"]
    assert len(node.dispatch._backlog.queue) == len(node.flights.open) == 2


# The database goes and comes back


async def test_answers_that_come_while_the_database_is_away_are_stored_when_it_is_back(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await roads.node(lambda _: None)
    messages = [message_to(), message_to(BEN)]
    await node.accept(*messages)
    await until(lambda: len(node.carrier.sent) == 2)
    pipe = node.ledgers[1]._connection
    live = pipe.live

    async def away() -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(pipe, "live", away)
    for parcel in node.carrier.sent:
        node.carrier.answer(parcel.token)
    await asyncio.sleep(0.05)
    assert [await node.steps(message) for message in messages] == [[("attempt", "submitting")]] * 2
    monkeypatch.setattr(pipe, "live", live)
    for message in messages:
        await node.until(message, "submitted")


@pytest.mark.parametrize("committed", [False, True], ids=["not committed", "committed unseen"])
async def test_attempts_that_may_not_be_stored_are_not_sent_before_it_is_known(
    roads: Roads, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    node = await roads.node()
    ledger = node.ledgers[0]
    record = ledger.record
    failures = [True]

    async def fail(entry: object) -> frozenset[object]:
        if not failures:
            return await record(entry)  # type: ignore[arg-type]
        failures.pop()
        if committed:
            await record(entry)  # type: ignore[arg-type]
        raise StorageUnavailable("gone")

    monkeypatch.setattr(ledger, "record", fail)
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    assert len(node.carrier.sent) == 2
    assert set(await node.reasons(message, "attempt")) == {None}


async def test_a_text_that_can_not_be_cut_harms_nobody_else(roads: Roads) -> None:
    node = await roads.node()
    bad, good = message_to()._replace(body="x" * 50_000), message_to(BEN)
    await node.accept(bad, good)
    await node.until(good, "submitted")
    assert await node.until(bad, "suppressed") == ["stopped"]


async def test_a_graceful_stop_leaves_nothing_unknown(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    stopping = asyncio.create_task(node.dispatch.stop(0.05))
    await stopping
    node.carrier.answer(node.carrier.sent[0].token, Fate.UNSENT)  # the binds give back what they held
    await node.settled()
    assert await node.until(message, "retrying") == ["attempt", "returned"]
    await node.kill()
    again = await roads.node(name="two")
    await again.leases._beat()
    await roads.execute("UPDATE leases SET expires_at = '-infinity'")
    await again.leases._beat()
    await again.until(message, "submitted")
    assert await again.reasons(message, "attempt") == [None, None]


async def test_a_stop_does_not_wait_for_ever_for_a_database_that_is_away(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)

    async def away() -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(node.ledgers[1]._connection, "live", away)
    node.carrier.answer(node.carrier.sent[0].token)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(node.dispatch.stop(0.05), 5)
    assert await node.steps(message) == [("attempt", "submitting")]  # unknown to who comes next
