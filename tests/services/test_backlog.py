"""What is due: when a round waits for more room, how much is in memory, and what is in the table."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Lane, Message
from gateway.domain.steering import Course
from gateway.services import backlog as backlog_module
from gateway.services.backlog import WORTHWHILE, Backlog
from gateway.services.carrier import Channel
from gateway.services.flights import Flights, Outgoing
from gateway.services.unread import Unread
from tests.services.road import EVERYWHERE, START, FakeOffer, message_to


@pytest.mark.parametrize(
    ("waiting", "room", "rests"),
    [
        pytest.param(1000, WORTHWHILE, [False, False], id="enough room"),
        pytest.param(1000, 1, [True, False], id="a little room waits once for more"),
        pytest.param(3, 3, [False, False], id="room for all that waits"),
        pytest.param(3, 2, [True, False], id="room for less than waits"),
    ],
)
async def test_after_a_little_room_it_waits_once_for_more(waiting: int, room: int, rests: list[bool]) -> None:
    await asyncio.sleep(0)
    backlog = Backlog(Flights(), lambda _: Channel(EVERYWHERE, ""), lambda: datetime.now(UTC))
    for _ in range(waiting):
        backlog.enqueue(Outgoing(message_to()))
    backlog.took(len(backlog.queue.take(FakeOffer({"main": room}), 10_000)))
    assert [backlog.rests() for _ in rests] == rests


CHANNELS = [Channel(Course(number, f"{number}", ((f"route{number}", 1),)), "") for number in range(3)]


def message(number: int, channel: int, lane: str = Lane.SERVICE) -> Message:
    """One that queues where its sender says."""
    return message_to(id=UUID(int=number), sender=f"{channel}", lane=lane)


def filled(*counts: int, lane: str = Lane.SERVICE) -> Backlog:
    """A backlog that so many messages of each channel were handed to."""
    backlog = Backlog(Flights(), lambda each: CHANNELS[int(each.sender)], lambda: datetime.now(UTC))
    number = 0
    for channel, count in enumerate(counts):
        for _ in range(count):
            number += 1
            backlog.enqueue(Outgoing(message(number, channel, lane)))
    return backlog


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        pytest.param((200,), [50, 0, 0], id="half for one"),
        pytest.param((200, 200), [50, 25, 0], id="and half of the rest for another"),
        pytest.param((200, 200, 5), [50, 25, 5], id="and all that a third one needs"),
    ],
)
def test_a_channel_holds_no_more_than_is_free(
    monkeypatch: pytest.MonkeyPatch, counts: tuple[int, ...], kept: list[int]
) -> None:
    monkeypatch.setattr(backlog_module, "HIGH_WATER", 100)
    backlog = filled(*counts)
    assert [backlog.queue.kept(channel) for channel in CHANNELS] == kept
    assert set(backlog.table.since) == {
        channel for channel, count in zip(CHANNELS, counts, strict=False) if count == 200
    }
    assert backlog.table.since[CHANNELS[0]] == UUID(int=51)
    assert not backlog.wants_more


def test_urgent_lanes_go_past_what_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "HIGH_WATER", 100)
    backlog = filled(200)
    backlog.enqueue(Outgoing(message(1000, 0, Lane.TRANSACTIONAL)))
    backlog.enqueue(Outgoing(message(1001, 0)))
    assert backlog.queue.lengths()[Lane.TRANSACTIONAL] == 1
    assert backlog.queue.lengths()[Lane.SERVICE] == 50


class Table:
    """Messages by channel, and the pages of them that dispatch would read."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int]] = []
        self.pages = 0

    def read(self, backlog: Backlog, page: int) -> None:
        since = backlog.begin_reading()
        assert since is not None
        self.pages += 1
        rows = [row for row in self.rows if row[0] >= since.int][:page]
        for number, channel in rows:
            backlog.enqueue(Outgoing(message(number, channel)), read=True)
        backlog.table.end(len(rows), UUID(int=rows[-1][0] + 1) if len(rows) == page else None)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("accept"), st.integers(0, 2)),
            st.tuples(st.just("send"), st.integers(0, 2)),
            st.tuples(st.just("read"), st.integers(1, 5)),
        ),
        max_size=120,
    )
)
def test_nothing_is_lost_and_each_channel_keeps_its_order(course: list[tuple[str, int]]) -> None:
    """The order is given up only when little is left in the table: here it never is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog_module, "HIGH_WATER", 12)
        patch.setattr("gateway.services.unread.FEW", 0)
        flights = Flights()
        backlog = Backlog(flights, lambda each: CHANNELS[int(each.sender)], lambda: datetime.now(UTC))
        table = Table()
        accepted: dict[int, list[int]] = {0: [], 1: [], 2: []}
        sent: dict[int, list[int]] = {0: [], 1: [], 2: []}

        def send(channel: int, most: int) -> None:
            for outgoing, _ in backlog.queue.take(FakeOffer({f"route{channel}": most}), 1000):
                flights.let_go(outgoing)
                number = outgoing.message.id.int
                table.rows = [row for row in table.rows if row[0] != number]
                sent[channel].append(number)

        for number, (what, argument) in enumerate(course, 1):
            if what == "accept":
                table.rows.append((number, argument))
                accepted[argument].append(number)
                backlog.enqueue(Outgoing(message(number, argument)))
            elif what == "send":
                send(argument, 2)
            elif backlog.wants_more:
                table.read(backlog, argument)
            assert len(flights.open) <= 12
        for _ in range(200):  # channel after channel, until all has gone
            while backlog.wants_more:
                table.read(backlog, 5)
            for channel in accepted:
                send(channel, 3)
        assert sent == accepted
        assert backlog.oldest_open() is None


def test_a_dead_channels_rest_is_not_read_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that works and has a rest in the table passes the dead one's messages once."""
    monkeypatch.setattr(backlog_module, "HIGH_WATER", 100)
    monkeypatch.setattr("gateway.services.unread.FEW", 0)
    backlog = filled(0)
    table = Table()
    for number in range(1, 2001):
        channel = int(number % 4 == 0)
        table.rows.append((number, channel))
        backlog.enqueue(Outgoing(message(number, channel)))
    alive = 0
    while True:
        taken = backlog.queue.take(FakeOffer({"route1": 10}), 1000)
        for outgoing, _ in taken:
            backlog._flights.let_go(outgoing)
            table.rows.remove((outgoing.message.id.int, 1))
        alive += len(taken)
        if backlog.wants_more:
            table.read(backlog, 50)
        elif not taken:
            break
    assert alive == 500
    assert 33 <= backlog.queue.kept(CHANNELS[0]) <= 50
    assert table.pages < 2 * 2000 / 50
    assert not backlog.wants_more


