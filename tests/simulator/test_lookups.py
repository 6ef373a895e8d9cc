"""What the stand-in ticket system answers to look-ups, and that a customer gets an SMS of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from gateway.domain.keywords import Keywords
from gateway.domain.rules import load_text
from gateway.domain.template import load
from gateway.simulator import control
from gateway.simulator.lookups import KINDS, look_up
from gateway.simulator.tickets import Do, TicketSystem, Trouble, build

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
async def tickets() -> AsyncIterator[tuple[TicketSystem, str]]:
    system = TicketSystem()
    runner, port = await control.serve(build(system), "127.0.0.1", 0)
    yield system, f"http://127.0.0.1:{port}/lookups"
    await runner.cleanup()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
def test_what_is_looked_up_fills_the_shipped_templates(kind: str, language: str) -> None:
    keywords = load_text("keywords.yaml", (ROOT / "rules" / "keywords.yaml").read_text("utf-8"), Keywords)
    assert isinstance(keywords, Keywords)
    entry = next(each for each in keywords.entries.values() if each.lookup == kind)
    template = load(ROOT / "templates" / "sms").get(entry.template, language)
    assert template is not None
    for last in range(50):
        status, answer = look_up(kind, f"86139053100{last:02}", NOW)
        assert status == 200
        found = {name: answer["result"][name] for name in entry.fields if name in answer["result"]}
        assert isinstance(template.render(found), str)


async def test_a_number_is_looked_up(tickets: tuple[TicketSystem, str]) -> None:
    _, url = tickets
    async with aiohttp.ClientSession() as http:
        answers = []
        for _ in range(2):
            async with http.get(f"{url}/points/8613905310001") as response:
                answers.append((response.status, (await response.json())["result"]["points"]))
        assert answers[0] == answers[1]
        for path, status in [("weather/8613905310001", 404), ("balance/anna", 422)]:
            async with http.get(f"{url}/{path}") as response:
                assert response.status == status


@pytest.mark.parametrize(
    ("do", "status"),
    [
        pytest.param(Do.ERROR, 500, id="an error"),
        pytest.param(Do.FALSE_OK, 200, id="an error that says 200"),
        pytest.param(Do.SLOW, 200, id="slow"),
        pytest.param(Do.DOWN, None, id="down"),
    ],
)
async def test_look_ups_have_the_troubles_of_the_system(
    tickets: tuple[TicketSystem, str], do: Do, status: int | None
) -> None:
    system, url = tickets
    system.trouble = Trouble(do=do, seconds=0.01)
    async with aiohttp.ClientSession() as http:
        try:
            async with asyncio.timeout(5), http.get(f"{url}/balance/8613905310001") as response:
                assert response.status == status
                assert ("result" in await response.json()) is (do is Do.SLOW)
        except aiohttp.ClientError:
            assert status is None  # a client asks again by itself where a connection ends so
        system.trouble = None
        async with http.get(f"{url}/balance/8613905310001") as response:
            assert "result" in await response.json()
