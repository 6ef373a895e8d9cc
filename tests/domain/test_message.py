"""The table of a message's states, held to what can happen."""

import pytest

from gateway.domain.message import CANCELLABLE, FINAL, TRANSITIONS, Event, Status

BEFORE = (Status.QUEUED, Status.SCHEDULED, Status.HELD)
UNDER_WAY = (Status.SUBMITTING, Status.RETRYING, Status.UNKNOWN)
ANSWERS = (Event.ACCEPTED, Event.SUBMITTED, Event.REFUSED, Event.DEFERRED, Event.RETURNED, Event.LOST)
RECEIPTS = (Event.RECEIPT, Event.ARRIVED, Event.DELIVERED, Event.UNDELIVERED)

#: Every pair that a service can bring about.
POSSIBLE = [
    *((status, Event.RELEASED) for status in (Status.SCHEDULED, Status.HELD)),
    *((status, event) for status in BEFORE for event in (Event.CANCELLED, Event.OVERDUE, Event.STOPPED)),
    # nothing of it has left: put off, or an attempt that was taken back
    *(
        (status, event)
        for status in (Status.RETRYING, Status.SUBMITTING)
        for event in (Event.CANCELLED, Event.OVERDUE, Event.STOPPED)
    ),
    (Status.QUEUED, Event.ATTEMPT),
    *((status, Event.ATTEMPT) for status in UNDER_WAY),
    *((status, event) for status in UNDER_WAY for event in ANSWERS),
    *((status, event) for status in (*UNDER_WAY, Status.SUBMITTED) for event in RECEIPTS),
    (Status.SUBMITTED, Event.ACCEPTED),
    *(
        (status, event)
        for status in sorted(FINAL)
        for event in (*ANSWERS, Event.RECEIPT)
        if event is not Event.SUBMITTED
    ),
]


@pytest.mark.parametrize(("status", "event"), POSSIBLE, ids=str)
def test_every_pair_that_can_happen_is_in_the_table(status: Status, event: Event) -> None:
    assert (status, event) in TRANSITIONS


def test_the_table_holds_nothing_else() -> None:
    assert set(TRANSITIONS) == set(POSSIBLE)


@pytest.mark.parametrize("status", sorted(FINAL))
def test_final_is_final(status: Status) -> None:
    assert {after for (before, _), after in TRANSITIONS.items() if before is status} == {status}


def test_every_status_can_be_reached_and_left_unless_it_is_final() -> None:
    starts = {Status.QUEUED, Status.SCHEDULED, Status.HELD, Status.SUPPRESSED}
    reached = starts | set(TRANSITIONS.values())
    assert reached == set(Status)
    left = {before for (before, _), after in TRANSITIONS.items() if after is not before}
    assert left == set(Status) - FINAL


def test_what_is_with_the_smsc_can_not_be_taken_back() -> None:
    assert not CANCELLABLE & (FINAL | {Status.SUBMITTED, Status.UNKNOWN})


def test_an_unknown_message_is_settled_by_a_receipt_or_a_late_answer() -> None:
    unknown = Status.UNKNOWN
    assert TRANSITIONS[unknown, Event.DELIVERED] is Status.DELIVERED
    assert TRANSITIONS[unknown, Event.UNDELIVERED] is Status.FAILED
    assert TRANSITIONS[unknown, Event.SUBMITTED] is Status.SUBMITTED
