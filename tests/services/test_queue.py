"""The queue, and messages brought to where their log ends."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import IdSource
from gateway.domain.message import Event, Lane, Message, Status, Step
from gateway.domain.steering import Course
from gateway.services import queue as queue_module
from gateway.services.carrier import Channel
from gateway.services.flights import Flights, Leg, Outgoing
from gateway.services.queue import WEIGHTS, Queue
from tests.services.road import ANNA, BEN, LONG, START, message_to


def outgoing(lane: str = Lane.SERVICE, body: str = "x", to: str = ANNA) -> Outgoing:
    return Outgoing(message_to(to, lane=lane, body=body))


COURSES = [Course(number, f"{number}", ((f"route{number}", 1),)) for number in range(3)]


def channel_of(message: Message) -> Channel:
    """By the last digit of the number."""
    return Channel(COURSES[int(message.msisdn[-1]) % 3], "")


class Room:
    """An offer of so many segments on each route."""

    def __init__(self, *room: int, busy: Iterable[str] = (), once: bool = False) -> None:
        """`busy`: numbers that take nothing more; `once`: each takes one message."""
        self.room = list(room)
        self.busy = set(busy)
        self.once = once

    def place(self, channel: Channel, segments: int, msisdn: str = "") -> str | None:
        number = channel.course.number
        if self.room[number] <= 0:
            return None
        self.room[number] -= segments
        if self.once:
            self.busy.add(msisdn)
        return f"route{number}"

    def takes(self, msisdn: str) -> bool:
        return msisdn not in self.busy


PLENTY = 1_000_000
TO = [f"861390531000{digit}" for digit in range(3)]
PUT = st.lists(
    st.tuples(st.sampled_from(Lane), st.sampled_from(["x", LONG]), st.sampled_from(TO)), max_size=60
)


@given(PUT, st.integers(1, 30), st.lists(st.booleans(), max_size=30))
def test_all_that_is_put_is_taken_once_and_in_the_order_of_its_channel(
    put: list[tuple[Lane, str, str]], room: int, returned: list[bool]
) -> None:
    queue = Queue(channel_of)
    all_of_it = [outgoing(*each) for each in put]
    for each in all_of_it:
        queue.put(each)
    taken: list[Outgoing] = []
    comes_back = iter(returned)
    while len(queue):
        batch = [message for message, _ in queue.take(Room(PLENTY, PLENTY, PLENTY), room)]
        assert batch
        assert sum(o.message.segments for o in batch[:-1]) < room
        if next(comes_back, False):
            queue.put_first(batch)
        else:
            taken += batch
        assert len(queue) == sum(queue.lengths().values()) == sum(queue.lengths_by_channel().values())
    assert set(map(id, taken)) == set(map(id, all_of_it))
    for lane in Lane:
        for to in TO:
            assert of(taken, lane, to) == of(all_of_it, lane, to)


@given(
    st.lists(st.tuples(st.sampled_from(Lane), st.integers(0, 5)), max_size=60),
    st.lists(st.tuples(st.sets(st.integers(0, 5)), st.integers(1, 9), st.booleans()), max_size=20),
    st.booleans(),
)
def test_busy_numbers_let_the_others_pass_and_none_overtakes_to_its_number(
    put: list[tuple[Lane, int]], rounds: list[tuple[set[int], int, bool]], anew: bool
) -> None:
    queue = Queue(lambda message: Channel(COURSES[0], ""))
    all_of_it = [
        Outgoing(message_to(f"861390531000{digit}", lane=lane, id=UUID(int=n)))
        for n, (lane, digit) in enumerate(put)
    ]
    waiting = iter(all_of_it)
    for each in [next(waiting) for _ in range(len(all_of_it) // 2)]:
        queue.put(each)
    taken: list[Outgoing] = []
    rounds = [*rounds, *((set[int](), PLENTY, False) for _ in all_of_it)]
    for at, (busy, room, back) in enumerate(rounds):
        offer = Room(room, busy={f"861390531000{digit}" for digit in busy}, once=True)
        batch = [message for message, _ in queue.take(offer, PLENTY)]
        assert not {message.message.msisdn[-1] for message in batch} & {str(digit) for digit in busy}
        if back:
            queue.put_first(batch)
        else:
            taken += batch
        if (late := next(waiting, None)) is not None:
            queue.put(late)
        if anew and at == 3 and not any(back for *_, back in rounds):
            queue.sort_anew()
        assert len(queue) == sum(queue.lengths().values()) == sum(queue.lengths_by_channel().values())
    for each in waiting:
        queue.put(each)
    while len(queue):
        taken += [message for message, _ in queue.take(Room(PLENTY, once=True), PLENTY)]
    assert set(map(id, taken)) == set(map(id, all_of_it))
    for lane in Lane:
        for digit in range(6):
            to = f"861390531000{digit}"
            assert of(taken, lane, to) == of(all_of_it, lane, to)


def test_one_number_with_much_to_come_holds_nobody_up() -> None:
    queue = Queue(lambda message: Channel(COURSES[0], ""))
    much = [outgoing(to=TO[0]) for _ in range(600)]
    others = [outgoing(to=f"86139{10_000_000 + n}") for n in range(100)]
    for each in much + others:
        queue.put(each)
    taken = [message for message, _ in queue.take(Room(100, once=True), PLENTY)]
    assert taken == [much[0], *others[:99]]
    taken = [message for message, _ in queue.take(Room(100, busy={TO[0]}), PLENTY)]
    assert taken == others[99:]
    assert [message for message, _ in queue.take(Room(100, once=True), PLENTY)] == [much[1]]


def test_a_round_sets_aside_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "SET_ASIDE", 10)
    queue = Queue(lambda message: Channel(COURSES[0], ""))
    much, other = [outgoing(to=TO[0]) for _ in range(25)], outgoing(to=TO[1])
    for each in [*much, other]:
        queue.put(each)
    taken = [len(queue.take(Room(PLENTY, busy={TO[0]}), PLENTY)) for _ in range(3)]
    assert taken == [0, 0, 1]


def of(those: Sequence[Outgoing], lane: Lane, to: str) -> list[int]:
    return [id(each) for each in those if each.message.lane == lane and each.message.msisdn == to]


@given(PUT, st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), max_size=20))
def test_no_route_gets_more_than_it_has_room_for_and_none_goes_while_another_can(
    put: list[tuple[Lane, str, str]], rooms: list[list[int]]
) -> None:
    queue = Queue(channel_of)
    for each in put:
        queue.put(outgoing(*each))
    for room in rooms:
        before = queue.lengths_by_channel()
        offer = Room(*room)
        batch = queue.take(offer, PLENTY)
        for number, course in enumerate(COURSES):
            mine = [message for message, route in batch if route == f"route{number}"]
            assert all(channel_of(message.message).course is course for message in mine)
            assert sum(message.message.segments for message in mine[:-1]) < max(room[number], 1)
            left = queue.kept(Channel(course, ""))
            assert left + len(mine) == before.get(Channel(course, ""), 0)
            assert not (left and offer.room[number] > 0)


def test_lanes_share_one_route_by_weight_however_little_room_there_is() -> None:
    queue = Queue(channel_of)
    for lane in WEIGHTS:
        for _ in range(200):
            queue.put(outgoing(lane))
    taken = Counter(queue.take(Room(1, 1, 1), PLENTY)[0][0].message.lane for _ in range(200))
    assert taken == {lane: weight * 2 for lane, weight in WEIGHTS.items()}


def test_a_lane_that_was_empty_has_saved_nothing_up() -> None:
    queue = Queue(channel_of)
    for _ in range(300):
        queue.put(outgoing(Lane.MARKETING))
    queue.take(Room(100, 100, 100), PLENTY)
    for _ in range(100):
        queue.put(outgoing(Lane.SURVEY))
    taken = Counter(message.message.lane for message, _ in queue.take(Room(50, 50, 50), PLENTY))
    assert taken[Lane.SURVEY] in (30, 31)
    assert taken.total() == 50


def test_emergency_goes_before_all() -> None:
    queue = Queue(channel_of)
    for _ in range(10):
        queue.put(outgoing(Lane.TRANSACTIONAL))
    for _ in range(10):
        queue.put(outgoing(Lane.EMERGENCY))
    lanes = [message.message.lane for message, _ in queue.take(Room(15, 15, 15), PLENTY)]
    assert lanes == [Lane.EMERGENCY] * 10 + [Lane.TRANSACTIONAL] * 5


def test_the_channels_of_a_lane_take_turns() -> None:
    queue = Queue(channel_of)
    for to in (TO[0], TO[1]):
        for _ in range(10):
            queue.put(outgoing(to=to))
    routes = [route for _, route in queue.take(Room(PLENTY, PLENTY, PLENTY), 4)]
    assert sorted(routes) == ["route0", "route0", "route1", "route1"]


def test_what_waits_for_a_route_that_is_down_is_not_touched() -> None:
    """A round looks at the head of each channel, and no further."""
    queue = Queue(channel_of)
    for _ in range(1000):
        queue.put(outgoing(to=TO[0]))
    for _ in range(10):
        queue.put(outgoing(to=TO[1]))
    asked: list[int] = []
    offer = Room(0, 5, 0)
    place = offer.place

    def counted(channel: Channel, segments: int, msisdn: str = "") -> str | None:
        asked.append(channel.course.number)
        return place(channel, segments, msisdn)

    offer.place = counted  # type: ignore[method-assign]
    assert len(queue.take(offer, PLENTY)) == 5
    assert asked.count(0) == 1
    assert queue.pressed


@pytest.mark.parametrize(
    ("room", "pressed"), [pytest.param(3, False, id="room for all"), pytest.param(2, True, id="not for all")]
)
def test_it_tells_whether_more_waits_for_a_route_that_works(room: int, pressed: bool) -> None:
    queue = Queue(channel_of)
    for _ in range(3):
        queue.put(outgoing())
    queue.put(outgoing(to=TO[2]))  # its route has no room at all: nothing is gained by waiting
    queue.take(Room(0, room, 0), PLENTY)
    assert queue.pressed is pressed


def test_what_comes_back_goes_first() -> None:
    queue = Queue(channel_of)
    first, second, third = outgoing(), outgoing(), outgoing()
    queue.put(third)
    queue.put_first([first, second])
    offer = Room(PLENTY, PLENTY, PLENTY)
    assert [message for message, _ in queue.take(offer, 10)] == [first, second, third]
    assert len(queue) == 0
    assert set(queue.lengths()) == set(Lane) == {*WEIGHTS, Lane.EMERGENCY}


def test_another_table_sorts_what_waits_anew_in_the_order_of_acceptance() -> None:
    courses = dict.fromkeys(TO[:2], COURSES[0]) | {TO[1]: COURSES[1]}
    queue = Queue(lambda message: Channel(courses[message.msisdn], ""))
    ids = IdSource()
    put = [Outgoing(message_to(TO[n % 2], ids=ids, id=UUID(int=n))) for n in range(20)]
    for each in put:
        queue.put(each)
    courses[TO[1]] = COURSES[0]
    queue.sort_anew()
    assert queue.lengths_by_channel() == {Channel(COURSES[0], ""): 20}
    assert [message for message, _ in queue.take(Room(PLENTY, 0, 0), PLENTY)] == put


def test_any_message_can_be_taken_out() -> None:
    queue = Queue(channel_of)
    first, second, third, strange = (outgoing() for _ in range(4))
    for each in (first, second, third):
        queue.put(each)
    assert [queue.remove(each) for each in (second, second, strange)] == [True, False, False]
    assert len(queue) == queue.lengths()[Lane.SERVICE] == 2
    assert [message for message, _ in queue.take(Room(9, 9, 9), PLENTY)] == [first, third]
    assert not queue.lengths_by_channel()


def test_what_is_put_twice_waits_once() -> None:
    queue = Queue(channel_of)
    first, second = outgoing(), outgoing()
    for each in (first, second, first):
        queue.put(each)
    queue.put_first([second])
    assert len(queue) == 2
    assert [message for message, _ in queue.take(Room(9, 9, 9), PLENTY)] == [second, first]


def test_what_is_aside_can_be_taken_out() -> None:
    queue = Queue(lambda message: Channel(COURSES[0], ""))
    old, new, other = outgoing(), outgoing(), outgoing(to=BEN)
    for each in (old, new, other):
        queue.put(each)
    assert [message for message, _ in queue.take(Room(1, busy={ANNA}), PLENTY)] == [other]
    assert [queue.remove(each) for each in (old, old)] == [True, False]
    assert [message for message, _ in queue.take(Room(9), PLENTY)] == [new]
    assert not len(queue)


def test_a_message_is_brought_to_where_its_log_ends() -> None:
    long = outgoing(body=LONG)
    message = long.message
    log = [
        (Event.ATTEMPT, Status.SUBMITTING, 1, 1),
        (Event.ATTEMPT, Status.SUBMITTING, 2, 1),
        (Event.ACCEPTED, Status.SUBMITTING, 1, 1),
        (Event.DEFERRED, Status.RETRYING, 2, 1),
        (Event.ATTEMPT, Status.SUBMITTING, 2, 2),
        (Event.LOST, Status.UNKNOWN, 2, 2),
        (Event.ARRIVED, Status.UNKNOWN, 1, 1),
    ]
    long.replay(
        Step(message.bucket, message.id, n, START, kind, status, number, copy)
        for n, (kind, status, number, copy) in enumerate(log, 1)
    )
    assert (long.seq, long.status) == (7, Status.UNKNOWN)
    assert [each.state for each in long.segments] == [Leg.ARRIVED, Leg.UNKNOWN]
    assert [each.doubtful for each in long.segments] == [1, 1]
    assert long.busy
    assert not long.untouched


def test_memory_of_copies_without_an_answer_is_bounded() -> None:
    flights = Flights()
    segment, other = (Outgoing(message_to(ANNA)).segments[0] for _ in range(2))
    flights.lose(other)
    for _ in range(flights.NAMELESS):
        flights.lose(segment)
    assert flights.nameless(segment) == (flights.NAMELESS, None)
    assert flights.nameless(other) == (0, None)
    for _ in range(flights.NAMELESS + 1):
        flights.find_again(segment)
    assert not flights._nameless


def test_a_copy_so_old_that_no_receipt_is_waited_for_is_forgotten() -> None:
    flights = Flights()
    old, new = (Outgoing(message_to(ANNA)).segments[0] for _ in range(2))
    old.sent_at, new.sent_at = START, START + flights.LONGEST + timedelta(seconds=1)
    for segment in (old, new):
        flights.lose(segment)
    assert flights.nameless(old) == (0, None)
    assert flights.nameless(new) == (1, new.sent_at)


def test_what_is_unknown_is_told_apart_by_the_routes_of_its_copies() -> None:
    flights = Flights()
    twice, once = (Outgoing(message_to(ANNA)).segments[0] for _ in range(2))
    for segment, routes in ((twice, ["north", "south"]), (once, ["south"])):
        segment.state = Leg.UNKNOWN
        flights.mark_unknown(segment)
        flights.lose(segment, routes)
    assert flights.only_unknown_to(ANNA, "north") is twice
    assert flights.only_unknown_to(ANNA, "south") is None
    assert flights.only_unknown_to(ANNA, "west") is None
    flights.find_again(twice, "south")
    assert flights.only_unknown_to(ANNA, "south") is once
    assert flights.only_unknown_to(ANNA, "north") is twice


def test_memory_of_unknown_messages_is_bounded() -> None:
    flights = Flights()
    flights.UNKNOWN = 1  # type: ignore[misc]
    first, second = (Outgoing(message_to(msisdn)).segments[0] for msisdn in (ANNA, BEN))
    for segment in (first, second):
        segment.state = Leg.UNKNOWN
        flights.mark_unknown(segment)
        flights.lose(segment)
    assert flights.only_unknown_to(ANNA, "") is None
    assert flights.only_unknown_to(BEN, "") is second
