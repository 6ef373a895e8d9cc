"""The migrations runner: plain `NNNN_name.sql` files, applied once, in order, by one node at a time."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import asyncpg

from gateway.storage.database import Connection, advisory_lock, connect

FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
NO_TRANSACTION: Final = "-- no-transaction"
LOCK: Final = 0x6875_6979_0001  # "huiy": one migrating node at a time
LOCK_SECONDS: Final = 300.0

TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""

RECORD: Final = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)"


class MigrationError(Exception):
    """The database can't be brought to this release's schema."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `alone` ones run outside a transaction and hold one statement."""

    version: int
    name: str
    path: Path
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    @property
    def alone(self) -> bool:
        return self.sql.startswith(NO_TRANSACTION)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, or in a dry run tried. `tried` is false for what a dry run can't try."""

    version: int
    name: str
    tried: bool = True


def migrations_dir() -> Path:
    """Where the migrations are: in a checkout beside the package, else among a wheel's installed data."""
    beside = Path(__file__).resolve().parents[2] / "migrations"
    installed = Path(sysconfig.get_path("data")) / "share" / "huiyin" / "migrations"
    for folder in (beside, installed):
        if folder.is_dir():
            return folder
    raise MigrationError(f"the migrations are missing: neither {beside} nor {installed} is there")


async def migrate(
    dsn: str, *, dry_run: bool = False, folder: Path | None = None, patience: float = 0.0
) -> list[Applied]:
    """Apply what is missing; a dry run rolls everything back. Raises `MigrationError`."""
    migrations = read(folder or migrations_dir())
    connection = await connect(dsn, name="huiyin migrate", patience=patience)
    try:
        async with advisory_lock(connection, LOCK, patience=LOCK_SECONDS):
            return await (_try if dry_run else _do)(connection, migrations)
    except TimeoutError as error:
        raise MigrationError(f"another node is migrating: {error}") from error
    finally:
        await connection.close()


async def pending(dsn: str, *, folder: Path | None = None) -> list[Migration]:
    """What `migrate` would apply. Changes nothing. Raises `MigrationError` as `migrate` does."""
    migrations = read(folder or migrations_dir())
    connection = await connect(dsn, name="huiyin migrate")
    try:
        return _missing(migrations, await _applied(connection))
    finally:
        await connection.close()


def read(folder: Path) -> list[Migration]:
    """The files in order; a strange name, a number missing or taken twice is an error."""
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        if not (match := FILE_NAME.fullmatch(path.name)):
            raise MigrationError(f"{path}: a migration is named NNNN_name.sql, in lower case")
        # One checksum, whatever line ends the checkout has.
        sql = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        migrations.append(Migration(int(match[1]), match[2], path, sql))
    for expected, migration in enumerate(migrations, start=1):
        if expected > 1 and migration.version == migrations[expected - 2].version:
            raise MigrationError(
                f"{migration.path}: {migration.version:04} is also {migrations[expected - 2].path.name}"
            )
        if migration.version != expected:
            raise MigrationError(f"{migration.path}: {expected:04} is missing before it")
    return migrations


async def _applied(connection: Connection) -> list[asyncpg.Record]:
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return []
    rows = await connection.fetch("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    return list(rows)


def _missing(migrations: Sequence[Migration], applied: Sequence[asyncpg.Record]) -> list[Migration]:
    """What is still to do, once it is sure that what was done is what the files say."""
    known = {migration.version: migration for migration in migrations}
    for row in applied:
        migration = known.get(row["version"])
        if migration is None:
            raise MigrationError(
                f"the database is ahead: it has {row['version']:04}_{row['name']}, and this release ends "
                f"at {len(migrations):04}. Run the release that made it, or a newer one"
            )
        if migration.checksum != row["checksum"]:
            raise MigrationError(
                f"{migration.path}: was changed after it had been applied (as {row['name']}). "
                "Restore the file, and put the change into a new one"
            )
    done = {row["version"] for row in applied}
    if done and max(done) != len(done):
        raise MigrationError(f"the database lacks a migration before {max(done):04}: it was altered by hand")
    return [migration for migration in migrations if migration.version not in done]


async def _do(connection: Connection, migrations: Sequence[Migration]) -> list[Applied]:
    await connection.execute(TABLE)
    todo = _missing(migrations, await _applied(connection))
    for migration in todo:
        await _apply(connection, migration)
    return [Applied(migration.version, migration.name) for migration in todo]


async def _apply(connection: Connection, migration: Migration) -> None:
    with _located(migration):
        if migration.alone:
            await connection.execute(migration.sql, timeout=None)
            await connection.execute(RECORD, migration.version, migration.name, migration.checksum)
            return
        async with connection.transaction():
            await _run(connection, migration)


async def _run(connection: Connection, migration: Migration) -> None:
    await connection.execute(migration.sql)
    if not connection.is_in_transaction():
        raise MigrationError(f"{migration.path}: must not COMMIT or ROLL BACK; the runner does")
    await connection.execute(RECORD, migration.version, migration.name, migration.checksum)


async def _try(connection: Connection, migrations: Sequence[Migration]) -> list[Applied]:
    """The dry run: all in one transaction, up to the first that can't be in one."""
    tried: list[Applied] = []
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(TABLE)
        possible = True
        for migration in _missing(migrations, await _applied(connection)):
            possible = possible and not migration.alone
            if possible:
                with _located(migration):
                    await _run(connection, migration)
            tried.append(Applied(migration.version, migration.name, tried=possible))
    finally:
        if connection.is_in_transaction():
            await transaction.rollback()
    return tried


@contextmanager
def _located(migration: Migration) -> Iterator[None]:
    """Say in which file, and where PostgreSQL tells the position in which line, a statement failed."""
    try:
        yield
    except asyncpg.PostgresError as error:
        place = str(migration.path)
        if error.position:
            place += f":{migration.sql.count(chr(10), 0, int(error.position) - 1) + 1}"
        hint = f" ({error.hint})" if error.hint else ""
        raise MigrationError(f"{place}: {error.message or error}{hint}") from error
