"""What a call will store: decided from what one transaction has read, and not written here."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from gateway.domain.conversation import Conversation, Kind
from gateway.domain.follow_up import callback_at
from gateway.domain.given import Superseded
from gateway.domain.ids import Kind as IdKind
from gateway.domain.ids import public
from gateway.domain.message import Message, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.opening import Opened, Suppressed, choose_extension, first_look, open_survey
from gateway.domain.policy import NOBODY_KNOWN, Hold, Refuse, Standing, concerns, decide
from gateway.domain.request import Accepted, Asked, Rejected, SurveyOutcome, SurveyWish
from gateway.domain.survey import State, Subject, Survey
from gateway.domain.survey import Status as SurveyStatus
from gateway.domain.timer import Timer, TimerKind
from gateway.services.compose import Composer, Draft, Sender, kept_too_long
from gateway.services.conversations import Changes
from gateway.telemetry import REFUSED

#: A call with more messages than this has a transaction of its own, so that nobody waits for it.
LARGE: Final = 500
#: So many messages are made before others get their turn.
CHUNK: Final = 100

Outcome = Accepted | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What makes a call happen once. `render` gives the answer, whose bytes are stored with the rest."""

    key_hash: bytes
    request_hash: bytes
    render: Callable[[Any], tuple[int, bytes]]

    @property
    def bucket(self) -> int:
        return self.key_hash[0]


@dataclass(slots=True)
class Known:
    """What one transaction has read of the customers in it."""

    standings: dict[str, Standing] = field(default_factory=dict)
    recent: dict[str, list[Conversation]] = field(default_factory=dict)

    def standing(self, msisdn: str) -> Standing:
        return self.standings.get(msisdn, NOBODY_KNOWN)


@dataclass(slots=True)
class Plan:
    """What one call stores."""

    messages: list[Message] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)


@dataclass(slots=True)
class Many:
    """A call for messages: drafts, and rejections that stand already, in the caller's order."""

    wishes: Sequence[Draft | Rejected]
    once: Once | None
    outcome: list[Outcome] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)

    def customers(self) -> list[str]:
        """Whose standing matters."""
        return [
            wish.to
            for wish in self.wishes
            if isinstance(wish, Draft)
            and (wish.lane is None or concerns(wish.lane) or (wish.template and not wish.language))
        ]


@dataclass(slots=True)
class Question:
    """A call that asks for a score, or might."""

    draft: Draft
    params: Mapping[str, Any]  #: the caller's own; the draft's are made anew with each try
    touchpoint: str
    ticket_id: str | None
    subject: Subject
    wish: SurveyWish | None  #: None: no question
    alone: bool  #: without the question there is nothing to say
    expires_in: timedelta | None  #: None: as the rules say
    sender: Sender
    once: Once | None
    outcome: Outcome | Asked | None = None
    plan: Plan = field(default_factory=Plan)


