"""What a confirmation is: its statuses and the table of their changes, what was offered, what has happened so
far, and all of that as others get it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.domain.ids import Kind, public
from gateway.domain.testimony import Service

#: The touchpoint of all confirmations.
TOUCHPOINT: Final = "confirmation"


class Status(StrEnum):
    """Where a confirmation stands."""

    PENDING = "pending"  #: asked, no answer yet
    ACCEPTED = "accepted"  #: the customer said yes, and a person looks at it before anything is activated
    ACTIVATING = "activating"  #: the activation call is owed, and not yet answered
    ACTIVE = "active"  #: the service platform has taken it
    ACTIVATION_FAILED = "activation_failed"  #: the service platform has not; nothing was charged
    DECLINED = "declined"
    EXPIRED = "expired"  #: its time is over, or the question could not be delivered
    CANCELLED = "cancelled"  #: taken back: by the caller, or by the customer after a yes


class Happening(StrEnum):
    """What can happen to a confirmation."""

    AGREED = "agreed"  #: a clear yes to it, in time
    REFUSED = "refused"
    UNCLEAR = "unclear"  #: words that are neither
    OVERDUE = "overdue"  #: the time for an answer is over
    UNDELIVERED = "undelivered"  #: the question will never arrive
    WITHDRAWN = "withdrawn"  #: the caller's wish
    SUPERSEDED = "superseded"  #: the same service was offered to this customer anew
    CALLED = "called"  #: the activation call is owed
    ACTIVATED = "activated"  #: the service platform has taken it
    FAILED = "failed"  #: it refused, or could not be reached
    RETRACTED = "retracted"  #: a no soon after the yes
    RELEASED = "released"  #: the service platform has cancelled it again


#: Nothing was called yet: it can be taken back.
CANCELLABLE: Final = (Status.PENDING, Status.ACCEPTED)
#: The customer has agreed, and it may be or become active.
AGREED: Final = (Status.ACCEPTED, Status.ACTIVATING, Status.ACTIVE, Status.ACTIVATION_FAILED)
OVER: Final = (Status.DECLINED, Status.EXPIRED, Status.CANCELLED)

#: The machine. A pair that is missing cannot happen, and is an error if it does.
TRANSITIONS: Final[dict[tuple[Status, Happening], Status]] = {
    (Status.PENDING, Happening.AGREED): Status.ACCEPTED,
    (Status.PENDING, Happening.REFUSED): Status.DECLINED,
    (Status.PENDING, Happening.UNCLEAR): Status.PENDING,  # asked once more, then for a person; never a yes
    (Status.PENDING, Happening.OVERDUE): Status.EXPIRED,
    (Status.PENDING, Happening.UNDELIVERED): Status.EXPIRED,
    (Status.PENDING, Happening.WITHDRAWN): Status.CANCELLED,
    (Status.PENDING, Happening.SUPERSEDED): Status.CANCELLED,
    (Status.ACCEPTED, Happening.CALLED): Status.ACTIVATING,
    (Status.ACCEPTED, Happening.REFUSED): Status.DECLINED,  # a person: this was no yes
    (Status.ACCEPTED, Happening.RETRACTED): Status.CANCELLED,
    (Status.ACCEPTED, Happening.WITHDRAWN): Status.CANCELLED,
    (Status.ACTIVATING, Happening.ACTIVATED): Status.ACTIVE,
    (Status.ACTIVATING, Happening.FAILED): Status.ACTIVATION_FAILED,
    (Status.ACTIVATING, Happening.RETRACTED): Status.ACTIVATING,  # cancelled when it is active
    (Status.ACTIVE, Happening.RETRACTED): Status.ACTIVE,  # until the platform has cancelled it
    (Status.ACTIVE, Happening.RELEASED): Status.CANCELLED,
    (Status.ACTIVATION_FAILED, Happening.ACTIVATED): Status.ACTIVE,  # sent again by hand
    (Status.ACTIVATION_FAILED, Happening.FAILED): Status.ACTIVATION_FAILED,
    (Status.ACTIVATION_FAILED, Happening.RETRACTED): Status.ACTIVATION_FAILED,
}


class Why(StrEnum):
    """Why a confirmation ended, or why a reply to it is for a person or was no answer."""

    UNDELIVERABLE = "undeliverable"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    RETRACTED = "retracted"
    NOT_UNDERSTOOD = "not-understood"
    GARBLED = "garbled"  #: its octets are not well-formed, whatever was read in them
    ELSEWHERE = "elsewhere"  #: written to another number than the question came from
    BEFORE_PROMPT = "before-prompt"  #: the question had not been sent yet
    AMBIGUOUS = "ambiguous"  #: may be meant for something else: only the code tells
    LATE = "late"
    REVIEW = "review"
    ASKS_FOR_HELP = "asks-for-help"
    NOT_CANCELLED = "not-cancelled"


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was offered, and how it was asked. Never changes."""

    service: Service
    text: str  #: of the prompt
    deadline: str  #: RFC 3339, in the operator's time zone
    channel: str | None = None
    ref: str | None = None
    code: str | None = None  #: the digits that an answer may have to repeat
    bare: bool = True  #: the prompt named no code: a bare word may be the answer
    language: str | None = None


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far."""

    unclear: UUID | None = None  #: the last reply in time that was not understood
    clarified_at: datetime | None = None
    agreed_at: datetime | None = None
    agreed_in: UUID | None = None  #: the reply that said yes
    answered_at: datetime | None = None  #: yes or no
    person: str | None = None  #: who read the answer
    held: str | None = None  #: why a person looks at the yes
    activated_at: datetime | None = None
    retracted_at: datetime | None = None
    retracted_in: UUID | None = None
    cancelled_at: datetime | None = None
    reason: str | None = None
    answered_by_us: tuple[datetime, ...] = ()


class Confirmation(NamedTuple):
    """One confirmation: one row of `conversations`, in the order of its columns."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str  #: access number and extension: where the answer comes in
    touchpoint: str
    ticket_id: str | None
    status: Status
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None  #: the prompt
    subject: Subject
    state: State
    version: int


def report(confirmation: Confirmation) -> dict[str, Any]:
    """All that is known of a confirmation, as the service platform and webhooks get it."""
    subject, state = confirmation.subject, confirmation.state
    return {
        "confirmation": public(Kind.CONFIRMATION, confirmation.id),
        "to": confirmation.msisdn,
        "service": msgspec.structs.asdict(subject.service),
        "channel": subject.channel,
        "ref": subject.ref,
        "status": confirmation.status,
        "reason": state.reason,
        "held": state.held,
        "asked_at": confirmation.opened_at,
        "expires_at": confirmation.expires_at,
        "answered_at": state.answered_at,
        "activated_at": state.activated_at,
        "cancelled_at": state.cancelled_at,
        "set_by_person": state.person is not None,
        "person": state.person,
    }
