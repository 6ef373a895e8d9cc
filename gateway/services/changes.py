"""What a batch of replies, timers or verdicts does to conversations, from decision to commit."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import asyncpg

from gateway.domain import case, given
from gateway.domain import conversation as talk
from gateway.domain.conversation import Conversation
from gateway.domain.effect import (
    Announce,
    CallOut,
    Effect,
    FollowUp,
    Inbox,
    Noted,
    OptOut,
    OutOfInbox,
    Record,
    Reply,
    SetTimer,
    Subscribe,
    Trace,
    Unsubscribe,
    WriteBack,
)
from gateway.domain.event import Call, Callback, Event
from gateway.domain.ids import IdSource
from gateway.domain.message import Message
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import Rejected
from gateway.domain.routing import ReplyStatus
from gateway.domain.rulebook import Rules
from gateway.domain.subscription import Status as SubscriptionStatus
from gateway.domain.subscription import Subscription
from gateway.domain.timer import Timer, TimerKind
from gateway.services.attesting import Attestations
from gateway.services.compose import Draft
from gateway.storage import callbacks as callback_rows
from gateway.storage import contacts as contact_rows
from gateway.storage import conversations as conversation_rows
from gateway.storage import messages as message_rows
from gateway.storage import replies as reply_rows
from gateway.storage import subscriptions as subscription_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection
from gateway.telemetry import CONVERSATIONS

log = logging.getLogger(__name__)

#: What the database says when two were at the same customer: roll back, read again, decide again.
COLLISIONS: Final = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

#: The same receipt of an opt-out goes out once in this time: two robots stop here.
RECEIPT_AGAIN: Final = timedelta(days=1)

#: Why a call has failed that nobody is configured for.
NO_CONNECTOR: Final = "no connector of this name is configured"


class OutrunError(Exception):
    """Somebody else moved a conversation on in the meantime. Nothing was stored: load and decide again."""


class Composer(Protocol):
    """Makes messages from templates."""

    @property
    def ids(self) -> IdSource:
        """Where ids come from."""

    def compose(self, draft: Draft, now: datetime) -> Message | Rejected:
        """The message, not yet stored; or why it can't be made."""


class Outbox(Protocol):
    """Knows who listens and which connectors there are."""

    def has(self, connector: str) -> bool:
        """Whether a connector of this name is configured."""

    def wants(self, event_type: str) -> bool:
        """Whether anybody listens to it."""

    def rows(self, events: Iterable[Event | Call], now: datetime) -> list[Callback]:
        """One callback for each who does."""


class Words(NamedTuple):
    """What a customer wrote of his own accord."""

    bucket: int
    msisdn: str
    address: str
    reply_id: UUID
    text: str
    at: datetime
    ticket_id: str | None = None  #: of the ticket that it was written in answer to
    follows: dict[str, Any] | None = None  #: that, as others get it
    language: str | None = None


