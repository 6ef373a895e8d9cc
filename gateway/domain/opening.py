"""Whether a customer may be asked for a score now, and from which extension the question goes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from gateway.domain import conversation as talk
from gateway.domain import survey
from gateway.domain.conversation import Conversation
from gateway.domain.policy import SURVEYS, Standing
from gateway.domain.survey import Status, Survey
from gateway.domain.survey_rules import SurveyRules

#: How long an extension stays what it meant to a customer after its question is closed.
REST: Final = timedelta(days=7)
#: How far back `storage/conversations.recent` has to look for all of this.
LOOK_BACK: Final = timedelta(days=30)
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """The question may go out. What is `superseded` by it has to be moved on with `given.Superseded`."""

    superseded: tuple[Conversation, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The message goes without the question. `reason` is a stable code."""

    reason: str


def open_survey(
    *,
    touchpoint: str,
    ticket_id: str | None,
    recent: Sequence[Conversation],
    standing: Standing,
    rules: SurveyRules,
    now: datetime,
) -> Opened | Suppressed:
    """Whether this customer may be asked at this touchpoint now.

    `recent` are the customer's conversations of the last days. The same ticket resolved again is asked about
    again, whatever the limits, and closes what was open about it.
    """
    if {*SURVEYS, "lane:all"} & set(standing.opt_outs):
        return Suppressed("opted-out")
    asked_before = [each for each in recent if isinstance(each, Survey)]
    same = [each for each in asked_before if ticket_id is not None and each.ticket_id == ticket_id]
    superseded = tuple(each for each in same if each.status in survey.WAITING)
    for each in asked_before:
        if each.touchpoint == touchpoint and _holds_the_place(each) and each not in superseded:
            return Suppressed("one-open-already")
    limit = rules.tiers.get(standing.tier or "", rules.anti_fatigue)
    if limit is not None and not same:
        asked = [each for each in asked_before if _was_asked(each) and each.opened_at > now - limit.within]
        if len(asked) >= limit.count:
            return Suppressed("asked-lately")
    return Opened(superseded)


def _holds_the_place(conversation: Survey) -> bool:
    return conversation.status in (Status.OPEN, Status.CLARIFYING)


def _was_asked(conversation: Survey) -> bool:
    """Whether the customer has seen the question, as far as we know."""
    return conversation.status is not Status.SUPPRESSED and (
        conversation.status is not Status.CANCELLED or conversation.state.reason != survey.Why.UNDELIVERABLE
    )


def first_look(opened_at: datetime, expires_at: datetime, rules: SurveyRules) -> datetime:
    """When the first timer of a new question is due: its reminder, if the rules have one, or its end."""
    if rules.reminder is None:
        return expires_at
    return min(opened_at + rules.reminder.after, expires_at)


def choose_extension(
    number: str, digits: int, recent: Sequence[Conversation], now: datetime, seed: int
) -> str:
    """The extension for a new question to a customer: of its own, and rested since its last use.

    `digits` is how many the sender has; with none, all questions share the bare number. `seed` makes the
    choice repeatable. Where all are in use or resting, the one unused the longest is taken.
    """
    if digits == 0:
        return ""
    used = {
        each.address: each for each in reversed(recent) if talk.asks(each) and each.address.startswith(number)
    }
    random = Random(seed)  # noqa: S311 - spreads extensions, guards nothing
    pool = 10**digits
    for _ in range(_TRIES):
        extension = f"{random.randrange(pool):0{digits}}"
        if (last := used.get(number + extension)) is None or _has_rested(last, now):
            return extension
    every = (f"{each:0{digits}}" for each in range(pool))
    return min(every, key=lambda extension: _last_used(used.get(number + extension)))


def _has_rested(conversation: Conversation, now: datetime) -> bool:
    if talk.is_open(conversation) and now <= conversation.expires_at:
        return False
    return min(conversation.expires_at, now) + REST <= now


def _last_used(conversation: Conversation | None) -> float:
    return conversation.opened_at.timestamp() if conversation else float("-inf")