class Planner:
    """Makes the rows of a call; the policy and the survey's rules decide."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer

    async def many(self, job: Many, known: Known, now: datetime) -> None:
        job.outcome = []
        for n, wish in enumerate(job.wishes, 1):
            job.outcome.append(wish if isinstance(wish, Rejected) else self._one(job.plan, wish, known, now))
            if n % CHUNK == 0 and len(job.wishes) > LARGE:
                await asyncio.sleep(0)

    def _one(self, plan: Plan, draft: Draft, known: Known, now: datetime) -> Outcome:
        """One message: made, held against the policy, planned."""
        standing = known.standing(draft.to)
        draft.language = draft.language or standing.language
        message = self._composer.compose(draft, now)
        if isinstance(message, Rejected):
            REFUSED.labels(draft.lane or "", message.code).inc()
            return message
        decision = decide(message.lane, message.category, standing, now)
        if isinstance(decision, Refuse):
            message = message._replace(status=Status.SUPPRESSED, reason=decision.reason)
        elif isinstance(decision, Hold):
            message = message._replace(status=Status.HELD, reason=decision.reason, due_at=decision.until)
            if draft.expires_at is None:
                message = message._replace(expires_at=self._composer.expires_at(decision.until, draft))
        plan.messages.append(message)
        if message.due_at is not None and message.status != Status.SUPPRESSED:
            plan.timers.append(Timer(message.bucket, message.due_at, TimerKind.MESSAGE, message.id))
        return accepted(message)

    def question(self, job: Question, known: Known, changes: Changes, now: datetime) -> None:
        """A message with a question: whether it may be asked, from which extension, and what it closes."""
        standing = known.standing(job.draft.to)
        if job.wish is None:
            job.draft.params = {**job.params, **self._takes(job, {"question": False})}
            job.outcome = self._one(job.plan, job.draft, known, now)
            return
        rules = changes.rules.surveys.at(job.touchpoint)
        recent = known.recent.get(job.draft.to, [])
        opened = open_survey(
            touchpoint=job.touchpoint,
            ticket_id=job.ticket_id,
            recent=recent,
            standing=standing,
            rules=rules,
            now=now,
        )
        bucket = bucket_of(job.draft.to)
        uid = self._composer.ids.new(bucket, now.timestamp())
        survey = self._survey(job, uid, recent, opened, now)
        survey = survey._replace(
            expires_at=now + (job.expires_in or rules.expires_in),
            subject=replace(
                job.subject, callback_at=callback_at(job.ticket_id, job.subject, standing.tier, now, rules)
            ),
        )
        deliver_at = job.draft.handling.deliver_at if job.draft.handling else None
        if deliver_at is not None and deliver_at >= survey.expires_at and isinstance(opened, Opened):
            job.outcome = kept_too_long(survey.expires_at, "the time for an answer")
            return
        draft = self._ask(job, survey, opened)
        if isinstance(opened, Suppressed) and job.alone:
            outcome: Outcome = Accepted(id="", status="suppressed", segments=0, encoding="")
        else:
            outcome = self._one(job.plan, draft, known, now)
        if isinstance(outcome, Rejected):
            job.outcome = outcome
            return
        if job.plan.messages:
            survey = survey._replace(message_id=job.plan.messages[-1].id)
        if outcome.status == Status.SUPPRESSED and isinstance(opened, Opened):  # nobody will see the question
            opened = Suppressed(outcome.reason or "suppressed")
            survey = survey._replace(status=SurveyStatus.SUPPRESSED, state=State(reason=opened.reason))
        self._adopt(job, survey, opened, known, changes)
        asked = SurveyOutcome(public(IdKind.SURVEY, uid), survey.status, survey.state.reason)
        if job.alone:
            sent = outcome.id or None
            job.outcome = Asked(
                asked.id, asked.status, sent, outcome.segments, outcome.encoding, asked.reason
            )
        else:
            job.outcome = Accepted(outcome.id, outcome.status, outcome.segments, outcome.encoding, asked)

    def _survey(
        self,
        job: Question,
        uid: UUID,
        recent: Sequence[Conversation],
        opened: Opened | Suppressed,
        now: datetime,
    ) -> Survey:
        suppressed = isinstance(opened, Suppressed)
        extension = (
            ""
            if suppressed
            else choose_extension(job.sender.number, job.sender.extensions, recent, now, uid.int)
        )
        return Survey(
            uid.bytes[15],
            uid,
            Kind.SURVEY,
            job.draft.to,
            job.sender.number + extension,
            job.touchpoint,
            job.ticket_id,
            SurveyStatus.SUPPRESSED if suppressed else SurveyStatus.OPEN,
            now,
            now,
            None,
            job.subject,
            State(reason=opened.reason if isinstance(opened, Suppressed) else None),
            1,
        )

    def _ask(self, job: Question, survey: Survey, opened: Opened | Suppressed) -> Draft:
        """The draft with what the template wants to know of the question."""
        draft = job.draft
        asks = isinstance(opened, Opened)
        known = {"question": asks, "scale": job.subject.scale.value, "ticket": job.ticket_id}
        known |= {"agent": job.subject.agent, "department": job.subject.department}
        draft.params = {**self._takes(job, known), **job.params, **self._takes(job, {"question": asks})}
        draft.sender = survey.address if asks else job.sender.number
        draft.conversation_id = survey.id if asks else None
        return draft

    def _takes(self, job: Question, known: dict[str, Any]) -> dict[str, Any]:
        template = self._composer.template(job.draft.template or "", job.draft.language)
        given = {name: value for name, value in known.items() if value is not None}
        return template.pick(given) if template else {}

    def _adopt(
        self, job: Question, survey: Survey, opened: Opened | Suppressed, known: Known, changes: Changes
    ) -> None:
        """Store the new question, and move on those that it supersedes."""
        recent = known.recent.setdefault(survey.msisdn, [])
        if isinstance(opened, Opened):
            for before in opened.superseded:
                after = changes.move(before, Superseded(), survey.opened_at)
                recent[:] = [after if each.id == after.id else each for each in recent]
            rules = changes.rules.surveys.at(job.touchpoint)
            look = first_look(survey.opened_at, survey.expires_at, rules)
            job.plan.timers.append(Timer(survey.bucket, look, TimerKind.CONVERSATION, survey.id))
        if (at := survey.subject.callback_at) is not None:
            job.plan.timers.append(Timer(survey.bucket, at, TimerKind.CONVERSATION, survey.id))
        job.plan.conversations.append(survey)
        recent.insert(0, survey)


def accepted(message: Message) -> Accepted:
    """What the caller is told of a stored message."""
    return Accepted(
        public(IdKind.MESSAGE, message.id),
        message.status,
        message.segments,
        message.encoding,
        None,
        message.reason,
    )
