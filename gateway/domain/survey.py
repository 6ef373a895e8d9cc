"""The survey's machine: one question to one customer, and what each thing that happens makes of it.

`TRANSITIONS` is the machine; `step` finds out which happening an input is, and says what is to be done.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from gateway.domain.effect import (
    Announce,
    Effect,
    FollowUp,
    Inbox,
    OutOfInbox,
    Reply,
    SetTimer,
    WriteBack,
)
from gateway.domain.ids import Kind, public
from gateway.domain.score import Scale, Scored
from gateway.domain.survey_rules import SurveyRules

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


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked, and about what. Never changes."""

    scale: Scale
    ticket: dict[str, Any] | None = None  #: as the ticket system gave it; it has an `id`
    agent: str | None = None
    department: str | None = None
    ref: str | None = None
    language: str | None = None


class Revision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A score that counted from `at` on, and the words it was read in."""

    score: int
    at: datetime
    text: str = ""
    reply_id: UUID | None = None
    by: str | None = None  #: the person who set it


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has happened so far. The last revision is the score."""

    revisions: tuple[Revision, ...] = ()
    comment: str = ""
    unclear: UUID | None = None  #: the last reply that was not understood
    unclear_text: str = ""
    reminded_at: datetime | None = None
    apologised: bool = False  #: the answer to a low score went out
    low: bool = False  #: the score that counts is a low one
    followed_up: bool = False  #: a low score was announced, and is seen to
    answered_by_us: tuple[datetime, ...] = ()  #: when automatic answers went out
    reason: str | None = None  #: why it was cancelled or suppressed


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


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The customer wrote."""

    reply_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """The question will never arrive."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time for an answer is over."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """The time for a reminder has come."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person read this score in the customer's words."""

    reply_id: UUID
    text: str
    score: int
    who: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """The same ticket was resolved again."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Taken back."""

    reason: str = Why.CANCELLED


Input = ReplyText | PromptFailed | TimeUp | Reminder | Verdict | Superseded | Cancel
Stepped = tuple[Survey, list[Effect]]


def is_waiting(survey: Survey, at: datetime) -> bool:
    """Whether an answer that comes at this time is in time, and one is wanted."""
    if at > survey.expires_at:
        return False
    return survey.status in WAITING or (
        survey.status is Status.CANCELLED and survey.state.reason == Why.UNDELIVERABLE
    )


def is_revisable(survey: Survey, at: datetime, rules: SurveyRules) -> bool:
    """Whether the answer is so young that a second one replaces it, and further words belong to it."""
    revisions = survey.state.revisions
    return (
        survey.status is Status.ANSWERED and bool(revisions) and at - revisions[0].at <= rules.revision_window
    )


def is_low(score: int, scale: Scale, rules: SurveyRules) -> bool:
    """Whether a score asks for an apology. On `three` the numbers run the other way: 3 is dissatisfied."""
    match scale:
        case Scale.TEN:
            return score <= rules.low.ten
        case Scale.FIVE:
            return score <= rules.low.five
        case Scale.THREE:
            return score >= rules.low.three


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
        "set_by_person": last is not None and last.by is not None,
        "person": last.by if last else None,
        "asked_at": survey.opened_at,
        "expires_at": survey.expires_at,
        "answered_at": state.revisions[0].at if last else None,
        "revised_at": last.at if last and len(state.revisions) > 1 else None,
        "revisions": [{"score": each.score, "at": each.at} for each in state.revisions],
    }


def step(survey: Survey, given: Input, now: datetime, rules: SurveyRules) -> Stepped:
    """The survey after an input, and what is to be done; the same object when nothing happened.

    `now` is when the input came: for a reply, when it was received.
    """
    match given:
        case ReplyText():
            return _heard(survey, given, now, rules)
        case Verdict():
            return _judged(survey, given, now, rules)
        case TimeUp():
            return _time_up(survey)
        case Reminder():
            return _remind(survey, now, rules)
        case PromptFailed():
            return _close(survey, Happening.UNDELIVERED, Why.UNDELIVERABLE)
        case Superseded():
            return _close(survey, Happening.SUPERSEDED, Why.SUPERSEDED)
        case Cancel(reason):
            return _close(survey, Happening.WITHDRAWN, reason)


def _moved(survey: Survey, happening: Happening) -> Status:
    if (survey.status, happening) not in TRANSITIONS:
        raise ValueError(f"a survey that is {survey.status} can't be {happening}")
    return TRANSITIONS[survey.status, happening]


def _heard(survey: Survey, given: ReplyText, now: datetime, rules: SurveyRules) -> Stepped:
    read = rules.read(given.text, survey.subject.scale)
    if isinstance(read, Scored):
        status = _moved(survey, Happening.SCORED)
        if survey.status is Status.ANSWERED:
            return _scored_again(survey, given, read, now, rules)
        revision = Revision(score=read.value, at=now, text=given.text, reply_id=given.reply_id)
        return _answered(survey, revision, read.comment, rules)
    status = _moved(survey, Happening.UNCLEAR)
    if survey.status is Status.ANSWERED:
        return _commented(survey, given.text)
    state = replace(survey.state, unclear=given.reply_id, unclear_text=given.text, reason=None)
    after = survey._replace(status=status, state=state)
    if status is Status.CLARIFYING:
        return after, [Reply(rules.templates.clarify, {"scale": survey.subject.scale.value})]
    effects: list[Effect] = [Inbox(given.reply_id, Why.NOT_UNDERSTOOD)]
    if survey.state.unclear is not None:
        effects.append(OutOfInbox(survey.state.unclear))  # the later words stand for both
    return after, effects + _told(after)


