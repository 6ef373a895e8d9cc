"""A call out and its answer: what is sent, how the answer is judged, and what is put on record of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

#: So much of an answer is kept for people to read.
KEPT: Final = 4096

#: So much of it is read where a rule must look into it.
READ: Final = 65536


class Request(NamedTuple):
    """A call, ready to be made."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    timeout: float  #: seconds, until the answer has been read
    read: int = KEPT  #: octets of the answer that are wanted


class Fault(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  #: no connection, or it broke
    TIMED_OUT = "timed-out"  #: whether the call took effect is not known
    FORBIDDEN = "forbidden"  #: the host resolved to an address that must not be called


class Answer(NamedTuple):
    """What came back: a status and the head of a body, or why nothing did."""

    status: int | None = None
    body: bytes = b""
    retry_after: str | None = None
    location: str | None = None  #: where a 3xx points; never followed
    fault: Fault | None = None
    detail: str = ""  #: of the fault, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How an answer is read as a success. Without anything, each 2xx is one."""

    statuses: frozenset[int] = frozenset()
    pointer: str = ""  #: JSON pointer into the answer: systems that say 200 and mean an error
    equals: Any = None  #: what stands there; None: anything but null, false and nothing


@dataclass(frozen=True, slots=True)
class Done:
    """The other side has it. `result` is what the connector's pointer found."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `blames` says whether the target as a whole is in trouble, or only this call."""

    reason: str
    wish: timedelta | None = None
    blames: bool = True


@dataclass(frozen=True, slots=True)
class Park:
    """Trying again would get the same answer: a person must look."""

    reason: str


Verdict = Done | Retry | Park

#: What a person or the other side heals without our call changing: a credential, a route, a lock, a load.
#: All other 4xx say that the call itself is wrong.
HEALS: Final = frozenset({401, 403, 404, 407, 408, 409, 421, 423, 424, 425, 429})

#: Of these, the ones that say nothing of other calls to the same target.
ITS_OWN: Final = frozenset({404, 409, 423, 424, 425})

ANY: Final = Success()


def judge(answer: Answer, success: Success, now: datetime, result: str = "") -> Verdict:
    """What an answer means for the call. `result` is the JSON pointer to what is wanted of a success."""
    status = answer.status
    if status is None:
        return Retry(answer.detail or str(answer.fault))
    if status in success.statuses or (not success.statuses and 200 <= status < 300):
        return _look_inside(answer, success, result)
    if 300 <= status < 400:
        named = f" to {answer.location}" if answer.location else ""
        return Retry(f"it redirects{named}; redirects are not followed", blames=True)
    if status in HEALS or status >= 500 or status < 300:
        return Retry(f"HTTP {status}", wish=wish_of(answer.retry_after, now), blames=status not in ITS_OWN)
    return Park(f"HTTP {status}: the other side does not take this call as it is")


def _look_inside(answer: Answer, success: Success, result: str) -> Verdict:
    if not success.pointer and not result:
        return Done()
    try:
        content = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if success.pointer:
            return Retry(f"HTTP {answer.status}, but the answer is not JSON", blames=False)
        return Done()
    if success.pointer:
        found = at_pointer(content, success.pointer)
        right = bool(found) if success.equals is None else _same(found, success.equals)
        if not right:
            return Retry(f"HTTP {answer.status}, but {success.pointer} is {_short(found)}", blames=False)
    return Done(at_pointer(content, result) if result else None)


def wish_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110 §10.2.3): seconds or a date. None if absent or ill-formed."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), 10**7))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))


def at_pointer(content: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901), or None."""
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(content, dict) and step in content:
            content = content[step]
        elif isinstance(content, list) and step.isascii() and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _short(value: Any) -> str:
    text = "missing" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= 100 else f"{text[:100]}…"


class Try(NamedTuple):
    """One try with the answer that it got: a row of `callback_tries`, in the order of its columns."""

    bucket: int
    callback_id: UUID
    number: int
    at: datetime
    seconds: float
    http_status: int | None
    answer: str


class Settlement(NamedTuple):
    """What a try makes of its callback: the columns of `callbacks` that change."""

    bucket: int
    id: UUID
    status: str
    tries: int
    due_at: datetime
    settled_at: datetime | None


def answer_text(answer: Answer, reason: str, hidden: tuple[str, ...] = ()) -> str:
    """What is kept of an answer: the reason if it was no success, then the body's head, secrets struck."""
    body = answer.body[:KEPT].decode("utf-8", "replace")
    text = f"{reason}\n{body}" if reason and body else reason or body
    for secret in hidden:
        text = text.replace(secret, "***")
    return text.replace("\x00", "\ufffd")[:KEPT]
