"""The machine of a paid confirmation: nothing is activated but by a clear yes to this very offer.

`TRANSITIONS` is the machine; `step` finds out which happening an input is, and says what is to be done.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from gateway.domain.confirmation_answer import (
    REMEMBERED,
    agreed_lately,
    choose_code,
    is_retractable,
    is_waiting,
    may_be_meant,
    read,
    was_asked,
    why_no_yes,
    why_odd,
)
from gateway.domain.confirmation_rules import ConfirmationRules
from gateway.domain.confirmation_state import (
    AGREED,
    CANCELLABLE,
    OVER,
    TOUCHPOINT,
    TRANSITIONS,
    Confirmation,
    Happening,
    State,
    Status,
    Subject,
    Why,
    report,
)
from gateway.domain.consent import Consent, No, Unclear, Yes
from gateway.domain.effect import (
    Announce,
    CallOut,
    Effect,
    Inbox,
    Noted,
    OutOfInbox,
    Record,
    Reply,
    Subscribe,
    Trace,
    Unsubscribe,
)
from gateway.domain.given import (
    CallBack,
    CallDone,
    CallFailed,
    Cancel,
    Given,
    Heard,
    Judged,
    PromptFailed,
    Reminder,
    ReplyText,
    Superseded,
    TimeUp,
    Verdict,
)
from gateway.domain.subscription import Status as Subscription
from gateway.domain.testimony import Became, Replied, Understood

__all__ = [
    "AGREED",
    "CANCELLABLE",
    "OVER",
    "REMEMBERED",
    "TOUCHPOINT",
    "TRANSITIONS",
    "Confirmation",
    "Happening",
    "State",
    "Status",
    "Subject",
    "Why",
    "agreed_lately",
    "choose_code",
    "is_retractable",
    "is_waiting",
    "may_be_meant",
    "read",
    "report",
    "step",
]

ACTIVATE: Final = "service.activate"
CANCEL: Final = "service.cancel"
ACTIVATION: Final = "activate"  #: keys: there is one call of each kind for a confirmation
CANCELLATION: Final = "cancel"

Stepped = tuple[Confirmation, list[Effect]]


def step(confirmation: Confirmation, given: Given, now: datetime, rules: ConfirmationRules) -> Stepped:
    """The confirmation after an input, and what is to be done; the same object when nothing happened.

    `now` is when the input came: for a reply, when it was received.
    """
    match given:
        case ReplyText():
            return _heard(confirmation, given, now, rules)
        case Judged():
            return _judged(confirmation, given, now, rules)
        case CallDone(connector):
            if connector == ACTIVATE:
                return _activated(confirmation, given, now, rules)
            return _released(confirmation, given, now, rules) if connector == CANCEL else (confirmation, [])
        case CallFailed(connector):
            if connector == ACTIVATE:
                return _failed(confirmation, given, rules)
            return _not_released(confirmation, given, rules) if connector == CANCEL else (confirmation, [])
        case TimeUp():
            return _unanswered(confirmation, Happening.OVERDUE, None)
        case PromptFailed():
            return _unanswered(confirmation, Happening.UNDELIVERED, Why.UNDELIVERABLE)
        case Superseded():
            return _withdrawn(confirmation, Happening.SUPERSEDED, Why.SUPERSEDED)
        case Cancel(reason):
            return _withdrawn(confirmation, Happening.WITHDRAWN, reason)
        case Reminder() | Verdict() | CallBack():
            return confirmation, []


def _become(
    confirmation: Confirmation, happening: Happening, by: str | None = None, **state: Any
) -> tuple[Confirmation, Record]:
    """The confirmation in its next status, and that as evidence."""
    before = confirmation.status
    if (before, happening) not in TRANSITIONS:
        raise ValueError(f"a confirmation that is {before} can't be {happening}")
    after = confirmation._replace(
        status=TRANSITIONS[before, happening], state=replace(confirmation.state, **state)
    )
    return after, Record(Became(status=after.status, before=before, reason=after.state.reason, by=by))


# --- What the customer writes ------------------------------------------------------------------------------


def _heard(confirmation: Confirmation, given: ReplyText, now: datetime, rules: ConfirmationRules) -> Stepped:
    heard = given.heard or Heard(address="")
    said = read(confirmation, given.text)
    if confirmation.status is Status.PENDING and now >= confirmation.expires_at:  # before its timer was seen
        after, effects = _unanswered(confirmation, Happening.OVERDUE, None)
        later, more = _heard(after, given, now, rules)
        return later, [*effects, *more]
    reason: str | None = said.reason if isinstance(said, Unclear) else None
    if confirmation.status is Status.PENDING and not was_asked(confirmation, heard.sent, now):
        reason = Why.BEFORE_PROMPT
    elif confirmation.status is Status.PENDING and isinstance(said, Yes):
        reason = why_no_yes(confirmation, given.text, heard)
    evidence: list[Effect] = [] if heard.sent is None else [Record(heard.sent)]
    evidence += [
        Record(
            Replied(
                sender=confirmation.msisdn,
                address=heard.address,
                text=given.text,
                received_at=now,
                reply_id=given.reply_id,
                parts=heard.octets,
            )
        ),
        Record(
            Understood(
                reading="unclear" if reason else type(said).__name__.lower(),
                reason=reason,
                reply_id=given.reply_id,
            )
        ),
    ]
    if confirmation.status is not Status.PENDING:
        after, effects = _heard_again(confirmation, given, said, now, rules)
    elif reason == Why.BEFORE_PROMPT:
        after, effects = confirmation, [Noted(given.reply_id, reason)]
    elif reason is not None:
        after, effects = _not_understood(confirmation, given, reason, now, rules)
    elif isinstance(said, Yes):
        odd = why_odd(confirmation, heard, now, rules)
        after, effects = _agreed(confirmation, given.reply_id, odd, now)
        if odd is not None:
            effects += [Inbox(given.reply_id, odd), _standing(after, rules)]
    else:
        after, effects = _declined(confirmation, now, rules)
    return after, [*evidence, *effects]


def _not_understood(
    confirmation: Confirmation, given: ReplyText, reason: str, now: datetime, rules: ConfirmationRules
) -> Stepped:
    """Asked once more, then for a person; a plea for help is for a person at once."""
    _become(confirmation, Happening.UNCLEAR)
    before, subject = confirmation.state, confirmation.subject
    heard = given.heard or Heard(address="")
    first = before.clarified_at is None
    here = given.reply_id if heard.address == confirmation.address else before.unclear
    after = confirmation._replace(
        state=replace(before, unclear=here, clarified_at=before.clarified_at or now)
    )
    told = f"{Why.ASKS_FOR_HELP if given.asks_for_help else Why.NOT_UNDERSTOOD}: {reason}"
    effects: list[Effect] = []
    if first:
        params = _offer(confirmation) | {"expires": subject.deadline}
        if subject.code is not None and not (subject.bare and heard.alone):
            params["code"] = subject.code
        effects.append(Reply(rules.templates.clarify, params, owed=True, purpose="clarify"))
    if first and not given.asks_for_help:
        return after, [*effects, Noted(given.reply_id, told)]
    return after, [*effects, Inbox(given.reply_id, told)]


def _agreed(
    confirmation: Confirmation, reply_id: UUID, odd: str | None, now: datetime, by: str | None = None
) -> Stepped:
    """A yes. The call is owed in the same transaction; one that looks odd waits for a person first."""
    accepted, became = _become(
        confirmation,
        Happening.AGREED,
        by,
        agreed_at=now,
        answered_at=now,
        agreed_in=reply_id,
        person=by,
        held=odd,
    )
    effects: list[Effect] = [became, Announce("confirmation.accepted", report(accepted))]
    if odd is not None:
        return accepted, effects
    after, more = _activate(accepted)
    return after, [*effects, *more]


def _activate(confirmation: Confirmation) -> Stepped:
    after, became = _become(confirmation, Happening.CALLED)
    return after, [became, CallOut(ACTIVATE, report(after), ACTIVATION, on_record=True)]


def _declined(
    confirmation: Confirmation, now: datetime, rules: ConfirmationRules, by: str | None = None
) -> Stepped:
    after, became = _become(
        confirmation, Happening.REFUSED, by, answered_at=now, person=by, agreed_at=None, held=None
    )
    return after, [
        became,
        Reply(rules.templates.declined, _named(after), purpose="declined"),
        Announce("confirmation.declined", report(after)),
    ]


def _heard_again(
    confirmation: Confirmation, given: ReplyText, said: Consent, now: datetime, rules: ConfirmationRules
) -> Stepped:
    """A late, a repeated or a second answer: it changes nothing, but for a no soon after the yes."""
    retractable = is_retractable(confirmation, now, rules)
    if isinstance(said, No) and retractable:
        return _retracted(confirmation, given.reply_id, now, rules)
    if isinstance(said, Unclear):
        told = f"{Why.ASKS_FOR_HELP if given.asks_for_help else Why.NOT_UNDERSTOOD}: {said.reason}"
        after = confirmation._replace(state=replace(confirmation.state, unclear=given.reply_id))
        return after, [Inbox(given.reply_id, told)]
    return confirmation, [_standing(confirmation, rules)]


def _retracted(
    confirmation: Confirmation,
    reply_id: UUID | None,
    now: datetime,
    rules: ConfirmationRules,
    by: str | None = None,
) -> Stepped:
    """The customer wants none of it after all: not called yet, it is off; else the platform has to cancel."""
    after, became = _become(
        confirmation, Happening.RETRACTED, by, retracted_at=now, retracted_in=reply_id, reason=Why.RETRACTED
    )
    if after.status is Status.CANCELLED:
        effects: list[Effect] = [became]
        if after.state.agreed_in is not None:
            effects.append(OutOfInbox(after.state.agreed_in))
        effects += [
            Reply(rules.templates.declined, _named(after), owed=True, purpose="declined"),
            Announce("confirmation.declined", report(after)),
        ]
        return after, effects
    told: list[Effect] = [
        became,
        Reply(rules.templates.cancelling, _named(after), owed=True, purpose="cancelling"),
    ]
    return after, [*told, *(_release(after) if after.status is Status.ACTIVE else ())]


def _release(confirmation: Confirmation) -> list[Effect]:
    return [
        CallOut(CANCEL, report(confirmation), CANCELLATION, on_record=True),
        Unsubscribe(confirmation.subject.service.code, Subscription.CANCELLING),
    ]


def _judged(confirmation: Confirmation, given: Judged, now: datetime, rules: ConfirmationRules) -> Stepped:
    """What a person reads in the words. Yes only in words that came in time, to the right number."""
    state = confirmation.state
    read_by = Record(Understood(reading="yes" if given.yes else "no", reply_id=given.reply_id, by=given.who))
    after, effects = confirmation, list[Effect]()
    if confirmation.status is Status.PENDING and now < confirmation.expires_at:
        if not given.yes:
            after, effects = _declined(confirmation, now, rules, given.who)
        elif given.reply_id == state.unclear:
            after, effects = _agreed(confirmation, given.reply_id, None, now, given.who)
    elif confirmation.status is Status.ACCEPTED and given.reply_id == state.agreed_in:
        if given.yes:
            released = confirmation._replace(state=replace(state, held=None, person=given.who))
            after, effects = _activate(released)
        else:
            after, effects = _declined(confirmation, now, rules, given.who)
    elif (
        not given.yes
        and given.reply_id == state.unclear
        and confirmation.status in AGREED
        and state.retracted_at is None
    ):
        after, effects = _retracted(confirmation, given.reply_id, now, rules, given.who)
    return after, [read_by, *effects] if after is not confirmation else []


# --- What the service platform answers ---------------------------------------------------------------------


def _activated(
    confirmation: Confirmation, given: CallDone, now: datetime, rules: ConfirmationRules
) -> Stepped:
    if (confirmation.status, Happening.ACTIVATED) not in TRANSITIONS:
        return confirmation, []  # told twice
    reason = confirmation.state.reason if confirmation.state.retracted_at else None
    after, became = _become(confirmation, Happening.ACTIVATED, activated_at=now, reason=reason)
    service = after.subject.service
    effects: list[Effect] = [
        *_attested(given),
        became,
        Subscribe(service.code, service.name, service.price, service.period),
        Announce("confirmation.active", report(after)),
    ]
    if after.state.retracted_at is not None:
        effects += _release(after)
    else:
        effects.append(Reply(rules.templates.active, _offer(after), owed=True, purpose="receipt"))
    return after, [*effects, *_prompt_log(after)]


def _failed(confirmation: Confirmation, given: CallFailed, rules: ConfirmationRules) -> Stepped:
    """It was refused, or given up: a person may send the call again, and it may still succeed."""
    if (confirmation.status, Happening.FAILED) not in TRANSITIONS:
        return confirmation, []
    if confirmation.status is Status.ACTIVATION_FAILED:
        return confirmation, _attested(given)
    after, became = _become(confirmation, Happening.FAILED, reason=given.reason)
    return after, [
        *_attested(given),
        became,
        Reply(rules.templates.failed, _named(after), owed=True, purpose="failed"),
        Announce("confirmation.failed", report(after)),
        *_prompt_log(after),
    ]


def _released(
    confirmation: Confirmation, given: CallDone, now: datetime, rules: ConfirmationRules
) -> Stepped:
    if (confirmation.status, Happening.RELEASED) not in TRANSITIONS:
        return confirmation, []
    after, became = _become(confirmation, Happening.RELEASED, cancelled_at=now)
    return after, [
        *_attested(given),
        became,
        Unsubscribe(after.subject.service.code),
        Reply(rules.templates.cancelled, _named(after), owed=True, purpose="cancelled"),
        Announce("subscription.cancelled", report(after)),
    ]


def _not_released(confirmation: Confirmation, given: CallFailed, rules: ConfirmationRules) -> Stepped:
    """Still active, and the customer knows it; a person has to see to it."""
    if (confirmation.status, Happening.RELEASED) not in TRANSITIONS:
        return confirmation, []
    state = replace(confirmation.state, reason=f"{Why.NOT_CANCELLED}: {given.reason}")
    after = confirmation._replace(state=state)
    effects: list[Effect] = [
        *_attested(given),
        Reply(rules.templates.not_cancelled, _named(after), owed=True, purpose="not-cancelled"),
        Unsubscribe(after.subject.service.code, Subscription.ACTIVE),
    ]
    if state.retracted_in is not None:
        effects.append(Inbox(state.retracted_in, state.reason or Why.NOT_CANCELLED))
    return after, effects


def _attested(given: CallDone | CallFailed) -> list[Effect]:
    return [] if given.attest is None else [Record(given.attest)]


# --- Without an answer -------------------------------------------------------------------------------------


def _unanswered(confirmation: Confirmation, happening: Happening, reason: str | None) -> Stepped:
    if confirmation.status is not Status.PENDING:
        return confirmation, []  # a timer that comes when all is said
    after, became = _become(confirmation, happening, reason=reason)
    return after, [became, Announce("confirmation.expired", report(after)), *_prompt_log(after)]


def _withdrawn(confirmation: Confirmation, happening: Happening, reason: str) -> Stepped:
    if (confirmation.status, happening) not in TRANSITIONS:
        return confirmation, []
    after, became = _become(confirmation, happening, reason=reason)
    effects: list[Effect] = [became, *_prompt_log(after)]
    if after.state.agreed_in is not None:  # it stood in the inbox
        effects.append(OutOfInbox(after.state.agreed_in))
    return after, effects


def _prompt_log(confirmation: Confirmation) -> Sequence[Effect]:
    prompt = confirmation.message_id
    return () if prompt is None else (Trace(prompt, "prompt"),)


# --- What customers are told -------------------------------------------------------------------------------


def _named(confirmation: Confirmation) -> dict[str, Any]:
    return {"service": confirmation.subject.service.name}


def _offer(confirmation: Confirmation) -> dict[str, Any]:
    service = confirmation.subject.service
    return _named(confirmation) | {"price": service.price, "period": service.period}


def _standing(confirmation: Confirmation, rules: ConfirmationRules) -> Reply:
    """How things stand."""
    params = _named(confirmation) | {"status": confirmation.status.value}
    return Reply(rules.templates.standing, params, purpose="standing")