def test_a_page_that_could_not_be_read_is_read_again() -> None:
    table = Unread()
    table.leave(UUID(int=5), CHANNELS[0])
    assert table.begin([CHANNELS[0]]) == UUID(int=5)
    table.leave(UUID(int=9), CHANNELS[0])
    table.give_up()
    assert table.since == {CHANNELS[0]: UUID(int=5)}
    assert table.begin([CHANNELS[0]]) == UUID(int=5)
    table.end(1, None)
    assert table.since == {}


def test_with_little_left_in_the_table_newcomers_wait_no_longer() -> None:
    """Else a steady stream would pass through the table for ever."""
    table = Unread()
    table.leave(UUID(int=5), CHANNELS[0])
    table.begin([CHANNELS[0]])
    table.leave(UUID(int=9), CHANNELS[0])
    table.end(1, None)
    assert table.waits_for(CHANNELS[0])
    assert table.begin([CHANNELS[0]]) == UUID(int=9)
    assert not table.waits_for(CHANNELS[0])
    table.end(1, None)
    assert table.since == {}


def test_another_routing_table_leaves_what_is_left_to_all_channels() -> None:
    table = Unread()
    for number in (7, 5):
        table.leave(UUID(int=number), CHANNELS[number % 3])
    table.sort_anew()
    assert table.since == {None: UUID(int=5)}
    assert table.waits_for(CHANNELS[0])


@pytest.mark.parametrize(
    ("channel", "passed_over"),
    [
        pytest.param(0, True, id="its channel waits in the table"),
        pytest.param(1, False, id="its channel is being read"),
        pytest.param(2, False, id="nothing of its channel is in the table"),
    ],
)
def test_what_was_read_out_of_its_turn_stays_in_the_table(channel: int, passed_over: bool) -> None:
    backlog = filled()
    backlog.table.leave(UUID(int=5), CHANNELS[0])
    backlog.table.leave(UUID(int=6), CHANNELS[1])
    backlog.table.begin([CHANNELS[1]])
    assert backlog.passes_over(message(4, channel)) is passed_over
    assert backlog.table.since.get(CHANNELS[0]) == UUID(int=4 if passed_over else 5)


async def test_what_ends_with_time_is_remembered_while_it_waits_only() -> None:
    flights = Flights()
    backlog = Backlog(flights, lambda _: Channel(EVERYWHERE, ""), lambda: START)
    for number in range(1, 5 * backlog_module.SPARE):
        backlog.enqueue(Outgoing(message_to(id=UUID(int=number), expires_at=START)))
        for outgoing, _ in backlog.queue.take(FakeOffer({"main": 1}), 1):
            flights.let_go(outgoing)
    assert len(backlog._ending) <= backlog_module.SPARE + 1
    assert backlog.take_overdue(10) == []
