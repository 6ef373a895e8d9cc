"""The load generator: keep-alive connections on bare protocols, each request cut from one prebuilt text.

A request costs it some 10 µs, so that it takes little from what it measures on the same cores.
"""

import asyncio
import time
from collections import deque
from typing import Any, Final, cast

from bench.child import Job, serve

NUMBER: Final = "13905{:06}"  #: a customer's number, of one prefix that nobody reads as a person's
MARK: Final = "@@@@@@@@@@@"  #: stands for the number in an item's text, as long as one
COUNT_MARK: Final = "########"  #: in an item's text it stands for its number among all items, eight digits
TICK: Final = 0.001


class Recipe:
    """Makes requests: of one item each, or of `batch` in an array. An item is JSON with `MARK` in it.

    After `numbers` customers it begins with the first of them again; 0: never.
    """

    def __init__(self, path: str, key: str, item: str, batch: int, first: int, *, numbers: int = 0) -> None:
        self.batch = batch
        self._numbers = numbers
        self._counts = COUNT_MARK in item
        self._pieces = item.encode().split(MARK.encode())
        self._next = first
        length = len(item.encode())
        if batch > 1:
            length = length * batch + batch + 1  # commas and brackets
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    def request(self) -> tuple[bytes, str]:
        """The next request's octets, and the number of its first customer."""
        items = [self._item(n) for n in range(self._next, self._next + self.batch)]
        body = items[0] if self.batch == 1 else b"[%b]" % b",".join(items)
        first = self._number(self._next)
        self._next += self.batch
        return self._head + body, first

    def _number(self, n: int) -> str:
        return NUMBER.format(n % self._numbers if self._numbers else n)

    def _item(self, n: int) -> bytes:
        item = self._number(n).encode().join(self._pieces)
        return item.replace(COUNT_MARK.encode(), b"%08d" % n) if self._counts else item


class Load:
    """One job: `count` requests over the connections, as fast as they are answered or at a rate."""

    def __init__(self, recipe: Recipe, requests: int, rate: float) -> None:
        self.recipe = recipe
        self.left = requests
        self.unanswered = requests
        self.rate = rate
        self.accepted = 0
        self.refused: list[str] = []
        self.seconds: list[float] = []  #: from the request to its answer
        self.sent: dict[str, float] = {}  #: a customer's number → when his message was sent, or was due
        self.free: deque[Connection] = deque()
        self.late: deque[tuple[bytes, float]] = deque()  # due, and no connection was free
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._started = 0.0
        self._begun = 0

    async def run(self) -> None:
        self._started = time.monotonic()
        if self.rate:
            await self._pace()
        else:
            for connection in tuple(self.free):
                self.next_on(connection)
        await self.done

    async def _pace(self) -> None:
        """Requests when they are due, whoever has been answered by then."""
        while self.left:
            now = time.monotonic()
            while self.left and self._started + self._begun / self.rate <= now:
                due = self._started + self._begun / self.rate
                self._begun += 1
                octets, number = self._take()
                self.sent[number] = due
                if self.free:
                    self.free.popleft().send(octets, due)
                else:
                    self.late.append((octets, due))
            await asyncio.sleep(TICK)

    def next_on(self, connection: "Connection") -> None:
        """This connection has its answer."""
        if self.late:
            connection.send(*self.late.popleft())
        elif self.rate or not self.left:
            self.free.append(connection)
        else:
            now = time.monotonic()
            octets, number = self._take()
            self.sent[number] = now
            connection.send(octets, now)

    def answered(self, connection: "Connection", head: bytes, body: bytes, since: float) -> None:
        self.seconds.append(time.monotonic() - since)
        good = head[9:12] in {b"202", b"201"} or (head[9:12] == b"200" and b'"rejected":0,' in body[:60])
        if good:
            self.accepted += self.recipe.batch
        elif len(self.refused) < 3:
            self.refused.append((head[:15] + b" " + body[:300]).decode("utf-8", "replace"))
        self.unanswered -= 1
        if self.unanswered == 0 and not self.done.done():
            self.done.set_result(None)
        self.next_on(connection)

    def broken(self) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the gateway closed a connection"))

    def _take(self) -> tuple[bytes, str]:
        self.left -= 1
        return self.recipe.request()


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self.load: Load | None = None
        self._transport: asyncio.Transport | None = None
        self._read = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, octets: bytes, since: float) -> None:
        self._since = since
        if self._transport is not None:
            self._transport.write(octets)

    def data_received(self, data: bytes) -> None:
        if self._read:
            data = self._read + data
        end = data.find(b"\r\n\r\n")
        at = data.find(b"Content-Length: ", 0, end) if end > 0 else -1
        if at < 0 or len(data) - end - 4 < int(data[at + 16 : data.index(b"\r", at)]):
            self._read = data
            return
        self._read = b""
        if self.load is not None:
            self.load.answered(self, data[:end], data[end + 4 :], self._since)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.load is not None:
            self.load.broken()

    def close(self) -> None:
        self.load = None
        if self._transport is not None:
            self._transport.close()


async def _start() -> Any:
    return _work


async def _work(job: Job) -> Job:
    """port, path, key, item, count of items; batch, connections, rate of requests, first number, numbers."""
    recipe = Recipe(
        job["path"],
        job["key"],
        job["item"],
        job.get("batch", 1),
        job.get("first", 0),
        numbers=job.get("numbers", 0),
    )
    load = Load(recipe, job["count"] // recipe.batch, job.get("rate", 0.0))
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(min(job.get("connections", 64), load.left)):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", job["port"])
        connection.load = load
        connections.append(connection)
    load.free.extend(connections)
    try:
        await asyncio.wait_for(load.run(), job.get("patience", 120.0))
    finally:
        for connection in connections:
            connection.close()
    return {
        "accepted": load.accepted,
        "refused": load.refused,
        "started": load._started,
        "seconds": load.seconds,
        "sent": load.sent if job.get("stamps") else {},
    }


if __name__ == "__main__":
    serve(_start)
