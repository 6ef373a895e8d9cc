"""Messages and their steps: written once and appended, read back by customer, by id and at start."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from gateway.domain.ids import floor_at
from gateway.domain.message import Message, Step
from gateway.storage.database import Connection

_MESSAGE: Final = ", ".join(f"m.{name}" for name in Message._fields)
_STEP: Final = ", ".join(f"s.{name}" for name in Step._fields)


async def insert(connection: Connection, messages: Sequence[Message]) -> None:
    """Store messages as accepted. COPY: half the price of an INSERT with arrays."""
    await connection.copy_records_to_table("messages", records=messages, columns=Message._fields)


async def append(connection: Connection, steps: Sequence[Step]) -> None:
    """Store steps. `UniqueViolationError`: another owner took one of them first, and nothing was stored."""
    await connection.copy_records_to_table("steps", records=steps, columns=Step._fields)


# The same, one against the other: where another owner took a step first, ours is not stored and not named.
APPEND_IF_FREE: Final = f"""
INSERT INTO steps ({", ".join(Step._fields)})
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::int[], $4::timestamptz[], $5::text[], $6::text[],
                     $7::smallint[], $8::smallint[], $9::bigint[], $10::text[], $11::text[], $12::bigint[],
                     $13::text[], $14::text[])
    ON CONFLICT (bucket, message_id, seq) DO NOTHING
