"""Replies that need a person: what the person says they mean."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from gateway.domain.confirmation import Confirmation
from gateway.domain.conversation import Conversation
from gateway.domain.given import Judged, Verdict
from gateway.domain.ids import Kind, bucket_of_id, public
from gateway.domain.opening import LOOK_BACK
from gateway.domain.survey import Status, Survey, report
from gateway.services.conversations import COLLISIONS, Changes, Conversations, OutrunError, Words
from gateway.storage import conversations as conversation_rows
from gateway.storage import replies as reply_rows
from gateway.storage.database import Connection, Database
from gateway.storage.replies import Reply

log = logging.getLogger(__name__)

ATTEMPTS: Final = 5


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person reads in a reply. `score` is given with `as: score`, and only then."""

    as_: Literal["score", "yes", "no", "ticket", "nothing"] = msgspec.field(name="as")
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Done."""

    reply_id: UUID
    as_: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """There is no such reply."""


@dataclass(frozen=True, slots=True)
class Gone:
    """It is not in the inbox (any more): somebody was quicker, or a later reply answered the question."""


@dataclass(frozen=True, slots=True)
class Refused:
    """This can't be said of this reply; `detail` says why."""

    detail: str


class _BackOut(Exception):  # noqa: N818 - carries a result out of the transaction, which is rolled back
    def __init__(self, refused: Refused) -> None:
        self.refused = refused


class Inbox:
    """Takes replies out of the inbox."""

    def __init__(self, database: Database, conversations: Conversations, now: Callable[[], datetime]) -> None:
        self._database = database
        self._conversations = conversations
        self._now = now

    async def resolve(
        self, reply_id: UUID, judgement: Judgement, who: str
    ) -> Resolved | Gone | NotFound | Refused:
        """Do what a person says a reply means. Raises `StorageUnavailable`."""
        if (judgement.as_ == "score") != (judgement.score is not None):
            return Refused("A score goes with “as”: “score”, and only with it.")
        for _ in range(ATTEMPTS):
            changes = self._conversations.changes(self._now())
            try:
                async with self._database.transaction() as connection:
                    outcome = await self._resolve(connection, changes, reply_id, judgement, who)
            except (OutrunError, *COLLISIONS):
                continue
            except _BackOut as back:
                return back.refused
            self._conversations.hand_over(changes)
            return outcome
        return Gone()

    async def _resolve(
        self, connection: Connection, changes: Changes, reply_id: UUID, judgement: Judgement, who: str
    ) -> Resolved | Gone | NotFound:
        bucket = bucket_of_id(reply_id)
        verdict = msgspec.to_builtins(judgement)
        reply = await reply_rows.resolve(
            connection, bucket, reply_id, verdict=verdict, who=who, now=changes.now
        )
        if reply is None:
            there = await reply_rows.load(connection, bucket, reply_id)
            return NotFound() if there is None else Gone()
        about = await _about(connection, reply)
        if isinstance(about, Survey) and about.state.unclear == reply.id:  # it stood for all of them
            reply = reply._replace(text=about.state.unclear_text)
        match judgement.as_:
            case "score":
                _set_score(changes, about, reply, judgement, who)
            case "ticket":
                await _request_ticket(connection, changes, about, reply)
            case "yes" | "no":
                _set_answer(changes, about, reply, judgement.as_ == "yes", who)
            case "nothing":
                pass
        await changes.write(connection)
        log.info("reply resolved", extra={"reply_id": public(Kind.REPLY, reply_id), "verdict": judgement.as_})
        return Resolved(reply_id, judgement.as_)


async def _about(connection: Connection, reply: Reply) -> Conversation | None:
    if reply.conversation_id is None:
        return None
    found = await conversation_rows.load(connection, [(reply.bucket, reply.conversation_id)])
    return found.get(reply.conversation_id)


def _set_score(
    changes: Changes, about: Conversation | None, reply: Reply, judgement: Judgement, who: str
) -> None:
    if not isinstance(about, Survey) or about.status is Status.SUPPRESSED:
        raise _BackOut(Refused("The reply belongs to no survey."))
    highest = about.subject.scale.highest
    if judgement.score is None or not 1 <= judgement.score <= highest:
        raise _BackOut(Refused(f"The scale of this survey goes from 1 to {highest}."))
    changes.move(about, Verdict(reply.id, reply.text, judgement.score, who), changes.now)


def _set_answer(changes: Changes, about: Conversation | None, reply: Reply, yes: bool, who: str) -> None:
    if not isinstance(about, Confirmation):
        raise _BackOut(Refused("The reply answers no confirmation."))
    after = changes.move(about, Judged(reply.id, reply.text, yes, who), changes.now)
    if after is about:
        raise _BackOut(
            Refused(
                f"The confirmation is {about.status}, and this reply can't be its {'yes' if yes else 'no'} "
                "now: an answer counts if it came whole, in time, and to the number that asked."
            )
        )


async def _request_ticket(
    connection: Connection, changes: Changes, about: Conversation | None, reply: Reply
) -> None:
    """A case of the customer's words, with what it follows from where that is known."""
    asked = about if isinstance(about, Survey) else None
    words = Words(
        reply.bucket,
        reply.msisdn,
        reply.address,
        reply.id,
        reply.text,
        changes.now,
        asked.ticket_id if asked else None,
        report(asked) if asked else None,
        about.subject.language if about else None,
    )
    customer = (reply.bucket, reply.msisdn)
    beside = await conversation_rows.recent(connection, [customer], changes.now - LOOK_BACK)
    if changes.make_case(words, beside.get(reply.msisdn, ())) is None:
        raise _BackOut(Refused('No ticket system is configured: there is no [connectors."ticket.create"].'))
