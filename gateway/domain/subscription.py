"""What a number subscribes to: the mirror of what the service platforms keep."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from msgspec import Meta

#: A service's code, as its platform writes it.
ServiceCode = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="the platform's code")
]
ServiceName = Annotated[
    str, Meta(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$", description="as customers know it")
]
#: Yuan, not negative, at most two decimal places.
Price = Annotated[
    str,
    Meta(pattern=r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,2})?$", description="yuan", examples=["10.00"]),
]
#: These are said in the customer's language; another word is printed as it stands.
PERIODS: Final = ("day", "week", "month", "quarter", "half-year", "year")
Period = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        description="what the price is for: day, week, month, quarter, half-year or year; "
        "another word is printed as it stands",
        examples=["month"],
    ),
]


class Status(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    CANCELLING = "cancelling"  #: the customer wants no more of it, and the platform has not yet answered
    CANCELLED = "cancelled"


class Subscription(NamedTuple):
    """One row of `subscriptions`, in the order of its columns."""

    bucket: int
    msisdn: str
    service: str
    name: str
    price: Decimal  #: yuan, two decimal places
    period: str | None  #: None: once
    status: Status
    trial: bool
    started_at: datetime
    expires_at: datetime | None  #: None: until it is cancelled
    source: UUID | None  #: the confirmation that led to it
    updated_at: datetime


def is_active(subscription: Subscription, now: datetime) -> bool:
    """Whether the customer has it now, and may want to be rid of it."""
    return subscription.status is Status.ACTIVE and not has_expired(subscription, now)


def has_expired(subscription: Subscription, now: datetime) -> bool:
    return subscription.expires_at is not None and subscription.expires_at <= now
