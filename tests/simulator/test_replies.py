"""Customers' messages: how their parts are joined and coded, and what goes wrong with them on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.behaviour import Join
from gateway.simulator.replies import cut
from gateway.smpp import tlv
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import DeliverSm
from gateway.sms import coding, udh
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, Client, client
from tests.simulator.test_control import controlled

LONG = "等了三天才有人回复，" * 24  # four parts
NEIGHBOUR = "8613905310002"


def numbers(pdus: list[DeliverSm]) -> list[int]:
    headers = [udh.take(pdu.short_message, pdu.esm_class)[0].concatenation for pdu in pdus]
    return [header.number for header in headers if header]


def text(pdus: list[DeliverSm]) -> str:
    bodies = [udh.take(pdu.short_message, pdu.esm_class)[1] for pdu in pdus]
    octets = b"".join(bodies) or pdus[0].tlvs[Tag.MESSAGE_PAYLOAD]
    return coding.decode(octets, pdus[0].data_coding).text


@pytest.mark.parametrize("join", ["udh8", "udh16", "sar", "payload"])
async def test_long_texts_are_joined_as_the_scenario_says(start: Start, join: str) -> None:
    smsc = await start(f"mo: {{join: {join}}}")
    async with client(smsc) as peer:
        await (await smsc.inject(CUSTOMER, OURS, LONG)).taken
        assert text(peer.delivered) == LONG
        first = peer.delivered[0]
        match join:
            case "udh8" | "udh16":
                header = udh.take(first.short_message, first.esm_class)[0].concatenation
                assert header is not None
                assert header.wide == (join == "udh16")
                assert numbers(peer.delivered) == [1, 2, 3, 4]
            case "sar":
                found = [tlv.octet(pdu.tlvs, Tag.SAR_SEGMENT_SEQNUM) for pdu in peer.delivered]
                assert found == [1, 2, 3, 4]
                assert {tlv.octet(pdu.tlvs, Tag.SAR_TOTAL_SEGMENTS) for pdu in peer.delivered} == {4}
            case _:
                assert (len(peer.delivered), first.short_message) == (1, b"")


@pytest.mark.parametrize(
    ("data_coding", "words"),
    [
        pytest.param(0x00, "Great [9]", id="GSM"),
        pytest.param(0x01, "Great", id="ASCII"),
        pytest.param(0x03, "Très bien", id="Latin-1"),
        pytest.param(0x04, "很好", id="octets"),
        pytest.param(0x08, "Great", id="UCS-2"),
        pytest.param(0x18, "很好", id="UCS-2, flash"),
        pytest.param(0xF1, "Great", id="GSM, class 1"),
    ],
)
async def test_texts_are_coded_as_is_asked(start: Start, data_coding: int, words: str) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        body = {"from": CUSTOMER, "to": OURS, "text": words, "data_coding": data_coding, "wait": 5}
        async with session.post(f"{url}/mo", json=body) as response:
            assert response.status == 202
        [pdu] = peer.delivered
        assert pdu.data_coding == data_coding
        assert coding.decode(pdu.short_message, data_coding)[:2] == (words, False)


async def test_a_text_that_a_coding_can_not_carry_is_refused(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url):
        for data_coding in (0, 1, 3, 256):
            body = {"from": CUSTOMER, "to": OURS, "text": "很好", "data_coding": data_coding}
            async with session.post(f"{url}/mo", json=body) as response:
                assert response.status == 422
                assert (await response.json())["detail"]
        async with session.post(f"{url}/mo", json={"from": "1", "to": "2", "join": "glue"}) as response:
            assert response.status == 422


@given(
    st.text(max_size=500),
    st.sampled_from([Join.UDH8, Join.UDH16, Join.SAR]),
    st.integers(0, 70_000),
)
def test_parts_make_the_text_again(words: str, join: Join, reference: int) -> None:
    written = cut(words, reference, join, 0x08)
    bodies = [udh.take(payload, written.esm_class)[1] for payload in written.payloads]
    assert b"".join(bodies) == words.encode("utf-16-be", "replace")
    assert all(len(payload) <= 140 for payload in written.payloads)


# Faults


def faulty(fault: str) -> str:
    return f"faults: [{{{fault}}}]"


async def delivered(peer: Client, count: int) -> list[DeliverSm]:
    await peer.until(lambda: len(peer.delivered) == count)
    return peer.delivered


async def test_parts_come_in_another_order_the_same_for_a_seed(start: Start) -> None:
    courses = []
    for _ in range(2):
        smsc = await start(faulty("do: mo-parts-shuffled"))
        async with client(smsc) as peer:
            await smsc.inject(CUSTOMER, OURS, LONG)
            courses.append(numbers(await delivered(peer, 4)))
    assert courses[0] == courses[1] != [1, 2, 3, 4]
    assert sorted(courses[0]) == [1, 2, 3, 4]


async def test_a_part_never_comes(start: Start) -> None:
    smsc = await start(faulty("do: mo-part-lost"))
    async with client(smsc) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, LONG)
        await mo.taken
        assert len(set(numbers(peer.delivered))) == len(mo.parts) == 3


async def test_a_part_comes_late(start: Start) -> None:
    smsc = await start(faulty("do: mo-part-late, by: 100ms"))
    async with client(smsc) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, LONG)
        await delivered(peer, 3)
        assert not mo.taken.done()
        await mo.taken
        assert sorted(numbers(peer.delivered)) == [1, 2, 3, 4]


async def test_another_sender_has_the_same_reference_at_the_same_time(start: Start) -> None:
    smsc = await start(faulty("do: mo-other-sender-same-reference"))
    async with client(smsc) as peer:
        await smsc.inject(CUSTOMER, OURS, LONG)
        pdus = await delivered(peer, 8)
        assert [pdu.source_addr for pdu in pdus] == [CUSTOMER, NEIGHBOUR] * 4
        found = [udh.take(pdu.short_message, pdu.esm_class)[0].concatenation for pdu in pdus]
        assert len({(header.reference, header.total) for header in found if header}) == 1
    assert {part.mo for part in smsc.record.mos} == {1, 2}
