"""The simulated SMSC without faults, heard by smpplib and by our own session."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import smpplib.client

from gateway.simulator.scenario import ScenarioError
from gateway.smpp import events, receipt, status
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    QuerySm,
)
from gateway.sms import coding, udh
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, client


async def test_an_independent_client_binds_submits_and_hears_receipt_and_reply(start: Start) -> None:
    smsc = await start()
    heard: list[tuple[str, Any]] = []

    def play() -> None:
        peer = smpplib.client.Client("127.0.0.1", smsc.port, allow_unknown_opt_params=True)
        peer.connect()
        peer.bind_transceiver(system_id="huiyin", password="secret")
        peer.set_message_sent_handler(lambda pdu: heard.append(("sent", pdu.message_id)))
        peer.set_message_received_handler(lambda pdu: heard.append(("came", pdu)))
        peer.send_message(
            source_addr=OURS,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=CUSTOMER,
            short_message=b"please score 1-10",
            registered_delivery=1,
        )
        for _ in range(3):
            peer.read_once()
        peer.unbind()
        peer.disconnect()

    await smsc.inject(CUSTOMER, OURS, "8分，小伙子态度很好")
    await asyncio.to_thread(play)

    [sent] = [what.decode() for kind, what in heard if kind == "sent"]
    reply, receipted = [what for kind, what in heard if kind == "came"]
    assert coding.decode(reply.short_message, reply.data_coding).text == "8分，小伙子态度很好"
    assert (reply.source_addr, reply.destination_addr) == (CUSTOMER.encode(), OURS.encode())
    assert receipted.receipted_message_id.rstrip(b"\0").decode() == sent
    assert receipted.message_state == 2
    assert receipted.short_message.startswith(f"id:{sent} sub:001 dlvrd:001".encode())
    [arrival] = smsc.record.arrivals
    assert (arrival.message_id, arrival.status, arrival.receipts_taken) == (sent, 0, 1)
    assert smsc.record.counts.mos_taken == 1


@pytest.mark.parametrize(
    ("system_id", "password", "expected"),
    [
        pytest.param("north", "n", status.ESME_ROK, id="right"),
        pytest.param("north", "x", status.ESME_RINVPASWD, id="wrong password"),
        pytest.param("south", "n", status.ESME_RINVSYSID, id="unknown"),
        pytest.param("open", "whatever", status.ESME_ROK, id="an account without a password"),
    ],
)
async def test_who_may_bind(start: Start, system_id: str, password: str, expected: int) -> None:
    smsc = await start("accounts: [{system_id: north, password: n}, {system_id: open}]")
    async with client(smsc, bound=False) as peer:
        bind = BindTransceiver(system_id=system_id, password=password)
        assert await peer.bind(bind) == expected
    assert len(smsc.binds) <= 1


async def test_an_account_may_be_longer_than_the_standard_allows(start: Start) -> None:
    smsc = await start("accounts: [{system_id: huiyin, password: longer-than-eight}]")
    async with client(smsc, password="longer-than-eight"), client(smsc, bound=False) as other:
        bind = BindTransceiver(system_id="huiyin", password="longer-than")
        assert await other.bind(bind) == status.ESME_RINVPASWD


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        pytest.param(0x33, set(), id="3.3"),
        pytest.param(0x34, {Tag.SC_INTERFACE_VERSION}, id="3.4"),
        pytest.param(0x50, {Tag.SC_INTERFACE_VERSION}, id="5.0"),
    ],
)
async def test_a_client_that_knows_no_parameters_is_bound_without(
    start: Start, version: int, tags: set[Tag]
) -> None:
    smsc = await start()
    async with client(smsc, bound=False) as peer:
        assert await peer.bind(BindTransceiver(system_id="huiyin", interface_version=version)) == 0
        [bound] = [event for event in peer.heard if isinstance(event, events.Bound)]
        assert set(bound.pdu.tlvs) == tags


async def test_an_account_has_so_many_binds_and_no_more(start: Start) -> None:
    smsc = await start("accounts: [{system_id: huiyin, max_binds: 2}]")
    async with client(smsc), client(smsc), client(smsc, bound=False) as third:
        assert await third.bind(BindTransceiver(system_id="huiyin")) == status.ESME_RBINDFAIL


async def test_a_receipt_comes_on_the_receiver_of_the_account_that_sent(start: Start) -> None:
    smsc = await start()
    async with (
        client(smsc, kind=BindTransmitter) as sender,
        client(smsc, kind=BindReceiver) as receiver,
        client(smsc, kind=BindReceiver, system_id="other") as stranger,
    ):
        sender.submit()
        await receiver.until(lambda: bool(receiver.receipts))
        assert not stranger.delivered
        assert not sender.delivered


async def test_receipts_wait_for_a_receiver(start: Start) -> None:
    smsc = await start()
    async with client(smsc, kind=BindTransmitter) as sender:
        sender.submit()
        await sender.until(lambda: bool(sender.answers))
    assert smsc.waiting == 1
    async with client(smsc, kind=BindReceiver) as receiver:
        await receiver.until(lambda: bool(receiver.receipts))


@pytest.mark.parametrize(
    ("registered", "outcome", "expected"),
    [
        pytest.param(0, "delivered", 0, id="none asked for"),
        pytest.param(1, "delivered", 1, id="always, delivered"),
        pytest.param(1, "expired", 1, id="always, failed"),
        pytest.param(2, "delivered", 0, id="on failure, delivered"),
        pytest.param(2, "expired", 1, id="on failure, failed"),
    ],
)
async def test_a_receipt_is_sent_when_it_was_asked_for(
    start: Start, registered: int, outcome: str, expected: int
) -> None:
    smsc = await start(f"receipts: {{outcomes: {{{outcome}: 1}}}}")
    async with client(smsc) as peer:
        peer.submit(b"first", registered_delivery=registered)
        peer.submit(b"last", registered_delivery=1 if outcome == "delivered" else 2)
        await peer.until(lambda: len(peer.receipts) >= expected + 1)
        assert len(peer.receipts) == expected + 1


async def test_outcomes_come_in_their_shares_and_the_same_seed_gives_the_same(start: Start) -> None:
    courses = []
    for _ in range(2):
        smsc = await start("{seed: 5, receipts: {outcomes: {delivered: 8, undeliverable: 2}}}")
        async with client(smsc) as peer:
            for number in range(500):
                peer.submit(b"%d" % number)
            await peer.until(lambda: len(peer.receipts) == 500)
        courses.append([arrival.state for arrival in smsc.record.arrivals])
    assert courses[0] == courses[1]
    assert 60 <= courses[0].count("UNDELIVERABLE") <= 140


async def test_receipts_come_after_their_delay_and_answers_after_theirs(start: Start) -> None:
    smsc = await start("{latency: 60ms, receipts: {delay: 200ms}}")
    async with client(smsc) as peer:
        began = peer.loop.time()
        peer.submit()
        await peer.until(lambda: bool(peer.answers))
        answered = peer.loop.time() - began
        await peer.until(lambda: bool(peer.receipts))
        assert answered >= 0.055
        assert peer.loop.time() - began >= 0.195


@pytest.mark.parametrize(
    ("forms", "response_base", "receipt_base"),
    [
        pytest.param("{response: hex, receipt: hex}", 16, 16, id="hex both"),
        pytest.param("{response: hex, receipt: decimal}", 16, 10, id="hex, then decimal"),
        pytest.param("{response: decimal, receipt: hex}", 10, 16, id="decimal, then hex"),
    ],
)
async def test_ids_are_written_in_the_form_that_is_set(
    start: Start, forms: str, response_base: int, receipt_base: int
) -> None:
    smsc = await start(f"ids: {forms}")
    async with client(smsc) as peer:
        peer.submit()
        await peer.until(lambda: bool(peer.receipts and peer.answers))
        given: Any = peer.answers[0].pdu
        read = receipt.parse(peer.receipts[0])
        assert read is not None
        assert int(given.message_id, response_base) == int(read.message_id, receipt_base)


async def test_who_is_too_fast_is_throttled_and_let_in_again(start: Start) -> None:
    smsc = await start("{rate: 20, burst: 5}")
    async with client(smsc) as peer:
        for number in range(10):
            peer.submit(b"%d" % number, registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 10)
        assert peer.statuses == [0] * 5 + [status.ESME_RTHROTTLED] * 5
        await asyncio.sleep(0.2)
        peer.submit(b"later", registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 11)
        assert peer.statuses[-1] == 0
    assert (smsc.record.counts.taken, smsc.record.counts.throttled) == (6, 5)
    assert [each.message_id != "" for each in smsc.record.arrivals] == [True] * 5 + [False] * 5 + [True]


async def test_a_reply_comes_again_until_it_is_taken(start: Start) -> None:
    smsc = await start("redelivery: {after: 20ms}")
    verdicts = iter([status.ESME_RSYSERR, status.ESME_RX_T_APPN, status.ESME_ROK])
    async with client(smsc, verdict=lambda pdu: next(verdicts)) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, "8")
        await mo.taken
        assert [pdu.short_message for pdu in peer.delivered] == [b"8"] * 3
    assert mo.parts[0].statuses == [8, 0x64, 0]


async def test_a_reply_without_answer_comes_again_on_the_next_bind(start: Start) -> None:
    smsc = await start()
    mo = await smsc.inject(CUSTOMER, OURS, "8")
    async with client(smsc, verdict=lambda pdu: None) as deaf:
        await deaf.until(lambda: bool(deaf.delivered))
        assert not mo.taken.done()
    async with client(smsc):
        await mo.taken
    assert mo.parts[0].sent == 2


async def test_a_reply_without_answer_comes_again_after_the_timeout(start: Start) -> None:
    smsc = await start("redelivery: {timeout: 100ms}")
    verdicts = iter([None, 0])
    async with client(smsc, verdict=lambda pdu: next(verdicts)) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, "8")
        await mo.taken
        assert len(peer.delivered) == 2


async def test_no_more_deliveries_are_open_than_the_window_allows(start: Start) -> None:
    smsc = await start("window: 3")
    async with client(smsc, verdict=lambda pdu: None) as peer:
        for _ in range(10):
            await smsc.inject(CUSTOMER, OURS, "8")
        await peer.until(lambda: len(peer.delivered) == 3)
        assert smsc.waiting == 7
        for pdu in tuple(peer.delivered):
            peer.session.answer(pdu.sequence_number, 5, 0)
        peer.flush()
        await peer.until(lambda: len(peer.delivered) == 6)


@pytest.mark.parametrize(
    ("text", "parts", "data_coding"),
    [
        pytest.param("8 thanks", 1, 0, id="GSM"),
        pytest.param("8分", 1, 8, id="UCS-2"),
        pytest.param("very good " * 30, 2, 0, id="long GSM"),
        pytest.param("等了三天才有人回复，" * 15, 3, 8, id="long UCS-2"),
    ],
)
async def test_a_reply_is_sent_in_the_parts_that_it_needs(
    start: Start, text: str, parts: int, data_coding: int
) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, text)
        await mo.taken
        assert len(peer.delivered) == parts
        read = [udh.take(pdu.short_message, pdu.esm_class) for pdu in peer.delivered]
        assert {pdu.data_coding for pdu in peer.delivered} == {data_coding}
        assert coding.decode(b"".join(octets for _, octets in read), data_coding).text == text
        numbers = [header.concatenation.number for header, _ in read if header.concatenation]
        assert numbers == (list(range(1, parts + 1)) if parts > 1 else [])


async def test_octets_are_delivered_as_they_were_given(start: Start) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, payload=b"\xff\x00\x80", data_coding=4, esm_class=0x80)
        await mo.taken
        [pdu] = peer.delivered
        assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (b"\xff\x00\x80", 4, 0x80)
        await (await smsc.inject(CUSTOMER, OURS, payload=b"x" * 300)).taken
        assert peer.delivered[1].tlvs[0x0424] == b"x" * 300


async def test_numbers_that_an_account_has_to_itself_are_delivered_to_it(start: Start) -> None:
    smsc = await start("accounts: [{system_id: a, numbers: ['10086']}, {system_id: b, numbers: ['1065']}]")
    async with client(smsc, system_id="a") as one, client(smsc, system_id="b") as other:
        await (await smsc.inject(CUSTOMER, "10086777", "1")).taken
        await (await smsc.inject(CUSTOMER, "1065001", "2")).taken
        assert [pdu.destination_addr for pdu in one.delivered] == ["10086777"]
        assert [pdu.destination_addr for pdu in other.delivered] == ["1065001"]


@pytest.mark.parametrize(
    ("msisdn", "to"),
    [pytest.param("", OURS, id="no sender"), pytest.param(CUSTOMER, "1" * 21, id="an address too long")],
)
async def test_a_reply_that_no_pdu_could_carry_is_refused(start: Start, msisdn: str, to: str) -> None:
    smsc = await start()
    with pytest.raises(ValueError, match="20 ASCII"):
        await smsc.inject(msisdn, to, "8")


async def test_a_message_in_data_sm_is_taken_and_can_be_asked_after(start: Start) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        pdu = DataSm(source_addr=OURS, destination_addr=CUSTOMER, tlvs={0x0424: b"in the payload"})
        peer.session.request(pdu, peer.loop.time())
        peer.flush()
        await peer.until(lambda: bool(peer.answers))
        [arrival] = smsc.record.arrivals
        assert arrival.text == "in the payload"
        for message_id in (arrival.message_id, "unknown"):
            peer.session.request(QuerySm(message_id=message_id), peer.loop.time())
        peer.session.request(CancelSm(message_id="x"), peer.loop.time())
        peer.flush()
        await peer.until(lambda: len(peer.answers) == 4)
        assert peer.statuses == [0, 0, status.ESME_RINVMSGID, status.ESME_RINVMSGID]


async def test_submits_before_the_bind_are_refused(start: Start) -> None:
    smsc = await start()
    async with client(smsc, bound=False) as peer:
        peer.transport.write(b"\0\0\0\x10\0\0\0\x04\0\0\0\0\0\0\0\x01")
        await peer.until(lambda: bool(peer.heard))
        assert isinstance(peer.heard[0], events.Orphan | events.Malformed)
    assert smsc.record.counts.submits == 0


async def test_behaviour_changes_while_it_runs(start: Start) -> None:
    smsc = await start("seed: 3")
    smsc.change({"receipts": {"outcomes": {"expired": 1}}})
    assert smsc.scenario.seed == 3
    async with client(smsc) as peer:
        peer.submit()
        await peer.until(lambda: bool(peer.receipts))
        read = receipt.parse(peer.receipts[0])
        assert read is not None
        assert read.state is receipt.State.EXPIRED
    with pytest.raises(ScenarioError, match="latency"):
        smsc.change({"latency": "soon"})


async def test_the_journal_tells_all_that_was_seen(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "smsc.ndjson"
    smsc = await start(record_path=path)
    async with client(smsc) as peer:
        peer.submit("事事有回音".encode("utf-16-be"), data_coding=8)
        await peer.until(lambda: bool(peer.receipts))
        await (await smsc.inject(CUSTOMER, OURS, "10")).taken
    await smsc.close()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    by_kind = {line["e"]: line for line in lines}
    assert {"bind", "submit", "answer", "receipt", "receipt-answer", "mo", "mo-sent", "mo-answer"} == set(
        by_kind
    )
    submit = by_kind["submit"]
    assert (submit["text"], submit["destination"], submit["source"]) == ("事事有回音", CUSTOMER, OURS)
    assert by_kind["answer"]["message_id"] == submit["message_id"] == by_kind["receipt-answer"]["message_id"]
    assert (by_kind["mo"]["text"], by_kind["mo-answer"]["status"]) == ("10", 0)


async def test_the_journal_is_appended_to(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "smsc.ndjson"
    for _ in range(2):
        smsc = await start(record_path=path)
        async with client(smsc) as peer:
            peer.submit(registered_delivery=0)
            await peer.until(lambda: bool(peer.answers))
        await smsc.close()
    assert path.read_text("utf-8").count('"e":"submit"') == 2


async def test_an_unbound_client_is_closed_and_gets_no_more(start: Start) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        peer.session.unbind(peer.loop.time())
        peer.flush()
        await peer.closed
        assert not smsc.binds
        await smsc.inject(CUSTOMER, OURS, "8")
        assert smsc.waiting == 1
