"""Links that fail and answers that can't be read, as a client meets them."""

import asyncio

import pytest
import smpplib.client
import smpplib.exceptions

from gateway.simulator.scenario import shipped
from gateway.simulator.smsc import Smsc
from gateway.smpp import codec, events, status
from gateway.smpp.pdu import BindTransceiver, EnquireLink, GenericNack, SubmitSm, SubmitSmResp
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, Client, client


def faulty(fault: str) -> str:
    return f"{{redelivery: {{timeout: 100ms, after: 20ms}}, faults: [{{{fault}}}]}}"


def tokens(peer: Client) -> list[object]:
    return [event.token for event in peer.answers]


async def test_answers_come_in_another_order(start: Start) -> None:
    courses = []
    for _ in range(2):
        smsc = await start(faulty("do: answer-out-of-order, by: 50ms"))
        async with client(smsc) as peer:
            for number in range(8):
                peer.submit(b"%d" % number, registered_delivery=0)
            await peer.until(lambda: len(peer.answers) == 8)
            courses.append(tokens(peer))
    asked = [b"%d" % number for number in range(8)]
    assert courses[0] == courses[1] != asked
    assert sorted(courses[0], key=str) == asked
    assert [each.answers for each in smsc.record.arrivals] == [1] * 8


async def test_an_answer_comes_without_id(start: Start) -> None:
    smsc = await start(faulty("do: answer-without-id"))
    async with client(smsc) as peer:
        peer.submit()
        await peer.until(lambda: bool(peer.answers and peer.receipts))
        answer = peer.answers[0].pdu
        assert isinstance(answer, SubmitSmResp)
        assert (answer.message_id, answer.command_status) == ("", 0)
    assert smsc.record.counts.taken == 1


async def test_a_message_is_refused_with_generic_nack(start: Start) -> None:
    smsc = await start(faulty("do: nack, status: 0x64"))
    async with client(smsc) as peer:
        peer.submit()
        await peer.until(lambda: bool(peer.answers))
        assert isinstance(peer.answers[0].pdu, GenericNack)
        assert peer.statuses == [status.ESME_RX_T_APPN]
    assert (smsc.record.counts.taken, smsc.record.arrivals[0].status) == (0, 0x64)


@pytest.mark.parametrize("do", ["garbage", "long-length", "bad-length"])
async def test_a_stream_that_lost_its_frames_ends_the_link(start: Start, do: str) -> None:
    smsc = await start(faulty(f"do: {do}, times: 1"))
    async with client(smsc) as peer:
        peer.submit(registered_delivery=0)
        peer.submit(registered_delivery=0)
        await peer.until(lambda: any(isinstance(event, events.Closed) for event in peer.heard))
        [closed] = [event for event in peer.heard if isinstance(event, events.Closed)]
        assert closed.reason is events.CloseReason.FRAMING
    assert smsc.record.arrivals[0].status is None
    assert smsc.record.counts.taken >= 1


