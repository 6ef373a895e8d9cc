"""What a client asks beside submit_sm, and what a message says of itself, as the SMSC honours it."""

from typing import Any

import pytest

from gateway.smpp import receipt, status
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.fields import Destination, DistributionList
from gateway.smpp.pdu import (
    BroadcastSm,
    CancelSm,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
)
from gateway.smpp.receipt import State
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, Client, client
from tests.simulator.test_control import controlled, get

OTHER = "8613905310002"
SLOW = "receipts: {delay: 300ms}"


async def ask(peer: Client, pdu: Pdu) -> Any:
    before = len(peer.answers)
    peer.session.request(pdu, peer.loop.time())
    peer.flush()
    await peer.until(lambda: len(peer.answers) > before)
    return peer.answers[-1].pdu


async def taken(peer: Client, **fields: Any) -> str:
    before = len(peer.answers)
    peer.submit(**fields)
    await peer.until(lambda: len(peer.answers) > before)
    message_id: str = peer.answers[-1].pdu.message_id  # type: ignore[attr-defined]  # a submit_sm_resp
    return message_id


async def test_a_message_to_several_is_one_id_and_a_receipt_each(start: Start) -> None:
    smsc = await start(f"faults: [{{do: refuse, status: 0x0B, to: '{OTHER}'}}]")
    async with client(smsc) as peer:
        to = (Destination(1, 1, CUSTOMER), Destination(1, 1, OTHER), DistributionList("all"))
        pdu = SubmitMulti(
            source_addr=OURS,
            dest_addresses=(*to, Destination(1, 1, "8613905310003")),
            registered_delivery=1,
            short_message=b"x",
        )
        answer = await ask(peer, pdu)
        assert isinstance(answer, SubmitMultiResp)
        failed = {each.destination_addr: each.error_status_code for each in answer.unsuccess_smes}
        assert failed == {OTHER: status.ESME_RINVDSTADR, "all": status.ESME_RINVDLNAME}
        await peer.until(lambda: len(peer.receipts) == 2)
        assert {pdu.source_addr for pdu in peer.receipts} == {CUSTOMER, "8613905310003"}
    assert [(each.message_id, each.status) for each in smsc.record.arrivals] == [
        (answer.message_id, 0),
        ("", status.ESME_RINVDSTADR),
        (answer.message_id, 0),
    ]


async def test_a_message_is_asked_after(start: Start) -> None:
    smsc = await start(SLOW)
    async with client(smsc) as peer:
        message_id = await taken(peer)
        answer = await ask(peer, QuerySm(message_id=message_id, source_addr=OURS))
        assert isinstance(answer, QuerySmResp)
        assert (answer.message_state, answer.final_date) == (MessageState.ENROUTE, "")
        await peer.until(lambda: bool(peer.receipts))
        answer = await ask(peer, QuerySm(message_id=message_id, source_addr=OURS))
        assert answer.message_state == MessageState.DELIVERED
        assert len(answer.final_date) == 16
        stranger = await ask(peer, QuerySm(message_id=message_id, source_addr="1"))
        assert stranger.command_status == 0x67


async def test_a_message_is_cancelled_before_it_is_delivered(start: Start) -> None:
    smsc = await start(SLOW)
    async with client(smsc) as peer:
        message_id = await taken(peer)
        pdu = CancelSm(message_id=message_id, source_addr=OURS, destination_addr=CUSTOMER)
        assert (await ask(peer, pdu)).command_status == 0
        await peer.until(lambda: bool(peer.receipts))
        told = receipt.parse(peer.receipts[0])
        assert told is not None
        assert told.state is State.DELETED
        assert (await ask(peer, pdu)).command_status == 0x11
    assert smsc.record.counts.cancelled == 1


async def test_all_between_two_numbers_are_cancelled(start: Start) -> None:
    smsc = await start("receipts: {delay: 1h}")
    async with client(smsc) as peer:
        for to in (CUSTOMER, CUSTOMER, OTHER):
            await taken(peer, destination_addr=to)
        pdu = CancelSm(source_addr=OURS, destination_addr=CUSTOMER)
        assert (await ask(peer, pdu)).command_status == 0
        await peer.until(lambda: len(peer.receipts) == 2)
    assert [each.state for each in smsc.record.arrivals] == ["DELETED", "DELETED", ""]


async def test_a_message_is_replaced_before_it_is_delivered(start: Start) -> None:
    smsc = await start(SLOW)
    async with client(smsc) as peer:
        message_id = await taken(peer)
        pdu = ReplaceSm(
            message_id=message_id, source_addr=OURS, registered_delivery=1, short_message=b"other"
        )
        assert (await ask(peer, pdu)).command_status == 0
        assert smsc.record.arrivals[0].text == "other"
        await peer.until(lambda: bool(peer.receipts))
        assert (await ask(peer, pdu)).command_status == 0x13
        pdu = ReplaceSm(message_id="none", source_addr=OURS)
        assert (await ask(peer, pdu)).command_status == status.ESME_RINVMSGID


