"""A whole gateway shows its binds and what passed them, by HTTP and by its own commands."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import showing
from gateway.app.node import Node, utc_now
from gateway.config import Settings, load
from gateway.domain.ids import IdSource
from gateway.services.keys import Keys, Scope
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from gateway.storage.database import Database

TOML = """
[http]
listen = "127.0.0.1:0"
[smsc.main]
host = "127.0.0.1"
port = {port}
system_id = "huiyin"
allow_plaintext = true
password_file = "password"
[senders.default]
number = "10086"
[node]
roles = [{roles}]
"""


@asynccontextmanager
async def gateway(dsn: str, home: Path, roles: str = "") -> AsyncIterator[tuple[str, str]]:
    """A running one at a simulated SMSC: its URL, and a key for everything."""
    smsc = await Smsc.start(scenario.parse("receipts: {delay: 10ms}"))
    try:
        (home / "huiyin.toml").write_text(TOML.format(port=smsc.port, roles=roles))
        (home / "password").write_text("geheim77")
        async with await Database.open(dsn, size=1) as database:
            key = await Keys(database, IdSource(), utc_now).create("tests", [Scope.ADMIN, Scope.PII_READ])
        async with Node(load(home / "huiyin.toml"), dsn) as node:
            yield f"http://127.0.0.1:{node.port}", key.token
    finally:
        await smsc.close()


def given(**values: Any) -> argparse.Namespace:
    usual = {"json": False, "watch": False, "open": False, "follow": False, "all": False}
    asked = {"bind": None, "to": None, "message": None, "limit": None}
    return argparse.Namespace(**(usual | asked | values))


async def test_a_message_is_traced_from_its_attempt_to_its_receipt(
    database_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database_dsn, tmp_path) as (url, key):
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as session:
            body = {"to": "13905310001", "text": "您好"}
            async with session.post("/v1/messages", json=body) as answer:
                message = (await answer.json())["id"]
            async with asyncio.timeout(10):
                shown = {"status": ""}
                while shown["status"] != "delivered":
                    await asyncio.sleep(0.02)
                    async with session.get(f"/v1/messages/{message}") as answer:
                        shown = await answer.json()
        whose = {"url": url, "key": key}
        assert await showing.trace(given(message=message, **whose), Settings()) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[4] for line in lines] == [
            "submit_sm",
            "submit_sm_resp",
            "deliver_sm",
            "deliver_sm_resp",
        ]
        assert await showing.trace(given(limit=100, open=True, json=True, **whose), Settings()) == 0
        opened = capsys.readouterr().out
        frames = [json.loads(line) for line in opened.splitlines()]
        assert any('"您好"' in frame["words"] for frame in frames)
        assert "geheim77" not in opened
        assert b"geheim77".hex() not in opened
        assert await showing.binds(given(**whose), Settings()) == 0
        table = capsys.readouterr().out
        assert table.startswith("main: up\n  profile default; receipts outstanding: 0\n")
        assert "main/transceiver-1  bound_trx" in table


async def test_a_node_that_does_not_send_says_so(
    database_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database_dsn, tmp_path, '"api"') as (url, key):
        assert await showing.binds(given(url=url, key=key), Settings()) == 1
    assert "This node has no binds: Its roles leave `sender` out." in capsys.readouterr().err
