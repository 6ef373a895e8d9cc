"""The simulator's processes: they say where they listen, and end when they are told to."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.simulator.scenario import ScenarioError
from gateway.simulator.serve import scenario_for, serve_smsc, serve_tickets


async def test_the_smsc_serves_until_it_is_cancelled(tmp_path: Path) -> None:
    ready: asyncio.Future[tuple[int, int | None]] = asyncio.get_running_loop().create_future()
    record = tmp_path / "record.ndjson"
    task = asyncio.create_task(
        serve_smsc(
            port=0,
            control_port=0,
            scenario_path=Path("demo"),
            record_path=record,
            accounts=[("huiyin", "secret")],
            seed=9,
            ready=lambda port, control: ready.set_result((port, control)),
        )
    )
    port, control = await asyncio.wait_for(ready, 10)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{control}/scenario") as got:
        told: Any = await got.json()
    assert (told["name"], told["seed"], told["accounts"][0]["system_id"]) == ("demo", 9, "huiyin")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert record.exists()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_the_ticket_system_ends_on_sigterm() -> None:
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve_tickets(port=0, ready=ready.set_result))
    port = await asyncio.wait_for(ready, 10)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as got:
        assert got.status == 200
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 10)


def test_the_command_line_outweighs_the_file() -> None:
    played = scenario_for(Path("rough"), accounts=[("a", "b")], seed=5)
    assert (played.name, played.seed) == ("rough", 5)
    assert [account.system_id for account in played.accounts] == ["a"]
    with pytest.raises(ScenarioError):
        scenario_for(Path("smooth"))
