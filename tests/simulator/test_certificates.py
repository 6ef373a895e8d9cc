"""The simulated SMSC over TLS, with and without a certificate of the client's."""

import asyncio
import ssl
from pathlib import Path

import pytest

from gateway.simulator.certificates import Tls, TlsError, make_or_find, server_context
from gateway.simulator.scenario import Scenario
from gateway.simulator.smsc import Smsc
from gateway.smpp.pdu import BindTransceiver
from tests.simulator.peers import Client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca")
    make_or_find(path)
    return path


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "ca.pem")


async def bound(port: int, context: ssl.SSLContext, host: str = "127.0.0.1") -> tuple[int, int]:
    """The status of a bind over TLS, and of one message."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_connection(Client, host, port, ssl=context)
    try:
        status = await peer.bind(BindTransceiver(system_id="huiyin", password="secret"))
        peer.submit()
        await peer.until(lambda: bool(peer.receipts and peer.answers))
        return status, peer.statuses[0]
    finally:
        transport.abort()
        await peer.closed


async def test_a_client_that_trusts_the_authority_is_served(folder: Path) -> None:
    smsc = await Smsc.start(Scenario(), tls=server_context(make_or_find(folder)))
    try:
        assert await bound(smsc.port, trusting(folder)) == (0, 0)
        with pytest.raises(ssl.SSLCertVerificationError):
            await bound(smsc.port, ssl.create_default_context())
    finally:
        await smsc.close()


async def test_only_clients_with_a_certificate_are_let_in_when_it_is_asked(folder: Path) -> None:
    tls = Tls(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    smsc = await Smsc.start(Scenario(), tls=server_context(tls))
    try:
        own = trusting(folder)
        own.load_cert_chain(folder / "client.pem", folder / "client.key")
        assert await bound(smsc.port, own) == (0, 0)
        bare = trusting(folder)
        bare.maximum_version = ssl.TLSVersion.TLSv1_2  # where the refusal is part of the handshake
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await bound(smsc.port, bare)
    finally:
        await smsc.close()


def test_files_are_made_once_and_keys_are_for_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    make_or_find(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ["ca.pem", "client.key", "client.pem", "server.key", "server.pem"]
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {0o600}
    make_or_find(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "ca.pem").unlink()
    with pytest.raises(TlsError, match=r"ca\.pem missing"):
        make_or_find(folder)


def test_files_that_are_none_are_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(TlsError, match="can't be read"):
        server_context(Tls(tmp_path / "none.pem", folder / "server.key"))
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    with pytest.raises(TlsError, match="no certificate"):
        server_context(Tls(rubbish, folder / "server.key"))
    with pytest.raises(TlsError, match="no certificate with its key"):
        server_context(Tls(folder / "server.pem", folder / "client.key"))
    with pytest.raises(TlsError, match="rubbish"):
        server_context(Tls(folder / "server.pem", folder / "server.key", rubbish))
