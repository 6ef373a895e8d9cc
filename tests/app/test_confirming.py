"""The whole gateway, an SMSC and a service platform: from the order to the receipt."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app.node import Node, utc_now
from gateway.config import load
from gateway.domain.ids import IdSource
from gateway.services.keys import Keys, Scope
from gateway.simulator import control, scenario
from gateway.simulator.smsc import Smsc
from gateway.simulator.tickets import Do, TicketSystem, Trouble, build
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
extensions = 3
[connectors."service.activate"]
url = "http://127.0.0.1:{platform}/services/{{{{ to }}}}/{{{{ service.code }}}}"
body = {{ action = "activate", confirmation = "{{{{ confirmation }}}}" }}
first_pause = "100ms"
[connectors."service.cancel"]
url = "http://127.0.0.1:{platform}/services/{{{{ to }}}}/{{{{ service.code }}}}"
body = {{ action = "cancel" }}
[security]
allow_targets = ["127.0.0.0/8"]
"""
ANNA = "8613905310001"
BODY = {
    "to": ANNA,
    "service": {"code": "video", "name": "视频会员", "price": "10.00", "period": "month"},
    "channel": "app",
    "ref": "ORDER-1",
}


async def becomes(session: aiohttp.ClientSession, path: str, status: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    try:
        async with asyncio.timeout(10):
            while shown.get("status") != status:
                async with session.get(path) as answer:
                    shown = dict(await answer.json())
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(shown) from None
    return shown


async def test_an_order_is_confirmed_activated_once_and_cancelled(database_dsn: str, tmp_path: Path) -> None:
    """The platform applies the first call and does not answer; the second comes under the same key."""
    system = TicketSystem()
    runner, platform = await control.serve(build(system), "127.0.0.1", 0)
    smsc = await Smsc.start(scenario.parse("{}"))
    (tmp_path / "huiyin.toml").write_text(TOML.format(port=smsc.port, platform=platform))
    (tmp_path / "password").write_text("secret")
    async with await Database.open(database_dsn, size=1) as database:
        key = await Keys(database, IdSource(), utc_now).create("tests", [Scope.ADMIN, Scope.PII_READ])
    system.trouble = Trouble(do=Do.APPLIED_SILENT, seconds=0.05, times=1)
    headers = {"Authorization": f"Bearer {key.token}"}
    try:
        async with (
            Node(load(tmp_path / "huiyin.toml"), database_dsn) as node,
            aiohttp.ClientSession(f"http://127.0.0.1:{node.port}", headers=headers) as session,
        ):
            async with session.post("/v1/confirmations", json=BODY) as answer:
                assert answer.status == 202, await answer.text()
                asked = await answer.json()
            path = f"/v1/confirmations/{asked['id']}"
            await becomes(session, f"/v1/messages/{asked['message_id']}", "delivered")
            address = (await becomes(session, path, "pending"))["address"]
            smsc.put_in(ANNA, address, "Y")
            await becomes(session, path, "active")
            (held,) = system.platform.of(ANNA)["data"]
            assert (held["status"], held["activations"]) == ("active", 1)
            smsc.put_in(ANNA, address, "N")
            await becomes(session, path, "cancelled")
            async with session.get(f"{path}/evidence") as answer:
                evidence = await answer.json()
        assert evidence["intact"] is True
        assert system.platform.of(ANNA)["data"][0]["status"] == "cancelled"
    finally:
        await smsc.close()
        await runner.cleanup()
