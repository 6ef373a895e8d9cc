"""A session of ours on a socket, either role, with an owner that answers at once and writes down what
happens: the protocol alone, without the gateway and without the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.smpp import events, pdu
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers

TIMERS = Timers(enquire_link=None, inactivity=None)
Answers = Callable[["Wire", Any], None]


class Wire(asyncio.Protocol):
    """The owner. `answers` responds to each request of the peer; without it all are taken with ESME_ROK."""

    def __init__(self, role: Role, answers: Answers | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(role, window=20, timers=TIMERS, now=self._loop.time())
        self.happened: list[events.Event] = []
        self.requests: list[Any] = []
        self.taken = 0
        self._answers = answers or Wire.take
        self._stirred = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.session.role is Role.ESME:
            self.ask(pdu.BindTransceiver(system_id="huiyin", password="secret"))

    def data_received(self, data: bytes) -> None:
        for event in self.session.receive(data, self._loop.time()):
            self.happened.append(event)
            if isinstance(event, events.Request):
                self.requests.append(event.pdu)
                self._answers(self, event.pdu)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.happened += self.session.lost()
        self._stirred.set()

    def take(self, asked: Any) -> None:
        """ESME_ROK; a submit_sm gets an id."""
        message_id = ""
        if isinstance(asked, pdu.SubmitSm):
            message_id = f"{self.taken:08x}"
            self.taken += 1
        self.session.answer(asked.sequence_number, int(asked.command_id), message_id=message_id)

    def ask(self, request: pdu.Pdu, token: object = None) -> None:
        self.session.request(request, self._loop.time(), token)
        self.flush()

    def enquire(self) -> None:
        """As if the peer had been silent for long."""
        self.session.timers = Timers(enquire_link=0)
        self.session.tick(self._loop.time())
        self.session.timers = TIMERS
        self.flush()

    def unbind(self) -> None:
        self.session.unbind(self._loop.time())
        self.flush()

    def flush(self) -> None:
        assert self._transport is not None
        if data := self.session.data_to_send():
            self._transport.write(data)
        if self.session.closed:
            self._transport.close()
        self._stirred.set()

    def found(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.happened if isinstance(event, kind)]

    def asked(self, kind: type[Any]) -> list[Any]:
        return [request for request in self.requests if isinstance(request, kind)]

    async def until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                self._stirred.clear()
                await self._stirred.wait()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def listening(answers: Answers | None = None) -> AsyncIterator[tuple[Wire, int]]:
    """Our SMSC session on a free port, for one peer."""
    wire = Wire(Role.SMSC, answers)
    server = await asyncio.get_running_loop().create_server(lambda: wire, "127.0.0.1", 0)
    try:
        yield wire, server.sockets[0].getsockname()[1]
    finally:
        wire.close()
        server.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Wire]:
    """Our ESME session, bound as a transceiver to what listens there."""
    wire = Wire(Role.ESME)
    await asyncio.get_running_loop().create_connection(lambda: wire, "127.0.0.1", port)
    try:
        await wire.until(lambda: wire.session.bound)
        yield wire
    finally:
        wire.close()
