"""A client of another house, aiosmpplib, at our simulated SMSC."""

import asyncio
import contextlib
import logging
from typing import Any

from aiosmpplib import ESME, AbstractHook, DeliverSm, PhoneNumber, SubmitSm, SubmitSmResp

from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from tests.esme.ground import until

OURS, CUSTOMER = "10086001", "8613905310001"


class Listener(AbstractHook):  # type: ignore[misc]  # the package has no types for us
    """Writes down what the client hears."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.delivered: list[Any] = []

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        if isinstance(smpp_message, SubmitSmResp):
            self.answers.append(smpp_message)
        elif isinstance(smpp_message, DeliverSm):
            self.delivered.append(smpp_message)

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        raise error


async def test_aiosmpplib_sends_and_hears_at_our_smsc() -> None:
    smsc = await Smsc.start(scenario.Scenario())
    listener = Listener()
    client = ESME(
        smsc_host="127.0.0.1",
        smsc_port=smsc.port,
        system_id="other",
        password="secret",
        hook=listener,
        log_level=logging.CRITICAL,
        enquire_link_interval=0.1,
    )
    for text, encoding in (("Hello", "gsm0338"), ("事事有回音", "ucs2")):
        await client.broker.enqueue(
            SubmitSm(
                short_message=text,
                source=PhoneNumber(OURS),
                destination=PhoneNumber(CUSTOMER),
                registered_delivery=1,
                encoding=encoding,
                log_id=text,
            )
        )
    running = asyncio.create_task(client.start())
    try:
        await until(lambda: len(smsc.record.arrivals) == 2)
        mo = await smsc.inject(CUSTOMER, OURS, "8分")
        await asyncio.wait_for(mo.taken, 5)
        await until(lambda: all(arrival.receipts_taken for arrival in smsc.record.arrivals))
        await until(lambda: len(listener.delivered) == 3)
        assert [arrival.text for arrival in smsc.record.arrivals] == ["Hello", "事事有回音"]
        ids = {arrival.message_id for arrival in smsc.record.arrivals}
        assert {answer.message_id for answer in listener.answers} == ids
        assert "8分" in {each.short_message for each in listener.delivered}
    finally:
        writer = client._writer  # it forgets to close it
        with contextlib.suppress(asyncio.CancelledError, asyncio.TimeoutError):
            await asyncio.wait_for(client.stop(), 5)
        if writer is not None:
            writer.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await smsc.close()
