"""smpplib at our SMSC session, and PDUs of its making at our ESME session. Where it is wrong, what is right
stands here."""

import asyncio
import random
import struct
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm
import smpplib.smpp

from gateway.smpp import events, pdu
from gateway.smpp import status as s
from gateway.smpp.constants import RESPONSE, Tag
from gateway.sms import alphabet, coding, reassembly, segment, udh
from gateway.sms.cutting import Cutting, Join
from tests.interop.wire import Wire, connected, listening

OURS, CUSTOMER = "10086001", "8613905310001"
TEXTS = ["Hello [you] €5", "事事有回音", "长" * 100, "l" * 400]


def together(submits: list[pdu.SubmitSm]) -> list[str]:
    """The texts of what arrived, long ones put together."""
    reassembler, texts = reassembly.Reassembler(), []
    for number, submit in enumerate(submits):
        header, octets = udh.take(submit.short_message, submit.esm_class)
        place = header.concatenation
        if place is None:
            texts.append(coding.decode(octets, submit.data_coding).text)
            continue
        part = reassembly.Part(
            id=str(number),
            route="route",
            sender=submit.source_addr,
            recipient=submit.destination_addr,
            reference=place.reference,
            total=place.total,
            number=place.number,
            octets=octets,
            data_coding=submit.data_coding,
        )
        complete = reassembler.add(part, datetime(2026, 11, 22, tzinfo=UTC))
        if complete is not None:
            assert not complete.ill_formed
            texts.append(complete.text)
    return texts


class Client:
    """smpplib's client, which blocks and so lives in a thread."""

    def __init__(self, port: int) -> None:
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
        self.client.connect()
        self.ids: list[str] = []
        self.heard: list[Any] = []
        self.client.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id.decode()))
        self.client.set_message_received_handler(self._hears)

    def _hears(self, pdu: Any) -> None:
        self.heard.append(pdu)

    def close(self) -> None:
        self.client.disconnect()

    def send(self, text: str) -> int:
        parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr=OURS,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=CUSTOMER,
                short_message=part,
                data_coding=data_coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        return len(parts)


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
async def test_smpplib_binds_in_each_way_and_unbinds(kind: str) -> None:
    def client(port: int) -> tuple[str, str]:
        with closing(Client(port)) as theirs:
            bound = getattr(theirs.client, f"bind_{kind}")(system_id="other", password="secret")
            return bound.command, theirs.client.unbind().command

    async with listening() as (wire, port):
        assert await asyncio.to_thread(client, port) == (f"bind_{kind}_resp", "unbind_resp")
        [bind] = wire.requests
        assert (bind.system_id, bind.password, bind.interface_version) == ("other", "secret", 0x34)
        assert wire.found(events.PeerUnbound)


async def test_smpplib_is_told_why_its_bind_is_refused() -> None:
    def refuses(wire: Wire, asked: Any) -> None:
        wire.session.answer(asked.sequence_number, int(asked.command_id), s.ESME_RINVPASWD)

    def client(port: int) -> int:
        with closing(Client(port)) as theirs, pytest.raises(smpplib.exceptions.PDUError) as caught:
            theirs.client.bind_transceiver(system_id="other", password="wrong")
        return int(caught.value.args[1])

    async with listening(refuses) as (_, port):
        assert await asyncio.to_thread(client, port) == s.ESME_RINVPASWD


async def test_smpplib_sends_and_hears_at_our_smsc() -> None:
    def answers(wire: Wire, asked: Any) -> None:
        wire.take(asked)
        if isinstance(asked, pdu.SubmitSm):
            tlvs = {int(Tag.RECEIPTED_MESSAGE_ID): f"{wire.taken - 1:08x}\0".encode(), 0x1400: b"own"}
            wire.ask(pdu.DeliverSm(source_addr=CUSTOMER, destination_addr=OURS, esm_class=4, tlvs=tlvs))
            wire.enquire()

    def client(port: int) -> Client:
        with closing(Client(port)) as theirs:
            theirs.client.bind_transceiver(system_id="other", password="secret")
            count = sum(theirs.send(text) for text in TEXTS)
            while len(theirs.ids) < count or len(theirs.heard) < count:
                theirs.client.read_once()
            theirs.client.poll()
            return theirs

    async with listening(answers) as (wire, port):
        theirs = await asyncio.to_thread(client, port)
        await wire.until(lambda: wire.session.closed)
        submits = wire.asked(pdu.SubmitSm)
        assert together(submits) == TEXTS
        assert theirs.ids == [f"{number:08x}" for number in range(len(submits))]
        assert [heard.receipted_message_id.decode() for heard in theirs.heard] == theirs.ids
        answered = wire.found(events.Answered)
        assert [event.pdu.command_status for event in answered] == [0] * len(submits)
        assert not wire.found(events.Malformed)


# smpplib has no server: these are its PDUs in the place of one.


