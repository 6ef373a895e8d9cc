"""The HTTP server: takes a call from the socket to its handler and the answer back.

One low-level handler with its own table of routes: aiohttp's `Application` and its router cost a fifth more
for each request (30 µs against 25 µs, empty handler, uvloop) and know nothing of types. With key, request id,
decode, figures and answer a POST takes 41 µs of one core beside what its service does.
"""

import asyncio
import contextlib
import logging
import re
import ssl
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from aiohttp import web

from gateway.domain.ids import IdSource, Kind, public
from gateway.http.auth import admit
from gateway.http.exchange import Answer, Request
from gateway.http.ports import Services
from gateway.http.problem import (
    BAD_HTTP,
    INTERNAL,
    INVALID_IDEMPOTENCY_KEY,
    INVALID_QUERY,
    OVERLOADED,
    STORAGE_UNAVAILABLE,
    TOO_LARGE,
    TOO_SLOW,
    UNSUPPORTED_TYPE,
    problem,
)
from gateway.http.reading import Faulty
from gateway.http.resources import ROUTES
from gateway.http.routes import ONE_MIB, Bound, Route, Table
from gateway.services.keys import Key
from gateway.storage.database import StorageUnavailable
from gateway.telemetry import HTTP_REQUESTS, HTTP_SECONDS

log = logging.getLogger(__name__)

BODY_SECONDS: Final = 30.0  # for a whole body to arrive
IDLE_SECONDS: Final = 75.0  # between requests, and for the head of one
GRACE_SECONDS: Final = 15.0  # for what runs when we stop
LAST_ANSWER_SECONDS: Final = 0.5  # a busy caller comes again in that time, and is not cut in mid-call
MOST_AT_ONCE: Final = 2000  # beyond, callers are asked to come again: a queue that only grows helps nobody
MOST_CONNECTIONS: Final = 5000  # beyond, a new one is closed at once
STREAMS_AT_ONCE: Final = 32  # beyond, who wants to follow is asked to come again
BREATH_SECONDS: Final = 15.0  # of a stream's silence, then an empty line: proxies cut what seems dead
LOOK_SECONDS: Final = 1.0  # how soon it is seen that a stream's caller has gone
LARGE_AT_ONCE: Final = 8  # bodies of 16 MiB in memory; others wait their turn

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SANE_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


_OVERLOADED: Final = problem(
    OVERLOADED, "Nothing was accepted. Send it again in a moment.", headers={"Retry-After": "1"}
)


class _TooLarge(Exception):  # noqa: N818 - told to the caller, not an error of ours
    """The body is longer than its route allows."""


class _TooSlow(Exception):  # noqa: N818 - see above
    """The body does not arrive."""


