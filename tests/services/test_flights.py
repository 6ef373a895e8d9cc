"""Memory of messages on their way, brought to where their log ends."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.domain.message import Event, Message, Status, Step
from gateway.services.flights import Leg, Outgoing

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
