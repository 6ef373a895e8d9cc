"""Receipts find their message: in memory, in the tables, before and after the response, or wait for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.domain.message import Message, OnUnknown
from gateway.services.carrier import Fate
from gateway.services.flights import Flights
from gateway.services.receipts import Receipt, Verdict
from gateway.services.upkeep import prepare
from gateway.services.whereabouts import parts_of
from gateway.smpp.receipt import Habits, IdForm, receipt_key, response_key
from gateway.storage import messages as message_rows
from gateway.storage.database import StorageUnavailable
from tests.services.road import ANNA, BEN, LONG, Roads, message_to, receipt_for, roads_on, until
from tests.services.test_dispatch import hurry


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def early(roads: Roads) -> int:
    return int((await roads.execute("SELECT count(*) FROM early_receipts"))[0][0])


@pytest.mark.parametrize(
    ("verdict", "kind", "status"),
    [
        pytest.param(Verdict.DELIVERED, "delivered", "delivered", id="delivered"),
        pytest.param(Verdict.FAILED, "undelivered", "failed", id="failed"),
        pytest.param(Verdict.NOTHING_YET, "receipt", "submitted", id="intermediate"),
    ],
)
async def test_a_receipt_settles_its_message(roads: Roads, verdict: Verdict, kind: str, status: str) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.receipt("id1", verdict=verdict)
    assert await node.until(message, status) == ["attempt", "submitted", kind]
    events = [event.event for event in node.told]
    assert events == ["message.submitted"] + [f"message.{status}"] * (kind != "receipt")


async def test_an_intermediate_receipt_leaves_room_for_the_last(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.receipts.store([receipt_for("id1", ANNA, Verdict.NOTHING_YET), receipt_for("id1")])
    assert await node.until(message, "delivered") == ["attempt", "submitted", "receipt", "delivered"]


async def test_what_comes_after_the_end_is_on_record_and_changes_nothing(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    for verdict in (Verdict.DELIVERED, Verdict.DELIVERED, Verdict.FAILED):
        await node.receipt("id1", verdict=verdict)
    assert await node.until(message, "delivered") == [
        "attempt",
        "submitted",
        "delivered",
        "receipt",
        "receipt",
    ]
    assert [event.event for event in node.told].count("message.delivered") == 1


async def test_after_a_restart_the_tables_know(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.kill()
    again = await roads.node()
    await again.receipt("id1")
    assert await again.until(message, "delivered") == ["attempt", "submitted", "delivered"]


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "with a restart between them"])
async def test_a_long_message_is_delivered_when_all_of_it_is(roads: Roads, restarted: bool) -> None:
    node = await roads.node()
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    await node.receipt("id1")
    if restarted:
        await node.kill()
        node = await roads.node()
    assert (await node.steps(message))[-1] == ("arrived", "submitted")
    await node.receipt("id2")
    await node.until(message, "delivered")


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "after a restart"])
async def test_a_receipt_before_its_response_is_kept_and_matched(roads: Roads, restarted: bool) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    await node.receipt("id7")
    assert await early(roads) == 1
    if restarted:
        await node.receipts.load()  # as a start does
    node.carrier.answer(node.carrier.sent[0].token, smsc_id="id7")
    await node.until(message, "delivered")
    await node.settled()
    assert await early(roads) == 0
    assert sorted(event.event for event in node.told) == ["message.delivered", "message.submitted"]


async def test_a_receipt_that_outruns_its_response_to_another_node_is_matched(roads: Roads) -> None:
    owner = await roads.node(lambda _: None)
    other = await roads.node(name="two", started=False)
    message = message_to()
    await owner.accept(message)
    await until(lambda: owner.carrier.sent)
    await other.receipt("id7")
    assert await early(roads) == 1
    owner.carrier.answer(owner.carrier.sent[0].token, smsc_id="id7")
    await owner.until(message, "submitted")
    await owner.settled()
    await other.receipts.look_again()
    await owner.until(message, "delivered")
    assert await early(roads) == 0
    await other.receipts.look_again()
    assert (await owner.steps(message)).count(("delivered", "delivered")) == 1


async def test_early_failure_is_told_once(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    await node.receipt("id7", verdict=Verdict.FAILED)
    node.carrier.answer(node.carrier.sent[0].token, smsc_id="id7")
    await node.until(message, "failed")
    await node.settled()
    assert [event.event for event in node.told].count("message.failed") == 1


# Unknown outcomes


async def test_a_receipt_with_a_strange_id_settles_what_is_unknown_to_its_recipient(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    await node.receipt("strange")
    assert await node.until(message, "delivered") == ["attempt", "lost", "delivered"]
    hurry(node)
    await node.settled()
    assert len(node.carrier.sent) == 1
    assert node.dispatch.oldest_open() is None


async def test_a_receipt_that_came_before_the_response_was_given_up_settles_it_too(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    await node.receipt("strange")
    node.carrier.answer(node.carrier.sent[0].token, Fate.LOST)
    await node.until(message, "delivered")
    await node.settled()  # two pipes: the later step may be there first
    assert await node.until(message, "delivered") == ["attempt", "lost", "delivered"]
    await node.settled()
    assert await early(roads) == 0


@pytest.mark.parametrize("early", [False, True], ids=["after it was lost", "before"])
async def test_a_strange_receipt_of_another_route_is_about_something_else(roads: Roads, early: bool) -> None:
    node = await roads.node(lambda _: None)
    message = message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    told = node.receipts.store([receipt_for("strange")._replace(route="other")])
    if early:
        await told
    node.carrier.answer(node.carrier.sent[0].token, Fate.LOST)
    await node.until(message, "unknown")
    if not early:
        await told
    await node.settled()
    assert await node.until(message, "unknown") == ["attempt", "lost"]
    await node.receipt("stranger")
    await node.until(message, "delivered")


async def test_a_strange_receipt_is_not_taken_for_one_of_two(roads: Roads) -> None:
    node = await roads.node(lambda _: Fate.LOST)
    messages = [message_to(), message_to()]
    await node.accept(*messages)
    for message in messages:
        await node.until(message, "unknown")
    await node.receipt("strange")
    await node.receipt("stranger", BEN)
    assert await early(roads) == 2
    assert [(await node.steps(message))[-1][1] for message in messages] == ["unknown", "unknown"]


async def test_a_strange_receipt_may_be_about_a_first_copy_that_nobody_answered(roads: Roads) -> None:
    fates = [Fate.LOST, None, Fate.LOST]
    node = await roads.node(lambda _: fates.pop(0))
    twice, once = message_to(), message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(twice)
    await node.until(twice, "unknown")
    hurry(node)
    await until(lambda: len(node.carrier.sent) == 2)
    node.carrier.answer(node.carrier.sent[1].token, smsc_id="second")
    await node.until(twice, "submitted")
    await node.accept(once)
    await node.until(once, "unknown")
    await node.receipt("first")  # of the copy without an answer: not of the other message
    await node.receipt("second")
    await node.until(twice, "delivered")
    assert await node.until(once, "unknown") == ["attempt", "lost"]
    assert await early(roads) == 1


async def test_the_receipts_of_both_copies_without_an_answer_settle_a_message(roads: Roads) -> None:
    fates = [Fate.LOST, None]
    node = await roads.node(lambda _: fates.pop(0))
    message = message_to()
    await node.accept(message)
    await node.until(message, "unknown")
    hurry(node)
    await until(lambda: len(node.carrier.sent) == 2)
    await node.receipt("first")
    await node.receipt("second")
    node.carrier.answer(node.carrier.sent[1].token, Fate.LOST)
    await node.until(message, "delivered")
    await node.settled()
    assert await early(roads) == 0


async def test_a_strange_receipt_may_be_about_what_is_on_its_way(roads: Roads) -> None:
    fates = [Fate.LOST, None]
    node = await roads.node(lambda _: fates.pop(0))
    unknown, flying = message_to(on_unknown=OnUnknown.NEVER), message_to()
    await node.accept(unknown)
    await node.until(unknown, "unknown")
    await node.accept(flying)
    await until(lambda: len(node.carrier.sent) == 2)
    await node.receipt("id9")
    node.carrier.answer(node.carrier.sent[1].token, smsc_id="id9")
    await node.until(flying, "delivered")
    assert await node.until(unknown, "unknown") == ["attempt", "lost"]


async def test_an_unknown_message_is_settled_after_a_restart(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    await node.kill()
    again = await roads.node()
    await again.until(message, "unknown")
    await again.receipt("strange")
    assert await again.until(message, "delivered") == ["attempt", "lost", "delivered"]


# Ids


@pytest.mark.parametrize(
    ("response", "receipt", "forms"),
    [
        pytest.param("1f4", "500", (IdForm.HEX, IdForm.DECIMAL), id="hex here, decimal there"),
        pytest.param("500", "1F4", (IdForm.DECIMAL, IdForm.HEX), id="the other way round"),
        pytest.param(
            "ffffffffffffffffff", str(16**18 - 1), (IdForm.HEX, IdForm.DECIMAL), id="more than 64 bits"
        ),
    ],
)
def test_ids_are_compared_by_the_routes_habits(
    response: str, receipt: str, forms: tuple[IdForm, IdForm]
) -> None:
    habits = Habits(response_id=forms[0], receipt_id=forms[1])
    assert response_key(response, habits) == receipt_key(receipt, habits)


@pytest.mark.parametrize("receipt_first", [False, True], ids=["after the response", "before it"])
@pytest.mark.parametrize(
    ("response", "receipt"),
    [
        pytest.param("0000A4B1", "42161", id="hex here, decimal there"),
        pytest.param("42161", "a4b1", id="the other way round"),
        pytest.param("A4B1", "0a4b1", id="other zeros, another case"),
    ],
)
async def test_ids_that_no_setting_explains_are_matched_by_likeness(
    roads: Roads, response: str, receipt: str, receipt_first: bool
) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await until(lambda: node.carrier.sent)
    if receipt_first:
        await node.receipt(receipt)
    node.carrier.answer(node.carrier.sent[0].token, smsc_id=response)
    if not receipt_first:
        await node.until(message, "submitted")
        await node.settled()
        await node.receipt(receipt)
    await node.until(message, "delivered")
    assert node.flights.awaiting == 0


async def test_an_id_that_is_used_again_means_the_newest(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    first, second = message_to(), message_to()
    await node.accept(first)
    await until(lambda: len(node.carrier.sent) == 1)
    node.carrier.answer(node.carrier.sent[0].token, smsc_id="same")
    await node.until(first, "submitted")
    await node.accept(second)
    await until(lambda: len(node.carrier.sent) == 2)
    node.carrier.answer(node.carrier.sent[1].token, smsc_id="same")
    await node.until(second, "submitted")
    await node.receipt("same")
    await node.until(second, "delivered")
    assert (await node.steps(first))[-1][1] == "submitted"


async def test_an_id_that_two_customers_have_means_each_ones_own(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    first, second = message_to(ANNA), message_to(BEN)
    for n, message in enumerate((first, second)):
        await node.accept(message)
        await until(lambda n=n: len(node.carrier.sent) == n + 1)  # type: ignore[misc]
        node.carrier.answer(node.carrier.sent[n].token, smsc_id="same")
        await node.until(message, "submitted")
    await node.settled()
    await node.receipt("same", ANNA)
    await node.until(first, "delivered")
    assert (await node.steps(second))[-1][1] == "submitted"
    await node.receipt("same", BEN)
    await node.until(second, "delivered")


async def test_a_number_written_otherwise_is_no_other_customer(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.receipt("id1", "000" + ANNA)
    await node.until(message, "delivered")


async def test_after_a_restart_an_id_used_again_means_the_newest_unfinished(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    messages = [message_to(at=roads.clock() - timedelta(seconds=n)) for n in (3, 2, 1)]
    for n, message in enumerate(messages):
        await node.accept(message)
        await until(lambda n=n: len(node.carrier.sent) == n + 1)  # type: ignore[misc]
        node.carrier.answer(node.carrier.sent[n].token, smsc_id="same")
        await node.until(message, "submitted")
    await node.receipt("same")
    await node.until(messages[2], "delivered")
    await node.kill()
    again = await roads.node()
    await again.receipt("same")
    await again.until(messages[1], "delivered")
    assert (await again.steps(messages[0]))[-1][1] == "submitted"


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "after a restart"])
async def test_one_id_for_all_parts_tells_of_one_after_the_other(roads: Roads, restarted: bool) -> None:
    node = await roads.node(lambda _: None)
    message = message_to(body=LONG)
    await node.accept(message)
    await until(lambda: len(node.carrier.sent) == 2)
    for parcel in list(node.carrier.sent):
        node.carrier.answer(parcel.token, smsc_id="same")
    await node.until(message, "submitted")
    await node.settled()
    if restarted:
        await node.kill()
        node = await roads.node()
    await node.receipt("same")
    assert (await node.steps(message))[-1] == ("arrived", "submitted")
    await node.receipt("same")
    await node.until(message, "delivered")


@pytest.mark.parametrize("sender", ["10086", "10086001", "+8610086001"])
async def test_a_receipt_from_our_own_number_is_its_customers(roads: Roads, sender: str) -> None:
    node = await roads.node()
    node.receipts._senders = {"10086": 3}
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.kill()
    again = await roads.node()
    again.receipts._senders = {"10086": 3}
    await again.receipts.store([receipt_for("id1", sender)._replace(other=ANNA)])
    await again.until(message, "delivered")


async def test_a_receipt_after_days_finds_its_message(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    await node.kill()
    roads.clock.forward(days=6, hours=23)
    again = await roads.node()
    await again.receipt("id1")
    await again.until(message, "delivered")


@pytest.mark.parametrize("restarted", [False, True], ids=["at the next look", "after another restart"])
@pytest.mark.parametrize("days", [1, 40, 360])
async def test_a_receipt_finds_a_message_that_was_accepted_long_before(
    roads: Roads, days: int, restarted: bool
) -> None:
    node = await roads.node()
    at = roads.clock()
    accepted = at - timedelta(days=days)
    async with roads.database.connection() as connection:
        await prepare(connection, accepted)
    message = message_to(at=accepted, due_at=at, expires_at=at + timedelta(hours=48))
    await node.accept(message)
    await node.until(message, "submitted")
    await node.kill()
    again = await roads.node()
    await again.receipt("id1")
    roads.clock.forward(seconds=6)
    for _ in range(2):
        await (again.receipts.load() if restarted else again.receipts.look_again())
    await again.until(message, "delivered")
    assert await early(roads) == 0


async def test_contradictory_receipts_are_on_record_and_the_first_counts(roads: Roads) -> None:
    node = await roads.node()
    message = message_to()
    await node.accept(message)
    await node.until(message, "submitted")
    for verdict in (Verdict.FAILED, Verdict.DELIVERED, Verdict.NOTHING_YET):
        await node.receipt("id1", verdict=verdict)
    assert await node.until(message, "failed") == ["attempt", "submitted", "undelivered", *["receipt"] * 2]
    assert await node.reasons(message, "receipt") == ["delivered 000", "nothing_yet 000"]


async def test_a_part_that_has_arrived_is_not_lost_by_another_receipt(roads: Roads) -> None:
    node = await roads.node()
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    first, second = await roads.execute(
        "SELECT smsc_id FROM steps WHERE smsc_id IS NOT NULL ORDER BY segment"
    )
    await node.receipt(first[0])
    await node.receipt(first[0], verdict=Verdict.FAILED)
    await node.receipt(second[0])
    kinds = await node.until(message, "delivered")
    assert kinds[-3:] == ["arrived", "receipt", "delivered"]


async def test_a_receipt_that_nobody_asked_for_is_kept_and_harms_nobody(roads: Roads) -> None:
    node = await roads.node()
    message = message_to(report=False)
    await node.accept(message)
    await node.until(message, "submitted")
    await node.receipt("id1")
    await node.receipt("never seen", BEN)
    assert await node.until(message, "delivered") == ["attempt", "submitted", "delivered"]
    assert await early(roads) == 1


# Long texts of which the SMSC reports one part


async def states(roads: Roads, message: Message) -> list[str]:
    async with roads.database.connection() as connection:
        steps = await message_rows.steps_of(connection, [(message.bucket, message.id)])
    return [part.state for part in parts_of(message, steps[message.id])]


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "after a restart"])
@pytest.mark.parametrize(
    ("parts", "reported", "shown"),
    [
        pytest.param("first", "id1", ["delivered", "with it"], id="first"),
        pytest.param("last", "id2", ["with it", "delivered"], id="last"),
    ],
)
@pytest.mark.parametrize("verdict", [Verdict.DELIVERED, Verdict.FAILED], ids=["delivered", "failed"])
async def test_the_receipt_for_one_part_tells_of_all(
    roads: Roads, restarted: bool, parts: str, reported: str, shown: list[str], verdict: Verdict
) -> None:
    node = await roads.node()
    node.flights.parts_reported = lambda _: parts
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    await node.settled()
    assert node.flights.awaiting_of("main") == (1, roads.clock())
    assert await states(roads, message) == ["submitted", "submitted"]
    if restarted:
        await node.kill()
        node = await roads.node()
        node.flights.parts_reported = lambda _: parts
    await node.receipt(reported, verdict=verdict)
    if verdict is Verdict.FAILED:
        await node.until(message, "failed")
        shown = ["failed" if state == "delivered" else "submitted" for state in shown]
    else:
        await node.until(message, "delivered")
    assert await states(roads, message) == shown
    assert node.flights.awaiting_of("main") == (0, None)


async def test_the_receipt_for_all_may_come_before_the_last_part_is_answered(roads: Roads) -> None:
    node = await roads.node(lambda parcel: Fate.TAKEN if parcel.token.number == 1 else None)
    node.flights.parts_reported = lambda _: "first"
    message = message_to(body=LONG)
    await node.accept(message)
    await until(lambda: len(node.carrier.sent) == 2)
    await node.settled()
    await node.receipt("id1")
    assert (await node.steps(message))[-1] == ("arrived", "submitting")
    node.carrier.answer(node.carrier.sent[1].token)
    kinds = await node.until(message, "delivered")
    assert kinds[2:] == ["accepted", "arrived", "submitted", "delivered"]
    assert [event.event for event in node.told] == ["message.submitted", "message.delivered"]
    assert await node.reasons(message, "delivered") == ["the receipt for part 1 tells of all parts"]


async def test_while_a_part_is_unknown_the_receipt_for_another_does_not_tell_of_it(roads: Roads) -> None:
    node = await roads.node(
        lambda parcel: Fate.LOST if parcel.token.number == 2 and parcel.token.copy == 1 else Fate.TAKEN
    )
    node.flights.parts_reported = lambda _: "first"
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "unknown")
    await node.receipt("id1")
    assert (await node.steps(message))[-1] == ("arrived", "unknown")
    hurry(node)
    assert (await node.until(message, "delivered"))[-3:] == ["attempt", "submitted", "delivered"]
    assert await states(roads, message) == ["delivered", "with it"]


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "after a restart"])
@pytest.mark.parametrize(
    ("order", "asks"),
    [
        pytest.param("first-first", 2, id="first part first"),
        pytest.param("last-first", 1, id="last part first"),
    ],
)
async def test_a_receipt_asked_for_with_the_last_part_sent_tells_of_all(
    roads: Roads, monkeypatch: pytest.MonkeyPatch, restarted: bool, order: str, asks: int
) -> None:
    node = await roads.node()
    monkeypatch.setattr(node.carrier, "order", lambda _: order)
    monkeypatch.setattr(node.carrier, "report_on", lambda _: "last-sent")
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    assert [(parcel.token.number, parcel.report) for parcel in node.carrier.sent] == [
        (3 - asks, False),
        (asks, True),
    ]
    if restarted:
        await node.kill()
        node = await roads.node()
    await node.receipt("id2")  # of the second that was sent
    await node.until(message, "delivered")
    assert (await states(roads, message))[asks - 1] == "delivered"


async def test_memory_of_what_is_awaited_is_bounded_and_the_tables_know_the_rest(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flights, "AWAITING", 1)
    node = await roads.node()
    messages = [message_to(), message_to(BEN)]
    for message in messages:
        await node.accept(message)
        await node.until(message, "submitted")
    assert node.flights.awaiting == 1
    for message, smsc_id in zip(messages, ("id1", "id2"), strict=True):
        await node.receipt(smsc_id, message.msisdn)
        await node.until(message, "delivered")


# Storage


async def test_a_receipt_is_refused_while_it_can_not_be_stored_and_taken_when_it_comes_again(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await roads.node()
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    pipe = node.ledgers[2]._connection
    live = pipe.live

    async def away() -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(pipe, "live", away)
    with pytest.raises(StorageUnavailable):
        await node.receipt("id1")
    monkeypatch.setattr(pipe, "live", live)
    await node.receipt("id1")
    await node.receipt("id2")
    assert (await node.until(message, "delivered"))[-2:] == ["arrived", "delivered"]


async def test_a_receipt_that_can_not_be_stored_harms_no_other(roads: Roads) -> None:
    node = await roads.node()
    messages = [message_to(), message_to(BEN)]
    for message in messages:
        await node.accept(message)
        await node.until(message, "submitted")
    bad = Receipt("main", "id1", "id1", ANNA, Verdict.DELIVERED, "delivered", "\0", "")
    answers = await asyncio.gather(
        node.receipts.store([receipt_for("strange", "8613905310009")]),
        node.receipts.store([bad]),
        node.receipts.store([receipt_for("id2", BEN)]),
        return_exceptions=True,
    )
    assert [answer is None for answer in answers] == [True, False, True]
    await node.until(messages[1], "delivered")


async def test_two_owners_that_write_at_once_lose_nothing(roads: Roads) -> None:
    """The receipt arrives at a node whose memory of the message is out of date."""
    node = await roads.node()
    message = message_to(body=LONG)
    await node.accept(message)
    await node.until(message, "submitted")
    other = await roads.node(name="other", started=False)
    await other.receipt("id1")
    await node.receipt("id2")
    assert await node.until(message, "delivered") == ["attempt"] * 2 + [
        "accepted",
        "submitted",
        "arrived",
        "delivered",
    ]
