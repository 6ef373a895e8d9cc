"""The stand-in service platform: what is activated and cancelled, once for each key."""

import aiohttp
import pytest

from gateway.simulator import control
from gateway.simulator.platform import Platform
from gateway.simulator.tickets import TicketSystem, build


def test_a_service_is_activated_and_cancelled() -> None:
    platform = Platform()
    assert platform.apply("8613905310001", "video", {"action": "activate"})[0] == 200
    assert platform.apply("8613905310001", "video", {"action": "cancel"})[1]["status"] == "cancelled"
    (held,) = platform.of("8613905310001")["data"]
    assert (held["status"], held["activations"], held["cancellations"]) == ("cancelled", 1, 1)


@pytest.mark.parametrize("action", ["delete", None, 1])
def test_what_is_neither_is_refused(action: object) -> None:
    platform = Platform()
    assert platform.apply("8613905310001", "video", {"action": action})[0] == 422
    assert platform.of("8613905310001") == {"data": []}


async def test_a_call_under_the_same_key_is_applied_once() -> None:
    system = TicketSystem()
    runner, port = await control.serve(build(system), "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            for replayed in (None, "true", "true"):
                headers = {"Idempotency-Key": "cbk_1"}
                async with http.post("/services/8613905310001/video", json={}, headers=headers) as answer:
                    assert answer.status == 200
                    assert answer.headers.get("Idempotency-Replayed") == replayed
            async with http.get("/services/8613905310001") as answer:
                (held,) = (await answer.json())["data"]
        assert held["activations"] == 1
    finally:
        await runner.cleanup()
