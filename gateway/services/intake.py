"""The way in: what callers ask for, decided and stored; nothing is promised before the commit.

Calls that arrive while a commit is under way share the next one. One call is a batch of one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, Protocol, cast
from uuid import UUID

import msgspec

from gateway.domain import wishes
from gateway.domain.message import Message
from gateway.domain.msisdn import Msisdn, bucket_of
from gateway.domain.opening import LOOK_BACK
from gateway.domain.request import (
    Asked,
    ConfirmationRequest,
    Fault,
    MessageRequest,
    Rejected,
    ResolutionRequest,
    SurveyRequest,
    SurveyWish,
)
from gateway.domain.score import Scale
from gateway.domain.survey import Subject
from gateway.services.commit import Failed, GroupCommit
from gateway.services.compose import Composer, Draft, Sender, answering, unknown_touchpoint
from gateway.services.conversations import COLLISIONS, Changes, Conversations, OutrunError
from gateway.services.offering import Offering, Offers, offering_of
from gateway.services.planning import CHUNK, LARGE, Known, Many, Once, Outcome, Plan, Planner, Question
from gateway.storage import contacts as contact_rows
from gateway.storage import conversations as conversation_rows
from gateway.storage import idempotency
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection, Database, Dedicated
from gateway.telemetry import ACCEPTED

__all__ = ["Caller", "Conflict", "Intake", "Once", "Replay"]

Job = Many | Question | Offering

ATTEMPTS: Final = 5
COMPLAINT: Final = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls."""

    key_id: UUID | None
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The same key and the same body: the first answer again."""

    http_status: int
    body: bytes


class Conflict(StrEnum):
    """An Idempotency-Key that can't be honoured."""

    OTHER_BODY = "other-body"
    STILL_RUNNING = "still-running"


