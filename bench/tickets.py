"""A ticket system that answers each call at once, and remembers when which ticket was called."""

import asyncio
import time
from typing import Any, cast

from bench.child import Job, serve

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

_called: dict[str, float] = {}


class Line(asyncio.Protocol):
    """One caller; requests may follow each other on it."""

    def __init__(self) -> None:
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) > 0:
            head = self._read[:end]
            at = head.lower().find(b"content-length: ")
            length = int(head[at + 16 :].split(b"\r", 1)[0]) if at > 0 else 0
            if len(self._read) - end - 4 < length:
                return
            self._read = self._read[end + 4 + length :]
            ticket = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
            _called.setdefault(ticket, time.monotonic())
            if self._transport is not None:
                self._transport.write(ANSWER)


async def _start() -> Any:
    server = await asyncio.get_running_loop().create_server(Line, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def work(job: Job) -> Job:
        """do: port · count · called (and forget)."""
        if job["do"] == "port":
            return {"port": port}
        if job["do"] == "count":
            return {"count": len(_called)}
        called: Job = dict(_called)
        _called.clear()
        return called

    return work


if __name__ == "__main__":
    serve(_start)
