"""Opt-outs heeded in the transaction that writes attempts, so that nothing is sent after one's commit.

The attempts share the locks of their customers' buckets, an opt-out takes its own alone: whichever commits
first is seen by the other. Buckets' locks and not customers': a batch of any size holds 256 of them at most.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.domain.message import Message
from gateway.domain.policy import NOBODY_KNOWN, Refuse, concerns, decide
from gateway.storage import contacts as contact_rows
from gateway.storage.database import Connection


class Asked(NamedTuple):
    """A message about to be attempted in a lane that opt-outs concern, of which nothing has left yet."""

    bucket: int
    msisdn: str
    message_id: UUID
    lane: str
    category: str | None
    at: datetime


def ask(message: Message, at: datetime) -> Asked | None:
    """What is to be asked again of a message; None: no opt-out stops it."""
    if not concerns(message.lane):
        return None
    return Asked(message.bucket, message.msisdn, message.id, message.lane, message.category, at)


async def heed(connection: Connection, asked: Sequence[Asked]) -> frozenset[UUID]:
    """The messages that must not be attempted. No opt-out of these customers commits before we do."""
    await contact_rows.share(connection, {each.bucket for each in asked})
    # A statement of its own: what it sees is what was committed when the locks were held.
    known = await contact_rows.standings(connection, list({(each.bucket, each.msisdn) for each in asked}))
    if not known:
        return frozenset()
    return frozenset(
        each.message_id
        for each in asked
        if isinstance(decide(each.lane, each.category, known.get(each.msisdn, NOBODY_KNOWN), each.at), Refuse)
    )
