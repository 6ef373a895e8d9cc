"""A share of the campaign of paid services, and the proof that its judge would notice."""

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest

from gateway.simulator.tickets import CallLine
from tests.conftest import make_open_dir
from tests.torture.campaign import tidy
from tests.torture.gateway import Gateway
from tests.torture.journal import Call
from tests.torture.paid import YES, PaidCampaign
from tests.torture.paid_judge import PLAIN_YES, Person, Seen, judge

#: Of the named points those on both sides of the two commits that money hangs on.
POINTS: Final = ("activation-owed", "activation-call-answered", "cancellation-committed")


@pytest.fixture(scope="module")
def prepared() -> Iterator[Gateway]:
    """A database with the schema and a key."""
    folder = make_open_dir()
    gateway = Gateway(folder, smsc=1, tickets=1)
    try:
        gateway.prepare()
        yield gateway
    finally:
        tidy(folder)


async def test_a_yes_is_one_activation_whenever_the_gateway_dies(prepared: Gateway) -> None:
    async with PaidCampaign(seed=40, like=prepared) as campaign:
        reached = {name: await campaign.failpoint(name) for name in POINTS}
        ended = await campaign.finish()
    counts = ended.judged.counts
    assert not ended.judged.breaches, "\n".join([*ended.judged.breaches[:20], f"see {ended.folder}"])
    assert reached == dict.fromkeys(POINTS, True)
    assert min(counts["activated"], counts["cancellations wanted"], counts["scores"]) > 0
    tidy(ended.folder)


async def test_a_gateway_that_calls_under_new_keys_is_caught(prepared: Gateway) -> None:
    async with PaidCampaign(seed=41, like=prepared, trick="broken:double-write") as campaign:
        campaign.troubled = 1.0
        assert await campaign.start()
        async with asyncio.timeout(30.0):
            while campaign.calls_made < 60:  # enough that the platform applied some and did not say so
                await asyncio.sleep(0.05)
        ended = await campaign.finish(patience=5.0)
    tidy(ended.folder)
    assert {"two keys", "effect too many"} <= set(ended.judged.counts)


# The judge by himself

ADDRESS: Final = "10086001"
ROW: Final = {
    "id": "cnf_1", "to": "8613920000000", "status": "active", "address": ADDRESS, "reason": None,
    "activated_at": "2026-11-22T10:00:00Z",
}  # fmt: skip


def called(key: str, at: float = 10.0, *, applied: bool = True, action: str = "activate") -> CallLine:
    body = {"action": action, "confirmation": "cnf_1"}
    return CallLine(at, "POST", "/services/8613920000000/video", key, body, 200, applied, False)


def buyer(*texts: str, mode: str = "yes", to: str = ADDRESS, at: float = 5.0) -> Person:
    said = [(at, to, text) for text in texts]
    return Person("13920000000", "buyer", mode, True, ADDRESS, said, ["video"])


def seen(*calls: CallLine, rows: int = 1, intact: bool = True, **row: object) -> Seen:
    return Seen(
        calls=calls,
        scores=(),
        confirmations=[ROW | row] * rows,
        subscriptions={},
        evidence={"intact": intact, "rows": 9},
    )


@pytest.mark.parametrize(
    ("person", "found", "breaches"),
    [
        pytest.param(buyer("Y"), seen(called("a")), set(), id="one yes, one effect"),
        pytest.param(
            buyer("Y"), seen(called("a"), called("a", 11.0, applied=False)), set(), id="the call made again"
        ),
        pytest.param(buyer("Y"), seen(called("a"), called("b")), {"two keys", "effect too many"}, id="twice"),
        pytest.param(buyer("Y"), seen(), {"no effect"}, id="active, and never called"),
        pytest.param(buyer("Y?"), seen(called("a")), {"without a yes"}, id="no plain yes"),
        pytest.param(buyer("Y", to="10086"), seen(called("a")), {"without a yes"}, id="written elsewhere"),
        pytest.param(buyer("Y", at=20.0), seen(called("a")), {"without a yes"}, id="said after the call"),
        pytest.param(buyer("Y"), seen(status="pending"), {"answer lost"}, id="the yes is lost"),
        pytest.param(buyer("Y"), seen(rows=0), {"confirmation"}, id="the offer is lost"),
        pytest.param(
            buyer("N", mode="no"),
            seen(called("a"), status="declined"),
            {"two keys", "effect too many", "without a yes"},
            id="called after a no",
        ),
        pytest.param(
            buyer("Y", "N", mode="taken back"),
            seen(called("a"), status="cancelled"),
            {"no effect"},
            id="taken back, and not cancelled",
        ),
        pytest.param(buyer("Y"), seen(called("a"), intact=False), {"evidence"}, id="evidence"),
    ],
)
def test_the_judge_names_what_is_wrong(person: Person, found: Seen, breaches: set[str]) -> None:
    paid = judge([person], found)
    assert {each.partition(":")[0] for each in paid.breaches} == breaches


def test_the_judge_holds_scores_and_cancellations_against_what_was_said() -> None:
    scorer = Person("13920000001", "scorer", "score", True, ADDRESS, score=8)
    leaver = Person("13920000002", "leaver", "one", True, ADDRESS, services=["a", "b"], wanted=["a"])
    stray = CallLine(9.0, "POST", "/services/8613920000002/b", "k", {"action": "cancel"}, 200, True, False)
    found = Seen(
        calls=[stray],
        scores=[Call(9.0, "k", "T13920000001", 7, 200, True)],
        confirmations=[],
        subscriptions={"13920000002": {"a": "active", "b": "active"}},
        evidence={"intact": True},
    )
    paid = judge([scorer, leaver], found)
    kinds = [each.partition(":")[0] for each in paid.breaches]
    assert sorted(set(kinds)) == ["effect too many", "mirror", "no effect", "two keys", "wrong score"]


def test_what_customers_write_as_a_yes_is_what_the_judge_takes_for_one() -> None:
    assert set(YES) == PLAIN_YES
