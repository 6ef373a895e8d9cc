"""What evidence says: the kinds of entries about a confirmation, and what stands in each.

Each body is a copy of what was known then. It is never looked up again, for other tables forget. Octets are
written in hexadecimal, amounts as text.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain.evidence import New, canonical
from gateway.domain.ids import bucket_of_id
from gateway.domain.message import Event, Message, Step, status_of


class Kind(StrEnum):
    """What an entry is about."""

    OFFERED = "offered"  #: the offer was taken in, and the question that asks for a yes
    SAID = "said"  #: an SMS of ours was written: asked again, a receipt, how things stand
    CARRIED = "carried"  #: what the SMSC and the phone did with an SMS of ours, so far
    REPLIED = "replied"  #: the customer wrote
    UNDERSTOOD = "understood"  #: how that was read, and why
    CALLED = "called"  #: a call to the system that activates is owed
    ANSWERED = "answered"  #: what that system said
    BECAME = "became"  #: the confirmation's status


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an entry. Fields may be added: they have defaults, for old entries stay as they are."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold."""

    code: str
    name: str
    price: str  #: as it was offered
    period: str


class Offered(Body, frozen=True, kw_only=True):
    """The offer, whole, and the exact text that asks."""

    to: str  #: E.164 digits
    address: str  #: access number and extension that it goes out from
    service: Service
    text: str
    expires_at: datetime
    channel: str | None = None  #: where the customer was offered it
    ref: str | None = None
    code: str | None = None  #: to be repeated with the yes
    language: str | None = None
    template: str | None = None
    version: int | None = None
    message_id: UUID | None = None
    key_id: UUID | None = None  #: the API key that asked for it


class Said(Body, frozen=True, kw_only=True):
    """One more SMS of ours to this customer about it."""

    purpose: str  #: clarify, receipt, standing …
    text: str
    message_id: UUID | None = None
    template: str | None = None
    version: int | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A step of one short message of a text, as the sending side wrote it down."""

    at: datetime
    what: str  #: domain/message.py: Event
    segment: int | None = None
    copy: int | None = None
    route: str | None = None
    smsc_id: str | None = None
    command_status: int | None = None
    reason: str | None = None
    receipt: str | None = None  #: as it came


class Carried(Body, frozen=True, kw_only=True):
    """What became of an SMS, at the time of the entry."""

    message_id: UUID
    status: str
    purpose: str = "prompt"
    parts: tuple[Part, ...] = ()


class Octets(msgspec.Struct, frozen=True, kw_only=True):
    """One short message of a reply, as it came over the wire."""

    received_at: datetime
    route: str
    payload: str  #: hexadecimal, header included
    data_coding: int
    esm_class: int
    number: int = 1
    total: int = 1
    redelivery: bool = False


class Replied(Body, frozen=True, kw_only=True):
    """What the customer wrote."""

    sender: str  #: E.164 digits
    address: str  #: what it was written to
    text: str
    received_at: datetime
    complete: bool = True
    reply_id: UUID | None = None
    parts: tuple[Octets, ...] = ()


class Understood(Body, frozen=True, kw_only=True):
    """How a reply was read."""

    reading: str  #: yes, no, unclear
    reason: str | None = None
    reply_id: UUID | None = None
    by: str | None = None  #: the person who said so; None: the rules


class Called(Body, frozen=True, kw_only=True):
    """A call that is owed; it is made under this key until it is answered."""

    connector: str
    key: str
    callback_id: UUID | None = None
    request: dict[str, Any] = {}


class Answered(Body, frozen=True, kw_only=True):
    """The answer to that call."""

    connector: str
    outcome: str  #: done, refused, parked
    key: str | None = None
    http_status: int | None = None
    answer: str | None = None  #: the head of its body
    tries: int | None = None
    callback_id: UUID | None = None


class Became(Body, frozen=True, kw_only=True):
    """The confirmation moved on."""

    status: str
    before: str | None = None
    reason: str | None = None
    by: str | None = None


BODIES: Final[dict[Kind, type[Body]]] = {
    Kind.OFFERED: Offered,
    Kind.SAID: Said,
    Kind.CARRIED: Carried,
    Kind.REPLIED: Replied,
    Kind.UNDERSTOOD: Understood,
    Kind.CALLED: Called,
    Kind.ANSWERED: Answered,
    Kind.BECAME: Became,
}
_KINDS: Final = {body: kind for kind, body in BODIES.items()}

#: Steps that say something about how an SMS was carried.
_CARRYING: Final = frozenset(Event) - {Event.RELEASED}
_RECEIPTS: Final = frozenset({Event.RECEIPT, Event.ARRIVED, Event.DELIVERED, Event.UNDELIVERED})


def attest(confirmation_id: UUID, at: datetime, body: Body) -> New:
    """An entry about this confirmation, to be appended in the transaction that does what it says."""
    return New(bucket_of_id(confirmation_id), confirmation_id, at, _KINDS[type(body)], canonical(body))


def read(kind: str, body: str) -> Body | None:
    """What an entry says; None if it is of a kind, or in a form, that is not known here."""
    try:
        return msgspec.json.decode(body, type=BODIES[Kind(kind)])
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None


def carried(message: Message, steps: Sequence[Step], purpose: str = "prompt") -> Carried:
    """A copy of the log of an SMS as it stands."""
    return Carried(
        message_id=message.id,
        status=status_of(message, steps),
        purpose=purpose,
        parts=tuple(
            Part(
                at=step.at,
                what=step.kind,
                segment=step.segment,
                copy=step.copy,
                route=step.route,
                smsc_id=step.smsc_id,
                command_status=step.command_status,
                reason=step.reason,
                receipt=step.detail if step.kind in _RECEIPTS else None,
            )
            for step in steps
            if step.kind in _CARRYING
        ),
    )
