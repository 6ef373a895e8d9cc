"""Migrations: applied once and in order, and each way in which they can be wrong is said in a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from gateway.storage.database import connect
from gateway.storage.migrate import Applied, MigrationError, migrate, migrations_dir, pending, read

ONE = "CREATE TABLE one (id int PRIMARY KEY);\n"
TWO = "-- the second\nALTER TABLE one ADD COLUMN name text;\n"


def write(folder: Path, **files: str) -> Path:
    """Files by version and name: `write(folder, _0001_one="…")`."""
    for name, sql in files.items():
        (folder / f"{name[1:]}.sql").write_text(sql)
    return folder


async def has(dsn: str, table: str) -> bool:
    connection = await connect(dsn)
    try:
        return await connection.fetchval("SELECT to_regclass($1)", table) is not None
    finally:
        await connection.close()


async def test_what_is_missing_is_applied_once_and_in_order(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE)
    assert await migrate(empty_dsn, folder=folder) == [Applied(1, "one")]
    write(folder, _0002_two=TWO)
    assert [migration.name for migration in await pending(empty_dsn, folder=folder)] == ["two"]
    assert await migrate(empty_dsn, folder=folder) == [Applied(2, "two")]
    assert await migrate(empty_dsn, folder=folder) == []
    assert await pending(empty_dsn, folder=folder) == []


async def test_several_nodes_migrate_at_once(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        _0001_one=ONE,
        _0002_alone="-- no-transaction\nCREATE INDEX CONCURRENTLY one_id ON one (id);",
        _0003_two=TWO,
    )
    done = await asyncio.gather(*(migrate(empty_dsn, folder=folder) for _ in range(4)))
    assert sorted(map(len, done)) == [0, 0, 0, 3]


async def test_a_dry_run_tries_everything_and_leaves_nothing(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE, _0002_two=TWO)
    assert await migrate(empty_dsn, folder=folder, dry_run=True) == [Applied(1, "one"), Applied(2, "two")]
    assert not await has(empty_dsn, "one")
    assert not await has(empty_dsn, "schema_migrations")
    assert len(await pending(empty_dsn, folder=folder)) == 2


async def test_a_dry_run_tells_what_it_could_not_try(empty_dsn: str, tmp_path: Path) -> None:
    alone = "-- no-transaction\nCREATE INDEX CONCURRENTLY one_id ON one (id);"
    folder = write(tmp_path, _0001_one=ONE, _0002_alone=alone, _0003_two=TWO)
    tried = await migrate(empty_dsn, folder=folder, dry_run=True)
    assert [step.tried for step in tried] == [True, False, False]


async def test_a_dry_run_finds_the_fault(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE, _0002_two="SELECT nonsense;")
    with pytest.raises(MigrationError, match=r"0002_two\.sql:1: column \"nonsense\" does not exist"):
        await migrate(empty_dsn, folder=folder, dry_run=True)
    assert not await has(empty_dsn, "one")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        pytest.param(
            "SELECT 1;\n\nSELEKT 2;", r'0002_bad\.sql:3: syntax error at or near "SELEKT"', id="syntax"
        ),
        pytest.param(
            "-- 回音\nCREATE TABLE two (\n  id int REFERENCES nowhere (id)\n);",
            r'0002_bad\.sql: relation "nowhere" does not exist',
            id="no position",
        ),
        pytest.param(
            "-- 回音\nSELECT id,\n  nam FROM one;",
            r'0002_bad\.sql:3: column "nam" does not exist',
            id="column",
        ),
        pytest.param(
            "INSERT INTO one VALUES (1), (1);", r"0002_bad\.sql: duplicate key value", id="while running"
        ),
        pytest.param("COMMIT;", r"0002_bad\.sql: must not COMMIT or ROLL BACK", id="commits"),
    ],
)
async def test_a_fault_names_its_file_and_line_and_leaves_the_file_undone(
    empty_dsn: str, tmp_path: Path, sql: str, message: str
) -> None:
    folder = write(tmp_path, _0001_one=ONE, _0002_bad=sql)
    with pytest.raises(MigrationError, match=message):
        await migrate(empty_dsn, folder=folder)
    assert [migration.version for migration in await pending(empty_dsn, folder=folder)] == [2]
    assert not await has(empty_dsn, "two")


async def test_a_file_changed_after_it_was_applied_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE)
    await migrate(empty_dsn, folder=folder)
    write(folder, _0001_one=ONE + "-- more")
    with pytest.raises(MigrationError, match=r"0001_one\.sql: was changed after it had been applied"):
        await migrate(empty_dsn, folder=folder)
    with pytest.raises(MigrationError, match="was changed"):
        await pending(empty_dsn, folder=folder)


async def test_line_ends_of_a_checkout_are_no_change(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE)
    await migrate(empty_dsn, folder=folder)
    (folder / "0001_one.sql").write_bytes(ONE.replace("\n", "\r\n").encode())
    assert await migrate(empty_dsn, folder=folder) == []


async def test_a_database_ahead_of_the_code_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE, _0002_two=TWO)
    await migrate(empty_dsn, folder=folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(
        MigrationError, match="the database is ahead: it has 0002_two, and this release ends at 0001"
    ):
        await migrate(empty_dsn, folder=folder)


async def test_a_history_altered_by_hand_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_one=ONE, _0002_two=TWO)
    await migrate(empty_dsn, folder=folder)
    connection = await connect(empty_dsn)
    await connection.execute("DELETE FROM schema_migrations WHERE version = 1")
    await connection.close()
    with pytest.raises(MigrationError, match="lacks a migration before 0002"):
        await migrate(empty_dsn, folder=folder)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(["0001_a", "0003_c"], r"0003_c\.sql: 0002 is missing before it", id="gap"),
        pytest.param(["0002_b"], r"0002_b\.sql: 0001 is missing before it", id="no first"),
        pytest.param(["0001_a", "0001_b"], r"0001_b\.sql: 0001 is also 0001_a\.sql", id="number taken twice"),
        pytest.param(["0001_a", "2_b"], r"2_b\.sql: a migration is named NNNN_name\.sql", id="short number"),
        pytest.param(["0001-a"], r"0001-a\.sql: a migration is named", id="other shape"),
    ],
)
def test_files_that_do_not_form_a_row_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=message):
        read(tmp_path)


async def test_a_node_waits_for_the_one_that_migrates(
    empty_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.migrate.LOCK_SECONDS", 0.0)
    folder = write(tmp_path, _0001_one=ONE)
    other: asyncpg.Connection = await connect(empty_dsn)
    await other.execute("SELECT pg_advisory_lock(x'687569790001'::bigint)")
    with pytest.raises(MigrationError, match="another node is migrating"):
        await migrate(empty_dsn, folder=folder)
    await other.close()


def test_the_shipped_migrations_form_a_row() -> None:
    assert [migration.version for migration in read(migrations_dir())] == list(
        range(1, len(list(migrations_dir().glob("*.sql"))) + 1)
    )
