"""What a caller's request means: the checks that need no template and no database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from gateway.domain.msisdn import Msisdn, parse_msisdn
from gateway.domain.request import A_TIME, Fault, MessageRequest, Rejected
from gateway.domain.rules import parse_duration

#: How far ahead a message may be scheduled, and how long it may wait for its phone.
FAR: Final = timedelta(days=366)
#: How short a message may wait for its phone, and a question for its answer.
SHORTEST: Final = timedelta(seconds=1)
SHORTEST_QUESTION: Final = timedelta(minutes=1)


class Times(msgspec.Struct, frozen=True):
    """When a message may go, and until when it has a sense."""

    due_at: datetime | None
    expires_at: datetime | None


def number(raw: str, regions: Sequence[str]) -> Msisdn | Fault:
    """The customer that a number means."""
    return parse_msisdn(raw, regions) or Fault("/to", not_a_number(regions))


def not_a_number(regions: Sequence[str]) -> str:
    """What is said of a number that none of these regions has."""
    return f"is not a mobile number of a configured region ({', '.join(regions)})"


def length_of_time(text: str, pointer: str, least: timedelta = SHORTEST) -> timedelta | Fault:
    """72h, 15m, 1d12h or ISO 8601 (PT15M); at least `least`, and a year at most."""
    length: timedelta | None = parse_duration(text)
    if length is None:
        try:
            length = msgspec.convert(text, timedelta)
        except msgspec.ValidationError:
            length = None
    if length is None or not least <= length <= FAR:
        return Fault(pointer, f"must be a length of time from {spoken(least)} to 366d, as 72h, 15m or PT15M")
    return length


def spoken(length: timedelta) -> str:
    """A minute and longer in minutes, less in seconds: 1m, 1s."""
    seconds = int(length.total_seconds())
    return f"{seconds // 60}m" if seconds >= 60 else f"{seconds}s"


def times(send_at: datetime | None, valid_for: str | None, now: datetime) -> Times | Fault:
    """The moments that a request names. A time that is past means now."""
    if send_at is not None:
        if send_at.tzinfo is None:
            return Fault("/send_at", f"must be {A_TIME}")
        if send_at > now + FAR:
            return Fault("/send_at", "must be no more than a year ahead")
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
