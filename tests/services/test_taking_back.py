"""What the carrier keeps and gives back: that nothing left is on record, and much may end it meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.message import Lane, OnUnknown
from gateway.services.carrier import Fate, Parcel
from gateway.services.ledger import Entry, Place
from gateway.storage import contacts
from gateway.storage.database import StorageUnavailable
from tests.services.road import BEN, LONG, START, Roads, Stretch, message_to, roads_on, until


@pytest.fixture
async def roads(database_dsn: str) -> AsyncIterator[Roads]:
    async with roads_on(database_dsn) as roads:
        yield roads


async def taken_over(roads: Roads, node: Stretch) -> Stretch:
    """The node is killed, and another one has its buckets."""
    await node.kill()
    other = await roads.node(name="other")
    await roads.execute("UPDATE leases SET expires_at = '-infinity'")
    await other.leases._beat()
    return other


@pytest.mark.parametrize("on_unknown", list(OnUnknown))
async def test_what_was_not_written_is_known_to_who_comes_after_a_kill(
    roads: Roads, on_unknown: OnUnknown
) -> None:
    node = await roads.node(lambda _: Fate.UNSENT)
    node.carrier.open_room = 1
    message = message_to(on_unknown=on_unknown)
    await node.accept(message)
    await until(lambda: node.dispatch._settling._returned)
    node.carrier.open_room = 0
    await node.settled()
    assert await node.steps(message) == [("attempt", "submitting"), ("returned", "retrying")]
    other = await taken_over(roads, node)
    assert (await other.until(message, "submitted"))[2:] == ["attempt", "submitted"]
    assert await other.reasons(message, "attempt") == [None, None]


async def test_a_second_copy_that_was_not_written_leaves_the_first_unknown(roads: Roads) -> None:
    fates = [Fate.LOST, Fate.UNSENT]
    node = await roads.node(lambda _: fates.pop(0) if fates else Fate.TAKEN, unknown_wait=0.05)
    message = message_to()
    await node.accept(message)
    assert await node.until(message, "submitted") == [
        *("attempt", "lost"),
        *("attempt", "returned"),
        *("attempt", "submitted"),
    ]
    assert await node.reasons(message, "attempt") == [None, "maybe_duplicate", "maybe_duplicate"]
    assert len(node.carrier.sent) == 2


async def test_a_second_copy_that_is_given_up_leaves_the_message_unknown(roads: Roads) -> None:
    fates = [Fate.LOST, Fate.UNSENT]
    node = await roads.node(lambda _: fates.pop(0), unknown_wait=0.05)
    message = message_to(expires_at=START + timedelta(minutes=1))
    await node.accept(message)
    await until(lambda: not fates)
    node.clock.forward(minutes=2)
    assert await node.until(message, "unknown")
    await node.settled()
    assert await node.reasons(message, "lost") == ["lost", "not sent a second time: its validity ended"]
    await node.receipt("never-seen", message.msisdn)
    assert (await node.until(message, "delivered"))[-1] == "delivered"


# What a link has kept for a while: it asks before it writes


async def kept(roads: Roads, *, body: str = "您好", **fields: Any) -> tuple[Stretch, list[Parcel]]:
    """A node whose carrier keeps what it is given."""
    node = await roads.node(lambda _: None)
    message = message_to(body=body, **fields)
    await node.accept(message)
    await until(lambda: len(node.carrier.sent) == message.segments)
    return node, node.carrier.sent


async def lease_runs_out(node: Stretch, _: list[Parcel]) -> None:
    node.leases._valid_until = 0.0


async def bucket_goes_and_comes(node: Stretch, _: list[Parcel]) -> None:
    await node.leases._drop(node.leases.owned())
    await node.leases._beat()


async def first_copy_is_answered(node: Stretch, parcels: list[Parcel]) -> None:
    node.carrier.answer(parcels[0].token)
    await node.settled()


async def validity_ends(node: Stretch, _: list[Parcel]) -> None:
    node.clock.forward(minutes=10)


async def nothing(_node: Stretch, _parcels: list[Parcel]) -> None:
    return None


@pytest.mark.parametrize(
    ("happens", "goes"),
    [
        pytest.param(nothing, True, id="nothing"),
        pytest.param(lease_runs_out, False, id="our lease runs out"),
        pytest.param(bucket_goes_and_comes, False, id="its bucket goes and comes back"),
        pytest.param(first_copy_is_answered, False, id="the first copy is answered"),
        pytest.param(validity_ends, False, id="its validity ends"),
    ],
)
async def test_a_kept_parcel_goes_only_while_it_is_wanted(
    roads: Roads, happens: Callable[[Stretch, list[Parcel]], Awaitable[None]], goes: bool
) -> None:
    node, parcels = await kept(roads, expires_at=START + timedelta(minutes=5))
    await happens(node, parcels)
    assert node.dispatch.may_go(parcels[0]) is goes


async def test_of_a_message_that_has_begun_the_rest_goes_although_its_validity_ended(roads: Roads) -> None:
    node, parcels = await kept(roads, body=LONG, expires_at=START + timedelta(minutes=5))
    node.carrier.answer(parcels[0].token)
    await node.settled()
    await validity_ends(node, parcels)
    assert node.dispatch.may_go(parcels[1])


@pytest.mark.parametrize("began", [False, True], ids=["nothing has left", "the first part has left"])
async def test_validity_that_ends_while_a_link_keeps_something_ends_in_no_loop(
    roads: Roads, began: bool
) -> None:
    node, parcels = await kept(roads, body=LONG, expires_at=START + timedelta(minutes=5))
    message = parcels[0].token.outgoing.message
    await validity_ends(node, parcels)
    if began:
        node.carrier.answer(parcels[0].token)
        await node.settled()
    first, *rest = parcels[began:]
    node.carrier.script = lambda parcel: Fate.TAKEN if node.dispatch.may_go(parcel) else Fate.UNSENT
    node.carrier.answer(first.token, Fate.UNSENT)  # its link breaks
    for parcel in rest:
        node.carrier.answer(parcel.token, Fate.UNSENT)
    await node.until(message, "submitted" if began else "expired")


async def test_an_opt_out_reaches_what_a_link_keeps(roads: Roads) -> None:
    node, parcels = await kept(roads, lane=Lane.MARKETING, on_unknown=OnUnknown.NEVER)
    urgent = message_to(BEN)
    await node.accept(urgent)
    await until(lambda: len(parcels) == 2)
    message = parcels[0].token.outgoing.message
    async with roads.database.transaction() as connection:
        await contacts.opt_out(connection, [(message.bucket, message.msisdn, "lane:marketing")], START)
    assert node.dispatch.may_go(parcels[0])  # the policy was asked a moment ago
    node.clock.forward(seconds=6)
    assert [node.dispatch.may_go(parcel) for parcel in parcels] == [False, True]
    node.carrier.answer(parcels[0].token, Fate.UNSENT)
    assert await node.until(message, "suppressed") == ["attempt", "returned", "stopped"]


async def test_attempts_whose_commit_was_not_seen_are_taken_back_on_record(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await roads.node()
    message = message_to(on_unknown=OnUnknown.NEVER)
    ledger = node.dispatch._ledger
    record = ledger.record

    async def store_unseen(entry: Entry) -> frozenset[Place]:
        await record(entry)
        monkeypatch.undo()
        raise StorageUnavailable("the answer did not come")

    monkeypatch.setattr(ledger, "record", store_unseen)
    await node.accept(message)
    assert await node.until(message, "submitted") == ["attempt", "returned", "attempt", "submitted"]
    assert await node.reasons(message, "attempt") == [None, None]


# What has begun and can't be cut as it was


@pytest.mark.parametrize(
    ("second", "status", "reasons"),
    [
        pytest.param(Fate.LOST, "unknown", ["lost"], id="nobody knows of the rest"),
        pytest.param(Fate.PUT_OFF, "failed", [], id="the rest is surely not there"),
    ],
)
async def test_a_begun_message_that_can_not_be_cut_alike_says_so_and_waits_for_nothing(
    roads: Roads, second: Fate, status: str, reasons: list[str]
) -> None:
    node = await roads.node(lambda p: Fate.TAKEN if p.token.number == 1 else second, unknown_wait=60.0)
    message = message_to(body=LONG)
    await node.accept(message)
    await until(lambda: len(node.carrier.sent) == 2)
    await node.settled()
    node.carrier.sent[0].token.outgoing.encoding = "another"
    backlog = node.dispatch._backlog
    backlog._later = [(0.0, n, what) for n, (_, _, what) in enumerate(backlog._later)]
    backlog.wake.set()
    await until(lambda: not node.flights.open)
    await node.settled()
    await node.until(message, status)
    ended = await node.reasons(message, "refused" if status == "failed" else "lost")
    assert len(ended) == len(reasons) + 1
    assert "sent as another in 2 segments" in (ended[-1] or "")
