"""What people and programs ask about messages: read-only, newest first, page by page.

Ids are UUIDv7: "newest first" is "largest id first", a page's cursor is its last id, and `since` is a bound
of ids. Across buckets each one's newest are read from its own key and merged: 256 short index scans, no sort.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from gateway.domain.ids import bucket_of_id
from gateway.domain.message import Message, Step
from gateway.storage.aspects import AGENT, DEPARTMENT, HOURS, LOW, SCALE, TYPE
from gateway.storage.database import Connection

_COLUMNS: Final = ", ".join(f"m.{name}" for name in Message._fields)

# The key is the way.
MESSAGE: Final = f"""
SELECT {_COLUMNS} FROM messages m WHERE m.bucket = $1 AND m.id = $2"""  # noqa: S608 - our own column names

STEPS: Final = f"""
SELECT {", ".join(Step._fields)} FROM steps WHERE bucket = $1 AND message_id = $2 ORDER BY seq"""  # noqa: S608


async def message(connection: Connection, message_id: UUID) -> tuple[Message, list[Step]] | None:
    """A message and all its steps, first to last."""
    bucket = bucket_of_id(message_id)
    row = await connection.fetchrow(MESSAGE, bucket, message_id)
    if row is None:
        return None
    steps = await connection.fetch(STEPS, bucket, message_id)
    return Message(*row), [Step(*step) for step in steps]


class Listed(NamedTuple):
    """A message with where it stands: its last step, if it has taken any."""

    message: Message
    status: str
    reason: str | None
    route: str | None
    changed_at: datetime


class MessageFilter(NamedTuple):
    """What to list: ids in [floor, before), at most `limit`; None asks for any."""

    floor: UUID
    before: UUID
    limit: int
    msisdn: str | None = None
    bucket: int | None = None
    ref: str | None = None
    status: str | None = None
    lane: str | None = None


# $1 floor, $2 before, $3 limit, $4 lane, $5 status. A status that is missing is the one at acceptance.
_LAST: Final = """
  LEFT JOIN LATERAL (
       SELECT s.status, s.reason, s.route, s.at FROM steps s
        WHERE s.bucket = m.bucket AND s.message_id = m.id
        ORDER BY s.seq DESC LIMIT 1) l ON true"""
_WANTED: Final = """
   AND m.id >= $1 AND m.id < $2 AND ($4::text IS NULL OR m.lane = $4)
   AND ($5::text IS NULL OR coalesce(l.status, m.status) = $5)"""
_SHOWN: Final = f"""{_COLUMNS}, coalesce(l.status, m.status) AS status_now,
       CASE WHEN l.status IS NULL THEN m.reason ELSE l.reason END AS reason_now,
       l.route AS route_now, coalesce(l.at, m.accepted_at) AS changed_at"""

# One customer's, by messages_by_customer.
BY_CUSTOMER: Final = f"""
SELECT {_SHOWN} FROM messages m {_LAST}
 WHERE m.bucket = $6 AND m.msisdn = $7 {_WANTED} AND ($8::text IS NULL OR m.ref = $8)
 ORDER BY m.id DESC LIMIT $3"""  # noqa: S608 - our own fragments, values are arguments

# One reference's, by messages_by_ref; a caller gives few messages the same.
BY_REF: Final = f"""
SELECT {_SHOWN} FROM messages m {_LAST}
 WHERE m.ref = $6 {_WANTED} ORDER BY m.id DESC LIMIT $3"""  # noqa: S608

# Everybody's: the newest of each bucket, merged, and only then their last steps.
ACROSS: Final = f"""
SELECT {_SHOWN}
  FROM (SELECT n.* FROM generate_series(0, 255) b (bucket)
         CROSS JOIN LATERAL (
               SELECT m.* FROM messages m
                WHERE m.bucket = b.bucket::smallint AND m.id >= $1 AND m.id < $2
                  AND ($4::text IS NULL OR m.lane = $4)
                ORDER BY m.id DESC LIMIT $3) n
         ORDER BY n.id DESC LIMIT $3) m {_LAST}
 WHERE $5::text IS NULL
 ORDER BY m.id DESC"""  # noqa: S608

# The same where the last step decides. It reads until each bucket has a page full: narrow it by `floor`.
ACROSS_BY_STATUS: Final = f"""
SELECT n.* FROM generate_series(0, 255) b (bucket)
 CROSS JOIN LATERAL (
       SELECT {_SHOWN} FROM messages m {_LAST}
        WHERE m.bucket = b.bucket::smallint {_WANTED}
        ORDER BY m.id DESC LIMIT $3) n
 ORDER BY n.id DESC LIMIT $3"""  # noqa: S608

# The few in trouble, by steps_in_trouble: a step names the status, the last step must still say so.
IN_TROUBLE: Final = f"""
SELECT {_SHOWN}
  FROM (SELECT DISTINCT bucket, message_id FROM steps
         WHERE status = $5 AND message_id >= $1 AND message_id < $2) t
  JOIN messages m ON m.bucket = t.bucket AND m.id = t.message_id {_LAST}
 WHERE true {_WANTED}
 ORDER BY m.id DESC LIMIT $3"""  # noqa: S608

#: Kept in the index steps_in_trouble. A message suppressed at the door has no step, so that one is not here.
TROUBLE: Final = frozenset({"failed", "expired", "unknown", "cancelled"})


class TooWide(Exception):  # noqa: N818 - a finding, which the edge tells the caller
    """So many messages would have to be read that the search was given up."""


# A plan that knows its bounds prunes partitions and stops at the limit; a generic one reads everything (600
# against 35 ms at 200,000 messages). Nobody's search may take the database from those who send.
CAREFUL: Final = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL statement_timeout = '5s'"


async def messages(connection: Connection, wanted: MessageFilter) -> list[Listed]:
    """Messages, newest first; inside a transaction. Raises `TooWide`."""
    common: tuple[Any, ...] = (wanted.floor, wanted.before, wanted.limit, wanted.lane, wanted.status)
    if wanted.msisdn is not None:
        query, common = BY_CUSTOMER, (*common, wanted.bucket, wanted.msisdn, wanted.ref)
    elif wanted.ref is not None:
        query, common = BY_REF, (*common, wanted.ref)
    elif wanted.status in TROUBLE:
        query = IN_TROUBLE
    else:
        query = ACROSS if wanted.status is None else ACROSS_BY_STATUS
    await connection.execute(CAREFUL)
    try:
        rows = await connection.fetch(query, *common)
    except asyncpg.QueryCanceledError:
        raise TooWide from None
    width = len(Message._fields)
    return [Listed(Message(*row[:width]), *row[width:]) for row in map(tuple, rows)]


class Conversation(NamedTuple):
    """One row of `conversations`."""

    bucket: int
    id: UUID
    kind: str
    msisdn: str
    address: str
    touchpoint: str
    ticket_id: str | None
    status: str
    opened_at: datetime
    expires_at: datetime
    message_id: UUID | None
    subject: dict[str, Any]
    state: dict[str, Any]


_CONVERSATION: Final = ", ".join(f"c.{name}" for name in Conversation._fields)

CONVERSATION: Final = f"""
SELECT {_CONVERSATION} FROM conversations c WHERE c.bucket = $1 AND c.id = $2 AND c.kind = $3"""  # noqa: S608


async def conversation(connection: Connection, conversation_id: UUID, kind: str) -> Conversation | None:
    """One conversation of that kind."""
    row = await connection.fetchrow(CONVERSATION, bucket_of_id(conversation_id), conversation_id, kind)
    return None if row is None else Conversation(*row)


class ConversationFilter(NamedTuple):
    """What to list: ids in [floor, before), at most `limit`. None: any; "": those without one."""

    kind: str
    before: UUID
    limit: int
    floor: UUID = UUID(int=0)
    status: str | None = None
    touchpoint: str | None = None
    department: str | None = None
    type: str | None = None
    agent: str | None = None
    scale: str | None = None
    low: bool | None = None
    hours: tuple[int, int] | None = None  #: begun between a ticket's dispatch and answer: from, to
    untimed: bool = False  #: of a ticket without those times
    msisdn: str | None = None
    bucket: int | None = None
    ticket_id: str | None = None

    @property
    def is_selective(self) -> bool:
        """Whether some of the rows that are read are not wanted."""
        asked = (self.status, self.touchpoint, self.department, self.type, self.agent, self.scale, self.low)
        return self.untimed or self.hours is not None or any(each is not None for each in asked)


_LIKE: Final = " AND ".join(
    f"(${n}::text IS NULL OR coalesce({what}, '') = ${n})"
    for n, what in enumerate(("c.touchpoint", DEPARTMENT, TYPE, AGENT, SCALE), 6)
)
_OF_KIND: Final = f"""
       c.kind = $1 AND c.id < $2 AND c.id >= $4 AND ($5::text IS NULL OR c.status = $5) AND {_LIKE}
   AND ($11::bool IS NULL OR {LOW} = $11)
   AND ($12::int IS NULL OR c.ticket_id IS NOT NULL AND {HOURS} BETWEEN $12 AND $13)
   AND (NOT $14 OR c.ticket_id IS NOT NULL AND {HOURS} IS NULL)"""

CONVERSATIONS_OF_CUSTOMER: Final = f"""
SELECT {_CONVERSATION} FROM conversations c
 WHERE c.bucket = $15 AND c.msisdn = $16 AND {_OF_KIND} AND ($17::text IS NULL OR c.ticket_id = $17)
 ORDER BY c.id DESC LIMIT $3"""  # noqa: S608

CONVERSATIONS_OF_TICKET: Final = f"""
SELECT {_CONVERSATION} FROM conversations c WHERE c.ticket_id = $15 AND {_OF_KIND}
 ORDER BY c.id DESC LIMIT $3"""  # noqa: S608

CONVERSATIONS: Final = f"""
SELECT n.* FROM generate_series(0, 255) b (bucket)
 CROSS JOIN LATERAL (SELECT {_CONVERSATION} FROM conversations c
                      WHERE c.bucket = b.bucket::smallint AND {_OF_KIND}
                      ORDER BY c.id DESC LIMIT $3) n
 ORDER BY n.id DESC LIMIT $3"""  # noqa: S608


async def conversations(connection: Connection, wanted: ConversationFilter) -> list[Conversation]:
    """Conversations, newest first; inside a transaction. Raises `TooWide`."""
    least, most = wanted.hours or (None, None)
    common: tuple[Any, ...] = (wanted.kind, wanted.before, wanted.limit, wanted.floor, wanted.status)
    common += (wanted.touchpoint,)
    common += (wanted.department, wanted.type, wanted.agent, wanted.scale, wanted.low, least, most)
    common += (wanted.untimed,)
    await connection.execute(CAREFUL)
    try:
        if wanted.msisdn is not None:
            customer = (wanted.bucket, wanted.msisdn, wanted.ticket_id)
            rows = await connection.fetch(CONVERSATIONS_OF_CUSTOMER, *common, *customer)
        elif wanted.ticket_id is not None:
            rows = await connection.fetch(CONVERSATIONS_OF_TICKET, *common, wanted.ticket_id)
        else:
            rows = await connection.fetch(CONVERSATIONS, *common)
    except asyncpg.QueryCanceledError:
        raise TooWide from None
    return [Conversation(*row) for row in rows]


class Reply(NamedTuple):
    """One row of `replies`, without its bucket."""

    id: UUID
    received_at: datetime
    msisdn: str
    address: str
    text: str
    complete: bool
    redelivery: bool
    status: str
    reason: str | None
    conversation_id: UUID | None
    resolved_as: Any
    resolved_by: str | None
    resolved_at: datetime | None
    kind: str | None = None  #: of the conversation, where it was asked for


_REPLY: Final = ", ".join(f"r.{name}" for name in Reply._fields if name != "kind")

# By replies_by_customer; a conversation's replies are few, and all came after it was opened (its id).
REPLIES_OF: Final = f"""
SELECT {_REPLY} FROM replies r
 WHERE r.bucket = $1 AND r.msisdn = $2 AND r.id >= $3 AND r.conversation_id = $3
 ORDER BY r.id"""  # noqa: S608


async def replies_of(connection: Connection, conversation: Conversation) -> list[Reply]:
    """What the customer wrote in this conversation, first to last."""
    rows = await connection.fetch(REPLIES_OF, conversation.bucket, conversation.msisdn, conversation.id)
    return [Reply(*row) for row in rows]


# An entry that stands for all that a conversation did not understand shows all of it.
_WORDS: Final = "CASE c.state ->> 'unclear' WHEN r.id::text THEN c.state ->> 'unclear_text' ELSE r.text END"
_SHOWN_REPLY: Final = _REPLY.replace("r.text", f"coalesce({_WORDS}, r.text)")
_ABOUT: Final = "LEFT JOIN conversations c ON c.bucket = r.bucket AND c.id = r.conversation_id"

# By replies_for_a_person.
INBOX: Final = f"""
SELECT {_SHOWN_REPLY}, c.kind FROM replies r {_ABOUT}
 WHERE r.status = 'inbox' AND r.id < $1 ORDER BY r.id DESC LIMIT $2"""  # noqa: S608

INBOX_OF_CUSTOMER: Final = f"""
SELECT {_SHOWN_REPLY}, c.kind FROM replies r {_ABOUT}
 WHERE r.bucket = $3 AND r.msisdn = $4 AND r.status = 'inbox' AND r.id < $1 ORDER BY r.id DESC LIMIT $2"""  # noqa: S608


async def inbox(
    connection: Connection, before: UUID, limit: int, msisdn: str | None = None, bucket: int | None = None
) -> list[Reply]:
    """Replies that need a person, newest first."""
    if msisdn is None:
        rows: Sequence[Any] = await connection.fetch(INBOX, before, limit)
    else:
        rows = await connection.fetch(INBOX_OF_CUSTOMER, before, limit, bucket, msisdn)
    return [Reply(*row) for row in rows]
