"""What a survey is: its statuses and the table of their changes, what was asked, what has happened so far,
and all of that as others get it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.domain.ids import Kind, public
from gateway.domain.score import Scale

#: A ticket's comment field is no mailbox: what is longer stands in the raw replies.
MAX_COMMENT: Final = 2000
MAX_REVISIONS: Final = 10


class Status(StrEnum):
    """Where a survey stands."""

    OPEN = "open"  #: asked, no answer yet
    CLARIFYING = "clarifying"  #: an answer was not understood, and the customer was asked once more
    ANSWERED = "answered"  #: there is a score
    EXPIRED = "expired"  #: its time is over without a word
    UNPARSED = "unparsed"  #: there are words that nobody understood; a person may set the score
    CANCELLED = "cancelled"  #: taken back, superseded, or the question could not be delivered
    SUPPRESSED = "suppressed"  #: never asked, and the reason says why


class Happening(StrEnum):
    """What can happen to a survey."""

    SCORED = "scored"  #: a clear score from the customer
    UNCLEAR = "unclear"  #: words that are no clear score
    REMINDED = "reminded"  #: the time for a reminder has come
    OVERDUE = "overdue"  #: the time for an answer is over
    UNDELIVERED = "undelivered"  #: the question will never arrive
    SET = "set"  #: a person read a score in the customer's words
    SUPERSEDED = "superseded"  #: the same ticket was resolved again, with a question of its own
    WITHDRAWN = "withdrawn"  #: an opt-out, or the caller's wish


#: A question that still waits for its answer.
WAITING: Final = (Status.OPEN, Status.CLARIFYING, Status.UNPARSED)
FINAL: Final = (Status.ANSWERED, Status.EXPIRED, Status.CANCELLED, Status.SUPPRESSED)

#: The machine. A pair that is missing cannot happen, and is an error if it does.
TRANSITIONS: Final[dict[tuple[Status, Happening], Status]] = {
    (Status.OPEN, Happening.SCORED): Status.ANSWERED,
    (Status.OPEN, Happening.UNCLEAR): Status.CLARIFYING,
    (Status.OPEN, Happening.REMINDED): Status.OPEN,
    (Status.OPEN, Happening.OVERDUE): Status.EXPIRED,
    (Status.OPEN, Happening.UNDELIVERED): Status.CANCELLED,
    (Status.CLARIFYING, Happening.SCORED): Status.ANSWERED,
    (Status.CLARIFYING, Happening.UNCLEAR): Status.UNPARSED,
    (Status.CLARIFYING, Happening.OVERDUE): Status.UNPARSED,  # there are words: they are for a person
    (Status.UNPARSED, Happening.SCORED): Status.ANSWERED,
    (Status.UNPARSED, Happening.UNCLEAR): Status.UNPARSED,
    (Status.ANSWERED, Happening.SCORED): Status.ANSWERED,  # a revision, or a comment when it comes late
    (Status.ANSWERED, Happening.UNCLEAR): Status.ANSWERED,  # a comment
    # Whoever answers has got the question, whatever a receipt said before.
    (Status.CANCELLED, Happening.SCORED): Status.ANSWERED,
    (Status.CANCELLED, Happening.UNCLEAR): Status.UNPARSED,  # not open again: another question may be
    **{(status, Happening.SUPERSEDED): Status.CANCELLED for status in WAITING},
    **{(status, Happening.WITHDRAWN): Status.CANCELLED for status in WAITING},
    # A person may read a score in any words that were written about it.
    **{(status, Happening.SET): Status.ANSWERED for status in Status if status is not Status.SUPPRESSED},
    # A timer that comes when all is said, and a receipt about a question that was answered, change nothing.
    **{
        (status, happening): status
        for status in (*FINAL, Status.UNPARSED, Status.CLARIFYING)
        for happening in (Happening.REMINDED, Happening.OVERDUE, Happening.UNDELIVERED)
        if (status, happening) != (Status.CLARIFYING, Happening.OVERDUE)
    },
}


class Why(StrEnum):
    """Why a survey was cancelled, or why a reply stands in the inbox."""

    UNDELIVERABLE = "undeliverable"
    SUPERSEDED = "superseded"
    OPTED_OUT = "opted-out"
    CANCELLED = "cancelled"
    NOT_UNDERSTOOD = "not-understood"
    ASKS_FOR_HELP = "asks-for-help"  #: whatever the score, somebody should call
    REVISION_UNCLEAR = "revision-unclear"  #: a score seems to be taken back, for which one is not certain
    FOLLOW_UP_NOT_RECORDED = "follow-up-not-recorded"  #: the ticket system did not take the task


class Because(StrEnum):
    """Why a customer is called back."""

    LOW_SCORE = "low-score"
    CALLBACK = "callback"  #: the rules picked the ticket


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked, and about what. Never changes."""

    scale: Scale
    ticket: dict[str, Any] | None = None  #: as the ticket system gave it; it has an `id`
    agent: str | None = None
    department: str | None = None
    ref: str | None = None
    language: str | None = None
    callback_at: datetime | None = None  #: a follow-up is due then, whatever the score


