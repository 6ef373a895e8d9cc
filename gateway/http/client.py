"""Calls out by HTTP: to allowed addresses, resolved once, with no redirects, within limits."""

import asyncio
import socket
import ssl
from typing import Any, Final

import aiohttp
from yarl import URL

from gateway.domain.callback import Answer, Fault, Request
from gateway.domain.target import Targets, refusal

CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 20.0
RESOLVED_SECONDS: Final = 30
CONNECTIONS: Final = 512
MOST_HEADERS: Final = 16384


class ForbiddenTarget(OSError):  # noqa: N818 - a decision of ours
    """The host's address is none that may be called."""


class Client:
    """Makes calls over kept connections. Enter it before use."""

    def __init__(self, targets: Targets, *, tls: ssl.SSLContext | None = None) -> None:
        self._targets = targets
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Open the pool of connections."""
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS,
            ssl=self._tls or True,
            ttl_dns_cache=RESOLVED_SECONDS,
            keepalive_timeout=IDLE_SECONDS,
            socket_factory=self._socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            raise_for_status=False,
            headers={"User-Agent": "Huiyin"},
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
            max_line_size=MOST_HEADERS,
            max_field_size=MOST_HEADERS,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, request: Request) -> Answer:
        """Make the call. Whatever happens is an answer."""
        try:
            async with asyncio.timeout(request.timeout):
                return await self._exchange(request)
        except TimeoutError:
            return Answer(fault=Fault.TIMED_OUT, detail=f"no answer within {request.timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _without_answer(error)

    async def _exchange(self, request: Request) -> Answer:
        if self._session is None:
            raise RuntimeError("the client is entered before use")
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            timeout=_NO_LIMIT,
        ) as response:
            body = await _head(response.content, request.read)
            return Answer(
                response.status,
                body,
                retry_after=response.headers.get("Retry-After"),
                location=response.headers.get("Location"),
            )

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for one address, as resolved: the last moment before the connection is made."""
        family, kind, protocol, _, where = address
        if not self._targets.allows(where[0]):
            raise ForbiddenTarget(refusal(where[0]))
        return socket.socket(family=family, type=kind, proto=protocol)


#: Our own limit covers the whole call; the session's would cost a timer a call.
_NO_LIMIT: Final = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)


async def _head(content: aiohttp.StreamReader, most: int) -> bytes:
    """The first `most` octets. If there is more, the rest is not waited for: the connection is given up."""
    pieces: list[bytes] = []
    size = 0
    while size < most:
        piece = await content.read(most - size)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _without_answer(error: Exception) -> Answer:
    """What went wrong, in words, without the address's query."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ForbiddenTarget):
            return Answer(fault=Fault.FORBIDDEN, detail=str(cause))
        if isinstance(cause, ExceptionGroup):
            cause = cause.exceptions[0]
            continue
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Answer(
            fault=Fault.UNREACHABLE, detail="TLS: the other side's certificate is not to be trusted"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Answer(fault=Fault.UNREACHABLE, detail=f"the host name {error.host} can't be resolved")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Answer(fault=Fault.UNREACHABLE, detail=f"no connection to {error.host}:{error.port}")
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return Answer(fault=Fault.UNREACHABLE, detail="the address can't be called as it is written")
    return Answer(fault=Fault.UNREACHABLE, detail=f"the connection broke ({type(error).__name__})")
