"""Conversations moved on by timers and by what other systems answered, and `Changes` made and finished."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from gateway.domain import given
from gateway.domain.callback import Done, Park, Try
from gateway.domain.case import Case
from gateway.domain.confirmation import Confirmation
from gateway.domain.conversation import Conversation
from gateway.domain.event import Callback
from gateway.domain.follow_up import is_due, stands_back
from gateway.domain.ids import Kind, public
from gateway.domain.message import FINAL, Message
from gateway.domain.message import Status as MessageStatus
from gateway.domain.rulebook import Rules
from gateway.domain.survey import Survey
from gateway.domain.testimony import Answered
from gateway.domain.timer import Timer
from gateway.services.changes import COLLISIONS, Changes, Composer, Outbox, OutrunError, Words
from gateway.storage import callbacks as callback_rows
from gateway.storage import conversations as conversation_rows
from gateway.storage.database import Connection
from gateway.telemetry import CASE_SECONDS

__all__ = ["COLLISIONS", "Changes", "Conversations", "OutrunError", "Words"]

#: Connectors whose answers no conversation waits for. There is one for every score: they are not looked up.
UNHEARD: Final = frozenset({"ticket.satisfaction"})


class Conversations:
    """Makes and finishes `Changes`, and deals with the timers of conversations."""

    def __init__(
        self,
        composer: Composer,
        outbox: Outbox,
        rules: Callable[[], Rules],
        *,
        hand_over_messages: Callable[[Sequence[Message]], None],
        hand_over_callbacks: Callable[[Sequence[Callback]], None],
    ) -> None:
        self._composer = composer
        self._outbox = outbox
        self.rules = rules  #: those in force now
        self._hand_over_messages = hand_over_messages
        self._hand_over_callbacks = hand_over_callbacks

    def changes(self, now: datetime) -> Changes:
        """An empty set of changes, by the rules of this moment."""
        return Changes(self._composer, self._outbox, self.rules(), now)

    def hand_over(self, changes: Changes) -> None:
        """After the commit of `changes`."""
        changes.hand_over(self._hand_over_messages, self._hand_over_callbacks)

    async def on_timers(
        self, connection: Connection, timers: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        """Handler of conversation timers: expired, to be reminded, or its question could not be sent."""
        found = await conversation_rows.load(connection, list({(t.bucket, t.subject) for t in timers}))
        questions = [(each.bucket, each.message_id) for each in found.values() if each.message_id is not None]
        fates = await conversation_rows.prompts(connection, questions)
        changes = self.changes(now)
        for each in list(found.values()):
            fate = fates.get(each.message_id) if each.message_id is not None else None
            happened = _happened(each, fate, now, changes.rules)
            if happened is not None:
                found[each.id] = changes.move(each, happened, now)
        for picked in await _to_call_back(connection, found.values(), now):
            changes.move(picked, given.CallBack(), now)
        await changes.write(connection)
        return [lambda: self.hand_over(changes)]

    async def on_answers(
        self, connection: Connection, answers: Sequence[tuple[Callback, Done | Park]], now: datetime
    ) -> list[Callable[[], None]]:
        """What other systems answered to calls that conversations owed them, in the transaction that settles
        the calls. Raises `OutrunError`: settle again.
        """
        about = [(callback, verdict) for callback, verdict in answers if callback.target not in UNHEARD]
        if not about:
            return []
        found = await conversation_rows.load(connection, list({(c.bucket, c.subject) for c, _ in about}))
        changes = self.changes(now)
        recorded: list[float] = []
        paid = [c for c, _ in about if isinstance(found.get(c.subject), Confirmation)]
        tries = await callback_rows.tries_of(connection, paid)
        for callback, verdict in about:
            if (each := found.get(callback.subject)) is None:
                continue  # a call that belongs to no conversation
            attest = _attest(callback, verdict, tries.get(callback.id, ()))
            after = found[each.id] = changes.move(each, _answered(callback, verdict, attest), changes.now)
            if isinstance(after, Case) and after.state.recorded_at and after.status is not each.status:
                recorded.append((after.state.recorded_at - after.opened_at).total_seconds())
        await changes.write(connection)

        def committed() -> None:
            for seconds in recorded:
                CASE_SECONDS.observe(seconds)
            self.hand_over(changes)

        return [committed]


async def _to_call_back(
    connection: Connection, conversations: Iterable[Conversation], now: datetime
) -> list[Survey]:
    """Those that are due a follow-up, once for a ticket however often it was resolved."""
    due = [each for each in conversations if isinstance(each, Survey) and is_due(each, now)]
    same = await conversation_rows.same_tickets(connection, due)
    return [
        each
        for each in due
        if not any(
            stands_back(each, other) for other in same.get((each.bucket, each.msisdn, each.ticket_id), ())
        )
    ]


def _answered(callback: Callback, verdict: Done | Park, attest: Answered) -> given.Given:
    key = str(callback.payload.get("key", ""))
    match verdict:
        case Done(result):
            return given.CallDone(callback.target, result, key, attest)
        case Park(reason):
            return given.CallFailed(callback.target, reason, key, attest)


def _attest(callback: Callback, verdict: Done | Park, tries: Sequence[Try]) -> Answered:
    """An answer as it goes on record; `tries` may be missing."""
    last = tries[-1] if tries else None
    return Answered(
        connector=callback.target,
        outcome="done" if isinstance(verdict, Done) else "parked",
        key=public(Kind.CALLBACK, callback.id),
        http_status=last.http_status if last else None,
        answer=last.answer if last else verdict.reason if isinstance(verdict, Park) else None,
        tries=callback.tries,
        callback_id=callback.id,
    )


def _happened(
    conversation: Conversation, question: str | None, now: datetime, rules: Rules
) -> given.Given | None:
    """What a timer stands for, which carries no reason of its own; None: it is out of date."""
    if now >= conversation.expires_at:
        return given.TimeUp()
    if question in FINAL and question != MessageStatus.DELIVERED:
        return given.PromptFailed()
    if isinstance(conversation, Survey):
        reminder = rules.surveys.at(conversation.touchpoint).reminder
        if reminder is not None and now < conversation.opened_at + reminder.after:
            return None
    return given.Reminder()
