"""The way in: what callers ask for, decided and stored; nothing is promised before the commit.

Calls that arrive while a commit is under way share the next one. One call is a batch of one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, cast
from uuid import UUID

import msgspec

from gateway.domain import wishes
from gateway.domain.conversation import Conversation, Kind
from gateway.domain.ids import Kind as IdKind
from gateway.domain.ids import public
from gateway.domain.message import Message, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.opening import (
    LOOK_BACK,
    Opened,
    Suppressed,
    choose_extension,
    first_look,
    open_survey,
)
from gateway.domain.policy import NOBODY_KNOWN, Hold, Refuse, Standing, concerns, decide
from gateway.domain.request import (
    Accepted,
    Fault,
    MessageRequest,
    Rejected,
    ResolutionRequest,
    SurveyOutcome,
    SurveyRequest,
    SurveyWish,
)
from gateway.domain.score import Scale
from gateway.domain.survey import State, Subject, Superseded, Survey
from gateway.domain.survey import Status as SurveyStatus
from gateway.domain.timer import Timer, TimerKind
from gateway.services.commit import GroupCommit
from gateway.services.compose import Composer, Draft, Sender
from gateway.services.conversations import COLLISIONS, Changes, Conversations, OutrunError
from gateway.storage import contacts as contact_rows
from gateway.storage import conversations as conversation_rows
from gateway.storage import idempotency
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Database, Dedicated
from gateway.telemetry import ACCEPTED, REFUSED

#: A call with more messages than this has a transaction of its own, so that nobody waits for it.
LARGE: Final = 500
#: So many messages are made before others get their turn.
CHUNK: Final = 100
ATTEMPTS: Final = 5
COMPLAINT: Final = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls."""

    key_id: UUID | None
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What makes a call happen once. `render` gives the answer whose bytes are kept beside what was stored."""

    key_hash: bytes
    request_hash: bytes
    render: Callable[[Any], tuple[int, bytes]]

    @property
    def bucket(self) -> int:
        return self.key_hash[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The same key and the same body: the first answer again."""

    http_status: int
    body: bytes


class Conflict(StrEnum):
    """An Idempotency-Key that can't be honoured."""

    OTHER_BODY = "other-body"
    STILL_RUNNING = "still-running"


Outcome = Accepted | Rejected


class HandOver(Protocol):
    """Wakes who sends messages, after the commit."""

    def __call__(self, messages: Sequence[Message]) -> None: ...


@dataclass(slots=True)
class _Known:
    """What one transaction has read of the customers in it."""

    standings: dict[str, Standing] = field(default_factory=dict)
    recent: dict[str, list[Conversation]] = field(default_factory=dict)

    def standing(self, msisdn: str) -> Standing:
        return self.standings.get(msisdn, NOBODY_KNOWN)


@dataclass(slots=True)
class _Plan:
    """What one call stores."""

    messages: list[Message] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)


@dataclass(slots=True)
class _Many:
    """A call for messages: drafts, and rejections that stand already, in the caller's order."""

    wishes: Sequence[Draft | Rejected]
    once: Once | None
    outcome: list[Outcome] = field(default_factory=list)
    plan: _Plan = field(default_factory=_Plan)

    def customers(self) -> list[str]:
        """Whose standing matters."""
        return [
            wish.to
            for wish in self.wishes
            if isinstance(wish, Draft)
            and (wish.lane is None or concerns(wish.lane) or (wish.template and not wish.language))
        ]


@dataclass(slots=True)
class _Question:
    """A call that asks for a score, or might."""

    draft: Draft
    touchpoint: str
    ticket_id: str | None
    subject: Subject
    wish: SurveyWish | None  #: None: no question
    alone: bool  #: without the question there is nothing to say
    expires_in: str | None
    sender: Sender
    once: Once | None
    outcome: Outcome | None = None
    plan: _Plan = field(default_factory=_Plan)


_Job = _Many | _Question


