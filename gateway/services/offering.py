"""An offer that a customer is asked to confirm: what the call stores, decided from what was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.domain import confirmation, wishes
from gateway.domain.confirmation import Confirmation, State, Status, Subject
from gateway.domain.conversation import Conversation, Kind
from gateway.domain.given import Superseded
from gateway.domain.ids import Kind as IdKind
from gateway.domain.ids import public
from gateway.domain.message import Lane, Message, OnUnknown
from gateway.domain.msisdn import bucket_of
from gateway.domain.opening import choose_extension
from gateway.domain.request import Asked, ConfirmationRequest, Fault, Rejected
from gateway.domain.testimony import Offered, Service
from gateway.domain.timer import Timer, TimerKind
from gateway.services.changes import Changes
from gateway.services.compose import Composer, Draft, Sender
from gateway.services.planning import Known, Once, Plan


@dataclass(slots=True)
class Offering:
    """A call that offers a paid service."""

    draft: Draft
    params: Mapping[str, Any]  #: the caller's own, for a template of its own
    service: Service
    channel: str | None
    ref: str | None
    expires_in: timedelta | None  #: None: as the rules say
    sender: Sender
    once: Once | None
    outcome: Asked | Rejected | None = None
    plan: Plan = field(default_factory=Plan)


def offering_of(
    request: ConfirmationRequest,
    draft: Draft,
    expires_in: timedelta | None,
    sender: Sender,
    once: Once | None,
) -> Offering:
    """A request as a job; `draft` says to whom and by whom."""
    draft.template, draft.language, draft.ref = request.template, request.language, request.ref
    wish = request.service
    service = Service(code=wish.code, name=wish.name, price=wish.price, period=wish.period)
    params = request.params or {}
    return Offering(draft, params, service, request.channel, request.ref, expires_in, sender, once)


class Offers:
    """Makes the rows of an offer."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer

    def plan(self, job: Offering, known: Known, changes: Changes, now: datetime) -> None:
        """The prompt, with what tells its answer from others, and the offer that it takes the place of."""
        draft, rules = job.draft, changes.rules.confirmations
        draft.language = draft.language or known.standing(draft.to).language
        recent = known.recent.setdefault(draft.to, [])
        bucket = bucket_of(draft.to)
        uid = self._composer.ids.new(bucket, now.timestamp())
        number, digits = job.sender.number, job.sender.extensions
        draft.sender = number + choose_extension(number, digits, recent, now, uid.int)
        draft.conversation_id = uid
        draft.template = draft.template or rules.templates.prompt
        draft.expires_at = now + (job.expires_in or rules.expires_in)
        draft.lane, draft.on_unknown = Lane.TRANSACTIONAL, OnUnknown.NEVER
        code, bare = confirmation.choose_code(draft.sender, recent, now, uid.int)
        deadline = draft.expires_at.astimezone(changes.rules.zone).isoformat(timespec="seconds")
        message = self._prompt(job, {"expires": deadline} | ({} if bare else {"code": code}), now)
        if isinstance(message, Rejected):
            job.outcome = message
            return
        subject = Subject(
            service=job.service,
            text=message.body,
            deadline=deadline,
            channel=job.channel,
            ref=job.ref,
            code=code if not (bare and digits) else None,
            bare=bare,
            language=draft.language,
        )
        offered = Confirmation(
            bucket,
            uid,
            Kind.CONFIRMATION,
            draft.to,
            draft.sender,
            confirmation.TOUCHPOINT,
            None,
            Status.PENDING,
            now,
            draft.expires_at,
            message.id,
            subject,
            State(),
            1,
        )
        self._supersede(offered, recent, changes)
        changes.evidence.add(uid, now, _offered(offered, message))
        job.plan.messages.append(message)
        job.plan.conversations.append(offered)
        job.plan.timers.append(Timer(bucket, offered.expires_at, TimerKind.CONVERSATION, uid))
        recent.insert(0, offered)
        job.outcome = Asked(
            public(IdKind.CONFIRMATION, uid),
            offered.status,
            public(IdKind.MESSAGE, message.id),
            message.segments,
            message.encoding,
        )

    def _prompt(self, job: Offering, asked: Mapping[str, Any], now: datetime) -> Message | Rejected:
        draft, service = job.draft, job.service
        template = self._composer.template(draft.template or "", draft.language)
        if template is not None:
            if not template.head.order:
                return _unfit(template.name, "is no order: its head lacks `order: true`")
            if "code" in asked and "code" not in template.head.parameters:
                return _unfit(template.name, "has no place for the code that tells two questions apart")
            offer = {"service": service.name, "price": service.price, "period": service.period}
            draft.params = {**job.params, **template.pick(offer | dict(asked))}
        return self._composer.compose(draft, now)

    def _supersede(self, offered: Confirmation, recent: list[Conversation], changes: Changes) -> None:
        """Offered again, a service has one open question: the former must not be confirmed beside it."""
        for before in list(recent):
            if (
                isinstance(before, Confirmation)
                and before.status is Status.PENDING
                and before.subject.service.code == offered.subject.service.code
            ):
                after = changes.move(before, Superseded(), offered.opened_at)
                recent[:] = [after if each.id == after.id else each for each in recent]


def _unfit(name: str, why: str) -> Rejected:
    return wishes.invalid([Fault("/template", f"{name} {why}")])


def _offered(offered: Confirmation, message: Message) -> Offered:
    subject = offered.subject
    return Offered(
        to=offered.msisdn,
        address=offered.address,
        service=subject.service,
        text=subject.text,
        expires_at=offered.expires_at,
        channel=subject.channel,
        ref=subject.ref,
        code=None if subject.bare else subject.code,
        language=message.language,
        template=message.template,
        version=message.version,
        message_id=message.id,
        key_id=message.key_id,
    )
