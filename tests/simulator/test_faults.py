"""Each scripted fault, as the client meets it."""

import pytest

from gateway.simulator.faults import Faults, first
from gateway.simulator.scenario import Do, Fault
from gateway.smpp import events, status
from gateway.smpp.pdu import SubmitSmResp
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, Client, client


def faulty(fault: str) -> str:
    return f"{{redelivery: {{timeout: 100ms, after: 20ms}}, faults: [{{{fault}}}]}}"


async def test_the_connection_drops_before_the_answer(start: Start) -> None:
    smsc = await start(faulty("do: drop-before-answer, after: 2, times: 1"))
    async with client(smsc) as peer:
        for number in range(4):
            peer.submit(b"%d" % number, registered_delivery=0)
        await peer.closed
        assert [event.token for event in peer.answers] == [b"0", b"1"]
        lost = [event for event in peer.heard if isinstance(event, events.Closed)]
        assert lost[0].tokens == (b"2", b"3")
    seen = [(each.text, each.message_id != "", each.status) for each in smsc.record.arrivals]
    assert seen == [("0", True, 0), ("1", True, 0), ("2", True, None)]


async def test_the_receipt_of_a_message_without_answer_comes_on_the_next_bind(start: Start) -> None:
    smsc = await start(faulty("do: drop-before-answer, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"x")
        await peer.closed
    async with client(smsc) as peer:
        await peer.until(lambda: bool(peer.receipts))
    assert smsc.record.arrivals[0].receipts_taken == 1


async def test_the_connection_drops_after_the_answer(start: Start) -> None:
    smsc = await start(faulty("do: drop-after-answer, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"x", registered_delivery=0)
        await peer.closed
        assert peer.statuses == [0]
    assert smsc.record.arrivals[0].status == 0


async def test_an_answer_comes_late(start: Start) -> None:
    smsc = await start(faulty("do: answer-late, by: 150ms, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"late", registered_delivery=0)
        peer.submit(b"soon", registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 2)
        assert [event.token for event in peer.answers] == [b"soon", b"late"]
        assert peer.answers[1].seconds >= 0.145


async def test_an_answer_never_comes(start: Start) -> None:
    smsc = await start(faulty("do: never-answer, times: 1"))
    async with client(smsc) as peer:
        peer.submit(b"lost")
        peer.submit(b"kept")
        await peer.until(lambda: len(peer.receipts) == 2)
        assert [event.token for event in peer.answers] == [b"kept"]
        assert peer.session.outstanding == 1
    assert [each.status for each in smsc.record.arrivals] == [None, 0]


async def test_an_answer_comes_twice(start: Start) -> None:
    smsc = await start(faulty("do: answer-twice"))
    async with client(smsc) as peer:
        peer.submit(b"x", registered_delivery=0)
        await peer.until(lambda: peer.session.orphans == 1)
        assert peer.statuses == [0]
        [orphan] = [event for event in peer.heard if isinstance(event, events.Orphan)]
        assert orphan.pdu is not None
    assert smsc.record.arrivals[0].answers == 2


async def test_an_answer_bears_a_sequence_number_that_nobody_asked_with(start: Start) -> None:
    smsc = await start(faulty("do: unknown-sequence"))
    async with client(smsc) as peer:
        peer.submit(b"x", registered_delivery=0)
        await peer.until(lambda: peer.session.orphans == 1)
        [orphan] = [event for event in peer.heard if isinstance(event, events.Orphan)]
        assert isinstance(orphan.pdu, SubmitSmResp)
        assert orphan.pdu.message_id == smsc.record.arrivals[0].message_id
        assert not peer.answers
        assert smsc.record.arrivals[0].status is None


async def test_a_message_is_refused(start: Start) -> None:
    smsc = await start(faulty(f"do: refuse, status: {status.ESME_RMSGQFUL}, to: '8613905310001'"))
    async with client(smsc) as peer:
        peer.submit(b"x")
        peer.submit(b"y", destination_addr="8613905310002")
        await peer.until(lambda: len(peer.answers) == 2 and len(peer.receipts) == 1)
        assert peer.statuses == [status.ESME_RMSGQFUL, 0]
    assert (smsc.record.counts.refused, smsc.record.counts.taken) == (1, 1)


async def test_a_receipt_comes_before_its_answer(start: Start) -> None:
    smsc = await start("{receipts: {delay: 10s}, faults: [{do: receipt-first, by: 100ms}]}")
    async with client(smsc) as peer:
        peer.submit(b"x")
        await peer.until(lambda: bool(peer.receipts))
        assert not peer.answers
        await peer.until(lambda: bool(peer.answers))


async def test_a_receipt_comes_twice(start: Start) -> None:
    smsc = await start(faulty("do: receipt-twice"))
    async with client(smsc) as peer:
        peer.submit(b"x")
        await peer.until(lambda: len(peer.receipts) == 2)
        assert peer.receipts[0].short_message == peer.receipts[1].short_message
    assert smsc.record.arrivals[0].receipts_sent == 2


@pytest.mark.parametrize(
    "text", [pytest.param("8", id="one part"), pytest.param("等了三天。" * 30, id="three parts")]
)
async def test_a_reply_comes_twice(start: Start, text: str) -> None:
    smsc = await start(faulty("do: mo-twice"))
    async with client(smsc) as peer:
        mo = await smsc.inject(CUSTOMER, OURS, text)
        await mo.taken
        await peer.until(lambda: len(peer.delivered) == 2 * len(mo.parts))
        octets = [pdu.short_message for pdu in peer.delivered]
        assert octets[: len(mo.parts)] == octets[len(mo.parts) :]


async def _answered(peer: Client, count: int) -> list[object]:
    for number in range(count):
        peer.submit(b"%d" % number, registered_delivery=0)
    peer.submit(b"end", registered_delivery=0, destination_addr="1")
    await peer.until(lambda: peer.answers[-1:] != [] and peer.answers[-1].token == b"end")
    return [event.token for event in peer.answers][:-1]


async def test_the_same_seed_strikes_the_same_messages(start: Start) -> None:
    courses = []
    for seed in (1, 1, 2):
        smsc = await start(f"{{seed: {seed}, faults: [{{do: never-answer, share: 0.3, to: '86'}}]}}")
        async with client(smsc) as peer:
            courses.append(await _answered(peer, 200))
    assert courses[0] == courses[1] != courses[2]
    assert 100 <= len(courses[0]) <= 180


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        pytest.param(Fault(do=Do.NEVER_ANSWER), [1, 2, 3, 4, 5, 6, 7, 8], id="always"),
        pytest.param(Fault(do=Do.NEVER_ANSWER, every=3), [3, 6], id="every third"),
        pytest.param(Fault(do=Do.NEVER_ANSWER, after=5), [6, 7, 8], id="after the fifth"),
        pytest.param(Fault(do=Do.NEVER_ANSWER, after=2, every=2, times=2), [4, 6], id="all together"),
        pytest.param(Fault(do=Do.NEVER_ANSWER, share=0.0), [], id="no share"),
        pytest.param(Fault(do=Do.NEVER_ANSWER, to="44"), [], id="other numbers"),
    ],
)
def test_when_a_fault_strikes(fault: Fault, struck: list[int]) -> None:
    faults = Faults((fault,), seed=1)
    assert [n for n in range(1, 9) if first(faults.of_submits, CUSTOMER)] == struck


def test_one_fault_does_not_disturb_the_dice_of_another() -> None:
    one = Fault(do=Do.NEVER_ANSWER, share=0.5)
    alone = Faults((one,), seed=9)
    beside = Faults((one, Fault(do=Do.ANSWER_LATE, share=0.5)), seed=9)
    course = [first(alone.of_submits, OURS) is one for _ in range(50)]
    assert [first(beside.of_submits, OURS) is one for _ in range(50)] == course
    assert True in course
    assert False in course