class Nobody:
    """All that smpplib's PDUs want of their client."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


def made(name: str, number: int, **fields: Any) -> bytes:
    one = smpplib.smpp.make_pdu(name, client=Nobody(), **fields)
    one.sequence = number
    octets: bytes = one.generate()
    return octets


async def smsc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what comes, brings one message and unbinds."""
    try:
        while True:
            head = await reader.readexactly(4)
            octets = head + await reader.readexactly(struct.unpack(">I", head)[0] - 4)
            asked = smpplib.smpp.parse_pdu(octets, client=Nobody(), allow_unknown_opt_params=True)
            if asked.command == "bind_transceiver":
                writer.write(made("bind_transceiver_resp", asked.sequence, system_id="smpplib"))
            elif asked.command == "submit_sm":
                writer.write(made("submit_sm_resp", asked.sequence, message_id=f"id{asked.sequence}"))
                brought = {
                    "source_addr": CUSTOMER,
                    "destination_addr": OURS,
                    "message_payload": "8分".encode(),
                }
                writer.write(made("deliver_sm", asked.sequence + 100, **brought))
            elif asked.command == "deliver_sm_resp":
                writer.write(made("enquire_link", 500))
                writer.write(made("unbind", 501))
            elif asked.command == "unbind_resp":
                return
    finally:
        writer.close()


async def test_our_esme_session_understands_what_smpplib_writes() -> None:
    server = await asyncio.start_server(smsc, "127.0.0.1", 0)
    async with connected(server.sockets[0].getsockname()[1]) as wire:
        assert wire.found(events.Bound)[0].pdu.system_id == "smpplib"
        wire.ask(pdu.SubmitSm(source_addr=OURS, destination_addr=CUSTOMER, short_message=b"hi"), "token")
        await wire.until(lambda: wire.found(events.Closed))
        [answered] = wire.found(events.Answered)
        assert (answered.token, answered.pdu.message_id[:2]) == ("token", "id")
        [brought] = wire.asked(pdu.DeliverSm)
        assert brought.tlvs == {int(Tag.MESSAGE_PAYLOAD): "8分".encode()}
        assert wire.found(events.PeerUnbound)
        assert not wire.found(events.Malformed)
    server.close()


# Where smpplib is wrong


def test_a_backtick_is_not_in_the_gsm_alphabet_and_the_section_sign_is() -> None:
    # smpplib has ` at 0x5F, where TS 23.038 has §.
    assert smpplib.gsm.gsm_encode("`") == b"\x5f"
    with pytest.raises(UnicodeError):
        smpplib.gsm.gsm_encode("§")
    assert alphabet.encode("`") is None
    assert alphabet.encode("§") == b"\x5f"
    assert segment.split("`", 1).data_coding == 8


@pytest.mark.parametrize("before", range(150, 154))
def test_no_escape_is_torn_and_their_torn_ones_are_mended(before: int) -> None:
    # smpplib cuts every 153 septets, between an escape and what it escapes as well.
    text = "x" * before + "€" * 80
    theirs = smpplib.gsm.make_parts(text)[0]
    torn = [part for part in theirs if part.endswith(b"\x1b")]
    assert torn
    assert not any(part.endswith(b"\x1b") for part in segment.split(text, 1).payloads)
    submits = [pdu.SubmitSm(esm_class=0x40, short_message=part) for part in theirs]
    assert together(submits) == [text]


@pytest.mark.parametrize("before", [65, 66])
def test_no_surrogate_pair_is_torn_and_their_torn_ones_are_mended(before: int) -> None:
    # smpplib cuts UCS-2 every 134 octets, between the halves of a pair as well.
    text = "好" * before + "👍" * 40
    theirs = smpplib.gsm.make_parts(text)[0]
    assert any(part[-2] & 0xFC == 0xD8 for part in theirs)
    for part in segment.split(text, 1).payloads:
        part[6:].decode("utf-16-be")
    submits = [pdu.SubmitSm(esm_class=0x40, data_coding=8, short_message=part) for part in theirs]
    assert together(submits) == [text]


def test_references_are_ours_to_give_and_may_have_16_bits() -> None:
    # smpplib draws a random octet for each text: two long texts to one customer collide once in 256.
    random.seed(1)
    drawn = [smpplib.gsm.make_parts("x" * 200)[0][0][3] for _ in range(100)]
    assert len(set(drawn)) < 100
    ours = [segment.split("x" * 200, reference, Cutting(join=Join.UDH16)) for reference in range(1000)]
    places = [udh.parse(split.payloads[0])[0].concatenation for split in ours]
    assert [place and (place.reference, place.wide) for place in places] == [(n, True) for n in range(1000)]


async def test_an_unknown_command_does_not_end_our_reading() -> None:
    # smpplib's reader raises KeyError or UnknownCommandError and is lost; ours answers and goes on.
    with pytest.raises(smpplib.exceptions.UnknownCommandError):
        smpplib.smpp.parse_pdu(struct.pack(">IIII", 16, 0x00010201, 0, 5), client=Nobody())
    async with listening() as (wire, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(struct.pack(">IIII", 16, 0x00010201, 0, 5) + made("enquire_link", 6))
        nack = await reader.readexactly(16)
        assert struct.unpack(">IIII", nack) == (16, RESPONSE, s.ESME_RINVCMDID, 5)
        assert struct.unpack(">IIII", await reader.readexactly(16)) == (16, 0x80000015, 0, 6)
        writer.close()
        await wire.until(lambda: wire.session.closed)


async def test_many_requests_are_in_flight_at_once() -> None:
    # smpplib's window is one: it reads the next PDU and takes it for the answer.
    server = await asyncio.start_server(smsc, "127.0.0.1", 0)
    async with connected(server.sockets[0].getsockname()[1]) as wire:
        for token in range(20):
            wire.session.request(pdu.SubmitSm(short_message=b"hi"), 0, token)
        assert wire.session.room == 0
        wire.flush()
        await wire.until(lambda: len(wire.found(events.Answered)) == 20)
        assert [event.token for event in wire.found(events.Answered)] == list(range(20))
    server.close()