class Intake:
    """The service behind every way in."""

    def __init__(
        self,
        *,
        database: Database,
        connection: Dedicated,
        composer: Composer,
        conversations: Conversations,
        regions: Sequence[str],
        hand_over: HandOver,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._connection = connection
        self._composer = composer
        self._conversations = conversations
        self._regions = regions
        self._hand_over = hand_over
        self._now = now
        self._running: set[bytes] = set()
        self._commit: GroupCommit[_Job, Any] = GroupCommit("intake", self._flush, limit=500)

    async def messages(
        self, requests: Sequence[MessageRequest | Rejected], caller: Caller, once: Once | None = None
    ) -> list[Outcome] | Replay | Conflict:
        """Take messages in; one outcome each, in order. Raises `StorageUnavailable`."""
        now = self._now()
        drafts: list[Draft | Rejected] = []
        for n, request in enumerate(requests, 1):
            drafts.append(request if isinstance(request, Rejected) else self._draft(request, caller, now))
            if n % CHUNK == 0:
                await asyncio.sleep(0)
        return cast("list[Outcome] | Replay | Conflict", await self._take(_Many(drafts, once)))

    async def resolution(
        self, request: ResolutionRequest, caller: Caller, once: Once | None = None
    ) -> Outcome | Replay | Conflict:
        """A complaint was resolved: tell the customer, and ask for a score. Raises `StorageUnavailable`."""
        to = wishes.number(request.to, self._regions)
        sender = self._composer.sender(request.sender)
        if isinstance(to, Fault):
            return wishes.invalid([to])
        if isinstance(sender, Rejected):
            return sender
        wish = request.survey if isinstance(request.survey, SurveyWish) else None
        if request.survey is True:
            wish = SurveyWish()
        if request.template is None and not (request.text or "").strip():
            return wishes.invalid([Fault("/text", "the explanation for the customer is missing")])
        params = dict(request.params or {})
        if request.text is not None:
            params.setdefault("text", request.text)
        ticket = _plain(request.ticket)
        draft = Draft(
            to=to,
            template=request.template or "complaint/resolution",
            params=params,
            language=request.language,
            ref=request.ticket.id,
            key_id=caller.key_id,
            request_id=caller.request_id,
        )
        subject = Subject(
            scale=Scale(wish.scale if wish else "ten"),
            ticket=ticket,
            agent=request.ticket.handler,
            department=request.ticket.department,
            language=request.language,
        )
        job = _Question(
            draft,
            COMPLAINT,
            request.ticket.id,
            subject,
            wish,
            alone=False,
            expires_in=wish.expires_in if wish else None,
            sender=sender,
            once=once,
        )
        return cast("Outcome | Replay | Conflict", await self._take(job))

    async def survey(
        self, request: SurveyRequest, caller: Caller, once: Once | None = None
    ) -> Outcome | Replay | Conflict:
        """A touchpoint asks for a score. Raises `StorageUnavailable`."""
        to = wishes.number(request.to, self._regions)
        sender = self._composer.sender(request.sender)
        if isinstance(to, Fault):
            return wishes.invalid([to])
        if isinstance(sender, Rejected):
            return sender
        rules = self._conversations.rules().surveys.at(request.touchpoint)
        scale = Scale(request.scale or rules.scale)
        params = dict(request.params or {})
        draft = Draft(
            to=to,
            template=request.template or f"survey/{request.touchpoint}",
            params=params,
            language=request.language,
            ref=request.ref,
            key_id=caller.key_id,
            request_id=caller.request_id,
        )
        subject = Subject(
            scale=scale,
            agent=request.agent,
            department=request.department,
            ref=request.ref,
            language=request.language,
        )
        job = _Question(
            draft,
            request.touchpoint,
            None,
            subject,
            SurveyWish(scale=scale.value, expires_in=request.expires_in),
            alone=True,
            expires_in=request.expires_in,
            sender=sender,
            once=once,
        )
        return cast("Outcome | Replay | Conflict", await self._take(job))

    async def drain(self) -> None:
        """Wait until all that was taken is stored or refused."""
        await self._commit.drain()

    # One call

    def _draft(self, request: MessageRequest, caller: Caller, now: datetime) -> Draft | Rejected:
        faults = wishes.content_faults(request)
        to = wishes.number(request.to, self._regions)
        if isinstance(to, Fault):
            faults.append(to)
        times = wishes.times(request.send_at, request.valid_for, now)
        if isinstance(times, Fault):
            faults.append(times)
        if faults or isinstance(to, Fault) or isinstance(times, Fault):
            return wishes.invalid(faults)
        sender = None
        if request.sender is not None:
            found = self._composer.sender(request.sender)
            if isinstance(found, Rejected):
                return found
            sender = found.number
        return Draft(
            to=to,
            template=request.template,
            params=request.params or {},
            text=request.text,
            language=request.language,
            lane=request.lane,
            sender=sender,
            report=request.report,
            ref=request.ref,
            due_at=times.due_at,
            expires_at=times.expires_at,
            key_id=caller.key_id,
            request_id=caller.request_id,
        )

    async def _take(self, job: _Job) -> Any:
        once = job.once
        if once is None:
            return await self._store(job)
        if once.key_hash in self._running:
            return Conflict.STILL_RUNNING
        self._running.add(once.key_hash)
        try:
            return await self._store(job)
        finally:
            self._running.discard(once.key_hash)

    async def _store(self, job: _Job) -> Any:
        if isinstance(job, _Many) and len(job.wishes) > LARGE:
            async with self._database.transaction() as connection:
                outcome, after = await self._carry_out(connection, [job], self._now())
            after()
            return outcome[0]
        return await self._commit.add(job)

    # One transaction

    async def _flush(self, jobs: list[_Job]) -> list[Any]:
        try:
            return await self._together(jobs)
        except (*COLLISIONS, OutrunError):
            if len(jobs) > 1:  # somebody was at one of these customers: one after the other
                return [(await self._flush([job]))[0] for job in jobs]
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._together(jobs)
            except (*COLLISIONS, OutrunError):
                continue
        return await self._together(jobs)

    async def _together(self, jobs: list[_Job]) -> list[Any]:
        async with self._connection.transaction() as connection:
            outcomes, after = await self._carry_out(connection, jobs, self._now())
        after()
        return outcomes

    async def _carry_out(
        self, connection: Connection, jobs: Sequence[_Job], now: datetime
    ) -> tuple[list[Any], Callable[[], None]]:
        """Read, decide, write. The second value is to be called after the commit."""
        replays = await self._replays(connection, jobs, now)
        rest = [job for job in jobs if id(job) not in replays]
        known = await self._read(connection, rest, now)
        changes = self._conversations.changes(now)
        for job in rest:
            job.plan = _Plan()
            if isinstance(job, _Many):
                await self._plan_many(job, known, now)
            else:
                self._plan_question(job, known, changes, now)
        claimed = [
            idempotency.First(job.once.bucket, job.once.key_hash, job.once.request_hash, now, status, body)
            for job in rest
            if job.once is not None and job.plan.messages
            for status, body in (job.once.render(job.outcome),)
        ]
        if claimed and len(await idempotency.claim(connection, claimed)) < len(claimed):
            raise OutrunError  # another node was quicker with the same key: its answer is there now
        await self._write(connection, rest, changes)
        messages = [message for job in rest for message in job.plan.messages]

        def after() -> None:
            for message in messages:
                ACCEPTED.labels(message.lane, "http").inc()
            self._hand_over(messages)
            self._conversations.hand_over(changes)

        return [replays.get(id(job)) or job.outcome for job in jobs], after

    async def _write(self, connection: Connection, jobs: Sequence[_Job], changes: Changes) -> None:
        await changes.write(connection)  # before the new questions: it closes those that they supersede
        conversations = [each for job in jobs for each in job.plan.conversations]
        if conversations:
            await conversation_rows.insert(connection, conversations)
        messages = [message for job in jobs for message in job.plan.messages]
        if messages:
            await message_rows.insert(connection, messages)
        await timer_rows.insert(connection, [timer for job in jobs for timer in job.plan.timers])

    async def _replays(
        self, connection: Connection, jobs: Sequence[_Job], now: datetime
    ) -> dict[int, Replay | Conflict]:
        """The calls that were answered before, by identity of the job."""
        asked = [(job, job.once) for job in jobs if job.once is not None]
        if not asked:
            return {}
        firsts = await idempotency.find(connection, [(once.bucket, once.key_hash) for _, once in asked])
        replays: dict[int, Replay | Conflict] = {}
        for job, once in asked:
            first = firsts.get(once.key_hash)
            if first is None:
                continue
            if first.request_hash != once.request_hash:
                replays[id(job)] = Conflict.OTHER_BODY
            else:
                replays[id(job)] = Replay(http_status=first.http_status, body=first.body)
        return replays

    async def _read(self, connection: Connection, jobs: Sequence[_Job], now: datetime) -> _Known:
        questions = [job.draft.to for job in jobs if isinstance(job, _Question)]
        others = [to for job in jobs if isinstance(job, _Many) for to in job.customers()]
        known = _Known()
        if questions or others:
            customers = [(bucket_of(msisdn), msisdn) for msisdn in {*questions, *others}]
            known.standings = await contact_rows.standings(connection, customers)
        if questions:
            customers = [(bucket_of(msisdn), msisdn) for msisdn in set(questions)]
            known.recent = await conversation_rows.recent(connection, customers, now - LOOK_BACK)
        return known

    async def _plan_many(self, job: _Many, known: _Known, now: datetime) -> None:
        job.outcome = []
        for n, wish in enumerate(job.wishes, 1):
            job.outcome.append(wish if isinstance(wish, Rejected) else self._plan(job.plan, wish, known, now))
            if n % CHUNK == 0 and len(job.wishes) > LARGE:
                await asyncio.sleep(0)

    def _plan(self, plan: _Plan, draft: Draft, known: _Known, now: datetime) -> Outcome:
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
        plan.messages.append(message)
        if message.due_at is not None and message.status != Status.SUPPRESSED:
            plan.timers.append(Timer(message.bucket, message.due_at, TimerKind.MESSAGE, message.id))
        return accepted(message)

    def _plan_question(self, job: _Question, known: _Known, changes: Changes, now: datetime) -> None:
        """A message with a question: whether it may be asked, from which extension, and what it closes."""
        standing = known.standing(job.draft.to)
        if job.wish is None:
            job.draft.params = {**job.draft.params, **self._takes(job, {"question": False})}
            job.outcome = self._plan(job.plan, job.draft, known, now)
            return
        rules = changes.rules.surveys.at(job.touchpoint)
        lasts = wishes.length_of_time(job.expires_in, "/expires_in") if job.expires_in else rules.expires_in
        if isinstance(lasts, Fault):
            job.outcome = wishes.invalid([lasts])
            return
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
        survey = survey._replace(expires_at=now + lasts)
        draft = self._ask(job, survey, opened)
        if isinstance(opened, Suppressed) and job.alone:
            outcome: Outcome = Accepted(id="", status="suppressed", segments=0, encoding="")
        else:
            outcome = self._plan(job.plan, draft, known, now)
        if isinstance(outcome, Rejected):
            job.outcome = outcome
            return
        if job.plan.messages:
            survey = survey._replace(message_id=job.plan.messages[-1].id)
        self._adopt(job, survey, opened, known, changes)
        asked = SurveyOutcome(public(IdKind.SURVEY, uid), survey.status, survey.state.reason)
        if job.alone:
            job.outcome = Accepted(
                asked.id, survey.status, outcome.segments, outcome.encoding, asked, survey.state.reason
            )
        else:
            job.outcome = Accepted(outcome.id, outcome.status, outcome.segments, outcome.encoding, asked)

    def _survey(
        self,
        job: _Question,
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

    def _ask(self, job: _Question, survey: Survey, opened: Opened | Suppressed) -> Draft:
        """The draft with what the template wants to know of the question."""
        draft = job.draft
        asks = isinstance(opened, Opened)
        known = {"question": asks, "scale": job.subject.scale.value, "ticket": job.ticket_id}
        known |= {"agent": job.subject.agent, "department": job.subject.department}
        draft.params = {**self._takes(job, known), **draft.params}
        draft.sender = survey.address if asks else job.sender.number
        draft.conversation_id = survey.id if asks else None
        return draft

    def _takes(self, job: _Question, known: dict[str, Any]) -> dict[str, Any]:
        template = self._composer.template(job.draft.template or "", job.draft.language)
        given = {name: value for name, value in known.items() if value is not None}
        return template.pick(given) if template else {}

    def _adopt(
        self, job: _Question, survey: Survey, opened: Opened | Suppressed, known: _Known, changes: Changes
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


def _plain(ticket: Any) -> dict[str, Any]:
    """A ticket as plain values, without what was not given."""
    return {name: value for name, value in msgspec.to_builtins(ticket).items() if value is not None}