class Changes:
    """What one batch changes, from the first decision to the commit."""

    def __init__(self, composer: Composer, outbox: Outbox, rules: Rules, now: datetime) -> None:
        self.now = now
        self.rules = rules
        self.prompts: message_rows.Logs = {}  #: the questions of pending confirmations, as they stood
        self.marks: dict[UUID, tuple[ReplyStatus, str | None]] = {}  #: what became of replies
        self._composer = composer
        self._outbox = outbox
        self._conversations: dict[UUID, Conversation] = {}
        self._opened: dict[UUID, Conversation] = {}
        self._messages: list[Message] = []
        self._events: list[Event | Call] = []
        self._timers: list[Timer] = []
        self._receipts: list[Draft] = []
        self._out: dict[
            tuple[int, str, str], bool
        ] = {}  # bucket, MSISDN, scope: whether out; last word holds
        self._callbacks: list[Callback] = []
        self.evidence = Attestations()
        self._begun: list[Subscription] = []
        self._ended: list[tuple[int, str, str, SubscriptionStatus, datetime]] = []

    def move(
        self,
        conversation: Conversation,
        what: given.Given,
        at: datetime,
        beside: Sequence[Conversation] = (),
    ) -> Conversation:
        """Give a conversation an input that came `at` this time; the conversation as it is afterwards.

        Whatever this raises, nothing of it is kept.
        """
        after, effects = talk.step(conversation, what, at, self.rules, beside)
        return self.adopt(conversation, after, effects)

    def open(self, conversation: Conversation, effects: Sequence[Effect]) -> Conversation:
        """Begin a conversation that a reply led to, with what follows from it.

        `write` raises `UniqueViolationError` if its like is open already: load and decide again.
        """
        self._opened[conversation.id] = conversation
        CONVERSATIONS.labels(conversation.kind, conversation.status).inc()
        return self.adopt(conversation, conversation, effects)

    def make_case(self, words: Words, beside: Sequence[Conversation]) -> Conversation | None:
        """A customer's own words become a case, or more of one that was begun a moment ago.

        None: no ticket system is configured to be asked for one.
        """
        if not self._outbox.has(case.CREATE):
            return None
        rules = self.rules.cases
        for each in beside:
            if isinstance(each, case.Case) and (
                each.status is case.Status.OPEN or case.belongs(each, words.at, rules)
            ):
                return self.move(each, given.ReplyText(words.reply_id, words.text), words.at)
        uid = self._composer.ids.new(words.bucket, self.now.timestamp())
        begun = case.Case(
            words.bucket,
            uid,
            talk.Kind.CASE,
            words.msisdn,
            words.address,
            case.TOUCHPOINT,
            words.ticket_id,
            case.Status.OPEN,
            words.at,
            words.at + rules.latest,
            None,
            case.Subject(
                reply_id=words.reply_id, text=words.text, follows=words.follows, language=words.language
            ),
            case.State(),
            1,
        )
        return self.open(begun, case.opened(begun, rules))

    def adopt(
        self, conversation: Conversation, after: Conversation, effects: Sequence[Effect]
    ) -> Conversation:
        """Take over what a step decided: see `move`."""
        answers = [self._answer(after, effect) if isinstance(effect, Reply) else None for effect in effects]
        self._messages += [message for message in answers if message is not None]
        for effect, answer in zip(effects, answers, strict=True):
            self._carry_out(after, effect)
            self._attest(after, effect, answer)
        if after is not conversation:
            (self._opened if after.id in self._opened else self._conversations)[after.id] = after
            if after.status is not conversation.status:
                CONVERSATIONS.labels(after.kind, after.status).inc()
        for effect in effects:
            if isinstance(effect, CallOut) and not self._outbox.has(effect.connector):
                lacking = given.CallFailed(effect.connector, NO_CONNECTOR, effect.key)
                after = self.move(after, lacking, self.now)
        return after

    def new_id(self, bucket: int) -> UUID:
        """For a conversation that begins now."""
        return self._composer.ids.new(bucket, self.now.timestamp())

    def tell(self, event_type: str, bucket: int, subject: UUID, data: dict[str, Any]) -> None:
        """Announce an event, if anybody listens."""
        if self._outbox.wants(event_type):
            self._events.append(
                Event(type=event_type, bucket=bucket, subject=subject, at=self.now, data=data)
            )

    def call(self, call: Call) -> None:
        """Owe somebody's system a call that belongs to no conversation."""
        self._events.append(call)

    def confirm(self, draft: Draft) -> None:
        """Say that an opt-out or opt-in holds, unless the customer was told the same within a day."""
        self._receipts.append(draft)

    def opt_out(self, bucket: int, msisdn: str, scope: str, reply_id: UUID) -> None:
        """A customer wants no more of these."""
        self._out[bucket, msisdn, scope] = True
        data = {"to": msisdn, "scope": scope, "by": contact_rows.BY_REPLY}
        self.tell("contact.opted_out", bucket, reply_id, data)

    def opt_in(self, bucket: int, msisdn: str, reply_id: UUID) -> None:
        """A customer wants all of it again."""
        self._out = {key: out for key, out in self._out.items() if key[:2] != (bucket, msisdn)}
        self._out[bucket, msisdn, contact_rows.EVERY] = False
        self.tell("contact.opted_in", bucket, reply_id, {"to": msisdn, "by": "reply"})

    def set_timer(self, timer: Timer) -> None:
        """Look at something again later."""
        self._timers.append(timer)

    async def write(self, connection: Connection) -> None:
        """Store all of it. Raises `OutrunError` when a conversation has moved on since it was loaded."""
        await self.write_rows(connection)
        await self.attest(connection)

    async def attest(self, connection: Connection) -> None:
        """Put on record what `write_rows` has stored: the last thing in a transaction."""
        await self.evidence.write(connection, self._callbacks)

    async def write_rows(self, connection: Connection) -> None:
        """Store all but the evidence: see `write`."""
        if self._conversations:  # first, for what is opened may take the place of one of them
            outrun = await conversation_rows.update(connection, list(self._conversations.values()))
            if outrun:
                raise OutrunError
        await conversation_rows.insert(connection, list(self._opened.values()))
        marks = [(uid.bytes[15], uid, status, reason) for uid, (status, reason) in self.marks.items()]
        await reply_rows.mark(connection, marks)
        if self._out:
            await contact_rows.hold(connection, {bucket for (bucket, _, _), out in self._out.items() if out})
            await contact_rows.opt_in(
                connection, [key for key, out in self._out.items() if not out], self.now
            )
            await contact_rows.opt_out(connection, [key for key, out in self._out.items() if out], self.now)
        if self._receipts:  # after the contacts, whose rows let one transaction at a time do this
            self._messages += await self._receipts_due(connection)
        if self._begun or self._ended:
            await subscription_rows.put(connection, self._begun)
            await subscription_rows.mark(connection, self._ended)
        await timer_rows.insert(connection, self._timers)
        if self._messages:
            await message_rows.insert(connection, self._messages)
        self._callbacks = self._outbox.rows(self._events, self.now) if self._events else []
        if self._callbacks:
            await callback_rows.insert(connection, self._callbacks)

    def hand_over(
        self,
        messages: Callable[[Sequence[Message]], None],
        callbacks: Callable[[Sequence[Callback]], None],
    ) -> None:
        """After the commit: wake those who go on with it."""
        if self._messages:
            messages(self._messages)
        if self._callbacks:
            callbacks(self._callbacks)

    def _carry_out(self, after: Conversation, effect: Effect) -> None:
        match effect:
            case WriteBack(data):
                self._call("ticket.satisfaction", after, data)
            case FollowUp(data):
                self._call("ticket.create", after, data)
            case CallOut(connector=connector, data=data, key=key):
                self._call(connector, after, data | {"key": key} if key else data)
            case Announce(event_type, data):
                self.tell(event_type, after.bucket, after.id, data)
            case SetTimer(at):
                self._timers.append(Timer(after.bucket, at, TimerKind.CONVERSATION, after.id))
            case Inbox(reply_id, reason):
                self.marks[reply_id] = (ReplyStatus.INBOX, reason)
            case Noted(reply_id, reason):
                self.marks[reply_id] = (ReplyStatus.READ, reason)
            case OutOfInbox(reply_id):
                self.marks[reply_id] = (ReplyStatus.READ, None)
            case Reply() | Record() | Trace():
                pass  # made before, so that a template's fault leaves nothing half done; see `_attest`
            case OptOut():
                self.opt_out(after.bucket, after.msisdn, effect.scope, after.id)
            case Subscribe():
                self._begun.append(_subscription(after, effect, self.now))
            case Unsubscribe(service, status):
                self._ended.append((after.bucket, after.msisdn, service, status, self.now))

    def _attest(self, after: Conversation, effect: Effect, answer: Message | None) -> None:
        match effect:
            case Record(body):
                self.evidence.add(after.id, self.now, body)
            case Trace(message_id, purpose):
                self.evidence.trace(after.id, self.now, message_id, purpose)
            case Reply(purpose=purpose) if purpose and answer is not None:
                self.evidence.said(after.id, self.now, purpose, answer)
            case CallOut(connector=connector, key=key, on_record=True):
                self.evidence.called(after.id, self.now, connector, key)
            case _:
                pass

    async def _receipts_due(self, connection: Connection) -> list[Message]:
        """The receipts of opt-outs in each customer's language, without those that were sent lately."""
        customers = [(bucket_of(draft.to), draft.to) for draft in self._receipts]
        known = await contact_rows.standings(connection, customers)
        due: dict[tuple[str, str], Message] = {}
        for draft in self._receipts:
            if draft.to in known:
                draft.language = draft.language or known[draft.to].language
            if (message := self._compose(draft)) is not None:
                due.setdefault((message.msisdn, message.body), message)
        said = await message_rows.said(connection, list(due.values()), self.now - RECEIPT_AGAIN)
        return [message for key, message in due.items() if key not in said]

    def _answer(self, after: Conversation, effect: Reply) -> Message | None:
        draft = Draft(
            to=after.msisdn,
            template=effect.template,
            params=effect.params,
            language=after.subject.language,
            sender=after.address,
            conversation_id=after.id,
        )
        message = self._compose(draft)
        if message is None and effect.otherwise:
            draft.template, draft.params = effect.otherwise, {}
            message = self._compose(draft)
        return message

    def _compose(self, draft: Draft) -> Message | None:
        message = self._composer.compose(draft, self.now)
        if isinstance(message, Message):
            return message
        log.error("answer not sent", extra={"template": draft.template, "reason": message.detail})
        return None

    def _call(self, connector: str, after: Conversation, data: dict[str, Any]) -> None:
        self._events.append(
            Call(connector=connector, bucket=after.bucket, subject=after.id, at=self.now, data=data)
        )


def _subscription(conversation: Conversation, begun: Subscribe, now: datetime) -> Subscription:
    return Subscription(
        conversation.bucket,
        conversation.msisdn,
        begun.service,
        begun.name,
        Decimal(begun.price),
        begun.period,
        SubscriptionStatus.ACTIVE,
        begun.trial,
        now,
        begun.expires_at,
        conversation.id,
        now,
    )
