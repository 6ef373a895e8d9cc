"""Where each part of a text stands, read from the log."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.domain.message import Event, Message, Status, Step
from gateway.services.whereabouts import parts_of
from tests.services.road import message_to

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ID = UUID(int=7)


def text(segments: int = 2) -> Message:
    return message_to()._replace(bucket=7, id=ID, segments=segments)


def step(seq: int, kind: Event, status: Status, segment: int | None, **fields: object) -> Step:
    return Step(7, ID, seq, NOW, kind, status, segment, **fields)  # type: ignore[arg-type]


def sent(*kinds: tuple[Event, Status, int | None]) -> list[Step]:
    begun = [step(n, Event.ATTEMPT, Status.SUBMITTING, n, copy=1, route="main") for n in (1, 2)]
    return begun + [step(n, *each, copy=1) for n, each in enumerate(kinds, 3)]


TAKEN = ((Event.ACCEPTED, Status.SUBMITTING, 1), (Event.SUBMITTED, Status.SUBMITTED, 2))


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        pytest.param([], ["waiting", "waiting"], id="queued"),
        pytest.param([step(1, Event.OVERDUE, Status.EXPIRED, None)], ["not sent", "not sent"], id="expired"),
        pytest.param(sent(), ["submitting", "submitting"], id="sent"),
        pytest.param(
            sent((Event.LOST, Status.UNKNOWN, 1), (Event.DEFERRED, Status.UNKNOWN, 2)),
            ["unknown", "waiting"],
            id="unknown and put off",
        ),
        pytest.param(sent(*TAKEN), ["submitted", "submitted"], id="submitted"),
        pytest.param(
            sent(*TAKEN, (Event.ARRIVED, Status.SUBMITTED, 1)), ["delivered", "submitted"], id="one arrived"
        ),
        pytest.param(
            sent(*TAKEN, (Event.DELIVERED, Status.DELIVERED, 1)), ["delivered", "with it"], id="with it"
        ),
        pytest.param(
            sent(*TAKEN, (Event.UNDELIVERED, Status.FAILED, 2)), ["submitted", "failed"], id="one failed"
        ),
    ],
)
def test_each_part_tells_where_it_stands(steps: list[Step], states: list[str]) -> None:
    assert [part.state for part in parts_of(text(), steps)] == states


def test_a_part_tells_its_copies_route_and_ids() -> None:
    steps = [
        step(1, Event.ATTEMPT, Status.SUBMITTING, 1, copy=1, route="main"),
        step(2, Event.LOST, Status.UNKNOWN, 1, copy=1, route="main"),
        step(3, Event.ATTEMPT, Status.SUBMITTING, 1, copy=2, route="spare", reason="maybe_duplicate"),
        step(4, Event.SUBMITTED, Status.SUBMITTED, 1, copy=2, route="spare", smsc_id="b"),
        step(5, Event.ACCEPTED, Status.SUBMITTED, 1, copy=2, route="main", smsc_id="a"),
    ]
    (part,) = parts_of(text(1), steps)
    assert (part.number, part.state, part.copies, part.smsc_ids) == (1, "submitted", 2, ("b", "a"))


def test_there_are_as_many_as_the_text_was_really_cut_into() -> None:
    steps = [
        step(n, Event.ATTEMPT, Status.SUBMITTING, n, copy=1, route="main", detail="udh16/3")
        for n in (1, 2, 3)
    ]
    assert [part.number for part in parts_of(text(2), steps)] == [1, 2, 3]
