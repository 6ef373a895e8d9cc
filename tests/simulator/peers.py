"""A client for the tests of this room: our session on a socket, which keeps what it hears."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from gateway.simulator.smsc import Smsc
from gateway.smpp import events
from gateway.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DeliverSm, Pdu, SubmitSm
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers

CUSTOMER = "8613905310001"
OURS = "10086001"
PATIENCE = 10.0


class Client(asyncio.Protocol):
    """Binds, submits, and answers each deliver_sm with `verdict(pdu)`; None is no answer."""

    def __init__(self, verdict: Callable[[DeliverSm], int | None] = lambda pdu: 0) -> None:
        self.loop = asyncio.get_running_loop()
        self.session = Session(Role.ESME, window=1000, timers=Timers(), now=self.loop.time())
        self.verdict = verdict
        self.heard: list[events.Event] = []
        self.delivered: list[DeliverSm] = []
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self._stir = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for event in self.session.receive(data, self.loop.time()):
            self.heard.append(event)
            if isinstance(event, events.Request) and isinstance(event.pdu, DeliverSm):
                self.delivered.append(event.pdu)
                verdict = self.verdict(event.pdu)
                if verdict is not None:
                    self.session.answer(event.pdu.sequence_number, 5, verdict)
        self.flush()
        self._stir.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard += self.session.lost()
        self._stir.set()
        if not self.closed.done():
            self.closed.set_result(None)

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._stir.clear()
                await self._stir.wait()

    async def bind(self, pdu: Pdu) -> int:
        """The command_status of the answer."""
        self.session.request(pdu, self.loop.time())
        self.flush()
        ends = events.Bound | events.BindRefused
        await self.until(lambda: any(isinstance(event, ends) for event in self.heard))
        return next(event.pdu.command_status for event in self.heard if isinstance(event, ends))

    def submit(self, text: bytes = b"hello", **fields: Any) -> None:
        given: dict[str, Any] = {
            "source_addr": OURS,
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": CUSTOMER,
            "registered_delivery": 1,
        }
        self.session.request(SubmitSm(short_message=text, **given | fields), self.loop.time(), text)
        self.flush()

    @property
    def answers(self) -> list[events.Answered]:
        return [event for event in self.heard if isinstance(event, events.Answered)]

    @property
    def statuses(self) -> list[int]:
        return [event.pdu.command_status for event in self.answers]

    @property
    def receipts(self) -> list[DeliverSm]:
        return [pdu for pdu in self.delivered if pdu.esm_class & 0x3C == 0x04]


@asynccontextmanager
async def client(
    smsc: Smsc,
    *,
    kind: type[BindTransceiver | BindReceiver | BindTransmitter] = BindTransceiver,
    system_id: str = "huiyin",
    password: str = "secret",
    verdict: Callable[[DeliverSm], int | None] = lambda pdu: 0,
    bound: bool = True,
) -> AsyncIterator[Client]:
    """A client on its own connection, bound unless it is said otherwise."""
    _, it = await asyncio.get_running_loop().create_connection(
        lambda: Client(verdict), "127.0.0.1", smsc.port
    )
    try:
        if bound:
            assert await it.bind(kind(system_id=system_id, password=password)) == 0
        yield it
    finally:
        it.transport.abort()
        await it.closed
