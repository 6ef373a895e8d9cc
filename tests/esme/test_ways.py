"""What binds show of themselves at a real SMSC: what passed, how they stand, and the figures."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gateway import telemetry
from gateway.services.ways import Frame, Wanted
from tests.esme.ground import ground, parcel, until
from tests.services.road import ANNA, BEN


def figure(name: str, **labels: str) -> float | None:
    return telemetry.REGISTRY.get_sample_value(f"huiyin_{name}", labels)


async def test_a_message_is_found_with_its_answer_and_its_receipt() -> None:
    async with ground("receipts: {delay: 10ms}") as here:
        await here.send(parcel(to=BEN), parcel(to=ANNA))
        await until(lambda: len(here.heard.receipts) == 2)
        frames: Sequence[Frame] = []
        async with asyncio.timeout(5):
            while len(frames) < 4:
                await asyncio.sleep(0.01)
                frames = await here.binds.passed(Wanted(number=ANNA), 10)
    assert [(frame.way, frame.words.split()[0]) for frame in frames] == [
        ("out", "submit_sm"),
        ("in", "submit_sm_resp"),
        ("in", "deliver_sm"),
        ("out", "deliver_sm_resp"),
    ]
    assert "stat=DELIVRD" in frames[2].words
    assert all(ANNA not in frame.words for frame in frames)


async def test_the_bind_that_logged_in_shows_no_password() -> None:
    async with ground() as here:
        frames = await here.binds.passed(Wanted(bind="main", open=True), 10)
    assert "password=***" in frames[0].words
    assert b"secret".hex() not in str(frames[0].octets)


async def test_figures_tell_what_the_binds_tell() -> None:
    async with ground("latency: 5s", window=7, rate=100.0) as here:
        here.binds.awaiting = lambda _: (3, datetime.now(UTC) - timedelta(seconds=90))
        await here.send(parcel(to=ANNA), parcel(to=BEN))
        await until(lambda: here.binds.routes()[0].binds[0].in_flight == 2)
        here.binds.observe()
        assert figure("window_in_flight", route="main") == 2
        assert figure("window_size", route="main") == 7
        assert figure("binds_waiting", route="main") == 0
        assert figure("learned_rate", route="main") == 100
        assert figure("receipts_outstanding", route="main") == 3
        assert figure("oldest_receipt_seconds", route="main") == pytest.approx(90, abs=30)
