"""One session of ours, opened to ask questions: our own protocol without the machinery of a gateway."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from gateway.esme.probe.target import Bounds, Target
from gateway.esme.route import BindMode
from gateway.smpp import events
from gateway.smpp.codec import encode
from gateway.smpp.errors import SmppError
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DeliverSm,
    EnquireLink,
    Pdu,
)
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers

BINDS: Final = {
    BindMode.TRANSCEIVER: BindTransceiver,
    BindMode.TRANSMITTER: BindTransmitter,
    BindMode.RECEIVER: BindReceiver,
}
#: Sequence numbers of what we write past the session.
RAW: Final = 0x70000000
TICK: Final = 0.1


class Answer(NamedTuple):
    """A response after so many seconds; None: there was none in time."""

    pdu: Pdu | None
    seconds: float


class Delivered(NamedTuple):
    """What the SMSC brought, and when: seconds since 1970."""

    pdu: DeliverSm | DataSm
    at: float


class Caller:
    """Feeds a session from a stream. `bind` is the SMSC's answer to our bind, None without one."""

    def __init__(self, target: Target, bounds: Bounds) -> None:
        self._target = target
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        timers = Timers(
            bind_timeout=bounds.answer,
            enquire_link=None,
            response_timeout=bounds.answer,
            answer_timeout=None,
            drain_timeout=1.0,
        )
        self._session = Session(
            Role.ESME, window=max(bounds.window, 100), timers=timers, now=self._loop.time()
        )
        self._raw: dict[int, asyncio.Future[Answer]] = {}
        self._raw_number = RAW
        self._bound: asyncio.Future[Pdu | None] = self._loop.create_future()
        self._stirred = asyncio.Event()
        self.bind: Pdu | None = None
        self.delivered: list[Delivered] = []
        self.unbound_us = False
        self.closed = False

    async def _open(self, mode: BindMode, version: int) -> None:
        target = self._target
        async with asyncio.timeout(self._bounds.answer):
            self._reader, self._writer = await asyncio.open_connection(
                target.host,
                target.port,
                ssl=target.tls,
                server_hostname=(target.tls_server_name or target.host) if target.tls else None,
            )
        self._reading = asyncio.create_task(self._read())
        bind = BINDS[mode](
            system_id=target.system_id,
            password=target.password,
            system_type=target.system_type,
            interface_version=version,
        )
        self._session.request(bind, self._loop.time())
        self._flush()
        self.bind = await self._bound

    @property
    def is_bound(self) -> bool:
        return self._session.bound and not self.closed

    # Asking

    async def ask(self, pdu: Pdu) -> Answer:
        """One request and its response."""
        answer: Answer = await self.begin(pdu)
        return answer

    def begin(self, pdu: Pdu) -> asyncio.Future[Answer]:
        """Write a request; the response comes later. Raises `SmppError`."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._session.request(pdu, self._loop.time(), future)
        self._flush()
        return future

    async def ask_raw(self, octets: bytes) -> Answer:
        """Octets past the session; bytes 12 to 16 are given a number by which the answer is known."""
        self._raw_number += 1
        number = self._raw_number
        future = self._raw[number] = self._loop.create_future()
        began = self._loop.time()
        self._writer.write(octets[:12] + number.to_bytes(4, "big") + octets[16:])
        try:
            async with asyncio.timeout(self._bounds.answer):
                answer: Answer = await future
                return answer._replace(seconds=self._loop.time() - began)
        except TimeoutError:
            return Answer(None, self._loop.time() - began)
        finally:
            del self._raw[number]

    async def ask_alive(self) -> Answer:
        """enquire_link."""
        return await self.ask_raw(encode(EnquireLink()))

    async def stirred(self, seconds: float) -> None:
        """Until something has come, at most so long."""
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stirred.wait()

    async def close(self) -> None:
        """Unbind, and close in any case."""
        if self.is_bound and not self._session.unbinding:
            with contextlib.suppress(SmppError, OSError):
                self._session.unbind(self._loop.time())
                self._flush()
                await asyncio.wait((self._reading,), timeout=2.0)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.transport.abort()

    # What comes

    async def _read(self) -> None:
        last = self._loop.time()
        try:
            while not self._session.closed:
                try:
                    async with asyncio.timeout(TICK):
                        data = await self._reader.read(65536)
                except TimeoutError:
                    data = None
                if data == b"":
                    break
                now = self._loop.time()
                if data is not None:
                    self._take(self._session.receive(data, now))
                if now - last >= TICK:
                    last = now
                    self._take(self._session.tick(now))
                self._flush()
        except OSError:
            pass
        finally:
            self._take(self._session.lost())
            self.closed = True
            self._stirred.set()

    def _take(self, happened: list[events.Event]) -> None:
        for event in happened:
            match event:
                case events.Bound(pdu=pdu) | events.BindRefused(pdu=pdu):
                    _settle(self._bound, pdu)
                case (
                    events.Answered(token=future, seconds=seconds)
                    | events.TimedOut(token=future, seconds=seconds)
                ):
                    _settle(future, Answer(getattr(event, "pdu", None), seconds))
                case events.Request(pdu=pdu):
                    self._session.answer(pdu.sequence_number, pdu.command_id)
                    self._keep(pdu)
                case events.Orphan(sequence_number=number, pdu=pdu) if number in self._raw:
                    _settle(self._raw[number], Answer(pdu, 0.0))
                case events.PeerUnbound():
                    self.unbound_us = True
                case events.Closed(tokens=futures):
                    for future in (*futures, *self._raw.values()):
                        _settle(future, Answer(None, 0.0))
                    _settle(self._bound, None)
                case _:
                    pass
        if happened:
            self._stirred.set()

    def _keep(self, pdu: Pdu) -> None:
        if isinstance(pdu, DeliverSm | DataSm):
            self.delivered.append(Delivered(pdu, time.time()))

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and not self._writer.transport.is_closing():
            self._writer.write(data)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


@asynccontextmanager
async def calling(
    target: Target, bounds: Bounds, mode: BindMode, version: int = 0x34
) -> AsyncIterator[Caller]:
    """A session, bound or refused (`bind` says which). Raises OSError where nobody answers."""
    caller = Caller(target, bounds)
    await caller._open(mode, version)
    try:
        yield caller
    finally:
        await caller.close()
