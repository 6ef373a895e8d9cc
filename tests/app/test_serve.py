"""`huiyin serve` as a process: it speaks TLS, counts by its settings, and says that it stopped."""

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app.node import utc_now
from gateway.domain.ids import IdSource
from gateway.services.keys import Keys, Scope
from gateway.storage.database import Database
from tests.test_config import make_pair


@asynccontextmanager
async def serving(folder: Path, dsn: str, **settings: str) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """A gateway that answers HTTP and sends nothing: its port, and what it logs until it has stopped."""
    given = {
        "HUIYIN_DATABASE__DSN": dsn,
        "HUIYIN_HTTP__LISTEN": "127.0.0.1:0",
        "HUIYIN_NODE__ROLES": "api",
        "HUIYIN_SENDERS__DEFAULT__NUMBER": "10086",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from gateway.cli import main; sys.exit(main(['serve']))",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])} | given | settings,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said: list[dict[str, Any]] = []
    try:
        while not said or said[-1]["event"] != "serving":
            line = await process.stderr.readline()
            assert line, said
            said.append(json.loads(line))
        yield said[-1]["http"], said
        process.send_signal(signal.SIGTERM)
        said += [json.loads(line) for line in (await process.stderr.read()).splitlines()]
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_serves_by_its_settings_and_says_that_it_stopped(tmp_path: Path, database_dsn: str) -> None:
    certificate, key = make_pair(tmp_path, "gateway")
    tls = {"HUIYIN_HTTP__TLS_CERTIFICATE": certificate.name, "HUIYIN_HTTP__TLS_KEY": key.name}
    async with await Database.open(database_dsn, size=2) as database:
        made = await Keys(database, IdSource(), utc_now).create("crm", [Scope.READ])
    async with (
        serving(tmp_path, database_dsn, **tls, HUIYIN_HTTP__RATE="1") as (port, said),
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {made.token}"}) as session,
    ):
        trust = ssl.create_default_context(cafile=str(certificate))
        statuses = set()
        for _ in range(5):
            async with session.get(f"https://127.0.0.1:{port}/v1/messages", ssl=trust) as answer:
                statuses.add(answer.status)
        assert statuses >= {429}
        async with session.get(f"https://127.0.0.1:{port}/healthz", ssl=trust) as answer:
            assert answer.status == 200
    assert said[-1]["event"] == "stopped"


async def test_an_embedded_postgresql_that_was_killed_is_started_again(
    tmp_path: Path, open_dir: Path
) -> None:
    process = open_dir / "home" / "cluster" / "postmaster.pid"
    ours = {"HUIYIN_DATABASE__FOLDER": str(open_dir)}
    async with serving(tmp_path, "embedded", **ours) as (port, _), aiohttp.ClientSession() as session:
        before = process.read_text().split()[0]
        os.kill(int(before), signal.SIGKILL)
        async with asyncio.timeout(30):
            while True:
                await asyncio.sleep(0.1)
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200 and process.read_text().split()[0] != before:
                        return
