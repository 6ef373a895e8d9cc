"""node-smpp's client at our SMSC session, and its server under our ESME session: the protocol alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.smpp import events, pdu
from gateway.smpp import status as s
from gateway.smpp.constants import Tag
from gateway.sms import coding
from tests.interop.other_smsc import SCRIPT, MissingError, OtherSmsc, cache
from tests.interop.test_smpplib import together
from tests.interop.wire import Wire, connected, listening

CLIENT = Path(__file__).with_name("node_esme.js")


@asynccontextmanager
async def node(script: Path, *arguments: str) -> AsyncIterator[OtherSmsc]:
    try:
        peer = await OtherSmsc.start(cache(), script, *arguments)
    except MissingError as why:
        pytest.skip(f"no node-smpp here: {why}")
    try:
        yield peer
    finally:
        await peer.stop()


async def test_node_smpp_sends_and_hears_at_our_smsc() -> None:
    def answers(wire: Wire, asked: Any) -> None:
        if isinstance(asked, pdu.BindTransceiver):
            wire.session.respond(
                pdu.BindTransceiverResp(asked.sequence_number, system_id="huiyin", tlvs={0x0210: b"\x34"})
            )
            return
        wire.take(asked)
        if isinstance(asked, pdu.SubmitSm) and wire.taken == 6:
            receipt = {
                int(Tag.RECEIPTED_MESSAGE_ID): b"00000000\0",
                int(Tag.MESSAGE_STATE): b"\2",
                0x1400: b"own",
            }
            wire.ask(pdu.DeliverSm(source_addr="8613905310001", esm_class=4, tlvs=receipt), "receipt")
            brought = "8分".encode("utf-16-be")
            wire.ask(
                pdu.DeliverSm(source_addr="8613905310001", data_coding=8, short_message=brought), "reply"
            )
            wire.enquire()

    async with listening(answers) as (wire, port), node(CLIENT, str(port)) as theirs:
        [bound] = await theirs.wait_for("bound")
        assert (bound["status"], bound["version"]) == (0, 0x34)
        await theirs.wait_for("alive", status=0)
        answered = await theirs.wait_for("answered", 6, status=0)
        assert [each["id"] for each in answered] == [f"{number:08x}" for number in range(6)]
        receipt, reply = await theirs.wait_for("brought", 2)
        assert (receipt["id"], receipt["state"], receipt["own"]) == ("00000000", 2, "own")
        assert reply["text"] == "8分"
        await theirs.wait_for("unbound", status=0)
        await wire.until(lambda: wire.session.closed)

        submits = wire.asked(pdu.SubmitSm)
        assert together(submits[:5]) == ["Hello [you]", "@£$ ÄÖ €", "事事有回音 👍", "长" * 100]
        assert coding.decode(submits[5].tlvs[Tag.MESSAGE_PAYLOAD], 0).text == "x" * 300
        assert {submit.validity_period for submit in submits} == {"000001000000000R"}
        assert [submit.tlvs[Tag.USER_MESSAGE_REFERENCE] for submit in submits] == [
            bytes((0, n)) for n in range(6)
        ]
        # A refusing deliver_sm_resp of node-smpp's has no body at all, where SMPP 3.4 §4.6.2 wants a NUL.
        settled = {event.token: event.pdu for event in wire.found(events.Answered)}
        assert settled["receipt"].command_status == s.ESME_ROK
        assert settled["reply"].command_status == s.ESME_RX_T_APPN
        assert not wire.found(events.Malformed)
        assert not wire.found(events.Orphan)


async def test_node_smpps_client_is_told_why_its_bind_is_refused() -> None:
    def refuses(wire: Wire, asked: Any) -> None:
        wire.session.answer(asked.sequence_number, int(asked.command_id), s.ESME_RINVPASWD)

    async with listening(refuses) as (wire, port), node(CLIENT, str(port)) as theirs:
        await theirs.wait_for("bound", status=s.ESME_RINVPASWD)
        await wire.until(lambda: wire.session.closed)


async def test_our_esme_session_speaks_with_node_smpps_server() -> None:
    async with node(SCRIPT) as theirs:
        [listening_at] = await theirs.wait_for("listening")
        async with connected(listening_at["port"]) as wire:
            assert wire.found(events.Bound)[0].pdu.system_id == "node"
            await theirs.wait_for("alive", status=0)
            for token, text in enumerate((b"slow 1", b"slow 2", b"Hello")):
                wire.ask(
                    pdu.SubmitSm(
                        source_addr="10086",
                        destination_addr="8613905310001",
                        registered_delivery=1,
                        short_message=text,
                    ),
                    token,
                )
            await wire.until(lambda: len(wire.found(events.Answered)) == 3 and wire.requests)
            answered = {event.token: event.pdu for event in wire.found(events.Answered)}
            # Its refusals have no body, as SMPP 3.4 §4.4.2 has them.
            assert [answered[token].command_status for token in range(3)] == [s.ESME_RTHROTTLED] * 2 + [0]
            assert answered[2].message_id == "ABC000"
            assert wire.requests[0].short_message.startswith(b"id:ABC000 ")
            await theirs.wait_for("receipt-answered", status=0)
            wire.enquire()
            await theirs.wait_for("asked")
            wire.unbind()
            await theirs.wait_for("unbind")
            await wire.until(lambda: wire.session.closed)
            assert wire.found(events.Closed)[0].tokens == ()


async def test_a_pdu_longer_than_node_smpp_takes_is_taken_by_us() -> None:
    # node-smpp stops reading for good at a PDU over 16 KiB; SMPP sets no such limit, ours is 64.
    big = pdu.DataSm(tlvs={int(Tag.MESSAGE_PAYLOAD): b"x" * 40_000})

    def answers(wire: Wire, asked: Any) -> None:
        wire.take(asked)
        if isinstance(asked, pdu.BindTransceiver):
            wire.ask(big, "big")

    async with listening(answers) as (wire, port), connected(port) as ours:
        await wire.until(lambda: wire.found(events.Answered))
        assert ours.requests == [pdu.DataSm(1, tlvs=big.tlvs)]
    async with listening(answers) as (wire, port), node(CLIENT, str(port)) as theirs:
        [told] = await theirs.wait_for("error")
        assert "too large" in told["error"]
        assert wire.session.outstanding == 1