async def test_an_answer_with_a_body_that_does_not_end_is_survived(start: Start) -> None:
    smsc = await start(faulty("do: garbage-body, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"x", registered_delivery=0)
        peer.submit(b"y", registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 2)
        ids = [getattr(event.pdu, "message_id", "") for event in peer.answers]
        kept = [arrival.message_id for arrival in smsc.record.arrivals]
        assert (ids[0] != kept[0], ids[1]) == (True, kept[1])


async def test_half_an_answer_comes_and_the_connection_closes(start: Start) -> None:
    smsc = await start(faulty("do: cut-pdu"))
    async with client(smsc) as peer:
        peer.submit(b"x", registered_delivery=0)
        await peer.closed
        assert not peer.answers
    [arrival] = smsc.record.arrivals
    assert (arrival.message_id != "", arrival.status) == (True, None)


async def test_an_independent_client_meets_the_broken_stream(start: Start) -> None:
    smsc = await start(faulty("do: cut-pdu"))

    def play() -> None:
        peer = smpplib.client.Client("127.0.0.1", smsc.port, timeout=5, allow_unknown_opt_params=True)
        peer.connect()
        peer.bind_transceiver(system_id="huiyin", password="secret")
        peer.send_message(source_addr=OURS, destination_addr=CUSTOMER, short_message=b"x")
        try:
            with pytest.raises(smpplib.exceptions.ConnectionError):
                peer.read_once()
        finally:
            peer.disconnect()

    await asyncio.to_thread(play)
    assert smsc.record.counts.taken == 1


class Raw(asyncio.Protocol):
    """A connection that only tells how it ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.heard = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.heard.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc)


async def test_the_connection_is_reset(start: Start) -> None:
    smsc = await start(faulty("do: reset"))
    loop = asyncio.get_running_loop()
    transport, raw = await loop.create_connection(Raw, "127.0.0.1", smsc.port)
    assert isinstance(transport, asyncio.Transport)
    transport.write(codec.encode(BindTransceiver(1, system_id="huiyin", password="secret")))
    await raw.heard.wait()
    transport.write(
        codec.encode(SubmitSm(2, source_addr=OURS, destination_addr=CUSTOMER, short_message=b"x"))
    )
    assert isinstance(await asyncio.wait_for(raw.ended, 5), ConnectionResetError)
    assert smsc.record.counts.taken == 1


async def test_a_half_open_link_reads_and_writes_nothing_and_wakes_up(start: Start) -> None:
    smsc = await start(faulty("do: half-open, by: 400ms, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"first", registered_delivery=0)
        await asyncio.sleep(0.1)
        peer.submit(b"second", registered_delivery=0)
        await asyncio.sleep(0.1)
        assert smsc.record.counts.submits == 1
        assert (smsc.record.arrivals[0].status, peer.answers) == (None, [])
        await peer.until(lambda: len(peer.answers) == 2)
        assert tokens(peer) == [b"first", b"second"]


async def test_a_half_open_link_is_let_go_when_its_client_has_gone(start: Start) -> None:
    smsc = await start(faulty("do: half-open"))
    async with client(smsc) as peer:
        peer.submit()
        while not smsc.record.counts.taken:
            await asyncio.sleep(0.01)
        assert smsc.binds[0].room == 0
    async with asyncio.timeout(5):
        while smsc.connections or smsc.binds:
            await asyncio.sleep(0.05)


async def test_a_deaf_link_answers_enquire_link_and_nothing_else(start: Start) -> None:
    smsc = await start(faulty("do: deaf, after: 1"))
    async with client(smsc) as peer, client(smsc) as other:
        for text in (b"1", b"2", b"3"):
            peer.submit(text)
        await other.until(lambda: len(other.receipts) + len(peer.receipts) == 3)
        peer.transport.write(_enquire_link())
        await peer.until(lambda: peer.session.orphans == 1)
        assert tokens(peer) == [b"1"]
    assert [each.status for each in smsc.record.arrivals] == [0, None, None]


def _enquire_link() -> bytes:
    return b"\0\0\0\x10" + int(EnquireLink.command_id).to_bytes(4, "big") + b"\0\0\0\0" + b"\x7f\0\0\0"


async def test_a_slow_reader_answers_later_what_was_written_meanwhile(start: Start) -> None:
    smsc = await start(faulty("do: slow-reader, by: 300ms, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"first", registered_delivery=0)
        await peer.until(lambda: tokens(peer) == [b"first"])
        peer.submit(b"second", registered_delivery=0)
        await asyncio.sleep(0.1)
        assert smsc.record.counts.submits == 1
        await peer.until(lambda: len(peer.answers) == 2)


@pytest.mark.parametrize(
    ("do", "answered"),
    [pytest.param("unbind", 3, id="and answers"), pytest.param("unbind-silent", 0, id="and never answers")],
)
async def test_the_smsc_unbinds_in_mid_window(start: Start, do: str, answered: int) -> None:
    smsc = await start(faulty(f"do: {do}, by: 50ms, times: 1"))
    async with client(smsc) as peer:
        for text in (b"1", b"2", b"3"):
            peer.session.request(_submit(text), peer.loop.time(), text)
        peer.flush()
        await peer.closed
        assert any(isinstance(event, events.PeerUnbound) for event in peer.heard)
        assert tokens(peer) == [b"1", b"2", b"3"][:answered]
    assert [each.status for each in smsc.record.arrivals] == [0 if answered else None] * 3
    assert not smsc.binds


def _submit(text: bytes) -> SubmitSm:
    return SubmitSm(source_addr=OURS, destination_addr=CUSTOMER, short_message=text)


async def test_the_first_binds_are_refused(start: Start) -> None:
    smsc = await start(faulty("do: refuse-bind, times: 2, to: hui"))
    seen = []
    for _ in range(3):
        async with client(smsc, bound=False) as peer:
            seen.append(await peer.bind(BindTransceiver(system_id="huiyin")))
    assert seen == [status.ESME_RBINDFAIL, status.ESME_RBINDFAIL, 0]


async def test_a_bind_is_not_answered(start: Start) -> None:
    smsc = await start(faulty("do: never-answer-bind, times: 1"))
    async with client(smsc, bound=False) as mute:
        mute.session.request(BindTransceiver(system_id="huiyin"), mute.loop.time())
        mute.flush()
        mute.transport.write(_enquire_link())
        await mute.until(lambda: bool(mute.heard))
        async with client(smsc):
            assert not mute.session.bound


async def test_a_fault_has_its_hours(start: Start) -> None:
    smsc = await start(faulty("do: refuse, status: 0x58, from: 200ms, until: 500ms"))
    async with client(smsc) as peer:
        for pause in (0.0, 0.3, 0.3):
            await asyncio.sleep(pause)
            peer.submit(registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 3)
        assert peer.statuses == [0, status.ESME_RTHROTTLED, 0]


async def test_the_rate_goes_up_in_steps(start: Start) -> None:
    smsc = await start("{burst: 1, rates: [{from: 0s, rate: 0.1}, {from: 250ms, rate: 0}]}")
    async with client(smsc) as peer:
        await asyncio.sleep(0.02)
        for _ in range(3):
            peer.submit(registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 3)
        await asyncio.sleep(0.3)
        peer.submit(registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 4)
        assert peer.statuses == [0, 0x58, 0x58, 0]


@pytest.mark.parametrize(
    "name",
    [
        "lossy",
        "breaking",
        "unbinding",
        "garbage",
        "slow-reader",
        "receipts-rough",
        "throttled",
        "congested",
        "habits-decimal",
        "habits-own-words",
        "habits-data-sm",
        "habits-forged",
    ],
)
async def test_messages_go_through_what_ships(name: str) -> None:
    smsc = await Smsc.start(shipped(name))
    try:
        async with client(smsc) as peer:
            for number in range(50):
                peer.submit(b"%d" % number)
            await peer.until(lambda: len(peer.answers) >= 30)
        assert smsc.record.counts.submits == 50
    finally:
        await smsc.close()
