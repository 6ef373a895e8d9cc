"""What we know of a number: language, tier, opt-outs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

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


# Said twice it holds once.
OPT_OUT: Final = """
INSERT INTO contacts AS c (bucket, msisdn, opt_outs, updated_at)
SELECT u.bucket, u.msisdn, array_agg(DISTINCT u.scope), $4
  FROM unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, scope)
 GROUP BY u.bucket, u.msisdn
 ORDER BY u.bucket, u.msisdn
    ON CONFLICT (bucket, msisdn) DO UPDATE
   SET opt_outs = ARRAY(SELECT DISTINCT s FROM unnest(c.opt_outs || excluded.opt_outs) AS s ORDER BY 1),
       updated_at = excluded.updated_at"""


async def opt_out(connection: Connection, scopes: Sequence[tuple[int, str, str]], now: datetime) -> None:
    """Add opt-outs: bucket, MSISDN, and a scope such as `lane:marketing`.

    Waits until no attempt of these buckets is being written: see `share`.
    """
    if scopes:
        await connection.execute(HOLD, sorted({bucket for bucket, _, _ in scopes}))
        await connection.execute(
            OPT_OUT, [b for b, _, _ in scopes], [m for _, m, _ in scopes], [s for _, _, s in scopes], now
        )


OPT_IN: Final = """
UPDATE contacts c SET opt_outs = array_remove(c.opt_outs, u.scope), updated_at = $4
  FROM unnest($1::smallint[], $2::text[], $3::text[]) AS u (bucket, msisdn, scope)
 WHERE c.bucket = u.bucket AND c.msisdn = u.msisdn AND u.scope = ANY (c.opt_outs)"""


async def opt_in(connection: Connection, scopes: Sequence[tuple[int, str, str]], now: datetime) -> None:
    """Take opt-outs back: bucket, MSISDN, and a scope such as `lane:marketing`."""
    for one in {scope for _, _, scope in scopes}:  # an UPDATE touches a row once, whatever it is joined with
        mine = [(bucket, msisdn, scope) for bucket, msisdn, scope in scopes if scope == one]
        await connection.execute(
            OPT_IN, [b for b, _, _ in mine], [m for _, m, _ in mine], [s for _, _, s in mine], now
        )
