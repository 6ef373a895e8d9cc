"""The tape: what passed a bind is told PDU by PDU, whole, paired, masked, and without end to its patience."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.esme.tape import BATCH, Tape, Tapes
from gateway.services.ways import Frame, Wanted
from gateway.smpp import codec, pdu, receipt
from gateway.smpp.receipt import State
from tests.smpp.making import ANY_PDU

ANNA, BOB, OURS = "8613905310001", "8613905310002", "10086"
EVERYTHING = Wanted(quiet=False)


def submit(number: int, to: str = ANNA, text: bytes = b"hello there") -> bytes:
    return codec.encode(
        pdu.SubmitSm(number, source_addr=OURS, destination_addr=to, registered_delivery=1, short_message=text)
    )


def taken(number: int, message_id: str, status: int = 0) -> bytes:
    return codec.encode(pdu.SubmitSmResp(number, status, message_id=message_id))


def reported(number: int, message_id: str, of: str = ANNA) -> bytes:
    text = receipt.write(
        message_id, State.DELIVERED, submit_date="2611221200", done_date="2611221201", text="hello there"
    )
    return codec.encode(
        pdu.DeliverSm(number, source_addr=of, destination_addr=OURS, esm_class=4, short_message=text)
    )


def told(number: int) -> bytes:
    return codec.encode(pdu.DeliverSmResp(number))


def bind() -> bytes:
    return codec.encode(pdu.BindTransceiver(1, system_id="huiyin", password="geheim77"))


LINK = codec.encode(pdu.EnquireLink(900)), codec.encode(pdu.EnquireLinkResp(900))


def one_tape(*batches: tuple[str, bytes], octets: int = 262_144) -> tuple[Tapes, Tape]:
    tape = Tape("main/transceiver-1", octets)
    for at, (way, batch) in enumerate(batches):
        tape.note(way, batch, 1_000.0 + at)
    return Tapes([tape]), tape


def passed(tapes: Tapes, wanted: Wanted, limit: int) -> list[Frame]:
    return asyncio.run(tapes.passed(wanted, limit))


def heads(frames: list[Frame]) -> list[str]:
    return [" ".join((frame.way, *frame.words.split()[:2])) for frame in frames]


#: Two messages with their answers and receipts; Bob's was refused first.
A_DAY = (
    ("out", bind()),
    ("in", codec.encode(pdu.BindTransceiverResp(1, system_id="smsc"))),
    ("out", submit(2) + submit(3, BOB)),
    ("in", taken(3, "", 0x58) + taken(2, "a1")),
    ("out", submit(4, BOB)),
    ("in", taken(4, "b1") + reported(1, "a1")),
    ("out", told(1)),
    ("in", reported(2, "b1", BOB) + LINK[0]),
    ("out", told(2) + LINK[1]),
)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        pytest.param(
            Wanted(number=ANNA),
            [
                "out submit_sm #2",
                "in submit_sm_resp #2",
                "in deliver_sm #1",
                "out deliver_sm_resp #1",
            ],
            id="a number, with its answers",
        ),
        pytest.param(
            Wanted(number="13905310001"),
            [
                "out submit_sm #2",
                "in submit_sm_resp #2",
                "in deliver_sm #1",
                "out deliver_sm_resp #1",
            ],
            id="a number without its country",
        ),
        pytest.param(
            Wanted(number=BOB, smsc_ids=("b1",)),
            [
                "out submit_sm #3",
                "in submit_sm_resp #3",
                "out submit_sm #4",
                "in submit_sm_resp #4",
                "in deliver_sm #2",
                "out deliver_sm_resp #2",
            ],
            id="a message, with the attempt that was refused",
        ),
        pytest.param(
            Wanted(smsc_ids=("a1",)),
            [
                "out submit_sm #2",
                "in submit_sm_resp #2",
                "in deliver_sm #1",
                "out deliver_sm_resp #1",
            ],
            id="an id alone",
        ),
        pytest.param(Wanted(number=ANNA, smsc_ids=("b1",)), [], id="all that is said must hold"),
        pytest.param(Wanted(number="8613905319999"), [], id="nobody"),
        pytest.param(Wanted(bind="main/transceiver-2"), [], id="another bind"),
    ],
)
def test_what_is_wanted_is_found_with_its_answers(wanted: Wanted, seen: list[str]) -> None:
    tapes, _ = one_tape(*A_DAY)
    assert heads(passed(tapes, wanted, 100)) == seen


def test_enquire_link_is_left_out_unless_it_is_asked_for() -> None:
    tapes, _ = one_tape(*A_DAY)
    assert not any("enquire" in frame.words for frame in passed(tapes, Wanted(), 100))
    assert heads(passed(tapes, EVERYTHING, 100))[-2:] == [
        "out deliver_sm_resp #2",
        "out enquire_link_resp #900",
    ]


def test_the_last_ones_come_oldest_first_with_their_times() -> None:
    tapes, _ = one_tape(*A_DAY)
    frames = passed(tapes, Wanted(bind="main"), 3)
    assert heads(frames) == ["out deliver_sm_resp #1", "in deliver_sm #2", "out deliver_sm_resp #2"]
    assert frames[0].at == datetime.fromtimestamp(1_006, UTC)
    assert frames[0].bind == "main/transceiver-1"


def test_nothing_is_whole_unless_it_is_asked_for_open_and_a_password_never_is() -> None:
    tapes, _ = one_tape(*A_DAY)
    closed = repr(passed(tapes, Wanted(), 100))
    assert ANNA not in closed
    assert "hello" not in closed
    assert "[receipt id=a1 stat=DELIVRD err=000 done=2611221201]" in closed
    opened = passed(tapes, Wanted(open=True), 100)
    assert f'destination_addr={ANNA} registered_delivery=1 short_message="hello there"' in opened[2].words
    assert opened[2].octets == submit(2).hex()
    assert "geheim77" not in closed + repr(opened)
    assert b"geheim77".hex() not in repr(opened)


def test_an_answer_belongs_to_the_request_of_its_own_connection() -> None:
    tapes, _ = one_tape(
        ("out", bind()),
        ("out", submit(2, ANNA)),
        ("out", bind()),
        ("out", submit(2, BOB)),
        ("in", taken(2, "b1")),
    )
    assert heads(passed(tapes, Wanted(number=ANNA), 10)) == ["out submit_sm #2"]
    assert heads(passed(tapes, Wanted(number=BOB), 10)) == ["out submit_sm #2", "in submit_sm_resp #2"]


def test_a_pdu_that_a_lost_connection_tore_does_not_spoil_the_next() -> None:
    tapes, _ = one_tape(
        ("out", bind()),
        ("in", reported(1, "a1")[:30]),
        ("out", bind()),
        ("in", codec.encode(pdu.BindTransceiverResp(1))),
    )
    assert heads(passed(tapes, Wanted(), 10))[-1] == "in bind_transceiver_resp #1"


def test_octets_that_are_no_pdu_are_told_and_the_next_batch_is_read() -> None:
    tapes, _ = one_tape(
        ("out", bind()), ("in", taken(2, "a1") + b"\xff\xff\xff\xffgarbage"), ("in", taken(3, "a2"))
    )
    words = [frame.words for frame in passed(tapes, Wanted(), 10)]
    assert words[2] == "no PDU: calls itself 4294967295 octets long; 11 octets passed over"
    assert words[3].startswith("submit_sm_resp #3")


def test_the_ring_is_bounded_in_octets_and_finds_its_feet_where_its_beginning_is_lost() -> None:
    stream = b"".join(reported(number, f"id{number}") for number in range(1, 400))
    pieces = [stream[at : at + 100] for at in range(0, len(stream), 100)]
    tapes, tape = one_tape(*(("in", piece) for piece in pieces), octets=10_000)
    kept = tape.newest(1 << 30)
    assert sum(len(batch.octets) + BATCH for batch in kept) <= 10_000
    frames = passed(tapes, Wanted(), 1000)
    numbers = [int(frame.words.split()[1][1:]) for frame in frames]
    assert numbers == list(range(numbers[0], 400))
    assert len(numbers) >= sum(len(batch.octets) for batch in kept) // len(reported(399, "id399")) - 1


@settings(max_examples=30, deadline=None)
@given(st.lists(ANY_PDU, min_size=1, max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_however_the_stream_is_torn_its_pdus_come_whole(sent: list[pdu.Pdu], sizes: list[int]) -> None:
    stream = b"".join(map(codec.encode, sent))
    tapes, tape = one_tape(("out", bind()))
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        tape.note("in", stream[at : at + size], 2.0)
        at, turn = at + size, turn + 1
    assert len([each for each in passed(tapes, EVERYTHING, 1000) if each.way == "in"]) == len(sent)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["in", "out"]), st.binary(max_size=80)), max_size=10),
    st.sampled_from([Wanted(), Wanted(number=ANNA), Wanted(smsc_ids=("a",)), Wanted(open=True, quiet=False)]),
)
def test_whatever_the_octets_are_it_never_raises(batches: list[tuple[str, bytes]], wanted: Wanted) -> None:
    tapes, _ = one_tape(*batches)
    assert len(passed(tapes, wanted, 5)) <= 5


async def test_a_follower_hears_what_passes_from_now_on_after_the_last_ones() -> None:
    tapes, tape = one_tape(*A_DAY)
    async with aclosing(tapes.follow(Wanted(number=ANNA), last=1)) as frames:
        assert heads([await anext(frames)]) == ["out deliver_sm_resp #1"]
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        tape.note("out", submit(7, BOB) + submit(8), 3.0)
        tape.note("in", taken(7, "b7") + taken(8, "a8"), 4.0)
        seen = [await waiting, await anext(frames)]
        assert heads(seen) == ["out submit_sm #8", "in submit_sm_resp #8"]
    assert tape.listeners == ()


async def test_a_follower_that_begins_in_the_middle_of_a_pdu_reads_it_whole() -> None:
    whole = reported(5, "a5")
    tapes, tape = one_tape(("out", bind()), ("in", whole[:40]))
    async with aclosing(tapes.follow(Wanted())) as frames:
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        tape.note("in", whole[40:], 2.0)
        assert heads([await waiting]) == ["in deliver_sm #5"]


async def test_a_slow_follower_is_told_how_many_it_missed() -> None:
    tapes, tape = one_tape()
    batch = b"".join(submit(number) for number in range(1000))
    async with aclosing(tapes.follow(Wanted())) as frames:
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        for _ in range(40):
            tape.note("out", batch, 2.0)
        seen = [await waiting]
        while not seen[-1].lost:
            seen.append(await anext(frames))
    assert seen[-1].words.startswith(f"{seen[-1].lost} PDUs are missing here")
    assert len(seen) - 1 + seen[-1].lost == 40_000


async def test_whoever_looks_back_lets_others_have_their_turn_and_misses_nothing() -> None:
    tapes = Tapes(Tape(f"main/{n}") for n in range(4))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    for tape in tapes._tapes.values():
        tape.note("out", submit(1), 1.0)
    other = asyncio.ensure_future(others())
    try:
        assert len(await tapes.passed(Wanted(), 10)) == 4
        assert turns >= 4
        async with aclosing(tapes.follow(Wanted(bind="main/0"), last=5)) as frames:
            first = asyncio.ensure_future(anext(frames))
            await asyncio.sleep(0)
            tapes._tapes["main/0"].note("out", submit(2), 2.0)  # while it looks back
            assert heads([await first, await anext(frames)]) == ["out submit_sm #1", "out submit_sm #2"]
    finally:
        other.cancel()
