"""The queue, and messages brought to where their log ends."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Event, Lane, Status, Step
from gateway.services.flights import WEIGHTS, Flights, Leg, Outgoing, Queue
from tests.services.road import ANNA, BEN, LONG, START, message_to


def outgoing(lane: str = Lane.SERVICE, body: str = "x") -> Outgoing:
    return Outgoing(message_to(lane=lane, body=body))


@given(
    st.lists(st.tuples(st.sampled_from(Lane), st.sampled_from(["x", LONG])), max_size=60), st.integers(1, 30)
)
def test_all_that_is_put_is_taken_once_and_in_the_order_of_its_lane(
    put: list[tuple[Lane, str]], room: int
) -> None:
    queue = Queue()
    all_of_it = [outgoing(lane, body) for lane, body in put]
    for each in all_of_it:
        queue.put(each)
    taken: list[Outgoing] = []
    while len(queue):
        batch = queue.take(room)
        assert batch
        assert sum(o.message.segments for o in batch[:-1]) < room
        taken += batch
    assert set(map(id, taken)) == set(map(id, all_of_it))
    for lane in Lane:
        assert in_lane(taken, lane) == in_lane(all_of_it, lane)


def in_lane(those: Sequence[Outgoing], lane: Lane) -> list[int]:
    return [id(each) for each in those if each.message.lane == lane]


def test_what_comes_back_goes_first() -> None:
    queue = Queue()
    first, second, third = outgoing(), outgoing(), outgoing()
    queue.put(third)
    queue.put_first([first, second])
    assert queue.take(10) == [first, second, third]
    assert len(queue) == 0
    assert set(queue.lengths()) == set(Lane) == {*WEIGHTS, Lane.EMERGENCY}


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


def test_memory_of_unknown_messages_is_bounded() -> None:
    flights = Flights()
    flights.UNKNOWN = 1  # type: ignore[misc]
    first, second = (Outgoing(message_to(msisdn)).segments[0] for msisdn in (ANNA, BEN))
    for segment in (first, second):
        segment.state = Leg.UNKNOWN
        flights.mark_unknown(segment)
    assert flights.only_unknown_to(ANNA) is None
    assert flights.only_unknown_to(BEN) is second
