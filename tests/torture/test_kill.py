"""A tenth of the kill campaign, and the proof that its checker would notice.

Each broken variant is the gateway with one promise taken out from outside; a short campaign must name it.
What can't be shown by killing processes is `fsync=off`: the kernel keeps what a killed process has written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.simulator.scenario import Do, Fault, Span
from tests.conftest import make_open_dir
from tests.torture.campaign import BACKEND, CRASH, EARLY, KILL, TERM, Campaign, Result, tidy
from tests.torture.gateway import Gateway

#: Twenty ends in an order that is always the same.
ROUNDS = (*(KILL, CRASH) * 7, EARLY, BACKEND, KILL, TERM, CRASH, KILL)

#: Of the failpoints those around the three commits that everything stands on.
POINTS = (
    ("intake-committed", 5),
    ("attempt-committed", 5),
    ("octets-written", 5),
    ("outcome-begins", 5),
    ("receipt-kept", 1),
    ("mo-committed", 2),
    ("call-answered", 2),
)

LOSING_ANSWERS = (
    Fault(do=Do.DROP_BEFORE_ANSWER, after=100, every=20, times=2),
    Fault(do=Do.NEVER_ANSWER, share=0.04),
)
RECEIPTS_FIRST = (Fault(do=Do.RECEIPT_FIRST, share=0.5, by=Span(0.1, 0.3)),)


@dataclass(frozen=True)
class Tooth:
    """Variants that run together, each with the breach that is its own."""

    breaches: dict[str, set[str]]
    faults: tuple[Fault, ...] = ()
    killed: bool = False

    @property
    def trick(self) -> str:
        return ",".join(f"broken:{name}" for name in self.breaches)


TEETH = [
    pytest.param(Tooth({"answer-before-commit": {"lost"}}, killed=True), id="answer before commit"),
    pytest.param(
        Tooth({"mo-answered-first": {"words lost"}, "receipt-answered-first": {"receipt lost"}}, killed=True),
        id="deliver_sm answered before it is stored",
    ),
    pytest.param(
        Tooth({"attempt-after-bytes": {"unflagged duplicate"}}, killed=True), id="attempt after octets"
    ),
    pytest.param(
        Tooth(
            {
                "requeue-at-once": {"unflagged duplicate"},
                "duplicates-by-text": {"words swallowed"},
                "forget-keys": {"two effects"},
                "double-write": {"score written twice"},
            },
            LOSING_ANSWERS,
        ),
        id="things done twice, or not at all",
    ),
    pytest.param(
        Tooth(
            {
                "resend-all": {"never-again doubled"},
                "lose-flags": {"unflagged duplicate"},
                "drop-unmatched-receipts": {"receipt lost"},
            },
            (*LOSING_ANSWERS, *RECEIPTS_FIRST),
        ),
        id="copies and receipts",
    ),
    pytest.param(
        Tooth({"forget-at-start": {"stuck"}, "forget-receipts": {"receipt lost"}}, killed=True),
        id="forgotten at the start",
    ),
]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Gateway]:
    """A database with the schema and a key, to be copied: making one takes longer than a campaign's round."""
    folder = make_open_dir()
    gateway = Gateway(folder, smsc=1, tickets=1)
    try:
        gateway.prepare()
        yield gateway
    finally:
        tidy(folder)


def accept(result: Result) -> None:
    """No breach, and the journals were not empty."""
    verdict = result.verdict
    assert not verdict.breaches, "\n".join([*verdict.breaches[:30], f"see {result.folder}"])
    assert result.course.drained
    tidy(result.folder)


async def test_nothing_is_lost_or_doubled_over_twenty_kills(prepared: Gateway) -> None:
    async with Campaign(seed=20, like=prepared, rate=100.0) as campaign:
        for kind in ROUNDS:
            await campaign.round(kind)
        result = await campaign.finish()
    counts = result.verdict.counts
    assert min(counts["accepted"], counts["texts"], counts["scores"], counts["delivered"]) > 20
    accept(result)


async def test_nothing_is_lost_or_doubled_at_the_named_points(prepared: Gateway) -> None:
    async with Campaign(seed=21, like=prepared, rate=100.0) as campaign:
        reached = {name: await campaign.failpoint(name, times) for name, times in POINTS}
        result = await campaign.finish()
    assert reached == dict.fromkeys(reached, True)
    accept(result)


async def test_a_stop_under_load_leaves_nothing_unknown(prepared: Gateway) -> None:
    async with Campaign(seed=22, like=prepared, faults=()) as campaign:
        for _ in range(3):
            await campaign.round(TERM)
        result = await campaign.finish()
    counts = result.verdict.counts
    assert (counts["unknown"], counts["flagged duplicates"]) == (0, 0)
    accept(result)


@pytest.mark.parametrize("tooth", TEETH)
async def test_a_broken_gateway_is_caught(tooth: Tooth, prepared: Gateway) -> None:
    found = await _bite(tooth, prepared)
    missed = {name: wanted for name, wanted in tooth.breaches.items() if not wanted & set(found)}
    assert not missed, f"not noticed: {missed}; noticed: {found}"


async def _bite(tooth: Tooth, prepared: Gateway) -> dict[str, int]:
    async with Campaign(
        seed=23, like=prepared, rate=200.0, faults=tooth.faults, trick=tooth.trick
    ) as campaign:
        campaign.world.tickets.trouble = 0.3  # with more, the breaker lets few calls be made again in time
        await campaign.work(0.0)
        await campaign.busy(20 if tooth.killed else 60)  # enough calls that some of them went wrong
        if tooth.killed:
            campaign.kill(database_too=True)
            # Where something is sure to be left behind: a kill at random may find all of it sent.
            assert await campaign.failpoint("attempt-recorded")
        campaign.patience = 6.0
        result = await campaign.finish()
    folder: Path = result.folder
    tidy(folder)
    kinds = {breach.partition(":")[0] for breach in result.verdict.breaches}
    return {kind: result.verdict.counts[kind] for kind in kinds}
