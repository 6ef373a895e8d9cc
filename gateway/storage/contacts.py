"""What we know of a number: language, tier, opt-outs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from gateway.domain.ids import floor_at
from gateway.domain.policy import Standing
from gateway.storage.database import Connection

STANDINGS: Final = """
SELECT c.msisdn, c.language, c.tier, c.opt_outs
  FROM contacts c JOIN unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
    ON c.bucket = u.bucket AND c.msisdn = u.msisdn"""


async def standings(connection: Connection, customers: Sequence[tuple[int, str]]) -> dict[str, Standing]:
    """What we know of these customers (bucket and MSISDN), by MSISDN; of most we know nothing."""
    rows = await connection.fetch(STANDINGS, [b for b, _ in customers], [m for _, m in customers])
    return {row[0]: Standing(language=row[1], tier=row[2], opt_outs=frozenset(row[3])) for row in rows}


#: The first number of the advisory locks that keep opt-outs and attempts of a bucket apart.
LOCKS: Final = 0x6F70746F
SHARE: Final = f"SELECT pg_advisory_xact_lock_shared({LOCKS}, b) FROM unnest($1::int[]) AS b"  # noqa: S608 - ours
HOLD: Final = f"SELECT pg_advisory_xact_lock({LOCKS}, b) FROM unnest($1::int[]) AS b"  # noqa: S608 - ours


async def share(connection: Connection, buckets: Collection[int]) -> None:
    """Until this transaction ends, no opt-out of these buckets commits; one that did is seen from now on."""
    await connection.execute(SHARE, sorted(buckets))  # all lock in one order


async def hold(connection: Connection, buckets: Collection[int]) -> None:
    """Until this transaction ends, no attempt of these buckets is written. Comes before rows."""
    await connection.execute(HOLD, sorted(buckets))


# Said twice it holds once, since the first time.
OPT_OUT: Final = """
INSERT INTO contacts AS c (bucket, msisdn, opt_outs, opted_out, updated_at)
SELECT u.bucket, u.msisdn, array_agg(DISTINCT u.scope),
       jsonb_object_agg(u.scope, jsonb_build_object('by', $5::text, 'at', $4::timestamptz)), $4
  FROM unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, scope)
 GROUP BY u.bucket, u.msisdn
 ORDER BY u.bucket, u.msisdn
    ON CONFLICT (bucket, msisdn) DO UPDATE
   SET opt_outs = ARRAY(SELECT DISTINCT s FROM unnest(c.opt_outs || excluded.opt_outs) AS s ORDER BY 1),
       opted_out = excluded.opted_out || c.opted_out,
       updated_at = excluded.updated_at"""

#: As a scope that is taken back: all of them.
EVERY: Final = "*"
#: By whom, where a customer wrote it.
BY_REPLY: Final = "reply"


async def opt_out(
    connection: Connection, scopes: Sequence[tuple[int, str, str]], now: datetime, by: str = BY_REPLY
) -> None:
    """Add opt-outs: bucket, MSISDN, and a scope such as `lane:marketing`.

    Waits until no attempt of these buckets is being written: see `share`.
    """
    if scopes:
        await hold(connection, {bucket for bucket, _, _ in scopes})
        await connection.execute(
            OPT_OUT, [b for b, _, _ in scopes], [m for _, m, _ in scopes], [s for _, _, s in scopes], now, by
        )


OPT_IN: Final = """
UPDATE contacts c SET opt_outs = array_remove(c.opt_outs, u.scope), opted_out = c.opted_out - u.scope,
       updated_at = $4
  FROM unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, scope)
 WHERE c.bucket = u.bucket AND c.msisdn = u.msisdn AND u.scope = ANY (c.opt_outs)
RETURNING c.msisdn"""
OPT_IN_AGAIN: Final = """
UPDATE contacts c SET opt_outs = '{}', opted_out = '{}', updated_at = $3
  FROM unnest($1::smallint[], $2::text[]) AS u (bucket, msisdn)
 WHERE c.bucket = u.bucket AND c.msisdn = u.msisdn AND c.opt_outs <> '{}'
RETURNING c.msisdn"""


async def opt_in(connection: Connection, scopes: Sequence[tuple[int, str, str]], now: datetime) -> set[str]:
    """Take opt-outs back: bucket, MSISDN, and a scope such as `lane:marketing`, or `EVERY`.

    Returns the MSISDNs of those for whom that changed anything.
    """
    changed: set[str] = set()
    for one in {scope for _, _, scope in scopes}:  # an UPDATE touches a row once, whatever it is joined with
        mine = [(bucket, msisdn) for bucket, msisdn, scope in scopes if scope == one]
        buckets, msisdns = [b for b, _ in mine], [m for _, m in mine]
        if one == EVERY:
            rows = await connection.fetch(OPT_IN_AGAIN, buckets, msisdns, now)
        else:
            rows = await connection.fetch(OPT_IN, buckets, msisdns, [one] * len(mine), now)
        changed |= {row[0] for row in rows}
    return changed


class OptedOut(NamedTuple):
    """One opt-out. Of old ones it is not known who said so, nor when."""

    scope: str
    by: str | None
    at: datetime | None


class Contact(NamedTuple):
    """All that we know of a number."""

    language: str | None
    tier: str | None
    opt_outs: tuple[OptedOut, ...]
    updated_at: datetime


LOAD: Final = """
SELECT language, tier, opt_outs, opted_out, updated_at FROM contacts WHERE bucket = $1 AND msisdn = $2"""


async def load(connection: Connection, bucket: int, msisdn: str) -> Contact | None:
    """What we know of a number, if anything."""
    row = await connection.fetchrow(LOAD, bucket, msisdn)
    if row is None:
        return None
    return Contact(row[0], row[1], tuple(_opted_out(scope, row[3]) for scope in sorted(row[2])), row[4])


def _opted_out(scope: str, told: Mapping[str, Any]) -> OptedOut:
    known = told.get(scope, {})
    at = known.get("at")
    return OptedOut(scope, known.get("by"), datetime.fromisoformat(at) if at else None)


PUT: Final = """
INSERT INTO contacts AS c (bucket, msisdn, language, tier, updated_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, msisdn) DO UPDATE
   SET language = excluded.language, tier = excluded.tier, updated_at = excluded.updated_at"""


async def put(
    connection: Connection, customer: tuple[int, str], language: str | None, tier: str | None, now: datetime
) -> None:
    """Keep language and tier of a number; its opt-outs stay."""
    await connection.execute(PUT, *customer, language, tier, now)


# By messages_by_customer.
OFFERED: Final = """
SELECT DISTINCT ON (m.msisdn, m.sender) m.msisdn, m.sender, m.category, m.language
  FROM messages m JOIN unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, sender)
    ON m.bucket = u.bucket AND m.msisdn = u.msisdn AND m.sender = u.sender
 WHERE m.id >= $4 AND m.lane = 'marketing'
 ORDER BY m.msisdn, m.sender, m.id DESC"""


async def offered(
    connection: Connection, asked: Collection[tuple[int, str, str]], since: datetime
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """Category and language of the last marketing message to a customer from an address since a moment.

    `asked`: bucket, MSISDN, address; by MSISDN and address.
    """
    rows = await connection.fetch(
        OFFERED, [b for b, _, _ in asked], [m for _, m, _ in asked], [a for _, _, a in asked], floor_at(since)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}