RETURNING message_id, seq"""  # noqa: S608 - column names of ours


async def append_if_free(connection: Connection, steps: Sequence[Step]) -> set[tuple[UUID, int]]:
    """Store those steps whose place in the message's log is still free, and say which.

    Once a step of a message has lost its place, none of its later ones is stored: they follow from it. To be
    called in a transaction.
    """
    stored: set[tuple[UUID, int]] = set()
    left = sorted(steps, key=lambda step: (step.bucket, step.message_id, step.seq))
    while left:
        firsts = [step for n, step in enumerate(left) if n == 0 or left[n - 1].message_id != step.message_id]
        rows = await connection.fetch(APPEND_IF_FREE, *columns(firsts))
        stored |= {(row["message_id"], row["seq"]) for row in rows}
        lost = {step.message_id for step in firsts if (step.message_id, step.seq) not in stored}
        tried = {(step.message_id, step.seq) for step in firsts}
        left = [s for s in left if s.message_id not in lost and (s.message_id, s.seq) not in tried]
    return stored


# By messages_by_customer.
SAID: Final = """
SELECT m.msisdn, m.body
  FROM messages m JOIN unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, body)
    ON m.bucket = u.bucket AND m.msisdn = u.msisdn
 WHERE m.id >= $4 AND m.body = u.body"""


async def said(connection: Connection, messages: Sequence[Message], since: datetime) -> set[tuple[str, str]]:
    """MSISDN and body of those messages that went to the same customer word for word since a moment."""
    rows = await connection.fetch(
        SAID,
        [each.bucket for each in messages],
        [each.msisdn for each in messages],
        [each.body for each in messages],
        floor_at(since),
    )
    return {(row[0], row[1]) for row in rows}


# All that is neither with the SMSC nor final, at start and take-over. settled_before bounds the look
# back: what is older has been dealt with, or a timer will bring it.
_UNSETTLED: Final = """
       m.id >= $2 AND m.id < $4
   AND m.status IN ('queued', 'scheduled', 'held')
   AND NOT EXISTS (SELECT FROM steps s
                    WHERE s.bucket = m.bucket AND s.message_id = m.id
                      AND s.message_id >= $2 AND s.message_id < $4
                      AND s.status NOT IN ('queued', 'submitting', 'retrying', 'unknown'))
   AND (m.status = 'queued' OR EXISTS (SELECT FROM steps s
                    WHERE s.bucket = m.bucket AND s.message_id = m.id
                      AND s.message_id >= $2 AND s.message_id < $4))
 ORDER BY m.id"""

UNSETTLED: Final = f"""
SELECT {_MESSAGE}
  FROM messages m
 WHERE m.bucket = ANY ($1::smallint[]) AND {_UNSETTLED}
 LIMIT $3"""  # noqa: S608 - column names of ours


async def unsettled(
    connection: Connection, buckets: Sequence[int], since: UUID, before: UUID, limit: int
) -> list[Message]:
    """Messages, oldest first, that have yet to be taken by the SMSC, or whose outcome is unknown.

    All in that range are sorted, whatever the limit: no index orders the ids of all buckets.
    """
    return _messages(await connection.fetch(UNSETTLED, buckets, since, limit, before))


# In the order of the key, so that only what comes before it is looked at.
UNSETTLED_AT: Final = f"""
SELECT m.id
  FROM messages m
 WHERE m.bucket = $1 AND {_UNSETTLED}
 LIMIT 1 OFFSET $3"""  # noqa: S608 - text of ours


async def unsettled_at(connection: Connection, bucket: int, since: UUID, place: int) -> UUID | None:
    """The id of such a message at a place in the order of one bucket; None: there are not so many."""
    last = UUID(int=(1 << 128) - 1)
    found: UUID | None = await connection.fetchval(UNSETTLED_AT, bucket, since, place, last)
    return found


MESSAGES: Final = f"""
SELECT {_MESSAGE}
  FROM messages m JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON m.bucket = u.bucket AND m.id = u.id"""  # noqa: S608 - column names of ours

STEPS: Final = f"""
SELECT {_STEP}
  FROM steps s JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON s.bucket = u.bucket AND s.message_id = u.id
 ORDER BY s.bucket, s.message_id, s.seq"""  # noqa: S608 - column names of ours


async def load(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> list[Message]:
    """Messages by bucket and id, those that exist."""
    return _messages(await connection.fetch(MESSAGES, [b for b, _ in ids], [i for _, i in ids]))


async def steps_of(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> dict[UUID, list[Step]]:
    """The steps of messages, each list in the order of seq; a message without steps has no entry."""
    rows = await connection.fetch(STEPS, [b for b, _ in ids], [i for _, i in ids])
    steps: dict[UUID, list[Step]] = {}
    for row in rows:
        steps.setdefault(row["message_id"], []).append(Step(*row))
    return steps


#: Messages with their steps, by id.
Logs = dict[UUID, tuple[Message, list[Step]]]


async def logs(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> Logs:
    """Messages by bucket and id, those that exist, each with its steps in the order of seq."""
    found = await load(connection, ids)
    steps = await steps_of(connection, ids)
    return {message.id: (message, steps.get(message.id, [])) for message in found}


# Whom a receipt may be about that memory does not know: the recipient's messages of the last days.
RECENT_TO: Final = f"""
SELECT {_MESSAGE}
  FROM messages m JOIN unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
    ON m.bucket = u.bucket AND m.msisdn = u.msisdn
 WHERE m.id >= $3
 ORDER BY m.id DESC
 LIMIT $4"""  # noqa: S608 - column names of ours


async def recent_to(
    connection: Connection, customers: Sequence[tuple[int, str]], since: datetime, limit: int
) -> list[Message]:
    """The messages to these customers (bucket and MSISDN) since a moment, newest first."""
    return _messages(
        await connection.fetch(
            RECENT_TO, [b for b, _ in customers], [m for _, m in customers], floor_at(since), limit
        )
    )


# The same of older messages whose time was not over then: scheduled, kept by the SMSC, or valid for long.
STILL_VALID_TO: Final = f"""
SELECT {_MESSAGE}
  FROM messages m JOIN unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
    ON m.bucket = u.bucket AND m.msisdn = u.msisdn
 WHERE m.id >= $3 AND m.id < $4 AND m.expires_at >= $5
 ORDER BY m.id DESC
 LIMIT $6"""  # noqa: S608 - column names of ours


async def still_valid_to(
    connection: Connection,
    customers: Sequence[tuple[int, str]],
    accepted: tuple[datetime, datetime],
    valid: datetime,
    limit: int,
) -> list[Message]:
    """The messages to these customers accepted between two moments and valid at a third, newest first."""
    begin, end = map(floor_at, accepted)
    buckets, numbers = [b for b, _ in customers], [m for _, m in customers]
    return _messages(await connection.fetch(STILL_VALID_TO, buckets, numbers, begin, end, valid, limit))


class EarlyReceipt(NamedTuple):
    """A receipt that matched nothing yet: one row of `early_receipts`, in the order of its columns."""

    bucket: int
    id: UUID
    received_at: datetime
    route: str
    smsc_id: str
    msisdn: str
    verdict: str
    state: str
    error: str
    detail: str


_EARLY: Final = ", ".join(EarlyReceipt._fields)

KEEP_EARLY: Final = f"""
INSERT INTO early_receipts ({_EARLY})
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::text[])
    ON CONFLICT DO NOTHING"""  # noqa: S608 - column names of ours

EARLY: Final = f"""
SELECT {_EARLY}
  FROM early_receipts WHERE received_at > $1 ORDER BY received_at DESC LIMIT $2"""  # noqa: S608 - ours

FORGET_EARLY: Final = """
DELETE FROM early_receipts USING unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
 WHERE early_receipts.bucket = u.bucket AND early_receipts.id = u.id"""


async def keep_early(connection: Connection, receipts: Sequence[EarlyReceipt]) -> None:
    """Store receipts that match nothing yet."""
    await connection.execute(KEEP_EARLY, *columns(receipts))


async def early(connection: Connection, since: datetime, limit: int) -> list[EarlyReceipt]:
    """The receipts still waiting for their message, newest first."""
    return [EarlyReceipt(*row) for row in await connection.fetch(EARLY, since, limit)]


async def forget_early(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> None:
    """Remove receipts that found their message."""
    await connection.execute(FORGET_EARLY, [b for b, _ in ids], [i for _, i in ids])


FORGET_EARLY_BEFORE: Final = "DELETE FROM early_receipts WHERE received_at < $1"


async def forget_early_before(connection: Connection, moment: datetime) -> None:
    """Remove receipts whose message will never come."""
    await connection.execute(FORGET_EARLY_BEFORE, moment)


def columns(rows: Sequence[Iterable[object]]) -> list[list[object]]:
    """Rows turned into one array a column, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]


def _messages(rows: Iterable[Sequence[object]]) -> list[Message]:
    return [Message(*row) for row in rows]  # type: ignore[arg-type]