class HandOver(Protocol):
    """Wakes who sends messages, after the commit."""

    def __call__(self, messages: Sequence[Message]) -> None: ...


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
        self._planner = Planner(composer)
        self._offers = Offers(composer)
        self._conversations = conversations
        self._regions = regions
        self._hand_over = hand_over
        self._now = now
        self._running: set[bytes] = set()
        self._commit: GroupCommit[Job, Any] = GroupCommit("intake", self._flush, limit=500)

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
        return cast("list[Outcome] | Replay | Conflict", await self._take(Many(drafts, once)))

    async def resolution(
        self, request: ResolutionRequest, caller: Caller, once: Once | None = None
    ) -> Outcome | Replay | Conflict:
        """A complaint was resolved: tell the customer, and ask for a score. Raises `StorageUnavailable`."""
        wish = request.survey if isinstance(request.survey, SurveyWish) else None
        if request.survey is True:
            wish = SurveyWish()
        asked = self._asked(request, wish.expires_in if wish else None, "/survey/expires_in")
        if isinstance(asked, Rejected):
            return asked
        to, sender, expires_in = asked
        handling = wishes.handling(request.handling, None, self._now())
        if isinstance(handling, list):
            return wishes.invalid(handling)
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
            handling=handling,
        )
        subject = Subject(
            scale=Scale(wish.scale if wish else "ten"),
            ticket=ticket,
            agent=request.ticket.handler,
            department=request.ticket.department,
            language=request.language,
        )
        job = Question(
            draft,
            params,
            COMPLAINT,
            request.ticket.id,
            subject,
            wish,
            alone=False,
            expires_in=expires_in,
            sender=sender,
            once=once,
        )
        return cast("Outcome | Replay | Conflict", await self._take(job))

    async def survey(
        self, request: SurveyRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict:
        """A touchpoint asks for a score. Raises `StorageUnavailable`."""
        asked = self._asked(request, request.expires_in, "/expires_in")
        if isinstance(asked, Rejected):
            return asked
        to, sender, expires_in = asked
        surveys = self._conversations.rules().surveys
        known = self._composer.touchpoints(answering(surveys))
        if request.template is None and request.touchpoint not in known:
            return unknown_touchpoint(request.touchpoint, known)
        rules = surveys.at(request.touchpoint)
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
        job = Question(
            draft,
            params,
            request.touchpoint,
            None,
            subject,
            SurveyWish(scale=scale.value, expires_in=request.expires_in),
            alone=True,
            expires_in=expires_in,
            sender=sender,
            once=once,
        )
        return cast("Asked | Rejected | Replay | Conflict", await self._take(job))

    async def confirmation(
        self, request: ConfirmationRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict:
        """A paid service is offered, to be confirmed. Raises `StorageUnavailable`."""
        asked = self._asked(request, request.expires_in, "/expires_in", wishes.LONGEST_OFFER)
        if isinstance(asked, Rejected):
            return asked
        to, sender, expires_in = asked
        draft = Draft(to=to, key_id=caller.key_id, request_id=caller.request_id)
        job = offering_of(request, draft, expires_in, sender, once)
        return cast("Asked | Rejected | Replay | Conflict", await self._take(job))

    async def drain(self) -> None:
        """Wait until all that was taken is stored or refused."""
        await self._commit.drain()

    # One call

    def _asked(
        self,
        request: ResolutionRequest | SurveyRequest | ConfirmationRequest,
        expires_in: str | None,
        pointer: str,
        most: timedelta = wishes.FAR,
    ) -> tuple[Msisdn, Sender, timedelta | None] | Rejected:
        """Whom to ask, as whom, and how long an answer counts; `pointer` leads to that length of time."""
        to = wishes.number(request.to, self._regions)
        lasts = None
        if expires_in is not None:
            lasts = wishes.length_of_time(expires_in, pointer, wishes.SHORTEST_QUESTION, most)
        if isinstance(to, Fault) or isinstance(lasts, Fault):
            return wishes.invalid([fault for fault in (to, lasts) if isinstance(fault, Fault)])
        sender = self._composer.sender(request.sender)
        return sender if isinstance(sender, Rejected) else (to, sender, lasts)

    def _draft(self, request: MessageRequest, caller: Caller, now: datetime) -> Draft | Rejected:
        faults = wishes.content_faults(request)
        to = wishes.number(request.to, self._regions)
        if isinstance(to, Fault):
            faults.append(to)
        handling = wishes.handling(request.handling, request.send_at, now)
        if isinstance(handling, list):
            faults += handling
            handling = wishes.PLAINLY
        times = wishes.times(request.send_at, request.valid_for, now, handling.deliver_at)
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
            handling=handling,
        )

    async def _take(self, job: Job) -> Any:
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

    async def _store(self, job: Job) -> Any:
        if isinstance(job, Many) and len(job.wishes) > LARGE:
            return (await self._persevere(partial(self._carried_out, self._database, [job])))[0]
        return await self._commit.add(job)

    # One transaction

    async def _flush(self, jobs: list[Job]) -> list[Any]:
        if len(jobs) == 1:
            return await self._persevere(partial(self._together, jobs))
        try:
            return await self._together(jobs)
        except (*COLLISIONS, OutrunError):  # somebody was at one of these customers: each for itself
            return [await self._alone(job) for job in jobs]

    async def _alone(self, job: Job) -> Any:
        """Its result, or what went wrong with it: others are stored already."""
        try:
            return (await self._persevere(partial(self._together, [job])))[0]
        except Exception as error:
            return Failed(error)

    async def _persevere(self, work: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        """Who was outrun reads again what there is now, and decides anew."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await work()
            except (*COLLISIONS, OutrunError):
                continue
        return await work()

    async def _together(self, jobs: list[Job]) -> list[Any]:
        if all(isinstance(job, Many) and job.once is None for job in jobs):
            return await self._plainly(cast("list[Many]", jobs))
        return await self._carried_out(self._connection, jobs)

    async def _carried_out(self, pipe: Dedicated | Database, jobs: list[Job]) -> list[Any]:
        async with pipe.transaction() as connection:
            outcomes, after = await self._carry_out(connection, jobs, self._now())
        after()
        return outcomes

    async def _plainly(self, jobs: list[Many]) -> list[Any]:
        """Messages alone: what is read binds nothing, and a COPY is a transaction by itself."""
        now = self._now()
        async with self._connection.connection() as connection:
            known = await self._read(connection, jobs, now)
            for job in jobs:
                job.plan = Plan()
                await self._planner.many(job, known, now)
            messages = [message for job in jobs for message in job.plan.messages]
            timers = [timer for job in jobs for timer in job.plan.timers]
            if timers:
                async with self._connection.transaction():
                    await message_rows.insert(connection, messages)
                    await timer_rows.insert(connection, timers)
            elif messages:
                await message_rows.insert(connection, messages)
        self._made(messages)
        return [job.outcome for job in jobs]

    def _made(self, messages: Sequence[Message]) -> None:
        """The commit is on disk: count them, and wake who sends them."""
        for lane, count in Counter(message.lane for message in messages).items():
            ACCEPTED.labels(lane, "http").inc(count)
        self._hand_over(messages)

    async def _carry_out(
        self, connection: Connection, jobs: Sequence[Job], now: datetime
    ) -> tuple[list[Any], Callable[[], None]]:
        """Read, decide, write. The second value is to be called after the commit."""
        replays = await self._replays(connection, jobs, now)
        rest = [job for job in jobs if id(job) not in replays]
        known = await self._read(connection, rest, now)
        changes = self._conversations.changes(now)
        for job in rest:
            job.plan = Plan()
            if isinstance(job, Many):
                await self._planner.many(job, known, now)
            elif isinstance(job, Offering):
                self._offers.plan(job, known, changes, now)
            else:
                self._planner.question(job, known, changes, now)
        claimed = [
            idempotency.First(job.once.bucket, job.once.key_hash, job.once.request_hash, now, status, body)
            for job in rest
            if job.once is not None and (job.plan.messages or job.plan.conversations)
            for status, body in (job.once.render(job.outcome),)
        ]
        if claimed and len(await idempotency.claim(connection, claimed)) < len(claimed):
            raise OutrunError  # another node was quicker with the same key: its answer is there now
        await self._write(connection, rest, changes)
        messages = [message for job in rest for message in job.plan.messages]

        def after() -> None:
            self._made(messages)
            self._conversations.hand_over(changes)

        return [replays.get(id(job)) or job.outcome for job in jobs], after

    async def _write(self, connection: Connection, jobs: Sequence[Job], changes: Changes) -> None:
        await changes.write_rows(connection)  # before the new questions: it closes those that they supersede
        conversations = [each for job in jobs for each in job.plan.conversations]
        if conversations:
            await conversation_rows.insert(connection, conversations)
        messages = [message for job in jobs for message in job.plan.messages]
        if messages:
            await message_rows.insert(connection, messages)
        await timer_rows.insert(connection, [timer for job in jobs for timer in job.plan.timers])
        await changes.attest(connection)

    async def _replays(
        self, connection: Connection, jobs: Sequence[Job], now: datetime
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

    async def _read(self, connection: Connection, jobs: Sequence[Job], now: datetime) -> Known:
        questions = [job.draft.to for job in jobs if isinstance(job, Question)]
        questions += [job.draft.to for job in jobs if isinstance(job, Offering)]
        others = [to for job in jobs if isinstance(job, Many) for to in job.customers()]
        known = Known()
        if questions or others:
            customers = [(bucket_of(msisdn), msisdn) for msisdn in {*questions, *others}]
            known.standings = await contact_rows.standings(connection, customers)
        if questions:
            customers = [(bucket_of(msisdn), msisdn) for msisdn in set(questions)]
            known.recent = await conversation_rows.recent(connection, customers, now - LOOK_BACK)
        return known


def _plain(ticket: Any) -> dict[str, Any]:
    """A ticket as plain values, without what was not given."""
    return {name: value for name, value in msgspec.to_builtins(ticket).items() if value is not None}
