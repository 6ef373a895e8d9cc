"""Memory of messages on their way, brought to where their log ends."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.domain.message import Event, Message, Status, Step
from gateway.services.flights import Flights, Leg, Outgoing, Segment

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ID = UUID(int=7)


def message(segments: int) -> Message:
    return Message(
        7, ID, NOW, "8613905310001", "10086", "service", None, "resend", None, None, None, "text", "ucs2",
        segments, "queued", None, None, None, True, None, None, None, None,
    )  # fmt: skip


def log_of(*happened: tuple[Event, Status, int, str | None]) -> list[Step]:
    return [
        Step(7, ID, seq, NOW, kind, status, segment, 1, reason=reason)
        for seq, (kind, status, segment, reason) in enumerate(happened, 1)
    ]


SENT = (
    (Event.ATTEMPT, Status.SUBMITTING, 1, None),
    (Event.ATTEMPT, Status.SUBMITTING, 2, None),
    (Event.ACCEPTED, Status.SUBMITTING, 1, None),
    (Event.SUBMITTED, Status.SUBMITTED, 2, None),
)


@pytest.mark.parametrize(
    ("then", "legs"),
    [
        pytest.param((), [Leg.TAKEN, Leg.TAKEN], id="taken"),
        pytest.param(
            ((Event.ARRIVED, Status.SUBMITTED, 1, "DELIVERED 000"),),
            [Leg.ARRIVED, Leg.TAKEN],
            id="one part arrived",
        ),
        pytest.param(
            ((Event.RECEIPT, Status.SUBMITTED, 1, "ENROUTE"),),
            [Leg.TAKEN, Leg.TAKEN],
            id="one part under way",
        ),
        pytest.param(
            (
                (Event.ARRIVED, Status.SUBMITTED, 1, "DELIVERED 000"),
                (Event.ACCEPTED, Status.SUBMITTED, 1, "maybe_duplicate"),
            ),
            [Leg.ARRIVED, Leg.TAKEN],
            id="one part arrived, then its other copy was taken",
        ),
    ],
)
def test_what_has_arrived_is_known_after_a_restart(
    then: tuple[tuple[Event, Status, int, str | None], ...], legs: list[Leg]
) -> None:
    outgoing = Outgoing(message(2))
    outgoing.replay(log_of(*SENT, *then))
    assert [segment.state for segment in outgoing.segments] == legs


def attempt(seq: int, segment: int, detail: str | None = None) -> Step:
    return Step(7, ID, seq, NOW, Event.ATTEMPT, Status.SUBMITTING, segment, 1, detail=detail)


@pytest.mark.parametrize(
    ("detail", "segments", "cut", "reference", "silent"),
    [
        pytest.param(None, 2, "udh8/2", 0, False, id="as usual"),
        pytest.param("sar/3", 3, "sar/3", 0x300, False, id="another join"),
        pytest.param("udh8/3#41", 3, "udh8/3#41", 41, False, id="another reference"),
        pytest.param("payload/1 silent", 1, "payload/1", 0x300, True, id="silent"),
        pytest.param("udh8/2 silent", 2, "udh8/2", 0, True, id="as usual, but silent"),
    ],
)
def test_how_it_was_cut_is_known_after_a_restart(
    detail: str | None, segments: int, cut: str, reference: int, silent: bool
) -> None:
    outgoing = Outgoing(message(2)._replace(id=UUID(int=0x300 << 16)))
    outgoing.replay([attempt(1, 1, detail)])
    assert (len(outgoing.segments), outgoing.cut, outgoing.reference) == (segments, cut, reference)
    assert (outgoing.segments[0].silent, outgoing.segments[0].state) == (silent, Leg.FLYING)
    assert outgoing.told_of(outgoing.segments[0]) == detail


def test_a_message_that_was_cut_anew_is_known_by_its_last_cut() -> None:
    put_off = Step(
        7, ID, 2, NOW, Event.DEFERRED, Status.RETRYING, 1, 1, reason="queue full", detail=NOW.isoformat()
    )
    outgoing = Outgoing(message(1))
    outgoing.replay([attempt(1, 1), put_off, attempt(3, 1, "udh16/2"), attempt(4, 2, "udh16/2")])
    assert [segment.state for segment in outgoing.segments] == [Leg.FLYING, Leg.FLYING]
    assert [(segment.refusals, segment.patience) for segment in outgoing.segments] == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    ("reason", "patience"),
    [
        pytest.param("queue full", 1, id="because of its recipient"),
        pytest.param("sender refused by the SMSC: invalid source", 0, id="because of its sender"),
    ],
)
def test_patience_is_used_up_by_recipients_alone(reason: str, patience: int) -> None:
    outgoing = Outgoing(message(1))
    put_off = Step(7, ID, 2, NOW, Event.DEFERRED, Status.RETRYING, 1, 1, reason=reason)
    outgoing.replay([attempt(1, 1), put_off])
    segment = outgoing.segments[0]
    assert (segment.patience, segment.refusals, segment.doubtful) == (patience, 1, 0)


def test_an_attempt_that_was_taken_back_is_no_copy() -> None:
    outgoing = Outgoing(message(1))
    back = Step(7, ID, 2, NOW, Event.RETURNED, Status.RETRYING, 1, 1)
    outgoing.replay([attempt(1, 1), back])
    segment = outgoing.segments[0]
    assert (segment.state, segment.copy, segment.doubtful) == (Leg.WAITING, 0, 0)
    assert outgoing.untouched
    lost = Step(7, ID, 4, NOW, Event.LOST, Status.UNKNOWN, 1, 1)
    second = attempt(5, 1)._replace(copy=2)
    outgoing.replay([attempt(3, 1), lost, second, back._replace(seq=6, copy=2)])
    assert (segment.copy, segment.doubtful, outgoing.untouched) == (1, 1, False)


def taken(number: int, at: datetime = NOW) -> Segment:
    segment = Outgoing(message(3)._replace(id=UUID(int=number << 16))).segments[0]
    segment.state, segment.route, segment.sent_at = Leg.TAKEN, "main", at
    return segment


def test_what_awaits_its_receipt_is_counted_by_route_with_its_oldest() -> None:
    flights = Flights()
    for n in range(3):
        flights.await_receipt("main", f"id{n}", taken(n, NOW + timedelta(minutes=n)))
    flights.await_receipt("other", "id0", taken(9))
    assert flights.awaiting_of("main") == (3, NOW)
    assert flights.awaiting_of("nowhere") == (0, None)
    flights.forget("main", "id0")
    assert flights.awaiting_of("main") == (2, NOW + timedelta(minutes=1))
    flights.await_receipt("main", "id1", taken(5, NOW + timedelta(minutes=5)))  # the id is used again
    assert flights.awaiting_of("main") == (2, NOW + timedelta(minutes=2))


def test_a_receipt_that_never_comes_is_not_waited_for_for_ever() -> None:
    flights = Flights()
    for n in range(3):
        flights.await_receipt("main", f"id{n}", taken(n, NOW))
    flights.await_receipt("main", "new", taken(9, NOW + timedelta(days=8)))
    assert flights.awaiting_of("main") == (2, NOW)
    flights.await_receipt("main", "newer", taken(10, NOW + timedelta(days=8)))
    assert flights.awaiting_of("main") == (2, NOW + timedelta(days=8))


def test_an_id_given_to_another_is_not_forgotten_with_the_first() -> None:
    flights = Flights()
    first, second = taken(1), taken(2)
    flights.await_receipt("main", "same", first)
    flights.await_receipt("main", "same", second)
    flights.forget("main", "same", first)
    assert flights.find("main", "same") is second


def test_memory_gives_up_the_oldest_of_the_route_with_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flights, "AWAITING", 3)
    flights = Flights()
    for n in range(3):
        flights.await_receipt("main", f"id{n}", taken(n))
    flights.await_receipt("other", "id", taken(7))
    assert flights.find("main", "id0") is None
    assert (flights.awaiting, flights.awaiting_of("main")[0]) == (3, 2)