def _answered(before: Survey, revision: Revision, comment: str, rules: SurveyRules) -> Stepped:
    """The first score. A person's is told like the customer's own, but draws no automatic SMS."""
    scale = before.subject.scale
    low = is_low(revision.score, scale, rules)
    by_customer = revision.by is None
    state = replace(
        before.state,
        revisions=(revision,),
        comment=_with_comment(before.state.comment, comment),
        unclear=None,
        unclear_text="",
        reason=None,
        low=low,
        followed_up=low,
        apologised=low and by_customer,
    )
    after = before._replace(status=Status.ANSWERED, state=state)
    effects: list[Effect] = []
    if by_customer:
        effects.append(Reply(rules.templates.low_score if low else rules.templates.thanks))
        if before.state.unclear is not None:
            effects.append(OutOfInbox(before.state.unclear))
    data = report(after)
    effects += _told(after, data)
    effects.append(Announce("survey.answered", data))
    if low:
        effects += _low(data, rules)
    return after, effects


def _scored_again(
    survey: Survey, given: ReplyText, read: Scored, now: datetime, rules: SurveyRules
) -> Stepped:
    revisions = survey.state.revisions
    if read.value == revisions[-1].score:
        return _commented(survey, read.comment)
    if not is_revisable(survey, now, rules) or len(revisions) >= MAX_REVISIONS:
        return _commented(survey, given.text)
    revision = Revision(score=read.value, at=now, text=given.text, reply_id=given.reply_id)
    return _revised(survey, revision, read.comment, rules)


def _revised(survey: Survey, revision: Revision, comment: str, rules: SurveyRules) -> Stepped:
    """Another score instead of the one before. An apology may be due now; thanks are not said twice."""
    state = survey.state
    low = is_low(revision.score, survey.subject.scale, rules)
    apology = low and not state.apologised and revision.by is None
    after = survey._replace(
        state=replace(
            state,
            revisions=(*state.revisions, revision),
            comment=_with_comment(state.comment, comment),
            low=low,
            followed_up=state.followed_up or low,
            apologised=state.apologised or apology,
        )
    )
    data = report(after)
    effects: list[Effect] = [Reply(rules.templates.low_score)] if apology else []
    effects += _told(after, data)
    effects.append(Announce("survey.revised", data | {"changed": "score"}))
    if low and not state.followed_up:
        effects += _low(data, rules)
    return after, effects


def _commented(survey: Survey, words: str) -> Stepped:
    comment = _with_comment(survey.state.comment, words)
    if comment == survey.state.comment:
        return survey, []
    after = survey._replace(state=replace(survey.state, comment=comment))
    data = report(after)
    return after, [*_told(after, data), Announce("survey.revised", data | {"changed": "comment"})]


def _judged(survey: Survey, given: Verdict, now: datetime, rules: SurveyRules) -> Stepped:
    _moved(survey, Happening.SET)
    revision = Revision(score=given.score, at=now, text=given.text, reply_id=given.reply_id, by=given.who)
    if survey.status is not Status.ANSWERED:
        return _answered(survey, revision, "", rules)
    if given.score == survey.state.revisions[-1].score:
        return survey, []
    return _revised(survey, revision, "", rules)


def _time_up(survey: Survey) -> Stepped:
    status = _moved(survey, Happening.OVERDUE)
    if status is survey.status:
        return survey, []
    after = survey._replace(status=status)
    data = report(after)
    effects = _told(after, data)
    if status is Status.EXPIRED:
        effects.append(Announce("survey.expired", data))
    elif survey.state.unclear is not None:
        effects.append(Inbox(survey.state.unclear, Why.NOT_UNDERSTOOD))
    return after, effects


def _remind(survey: Survey, now: datetime, rules: SurveyRules) -> Stepped:
    status = _moved(survey, Happening.REMINDED)
    effects: list[Effect] = [SetTimer(survey.expires_at)]
    if status is not Status.OPEN or rules.reminder is None or survey.state.reminded_at is not None:
        return survey, effects
    after = survey._replace(state=replace(survey.state, reminded_at=now))
    return after, [Reply(rules.reminder.template, {"scale": survey.subject.scale.value}), *effects]


def _close(survey: Survey, happening: Happening, reason: str) -> Stepped:
    status = _moved(survey, happening)
    if status is survey.status:
        return survey, []
    after = survey._replace(status=status, state=replace(survey.state, reason=reason))
    return after, _told(after)


def _told(survey: Survey, data: dict[str, Any] | None = None) -> list[Effect]:
    """The write-back; a survey without a ticket has nothing to write into."""
    if survey.subject.ticket is None:
        return []
    return [WriteBack(report(survey) if data is None else data)]


def _low(data: dict[str, Any], rules: SurveyRules) -> list[Effect]:
    effects: list[Effect] = [Announce("survey.low_score", data)]
    if rules.follow_up:
        effects.append(FollowUp(data | {"kind": "follow_up"}))
    return effects


def _with_comment(comment: str, words: str) -> str:
    """Further words below those of before; the same ones again add nothing."""
    words = words.strip()
    if not words or f"\n{words}\n" in f"\n{comment}\n":
        return comment
    return f"{comment}\n{words}"[:MAX_COMMENT] if comment else words[:MAX_COMMENT]
