"""The HTTP face of the simulated SMSC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.simulator import control
from gateway.simulator.behaviour import CONNECTION_FAULTS
from gateway.simulator.smsc import Smsc
from gateway.sms import segment
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, client

LONG = "您上月流量213MB，其中180MB为夜间自动更新产生，已为您关闭后台更新。" * 4


@asynccontextmanager
async def controlled(smsc: Smsc) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    runner, port = await control.serve(control.build(smsc), "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield session, f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def get(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        assert response.status == 200
        return await response.json()


async def test_a_reply_put_in_by_http_is_delivered(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        body = {"from": CUSTOMER, "to": OURS, "text": "10分，很满意", "wait": 5}
        async with session.post(f"{url}/mo", json=body) as response:
            assert response.status == 202
            answer = await response.json()
        assert answer["taken"]
        assert answer["parts"][0]["statuses"] == [0]
        assert len(peer.delivered) == 1
        [kept] = (await get(session, f"{url}/mo?from={CUSTOMER}"))["data"]
        assert kept["text"] == "10分，很满意"


async def test_octets_can_be_put_in_by_http(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        body = {"from": CUSTOMER, "to": OURS, "payload": "38ff", "data_coding": 3, "wait": 5}
        async with session.post(f"{url}/mo", json=body) as response:
            assert response.status == 202
        assert (peer.delivered[0].short_message, peer.delivered[0].data_coding) == (b"8\xff", 3)


async def test_a_reply_that_can_not_be_is_refused_in_words(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url):
        for body in ({"from": CUSTOMER}, {"from": "", "to": OURS}, {"from": "1", "to": "2", "payload": "zz"}):
            async with session.post(f"{url}/mo", json=body) as response:
                assert response.status == 422
                assert (await response.json())["detail"]


@pytest.mark.parametrize(
    ("call", "body", "said"),
    [
        pytest.param(
            "mo",
            {"from": CUSTOMER, "to": OURS, "text": "1", "join": "udh9"},
            "join: there is no 'udh9'; did you mean udh8? There are udh8, udh16, sar, payload",
            id="how parts are joined",
        ),
        pytest.param(
            "binds", {"do": "rest"}, "do: there is no 'rest'; did you mean reset? There are drop-", id="fault"
        ),
        pytest.param(
            "binds",
            {"do": "mo-twice"},
            "not to a connection; there are drop-before-answer,",
            id="of messages",
        ),
        pytest.param(
            "scenario", {"receipts": {"via": "x"}}, "receipts.via: there is no 'x'; there are del", id="way"
        ),
        pytest.param(
            "scenario",
            {"receipts": {"outcomes": {"deliverd": 1}}},
            "there is no 'DELIVERD'; did you mean DELIVERED?",
            id="a state",
        ),
        pytest.param(
            "scenario",
            {"faults": [{"do": "refuse", "status": "ESME_RTHROTLED"}]},
            "faults.0.status: 'ESME_RTHROTLED' is no command_status; did you mean ESME_RTHROTTLED?",
            id="status",
        ),
    ],
)
async def test_a_word_that_is_none_is_answered_with_those_that_are(
    start: Start, call: str, body: dict[str, Any], said: str
) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), session.post(f"{url}/{call}", json=body) as response:
        assert response.status == 422
        assert said in (await response.json())["detail"]


@pytest.mark.parametrize("written", ["0x58", "ESME_RTHROTTLED", "88", 88])
async def test_a_status_is_written_as_it_is_known(start: Start, written: str | int) -> None:
    smsc = await start()
    change = {"throttle_status": written, "faults": [{"do": "nack", "status": written}]}
    async with controlled(smsc) as (session, url), session.post(f"{url}/scenario", json=change) as response:
        assert response.status == 200
    assert smsc.scenario.throttle_status == smsc.scenario.faults[0].says == 0x58


@pytest.mark.parametrize("do", CONNECTION_FAULTS)
async def test_what_can_befall_a_connection_does(start: Start, do: str) -> None:
    smsc = await start()
    async with (
        controlled(smsc) as (session, url),
        client(smsc),
        session.post(f"{url}/binds", json={"do": do, "by": "1ms"}) as response,
    ):
        assert response.status == 200
        assert len((await response.json())["struck"]) == 1


async def test_a_long_text_is_shown_as_the_phone_shows_it(start: Start) -> None:
    smsc = await start()
    split = segment.split(LONG, 7)
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        for octets in reversed(split.payloads):
            peer.submit(octets, esm_class=split.esm_class, data_coding=split.data_coding)
        peer.submit(split.payloads[0], esm_class=split.esm_class, data_coding=split.data_coding)
        await peer.until(lambda: len(peer.receipts) == len(split.payloads) + 1)
        await smsc.inject(CUSTOMER, OURS, "9")
        segments = (await get(session, f"{url}/messages?to=13905310001"))["data"]
        assert [each["udh"][2] for each in segments][:-1] == list(range(len(split.payloads), 0, -1))
        came, sent = (await get(session, f"{url}/texts?to=%2B{CUSTOMER}"))["data"]
        assert (came["text"], came["complete"], came["copies"]) == (LONG, True, 2)
        assert came["address"] == OURS
        assert (sent["text"], sent["direction"]) == ("9", "sent")
        later = await get(session, f"{url}/messages?to={CUSTOMER}&since={segments[-2]['number']}")
        assert len(later["data"]) == 1


async def test_counts_and_binds_are_told(start: Start) -> None:
    smsc = await start()
    async with controlled(smsc) as (session, url), client(smsc) as peer:
        peer.submit(registered_delivery=0)
        await peer.until(lambda: bool(peer.answers))
        counts = await get(session, f"{url}/counts")
        assert (counts["submits"], counts["taken"], counts["answers"]) == (1, 1, 1)
        assert [bind["kind"] for bind in counts["bound"]] == ["transceiver"]
        assert (await get(session, f"{url}/healthz"))["port"] == smsc.port


async def test_the_scenario_is_changed_by_http(start: Start) -> None:
    smsc = await start("seed: 4")
    async with controlled(smsc) as (session, url):
        async with session.post(f"{url}/scenario", data="rate: 5\nlatency: 1s..2s") as response:
            assert response.status == 200
        told = await get(session, f"{url}/scenario")
        assert (told["rate"], told["seed"], told["latency"]) == (5.0, 4, "1s..2s")
        async with session.post(f"{url}/scenario", json={"latency": "soon"}) as response:
            assert response.status == 422
            assert "latency" in (await response.json())["detail"]
