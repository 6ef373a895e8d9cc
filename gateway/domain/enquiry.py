"""A keyword of the business hall on its way to an answer: one look-up in the operator's system, one SMS.

Nothing is asked of the customer. A slow system gets one polite sentence, and whatever happens the customer
hears an answer, or that there is none, once.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from gateway.domain.effect import CallOut, Effect, Reply, SetTimer
from gateway.domain.given import CallDone, CallFailed, Cancel, Given, Reminder, TimeUp
from gateway.domain.ids import Kind, public
from gateway.domain.keywords import LISTED, Keywords

#: Touchpoints are this and the entry: one customer has one look-up of a kind open at a time.
TOUCHPOINT: Final = "hall."
NO_OBJECT: Final = "the answer has no object at `result`"
LATE: Final = "not answered in time"
#: For one whose end nobody has seen to yet.
OVERDUE: Final = TimeUp()


class Status(StrEnum):
    """Where an enquiry stands."""

    OPEN = "open"  #: it is looked up
    ANSWERED = "answered"
    UNAVAILABLE = "unavailable"  #: refused, not to be reached, or too slow
    CANCELLED = "cancelled"


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked for, and how it will be answered. Never changes."""

    reply_id: UUID
    text: str
    entry: str
    template: str
    connector: str | None = None
    fields: tuple[str, ...] = ()
    params: dict[str, Any] = {}
    language: str | None = None


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far."""

    slow: bool = False  #: the customer was told that it takes longer
    settled_at: datetime | None = None
    reason: str | None = None
    answered_by_us: tuple[datetime, ...] = ()  #: not counted: an enquiry is answered whenever it is made


class Enquiry(NamedTuple):
    """One enquiry: one row of `conversations`, in the order of its columns."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str  #: answered from here
    touchpoint: str
    ticket_id: str | None
    status: Status
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None
    subject: Subject
    state: State
    version: int


Stepped = tuple[Enquiry, list[Effect]]


def asked(entry_name: str, reply_id: UUID, text: str, language: str | None, rules: Keywords) -> Subject:
    """What a keyword asks for, by the rules of this moment."""
    entry = rules.entries[entry_name]
    params: dict[str, Any] = dict(entry.params)
    if entry.lists:
        params[LISTED] = rules.lines(language)
    return Subject(
        reply_id=reply_id,
        text=text,
        entry=entry_name,
        template=entry.template,
        connector=entry.connector,
        fields=entry.fields,
        params=params,
        language=language,
    )


def opened(enquiry: Enquiry, rules: Keywords) -> Stepped:
    """A new enquiry, and what follows from it: what needs no look-up is answered at once."""
    subject = enquiry.subject
    if subject.connector is None:
        return _settled(enquiry, Status.ANSWERED, enquiry.opened_at), [_answer(enquiry, {}, rules)]
    data = {
        "enquiry": public(Kind.ENQUIRY, enquiry.id),
        "to": enquiry.msisdn,
        "language": subject.language,
        "keyword": subject.text,
        "entry": subject.entry,
    }
    return enquiry, [
        CallOut(subject.connector, data),
        SetTimer(min(enquiry.opened_at + rules.polite_after, enquiry.expires_at)),
    ]


def repeats(enquiry: Enquiry, entry: str, at: datetime, rules: Keywords) -> bool:
    """Whether the same word that comes now needs no answer of its own."""
    if enquiry.subject.entry != entry:
        return False
    return (enquiry.status is Status.OPEN and at <= enquiry.expires_at) or (
        at < enquiry.opened_at + rules.again_after
    )


def is_too_much(before: Iterable[Enquiry], at: datetime, rules: Keywords) -> bool:
    """Whether this customer asks more than people do."""
    if rules.limit is None:
        return False
    since = at - rules.limit.within
    return sum(each.opened_at > since for each in before) >= rules.limit.count


def step(enquiry: Enquiry, given: Given, now: datetime, rules: Keywords) -> Stepped:
    """The enquiry after an input, and what is to be done; the same object when nothing happened."""
    if enquiry.status is not Status.OPEN:
        return enquiry, []
    match given:
        case CallDone(connector, result) if connector == enquiry.subject.connector:
            return _found(enquiry, result, now, rules)
        case CallFailed(connector, reason) if connector == enquiry.subject.connector:
            return _unavailable(enquiry, reason, now, rules)
        case TimeUp():
            return _unavailable(enquiry, LATE, now, rules)
        case Reminder():
            return _look(enquiry, now, rules)
        case Cancel(reason):
            return _settled(enquiry, Status.CANCELLED, now, reason), []
        case _:  # nothing else concerns what is only looked up
            return enquiry, []


def _found(enquiry: Enquiry, result: Any, now: datetime, rules: Keywords) -> Stepped:
    if now > enquiry.expires_at:
        return _unavailable(enquiry, LATE, now, rules)
    if not isinstance(result, dict):
        return _unavailable(enquiry, NO_OBJECT, now, rules)
    after = _settled(enquiry, Status.ANSWERED, now)
    found = {name: result[name] for name in enquiry.subject.fields if result.get(name) is not None}
    return after, [_answer(enquiry, found, rules)]


def _look(enquiry: Enquiry, now: datetime, rules: Keywords) -> Stepped:
    """The system takes its time: the customer hears so, once."""
    if enquiry.state.slow or now < enquiry.opened_at + rules.polite_after:
        return enquiry, [SetTimer(enquiry.expires_at)]
    after = enquiry._replace(state=replace(enquiry.state, slow=True))
    return after, [Reply(rules.templates.slow, owed=True), SetTimer(enquiry.expires_at)]


def _unavailable(enquiry: Enquiry, reason: str, now: datetime, rules: Keywords) -> Stepped:
    after = _settled(enquiry, Status.UNAVAILABLE, now, reason)
    return after, [Reply(rules.templates.unavailable, owed=True)]


def _answer(enquiry: Enquiry, found: dict[str, Any], rules: Keywords) -> Reply:
    subject = enquiry.subject
    return Reply(subject.template, subject.params | found, owed=True, otherwise=rules.templates.unavailable)


def _settled(enquiry: Enquiry, status: Status, now: datetime, reason: str | None = None) -> Enquiry:
    return enquiry._replace(status=status, state=replace(enquiry.state, settled_at=now, reason=reason))
