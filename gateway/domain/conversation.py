"""Open questions of all kinds behind one face: what routing and the services ask of any of them."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from gateway.domain import survey
from gateway.domain.effect import Effect, Reply
from gateway.domain.score import Scored
from gateway.domain.survey import Survey
from gateway.domain.survey_rules import Surveys

#: An open or closed question to one customer: a closed set, matched to the end.
Conversation = Survey


class Kind(StrEnum):
    """What was asked for."""

    SURVEY = "survey"


def step(
    conversation: Conversation,
    given: survey.Input,
    now: datetime,
    rules: Surveys,
    beside: Iterable[Conversation] = (),
) -> tuple[Conversation, list[Effect]]:
    """The conversation after an input, and what is to be done.

    `beside` are the same customer's others: automatic answers are limited over all of them, so that two
    robots which answer each other fall silent.
    """
    here = rules.at(conversation.touchpoint)
    after, effects = survey.step(conversation, given, now, here)
    if not any(isinstance(effect, Reply) for effect in effects):
        return after, effects
    since = now - here.automatic_answers.within
    others = [conversation, *(each for each in beside if each.id != conversation.id)]
    lately = [at for each in others for at in each.state.answered_by_us if at > since]
    if len(lately) >= here.automatic_answers.count:
        return after, [effect for effect in effects if not isinstance(effect, Reply)]
    mine = tuple(at for at in conversation.state.answered_by_us if at > since)
    return after._replace(state=replace(after.state, answered_by_us=(*mine, now))), effects


def understands(conversation: Conversation, text: str, rules: Surveys) -> bool:
    """Whether the text is a clear answer to this question."""
    return isinstance(rules.at(conversation.touchpoint).read(text, conversation.subject.scale), Scored)


def is_waiting(conversation: Conversation, at: datetime) -> bool:
    """Whether an answer that comes at this time is in time, and one is wanted."""
    return survey.is_waiting(conversation, at)


def is_answered(conversation: Conversation) -> bool:
    """Whether it has had its answer."""
    return conversation.status is survey.Status.ANSWERED


def is_revisable(conversation: Conversation, at: datetime, rules: Surveys) -> bool:
    """Whether the answer is so young that further words belong to it."""
    return survey.is_revisable(conversation, at, rules.at(conversation.touchpoint))