class Revision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A score that counted from `at` on, and the words it was read in."""

    score: int
    at: datetime
    text: str = ""
    reply_id: UUID | None = None
    by: str | None = None  #: the person who set it


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A follow-up that the ticket system was asked for."""

    because: Because
    asked_at: datetime
    number: str | None = None  #: as the ticket system gave it
    at: datetime | None = None  #: when it was known to have the task
    failed: str | None = None  #: why it did not take it
    entry: UUID | None = None  #: the reply that stands in the inbox for that


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far. The last revision is the score."""

    revisions: tuple[Revision, ...] = ()
    comment: str = ""
    unclear: UUID | None = None  #: the last reply that was not understood
    unclear_text: str = ""  #: that and all such before it, line by line
    unclear_reason: str = str(Why.NOT_UNDERSTOOD)  #: why they are for a person
    doubts: tuple[UUID, ...] = ()  #: replies in the inbox that may have meant another score
    reminded_at: datetime | None = None
    apologised: bool = False  #: the answer to a low score went out
    low: bool = False  #: the score that counts is a low one
    followed_up: bool = False  #: a low score was announced, and is seen to
    follow_up: Task | None = None  #: the last one; a low score has its own, whatever was asked for before
    answered_by_us: tuple[datetime, ...] = ()  #: when automatic answers went out
    reason: str | None = None  #: why it was cancelled or suppressed

    @property
    def wants_help(self) -> bool:
        """Whether the words that were not understood ask for a person."""
        return self.unclear_reason == Why.ASKS_FOR_HELP


class Survey(NamedTuple):
    """One survey: one row of `conversations`, in the order of its columns."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str  #: access number and extension: where the answer comes in
    touchpoint: str
    ticket_id: str | None
    status: Status
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None  #: the question
    subject: Subject
    state: State
    version: int


def told(task: Task) -> dict[str, Any]:
    """A follow-up as others get it."""
    return {
        "because": task.because,
        "asked_at": task.asked_at,
        "number": task.number,
        "at": task.at,
        "failed": task.failed,
    }


def report(survey: Survey) -> dict[str, Any]:
    """All that is known of a survey, as the ticket system and webhooks get it."""
    subject, state = survey.subject, survey.state
    last = state.revisions[-1] if state.revisions else None
    return {
        "survey": public(Kind.SURVEY, survey.id),
        "to": survey.msisdn,
        "ticket": subject.ticket,
        "touchpoint": survey.touchpoint,
        "agent": subject.agent,
        "department": subject.department,
        "ref": subject.ref,
        "status": survey.status,
        "reason": state.reason,
        "scale": subject.scale,
        "score": last.score if last else None,
        "comment": state.comment or None,
        "text": last.text if last else state.unclear_text or None,
        "low": state.low,
        "follow_up": told(state.follow_up) if state.follow_up else None,
        "set_by_person": last is not None and last.by is not None,
        "person": last.by if last else None,
        "asked_at": survey.opened_at,
        "expires_at": survey.expires_at,
        "answered_at": state.revisions[0].at if last else None,
        "revised_at": last.at if last and len(state.revisions) > 1 else None,
        "revisions": [{"score": each.score, "at": each.at} for each in state.revisions],
    }
