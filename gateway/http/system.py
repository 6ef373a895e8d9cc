"""Outside `/v1`, open to everybody: alive, able to work, and figures."""

import asyncio
import logging
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import msgspec

from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.ports import Check, Services
from gateway.http.routes import Gives, Route
from gateway.telemetry import exposition

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 3.0
METRICS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str
    version: str


class Part(msgspec.Struct, frozen=True):
    """One part of the gateway, and what keeps it from its work."""

    name: str
    ready: bool
    reason: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether every part can do its work."""

    ready: bool
    parts: list[Part]


@cache
def release() -> str:
    """The version that runs."""
    try:
        return version("huiyin")
    except PackageNotFoundError:
        return "0"


async def healthz(_request: Request, _services: Services) -> Answer:
    """GET /healthz"""
    return json_answer(200, Alive("ok", release()))


async def _ask(name: str, check: Check) -> Part:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            ready, reason = await check()
    except TimeoutError:
        return Part(name, False, f"no answer within {CHECK_SECONDS:.0f} s")
    except Exception as error:
        log.warning("a check failed", exc_info=True, extra={"part": name})
        return Part(name, False, str(error) or type(error).__name__)
    return Part(name, ready, reason)


async def readyz(_request: Request, services: Services) -> Answer:
    """GET /readyz"""
    parts = await asyncio.gather(*(_ask(name, check) for name, check in services.checks.items()))
    ready = all(part.ready for part in parts)
    return json_answer(200 if ready else 503, Readiness(ready, parts))


async def metrics(_request: Request, _services: Services) -> Answer:
    """GET /metrics"""
    return Answer(200, exposition(), METRICS_TEXT)


ROUTES: Final = (
    Route(
        method="GET",
        path="/healthz",
        name="health",
        handler=healthz,
        told="Alive",
        gives={200: Gives("The process answers", Alive)},
    ),
    Route(
        method="GET",
        path="/readyz",
        name="readiness",
        handler=readyz,
        told="Able to do its work, with a reason per part",
        gives={200: Gives("Every part is ready", Readiness), 503: Gives("Some part is not", Readiness)},
    ),
    Route(
        method="GET",
        path="/metrics",
        name="metrics",
        handler=metrics,
        told="Figures for Prometheus",
        gives={200: Gives("Text format 0.0.4", None, METRICS_TEXT)},
    ),
)
