"""Receipts in vendors' hands and with their faults, as our parser reads them."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.simulator import dialects
from gateway.smpp import receipt, status, times
from gateway.smpp.constants import ESM_INTERMEDIATE_NOTIFICATION, Tag
from gateway.smpp.events import Request
from gateway.smpp.pdu import BindTransceiver, DataSm, DeliverSm
from gateway.smpp.receipt import Habits, Receipt, State
from gateway.sms import udh
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, Client, client


def read(pdu: DeliverSm | DataSm, **habits: Any) -> Receipt:
    found = receipt.parse(pdu, Habits(**habits))
    assert found is not None
    return found


async def receipts(peer: Client, count: int, text: bytes = b"hello", **fields: Any) -> list[DeliverSm]:
    peer.submit(text, **fields)
    await peer.until(lambda: len(peer.delivered) >= count and bool(peer.answers))
    return peer.delivered[:count]


FORMS = [form for form in dialects.NAMED if form != "text-first"]


@pytest.mark.parametrize("form", FORMS)
async def test_each_form_can_be_read_with_its_parameters(start: Start, form: str) -> None:
    smsc = await start(f"receipts: {{form: {form}}}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        told, [arrival] = read(pdu), smsc.record.arrivals
        assert told.state is State.DELIVERED
        assert receipt.same_id(
            arrival.message_id, told.message_id, Habits(ignore_case=True, ignore_zeros=True)
        )
        swapped = form != "source-own-number"
        assert (pdu.source_addr, pdu.destination_addr) == ((CUSTOMER, OURS) if swapped else (OURS, CUSTOMER))


WORDLESS = {"tlv-only", "text-first", "own-words"}


@pytest.mark.parametrize("form", [form for form in FORMS if form not in WORDLESS])
async def test_each_form_can_be_read_by_its_text_alone(start: Start, form: str) -> None:
    smsc = await start(f"receipts: {{form: {form}, tlvs: false, outcomes: {{undeliverable: 1}}}}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert not pdu.tlvs
        told = read(pdu)
        assert told.state is State.UNDELIVERABLE
        assert int(told.message_id, 16) == int(smsc.record.arrivals[0].message_id, 16)


async def test_words_of_an_smsc_of_its_own(start: Start) -> None:
    smsc = await start("receipts: {form: own-words, tlvs: false, outcomes: {undeliverable: 1}}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert b"stat:MK:0005" in pdu.short_message
        assert read(pdu, words={"MK:0005": State.UNDELIVERABLE}).state is State.UNDELIVERABLE


async def test_a_form_may_be_written_by_hand(start: Start) -> None:
    smsc = await start(
        'receipts: {form: "{stat};{done14};{id}", words: {delivered: OK}, tlvs: false, esm_class: false}'
    )
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        word, date, message_id = pdu.short_message.decode().split(";")
        assert (word, len(date), message_id) == ("OK", 14, smsc.record.arrivals[0].message_id)
        assert pdu.esm_class == 0


async def test_words_before_the_keys_forge_an_id_and_the_parameter_does_not(start: Start) -> None:
    smsc = await start("receipts: {form: text-first, outcomes: {undeliverable: 1}}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert pdu.short_message.startswith(b"text:id:0 stat:DELIVRD id:")
        assert read(pdu).message_id == smsc.record.arrivals[0].message_id


async def test_the_text_of_a_message_is_no_key(start: Start) -> None:
    smsc = await start("receipts: {form: text-forged, tlvs: false, outcomes: {expired: 1}}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert read(pdu).state is State.EXPIRED


async def test_receipts_travel_in_message_payload(start: Start) -> None:
    smsc = await start("receipts: {via: message_payload}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert (pdu.short_message, pdu.tlvs[Tag.MESSAGE_PAYLOAD][:3]) == (b"", b"id:")
        assert read(pdu).state is State.DELIVERED


async def test_receipts_travel_as_data_sm(start: Start) -> None:
    smsc = await start("receipts: {via: data_sm}")
    async with client(smsc) as peer:
        peer.submit()
        await peer.until(lambda: bool(_data(peer)))
        [pdu] = _data(peer)
        assert read(pdu).message_id == smsc.record.arrivals[0].message_id
        peer.session.answer(pdu.sequence_number, int(pdu.command_id))
        peer.flush()
        async with asyncio.timeout(5):
            while not smsc.record.counts.receipts_taken:
                await asyncio.sleep(0.01)


def _data(peer: Client) -> list[DataSm]:
    asked = [event.pdu for event in peer.heard if isinstance(event, Request)]
    return [pdu for pdu in asked if isinstance(pdu, DataSm)]


@pytest.mark.parametrize("via", ["deliver_sm", "data_sm", "message_payload"])
async def test_an_old_client_gets_no_parameters(start: Start, via: str) -> None:
    smsc = await start(f"{{congestion: true, receipts: {{via: {via}}}}}")
    async with client(smsc, bound=False) as peer:
        assert await peer.bind(BindTransceiver(system_id="huiyin", interface_version=0x33)) == 0
        [pdu] = await receipts(peer, 1)
        assert (pdu.tlvs, pdu.short_message[:3]) == ({}, b"id:")
        assert peer.answers[0].pdu.tlvs == {}


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param("each", [1, 2, 3], id="each"),
        pytest.param("first", [1], id="the first"),
        pytest.param("last", [3], id="the last"),
    ],
)
@pytest.mark.parametrize("by", ["header", "sar"])
async def test_receipts_of_a_long_text_come_for_some_parts(
    start: Start, parts: str, told: list[int], by: str
) -> None:
    smsc = await start(f"receipts: {{parts: {parts}}}")
    async with client(smsc) as peer:
        for number in (1, 2, 3):
            if by == "header":
                peer.submit(udh.concatenation(7, 3, number) + b"x", esm_class=0x40)
            else:
                tlvs = {0x020C: b"\0\7", 0x020E: b"\3", 0x020F: bytes((number,))}
                peer.submit(b"x", tlvs=tlvs)
        peer.submit(b"alone")
        await peer.until(lambda: len(peer.answers) == 4 and len(peer.receipts) == len(told) + 1)
        given = {arrival.message_id: arrival.part for arrival in smsc.record.arrivals}
        found = [given[read(pdu).message_id] for pdu in peer.receipts]
        assert [part and part[2] for part in found] == [*told, None]


# Faults


def faulty(fault: str, more: str = "") -> str:
    return f"{{faults: [{{{fault}}}]{more}}}"


@pytest.mark.parametrize(
    ("fault", "states"),
    [
        pytest.param("do: receipt-contradictory", ["DELIVERED", "UNDELIVERABLE"], id="contradictory"),
        pytest.param(
            "do: receipt-contradictory, by: 50ms, state: expired", ["DELIVERED", "EXPIRED"], id="its own word"
        ),
        pytest.param("do: receipt-intermediate, by: 20ms", ["ENROUTE", "DELIVERED"], id="enroute first"),
        pytest.param(
            "do: receipt-intermediate, by: 20ms, state: accepted",
            ["ACCEPTED", "DELIVERED"],
            id="accepted first",
        ),
        pytest.param("do: receipt-twice, by: 20ms", ["DELIVERED", "DELIVERED"], id="twice"),
    ],
)
async def test_two_receipts_tell_of_one_message(start: Start, fault: str, states: list[str]) -> None:
    smsc = await start(faulty(fault))
    async with client(smsc) as peer:
        told = [read(pdu) for pdu in await receipts(peer, 2)]
        assert [each.state for each in told] == states
        assert {each.message_id for each in told} == {smsc.record.arrivals[0].message_id}
        assert told[0].final == (states[0] == "DELIVERED")
    assert smsc.record.arrivals[0].state == "DELIVERED"


async def test_a_receipt_is_lost(start: Start) -> None:
    smsc = await start(faulty("do: receipt-lost, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"lost")
        peer.submit(b"kept")
        await peer.until(lambda: len(peer.answers) == 2 and len(peer.receipts) == 1)
        assert read(peer.receipts[0]).message_id == smsc.record.arrivals[1].message_id
    assert [each.receipts_sent for each in smsc.record.arrivals] == [0, 1]


async def test_a_receipt_comes_for_an_id_of_nobodys(start: Start) -> None:
    smsc = await start(faulty("do: receipt-for-strange-id"))
    async with client(smsc) as peer:
        own, strange = [read(pdu).message_id for pdu in await receipts(peer, 2)]
        assert own == smsc.record.arrivals[0].message_id != strange


async def test_a_receipt_comes_without_id(start: Start) -> None:
    smsc = await start(faulty("do: receipt-no-id"))
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        assert Tag.RECEIPTED_MESSAGE_ID not in pdu.tlvs
        assert pdu.short_message.startswith(b"id: sub:001")
        assert read(pdu).state is State.DELIVERED


async def test_a_receipt_days_late_plays_in_less_than_a_second(start: Start) -> None:
    smsc = await start(faulty("do: receipt-late, by: 3d", ", receipts: {delay: 1h, hasten: 864000}"))
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1)
        [arrival] = smsc.record.arrivals
        done = time.strftime("%y%m%d%H%M", time.localtime(arrival.at + 3 * 86400 + 3600))
        assert read(pdu).done_date == done
        assert read(pdu).submit_date == time.strftime("%y%m%d%H%M", time.localtime(arrival.at))


async def test_ids_are_used_again(start: Start) -> None:
    smsc = await start("ids: {reuse: 3}")
    async with client(smsc) as peer:
        for _ in range(7):
            peer.submit(registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 7)
    ids = [each.message_id for each in smsc.record.arrivals]
    assert len(set(ids)) == 3
    assert ids[0] == ids[3] == ids[6]


async def test_the_same_seed_strikes_the_same_receipts(start: Start) -> None:
    courses = []
    for seed in (1, 1, 2):
        smsc = await start(f"{{seed: {seed}, faults: [{{do: receipt-lost, share: 0.4}}]}}")
        async with client(smsc) as peer:
            for _ in range(60):
                peer.submit()
            await peer.until(lambda: len(peer.answers) == 60)
        courses.append([each.receipts_sent for each in smsc.record.arrivals])
    assert courses[0] == courses[1] != courses[2]


# What a message says about its own time


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        pytest.param({"validity_period": "000000000100000R"}, State.EXPIRED, id="a minute"),
        pytest.param({"validity_period": "000001000000000R"}, State.DELIVERED, id="a day"),
        pytest.param(
            {"validity_period": "000000010000000R", "schedule_delivery_time": "000000020000000R"},
            State.EXPIRED,
            id="over before it begins",
        ),
    ],
)
async def test_a_message_expires_when_its_time_is_over(
    start: Start, fields: dict[str, Any], state: State
) -> None:
    smsc = await start("receipts: {delay: 30m, hasten: 36000}")
    async with client(smsc) as peer:
        [pdu] = await receipts(peer, 1, **fields)
        assert read(pdu).state is state
    assert smsc.record.arrivals[0].shown()["validity_period"] == fields["validity_period"]


async def test_an_absolute_time_is_understood(start: Start) -> None:
    smsc = await start("receipts: {delay: 2h, hasten: 36000}")
    async with client(smsc) as peer:
        until = times.absolute(datetime.now(UTC) + timedelta(hours=1))
        [pdu] = await receipts(peer, 1, validity_period=until)
        assert read(pdu).state is State.EXPIRED


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"validity_period": "tomorrow"}, status.ESME_RINVEXPIRY, id="validity"),
        pytest.param({"schedule_delivery_time": "9"}, status.ESME_RINVSCHED, id="schedule"),
    ],
)
async def test_times_that_are_none_are_refused(start: Start, fields: dict[str, Any], expected: int) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        peer.submit(**fields)
        await peer.until(lambda: bool(peer.answers))
        assert peer.statuses == [expected]
    assert (smsc.record.counts.taken, smsc.record.counts.refused) == (0, 1)


async def test_an_intermediate_notification_comes_to_who_asks_for_it(start: Start) -> None:
    smsc = await start("receipts: {delay: 50ms}")
    async with client(smsc) as peer:
        first, second = await receipts(peer, 2, registered_delivery=0x11)
        assert first.esm_class & 0x3C == ESM_INTERMEDIATE_NOTIFICATION
        assert (read(first).state, read(second).state) == (State.ENROUTE, State.DELIVERED)