class Front:
    """Answers every call, whatever happens."""

    def __init__(self, services: Services, routes: tuple[Route, ...] = ROUTES) -> None:
        self._services = services
        self._ring = services.keys
        self._table = Table(routes)
        self._ids = IdSource()
        self.stopping = False  #: answers then tell that the connection ends with them
        self._running = 0
        self._streams: set[asyncio.Task[None]] = set()
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers: dict[str, Any] = {}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """What aiohttp calls for each request."""
        started = time.perf_counter()
        request_id = self.request_id(request.headers.get("X-Request-Id"))
        self._running += 1
        try:
            answer, route = await self._answer_whatever_happens(request, request_id)
        finally:
            self._running -= 1
        seconds = time.perf_counter() - started
        self._count(request.method, route, answer.status, seconds)
        if log.isEnabledFor(logging.DEBUG):
            told = {"request_id": request_id, "route": route, "status": answer.status, "seconds": seconds}
            log.debug("request answered", extra={"method": request.method, **told})
        if answer.pieces is not None and request.method != "HEAD":
            return await self._stream(request, answer, answer.pieces, request_id)
        response = _response(answer, request_id)
        if self.stopping:
            response.force_close()
        return response

    async def _stream(
        self, request: web.BaseRequest, answer: Answer, pieces: AsyncGenerator[bytes, None], request_id: str
    ) -> web.StreamResponse:
        """Write the pieces as they come, until they end, the caller goes, or we stop."""
        if len(self._streams) >= STREAMS_AT_ONCE or self.stopping:
            await pieces.aclose()
            return _response(_OVERLOADED, request_id)
        response = web.StreamResponse(status=answer.status, headers=_headers(answer, request_id))
        await response.prepare(request)
        pump = asyncio.create_task(_pump(request, response, pieces))
        self._streams.add(pump)
        try:
            await asyncio.wait((pump,))
        finally:
            self._streams.discard(pump)
            pump.cancel()
        if pump.cancelled() or pump.exception() is None:
            with contextlib.suppress(ConnectionError):
                await response.write_eof()
        elif not isinstance(pump.exception(), ConnectionError):
            log.error("stream broken off", exc_info=pump.exception(), extra={"request_id": request_id})
        response.force_close()
        return response

    def end_streams(self) -> None:
        """Streams would go on for ever; they end when we stop."""
        for pump in self._streams:
            pump.cancel()

    async def _answer_whatever_happens(self, request: web.BaseRequest, request_id: str) -> tuple[Answer, str]:
        """The answer, and the path of its route as declared."""
        route = "none"
        try:
            raw = request.raw_path
            path, _, query = raw.partition("?")
            if not raw.startswith("/"):  # absolute form, RFC 9112 §3.2.2
                path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
            found = self._table.find(request.method, path)
            if isinstance(found, Answer):
                answer = found
            else:
                bound, params = found
                route = bound.route.path
                if self._running > MOST_AT_ONCE and bound.route.scope is not None:
                    answer = _OVERLOADED
                elif bound.route.limit > ONE_MIB:
                    async with self._large:
                        answer = await self._answer(request, request_id, bound, params, query)
                else:
                    answer = await self._answer(request, request_id, bound, params, query)
        except StorageUnavailable as unavailable:
            answer = problem(
                STORAGE_UNAVAILABLE,
                "Nothing was accepted. Send it again in a moment, with the same Idempotency-Key.",
                headers={"Retry-After": "1"},
            )
            log.warning("storage unavailable", extra={"request_id": request_id, "why": str(unavailable)})
        except (ConnectionError, asyncio.CancelledError):
            raise  # the caller has gone, or we stop: nobody is there to be told
        except Exception:
            log.exception("request failed", extra={"request_id": request_id, "route": route})
            answer = _internal(request_id)
        return answer, route

    def request_id(self, given: str | None) -> str:
        """The caller's own id where it is sane, else a fresh one."""
        if given is not None and _SANE_ID.fullmatch(given):
            return given
        return public(Kind.REQUEST, self._ids.new(0, time.time()))

    async def _answer(
        self, http: web.BaseRequest, request_id: str, bound: Bound, params: tuple[str, ...], query: str
    ) -> Answer:
        """door → headers → body → decode → handler."""
        route, headers = bound.route, http.headers
        request = Request(id=request_id, operation=bound.operation, params=params)
        if bound.accepts:
            request.accept = headers.get("Accept", "")
        if route.scope is not None:
            key = await admit(self._ring, headers.get("Authorization"), route.scope)
            if not isinstance(key, Key):
                return key
            request.key = key
        try:
            return await self._read(http, request, bound, query) or await route.handler(
                request, self._services
            )
        except Faulty as faulty:
            return faulty.answer
        except _TooLarge:
            return problem(TOO_LARGE, f"At most {route.limit:,} octets are read here. Send it in parts.")
        except _TooSlow:
            return problem(TOO_SLOW, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.")
        except web.RequestPayloadError:
            return problem(BAD_HTTP, "The body is not framed as its head says.")

    async def _read(self, http: web.BaseRequest, request: Request, bound: Bound, query: str) -> Answer | None:
        """Fill in query, key of the call and body; the answer if one of them is at fault."""
        route = bound.route
        if bound.query is not None:
            request.query = bound.query.read(query)
        elif query:
            return problem(INVALID_QUERY, f"{bound.operation} takes no query parameters.")
        if route.creates and (name := http.headers.get("Idempotency-Key")) is not None:
            if not _SANE_KEY.fullmatch(name):
                return problem(INVALID_IDEMPOTENCY_KEY, "Use 1 to 255 visible ASCII characters.")
            request.idempotency_key = name
        if route.has_body:
            form = _form(http, route)
            if isinstance(form, Answer):
                return form
            request.form = form
            request.body = await _body(http, route.limit)
            if bound.reader is not None:
                request.payload = bound.reader.read(request.body)
        return None

    def _count(self, method: str, route: str, status: int, seconds: float) -> None:
        counter = self._counters.get((method, route, status))
        if counter is None:
            # A method that no route knows is not a label: labels take few values.
            label = method if route != "none" else "any"
            counter = self._counters[method, route, status] = HTTP_REQUESTS.labels(label, route, str(status))
        counter.inc()
        timer = self._timers.get(route)
        if timer is None:
            timer = self._timers[route] = HTTP_SECONDS.labels(route)
        timer.observe(seconds)


def _form(http: web.BaseRequest, route: Route) -> str | Answer:
    """The body's content type, one of those that the route reads; else 415."""
    if http.headers.get("Content-Encoding", "identity").lower() != "identity":
        return problem(UNSUPPORTED_TYPE, "Bodies are read without Content-Encoding.")
    given = http.headers.get("Content-Type", "")
    if given in route.forms:
        return given
    form, _, parameters = given.partition(";")
    form = form.strip().lower()
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if form not in route.forms or charset not in {"", "utf-8", "utf8"}:
        return problem(
            UNSUPPORTED_TYPE, f"Send {' or '.join(route.forms)} in UTF-8, and say so in Content-Type."
        )
    return form


async def _body(http: web.BaseRequest, limit: int) -> bytes:
    """The whole body, however it is framed. Raises `_TooLarge`, or `_TooSlow`."""
    length = http.content_length
    if length is not None and length > limit:
        raise _TooLarge
    content = http.content
    if content.is_eof():  # it came with the head
        body = content.read_nowait()
        if len(body) > limit:
            raise _TooLarge
        return body
    if http.headers.get("Expect", "").lower() == "100-continue":
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while piece := await content.readany():
                size += len(piece)
                if size > limit:
                    raise _TooLarge
                pieces.append(piece)
    except TimeoutError:
        raise _TooSlow from None
    return b"".join(pieces)


def _internal(request_id: str) -> Answer:
    return problem(INTERNAL, f"It was logged. When you report it, name the request: {request_id}.")


async def _pump(
    request: web.BaseRequest, response: web.StreamResponse, pieces: AsyncGenerator[bytes, None]
) -> None:
    silent = 0.0
    async with contextlib.aclosing(pieces):
        coming = asyncio.ensure_future(anext(pieces, None))
        try:
            while request.transport is not None and not request.transport.is_closing():
                done, _ = await asyncio.wait((coming,), timeout=LOOK_SECONDS)
                if not done:
                    silent += LOOK_SECONDS
                    if silent >= BREATH_SECONDS:
                        silent = 0.0
                        await response.write(b"\n")
                    continue
                piece = coming.result()
                if piece is None:
                    return
                silent = 0.0
                await response.write(piece)
                coming = asyncio.ensure_future(anext(pieces, None))
        finally:
            coming.cancel()
            await asyncio.wait((coming,))


def _headers(answer: Answer, request_id: str) -> dict[str, str]:
    headers = {"X-Request-Id": request_id, "Server": "huiyin"}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    if answer.headers:
        headers.update(answer.headers)
    return headers


def _response(answer: Answer, request_id: str) -> web.Response:
    response = web.Response(body=answer.body, status=answer.status, headers=_headers(answer, request_id))
    if answer.status in {TOO_LARGE.status, TOO_SLOW.status}:
        response.force_close()  # the rest of the body is not waited for
    return response


class _Connection(web.RequestHandler):
    """aiohttp's connection, with our own words for what is not HTTP."""

    __slots__ = ("_front", "_server")

    def __init__(self, front: Front, manager: "HttpServer", **options: Any) -> None:
        super().__init__(manager, **options)
        self._server = manager
        self._front = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Callers who open connections without end are cut off, and the others go on."""
        super().connection_made(transport)
        self._server.open += 1
        self._server.empty.clear()
        if self._server.open > MOST_CONNECTIONS:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._server.open -= 1
        if not self._server.open:
            self._server.empty.set()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """400 for what the parser refused; 500 is never seen: `Front` answers every exception."""
        request_id = self._front.request_id(None)
        if status >= 500:
            log.error("request failed", exc_info=exc, extra={"request_id": request_id})
            answer = _internal(request_id)
        else:
            answer = problem(
                BAD_HTTP, "The head of the request can't be read: a proxy or the client is at fault."
            )
        response = _response(answer, request_id)
        response.force_close()
        return response


class HttpServer(web.Server):
    """Makes a connection for each client."""

    def __init__(self, front: Front) -> None:
        super().__init__(front)
        self.open = 0  #: connections now
        self.empty = asyncio.Event()  #: there are none
        self.empty.set()
        self.front = front
        self._options: dict[str, Any] = {
            "keepalive_timeout": IDLE_SECONDS,
            "access_log": None,
            "auto_decompress": False,
            "lingering_time": 2.0,
        }

    def __call__(self) -> web.RequestHandler:
        return _Connection(self.front, self, loop=self._loop, **self._options)


class Listener:
    """A server that listens."""

    def __init__(self, server: HttpServer, sockets: asyncio.Server) -> None:
        self._server = server
        self._sockets = sockets
        self.port = int(sockets.sockets[0].getsockname()[1])  #: in fact, where 0 was asked for

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no new connections, tell the open ones to end with their next answer, finish what runs within
        `grace` seconds, close the rest.
        """
        self._server.front.stopping = True
        self._server.front.end_streams()
        self._sockets.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWER_SECONDS):
                await self._server.empty.wait()
        self._server.pre_shutdown()
        await self._server.shutdown(grace)


def build(services: Services) -> HttpServer:
    """The server, not yet listening; call it inside a running loop."""
    return HttpServer(Front(services))


async def start(services: Services, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> Listener:
    """Listen. Port 0 takes a free one."""
    server = build(services)
    sockets = await asyncio.get_running_loop().create_server(server, host, port, ssl=tls, backlog=1024)
    return Listener(server, sockets)
