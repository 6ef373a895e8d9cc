"""The mirror of what numbers subscribe to: written by platforms, confirmations and 0000."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from gateway.domain.subscription import Status, Subscription
from gateway.storage.database import Connection
from gateway.storage.messages import columns

_COLUMNS: Final = ", ".join(Subscription._fields)
_OURS: Final = ", ".join(f"s.{name}" for name in Subscription._fields)

# What is older than the row changes nothing. Of one service's rows the last given counts: an INSERT touches a
# row once. All lock in one order.
PUT: Final = f"""
INSERT INTO subscriptions AS s ({_COLUMNS})
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[],
                     $7::text[], $8::boolean[], $9::timestamptz[], $10::timestamptz[], $11::uuid[],
                     $12::timestamptz[])
 ORDER BY 1, 2, 3
    ON CONFLICT (bucket, msisdn, service) DO UPDATE
   SET name = excluded.name, price = excluded.price, period = excluded.period, status = excluded.status,
       trial = excluded.trial, started_at = excluded.started_at, expires_at = excluded.expires_at,
       source = coalesce(excluded.source, s.source), updated_at = excluded.updated_at
 WHERE s.updated_at <= excluded.updated_at
RETURNING s.msisdn, s.service"""  # noqa: S608 - column names of ours


async def put(connection: Connection, rows: Sequence[Subscription]) -> set[tuple[str, str]]:
    """Store how subscriptions stand. Returns MSISDN and service of those that are no older than what was
    known; the others are unchanged.
    """
    last = {(row.bucket, row.msisdn, row.service): row for row in rows}
    if not last:
        return set()
    return {(row[0], row[1]) for row in await connection.fetch(PUT, *columns(list(last.values())))}


# A cancellation that failed gives back only what was being cancelled; one that is asked for takes only what
# is active. It happened on our side: a clock of somebody else's that is ahead does not undo it.
MARK: Final = """
UPDATE subscriptions s
   SET status = u.status, updated_at = greatest(s.updated_at, u.at)
  FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
       AS u (bucket, msisdn, service, status, at)
 WHERE s.bucket = u.bucket AND s.msisdn = u.msisdn AND s.service = u.service
   AND CASE u.status WHEN 'active' THEN s.status = 'cancelling'
                     WHEN 'cancelling' THEN s.status = 'active'
                     ELSE s.status <> 'cancelled' END"""


async def mark(connection: Connection, marks: Sequence[tuple[int, str, str, Status, datetime]]) -> None:
    """Note how far cancellations have come: bucket, MSISDN, service, status, since when. Of several about one
    subscription the last counts.
    """
    last = {(bucket, msisdn, service): (status, at) for bucket, msisdn, service, status, at in marks}
    if last:
        rows = [(*key, *last[key]) for key in sorted(last)]
        await connection.execute(MARK, *columns(rows))


OF: Final = f"""
SELECT {_OURS}
  FROM subscriptions s JOIN unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
    ON s.bucket = u.bucket AND s.msisdn = u.msisdn
 ORDER BY s.msisdn, s.started_at, s.service"""  # noqa: S608 - column names of ours


async def of(connection: Connection, customers: Sequence[tuple[int, str]]) -> dict[str, list[Subscription]]:
    """All that these customers (bucket and MSISDN) subscribe to or once did, oldest first, by MSISDN."""
    found: dict[str, list[Subscription]] = {}
    for row in await connection.fetch(OF, [b for b, _ in customers], [m for _, m in customers]):
        found.setdefault(row[1], []).append(_subscription(row))
    return found


ONE: Final = f"""
SELECT {_OURS} FROM subscriptions s
 WHERE s.bucket = $1 AND s.msisdn = $2 AND s.service = $3"""  # noqa: S608 - column names of ours


async def load(connection: Connection, bucket: int, msisdn: str, service: str) -> Subscription | None:
    """One subscription, whatever its status."""
    row = await connection.fetchrow(ONE, bucket, msisdn, service)
    return None if row is None else _subscription(row)


def _subscription(row: Sequence[Any]) -> Subscription:
    values = list(row)
    values[6] = Status(values[6])
    return Subscription(*values)
