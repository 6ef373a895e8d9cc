"""Simulated SMSCs that end with their test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc

Start = Callable[..., Awaitable[Smsc]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start an SMSC that plays the scenario of this YAML text."""
    begun: list[Smsc] = []

    async def _start(text: str = "", record_path: Path | None = None, port: int = 0) -> Smsc:
        smsc = await Smsc.start(scenario.parse(text), port=port, record_path=record_path)
        begun.append(smsc)
        return smsc

    yield _start
    for smsc in begun:
        await smsc.close()
