"""Evidence on a real PostgreSQL: what was done to it behind our back, by who owns the database, is named."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from gateway.domain import exported_heads
from gateway.domain.evidence import Entry, Head, link
from gateway.domain.tampering import Cause, Finding, Kept, What, check
from gateway.domain.testimony import Offered, Replied
from gateway.services.evidence import Evidence, Retired
from gateway.storage import evidence as table
from gateway.storage.database import Connection, Database
from tests.services.testimony import START, cnf, record, story

ONE, TWO, THREE, OTHER = cnf(1), cnf(2), cnf(3), cnf(1, bucket=9)
STEPS = len(story())
LAST = 3 * STEPS  # of bucket 7: the three take turns, so row 5 is the second one's second step
YEAR = timedelta(days=365)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=2) as database:
        await record(database, ONE, TWO, THREE)
        await record(database, OTHER)
        yield database


@pytest.fixture
def evidence(database: Database) -> Evidence:
    return Evidence(database, lambda: START + YEAR)


async def tamper(database: Database, *statements: str) -> None:
    """As who owns the database: triggers are no obstacle."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def all_findings(evidence: Evidence, kept: Sequence[Kept] = ()) -> list[Finding]:
    return [finding for looked in await evidence.verify(kept) for finding in looked.findings]


def row(n: int, what: What, cause: Cause, name: UUID | None, was: int | None = None) -> Finding:
    return Finding(what, cause, 7, n, n, name, (7, was) if was else None)


def gone(first: int, cause: Cause, last: int | None = None) -> Finding:
    return Finding(What.REMOVED, cause, 7, first, last or first)


async def test_what_nobody_touched_is_intact(evidence: Evidence) -> None:
    looked = await evidence.verify()
    assert [one.rows for one in looked if one.rows] == [LAST, STEPS]
    assert [finding for one in looked for finding in one.findings] == []


