"""What a caller's request means: the checks that need no template and no database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from gateway.domain.handling import MOST_OCTETS, Handling, octets_of, read_octets, read_tag
from gateway.domain.msisdn import Msisdn, parse_msisdn
from gateway.domain.request import A_TIME, Fault, HandlingWish, MessageRequest, Rejected
from gateway.domain.rules import parse_duration

#: How far ahead a message may be scheduled, and how long it may wait for its phone.
FAR: Final = timedelta(days=366)
#: How short a message may wait for its phone, and a question for its answer.
SHORTEST: Final = timedelta(seconds=1)
SHORTEST_QUESTION: Final = timedelta(minutes=1)
LONGEST_OFFER: Final = timedelta(days=7)
HIGHEST_PRIORITY: Final = 3
#: Nothing is wished.
PLAINLY: Final = Handling()


class Times(msgspec.Struct, frozen=True):
    """When a message may go, and until when it has a sense."""

    due_at: datetime | None
    expires_at: datetime | None


def number(raw: str, regions: Sequence[str]) -> Msisdn | Fault:
    """The customer that a number means."""
    return parse_msisdn(raw, regions) or Fault("/to", not_a_number(regions))


def not_a_number(regions: Sequence[str]) -> str:
    """What is said of a number that none of these regions has."""
    return f"is not a mobile number of a region in regions.accept ({', '.join(regions)})"


def length_of_time(
    text: str, pointer: str, least: timedelta = SHORTEST, most: timedelta = FAR
) -> timedelta | Fault:
    """72h, 15m, 1d12h or ISO 8601 (PT15M); at least `least`, and a year at most."""
    length: timedelta | None = parse_duration(text)
    if length is None:
        try:
            length = msgspec.convert(text, timedelta)
        except msgspec.ValidationError:
            length = None
    if length is None or not least <= length <= most:
        return Fault(
            pointer, f"must be a length of time from {spoken(least)} to {most.days}d, as 72h, 15m or PT15M"
        )
    return length


def spoken(length: timedelta) -> str:
    """A minute and longer in minutes, less in seconds: 1m, 1s."""
    seconds = int(length.total_seconds())
    return f"{seconds // 60}m" if seconds >= 60 else f"{seconds}s"


def times(
    send_at: datetime | None, valid_for: str | None, now: datetime, deliver_at: datetime | None = None
) -> Times | Fault:
    """The moments that a request names. A time that is past means now.

    `deliver_at` is until when the SMSC is to keep it: its validity counts from there.
    """
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
    return Times(send_at, max(send_at or now, deliver_at or now, now) + length)


def handling(wish: HandlingWish | None, send_at: datetime | None, now: datetime) -> Handling | list[Fault]:
    """How a message wishes to be carried. A time that is past means at once."""
    if wish is None:
        return PLAINLY
    faults: list[Fault] = []
    deliver_at = wish.deliver_at
    if deliver_at is not None:
        at = "/handling/deliver_at"
        if deliver_at.tzinfo is None:
            faults.append(Fault(at, f"must be {A_TIME}"))
        elif deliver_at > now + FAR:
            faults.append(Fault(at, "must be no more than a year ahead"))
        elif deliver_at <= now:
            deliver_at = None
        elif send_at is not None and send_at.tzinfo is not None and deliver_at < send_at:
            faults.append(Fault(at, "must not be before send_at"))
    if wish.priority is not None and not 0 <= wish.priority <= HIGHEST_PRIORITY:
        faults.append(Fault("/handling/priority", f"must be 0 to {HIGHEST_PRIORITY}"))
    parameters = _parameters(wish.parameters or {}, faults)
    if faults:
        return faults
    return Handling(flash=wish.flash, priority=wish.priority, deliver_at=deliver_at, parameters=parameters)


def _parameters(wished: Mapping[str, str], faults: list[Fault]) -> dict[int, bytes]:
    """Parameters by tag; what is wrong with them is added to `faults`."""
    parameters: dict[int, bytes] = {}
    for name, text in wished.items():
        pointer = f"/handling/parameters/{name.replace('~', '~0').replace('/', '~1')}"
        tag, octets = read_tag(name), read_octets(text)
        if isinstance(tag, str):
            faults.append(Fault(pointer, tag))
        elif tag in parameters:
            faults.append(Fault(pointer, "names a tag that is given already"))
        if isinstance(octets, str):
            faults.append(Fault(pointer, octets))
        if isinstance(tag, int) and isinstance(octets, bytes):
            parameters[tag] = octets
    if (size := octets_of(parameters)) > MOST_OCTETS:
        detail = f"take {size} octets with their tags and lengths; {MOST_OCTETS} at most"
        faults.append(Fault("/handling/parameters", detail))
    return parameters


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
