"""Answers of the SMSC: refusals of a sender, pauses of a route, what is kept of a refusal."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest

from gateway.domain.message import OnUnknown
from gateway.services.carrier import Fate, Outcome
from gateway.services.flights import SENDER_REFUSED
from gateway.services.settling import PATIENCE
from tests.services.road import Roads, Stretch, message_to, roads_on, until
from tests.services.test_dispatch import hurry


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def answers(node: Stretch, fate: Fate, sent: int, **fields: Any) -> None:
    """The SMSC answers what was sent last, when so much has been sent."""
    await until(lambda: len(node.carrier.sent) == sent)
    node.dispatch.outcomes([Outcome(node.carrier.sent[-1].token, fate, "main", **fields)])


async def details(roads: Roads, kind: str) -> list[str | None]:
    rows = await roads.execute("SELECT detail FROM steps WHERE kind = $1 ORDER BY seq", kind)
    return [row["detail"] for row in rows]


class TestHeld:
    """A sender that the SMSC refuses is our mistake, not its recipient's: the message waits."""

    REFUSED: Final[dict[str, Any]] = {
        "command_status": 0x0A,
        "reason": "ESME_RINVSRCADR: the source address is invalid",
    }

    async def test_it_goes_again_however_often_and_is_no_copy(self, roads: Roads) -> None:
        node = await roads.node(lambda _: None)
        message = message_to()
        await node.accept(message)
        refusals = len(PATIENCE) + 2
        for n in range(refusals):
            await answers(node, Fate.HELD, n + 1, **self.REFUSED)
        await answers(node, Fate.TAKEN, refusals + 1, smsc_id="a", key="a")
        assert await node.until(message, "submitted") == [
            *["attempt", "deferred"] * refusals,
            "attempt",
            "submitted",
        ]
        assert set(await node.reasons(message, "attempt")) == {None}
        assert set(await node.reasons(message, "deferred")) == {f"{SENDER_REFUSED}: {self.REFUSED['reason']}"}

    async def test_it_costs_no_patience(self, roads: Roads) -> None:
        node = await roads.node(lambda _: None)
        message = message_to()
        await node.accept(message)
        await answers(node, Fate.HELD, 1)
        await answers(node, Fate.PUT_OFF, 2)
        await node.settled()
        assert node.carrier.sent[-1].token.patience == 1
        assert (await details(roads, "deferred"))[-1] == (roads.clock() + PATIENCE[0]).isoformat()

    async def test_it_goes_at_once_after_a_restart_with_all_its_patience(self, roads: Roads) -> None:
        node = await roads.node(lambda _: None)
        message = message_to()
        await node.accept(message)
        await until(lambda: node.carrier.sent)
        node.carrier.open_room = 0
        await answers(node, Fate.HELD, 1)
        await node.until(message, "retrying")
        await node.kill()
        again = await roads.node(lambda _: None)
        await until(lambda: again.carrier.sent)
        token = again.carrier.sent[0].token
        assert (token.patience, token.doubtful) == (0, 1)
        assert set(await again.reasons(message, "attempt")) == {None}

    async def test_the_end_of_its_time_still_ends_it(self, roads: Roads) -> None:
        node = await roads.node(lambda _: None)
        message = message_to(expires_at=roads.clock() + timedelta(minutes=1))
        await node.accept(message)
        await until(lambda: node.carrier.sent)
        roads.clock.forward(minutes=2)
        await answers(node, Fate.HELD, 1)
        assert await node.until(message, "expired") == ["attempt", "deferred", "overdue"]


@pytest.mark.parametrize("fate", [Fate.HELD, Fate.PUT_OFF])
async def test_a_late_refusal_of_what_was_unknown_lets_it_go_on(roads: Roads, fate: Fate) -> None:
    node = await roads.node(lambda _: None)
    message = message_to(on_unknown=OnUnknown.NEVER)
    await node.accept(message)
    await answers(node, Fate.LOST, 1)
    await node.until(message, "unknown")
    assert not node.flights.open
    await answers(node, fate, 1)
    hurry(node)
    await answers(node, Fate.TAKEN, 2, smsc_id="a", key="a")
    assert await node.until(message, "submitted") == ["attempt", "lost", "deferred", "attempt", "submitted"]
    assert set(await node.reasons(message, "attempt")) == {None}


class TestPauses:
    """How long a refusal for now holds is the route's to say."""

    async def test_each_refusal_has_its_pause(self, roads: Roads) -> None:
        pauses = (timedelta(seconds=5), timedelta(seconds=20))
        node = await roads.node(lambda _: None)
        message = message_to()
        await node.accept(message)
        for n in range(len(pauses)):
            await answers(node, Fate.PUT_OFF, n + 1, pauses=pauses)
            await node.settled()
            hurry(node)
        await answers(node, Fate.PUT_OFF, len(pauses) + 1, pauses=pauses)
        assert (await node.until(message, "failed"))[-1] == "refused"
        assert await details(roads, "deferred") == [(roads.clock() + pause).isoformat() for pause in pauses]

    async def test_without_one_the_refusal_is_final(self, roads: Roads) -> None:
        node = await roads.node(lambda _: None)
        message = message_to()
        await node.accept(message)
        await answers(node, Fate.PUT_OFF, 1, pauses=())
        assert await node.until(message, "failed") == ["attempt", "refused"]


async def test_the_pdu_of_a_refusal_that_is_our_fault_is_kept(roads: Roads) -> None:
    node = await roads.node(lambda _: None)
    message = message_to()
    await node.accept(message)
    await answers(node, Fate.REFUSED, 1, command_status=0x0C, reason="ESME_RINVDSTADR", detail="0000001f")
    await node.until(message, "failed")
    assert await details(roads, "refused") == ["0000001f"]
