"""What callers ask for: the shapes of requests, the same behind every edge."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from gateway.domain.message import Lane
from gateway.domain.subscription import Period, Price, ServiceCode, ServiceName

Number = Annotated[
    str, Meta(min_length=3, max_length=32, description="MSISDN in any common form", examples=["13905310001"])
]
Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", description="not blank")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Id = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", description="not blank")]
Duration = Annotated[str, Meta(max_length=32, description="ISO 8601, or 72h, 15m, 30s", examples=["72h"])]
Lasting = Annotated[
    str, Meta(max_length=32, description="ISO 8601, or 72h, 15m; from 1m to a year", examples=["72h"])
]
#: How a moment is written, for sentences.
A_TIME: Final = "a time with its offset, as 2026-11-22T09:00:00+08:00"
Moment = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with offset", examples=["2026-11-22T09:00:00+08:00"])
]
TagName = Annotated[str, Meta(pattern="^0x[0-9A-Fa-f]{1,4}$", description="a tag, 0x0001 to 0xFFFF")]
Hex = Annotated[
    str, Meta(pattern="^([0-9A-Fa-f]{2})*$", description="octets, two hexadecimal digits each, as 0a0b")
]
ScaleName = Literal["ten", "five", "three"]


class HandlingWish(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How a message is to be carried, beyond its text. Most messages need none of it."""

    flash: Annotated[bool, Meta(description="shown at once, and not kept by the handset (class 0)")] = False
    priority: (
        Annotated[int, Meta(ge=0, le=3, description="priority_flag for the SMSC; absent: the route's")] | None
    ) = None
    deliver_at: (
        Annotated[
            Moment,
            Meta(
                description="RFC 3339 with offset: handed over now, kept by the SMSC until then. "
                "`send_at` lets the gateway keep it instead"
            ),
        ]
        | None
    ) = None
    parameters: (
        Annotated[
            dict[TagName, Hex],
            Meta(
                description="further optional parameters (TLVs) for the SMSC: tag → octets, hexadecimal; "
                "1 KiB at most, tags and lengths included",
                examples=[{"0x1403": "0a0b"}],
            ),
        ]
        | None
    ) = None


class MessageRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One message: a template with its parameters, or a text."""

    to: Number
    text: Text | None = None
    template: Name | None = None
    params: dict[str, Any] | None = None
    language: Annotated[str, Meta(max_length=16, examples=["zh-CN"])] | None = None
    lane: Lane | None = None
    ref: Name | None = None
    send_at: (
        Annotated[Moment, Meta(description="RFC 3339 with offset; a time that is past means now")] | None
    ) = None
    valid_for: (
        Annotated[Duration, Meta(description="counted from send_at and handling.deliver_at, if given")] | None
    ) = None
    sender: Name | None = None
    report: bool = True
    handling: HandlingWish | None = None


class SurveyWish(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The question that goes with a resolution."""

    scale: ScaleName = "ten"
    expires_in: Lasting | None = None


class Ticket(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The ticket that a resolution answers, as the ticket system knows it."""

    id: Id
    type: Name | None = None
    department: Name | None = None
    handler: Name | None = None
    dispatched_at: Moment | None = None
    answered_at: Moment | None = None


class ResolutionRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A complaint was resolved: tell the customer, and ask for a score."""

    to: Number
    ticket: Ticket
    text: Text | None = None
    template: Name | None = None
    params: dict[str, Any] | None = None
    language: Annotated[str, Meta(max_length=16)] | None = None
    sender: Name | None = None
    survey: SurveyWish | bool = True
    handling: HandlingWish | None = None


class SurveyRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A touchpoint asks for a score: hotline, counter, manager …"""

    to: Number
    touchpoint: Name
    agent: Name | None = None
    department: Name | None = None
    ref: Name | None = None
    scale: ScaleName | None = None
    template: Name | None = None
    params: dict[str, Any] | None = None
    language: Annotated[str, Meta(max_length=16)] | None = None
    sender: Name | None = None
    expires_in: Lasting | None = None


class ServiceWish(msgspec.Struct, forbid_unknown_fields=True):
    """What is sold, as the customer is told it and the service platform knows it."""

    code: ServiceCode
    name: ServiceName
    price: Price
    period: Period


class ConfirmationRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A customer is asked to confirm the order of a paid service."""

    to: Number
    service: ServiceWish
    channel: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=r"\S",
            description="where the customer was offered it; not blank",
            examples=["app"],
        ),
    ]
    ref: Id
    expires_in: (
        Annotated[str, Meta(max_length=32, description="from 1m to 7d, as 24h or PT24H", examples=["24h"])]
        | None
    ) = None
    template: Name | None = None
    params: dict[str, Any] | None = None
    language: Annotated[str, Meta(max_length=16)] | None = None
    sender: Name | None = None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    pointer: str  #: JSON pointer into the request
    detail: str


class Rejected(msgspec.Struct, frozen=True):
    """A request that cannot be accepted, and what to do about it. `code` is the end of the problem's URI."""

    code: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


class SurveyOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of the question."""

    id: str
    status: str
    reason: str | None = None


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message is durably ours."""

    id: str
    status: str
    segments: int
    encoding: str
    survey: SurveyOutcome | None = None
    reason: str | None = None


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A touchpoint's survey is durably ours. `message_id`: of the message that asks, if there is one."""

    id: str
    status: str
    message_id: str | None = None
    segments: int = 0
    encoding: str = ""
    reason: str | None = None
