"""A message to a customer: what was accepted, the steps it takes, and the table of its states."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class Lane(StrEnum):
    """The traffic class, most urgent first."""

    EMERGENCY = "emergency"
    TRANSACTIONAL = "transactional"
    SERVICE = "service"
    SURVEY = "survey"
    MARKETING = "marketing"


#: Lanes that a customer's opt-out does not stop.
ALWAYS_ALLOWED: Final = frozenset({Lane.EMERGENCY, Lane.TRANSACTIONAL})


class OnUnknown(StrEnum):
    """What to do when nobody can say whether the SMSC took it."""

    RESEND = "resend"  #: wait, then once more, flagged: a customer would miss it
    NEVER = "never"  #: not again by itself: a second copy would do harm


class Status(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"  #: accepted, goes as soon as a bind has room
    SCHEDULED = "scheduled"  #: the caller asked for a later time
    HELD = "held"  #: a rule asks for a later time
    SUBMITTING = "submitting"  #: an attempt is on record, its outcome is not
    RETRYING = "retrying"  #: the SMSC refused for now, or its attempt was taken back: it goes again
    UNKNOWN = "unknown"  #: an attempt was left without a response
    SUBMITTED = "submitted"  #: the SMSC has all of it
    DELIVERED = "delivered"  #: the handset has all of it
    FAILED = "failed"  #: it will not arrive, and the reason says why
    EXPIRED = "expired"  #: it lost its sense before it could go, or on the way
    SUPPRESSED = "suppressed"  #: a rule forbade it
    CANCELLED = "cancelled"  #: the caller took it back


class Event(StrEnum):
    """What can happen to a message; as `kind` it names the step on record."""

    RELEASED = "released"  #: its time has come
    ATTEMPT = "attempt"  #: about to be written to the SMSC
    ACCEPTED = "accepted"  #: the SMSC took this segment, others are still open
    SUBMITTED = "submitted"  #: the SMSC took the last open segment
    REFUSED = "refused"  #: the SMSC refused for good
    DEFERRED = "deferred"  #: the SMSC refused for now
    RETURNED = (
        "returned"  #: the attempt was taken back: nothing of it was written, or the SMSC did not look at it
    )
    LOST = "lost"  #: no response: the link broke, time ran out or we died
    RECEIPT = "receipt"  #: a receipt that decides nothing
    ARRIVED = "arrived"  #: a receipt says that this segment has arrived; others have not
    DELIVERED = "delivered"  #: the receipt that completes it
    UNDELIVERED = "undelivered"  #: a receipt says that it will not arrive
    OVERDUE = "overdue"  #: its time to live is over
    CANCELLED = "cancelled"  #: the caller's wish
    STOPPED = "stopped"  #: a rule, asked again before sending, forbade it


#: The machine. A pair that is missing cannot happen, and is an error if it does.
TRANSITIONS: Final[dict[tuple[Status, Event], Status]] = {
    **{(status, Event.RELEASED): Status.QUEUED for status in (Status.SCHEDULED, Status.HELD)},
    # While nothing of it has left; `submitting` when its attempts have yet to be written.
    **{
        (status, Event.CANCELLED): Status.CANCELLED
        for status in (Status.QUEUED, Status.SCHEDULED, Status.HELD, Status.RETRYING, Status.SUBMITTING)
    },
    **{
        (status, Event.OVERDUE): Status.EXPIRED
        for status in (Status.QUEUED, Status.SCHEDULED, Status.HELD, Status.RETRYING, Status.SUBMITTING)
    },
    **{
        (status, Event.STOPPED): Status.SUPPRESSED
        for status in (Status.QUEUED, Status.SCHEDULED, Status.HELD, Status.RETRYING, Status.SUBMITTING)
    },
    **{
        (status, Event.ATTEMPT): Status.SUBMITTING
        for status in (Status.QUEUED, Status.RETRYING, Status.UNKNOWN, Status.SUBMITTING)
    },
    (Status.SUBMITTING, Event.ACCEPTED): Status.SUBMITTING,
    (Status.SUBMITTING, Event.SUBMITTED): Status.SUBMITTED,
    (Status.SUBMITTING, Event.REFUSED): Status.FAILED,
    (Status.SUBMITTING, Event.DEFERRED): Status.RETRYING,
    (Status.SUBMITTING, Event.RETURNED): Status.RETRYING,
    (Status.SUBMITTING, Event.LOST): Status.UNKNOWN,
    # Other segments of the message answer while one of them waits or is unknown.
    (Status.RETRYING, Event.ACCEPTED): Status.RETRYING,
    (Status.RETRYING, Event.SUBMITTED): Status.SUBMITTED,  # a late response to the copy before
    (Status.RETRYING, Event.DEFERRED): Status.RETRYING,
    (Status.RETRYING, Event.RETURNED): Status.RETRYING,
    (Status.RETRYING, Event.REFUSED): Status.FAILED,
    (Status.RETRYING, Event.LOST): Status.UNKNOWN,
    (Status.UNKNOWN, Event.ACCEPTED): Status.UNKNOWN,
    (Status.UNKNOWN, Event.DEFERRED): Status.UNKNOWN,
    (Status.UNKNOWN, Event.RETURNED): Status.UNKNOWN,
    (Status.UNKNOWN, Event.LOST): Status.UNKNOWN,
    (Status.UNKNOWN, Event.SUBMITTED): Status.SUBMITTED,  # a late response, or the second sending
    (Status.UNKNOWN, Event.REFUSED): Status.FAILED,
    (Status.SUBMITTED, Event.ACCEPTED): Status.SUBMITTED,  # the second copy was taken as well
    # A receipt proves that the SMSC had it, whatever we know of the response.
    **{
        (status, event): outcome
        for status in (Status.SUBMITTING, Status.RETRYING, Status.UNKNOWN, Status.SUBMITTED)
        for event, outcome in (
            (Event.RECEIPT, status),
            (Event.ARRIVED, status),
            (Event.DELIVERED, Status.DELIVERED),
            (Event.UNDELIVERED, Status.FAILED),
        )
    },
    # Final is final: what comes after is on record and changes nothing.
    **{
        (status, event): status
        for status in (Status.DELIVERED, Status.FAILED, Status.EXPIRED, Status.SUPPRESSED, Status.CANCELLED)
        for event in (
            Event.RECEIPT,
            Event.ACCEPTED,
            Event.REFUSED,
            Event.DEFERRED,
            Event.RETURNED,
            Event.LOST,
        )
    },
}

FINAL: Final = frozenset(
    {Status.DELIVERED, Status.FAILED, Status.EXPIRED, Status.SUPPRESSED, Status.CANCELLED}
)

#: The caller may still take it back, if nothing of it is on its way to the SMSC.
CANCELLABLE: Final = frozenset(status for status, event in TRANSITIONS if event is Event.CANCELLED)


class Message(NamedTuple):
    """A message as accepted: one row of `messages`, in the order of its columns."""

    bucket: int
    id: UUID
    accepted_at: datetime
    msisdn: str
    sender: str
    lane: str
    category: str | None
    on_unknown: str
    template: str | None
    version: int | None
    language: str | None
    body: str
    encoding: str
    segments: int
    status: str
    reason: str | None
    due_at: datetime | None
    expires_at: datetime | None
    report: bool
    ref: str | None
    key_id: UUID | None
    request_id: str | None
    conversation_id: UUID | None
    handling: str | None = None  #: as `Handling.written` wrote it


class Step(NamedTuple):
    """One thing that happened to a message: one row of `steps`, in the order of its columns."""

    bucket: int
    message_id: UUID
    seq: int
    at: datetime
    kind: str
    status: str
    segment: int | None = None
    copy: int | None = None
    epoch: int | None = None
    route: str | None = None
    smsc_id: str | None = None
    command_status: int | None = None
    reason: str | None = None
    detail: str | None = None


def status_of(message: Message, steps: Sequence[Step]) -> Status:
    """The status after all steps so far; steps in the order of `seq`."""
    return Status(steps[-1].status if steps else message.status)
