"""Dispatch and binds on two simulated SMSCs over real sockets: which ways messages take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway.domain.message import Lane, Message
from gateway.domain.steering import Rule, Steering
from gateway.esme import binds as binds_module
from gateway.esme import choosing
from gateway.esme.binds import Binds
from gateway.esme.link import Ears
from gateway.esme.profile import Profile, Text
from gateway.services.inbound import ShortMessage
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from gateway.smpp import status
from gateway.smpp.constants import Tag
from gateway.storage.messages import steps_of
from tests.esme.ground import QUICK, route_to, until
from tests.services.road import LONG, Clock, FakeCarrier, Stretch, message_to, roads_on

MAIN, OTHER = "main", "other"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binds_module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(binds_module, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(choosing, "GRACE_SECONDS", 0.2)


class Crossing:
    """A node with binds to two SMSCs."""

    def __init__(self, node: Stretch, smscs: dict[str, Smsc], binds: Binds) -> None:
        self.node, self.smscs, self.binds = node, smscs, binds

    def texts(self, route: str) -> list[str]:
        """What the SMSC took, in the order of its arrival."""
        return [each.text for each in self.smscs[route].record.arrivals if each.message_id]

    def all_texts(self) -> list[str]:
        return self.texts(MAIN) + self.texts(OTHER)

    async def send(self, *messages: Message) -> None:
        await self.node.accept(*messages)

    async def taken(self, count: int) -> None:
        await until(lambda: len(self.all_texts()) >= count, 15.0)

    def state(self, route: str) -> str:
        return next(state.state for state in self.binds.routes() if state.name == route)


class RealClock(Clock):
    """Time as it goes by."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def some(count: int, **fields: Any) -> list[Message]:
    """So many messages, each to a number of its own."""
    return [message_to(f"86139053{10000 + n}", f"{n}", **fields) for n in range(count)]


async def nobody_writes(_: Sequence[ShortMessage]) -> None:
    raise AssertionError("nobody writes to us")


@asynccontextmanager
async def crossing(
    dsn: str,
    *rules: Rule,
    main: str = "",
    other: str = "",
    senders: Mapping[str, float] | None = None,
    **options: Any,
) -> AsyncIterator[Crossing]:
    async with AsyncExitStack() as stack:
        roads = await stack.enter_async_context(roads_on(dsn))
        clock = RealClock()
        smscs = {MAIN: await Smsc.start(scenario.parse(main)), OTHER: await Smsc.start(scenario.parse(other))}
        for smsc in smscs.values():
            stack.push_async_callback(smsc.close)
        routes = [
            replace(route_to(smsc.port, **{"timers": QUICK} | options), name=name)
            for name, smsc in smscs.items()
        ]
        steering = Steering(rules, [MAIN, OTHER])
        binds = Binds(routes, steering=steering, senders=senders or {"10086": 0.0}, seed=1)
        node = Stretch(roads.database, cast(FakeCarrier, binds), clock, "one")
        await node.build()
        roads.nodes.append(node)
        await node.start()
        stack.push_async_callback(binds.stop, 0.5)
        binds.start(
            Ears(
                outcomes=node.dispatch.outcomes,
                receipts=node.receipts.store,
                short_messages=nobody_writes,
                room_again=node.dispatch.room_again,
                number_of=lambda address: address,
                now=clock,
            )
        )
        here = Crossing(node, smscs, binds)
        await until(lambda: {here.state(name) for name in smscs} == {"up"})
        yield here


def to(*routes: str, **fields: Any) -> Rule:
    return Rule(name="rule", to=tuple((route, 1) for route in routes), **fields)


