"""The other side of our calls: an HTTP server that records what it gets and answers as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Answering = Callable[["Got"], Awaitable[web.StreamResponse]]


@dataclass
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    request: web.Request

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


async def fine(_: Got) -> web.StreamResponse:
    return web.json_response({"ok": True})


def status(code: int, text: str = "", **headers: str) -> Answering:
    async def answer(_: Got) -> web.StreamResponse:
        return web.Response(
            status=code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


async def hang(_: Got) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def cut(got: Got) -> web.StreamResponse:
    """Apply it, and lose the answer."""
    if got.request.transport is not None:
        got.request.transport.abort()
    return web.Response()


def in_turn(*answers: Answering) -> Answering:
    """Each answer once; the last one for ever."""
    left = list(answers)

    async def answer(got: Got) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(got)

    return answer


@dataclass
class OtherSide:
    """Listens on a free port of 127.0.0.1 while entered."""

    answer: Answering = fine
    got: list[Got] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [got.path for got in self.got]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        got = Got(request.method, request.raw_path, dict(request.headers), await request.read(), request)
        self.got.append(got)
        return await self.answer(got)


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for something to become true; a failing test ends here and not never."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
