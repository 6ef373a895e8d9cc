"""One bind, and two that share an account, against the simulated SMSC: order, rate, refusals, ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway.esme.alarms import Alarms
from gateway.esme.link import UNREAD, Link
from gateway.esme.order import Numbers
from gateway.esme.profile import DEFAULT
from gateway.esme.tape import Tape
from gateway.services.carrier import Fate, Parcel
from gateway.services.flights import Outgoing
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from gateway.smpp import codec, status
from gateway.smpp.pdu import SubmitSm
from tests.esme.ground import QUICK, Heard, parcel, parcels, route_to, until
from tests.services.road import ANNA, BEN, message_to


class Row:
    """Links of one route to one SMSC, with nothing above them."""

    def __init__(self, smsc: Smsc, count: int, **options: Any) -> None:
        self.smsc = smsc
        self.heard = Heard()
        self.route = route_to(smsc.port, **options)
        self.numbers = Numbers[Link]()
        self.alarms = Alarms("main")
        self.tape = Tape("main/1")
        self.links = [
            Link(
                self.route,
                self.route.accounts[0],
                f"main/{n}",
                self.heard.ears(),
                numbers=self.numbers,
                alarms=self.alarms,
                tape=self.tape,
            )
            for n in range(count)
        ]

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        for link in self.links:
            await loop.create_connection(lambda link=link: link, "127.0.0.1", self.smsc.port)  # type: ignore[misc]
            await asyncio.wait_for(link.bound, 2)

    def told(self) -> list[tuple[str, str]]:
        """Outcomes by the text of their message."""
        return [(each.token.outgoing.message.body, each.fate.name) for each in self.heard.outcomes]

    def arrived(self, number: str = ANNA, *, taken: bool = False) -> list[str]:
        """The texts that reached the SMSC for a number, refused or taken."""
        return [
            each.text
            for each in self.smsc.record.arrivals
            if each.destination == number and (each.message_id or not taken)
        ]


@asynccontextmanager
async def row(yaml: str = "", count: int = 1, **options: Any) -> AsyncIterator[Row]:
    smsc = await Smsc.start(scenario.parse(yaml))
    here = Row(smsc, count, **options)
    try:
        await here.connect()
        yield here
    finally:
        for link in here.links:
            link.abort()
        await asyncio.wait([link.ended for link in here.links], timeout=1)
        await smsc.close()


def to_anna(count: int) -> list[Parcel]:
    return [parcel(f"{n}") for n in range(count)]


# Order


async def test_the_next_to_a_number_is_written_when_the_first_is_answered() -> None:
    async with row("latency: 50ms") as here:
        [link] = here.links
        link.submit([*to_anna(3), parcel("other", to=BEN)])
        assert (link.in_flight, link.held) == (2, 2)
        assert here.numbers.link_of(ANNA) is link
        await until(lambda: here.heard.taken() == 4)
        assert here.arrived() == ["0", "1", "2"]
        assert (len(here.numbers), link.held) == (0, 0)


async def test_nothing_overtakes_what_was_refused_for_its_speed_on_whichever_bind() -> None:
    async with row("{rate: 150, burst: 5, latency: 5ms}", 2, window=10) as here:
        numbers = [f"86139053100{n:02}" for n in range(7)]
        sent = [parcel(f"{n:03}", to=numbers[n % 7]) for n in range(105)]
        for n, each in enumerate(sent):
            here.links[n % 2].submit([each])
        await until(lambda: here.heard.taken() == len(sent))
        assert here.smsc.record.counts.throttled > 0
        for number in numbers:
            arrived = here.arrived(number)
            assert arrived == sorted(arrived)
        assert len(here.numbers) == 0
        assert sum(link.state_of().throttled for link in here.links) == here.smsc.record.counts.throttled


async def test_more_than_there_is_room_for_is_kept_in_order() -> None:
    async with row("latency: 20ms", window=3) as here:
        [link] = here.links
        link.submit(parcels(10))
        assert (link.in_flight, link.held, link.room) == (3, 7, 0)
        await until(lambda: here.heard.taken() == 10)
        assert [each.text for each in here.smsc.record.arrivals] == [str(n) for n in range(10)]


async def test_the_parts_of_a_message_go_together() -> None:
    async with row("latency: 50ms") as here:
        outgoing = Outgoing(message_to(ANNA, "long", segments=3))
        [link] = here.links
        link.submit([parcel(f"part {n}", token=token) for n, token in enumerate(outgoing.segments)])
        link.submit([parcel("next")])
        assert (link.in_flight, link.held) == (3, 1)
        await until(lambda: here.heard.taken() == 4)


async def test_one_without_an_answer_keeps_its_number_no_longer_than_the_time_out() -> None:
    async with row("faults: [{do: never-answer, times: 1}]", timers=QUICK) as here:
        here.links[0].submit(to_anna(2))
        await until(lambda: len(here.heard.outcomes) == 2)
        assert here.told() == [("0", "LOST"), ("1", "TAKEN")]


async def test_a_link_that_breaks_gives_back_in_order_what_it_keeps() -> None:
    async with row("{rate: 0.001, burst: 1, latency: 10ms}", window=10) as here:
        [link] = here.links
        link.submit([parcel("taken", to=BEN), *to_anna(4)])
        await until(lambda: here.smsc.record.counts.throttled == 1)
        await until(lambda: link.held == 4)
        link.abort()
        await link.ended
        assert here.told() == [("taken", "TAKEN"), *((str(n), "UNSENT") for n in range(4))]
        assert len(here.numbers) == 0


async def test_what_waits_on_another_bind_goes_on_when_a_link_breaks() -> None:
    async with row("latency: 1s", 2) as here:
        first, second = here.links
        first.submit([parcel("first")])
        second.submit([parcel("second")])
        assert (second.in_flight, second.held) == (0, 1)
        first.abort()
        await until(lambda: second.in_flight == 1)
        assert here.told() == [("first", "LOST")]


async def test_a_status_about_the_bind_ends_it_and_costs_no_attempt() -> None:
    code = status.ESME_RINVBNDSTS
    async with row(f"{{latency: 50ms, faults: [{{do: refuse, status: {code}, times: 1}}]}}") as here:
        [link] = here.links
        link.submit([*to_anna(3), parcel("other", to=BEN)])
        await link.ended
        assert sorted(here.told()) == [("0", "UNSENT"), ("1", "UNSENT"), ("2", "UNSENT"), ("other", "TAKEN")]
        assert [body for body, _ in here.told() if body.isdecimal()] == ["0", "1", "2"]
        assert not link.usable


async def test_nothing_is_taken_while_unbinding() -> None:
    async with row("latency: 100ms") as here:
        [link] = here.links
        link.submit([parcel("before")])
        link.unbind()
        assert not link.usable
        assert link.room == 0
        assert link.state_of().state == "unbinding"
        link.submit([parcel("after")])
        await link.ended
        assert here.told() == [("after", "UNSENT"), ("before", "TAKEN")]


# What answers mean


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        pytest.param(status.ESME_RINVSRCADR, Fate.HELD, id="the sender"),
        pytest.param(status.ESME_RINVDSTADR, Fate.REFUSED, id="the recipient"),
        pytest.param(status.ESME_RSYSERR, Fate.PUT_OFF, id="the system"),
    ],
)
async def test_what_a_status_means(code: int, fate: Fate) -> None:
    async with row(f"faults: [{{do: refuse, status: {code}}}]") as here:
        here.links[0].submit([parcel()])
        await until(lambda: here.heard.outcomes)
        [outcome] = here.heard.outcomes
        assert (outcome.fate, outcome.command_status, outcome.detail) == (fate, code, None)


async def test_our_own_fault_is_told_once_with_its_pdu(caplog: pytest.LogCaptureFixture) -> None:
    async with row("faults: [{do: refuse, status: 0x43, times: 2}]") as here:
        with caplog.at_level(logging.ERROR):
            here.links[0].submit(parcels(2))
            await until(lambda: len(here.heard.outcomes) == 2)
        assert [record.message for record in caplog.records] == ["the SMSC refuses what we send"]
        assert here.alarms.told() == [f"ESME_RINVESMCLASS: {status.lookup(0x43).sentence} Sender 10086."]
        octets = bytes.fromhex(here.heard.outcomes[1].detail or "")
        pdu = codec.decode(octets)
        assert isinstance(pdu, SubmitSm)
        assert (pdu.destination_addr, pdu.source_addr) == ("8613905310001", "10086")
        here.links[0].submit([parcel()])
        await until(lambda: here.heard.taken() == 1)
        assert here.alarms.told() == []


async def test_codes_that_nothing_explains_are_counted() -> None:
    async with row("faults: [{do: refuse, status: 0x0412}]") as here:
        here.links[0].submit(parcels(3))
        await until(lambda: len(here.heard.outcomes) == 3)
        assert here.alarms.unexplained() == {"0x00000412": 3}


async def test_a_full_queue_with_a_full_window_is_a_throttle() -> None:
    yaml = f"{{rate: 50, burst: 5, throttle_status: {status.ESME_RMSGQFUL}, latency: 20ms}}"
    async with row(yaml, window=10) as here:
        here.links[0].submit(parcels(10))
        await until(lambda: here.heard.taken() == 10)
        assert set(here.heard.fates()) == {"TAKEN"}


async def test_the_link_learns_the_rate_and_shows_it() -> None:
    async with row("{rate: 100, burst: 10}", window=50) as here:
        [link] = here.links
        link.submit(parcels(60))
        await until(lambda: here.heard.taken() == 60)
        state = link.state_of()
        assert (state.submitted, state.throttled) == (60, here.smsc.record.counts.throttled)
        assert state.learned is not None
        assert state.rate == state.learned
        assert state.limit is None
        assert state.round_trip is not None
        assert state.round_trip.count == 60 + state.throttled
        assert state.heard_at is not None


async def test_congestion_state_is_heard_where_the_profile_says_so() -> None:
    async with row("{rate: 1000, congestion: true}") as here:
        here.links[0].submit([parcel()])
        await until(lambda: here.heard.taken() == 1)
        assert here.links[0].state_of().congestion is not None
    deaf = msgspec.structs.replace(DEFAULT, congestion=False)
    async with row("{rate: 1000, congestion: true}", profile=deaf) as here:
        here.links[0].submit([parcel()])
        await until(lambda: here.heard.taken() == 1)
        assert here.links[0].state_of().congestion is None


# The peer


async def test_what_can_not_be_stored_is_refused_as_the_profile_says() -> None:
    profile = msgspec.structs.replace(DEFAULT, refuse_with=status.ESME_RX_T_APPN)
    async with row("redelivery: {after: 10s}", profile=profile) as here:
        here.heard.away = True
        mo = await here.smsc.inject("8613905310001", "10086", "8")
        await until(lambda: mo.parts[0].statuses)
        assert mo.parts[0].statuses == [status.ESME_RX_T_APPN]


async def test_a_link_that_answers_enquire_link_and_no_message_is_given_up() -> None:
    async with row("faults: [{do: never-answer}]", timers=QUICK) as here:
        [link] = here.links
        link.submit([parcel("lost"), parcel("kept")])
        reason = await asyncio.wait_for(link.ended, 5)
        assert reason == "the SMSC answers enquire_link, but no message any more"
        assert here.told()[0] == ("lost", "LOST")
        assert {body for body, _ in here.told()} == {"lost", "kept"}


class Deaf(asyncio.Transport):
    """Of a peer that does not read."""

    def __init__(self, link: Link, unread: int) -> None:
        super().__init__()
        self.link, self.unread = link, unread

    def write(self, data: Any) -> None:
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.link.connection_lost(None)

    close = abort


@pytest.mark.parametrize(
    ("unread", "ends"), [pytest.param(0, False, id="slow"), pytest.param(UNREAD, True, id="not at all")]
)
async def test_a_peer_that_does_not_read_gets_nothing_more(unread: int, ends: bool) -> None:
    heard = Heard()
    route = route_to(1)
    link = Link(route, route.accounts[0], "main/1", heard.ears())
    link.connection_made(Deaf(link, unread))
    link.data_received(bytes.fromhex("00000011800000090000000000000001") + b"\0")
    assert link.room == 100
    link.pause_writing()
    assert link.room == 0
    link.submit(parcels(2))
    assert (link.in_flight, link.held) == (0, 2)
    if ends:
        assert await asyncio.wait_for(link.ended, 2) == "the SMSC does not read what we write"
        assert heard.fates() == ["UNSENT", "UNSENT"]
    else:
        link.resume_writing()
        assert (link.in_flight, link.held) == (2, 0)
        link.abort()


async def test_what_passes_is_on_the_tape() -> None:
    async with row() as here:
        here.links[0].submit([parcel()])
        await until(lambda: here.heard.taken() == 1)
        ways: Sequence[str] = [batch.way for batch in here.tape.newest(10_000)]
        assert ways[:4] == ["out", "in", "out", "in"]