async def test_messages_go_by_prefix_lane_and_sender(database_dsn: str) -> None:
    rules = [
        to(OTHER, lanes=frozenset({Lane.SURVEY})),
        to(OTHER, senders=("95588",)),
        to(OTHER, prefixes=("86138",)),
        to(MAIN),
    ]
    async with crossing(database_dsn, *rules, senders={"10086": 0.0, "95588": 0.0}) as here:
        await here.send(
            message_to(body="plain"),
            message_to(body="survey", lane=Lane.SURVEY),
            message_to(body="bank", sender="95588001"),
            message_to("8613805310001", "town"),
        )
        await here.taken(4)
        assert here.texts(MAIN) == ["plain"]
        assert sorted(here.texts(OTHER)) == ["bank", "survey", "town"]


async def test_three_to_one(database_dsn: str) -> None:
    """Also when both are busy all the time, and as fast as each other."""
    rule = Rule(name="shares", to=((MAIN, 3), (OTHER, 1)), shared=True)
    async with crossing(database_dsn, rule, main="latency: 2ms", other="latency: 2ms", window=5) as here:
        await here.send(*some(400))
        await here.taken(400)
        assert abs(len(here.texts(OTHER)) - 100) <= choosing.LAG


async def test_what_a_broken_link_held_goes_by_the_other_route(database_dsn: str) -> None:
    """Nothing is lost and nothing is doubled, by the records of both SMSCs."""
    async with crossing(database_dsn, to(MAIN, backup=(OTHER,)), main="rate: 20", window=10) as here:
        messages = some(60)
        await here.send(*messages)
        await until(lambda: len(here.texts(MAIN)) >= 5)
        await here.smscs[MAIN].close()
        await until(lambda: here.state(MAIN) == "down")
        await until(lambda: len(set(here.all_texts())) + len(here.node.flights._unknown) >= 60, 15.0)
        await here.node.settled()
        copies = Counter(here.all_texts())
        assert max(copies.values()) == 1
        assert here.texts(OTHER)
        unknown = {segments[0].outgoing.message.body for segments in here.node.flights._unknown.values()}
        assert {*copies, *unknown} == {f"{n}" for n in range(60)}


async def test_a_primary_that_is_back_takes_new_messages_at_once(database_dsn: str) -> None:
    async with crossing(database_dsn, to(MAIN, backup=(OTHER,))) as here:
        port = here.smscs[MAIN].port
        await here.smscs[MAIN].close()
        await until(lambda: here.state(MAIN) == "down")
        await here.send(message_to(body="while it is down"))
        await until(lambda: here.texts(OTHER) == ["while it is down"])
        here.smscs[MAIN] = await Smsc.start(port=port)
        await until(lambda: here.state(MAIN) == "up")
        await here.send(message_to(body="when it is back"))
        await until(lambda: here.texts(MAIN) == ["when it is back"])
        await here.smscs[MAIN].close()


async def test_a_throttled_primary_does_not_spill_over_to_its_backup(database_dsn: str) -> None:
    rule = to(MAIN, backup=(OTHER,))
    async with crossing(database_dsn, rule, main="{rate: 40, burst: 4}", window=10) as here:
        await here.send(*some(50))
        await here.taken(50)
        assert here.smscs[MAIN].record.counts.throttled > 0
        assert here.texts(OTHER) == []


async def test_a_dead_route_does_not_slow_another(database_dsn: str) -> None:
    rules = [to(MAIN, senders=("95588",)), to(OTHER)]
    async with crossing(database_dsn, *rules, senders={"10086": 0.0, "95588": 0.0}) as here:
        await here.smscs[MAIN].close()
        await until(lambda: here.state(MAIN) == "down")
        await here.send(*some(3000, sender="95588", lane=Lane.MARKETING))
        await here.send(*some(300))
        await until(lambda: len(here.texts(OTHER)) == 300)
        assert here.node.dispatch.waiting() == 3000


async def test_much_for_one_number_holds_nobody_up(database_dsn: str) -> None:
    async with crossing(database_dsn, to(MAIN), main="latency: 20ms", window=10) as here:
        much = [message_to(body=f"much {n}") for n in range(200)]
        await here.send(*much, *some(100, lane=Lane.SERVICE))
        await until(lambda: sum(text.isdecimal() for text in here.texts(MAIN)) == 100, 15.0)
        went = [text for text in here.texts(MAIN) if text.startswith("much")]
        assert len(went) < 100
        assert went == [f"much {n}" for n in range(len(went))]
        assert all(bind.waiting < 10 for route in here.binds.routes() for bind in route.binds)


