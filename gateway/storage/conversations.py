"""The questions that customers were asked: opened, read by customer and id, moved on by who read last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain import case, confirmation, enquiry, menu, survey
from gateway.domain.conversation import Conversation, Kind
from gateway.domain.ids import floor_at
from gateway.storage import reports
from gateway.storage.database import Connection
from gateway.storage.messages import columns

#: What a row of each kind is made of: the record, its statuses, what was asked, what happened since.
_KINDS: Final[dict[str, tuple[Any, ...]]] = {
    Kind.SURVEY: (survey.Survey, survey.Status, survey.Subject, survey.State),
    Kind.CONFIRMATION: (
        confirmation.Confirmation,
        confirmation.Status,
        confirmation.Subject,
        confirmation.State,
    ),
    Kind.CASE: (case.Case, case.Status, case.Subject, case.State),
    Kind.MENU: (menu.Menu, menu.Status, menu.Subject, menu.State),
    Kind.ENQUIRY: (enquiry.Enquiry, enquiry.Status, enquiry.Subject, enquiry.State),
}
_COLUMNS: Final = ", ".join(survey.Survey._fields)  # those of every kind
_OURS: Final = ", ".join(f"c.{name}" for name in survey.Survey._fields)

# All that a reply may be about and that a new question must heed: the recent ones, and those that still wait.
# One that was never asked is neither.
RECENT: Final = f"""
SELECT {_OURS}
  FROM conversations c JOIN unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
    ON c.bucket = u.bucket AND c.msisdn = u.msisdn
 WHERE (c.id >= $3 AND c.status <> 'suppressed' OR c.status IN ('open', 'clarifying', 'unparsed'))
 ORDER BY c.id DESC"""  # noqa: S608 - column names of ours


async def recent(
    connection: Connection, customers: Sequence[tuple[int, str]], since: datetime
) -> dict[str, list[Conversation]]:
    """What these customers (bucket and MSISDN) were asked since a moment or have not answered.

    By MSISDN, newest first.
    """
    rows = await connection.fetch(
        RECENT, [b for b, _ in customers], [m for _, m in customers], floor_at(since)
    )
    found: dict[str, list[Conversation]] = {}
    for row in rows:
        found.setdefault(row[3], []).append(_conversation(row))
    return found


BY_ID: Final = f"""
SELECT {_OURS}
  FROM conversations c JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON c.bucket = u.bucket AND c.id = u.id"""  # noqa: S608 - column names of ours


async def load(connection: Connection, ids: Sequence[tuple[int, UUID]]) -> dict[UUID, Conversation]:
    """Conversations by bucket and id, those that exist."""
    rows = await connection.fetch(BY_ID, [b for b, _ in ids], [i for _, i in ids])
    return {row[1]: _conversation(row) for row in rows}


# By conversations_by_ticket; a ticket is resolved a few times at most.
SAME_TICKETS: Final = f"""
SELECT {_OURS}
  FROM conversations c JOIN unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, ticket_id)
    ON c.ticket_id = u.ticket_id AND c.bucket = u.bucket AND c.msisdn = u.msisdn
 WHERE c.kind = 'survey'"""  # noqa: S608 - column names of ours


async def same_tickets(
    connection: Connection, surveys: Sequence[survey.Survey]
) -> dict[tuple[int, str, str | None], list[survey.Survey]]:
    """All surveys about the tickets of these, by bucket, MSISDN and ticket."""
    found: dict[tuple[int, str, str | None], list[survey.Survey]] = {}
    if surveys:
        rows = await connection.fetch(
            SAME_TICKETS,
            [each.bucket for each in surveys],
            [each.msisdn for each in surveys],
            [each.ticket_id for each in surveys],
        )
        for each in map(_conversation, rows):
            if isinstance(each, survey.Survey):
                found.setdefault((each.bucket, each.msisdn, each.ticket_id), []).append(each)
    return found


INSERT: Final = f"""
INSERT INTO conversations ({_COLUMNS})
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::jsonb[],
                     $13::jsonb[], $14::int[])"""  # noqa: S608 - column names of ours


async def insert(connection: Connection, rows: Sequence[Conversation]) -> None:
    """Store new conversations. `UniqueViolationError`: this customer was just asked at that touchpoint."""
    if rows:
        await connection.execute(INSERT, *columns(rows))


# The version is the claim: who read an older one changes nothing, and is told so by its absence.
UPDATE: Final = f"""
UPDATE conversations c
   SET status = u.status, state = u.state, version = c.version + 1
  FROM unnest($1::smallint[], $2::uuid[], $3::int[], $4::text[], $5::jsonb[])
       AS u (bucket, id, version, status, state)
 WHERE c.bucket = u.bucket AND c.id = u.id AND c.version = u.version
RETURNING c.id, c.kind = 'survey' AND c.opened_at < now() - interval '{reports.SETTLED.days} days'
"""  # noqa: S608 - a number of ours


async def update(connection: Connection, rows: Sequence[Conversation]) -> set[UUID]:
    """Store the new status and state of conversations, each with the version that was loaded.

    Returns the ids of those that somebody else moved on since then: they are unchanged. What changes long
    after it was opened is put on record for the reports.
    """
    if not rows:
        return set()
    ordered = sorted(rows, key=lambda row: (row.bucket, row.id))  # all lock in one order
    moved = await connection.fetch(
        UPDATE,
        [row.bucket for row in ordered],
        [row.id for row in ordered],
        [row.version for row in ordered],
        [row.status for row in ordered],
        [row.state for row in ordered],
    )
    if late := [row[0] for row in moved if row[1]]:
        await reports.mark(connection, late)
    return {row.id for row in ordered} - {row[0] for row in moved}


# What became of the questions: the last step of each message.
PROMPTS: Final = """
SELECT DISTINCT ON (s.bucket, s.message_id) s.message_id, s.status
  FROM steps s JOIN unnest($1::smallint[], $2::uuid[]) AS u (bucket, id)
    ON s.bucket = u.bucket AND s.message_id = u.id
 ORDER BY s.bucket, s.message_id, s.seq DESC"""


async def prompts(connection: Connection, messages: Sequence[tuple[int, UUID]]) -> dict[UUID, str]:
    """The last status on record of messages by bucket and id; one without steps is missing."""
    rows = await connection.fetch(PROMPTS, [b for b, _ in messages], [i for _, i in messages])
    return {row[0]: row[1] for row in rows}


def _conversation(row: Sequence[Any]) -> Conversation:
    values = list(row)
    record, status, subject, state = _KINDS[values[2]]
    values[7] = status(values[7])
    values[11] = msgspec.convert(values[11], subject)
    values[12] = msgspec.convert(values[12], state)
    found: Conversation = record(*values)
    return found
