"""What is outstanding is known after a restart, and counted down as receipts come."""

from collections.abc import AsyncIterator

import pytest

from gateway.domain.message import Message
from gateway.esme.binds import Binds
from gateway.services import unreported as unreported_module
from gateway.services.receipts import Verdict
from gateway.services.unreported import Unreported
from tests.services.road import ANNA, BEN, LONG, Roads, Stretch, message_to, receipt_for, roads_on, until

ALL = range(256)


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def sent_before(roads: Roads, *messages: Message) -> Stretch:
    """A node that finds these submitted by one that was killed."""
    node = await roads.node()
    for message in messages:
        await node.accept(message)
        await node.until(message, "submitted")
    await node.kill()
    return await roads.node()


def counting(node: Stretch) -> Unreported:
    unreported = Unreported(database=node.database, flights=node.flights, smsc_ids=Binds([]), now=node.clock)
    unreported.gained(ALL)
    node.run(unreported.run())
    return unreported


async def test_what_was_sent_before_a_restart_is_outstanding(roads: Roads) -> None:
    node = await sent_before(roads, message_to(), message_to(body=LONG), message_to(report=False))
    assert node.flights.awaiting_of("main") == (0, None)
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 3)
    assert unreported.awaiting_of("main")[1] is not None
    assert unreported.awaiting_of("other") == (0, None)


async def test_what_is_sent_now_is_not_counted_twice(roads: Roads) -> None:
    node = await sent_before(roads, message_to())
    node.carrier._ids = 10  # ids of their own
    now = message_to(msisdn=BEN)
    await node.accept(now)
    await node.until(now, "submitted")
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 2)


@pytest.mark.parametrize(
    ("verdict", "left"),
    [
        pytest.param(Verdict.DELIVERED, 0, id="the last word"),
        pytest.param(Verdict.NOTHING_YET, 1, id="an intermediate one"),
    ],
)
async def test_a_receipt_ends_the_waiting(roads: Roads, verdict: Verdict, left: int) -> None:
    node = await sent_before(roads, message_to())
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 1)
    await unreported.hearing(node.receipts.store)([receipt_for("id1", ANNA, verdict)])
    assert unreported.awaiting_of("main")[0] == left


async def test_what_ended_otherwise_is_found_by_looking_again(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreported_module, "AGAIN", (0.01, 1))
    message, other = message_to(), message_to()
    node = await sent_before(roads, message, other)
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 2)
    await node.receipt("id1")  # as one that another node had, or that was matched by likeness
    await until(lambda: unreported.awaiting_of("main")[0] == 1)


async def test_what_another_owner_has_is_not_counted(roads: Roads) -> None:
    node = await sent_before(roads, message_to())
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 1)
    unreported.lost(ALL)
    assert unreported.awaiting_of("main") == (0, None)


async def test_of_more_than_is_kept_the_newest_count(roads: Roads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreported_module, "KEPT", 1)
    node = await sent_before(roads, message_to(), message_to())
    unreported = counting(node)
    await until(lambda: unreported.awaiting_of("main")[0] == 1)
