"""What a 0000 list is: its statuses and the table of their changes, what was listed, what was asked for
since, and all of that as others get it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.domain.ids import Kind, public
from gateway.domain.rules import Duration

#: What cancels one subscription. One call for each, told apart by the service's code.
CANCEL: Final = "service.cancel"
#: The touchpoint of all lists: one customer has one open at a time.
TOUCHPOINT: Final = "0000"

TemplateName = Annotated[str, Meta(pattern="^[a-z0-9-]+/[a-z0-9-]+$")]


class MenuTemplates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What customers are told."""

    list: TemplateName = "subscription/list"
    none: TemplateName = "subscription/none"
    all: TemplateName = "subscription/all"
    kept: TemplateName = "subscription/kept"
    receipt: TemplateName = "subscription/cancelled"
    clarify: TemplateName = "subscription/clarify"
    over: TemplateName = "subscription/over"
    which: TemplateName = "contact/which"


class MenuRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How 0000 lists and cancels, as `rules/menus.yaml` writes it."""

    holds: Duration = Duration(minutes=30)  #: so long the list and its numbers hold
    remembered: Duration = Duration(days=1)  #: so long a number for it is answered with "send 0000 again"
    page: Annotated[int, Meta(ge=1, le=20)] = 10  #: subscriptions in one answer
    patience: Duration = Duration(minutes=1)  #: without the platform's answer for so long, the customer hears
    templates: MenuTemplates = MenuTemplates()


class Status(StrEnum):
    """Where a list stands."""

    OPEN = "open"  #: its numbers hold
    CONFIRMING = "confirming"  #: the customer wants all cancelled, and was asked whether that is so
    EMPTY = "empty"  #: there was nothing to list
    EXPIRED = "expired"
    SUPERSEDED = "superseded"  #: a newer list took its place
    CANCELLED = "cancelled"  #: taken back


class Happening(StrEnum):
    """What can happen to a list."""

    CHOSEN = "chosen"  #: one or several of its numbers
    ALL = "all"  #: 1: all of it
    PAGED = "paged"  #: the next page
    AGREED = "agreed"  #: yes, all of it
    REFUSED = "refused"  #: no, not all of it
    UNCLEAR = "unclear"  #: words that are none of these
    OVERDUE = "overdue"  #: its time is over
    SUPERSEDED = "superseded"  #: 0000 again
    WITHDRAWN = "withdrawn"


#: It wants an answer.
WAITING: Final = (Status.OPEN, Status.CONFIRMING)
CLOSED: Final = (Status.EMPTY, Status.EXPIRED, Status.SUPERSEDED, Status.CANCELLED)

#: The machine. A pair that is missing cannot happen, and is an error if it does.
TRANSITIONS: Final[dict[tuple[Status, Happening], Status]] = {
    (Status.OPEN, Happening.ALL): Status.CONFIRMING,
    (Status.CONFIRMING, Happening.AGREED): Status.OPEN,  # what is left of it, which is nothing
    (Status.CONFIRMING, Happening.REFUSED): Status.OPEN,
    **{(status, Happening.CHOSEN): Status.OPEN for status in WAITING},
    **{(status, Happening.PAGED): Status.OPEN for status in WAITING},
    **{(status, Happening.UNCLEAR): status for status in WAITING},
    **{(status, Happening.OVERDUE): Status.EXPIRED for status in WAITING},
    **{(status, Happening.SUPERSEDED): Status.SUPERSEDED for status in WAITING},
    **{(status, Happening.WITHDRAWN): Status.CANCELLED for status in WAITING},
    # A timer that comes when all is said changes nothing.
    **{
        (status, happening): status
        for status in CLOSED
        for happening in (Happening.OVERDUE, Happening.SUPERSEDED, Happening.WITHDRAWN)
    },
}


class Why(StrEnum):
    """Why a reply stands in the inbox."""

    NOT_UNDERSTOOD = "not-understood"
    ASKS_FOR_HELP = "asks-for-help"
    NOT_CANCELLED = "not-cancelled"  #: the platform refused, or was not to be reached


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription as it was listed."""

    service: str
    name: str
    price: str  #: yuan
    period: str | None = None
    trial: bool = False
    expires: str | None = None  #: a date of the operator's time zone
    source: UUID | None = None  #: the confirmation that led to it


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was listed: number 2 is the first of it. Never changes, so numbers never shift."""

    reply_id: UUID  #: the 0000 that it answers
    items: tuple[Item, ...] = ()
    language: str | None = None


class Progress(StrEnum):
    """Where one cancellation stands."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription that the customer wants cancelled."""

    service: str
    reply_id: UUID  #: the reply that asked for it: what it asked for is told together
    asked_at: datetime
    progress: Progress = Progress.ASKED
    settled_at: datetime | None = None
    reason: str | None = None
    told: bool = False  #: the customer knows how it ended
    promised: bool = False  #: the customer was told that it takes longer


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far."""

    shown: int = 0  #: so many of the items were sent, from the first
    cancellations: tuple[Cancellation, ...] = ()
    asked_again: bool = False  #: an unclear reply was answered with a question
    reason: str | None = None
    answered_by_us: tuple[datetime, ...] = ()


class Menu(NamedTuple):
    """One list: one row of `conversations`, in the order of its columns."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str  #: where the list came from, and its numbers are sent to
    touchpoint: str
    ticket_id: str | None
    status: Status
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None
    subject: Subject
    state: State
    version: int


def service_of(item: Item) -> dict[str, Any]:
    """A service as others get it."""
    return {"code": item.service, "name": item.name, "price": item.price, "period": item.period}


def report(menu: Menu, item: Item, about: Cancellation) -> dict[str, Any]:
    """All that is known of one cancellation, as the platform and webhooks get it."""
    return {
        "menu": public(Kind.MENU, menu.id),
        "reply": public(Kind.REPLY, about.reply_id),
        "confirmation": public(Kind.CONFIRMATION, item.source) if item.source else None,
        "to": menu.msisdn,
        "address": menu.address,
        "service": service_of(item),
        "channel": "sms",
        "requested_at": about.asked_at,
        "cancelled_at": about.settled_at if about.progress is Progress.DONE else None,
    }
