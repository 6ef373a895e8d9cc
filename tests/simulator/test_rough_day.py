"""Everything at once: whatever goes wrong on the way, the SMSC's own promises hold."""

import asyncio

from gateway.simulator.smsc import Smsc
from gateway.smpp import events
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, PATIENCE, client

ROUGH = """
seed: 3
latency: 0ms..5ms
receipts: {delay: 0ms..20ms, outcomes: {delivered: 8, undeliverable: 2}}
redelivery: {timeout: 150ms, after: 10ms}
window: 20
faults:
  - {do: never-answer, share: 0.02}
  - {do: answer-late, share: 0.05, by: 10ms..50ms}
  - {do: answer-twice, share: 0.05}
  - {do: unknown-sequence, share: 0.02}
  - {do: receipt-first, share: 0.05, by: 20ms}
  - {do: drop-before-answer, every: 90}
  - {do: drop-after-answer, every: 130}
  - {do: refuse, share: 0.05}
  - {do: receipt-twice, share: 0.1}
  - {do: mo-twice, share: 0.1}
"""
MESSAGES = 600


async def _submit(smsc: Smsc, texts: list[bytes], refusals: list[int]) -> None:
    """Submit until the connection drops or nothing is left; what was not answered is not sent again."""

    async with client(smsc, verdict=lambda pdu: refusals.pop() if refusals else 0) as peer:
        while texts and not peer.closed.done():
            for _ in range(min(10, len(texts))):
                if peer.session.state is events.State.BOUND_TRX and peer.session.room:
                    peer.submit(texts.pop())
            seen = len(peer.heard)
            await peer.until(lambda: len(peer.heard) > seen or peer.closed.done())  # noqa: B023 - awaited here


async def test_on_a_rough_day_each_message_has_its_receipt_and_each_reply_is_taken(
    start: Start,
) -> None:
    smsc = await start(ROUGH)
    texts = [b"%d" % number for number in range(MESSAGES)]
    replies = [await smsc.inject(CUSTOMER, OURS, f"第{number}条" * 20) for number in range(30)]
    refusals = [8] * 40
    binds = 0
    while texts:
        binds += 1
        await _submit(smsc, texts, refusals)
    async with client(smsc) as last:
        for reply in replies:
            await reply.taken
        owed = [each for each in smsc.record.arrivals if each.message_id]
        async with asyncio.timeout(PATIENCE):
            while not all(each.receipts_taken for each in owed):
                await asyncio.sleep(0.01)
        assert last.receipts

    counts = smsc.record.counts
    assert binds > 5
    assert counts.faults > 100
    assert counts.taken == len(owed)
    assert counts.submits == counts.taken + counts.refused
    assert len({each.message_id for each in owed}) == len(owed)
    assert all(each.state for each in owed)
    assert all(part.taken for reply in replies for part in reply.parts)
    # Answers that were written are those that the record says: none for messages that were never answered.
    assert counts.answers == sum(each.answers for each in smsc.record.arrivals)
    assert any(each.status is None for each in owed)
    assert smsc.waiting == 0
