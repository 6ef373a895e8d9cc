"""What a caller's request means: the checks that need no template and no database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from gateway.domain.msisdn import Msisdn, parse_msisdn
from gateway.domain.request import Fault, MessageRequest, Rejected
from gateway.domain.rules import parse_duration

#: How far ahead a message may be scheduled, and how long it may wait for its phone.
FAR: Final = timedelta(days=366)


class Times(msgspec.Struct, frozen=True):
    """When a message may go, and until when it has a sense."""

    due_at: datetime | None
    expires_at: datetime | None


def number(raw: str, regions: Sequence[str]) -> Msisdn | Fault:
    """The customer that a number means."""
    return parse_msisdn(raw, regions) or Fault("/to", "not a mobile number of a configured region")


def length_of_time(text: str, pointer: str) -> timedelta | Fault:
    """72h, 15m, 1d12h or ISO 8601 (PT15M); more than nothing, and a year at most."""
    length: timedelta | None = parse_duration(text)
    if length is None:
        try:
            length = msgspec.convert(text, timedelta)
        except msgspec.ValidationError:
            length = None
    if length is None or not timedelta() < length <= FAR:
        return Fault(pointer, "give a time such as 72h, 15m or PT15M, up to a year")
    return length


def times(send_at: datetime | None, valid_for: str | None, now: datetime) -> Times | Fault:
    """The moments that a request names. A time that is past means now."""
    if send_at is not None:
        if send_at.tzinfo is None:
            return Fault("/send_at", "give the offset as well: 2026-11-22T09:00:00+08:00")
        if send_at > now + FAR:
            return Fault("/send_at", "no more than a year ahead")
    if valid_for is None:
        return Times(send_at, None)
    length = length_of_time(valid_for, "/valid_for")
    if isinstance(length, Fault):
        return length
    return Times(send_at, max(send_at or now, now) + length)


def content_faults(request: MessageRequest) -> list[Fault]:
    """Whether there is exactly one thing to say."""
    if (request.text is None) == (request.template is None):
        return [Fault("/text", "give either text, or template with its params")]
    if request.text is not None and request.params:
        return [Fault("/params", "a text takes no parameters; use a template")]
    return []


def invalid(faults: Sequence[Fault]) -> Rejected:
    """The answer to a request whose fields are wrong."""
    first = faults[0]
    return Rejected(
        code="invalid-request",
        title="Invalid request",
        status=422,
        detail=f"{first.pointer or 'The body'}: {first.detail}.",
        errors=tuple(faults),
    )
