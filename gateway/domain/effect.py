"""What a conversation wants done: a closed set of values, carried out by who saves its state."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from gateway.domain.subscription import Status
from gateway.domain.testimony import Body


@dataclass(frozen=True, slots=True)
class Reply:
    """An automatic answer to the customer, from the address that the customer wrote to."""

    template: str
    params: dict[str, Any] = field(default_factory=dict)
    owed: bool = False  #: however many automatic answers went out lately: a receipt of what costs money
    purpose: str = ""  #: with one, the text goes on record as evidence
    otherwise: str = ""  #: the template, without parameters, if this can't be said


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The ticket's satisfaction field is to be told; `data` is all that is known."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Announce:
    """An event for whom it concerns: `survey.answered` and kin."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The ticket system is to call this customer back."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallOut:
    """Another system is to do something, if a connector of this name is configured.

    Its answer comes back to the conversation as `given.CallDone` or `given.CallFailed`.
    """

    connector: str
    data: dict[str, Any]
    key: str = ""  #: tells several calls of one conversation to one connector apart
    on_record: bool = False  #: goes on record as evidence


@dataclass(frozen=True, slots=True)
class SetTimer:
    """The conversation is to be looked at again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Inbox:
    """A person has to look at this reply."""

    reply_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class OutOfInbox:
    """This reply needs nobody any more: what it left open has been answered."""

    reply_id: UUID


@dataclass(frozen=True, slots=True)
class Noted:
    """Nobody need look at this reply, but why it was not understood goes on record."""

    reply_id: UUID
    reason: str


class Scope(StrEnum):
    """What an opt-out stops, as contacts keep it."""

    SURVEYS = "category:survey"
    MARKETING = "lane:marketing"


@dataclass(frozen=True, slots=True)
class OptOut:
    """This customer wants no more of these."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Subscribe:
    """This customer has this service now. The mirror keeps the conversation as where it came from."""

    service: str  #: the platform's code
    name: str
    price: str  #: yuan, a decimal string
    period: str | None = None  #: None: once
    trial: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """This customer is rid of a service; or, with another `status`, asked to be, or is not after all."""

    service: str
    status: Status = Status.CANCELLED


@dataclass(frozen=True, slots=True)
class Record:
    """This goes on record as evidence."""

    body: Body


@dataclass(frozen=True, slots=True)
class Trace:
    """The log of a message of ours goes on record as evidence, as it stands at the commit."""

    message_id: UUID
    purpose: str


Effect = (
    Reply
    | WriteBack
    | Announce
    | FollowUp
    | CallOut
    | SetTimer
    | Inbox
    | OutOfInbox
    | Noted
    | OptOut
    | Subscribe
    | Unsubscribe
    | Record
    | Trace
)
