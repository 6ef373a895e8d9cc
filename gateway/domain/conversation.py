"""Open questions of all kinds behind one face: what routing and the services ask of any of them."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from gateway.domain import case as cases
from gateway.domain import confirmation as confirmations
from gateway.domain import enquiry as enquiries
from gateway.domain import menu as menus
from gateway.domain import survey as surveys
from gateway.domain.case import Case
from gateway.domain.confirmation import Confirmation
from gateway.domain.consent import Unclear
from gateway.domain.effect import Effect, Reply
from gateway.domain.enquiry import Enquiry
from gateway.domain.given import Given
from gateway.domain.menu import Menu
from gateway.domain.rulebook import Rules
from gateway.domain.score import Scored
from gateway.domain.survey import Survey

#: Open or closed: a closed set, matched to the end. All have the columns of the table `conversations`.
Conversation = Survey | Confirmation | Case | Menu | Enquiry


class Kind(StrEnum):
    """What it is about."""

    SURVEY = "survey"  #: a score
    CONFIRMATION = "confirmation"  #: yes or no to a paid service
    CASE = "case"  #: the customer's own words
    MENU = "menu"  #: what to cancel of a 0000 list
    ENQUIRY = "enquiry"  #: a keyword of the business hall


def step(
    conversation: Conversation,
    given: Given,
    now: datetime,
    rules: Rules,
    beside: Iterable[Conversation] = (),
) -> tuple[Conversation, list[Effect]]:
    """The conversation after an input, and what is to be done.

    `beside` are the same customer's others: automatic answers are limited over all of them, so that two
    robots which answer each other fall silent. What is owed goes out in any case, and does not count.
    """
    after, effects = _step(conversation, given, now, rules)
    counts = any(isinstance(effect, Reply) and not effect.owed for effect in effects)
    if isinstance(conversation, Enquiry) or not counts:
        return after, effects  # enquiries have a limit of their own
    limit = rules.surveys.at(conversation.touchpoint).automatic_answers
    since = now - limit.within
    others = [conversation, *(each for each in beside if each.id != conversation.id)]
    lately = [at for each in others for at in each.state.answered_by_us if at > since]
    if len(lately) >= limit.count:
        return after, [effect for effect in effects if not isinstance(effect, Reply) or effect.owed]
    mine = tuple(at for at in conversation.state.answered_by_us if at > since)
    return _answered_by_us(after, (*mine, now)), effects


def _step(
    conversation: Conversation, given: Given, now: datetime, rules: Rules
) -> tuple[Conversation, list[Effect]]:
    match conversation:
        case Survey():
            return surveys.step(conversation, given, now, rules.surveys.at(conversation.touchpoint))
        case Confirmation():
            return confirmations.step(conversation, given, now, rules.confirmations)
        case Case():
            return cases.step(conversation, given, now, rules.cases)
        case Menu():
            return menus.step(conversation, given, now, rules.menus)
        case Enquiry():
            return enquiries.step(conversation, given, now, rules.keywords)


def _answered_by_us(conversation: Conversation, when: tuple[datetime, ...]) -> Conversation:
    # Each kind has a state of its own, and each state this field.
    state = replace(conversation.state, answered_by_us=when)
    return conversation._replace(state=state)  # type: ignore[arg-type]


def asks(conversation: Conversation) -> bool:
    """Whether it put a question to the customer, so that a reply may be the answer."""
    return isinstance(conversation, Survey | Confirmation | Menu)


def understands(conversation: Conversation, text: str, rules: Rules) -> bool:
    """Whether the text is a clear answer to this question."""
    match conversation:
        case Survey():
            here = rules.surveys.at(conversation.touchpoint)
            return isinstance(here.read(text, conversation.subject.scale), Scored)
        case Confirmation():
            return not isinstance(confirmations.read(conversation, text), Unclear)
        case Case() | Enquiry():
            return False
        case Menu():
            return menus.understands(conversation, text)


def is_waiting(conversation: Conversation, at: datetime) -> bool:
    """Whether an answer that comes at this time is in time, and one is wanted."""
    match conversation:
        case Survey():
            return surveys.is_waiting(conversation, at)
        case Confirmation():
            return confirmations.is_waiting(conversation, at)
        case Case() | Enquiry():
            return False
        case Menu():
            return menus.is_waiting(conversation, at)


def is_open(conversation: Conversation) -> bool:
    """Whether it holds its extension: an answer may come at any time."""
    match conversation:
        case Survey():
            return conversation.status in surveys.WAITING
        case Confirmation():
            return conversation.status is confirmations.Status.PENDING
        case Case() | Enquiry():
            return False
        case Menu():
            return conversation.status in menus.WAITING


def is_answered(conversation: Conversation) -> bool:
    """Whether it has had its answer."""
    match conversation:
        case Survey():
            return conversation.status is surveys.Status.ANSWERED
        case Confirmation():
            return conversation.state.answered_at is not None
        case Case() | Enquiry():
            return False
        case Menu():
            return False


def is_revisable(conversation: Conversation, at: datetime, rules: Rules) -> bool:
    """Whether the answer is so young that further words belong to it."""
    match conversation:
        case Survey():
            here = rules.surveys.at(conversation.touchpoint)
            return surveys.is_revisable(conversation, at, here)
        case Confirmation():
            return confirmations.is_retractable(conversation, at, rules.confirmations)
        case Case() | Enquiry():
            return False
        case Menu():
            return False
