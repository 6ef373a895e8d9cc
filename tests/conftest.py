"""What all tests share: a PostgreSQL (one a worker), and a fresh migrated database for who asks."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from gateway.storage.database import connect
from gateway.storage.embedded import EmbeddedError, EmbeddedServer, remove
from gateway.storage.migrate import migrate

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 1 << 30
PREFIX = "huiyin-test-"
LEFT_SECONDS = 3600.0


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that an unprivileged server can enter: pytest's own `tmp_path` is 0700."""
    folder = make_open_dir()
    yield folder
    remove(folder)


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    """A PostgreSQL server: `HUIYIN_TEST_DSN`, else an embedded one that ends with this worker."""
    if given := os.environ.get("HUIYIN_TEST_DSN"):
        yield given
        return
    _sweep()
    folder = make_open_dir()
    try:
        with EmbeddedServer.start(folder, sync=False) as server:
            yield server.dsn
    finally:
        remove(folder)


@pytest.fixture(scope="session")
async def _template(dsn: str) -> AsyncIterator[str]:
    """The name of a migrated database, to be copied."""
    name = f"huiyin_template_{uuid.uuid4().hex}"
    if "HUIYIN_TEST_DSN" not in os.environ:
        await _execute(
            dsn, "ALTER SYSTEM SET min_wal_size = '64MB'", "ALTER SYSTEM SET max_wal_size = '256MB'"
        )
        await _execute(dsn, "SELECT pg_reload_conf()")
    async with _created(dsn, name, "template1") as template:
        await migrate(template)
        yield name


@pytest.fixture
async def database_dsn(dsn: str, _template: str) -> AsyncIterator[str]:
    """A fresh database with the whole schema, dropped after the test."""
    async with _created(dsn, f"huiyin_test_{uuid.uuid4().hex}", _template) as fresh:
        yield fresh


@pytest.fixture
async def empty_dsn(dsn: str) -> AsyncIterator[str]:
    """A fresh database without a schema, dropped after the test."""
    async with _created(dsn, f"huiyin_test_{uuid.uuid4().hex}", "template1") as fresh:
        yield fresh


class _created:  # noqa: N801 - used as a function
    """A database for as long as the block lasts."""

    def __init__(self, dsn: str, name: str, template: str) -> None:
        self.dsn, self.name, self.template = dsn, name, template

    async def __aenter__(self) -> str:
        await _execute(self.dsn, f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}"')
        parts = urlsplit(self.dsn)
        return urlunsplit(parts._replace(path=f"/{self.name}"))

    async def __aexit__(self, *_: object) -> None:
        await _execute(self.dsn, f'DROP DATABASE "{self.name}" WITH (FORCE)')


async def _execute(dsn: str, *statements: str) -> None:
    connection = await connect(dsn, name="huiyin tests")
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def make_open_dir() -> Path:
    """In memory where there is room: no test waits for a disk, and each still flushes as in production."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY if roomy else None))
    folder.chmod(0o711)
    return folder


def _sweep() -> None:
    """Remove what runs that were killed long ago have left."""
    for place in (MEMORY, Path(tempfile.gettempdir())):
        for left in place.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError, EmbeddedError):
                if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                    remove(left)
