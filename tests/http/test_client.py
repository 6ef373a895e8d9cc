"""Calls out against servers that misbehave: whatever happens is an answer, and no call goes astray."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.domain.callback import Answer, Fault, Request
from gateway.domain.target import Targets
from gateway.http.client import Client
from tests.services.other_side import OtherSide, hang, status

INNER = Targets(["127.0.0.0/8", "::1/128"])


def call(url: str, *, method: str = "POST", body: bytes | None = b"{}", timeout: float = 5.0) -> Request:
    return Request(method, url, (("X-Ours", "1"),), body, timeout)


@pytest.fixture
async def other() -> AsyncIterator[OtherSide]:
    async with OtherSide() as other:
        yield other


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(INNER) as client:
        yield client


@asynccontextmanager
async def serving(
    speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that speaks as it likes after the request's head."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        server.close()


async def test_a_call_goes_out_as_it_was_made(client: Client, other: OtherSide) -> None:
    url = other.url + "/tickets/TS%2F1?x=%20"
    assert await client.post(call(url, method="PATCH", body=b'{"score":8}')) == Answer(200, b'{"ok": true}')
    (got,) = other.got
    assert (got.method, got.path, got.body) == ("PATCH", "/tickets/TS%2F1?x=%20", b'{"score":8}')
    assert got.headers["X-Ours"] == "1"
    assert got.headers["User-Agent"] == "Huiyin"
    assert "Accept-Encoding" not in got.headers


async def test_connections_are_kept(client: Client, other: OtherSide) -> None:
    ports = set()

    async def answer(got: Any) -> web.StreamResponse:
        ports.add(got.request.transport.get_extra_info("peername")[1])
        return web.Response()

    other.answer = answer
    for _ in range(5):
        await client.post(call(other.url))
    assert len(ports) == 1


async def test_cookies_are_not_kept(client: Client, other: OtherSide) -> None:
    other.answer = status(200, Set_Cookie="session=1")
    await client.post(call(other.url))
    await client.post(call(other.url))
    assert "Cookie" not in other.got[1].headers


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_answers_and_not_followed(client: Client, other: OtherSide, code: int) -> None:
    async with OtherSide() as elsewhere:
        other.answer = status(code, Location=elsewhere.url + "/inner")
        answer = await client.post(call(other.url))
        assert (answer.status, answer.location) == (code, elsewhere.url + "/inner")
        assert elsewhere.got == []


async def test_retry_after_is_passed_on(client: Client, other: OtherSide) -> None:
    other.answer = status(429, Retry_After="7")
    assert (await client.post(call(other.url))).retry_after == "7"


async def test_a_long_answer_is_read_up_to_a_limit(client: Client, other: OtherSide) -> None:
    other.answer = status(200, "x" * 1_000_000)
    answer = await client.post(call(other.url))
    assert answer == Answer(200, b"x" * 4096)
    assert (await client.post(call(other.url))).status == 200


async def test_an_endless_answer_ends_here(client: Client) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    async with serving(endless) as url:
        assert await client.post(call(url)) == Answer(200, b"x" * 4096)


async def test_compressed_answers_are_not_unpacked(client: Client, other: OtherSide) -> None:
    async def bomb(_: Any) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8b no gzip at all", headers={"Content-Encoding": "gzip"})

    other.answer = bomb
    assert await client.post(call(other.url)) == Answer(200, b"\x1f\x8b no gzip at all")


async def test_a_hanging_server_is_given_up(client: Client, other: OtherSide) -> None:
    other.answer = hang
    answer = await client.post(call(other.url, timeout=0.05))
    assert answer == Answer(fault=Fault.TIMED_OUT, detail="no answer within 0.05 s")


async def test_a_body_that_never_ends_is_given_up(client: Client) -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await asyncio.sleep(5)

    async with serving(slow) as url:
        assert (await client.post(call(url, timeout=0.05))).fault == Fault.TIMED_OUT


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="silence"),
        pytest.param(b"220 mail.example.com ESMTP\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 twohundred OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx", id="cut in the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n", id="a header without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="ill-formed chunks"),
        pytest.param(bytes(range(256)) * 20, id="garbage"),
    ],
)
async def test_a_server_that_leaves_the_protocol_is_no_answer(client: Client, octets: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()

    async with serving(speak) as url:
        answer = await client.post(call(url))
    assert (answer.status, answer.fault) == (None, Fault.UNREACHABLE)
    assert answer.detail.startswith("the connection broke")


async def test_a_closed_port_is_no_answer(client: Client) -> None:
    with socket.socket() as held:  # bound and not listening: nobody else takes the port meanwhile
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        answer = await client.post(call(f"http://127.0.0.1:{port}/secret-path?secret"))
    assert answer == Answer(fault=Fault.UNREACHABLE, detail=f"no connection to 127.0.0.1:{port}")


async def test_a_server_without_tls_is_no_answer_to_https(client: Client, other: OtherSide) -> None:
    answer = await client.post(call(other.url.replace("http:", "https:")))
    assert answer.fault == Fault.UNREACHABLE
    assert other.got == []


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("localhost", id="a name for loopback"),
        pytest.param("LOCALHOST", id="the same in capitals"),
        pytest.param("127.1", id="a short form"),
        pytest.param("2130706433", id="a number"),
        pytest.param("0x7f.1", id="a hexadecimal form"),
        pytest.param("0177.0.0.1", id="an octal form"),
        pytest.param("0.0.0.0", id="this host"),
        pytest.param("[::1]", id="IPv6 loopback"),
        pytest.param("[::ffff:127.0.0.1]", id="IPv4-mapped"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("10.0.0.1", id="private"),
        pytest.param("[fe80::1]", id="link-local"),
    ],
)
async def test_inner_addresses_are_never_connected_to(other: OtherSide, host: str) -> None:
    async with Client(Targets()) as client:
        answer = await client.post(call(f"http://{host}:{other.port}/"))
    # Some forms are no host name for some resolvers: then there is no address at all.
    assert answer.fault in (Fault.FORBIDDEN, Fault.UNREACHABLE)
    assert (
        answer.fault == Fault.FORBIDDEN or "resolved" in answer.detail or "as it is written" in answer.detail
    )
    assert other.got == []


@pytest.mark.parametrize(
    ("resolved", "fault"),
    [
        pytest.param(["10.0.0.1"], Fault.FORBIDDEN, id="private"),
        pytest.param(["169.254.169.254"], Fault.FORBIDDEN, id="metadata"),
        pytest.param(["::1"], Fault.FORBIDDEN, id="IPv6 loopback"),
        pytest.param(
            ["10.0.0.1", "192.168.0.1", "fe80::1"], Fault.FORBIDDEN, id="several, all of them private"
        ),
    ],
)
async def test_a_name_that_leads_inside_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, resolved: list[str], fault: Fault
) -> None:
    asked = 0

    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
            for address in resolved
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    async with Client(Targets()) as client:
        answer = await client.post(call("http://rebinding.example.com/"))
    assert answer.fault == fault
    assert "security.allow_targets" in answer.detail
    assert asked == 1  # resolved once, and that is what is judged and would be connected to


async def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, client: Client, other: OtherSide
) -> None:
    async with OtherSide() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert (await client.post(call(other.url))).status == 200
        assert proxy.got == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(client: Client, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        answer = await client.post(call(f"https://127.0.0.1:{runner.addresses[0][1]}/"))
    finally:
        await runner.cleanup()
    assert answer.fault == Fault.UNREACHABLE
    assert answer.detail.startswith("TLS: ")


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, made by openssl."""
    import shutil
    import subprocess

    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    words += " -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    return certificate, key
