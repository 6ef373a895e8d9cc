"""Whether a reply answers this offer: to it alone, from where it was asked, in time, and a plain yes or no.

And what makes one question tell itself apart from others: its code.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from gateway.domain.confirmation_rules import ConfirmationRules
from gateway.domain.confirmation_state import AGREED, Confirmation, Status, Why
from gateway.domain.consent import Consent, Unclear, Yes, read_consent
from gateway.domain.given import Heard
from gateway.domain.message import Event as Step
from gateway.domain.message import Status as Sent
from gateway.domain.testimony import Carried

#: Where the message that asks must stand for an answer to be one. Nobody knows of an unknown one, but the
#: customer who answers it.
ASKED: Final = frozenset({Sent.SUBMITTING, Sent.UNKNOWN, Sent.SUBMITTED, Sent.DELIVERED})
#: How long an unanswered question is in people's minds after its end.
AFTERTASTE: Final = timedelta(hours=1)
#: How long after its end an answer is still told how things stand.
REMEMBERED: Final = timedelta(days=7)


def is_waiting(confirmation: Confirmation, at: datetime) -> bool:
    """Whether an answer that comes at this time is in time, and one is wanted."""
    return confirmation.status is Status.PENDING and at < confirmation.expires_at


def is_retractable(confirmation: Confirmation, at: datetime, rules: ConfirmationRules) -> bool:
    """Whether the yes is so young that a no takes it back."""
    agreed_at = confirmation.state.agreed_at
    return (
        confirmation.status in AGREED
        and agreed_at is not None
        and confirmation.state.retracted_at is None
        and at - agreed_at <= rules.retract_within
    )


def read(confirmation: Confirmation, text: str) -> Consent:
    """What a text says to this offer, wherever it was written to."""
    subject = confirmation.subject
    if subject.code is None:
        return read_consent(text)
    coded = read_consent(text, code=subject.code)
    if isinstance(coded, Unclear) and subject.bare:
        return read_consent(text)
    return coded


def may_be_meant(confirmation: Confirmation, at: datetime) -> bool:
    """Whether a bare yes that is written to its address now may still be meant for it."""
    if confirmation.state.answered_at is not None:
        return at - confirmation.state.answered_at <= AFTERTASTE
    return at <= confirmation.expires_at + AFTERTASTE


def choose_code(address: str, recent: Iterable[Any], now: datetime, seed: int) -> tuple[str, bool]:
    """Two digits for a new question from this address, and whether an answer may go without them.

    It may unless the customer might still mean another question that came from there.
    """
    there = [each for each in recent if isinstance(each, Confirmation) and each.address == address]
    others = [each for each in there if may_be_meant(each, now)]
    used = {each.subject.code for each in others}
    free = [code for code in map(str, range(10, 100)) if code not in used]
    return Random(seed).choice(free or ["10"]), not others  # noqa: S311 - tells questions apart, guards nothing


def agreed_lately(confirmation: Confirmation, others: Iterable[Any], since: datetime) -> int:
    """How many other offers this customer has agreed to since a moment."""
    return sum(
        isinstance(each, Confirmation)
        and each.id != confirmation.id
        and each.state.agreed_at is not None
        and each.state.agreed_at > since
        for each in others
    )


def why_no_yes(confirmation: Confirmation, text: str, heard: Heard) -> Why | None:
    """Why a yes is none to this very question."""
    if heard.garbled:
        return Why.GARBLED
    if heard.address != confirmation.address:
        return Why.ELSEWHERE
    code = confirmation.subject.code
    coded = code is not None and isinstance(read_consent(text, code=code), Yes)
    return None if coded or heard.alone else Why.AMBIGUOUS


def was_asked(confirmation: Confirmation, sent: Carried | None, at: datetime) -> bool:
    """Whether the first octet of the prompt had left us, and the SMSC may have it."""
    if sent is None or sent.message_id != confirmation.message_id or sent.status not in ASKED:
        return False
    return any(part.what == Step.ATTEMPT and part.at <= at for part in sent.parts)


def why_odd(confirmation: Confirmation, heard: Heard, now: datetime, rules: ConfirmationRules) -> str | None:
    """Why a person should look at this yes before it costs money."""
    review = rules.review
    if review is None or Decimal(confirmation.subject.service.price) <= review.limit:
        return None
    parts = heard.sent.parts if heard.sent else ()
    submitted = [part.at for part in parts if part.what == Step.SUBMITTED]
    submitted = submitted or [part.at for part in parts if part.what == Step.ATTEMPT]
    if review.quicker_than is not None and submitted and now - submitted[-1] < review.quicker_than:
        return f"{Why.REVIEW}: quick"
    if review.more_than is not None and heard.agreed >= review.more_than.count:
        return f"{Why.REVIEW}: many by this number"
    limit = review.more_than_for_service
    if limit is not None and heard.agreed_by_all > limit.count:
        return f"{Why.REVIEW}: many for this service"
    return None
