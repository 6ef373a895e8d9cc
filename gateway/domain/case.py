"""A customer's own words on their way into the ticket system, and the number that the customer is told.

Nothing is asked: the customer has spoken, and the ticket system has to answer.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.effect import Announce, CallOut, Effect, Inbox, Reply, SetTimer
from gateway.domain.given import (
    CallBack,
    CallDone,
    CallFailed,
    Cancel,
    Given,
    Judged,
    PromptFailed,
    Reminder,
    ReplyText,
    Superseded,
    TimeUp,
    Verdict,
)
from gateway.domain.ids import Kind, public
from gateway.domain.rules import Duration

#: What is asked of the ticket system, and what tells it of further words where it wants to hear them.
CREATE: Final = "ticket.create"
COMMENT: Final = "ticket.comment"
#: The touchpoint of all cases: one customer has one open at a time.
TOUCHPOINT: Final = "case"
MAX_WORDS: Final = 20

TemplateName = Annotated[str, Meta(pattern="^[a-z0-9-]+/[a-z0-9-]+$")]


class CaseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How customers' own words become cases."""

    together: Duration = Duration(minutes=10)  #: further words within it belong to the same case
    patience: Duration = Duration(minutes=1)  #: without a number for so long, it is acknowledged without one
    promise: Duration = Duration(minutes=15)  #: recorded within it, or it was late
    latest: Duration = Duration(hours=12)  #: not recorded by then: a person has to see to it
    acknowledgement: TemplateName = "complaint/received"


class Status(StrEnum):
    """Where a case stands."""

    OPEN = "open"  #: the ticket system has been asked for a number
    RECORDED = "recorded"  #: it has one
    FAILED = "failed"  #: the ticket system refused, or was not to be reached: a person has to see to it
    CANCELLED = "cancelled"


class Why(StrEnum):
    """Why a reply that should have become a case stands in the inbox."""

    NOT_RECORDED = "not-recorded"


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer wrote first. Never changes."""

    reply_id: UUID
    text: str
    follows: dict[str, Any] | None = None  #: what it was written in answer to, as others get it
    language: str | None = None


class Further(msgspec.Struct, frozen=True, kw_only=True):
    """Words that came soon after."""

    reply_id: UUID
    text: str
    at: datetime


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far."""

    number: str | None = None  #: of the case, as the ticket system gave it
    recorded_at: datetime | None = None
    acknowledged_at: datetime | None = None
    further: tuple[Further, ...] = ()
    reason: str | None = None
    answered_by_us: tuple[datetime, ...] = ()


class Case(NamedTuple):
    """One case: one row of `conversations`, in the order of its columns."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str  #: where the customer wrote to, and is answered from
    touchpoint: str
    ticket_id: str | None  #: of the ticket that it follows
    status: Status
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None
    subject: Subject
    state: State
    version: int


Stepped = tuple[Case, list[Effect]]


def opened(case: Case, rules: CaseRules) -> list[Effect]:
    """What follows from opening it: the ticket system is asked, and those who listen are told."""
    data = report(case) | {"kind": "customer_words"}
    return [
        CallOut(CREATE, data),
        Announce("ticket.requested", data),
        SetTimer(case.opened_at + rules.patience),
    ]


def belongs(case: Case, at: datetime, rules: CaseRules) -> bool:
    """Whether words that come now are more of the same."""
    if case.status not in (Status.OPEN, Status.RECORDED):
        return False
    latest = case.state.further[-1].at if case.state.further else case.opened_at
    return at - latest <= rules.together


def step(case: Case, given: Given, now: datetime, rules: CaseRules) -> Stepped:
    """The case after an input, and what is to be done; the same object when nothing happened."""
    match given:
        case ReplyText():
            return _heard(case, given, now)
        case CallDone(connector):
            return _recorded(case, given.number, now, rules) if connector == CREATE else (case, [])
        case CallFailed(connector, reason):
            return _failed(case, reason) if connector == CREATE else (case, [])
        case Reminder():
            return _look(case, now, rules)
        case TimeUp():
            return _failed(case, "not recorded in time")
        case Cancel(reason):
            if case.status is not Status.OPEN:
                return case, []
            return case._replace(status=Status.CANCELLED, state=replace(case.state, reason=reason)), []
        case Superseded() | PromptFailed() | Verdict() | Judged() | CallBack():
            return case, []


def _heard(case: Case, given: ReplyText, now: datetime) -> Stepped:
    further = Further(reply_id=given.reply_id, text=given.text, at=now)
    after = case._replace(state=replace(case.state, further=(*case.state.further, further)[-MAX_WORDS:]))
    data = report(after) | {"kind": "further_words", "text": given.text}
    return after, [CallOut(COMMENT, data), Announce("ticket.requested", data)]


def _recorded(case: Case, number: str | None, now: datetime, rules: CaseRules) -> Stepped:
    """The ticket system has it. A number that comes late, even after a failure, is still the customer's."""
    if case.status is Status.RECORDED:
        return case, []
    state = replace(case.state, number=number, recorded_at=now, reason=None)
    told = number is None and state.acknowledged_at is not None  # there is nothing new to say
    after = case._replace(
        status=Status.RECORDED, state=state if told else replace(state, acknowledged_at=now)
    )
    effects: list[Effect] = [] if told else [_acknowledge(rules, number)]
    return after, [*effects, Announce("ticket.created", report(after))]


def _look(case: Case, now: datetime, rules: CaseRules) -> Stepped:
    """The ticket system takes its time: the customer need not wait for the number to be told."""
    if case.status is not Status.OPEN:
        return case, []
    effects: list[Effect] = [SetTimer(case.expires_at)]
    if case.state.acknowledged_at is not None:
        return case, effects
    after = case._replace(state=replace(case.state, acknowledged_at=now))
    return after, [_acknowledge(rules, None), *effects]


def _failed(case: Case, reason: str) -> Stepped:
    if case.status is not Status.OPEN:
        return case, []
    after = case._replace(status=Status.FAILED, state=replace(case.state, reason=reason))
    return after, [Inbox(case.subject.reply_id, f"{Why.NOT_RECORDED}: {reason}")]


def _acknowledge(rules: CaseRules, number: str | None) -> Reply:
    return Reply(rules.acknowledgement, {"ticket": number} if number else {})


def report(case: Case) -> dict[str, Any]:
    """All that is known of a case, as the ticket system and webhooks get it; with what it follows from."""
    subject, state = case.subject, case.state
    return (subject.follows or {}) | {
        "case": public(Kind.CASE, case.id),
        "reply": public(Kind.REPLY, subject.reply_id),
        "to": case.msisdn,
        "address": case.address,
        "text": subject.text,
        "status": case.status,
        "number": state.number,
        "received_at": case.opened_at,
        "recorded_at": state.recorded_at,
        "further": [{"text": each.text, "at": each.at} for each in state.further],
        "reason": state.reason,
    }