async def test_a_message_replaces_one_that_waits(start: Start) -> None:
    smsc = await start(SLOW)
    async with client(smsc) as peer:
        await taken(peer, service_type="A")
        await taken(peer, service_type="B")
        kept = await taken(peer, service_type="A", replace_if_present_flag=1)
        await peer.until(lambda: len(peer.receipts) == 2)
    assert [each.state for each in smsc.record.arrivals] == ["DELETED", "DELIVERED", "DELIVERED"]
    assert smsc.record.arrivals[2].message_id == kept


async def test_a_scheduled_message_waits(start: Start) -> None:
    smsc = await start("receipts: {hasten: 36000}")
    async with client(smsc) as peer:
        message_id = await taken(peer, schedule_delivery_time="000000020000000R")
        answer = await ask(peer, QuerySm(message_id=message_id))
        assert answer.message_state == MessageState.SCHEDULED
        await peer.until(lambda: bool(peer.receipts))


async def test_a_broadcast_is_refused_by_its_own_response(start: Start) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        answer = await ask(peer, BroadcastSm())
        assert not isinstance(answer, GenericNack)
        assert answer.command_status == status.ESME_RINVCMDID


async def test_an_unknown_command_is_nacked(start: Start) -> None:
    smsc = await start()
    async with client(smsc) as peer:
        peer.transport.write(b"\0\0\0\x10\0\1\2\3\0\0\0\0\x7f\0\0\0")
        await peer.until(lambda: peer.session.orphans == 1)
        assert smsc.record.counts.malformed == 1


async def test_all_that_a_message_says_is_kept(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        await taken(
            peer,
            priority_flag=2,
            service_type="VMA",
            protocol_id=0x41,
            data_coding=0x18,
            text="急".encode("utf-16-be"),
            validity_period="000001000000000R",
            tlvs={0x0204: b"\0\1", 0x1400: b"\xff"},
        )
        [shown] = (await get(session, f"{url}/messages"))["data"]
    wanted = {
        "priority_flag": 2,
        "service_type": "VMA",
        "protocol_id": 0x41,
        "message_class": 0,
        "text": "急",
        "validity_period": "000001000000000R",
        "tlvs": {"user_message_reference": "0001", "0x1400": "ff"},
    }
    assert {key: shown[key] for key in wanted} == wanted


async def test_copies_are_counted(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        for text, to in (
            (b"a", CUSTOMER),
            (b"a", CUSTOMER),
            (b"b", CUSTOMER),
            (b"a", OTHER),
            (b"a", CUSTOMER),
        ):
            await taken(peer, text=text, destination_addr=to)
        counts = await get(session, f"{url}/counts")
        assert counts["copies"] == {"messages": 3, "repeated": 1, "extra": 2, "most": 3}
        [found] = (await get(session, f"{url}/copies?to={CUSTOMER}"))["data"]
        assert (found["copies"], found["numbers"], found["octets"]) == (3, [1, 2, 5], "61")


async def test_congestion_is_told_and_grows(start: Start) -> None:
    smsc = await start("{congestion: true, rate: 10, burst: 50}")
    async with client(smsc) as peer:
        for _ in range(60):
            peer.submit(registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 60)
        levels = [event.pdu.tlvs[int(Tag.CONGESTION_STATE)][0] for event in peer.answers]
    assert levels[0] < levels[1] < levels[2]
    assert max(levels[:50]) < 100
    assert levels[-1] == 100
    assert peer.statuses[-1] == status.ESME_RTHROTTLED


async def test_a_full_queue_refuses_and_drains(start: Start) -> None:
    smsc = await start("{queue: 3, congestion: true, receipts: {delay: 150ms}}")
    async with client(smsc) as peer:
        for number in range(4):
            peer.submit(registered_delivery=number % 2)
        await peer.until(lambda: len(peer.answers) == 4)
        assert peer.statuses == [0, 0, 0, status.ESME_RMSGQFUL]
        await peer.until(lambda: len(peer.receipts) == 1)
        assert await taken(peer)


@pytest.mark.parametrize(
    "body", ["do: unbind-silent", "do: reset", "do: half-open", "do: garbage", "{do: deaf, by: 1s}"]
)
async def test_a_fault_happens_on_demand(start: Start, body: str) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer, client(smsc):
        async with session.post(f"{url}/binds", data=f"{{bind: 1, {body.strip('{}')}}}") as response:
            assert response.status == 200
            assert (await response.json())["struck"] == [1]
        if "deaf" in body or "half" in body:
            assert smsc.binds[0].room == 0
        else:
            await peer.until(lambda: not peer.session.bound)
        async with session.post(f"{url}/binds", data="do: mo-twice") as response:
            assert response.status == 422
