"""A small SMSC with a window of its own: what comes while so many wait for their answer is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.smpp import events
from gateway.smpp.pdu import SubmitSm, response_to
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers


class Narrow(asyncio.Protocol):
    """One connection. `forgets`: what is too much is not even answered."""

    def __init__(self, window: int, command_status: int, latency: float, *, forgets: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = Session(Role.SMSC, window=100, timers=Timers(), now=0.0)
        self._window, self._status, self._latency, self._forgets = window, command_status, latency, forgets
        self._open = 0
        self._ids = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for event in self._session.receive(data, 0.0):
            if isinstance(event, events.Request):
                self._take(event.pdu)
        self._flush()

    def _take(self, pdu: Any) -> None:
        if not isinstance(pdu, SubmitSm):
            cls = response_to(pdu.command_id)
            assert cls is not None
            self._session.respond(cls(pdu.sequence_number))
            return
        if self._open >= self._window:
            if not self._forgets:
                self._session.answer(pdu.sequence_number, pdu.command_id, self._status)
            return
        self._open += 1
        self._loop.call_later(self._latency, self._answer, pdu)

    def _answer(self, pdu: SubmitSm) -> None:
        self._open -= 1
        self._ids += 1
        if not self._session.closed:
            self._session.answer(pdu.sequence_number, pdu.command_id, 0, str(self._ids))
            self._flush()

    def _flush(self) -> None:
        self._transport.write(self._session.data_to_send())


@asynccontextmanager
async def narrow(
    window: int, command_status: int = 0, latency: float = 0.05, *, forgets: bool = False
) -> AsyncIterator[int]:
    """Its port."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Narrow(window, command_status, latency, forgets=forgets), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
