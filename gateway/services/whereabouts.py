"""Where each part of a message stands, for those who ask: the log, read as dispatch reads it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.domain.message import Event, Message, Status, Step
from gateway.services.flights import Leg, Outgoing, Segment


class PartState(StrEnum):
    """Where one short message of a text stands."""

    WAITING = "waiting"  #: not sent yet, or to be sent again
    SUBMITTING = "submitting"  #: its attempt is on record, the answer is not
    UNKNOWN = "unknown"  #: sent, and nobody knows what became of it
    SUBMITTED = "submitted"  #: the SMSC has it
    DELIVERED = "delivered"  #: its own receipt says so
    WITH_IT = "with it"  #: delivered, as the receipt of another part says for all of them
    FAILED = "failed"  #: refused, or undeliverable
    NOT_SENT = "not sent"  #: the message ended before


class Part(NamedTuple):
    """One short message of a text."""

    number: int  #: 1…n
    state: PartState
    copies: int  #: how often it was sent, refusals left out
    route: str | None
    smsc_ids: tuple[str, ...]  #: what the SMSC called it, copy by copy


_STATES: Final = {
    Leg.WAITING: PartState.WAITING,
    Leg.FLYING: PartState.SUBMITTING,
    Leg.UNKNOWN: PartState.UNKNOWN,
    Leg.TAKEN: PartState.SUBMITTED,
    Leg.ARRIVED: PartState.DELIVERED,
    Leg.LOST: PartState.FAILED,
}
_ANSWERS: Final = frozenset({Event.ACCEPTED, Event.SUBMITTED})


def parts_of(message: Message, steps: Sequence[Step]) -> list[Part]:
    """Each part, first to last; as many as the text was really cut into."""
    outgoing = Outgoing(message)
    outgoing.replay(steps)
    return [_part(segment, outgoing, steps) for segment in outgoing.segments]


def _part(segment: Segment, outgoing: Outgoing, steps: Sequence[Step]) -> Part:
    state = _STATES[segment.state]
    if outgoing.status is Status.DELIVERED and state is PartState.SUBMITTED:
        state = PartState.WITH_IT
    elif outgoing.final and state is PartState.WAITING:
        state = PartState.NOT_SENT
    of_it = [step for step in steps if step.segment == segment.number]
    answered = [step.smsc_id for step in of_it if step.kind in _ANSWERS and step.smsc_id]
    routes = [step.route for step in of_it if step.route]
    return Part(
        segment.number,
        state,
        segment.doubtful,
        routes[-1] if routes else None,
        tuple(dict.fromkeys(answered)),
    )
