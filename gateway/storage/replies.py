"""What customers wrote: each short message as it came, and the whole texts put together from them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.domain.ids import floor_at
from gateway.storage.database import Connection


class Part(NamedTuple):
    """One short message: one row of `parts`, in the order of its columns."""

    bucket: int
    id: UUID
    received_at: datetime
    route: str
    session: str
    msisdn: str
    address: str
    esm_class: int
    data_coding: int
    reference: int | None
    total: int
    number: int
    payload: bytes
    text: str
    ill_formed: bool
    redelivery: bool
    reply_id: UUID


class Reply(NamedTuple):
    """A customer's words: one row of `replies` as inserted, in the order of these columns."""

    bucket: int
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


async def insert_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Store short messages as they came."""
    await connection.copy_records_to_table("parts", records=parts, columns=Part._fields)


async def insert(connection: Connection, replies: Sequence[Reply]) -> None:
    """Store whole texts."""
    await connection.copy_records_to_table("replies", records=replies, columns=Reply._fields)


# The same octets from the same customer to the same number, a short while ago.
COPIES: Final = """
SELECT p.msisdn, p.address, p.payload, p.session, p.id
  FROM parts p
  JOIN unnest($1::smallint[], $2::text[], $3::text[], $4::bytea[]) AS u (bucket, msisdn, address, payload)
    ON p.bucket = u.bucket AND p.msisdn = u.msisdn
 WHERE p.id >= $5 AND p.address = u.address AND p.payload = u.payload"""


async def copies(connection: Connection, parts: Sequence[Part], since: datetime) -> list[tuple[Any, ...]]:
    """Earlier parts that look the same, since a moment: MSISDN, address, payload, session, id."""
    rows = await connection.fetch(
        COPIES,
        [part.bucket for part in parts],
        [part.msisdn for part in parts],
        [part.address for part in parts],
        [part.payload for part in parts],
        floor_at(since),
    )
    return [tuple(row) for row in rows]


_PART: Final = ", ".join(f"p.{name}" for name in Part._fields)

# The parts that wait for a new one: of the same long text. At most as many as a text can have, twice over.
SIBLINGS: Final = f"""
SELECT {_PART}
  FROM parts p
  JOIN (SELECT DISTINCT *
          FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::smallint[])
            AS v (bucket, route, msisdn, address, reference, total)) AS u
    ON p.bucket = u.bucket AND p.msisdn = u.msisdn
 WHERE p.id >= $7 AND p.total > 1 AND p.route = u.route AND p.address = u.address
   AND p.reference = u.reference AND p.total = u.total
 ORDER BY p.received_at, p.id
 LIMIT 100000"""  # noqa: S608 - column names of ours


async def siblings(connection: Connection, parts: Sequence[Part], since: datetime) -> list[Part]:
    """Stored parts of the same long texts as these, oldest first, since a moment."""
    rows = await connection.fetch(
        SIBLINGS,
        [part.bucket for part in parts],
        [part.route for part in parts],
        [part.msisdn for part in parts],
        [part.address for part in parts],
        [part.reference for part in parts],
        [part.total for part in parts],
        floor_at(since),
    )
    return [Part(*row) for row in rows]


PARTS_OF: Final = f"""
SELECT {_PART}
  FROM parts p JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, reply_id)
    ON p.bucket = u.bucket AND p.reply_id = u.reply_id
 WHERE p.id >= $3
 ORDER BY p.id"""  # noqa: S608 - column names of ours


async def parts_of(
    connection: Connection, replies: Sequence[tuple[int, UUID]], since: datetime
) -> list[Part]:
    """The parts of replies by bucket and id, oldest first, since a moment."""
    rows = await connection.fetch(PARTS_OF, [b for b, _ in replies], [i for _, i in replies], floor_at(since))
    return [Part(*row) for row in rows]


EXISTING: Final = """
SELECT r.id FROM replies r JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON r.bucket = u.bucket AND r.id = u.id"""


async def existing(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> set[UUID]:
    """Which of these replies are stored already."""
    rows = await connection.fetch(EXISTING, [b for b, _ in ids], [i for _, i in ids])
    return {row[0] for row in rows}


# Into the inbox, or out of it again: what a later reply or a timer makes of an earlier one. Why it was there
# stays on record.
MARK: Final = """
UPDATE replies r SET status = u.status, reason = coalesce(u.reason, r.reason)
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[]) AS u (bucket, id, status, reason)
 WHERE r.bucket = u.bucket AND r.id = u.id AND r.resolved_at IS NULL"""


async def mark(connection: Connection, marks: Sequence[tuple[int, UUID, str, str | None]]) -> None:
    """Set status and reason of stored replies (bucket, id, status, reason) that no person has resolved.

    Without a reason the one of before stays.
    """
    if marks:
        await connection.execute(MARK, *(list(column) for column in zip(*marks, strict=True)))


# Only one of two people gets it.
RESOLVE: Final = f"""
UPDATE replies SET status = 'resolved', resolved_as = $3, resolved_by = $4, resolved_at = $5
 WHERE bucket = $1 AND id = $2 AND status = 'inbox'
RETURNING {", ".join(Reply._fields)}"""  # noqa: S608 - column names of ours


async def resolve(
    connection: Connection, bucket: int, reply_id: UUID, *, verdict: dict[str, Any], who: str, now: datetime
) -> Reply | None:
    """Take a reply out of the inbox; None when it is not there (any more)."""
    row = await connection.fetchrow(RESOLVE, bucket, reply_id, verdict, who, now)
    return None if row is None else Reply(*row)


BY_ID: Final = f"""
SELECT {", ".join(Reply._fields)} FROM replies WHERE bucket = $1 AND id = $2"""  # noqa: S608 - column names of ours


async def load(connection: Connection, bucket: int, reply_id: UUID) -> Reply | None:
    """One reply as it stands."""
    row = await connection.fetchrow(BY_ID, bucket, reply_id)
    return None if row is None else Reply(*row)
