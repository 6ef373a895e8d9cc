"""The whole gateway against an SMSC of another house: node-smpp, as its own server speaks SMPP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.node import Node, utc_now
from gateway.config import load
from gateway.domain.ids import IdSource
from gateway.services.keys import Keys, Scope
from gateway.storage.database import Database
from tests.interop.other_smsc import MissingError, OtherSmsc, cache, package

TOML = """
[http]
listen = "127.0.0.1:0"
[smsc.other]
host = "127.0.0.1"
port = {port}
system_id = "huiyin"
allow_plaintext = true
password_file = "password"
enquire_link = "1s"
[senders.default]
number = "10086"
extensions = 3
"""
LONG = "您上月流量213MB，其中180MB为夜间自动更新产生，已为您关闭后台更新。" * 3


@asynccontextmanager
async def other_smsc() -> AsyncIterator[OtherSmsc]:
    try:
        smsc = await OtherSmsc.start(cache())
    except MissingError as why:
        pytest.skip(f"no SMSC of another house: {why}")
    try:
        yield smsc
    finally:
        await smsc.stop()


class Caller:
    """Speaks HTTP with the gateway."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(f"/v1{path}", json=body) as answer:
            assert answer.status == 202, await answer.text()
            return dict(await answer.json())

    async def until(self, path: str, **like: Any) -> dict[str, Any]:
        """Ask again until it reads so."""
        async with asyncio.timeout(10):
            while True:
                async with self._session.get(f"/v1{path}") as answer:
                    shown = dict(await answer.json())
                if like.items() <= shown.items():
                    return shown
                await asyncio.sleep(0.02)


@asynccontextmanager
async def gateway(smsc: OtherSmsc, dsn: str, home: Path) -> AsyncIterator[Caller]:
    [listening] = await smsc.wait_for("listening")
    (home / "huiyin.toml").write_text(TOML.format(port=listening["port"]))
    (home / "password").write_text("secret")
    async with await Database.open(dsn, size=1) as database:
        key = await Keys(database, IdSource(), utc_now).create("tests", [Scope.ADMIN, Scope.PII_READ])
    async with Node(load(home / "huiyin.toml"), dsn) as node:
        headers = {"Authorization": f"Bearer {key.token}"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{node.port}", headers=headers) as session:
            yield Caller(session)


async def test_the_gateway_and_another_houses_smsc_understand_each_other(
    database_dsn: str, tmp_path: Path
) -> None:
    async with other_smsc() as smsc:
        async with gateway(smsc, database_dsn, tmp_path) as caller:
            assert (await smsc.wait_for("bind"))[0] == {"event": "bind", "ok": True, "version": 0x34}
            await smsc.wait_for("alive", status=0)

            # one message, its receipt
            sent = await caller.post(
                "/messages", {"to": "13905310001", "text": "Hello [you]", "valid_for": "1h"}
            )
            await caller.until(f"/messages/{sent['id']}", status="delivered")
            [submit] = await smsc.wait_for("submit", to="8613905310001")
            assert (submit["text"], submit["from"], submit["report"]) == ("Hello [you]", "10086", 1)
            assert submit["validity"]
            await smsc.wait_for("receipt-answered", id=submit["id"], status=0)

            # a long one, in parts with one reference
            sent = await caller.post("/messages", {"to": "13905310002", "text": LONG})
            await caller.until(f"/messages/{sent['id']}", status="delivered")
            parts = await smsc.wait_for("submit", sent["segments"], to="8613905310002")
            assert "".join(part["text"] for part in parts) == LONG
            assert len({part["udh"][:-2] for part in parts}) == 1
            assert [part["udh"][-2:] for part in parts] == [f"{n:02x}" for n in range(1, len(parts) + 1)]

            # undeliverable
            sent = await caller.post("/messages", {"to": "13905310009", "text": "no"})
            await caller.until(f"/messages/{sent['id']}", status="failed")

            # throttled: none lost, none doubled, in order
            texts = [f"slow {n}" for n in range(5)]
            for text in texts:
                await caller.post("/messages", {"to": "13905310003", "text": text})
            slow = await smsc.wait_for("submit", 5, to="8613905310003")
            assert len(await smsc.wait_for("throttled", 2)) == 2
            assert sorted(each["text"] for each in slow) == texts

            # a complaint resolved, and the customer's score in two parts
            ticket = {"id": "TS-1", "type": "charges", "department": "it-centre"}
            body = {"to": "13905310004", "ticket": ticket, "text": "已为您关闭后台更新。"}
            survey = (await caller.post("/resolutions", body))["survey"]["id"]
            [*_, question] = await smsc.wait_for("submit", 1, to="8613905310004")
            smsc.says(
                "8613905310004",
                question["from"],
                {"udh": "0500032a0202", "text": "小伙子态度很好"},
                {"udh": "0500032a0201", "text": "9分，"},
            )
            await smsc.wait_for("mo-answered", 2, status=0)
            shown = await caller.until(f"/surveys/{survey}", status="answered")
            assert (shown["score"], shown["comment"]) == (9, "小伙子态度很好")
            await smsc.wait_for("asked")
        await smsc.wait_for("unbind")


async def test_where_the_tools_are_missing_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError, match="node is not installed"):
        await OtherSmsc.start(tmp_path / "nothing")
    with pytest.raises(MissingError, match="npm is not installed"):
        await package(tmp_path / "nothing")
