"""The survey's machine: one question to one customer, and what each thing that happens makes of it.

`TRANSITIONS` is the machine; `step` finds out which happening an input is, and says what is to be done.
"""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from gateway.domain.effect import (
    Announce,
    Effect,
    FollowUp,
    Inbox,
    Noted,
    OutOfInbox,
    Reply,
    SetTimer,
    WriteBack,
)
from gateway.domain.follow_up import ask, call_back, failed, recorded
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
from gateway.domain.score import Scale, Scored, Unclear
from gateway.domain.survey_rules import SurveyRules
from gateway.domain.survey_state import (
    FINAL,
    MAX_COMMENT,
    MAX_REVISIONS,
    TRANSITIONS,
    WAITING,
    Because,
    Happening,
    Revision,
    State,
    Status,
    Subject,
    Survey,
    Task,
    Why,
    report,
)

__all__ = [
    "FINAL",
    "MAX_COMMENT",
    "MAX_REVISIONS",
    "TRANSITIONS",
    "WAITING",
    "Happening",
    "Revision",
    "State",
    "Status",
    "Subject",
    "Survey",
    "Why",
    "is_low",
    "is_revisable",
    "is_waiting",
    "report",
    "step",
]

#: What words without a score may be beside one: a remark. Any other code hints at another score.
REMARKS: Final = frozenset({"no-number", "other-unit", "list"})


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


def step(survey: Survey, given: Given, now: datetime, rules: SurveyRules) -> Stepped:
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
        case CallBack():
            return call_back(survey, now)
        case CallDone():
            return recorded(survey, given, now)
        case CallFailed():
            return failed(survey, given)  # of write-backs the callbacks' own table tells
        case Judged():
            return survey, []  # no yes, no no


def _moved(survey: Survey, happening: Happening) -> Status:
    if (survey.status, happening) not in TRANSITIONS:
        raise ValueError(f"a survey that is {survey.status} can't be {happening}")
    return TRANSITIONS[survey.status, happening]


def _heard(survey: Survey, given: ReplyText, now: datetime, rules: SurveyRules) -> Stepped:
    read = rules.read(given.text, survey.subject.scale)
    if survey.status is Status.ANSWERED:
        return _heard_again(survey, given, read, now, rules)
    if isinstance(read, Unclear):
        return _not_understood(survey, given, read.why, rules)
    _moved(survey, Happening.SCORED)
    revision = Revision(score=read.value, at=now, text=given.text, reply_id=given.reply_id)
    after, effects = _answered(survey, revision, read.comment, rules)
    if given.asks_for_help and not any(isinstance(effect, FollowUp) for effect in effects):
        effects.append(Inbox(given.reply_id, Why.ASKS_FOR_HELP))
    return after, effects


def _not_understood(survey: Survey, given: ReplyText, why: str, rules: SurveyRules) -> Stepped:
    """Asked once more, then for a person; a plea for help is for a person at once.

    The later words stand for all: one entry in the inbox, which shows them together.
    """
    status = _moved(survey, Happening.UNCLEAR)
    before = survey.state
    helps = given.asks_for_help or before.wants_help
    reason = str(Why.ASKS_FOR_HELP) if helps else f"{Why.NOT_UNDERSTOOD}: {why}"
    words = _with_comment(before.unclear_text, given.text)
    carried = given.text.strip() in words  # not if all of it is too long for one entry
    state = replace(
        before,
        unclear=given.reply_id,
        unclear_text=words if carried else given.text[:MAX_COMMENT],
        unclear_reason=reason,
        reason=None,
    )
    after = survey._replace(status=status, state=state)
    entry = Inbox(given.reply_id, reason)
    if status is Status.CLARIFYING:
        scale = {"scale": survey.subject.scale.value}
        if helps:
            return after, [Reply(rules.templates.help, scale), entry, *_told(after)]
        return after, [Reply(rules.templates.clarify, scale), Noted(given.reply_id, reason)]
    effects: list[Effect] = [entry]
    if before.unclear is not None:
        effects.append(
            OutOfInbox(before.unclear) if carried else Inbox(before.unclear, before.unclear_reason)
        )
    return after, effects + _told(after)


