"""A running gateway as our own commands reach it: by HTTP, with a key, like any other caller."""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from gateway.cli.answer import say
from gateway.config import Settings, listening

SECONDS: Final = 30.0  # for an answer


def key_of(args: argparse.Namespace, command: str) -> str | None:
    """The API key; without one it is said how to give it."""
    key: str | None = args.key or os.environ.get("HUIYIN_KEY")
    if not key:
        say(command, "give an API key in $HUIYIN_KEY, or with --key")
    return key


def url_of(args: argparse.Namespace, settings: Settings) -> str:
    """Where the gateway is: --url, $HUIYIN_URL, or as the configuration has it listen."""
    host, port = listening(settings.http.listen)
    scheme = "https" if settings.http.tls_certificate else "http"
    given: str | None = args.url or os.environ.get("HUIYIN_URL")
    return (given or f"{scheme}://{_reachable(host)}:{port}").rstrip("/")


@asynccontextmanager
async def session(key: str, seconds: float | None = SECONDS) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the key; `seconds` bounds each call, None does not."""
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=SECONDS)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as opened:
        yield opened


#: What a call may end in, beside an answer.
TROUBLES: Final = (aiohttp.ClientError, OSError, ValueError)


def unreached(url: str, error: Exception, left_open: str = "") -> str:
    """Why no gateway answered there, for people; `left_open` is what is not known then."""
    match error:
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return f"{url} is no address; write it as http://127.0.0.1:8080"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"{url} can't prove who it is: {error.__cause__ or 'its certificate is not trusted'}"
        case aiohttp.ClientConnectorDNSError():
            return f"the host of {url} is not known"
        case aiohttp.ClientConnectorError():
            return f"nothing answers at {url}; is `huiyin serve` running? --url names another gateway"
        case TimeoutError():
            return f"{url} did not answer within {SECONDS:.0f} seconds{left_open}"
        case aiohttp.ClientError():
            return f"the connection to {url} broke{left_open}"
        case _:
            return f"what answers at {url} is no Huiyin gateway"


def told(answer: Any) -> str:
    """A problem that the gateway answered with, in one line, each thing once."""
    if isinstance(answer, dict) and "title" in answer:
        title, detail = str(answer["title"]).rstrip(". "), str(answer.get("detail", ""))
        if not detail or title.lower() in detail.lower() or title.split()[:2] == detail.split()[:2]:
            return detail or title
        return f"{title}: {detail}"
    return "it answered what no gateway answers"


def _reachable(host: str) -> str:
    """Where to reach a server that listens on this host, which may be every address."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared with
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
