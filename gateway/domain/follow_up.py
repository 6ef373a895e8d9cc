"""Follow-ups 二次回访: who is called back, after a low score or because the rules pick some resolved tickets,
and what the ticket system made of it."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from msgspec.structs import replace

from gateway.domain.effect import Announce, Effect, FollowUp, Inbox, OutOfInbox
from gateway.domain.given import CallDone, CallFailed
from gateway.domain.survey_rules import CallbackRule, SurveyRules
from gateway.domain.survey_state import Because, Subject, Survey, Task, Why, report

#: Who is asked for a task.
CREATE: Final = "ticket.create"
#: The keys of its calls, which tell the two apart.
KEYS: Final = {Because.LOW_SCORE: "follow_up", Because.CALLBACK: "callback"}

Stepped = tuple[Survey, list[Effect]]


def picks(rule: CallbackRule, ticket_id: str, subject: Subject, tier: str | None) -> bool:
    """Whether the customer of this ticket is to be called back. The same ticket gets the same answer always,
    and who is picked by a small share is by a larger one.
    """
    ticket = subject.ticket or {}
    wanted = (
        (rule.types, ticket.get("type")),
        (rule.tiers, tier),
        (rule.departments, subject.department or ticket.get("department")),
    )
    if any(names is not None and name not in names for names, name in wanted):
        return False
    drawn = int.from_bytes(sha256(ticket_id.encode()).digest()[:8])
    return drawn < rule.share * 2**64


def callback_at(
    ticket_id: str | None, subject: Subject, tier: str | None, now: datetime, rules: SurveyRules
) -> datetime | None:
    """When the customer of a ticket that is resolved now is to be called back; None: not picked."""
    rule = rules.callback
    if rule is None or ticket_id is None or not picks(rule, ticket_id, subject, tier):
        return None
    return now + rule.after


def is_due(survey: Survey, now: datetime) -> bool:
    """Whether the time to call back has come, and nobody was asked to."""
    at = survey.subject.callback_at
    return at is not None and now >= at and survey.state.follow_up is None


def stands_back(survey: Survey, same: Survey) -> bool:
    """Whether a survey that is due leaves it to another one about the same ticket: that has been seen to, or
    was resolved later and is due later.
    """
    if same.id == survey.id:
        return False
    later = same.id > survey.id and same.subject.callback_at is not None
    return later or same.state.follow_up is not None


def call_back(survey: Survey, now: datetime) -> Stepped:
    """Ask for the task that the rules picked this ticket for; once."""
    if not is_due(survey, now):
        return survey, []
    after = _with(survey, Task(because=Because.CALLBACK, asked_at=now))
    data = report(after)
    return after, [Announce("survey.follow_up", data | {"changed": "asked"}), ask(data, Because.CALLBACK)]


def ask(data: dict[str, Any], because: Because) -> FollowUp:
    """The task itself; `data` is the survey's report."""
    return FollowUp(data | {"kind": "follow_up", "key": KEYS[because]})


def recorded(survey: Survey, given: CallDone, now: datetime) -> Stepped:
    """The ticket system has the task. A number that comes late, even after a failure, still counts."""
    task = survey.state.follow_up
    if given.connector != CREATE or task is None or given.key != KEYS[task.because] or task.at is not None:
        return survey, []
    after = _with(survey, replace(task, number=given.number, at=now, failed=None, entry=None))
    effects: list[Effect] = [OutOfInbox(task.entry)] if task.entry is not None else []
    return after, [*effects, Announce("survey.follow_up", report(after) | {"changed": "recorded"})]


def failed(survey: Survey, given: CallFailed) -> Stepped:
    """There will be no task by itself: a person has to look, at the words that the score was read in."""
    task = survey.state.follow_up
    if given.connector != CREATE or task is None or given.key != KEYS[task.because] or task.at is not None:
        return survey, []
    entry = survey.state.revisions[-1].reply_id if survey.state.revisions else None
    after = _with(survey, replace(task, failed=given.reason, entry=entry))
    told = Announce("survey.follow_up", report(after) | {"changed": "failed"})
    if entry is None:
        return after, [told]
    return after, [Inbox(entry, f"{Why.FOLLOW_UP_NOT_RECORDED}: {given.reason}"), told]


def _with(survey: Survey, task: Task) -> Survey:
    return survey._replace(state=replace(survey.state, follow_up=task))