async def test_a_failing_route_is_left_out(database_dsn: str) -> None:
    failing = f"faults: [{{do: refuse, status: {status.ESME_RSYSERR}}}]"
    async with crossing(database_dsn, to(MAIN, backup=(OTHER,)), main=failing) as here:
        await here.send(*some(100))
        await until(lambda: here.state(MAIN) == "failing")
        late = some(20, sender="10086001")
        await here.send(*late)
        await until(lambda: len(here.texts(OTHER)) >= 20)
        assert here.texts(MAIN) == []


async def test_a_refused_sender_waits_and_the_others_go(database_dsn: str) -> None:
    refusing = f"faults: [{{do: refuse, status: {status.ESME_RINVSRCADR}, times: 1}}]"
    senders = {"10086": 0.0, "95588": 0.0}
    async with crossing(database_dsn, to(MAIN), main=refusing, senders=senders, window=1) as here:
        stopped = message_to(body="stopped", sender="10086001")
        await here.send(stopped)
        await until(lambda: here.binds.routes()[0].stopped_senders == ["10086"])
        await here.send(message_to(body="later", sender="10086002"), message_to(body="bank", sender="95588"))
        await until(lambda: here.texts(MAIN) == ["bank"])
        await here.node.until(stopped, "retrying")
        await until(lambda: here.node.dispatch.waiting() == 2)
        chooser = here.binds._chooser
        chooser._stops[MAIN, "10086"].until = 0.0  # a minute goes by
        await here.taken(3)
        assert here.texts(MAIN) == ["bank", "stopped", "later"]
        assert here.binds.routes()[0].stopped_senders == []


async def test_a_senders_rate_is_counted_in_pdus_over_all_binds(database_dsn: str) -> None:
    """Twelve texts of two parts, at twenty a second: not before one second has gone by."""
    async with crossing(database_dsn, senders={"10086": 20.0, "95588": 0.0}) as here:
        began = time.monotonic()
        await here.send(*(message_to(f"86139053{10000 + n}", LONG) for n in range(12)))
        await here.send(message_to(body="bank", sender="95588"))
        await until(lambda: "bank" in here.all_texts())
        assert len(here.all_texts()) < 25
        await here.taken(25)
        assert time.monotonic() - began >= (24 - 20 * 0.25 - 3) / 20


async def test_a_confirmation_passes_a_broadcast(database_dsn: str) -> None:
    async with crossing(database_dsn, to(MAIN), main="rate: 200", window=10) as here:
        await here.send(*some(1000, lane=Lane.MARKETING))
        await until(lambda: len(here.texts(MAIN)) > 20)
        before = len(here.texts(MAIN))
        await here.send(message_to(body="reply Y", lane=Lane.TRANSACTIONAL))
        await until(lambda: "reply Y" in here.texts(MAIN))
        assert here.texts(MAIN).index("reply Y") - before < 60


async def test_the_route_stands_on_the_attempt_and_the_cut_is_the_routes(database_dsn: str) -> None:
    async with crossing(database_dsn, to(OTHER), profile=Profile(text=Text(join="sar"))) as here:
        message = message_to(body=LONG)
        await here.send(message)
        await here.taken(2)
        await here.node.until(message, "delivered")
        async with here.node.database.connection() as connection:
            steps = await steps_of(connection, [(message.bucket, message.id)])
        attempts = [step for step in steps[message.id] if step.kind == "attempt"]
        assert [(step.route, step.detail) for step in attempts] == [(OTHER, "sar/2")] * 2
        tlvs = [arrival.tlvs for arrival in here.smscs[OTHER].record.arrivals]
        assert [each[Tag.SAR_SEGMENT_SEQNUM] for each in tlvs] == [b"\1", b"\2"]