SWAP = "UPDATE evidence SET n = CASE n WHEN 5 THEN -10 ELSE -5 END WHERE bucket = 7 AND n IN (5, 10)"
BACK = "UPDATE evidence SET n = -n WHERE bucket = 7 AND n < 0"
INSERT = (
    "INSERT INTO evidence SELECT bucket, 5, confirmation_id, at, kind, '{}', previous, hash"
    " FROM evidence WHERE bucket = 7 AND n = 4"
)
SHIFT = "UPDATE evidence SET n = -(n + 1) WHERE bucket = 7 AND n >= 5"
C, M = What.CHANGED, What.MOVED


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            ["UPDATE evidence SET body = replace(body, 'Y', 'N') WHERE bucket = 7 AND n = 8"],
            [row(8, C, Cause.CONTENT, TWO)],
            id="a byte of a body",
        ),
        pytest.param(
            ["UPDATE evidence SET at = at + interval '1 microsecond' WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.CONTENT, TWO)],
            id="a microsecond",
        ),
        pytest.param(
            ["UPDATE evidence SET at = 'infinity' WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.CONTENT, TWO)],
            id="no time at all",
        ),
        pytest.param(
            ["UPDATE evidence SET kind = 'said' WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.CONTENT, TWO)],
            id="a kind",
        ),
        pytest.param(
            [f"UPDATE evidence SET confirmation_id = '{THREE}' WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.CONTENT, THREE)],
            id="whose it is",
        ),
        pytest.param(
            ["UPDATE evidence SET hash = set_bit(hash, 9, 1 - get_bit(hash, 9)) WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.HASH, TWO)],
            id="a bit of a hash",
        ),
        pytest.param(
            ["UPDATE evidence SET previous = '' WHERE bucket = 7 AND n = 5"],
            [row(5, C, Cause.PREVIOUS, TWO)],
            id="the hash before",
        ),
        pytest.param(
            ["DELETE FROM evidence WHERE bucket = 7 AND n = 5"], [gone(5, Cause.GAP)], id="one removed"
        ),
        pytest.param(
            [f"DELETE FROM evidence WHERE bucket = 7 AND n = {LAST}"],
            [gone(LAST, Cause.TAIL)],
            id="the last removed",
        ),
        pytest.param(
            [f"DELETE FROM evidence WHERE confirmation_id = '{TWO}'"],
            [gone(n, Cause.GAP) for n in range(2, LAST, 3)],
            id="a confirmation removed",
        ),
        pytest.param(
            ["DELETE FROM evidence WHERE bucket = 7"], [gone(1, Cause.CHAIN, LAST)], id="a bucket removed"
        ),
        pytest.param(
            ["TRUNCATE evidence"],
            [gone(1, Cause.CHAIN, LAST), gone(1, Cause.CHAIN, STEPS)._replace(bucket=9)],
            id="everything removed",
        ),
        pytest.param(
            [SHIFT, BACK, INSERT],
            [
                row(5, What.INSERTED, Cause.EXTRA, ONE),
                Finding(M, Cause.PLACE, 7, 6, LAST + 1, None, (7, 5)),
            ],
            id="one put in",
        ),
        pytest.param(
            ["INSERT INTO evidence SELECT bucket, n + 1, confirmation_id, at, kind, body, hash, previous"
             f" FROM evidence WHERE bucket = 7 AND n = {LAST}"],
            [row(LAST + 1, What.INSERTED, Cause.BEYOND_HEAD, THREE)],
            id="one put behind",
        ),
        pytest.param(
            [SWAP, BACK], [row(5, M, Cause.PLACE, ONE, 10), row(10, M, Cause.PLACE, TWO, 5)], id="two swapped"
        ),
        pytest.param(
            ["UPDATE evidence SET bucket = 8 WHERE bucket = 7 AND n = 5"],
            [
                gone(5, Cause.GAP),
                Finding(M, Cause.PLACE, 8, 5, 5, TWO, (7, 5)),
            ],
            id="into another chain",
        ),
        pytest.param(
            ["ALTER TABLE evidence DISABLE TRIGGER ALL",
             "UPDATE evidence SET bucket = 263 WHERE bucket = 7 AND n = 5"],
            [gone(5, Cause.GAP), Finding(What.INSERTED, Cause.NO_CHAIN, 263, 5, 5, TWO)],
            id="into no chain",
        ),
        pytest.param(
            ["DELETE FROM evidence_heads WHERE bucket = 7"],
            [gone(1, Cause.HEAD_MISSING, LAST)],
            id="a head removed",
        ),
        pytest.param(
            ["INSERT INTO evidence_seals SELECT bucket, n, previous, at, at FROM evidence"
             " WHERE bucket = 7 AND n = 4",
             "DELETE FROM evidence WHERE bucket = 7 AND n <= 4"],
            [row(5, C, Cause.SEAL, TWO)],
            id="a false seal",
        ),
    ],
)  # fmt: skip
async def test_what_was_done_is_named(
    database: Database, evidence: Evidence, statements: list[str], expected: list[Finding]
) -> None:
    await tamper(database, *statements)
    assert await all_findings(evidence) == expected


def turned(column: str, bit: int) -> str:
    """SQL of the column's value with one of its bits turned."""
    if column in ("previous", "hash"):
        return f"set_bit({column}, {bit % 256}, 1 - get_bit({column}, {bit % 256}))"
    if column in ("bucket", "n"):
        return f"{column} # (1::bigint << {bit % (15 if column == 'bucket' else 63)})"
    if column == "at":
        return f"at + interval '1 microsecond' * (1::bigint << {bit % 50})"
    if column == "confirmation_id":
        digit = f"('x' || left({column}::text, 1))::bit(4)::int # {1 << bit % 4}"
        return f"overlay({column}::text placing to_hex({digit}) from 1 for 1)::uuid"
    place = f"1 + {bit // 6} % length({column})"
    sign = f"chr(ascii(substr({column}, {place}, 1)) # {1 << bit % 6})"
    return f"overlay({column} placing {sign} from {place} for 1)"


@pytest.mark.parametrize("column", Entry._fields)
async def test_any_bit_that_is_turned_in_the_table_is_found(database: Database, column: str) -> None:
    rng = random.Random(column)
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        for _ in range(12):
            n, bit = rng.randint(1, LAST), rng.randrange(10_000)
            change = connection.transaction()
            await change.start()
            try:
                done = await connection.execute(
                    f"UPDATE evidence SET {column} = {turned(column, bit)} WHERE bucket = 7 AND n = {n}"
                )
            except asyncpg.UniqueViolationError:  # two rows can't have one number
                await change.rollback()
                continue
            buckets = sorted({*range(256), *await table.stray_buckets(connection)})
            rows = [row for b in buckets async for page in table.walk(connection, b) for row in page]
            found = check(rows, await table.heads(connection))
            assert done == "UPDATE 1"
            assert n in {each for one in found for each in (one.n, one.was[1] if one.was else one.n)}, (
                n,
                bit,
            )
            await change.rollback()


# --- who knows how it is done --------------------------------------------------------------------


async def rewrite(database: Database, start: int, **fields: object) -> None:
    """Change a row and hash it and all behind it anew, the head included."""

    async def put(connection: Connection, entry: Entry) -> None:
        await connection.execute(
            "UPDATE evidence SET body = $3, previous = $4, hash = $5 WHERE bucket = $1 AND n = $2",
            *(entry.bucket, entry.n, entry.body, entry.previous, entry.hash),
        )

    async with database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        rows = [entry async for page in table.walk(connection, 7) for entry in page]
        previous = rows[start - 1].previous
        for entry in rows[start - 1 :]:
            changed = entry._replace(previous=previous, **(fields if entry.n == start else {}))  # type: ignore[arg-type]
            previous = link(previous, changed)
            await put(connection, changed._replace(hash=previous))
        await connection.execute("UPDATE evidence_heads SET hash = $1 WHERE bucket = 7", previous)


async def exported(evidence: Evidence) -> list[Kept]:
    return exported_heads.read(exported_heads.write(*await evidence.heads()))


async def test_a_chain_rewritten_with_its_head_is_found_against_exported_heads_only(
    database: Database, evidence: Evidence
) -> None:
    kept = await exported(evidence)
    await record(database, cnf(4))
    await rewrite(database, 11, body="{}")
    assert await all_findings(evidence) == []
    told = Finding(What.REWRITTEN, Cause.EXPORTED, 7, 1, LAST, exported_at=START + YEAR)
    assert await all_findings(evidence, kept) == [told]


async def test_two_exports_narrow_down_where_a_rewriting_began(
    database: Database, evidence: Evidence
) -> None:
    before = await exported(evidence)
    await record(database, cnf(4))
    after = await exported(evidence)
    await rewrite(database, LAST + 2, body="{}")
    assert await all_findings(evidence, before) == []
    (found,) = await all_findings(evidence, [*after, *before])
    assert (found.what, found.n, found.last) == (What.REWRITTEN, LAST + 1, LAST + STEPS)


async def test_a_tail_removed_with_its_head_set_back_is_found_against_exported_heads_only(
    database: Database, evidence: Evidence
) -> None:
    kept = await exported(evidence)
    await tamper(
        database,
        "UPDATE evidence_heads h SET n = 20, hash = e.hash FROM evidence e"
        " WHERE h.bucket = 7 AND e.bucket = 7 AND e.n = 20",
        "DELETE FROM evidence WHERE bucket = 7 AND n > 20",
    )
    assert await all_findings(evidence) == []
    (found,) = await all_findings(evidence, kept)
    assert (found.what, found.cause, found.n, found.last) == (What.REMOVED, Cause.SINCE_EXPORT, 21, LAST)


# --- one confirmation, and retention -------------------------------------------------------------


async def test_all_of_a_confirmation_is_put_together(evidence: Evidence) -> None:
    dossier = await evidence.dossier(TWO)
    assert dossier is not None
    assert dossier.intact
    assert [each.says for each in dossier.testimonies] == story()
    assert [each.entry.n for each in dossier.testimonies] == list(range(2, LAST, 3))
    assert isinstance(dossier.testimonies[0].says, Offered)
    assert isinstance(dossier.testimonies[2].says, Replied)
    assert await evidence.dossier(cnf(99)) is None


@pytest.mark.parametrize(
    ("statement", "doubts", "elsewhere"),
    [
        pytest.param("UPDATE evidence SET body = '{}' WHERE bucket = 7 AND n = 5", 1, 0, id="its own row"),
        pytest.param("UPDATE evidence SET body = '{}' WHERE bucket = 7 AND n = 6", 1, 0, id="anybody's row"),
        pytest.param(
            "UPDATE evidence SET hash = '' WHERE bucket = 7 AND n = 6", 0, 1, id="another's for sure"
        ),
        pytest.param("DELETE FROM evidence WHERE bucket = 7 AND n = 6", 1, 0, id="a row that is missing"),
        pytest.param(
            f"UPDATE evidence SET confirmation_id = '{ONE}' WHERE bucket = 7 AND n = 5", 1, 0, id="relabelled"
        ),
        pytest.param("DELETE FROM evidence WHERE bucket = 9", 0, 0, id="another chain"),
    ],
)
async def test_a_confirmation_is_doubted_for_what_may_concern_it(
    database: Database, evidence: Evidence, statement: str, doubts: int, elsewhere: int
) -> None:
    await tamper(database, statement)
    dossier = await evidence.dossier(TWO)
    assert dossier is not None
    assert (len(dossier.doubts), dossier.elsewhere) == (doubts, elsewhere)
    assert dossier.intact == (not doubts)


async def retired(evidence: Evidence, before: datetime) -> int:
    done = await evidence.retire(before)
    assert done.doubted == []
    return done.rows


async def test_what_was_made_to_look_old_stays(database: Database, evidence: Evidence) -> None:
    await tamper(database, "UPDATE evidence SET at = '2001-01-01' WHERE bucket = 7 AND n <= 6")
    before = await all_findings(evidence)
    assert [(each.cause, each.n) for each in before] == [(Cause.CONTENT, n) for n in range(1, 7)]
    assert await evidence.retire(START) == Retired(rows=0, doubted=[7])
    assert await all_findings(evidence) == before


async def test_what_is_too_old_goes_and_leaves_chains_that_verify(
    database: Database, evidence: Evidence
) -> None:
    kept = await exported(evidence)
    assert await retired(evidence, START + timedelta(seconds=2)) == 2 * 3 + 2
    await record(database, cnf(4))
    assert await all_findings(evidence, kept) == []
    assert await retired(evidence, START + YEAR) == LAST + STEPS - 6 + STEPS - 2
    assert await all_findings(evidence, kept) == []
    looked = await evidence.look(7)
    assert looked.rows == 0
    assert looked.seal is not None
    assert looked.head == Head(7, looked.seal.n, looked.seal.hash)
