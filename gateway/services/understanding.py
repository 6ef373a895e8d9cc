"""Whole texts understood: where each goes, what it does there, and what stands in the inbox.

Called inside the transaction that stores the texts; everything that follows is collected in `Changes`.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from gateway.domain import conversation as talk
from gateway.domain import given, survey
from gateway.domain.conversation import Conversation
from gateway.domain.effect import Scope
from gateway.domain.ids import Kind, public
from gateway.domain.opening import LOOK_BACK
from gateway.domain.routing import ANSWERS, Outcome, ReplyStatus, Route, Why, route
from gateway.domain.rulebook import Rules
from gateway.services import hall, menus, optouts
from gateway.services.conversations import Changes, Words
from gateway.services.hearing import Hearing, prompts
from gateway.services.lately import Lately
from gateway.services.parts import Whole
from gateway.storage import conversations as conversation_rows
from gateway.storage.database import Connection
from gateway.storage.replies import Reply

log = logging.getLogger(__name__)


class _Beside(NamedTuple):
    """What was read for those texts of a batch that need more than conversations."""

    mirror: menus.Mirror
    asking: hall.Standings
    offered: optouts.Offered


class Understanding:
    """What becomes of customers' texts. `senders` gives each access number with its count of extension
    digits.
    """

    def __init__(self, senders: Mapping[str, int]) -> None:
        self._senders = senders
        self._words = Lately()  # texts that answer nothing
        self._hearing = Hearing()

    async def all(self, connection: Connection, wholes: Sequence[Whole], changes: Changes) -> list[Reply]:
        """What becomes of each text, in the order of their coming; one sees what those before it did."""
        customers = list({(whole.bucket, whole.msisdn) for whole in wholes if not whole.redelivery})
        recent: dict[str, list[Conversation]] = {}
        if customers:
            recent = await conversation_rows.recent(connection, customers, changes.now - LOOK_BACK)
            changes.prompts = await prompts(connection, recent)
        beside = _Beside(
            await menus.read(connection, wholes),
            await hall.read(connection, wholes, changes.rules),
            await optouts.read(connection, wholes, changes.now),
        )
        replies = []
        for whole in wholes:
            try:
                mine = recent.setdefault(whole.msisdn, [])
                replies.append(self._understand(whole, mine, beside, changes))
            except Exception:
                log.exception("reply not understood", extra={"reply_id": public(Kind.REPLY, whole.reply_id)})
                replies.append(reply_of(whole, ReplyStatus.INBOX, Why.ERROR))
        return replies

    def _understand(
        self, whole: Whole, conversations: list[Conversation], beside: _Beside, changes: Changes
    ) -> Reply:
        if whole.redelivery:
            return reply_of(whole, ReplyStatus.DUPLICATE)
        at = whole.received_at
        found = route(whole.text, whole.address, at, conversations, changes.rules)
        about = found.conversation
        about_id = about.id if about else None
        if not whole.complete:  # a text with holes says nothing for certain
            if self._counts_as_flood(whole, changes.rules):
                return reply_of(whole, ReplyStatus.HELD, Why.FLOOD, about_id)
            return reply_of(whole, ReplyStatus.INBOX, Why.INCOMPLETE, about_id)
        if found.scope is not None:
            self._opt_out(whole, found, conversations, beside.offered, changes)
            return reply_of(whole, ReplyStatus.OPT_OUT, None, about_id)
        if found.outcome is Outcome.OPT_IN:
            changes.opt_in(whole.bucket, whole.msisdn, whole.reply_id)
            changes.confirm(optouts.receipt(whole, self._senders, "contact/opted-in"))
            return reply_of(whole, ReplyStatus.OPT_IN)
        if self._is_flood(whole, found, changes.rules):
            return reply_of(whole, ReplyStatus.HELD, Why.FLOOD, about_id)
        if found.outcome is Outcome.MENU:
            conversations[:] = menus.open_list(whole, beside.mirror, conversations, changes, self._senders)
            return reply_of(whole, ReplyStatus.READ, None, conversations[0].id)
        if found.keyword is not None and found.outcome is Outcome.ENQUIRY:
            enquiry = hall.open_enquiry(
                whole, found.keyword, beside.asking, conversations, changes, senders=self._senders
            )
            if enquiry is None:
                return reply_of(whole, ReplyStatus.HELD, Why.FLOOD)
            return reply_of(whole, ReplyStatus.READ, None, enquiry.id)
        if found.outcome is Outcome.UNMATCHED:
            return self._own_words(whole, about, conversations, changes)
        if found.outcome in ANSWERS and about is not None:
            said = changes.rules.replies
            words = given.ReplyText(
                whole.reply_id,
                whole.text,
                asks_for_help=said.help.said_in(whole.text),
                takes_back=said.takes_back.said_in(whole.text),
                heard=self._hearing.of(whole, found, conversations, changes.prompts, changes.rules),
                elsewhere=found.outcome is Outcome.WHICH,
            )
            self._move(changes, conversations, about, words, at)
            status, reason = changes.marks.pop(whole.reply_id, (ReplyStatus.READ, None))
        else:
            status, reason = _KEPT[found.outcome]
        return reply_of(whole, status, reason, about_id)

    def _move(
        self,
        changes: Changes,
        conversations: list[Conversation],
        about: Conversation,
        what: given.Given,
        at: datetime,
    ) -> None:
        after = changes.move(about, what, at, conversations)
        conversations[:] = [after if each.id == after.id else each for each in conversations]

    def _opt_out(
        self,
        whole: Whole,
        found: Route,
        conversations: list[Conversation],
        offered: optouts.Offered,
        changes: Changes,
    ) -> None:
        left = optouts.left(whole, found, offered)
        changes.opt_out(whole.bucket, whole.msisdn, left.scope, whole.reply_id)
        receipt = optouts.receipt(whole, self._senders, "contact/opted-out", scope=left.told)
        receipt.language = left.language
        changes.confirm(receipt)
        if left.scope != Scope.SURVEYS:
            return
        cancelled = given.Cancel(survey.Why.OPTED_OUT)
        for each in list(conversations):
            if isinstance(each, survey.Survey) and each.status in survey.WAITING:
                self._move(changes, conversations, each, cancelled, whole.received_at)

    def _is_flood(self, whole: Whole, found: Route, rules: Rules) -> bool:
        """Whether this number writes more than people do. What is a clear answer never counts as such."""
        about = found.conversation
        if found.outcome not in (Outcome.UNMATCHED, Outcome.MENU):
            if found.outcome not in ANSWERS or about is None:
                return False
            if talk.understands(about, whole.text, rules):
                return False
        return self._counts_as_flood(whole, rules)

    def _counts_as_flood(self, whole: Whole, rules: Rules) -> bool:
        limit = rules.replies.flood
        written = self._words.count(whole.msisdn, whole.reply_id, whole.received_at, limit.within)
        return written > limit.count

    def _own_words(
        self,
        whole: Whole,
        about: Conversation | None,
        conversations: list[Conversation],
        changes: Changes,
    ) -> Reply:
        """A new case, where a ticket system takes them; else a person looks at it."""
        about_id = about.id if about else None
        asked = about if isinstance(about, survey.Survey) else None
        words = Words(
            whole.bucket,
            whole.msisdn,
            whole.address,
            whole.reply_id,
            whole.text,
            whole.received_at,
            asked.ticket_id if asked else None,
            survey.report(asked) if asked else None,
            about.subject.language if about else None,
        )
        if (made := changes.make_case(words, conversations)) is not None:
            conversations[:] = [made, *(each for each in conversations if each.id != made.id)]
            return reply_of(whole, ReplyStatus.CASE, None, made.id)
        data = {
            "reply": public(Kind.REPLY, whole.reply_id),
            "to": whole.msisdn,
            "address": whole.address,
            "text": whole.text,
            "received_at": whole.received_at,
        }
        changes.tell("reply.unmatched", whole.bucket, whole.reply_id, data)
        return reply_of(whole, ReplyStatus.INBOX, Why.UNMATCHED, about_id)


_KEPT: Final[dict[Outcome, tuple[ReplyStatus, str | None]]] = {
    Outcome.LATE: (ReplyStatus.INBOX, Why.LATE),
    Outcome.NOISE: (ReplyStatus.NOISE, None),
    Outcome.COURTESY: (ReplyStatus.COURTESY, None),
}


def reply_of(
    whole: Whole, status: ReplyStatus, reason: str | None = None, conversation_id: UUID | None = None
) -> Reply:
    return Reply(
        whole.bucket,
        whole.reply_id,
        whole.received_at,
        whole.msisdn,
        whole.address,
        whole.text,
        whole.complete,
        whole.redelivery,
        status,
        reason,
        conversation_id,
    )