def _answered(before: Survey, revision: Revision, comment: str, rules: SurveyRules) -> Stepped:
    """The first score. A person's is told like the customer's own, but draws no automatic SMS.

    Words that were not understood are comment now, and need nobody any more; a plea for help still does.
    """
    scale = before.subject.scale
    low = is_low(revision.score, scale, rules)
    by_customer = revision.by is None
    words = "" if before.state.unclear_text == revision.text else before.state.unclear_text
    state = replace(
        before.state,
        revisions=(revision,),
        comment=_with_comment(_with_comment(before.state.comment, words), comment),
        reason=None,
        low=low,
        followed_up=low,
        follow_up=(_task(revision, rules) if low else None) or before.state.follow_up,
        apologised=low and by_customer,
    )
    if not state.wants_help:
        state = replace(state, unclear=None, unclear_text="", unclear_reason=str(Why.NOT_UNDERSTOOD))
    after = before._replace(status=Status.ANSWERED, state=state)
    effects: list[Effect] = []
    if by_customer:
        effects.append(Reply(rules.templates.low_score if low else rules.templates.thanks))
        if before.state.unclear is not None and state.unclear is None:
            effects.append(OutOfInbox(before.state.unclear))
    data = report(after)
    effects += _told(after, data)
    effects.append(Announce("survey.answered", data))
    if low:
        effects += _low(data, rules)
    return after, effects


def _heard_again(
    survey: Survey, given: ReplyText, read: Scored | Unclear, now: datetime, rules: SurveyRules
) -> Stepped:
    """More words beside a score: another score, a comment, or a doubt that a person has to settle."""
    young = is_revisable(survey, now, rules)
    why = read.why if isinstance(read, Unclear) else ""
    if isinstance(read, Unclear) and young:
        read = rules.read_correction(given.text, survey.subject.scale) or read
    _moved(survey, Happening.SCORED if isinstance(read, Scored) else Happening.UNCLEAR)
    if isinstance(read, Scored):
        after, effects = _scored_again(survey, given, read, now, rules)
    else:
        after, effects = _commented(survey, given.text)
        if young and not given.asks_for_help and (given.takes_back or why not in REMARKS):
            after = after._replace(state=replace(after.state, doubts=(*after.state.doubts, given.reply_id)))
            effects.append(Inbox(given.reply_id, f"{Why.REVISION_UNCLEAR}: {why}"))
    if given.asks_for_help:
        effects.append(Inbox(given.reply_id, Why.ASKS_FOR_HELP))
    return after, effects


def _scored_again(
    survey: Survey, given: ReplyText, read: Scored, now: datetime, rules: SurveyRules
) -> Stepped:
    revisions = survey.state.revisions
    young = is_revisable(survey, now, rules)
    if read.value == revisions[-1].score:
        after, effects = _commented(survey, read.comment)
    elif not young or len(revisions) >= MAX_REVISIONS:
        return _commented(survey, given.text)
    else:
        revision = Revision(score=read.value, at=now, text=given.text, reply_id=given.reply_id)
        after, effects = _revised(survey, revision, read.comment, rules)
    if young and after.state.doubts:  # said clearly now
        effects += map(OutOfInbox, after.state.doubts)
        after = after._replace(state=replace(after.state, doubts=()))
    return after, effects


def _revised(survey: Survey, revision: Revision, comment: str, rules: SurveyRules) -> Stepped:
    """Another score instead of the one before. An apology may be due now; thanks are not said twice."""
    state = survey.state
    low = is_low(revision.score, survey.subject.scale, rules)
    apology = low and not state.apologised and revision.by is None
    anew = low and not state.followed_up
    after = survey._replace(
        state=replace(
            state,
            revisions=(*state.revisions, revision),
            comment=_with_comment(state.comment, comment),
            low=low,
            followed_up=state.followed_up or low,
            follow_up=(_task(revision, rules) if anew else None) or state.follow_up,
            apologised=state.apologised or apology,
        )
    )
    data = report(after)
    effects: list[Effect] = [Reply(rules.templates.low_score)] if apology else []
    effects += _told(after, data)
    effects.append(Announce("survey.revised", data | {"changed": "score"}))
    if anew:
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
        effects.append(Inbox(survey.state.unclear, survey.state.unclear_reason))
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
    effects = _told(after)
    if survey.status is Status.CLARIFYING and survey.state.unclear is not None:  # nobody has seen these words
        effects.append(Inbox(survey.state.unclear, survey.state.unclear_reason))
    return after, effects


def _told(survey: Survey, data: dict[str, Any] | None = None) -> list[Effect]:
    """The write-back; a survey without a ticket has nothing to write into."""
    if survey.subject.ticket is None:
        return []
    return [WriteBack(report(survey) if data is None else data)]


def _low(data: dict[str, Any], rules: SurveyRules) -> list[Effect]:
    effects: list[Effect] = [Announce("survey.low_score", data)]
    if rules.follow_up:
        effects.append(ask(data, Because.LOW_SCORE))
    return effects


def _task(revision: Revision, rules: SurveyRules) -> Task | None:
    return Task(because=Because.LOW_SCORE, asked_at=revision.at) if rules.follow_up else None


def _with_comment(comment: str, words: str) -> str:
    """Further words below those of before; the same ones again add nothing."""
    words = words.strip()
    if not words or f"\n{words}\n" in f"\n{comment}\n":
        return comment
    return f"{comment}\n{words}"[:MAX_COMMENT] if comment else words[:MAX_COMMENT]
