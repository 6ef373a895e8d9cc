"""The whole gateway against SMSCs with habits: cuts, parts that are reported, what callers wish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.node import Node, utc_now
from gateway.config import load
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
profile = "{profile}"
[senders.default]
number = "10086"
extensions = 3
"""
LONG = "您上月流量213MB，其中180MB为夜间自动更新产生，已为您关闭后台更新。" * 3


@asynccontextmanager
async def standing(
    dsn: str, home: Path, profile: str, yaml: str
) -> AsyncIterator[tuple[Smsc, aiohttp.ClientSession]]:
    smsc = await Smsc.start(scenario.parse(yaml))
    (home / "huiyin.toml").write_text(TOML.format(port=smsc.port, profile=profile))
    (home / "password").write_text("secret")
    async with await Database.open(dsn, size=1) as database:
        key = await Keys(database, IdSource(), utc_now).create("tests", [Scope.ADMIN, Scope.PII_READ])
    try:
        async with Node(load(home / "huiyin.toml"), dsn) as node:
            headers = {"Authorization": f"Bearer {key.token}"}
            async with aiohttp.ClientSession(f"http://127.0.0.1:{node.port}", headers=headers) as session:
                yield smsc, session
    finally:
        await smsc.close()


async def send(session: aiohttp.ClientSession, **body: Any) -> dict[str, Any]:
    async with session.post("/v1/messages", json={"to": "13905310001", **body}) as answer:
        assert answer.status == 202, await answer.text()
        return dict(await answer.json())


async def settled(session: aiohttp.ClientSession, message: str, status: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    try:
        async with asyncio.timeout(10):
            while shown.get("status") != status:
                async with session.get(f"/v1/messages/{message}") as answer:
                    shown = dict(await answer.json())
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(shown) from None
    return shown


@pytest.mark.parametrize(
    ("profile", "yaml", "states", "detail"),
    [
        pytest.param("default", "{}", ["delivered", "delivered"], None, id="each part"),
        pytest.param(
            "first-part-receipts",
            "receipts: {parts: first}",
            ["delivered", "with it"],
            None,
            id="the first part",
        ),
        pytest.param(
            "last-part-receipts",
            "receipts: {parts: last}",
            ["with it", "delivered"],
            None,
            id="the last part",
        ),
        pytest.param(
            "last-part-first", "{}", ["delivered", "with it"], "udh8/2 silent", id="asked on the last sent"
        ),
        pytest.param("sar", "{}", ["delivered", "delivered"], "sar/2", id="parts by TLVs"),
        pytest.param("udh16", "{}", ["delivered", "delivered"], "udh16/2", id="a 16-bit reference"),
        pytest.param("payload", "{}", ["delivered"], "payload/1", id="whole"),
    ],
)
async def test_a_long_text_is_delivered_by_smscs_of_all_habits(
    database_dsn: str, tmp_path: Path, profile: str, yaml: str, states: list[str], detail: str | None
) -> None:
    async with standing(database_dsn, tmp_path, profile, yaml) as (_, session):
        sent = await send(session, text=LONG)
        shown = await settled(session, sent["id"], "delivered")
        assert [part["state"] for part in shown["parts"]] == states
        attempts = [step for step in shown["history"] if step["kind"] == "attempt"]
        assert attempts[0].get("detail") == detail
        assert {step["route"] for step in attempts} == {"main"}


async def test_receipts_from_our_own_number_find_their_message(database_dsn: str, tmp_path: Path) -> None:
    yaml = "receipts: {form: source-own-number}"
    async with standing(database_dsn, tmp_path, "default", yaml) as (_, session):
        sent = await send(session, text="您好")
        await settled(session, sent["id"], "delivered")


async def test_what_a_caller_wishes_reaches_the_smsc(database_dsn: str, tmp_path: Path) -> None:
    async with standing(database_dsn, tmp_path, "default", "{}") as (smsc, session):
        deliver_at = (utc_now() + timedelta(hours=3)).isoformat()
        wish = {"flash": True, "priority": 2, "deliver_at": deliver_at, "parameters": {"0x1403": "0a0b"}}
        sent = await send(session, text=LONG, handling=wish)
        shown = await settled(session, sent["id"], "submitted")
        assert shown["handling"] == wish | {"deliver_at": deliver_at.replace("+00:00", "Z")}
        parts = list(smsc.record.messages())
        assert len(parts) == 2
        for part in parts:
            assert (part.data_coding, part.priority_flag, part.tlvs[0x1403]) == (0x18, 2, b"\x0a\x0b")
            assert part.schedule_delivery_time


async def test_who_wishes_what_can_not_be_is_told_where(database_dsn: str, tmp_path: Path) -> None:
    async with standing(database_dsn, tmp_path, "default", "{}") as (_, session):
        handling = {"priority": 1, "parameters": {"0x020C": "00", "0x1403": "00" * 1100}}
        body = {"to": "13905310001", "text": "x", "handling": handling}
        async with session.post("/v1/messages", json=body) as answer:
            told = await answer.json()
        assert answer.status == 422
        assert [fault["pointer"] for fault in told["errors"]] == [
            "/handling/parameters/0x020C",
            "/handling/parameters",
        ]
