"""What no gateway can go below: the same rows by bare COPY, and a bare protocol against the same SMSC."""

import asyncio
import struct
import time
from typing import Any, Final, cast

import asyncpg

from bench.child import Job, serve

#: Rows of so many messages a commit, as a busy gateway makes them.
TOGETHER: Final = 500


async def copy(connection: asyncpg.Connection, count: int) -> float:
    """Messages a second, each with its steps, copied as they are into tables with the same indexes."""
    messages = await connection.fetch("SELECT * FROM messages ORDER BY id LIMIT $1", count)
    steps = await connection.fetch(
        "SELECT s.* FROM steps s JOIN (SELECT bucket, id FROM messages ORDER BY id LIMIT $1) m"
        " ON s.bucket = m.bucket AND s.message_id = m.id ORDER BY s.message_id, s.seq",
        count,
    )
    by_step: dict[int, list[tuple[Any, ...]]] = {}
    for step in steps:
        by_step.setdefault(step["seq"], []).append(tuple(step))
    waves = [("floor_messages", [tuple(row) for row in messages])]
    waves += [("floor_steps", rows) for _, rows in sorted(by_step.items())]
    for table in ("messages", "steps"):
        await connection.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
    try:
        started = time.perf_counter()
        for at in range(0, len(messages), TOGETHER):
            for table, rows in waves:
                await connection.copy_records_to_table(table, records=rows[at : at + TOGETHER])
        return len(messages) / (time.perf_counter() - started)
    finally:
        await connection.execute("DROP TABLE floor_messages, floor_steps")


_HEADER: Final = struct.Struct(">IIII")
_SUBMIT_SM, _DELIVER_SM, _BIND = 0x04, 0x05, 0x09
_RESPONSE: Final = 0x80000000


class Matches:
    """Responses and receipts matched by id, in either order and from any bind; or responses counted."""

    def __init__(self, count: int, *, receipts: bool) -> None:
        self._unsettled = count
        self._receipts = receipts
        self.started = self.ended = 0.0  #: from the first message to the last answer or receipt
        self._once: set[bytes] = set()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def seen(self, name: bytes) -> None:
        """An id, in a response or a receipt: twice is a match."""
        if self._receipts:
            if name not in self._once:
                self._once.add(name)
                return
            self._once.remove(name)
        self._unsettled -= 1
        if self._unsettled == 0 and not self.done.done():
            self.ended = time.perf_counter()
            self.done.set_result(None)


class Bare(asyncio.Protocol):
    """Nothing but what must be: binds, keeps a window full of one message, reads and answers receipts."""

    def __init__(self, window: int, count: int, text: bytes, matches: Matches, *, receipts: bool) -> None:
        self._window = window
        self._left = count
        self._matches = matches
        self._read = b""
        self._sequence = 1
        self._transport: asyncio.Transport | None = None
        head = b"\0\3\00010086\0\1\0018613905310001\0\0\0\0\0\0"
        self._body = head + bytes((receipts, 0, 8, 0, len(text))) + text

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_pdu(_BIND, 0, 1, b"bare\0bench\0\0\x34\0\0\0"))

    def data_received(self, data: bytes) -> None:
        data = self._read + data
        at = 0
        out: list[bytes] = []
        free = 0
        while len(data) - at >= 16:
            length, command, _, sequence = _HEADER.unpack_from(data, at)
            if len(data) - at < length:
                break
            if command == _SUBMIT_SM | _RESPONSE:
                free += 1
                self._matches.seen(data[at + 16 : at + length - 1])
            elif command == _DELIVER_SM:
                start = data.index(b"id:", at) + 3
                self._matches.seen(data[start : data.index(b" ", start)])
                out.append(_pdu(_DELIVER_SM | _RESPONSE, 0, sequence, b"\0"))
            elif command == _BIND | _RESPONSE:
                free = self._window
                self._matches.started = self._matches.started or time.perf_counter()
            at += length
        self._read = data[at:]
        for _ in range(min(free, self._left)):
            self._sequence += 1
            out.append(_pdu(_SUBMIT_SM, 0, self._sequence, self._body))
        self._left -= min(free, self._left)
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._matches.done.done():
            self._matches.done.set_exception(ConnectionError("the SMSC closed the connection"))


def _pdu(command: int, status: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(16 + len(body), command, status, sequence) + body


async def _start() -> Any:
    return _work


async def _work(job: Job) -> Job:
    """host, port, count, text, binds, window, receipts."""
    loop = asyncio.get_running_loop()
    text = job["text"].encode("utf-16-be")
    receipts = job.get("receipts", True)
    matches = Matches(job["count"], receipts=receipts)
    share = job["count"] // job["binds"]
    transports = []
    for _ in range(job["binds"]):
        transport, _bare = await loop.create_connection(
            lambda: Bare(job["window"], share, text, matches, receipts=receipts), job["host"], job["port"]
        )
        transports.append(transport)
    await asyncio.wait_for(matches.done, job.get("patience", 60.0))
    for transport in transports:
        transport.close()
    return {"seconds": matches.ended - matches.started}


if __name__ == "__main__":
    serve(_start)
