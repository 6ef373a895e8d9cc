"""TLS to the SMSC: who is let in, who is not, and in which words it is told; with an authority made here."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway import config
from gateway.app.routes import routes_of
from gateway.config import ConfigError
from gateway.esme.binds import Binds
from gateway.esme.trouble import in_words
from gateway.simulator.smsc import Smsc
from tests.esme.ground import Heard, states, until

Key = ec.EllipticCurvePrivateKey
CERTIFIES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A certificate authority of a test, writing what it signs into a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = folder / f"{name}.pem"
        self._write(self.path, self._sign(self._name, self._key, days=10, ca=True), None)

    def signed(self, file: str, host: str = "127.0.0.1", *, days: int = 5) -> Path:
        """A certificate for the host and its key, in one file; expired when `days` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self._folder / f"{file}.pem"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file)])
        self._write(path, self._sign(subject, key, days=days, host=host), key)
        return path

    def _sign(
        self, subject: x509.Name, key: Key, *, days: int, host: str | None = None, ca: bool = False
    ) -> x509.Certificate:
        until = datetime.now(UTC) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - timedelta(days=20))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if ca:
            builder = builder.add_extension(CERTIFIES, critical=True)
        if host is not None:
            name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate, key: Key | None) -> None:
        octets = certificate.public_bytes(serialization.Encoding.PEM)
        if key is not None:
            octets += key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        path.write_bytes(octets)


def serving(certificate: Path, customers: Path | None = None) -> ssl.SSLContext:
    """The SMSC's side; with `customers` it wants to see a certificate signed there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if customers is not None:
        context.load_verify_locations(customers)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def binding(folder: Path, tls: ssl.SSLContext | None, settings: str) -> AsyncIterator[Binds]:
    """Binds of a configuration to an SMSC with this context."""
    smsc = await Smsc.start(tls=tls)
    file = folder / "huiyin.toml"
    account = f'host = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "huiyin"\npassword = "secret"'
    file.write_text(f"[smsc.main]\n{account}\n{settings}")
    binds = Binds(routes_of(config.load(file, {})), seed=1)
    try:
        binds.start(Heard().ears())
        yield binds
    finally:
        await binds.stop(0.5)
        await smsc.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize(
    ("host", "settings"),
    [
        pytest.param("127.0.0.1", "", id="the host's own"),
        pytest.param("smsc.example", 'tls_server_name = "smsc.example"', id="by the name that is set"),
        pytest.param("smsc.example", 'tls = "verify-ca"', id="of any name"),
        pytest.param("127.0.0.1", 'tls = "verify"\nallow_plaintext = true', id="asked for though not needed"),
    ],
)
async def test_a_good_certificate_is_bound_to(
    tmp_path: Path, authority: Authority, host: str, settings: str
) -> None:
    server = serving(authority.signed("smsc", host))
    async with binding(tmp_path, server, f'tls_ca = "ca.pem"\n{settings}') as binds:
        await until(lambda: states(binds)[0].state == "bound_trx")


async def test_our_own_certificate_is_shown_where_it_is_wanted(tmp_path: Path, authority: Authority) -> None:
    authority.signed("us", "gateway.example")
    server = serving(authority.signed("smsc"), customers=authority.path)
    settings = 'tls_ca = "ca.pem"\ntls_certificate = "us.pem"'
    async with binding(tmp_path, server, settings) as binds:
        await until(lambda: states(binds)[0].state == "bound_trx")


# With TLS 1.3 the alert may be lost on the way, when the SMSC closes the connection at once.
AFTER = (
    "TLS: it wants to see our certificate",
    "TLS: it does not know the authority of our certificate",
    "the SMSC closed the connection after the TLS handshake: it may want another certificate of ours",
)
AMID = ("TLS: it speaks no TLS from 1.2 on", "the SMSC closed the connection amid the TLS handshake: ")


@pytest.mark.parametrize(
    ("case", "told"),
    [
        pytest.param(
            "name", "TLS: its certificate is for another address: set tls_server_name", id="wrong name"
        ),
        pytest.param(
            "ca", "TLS: the authority of its certificate is not known: name it in tls_ca", id="unknown"
        ),
        pytest.param("expired", "TLS: its certificate has expired", id="expired"),
        pytest.param("plain", "TLS: it does not speak TLS on this port", id="plain server"),
        pytest.param("mutual", AFTER, id="our certificate missing"),
        pytest.param("stranger", AFTER, id="ours unknown"),
        pytest.param("old", AMID, id="too old"),
    ],
)
async def test_what_is_wrong_is_told_in_words(
    tmp_path: Path, authority: Authority, case: str, told: str | tuple[str, ...]
) -> None:
    settings = 'tls_ca = "ca.pem"'
    server: ssl.SSLContext | None
    match case:
        case "name":
            server = serving(authority.signed("smsc", "smsc.example"))
        case "ca":
            server = serving(Authority(tmp_path, "other").signed("smsc"))
        case "expired":
            server = serving(authority.signed("smsc", days=-1))
        case "plain":
            server = None
        case "mutual":
            server = serving(authority.signed("smsc"), customers=authority.path)
        case "stranger":
            Authority(tmp_path, "other").signed("us")
            server = serving(authority.signed("smsc"), customers=authority.path)
            settings += '\ntls_certificate = "us.pem"'
        case _:
            server = serving(authority.signed("smsc"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # it is what this is about
                server.minimum_version = ssl.TLSVersion.TLSv1
                server.maximum_version = ssl.TLSVersion.TLSv1_1
    async with binding(tmp_path, server, settings) as binds:
        await until(lambda: states(binds)[0].last_error)
        assert states(binds)[0].last_error.startswith(told)
        assert not states(binds)[0].state.startswith("bound")


async def test_plaintext_needs_to_be_permitted_and_then_binds(tmp_path: Path) -> None:
    async with binding(tmp_path, None, 'tls = "off"\nallow_plaintext = true') as binds:
        await until(lambda: states(binds)[0].state == "bound_trx")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        pytest.param('tls = "off"', "tls: password and texts would travel in the clear; say allow", id="off"),
        pytest.param('tls = "offf"', "tls: expected one of verify, verify-ca, off, not", id="no such mode"),
        pytest.param('allow_plaintext = true\ntls_ca = "ca.pem"',
            'tls_ca: has no effect: allow_plaintext turns TLS off; say tls = "verify" too', id="in vain"),
        pytest.param('tls = "verify-ca"\ntls_server_name = "x"',
            "tls_server_name: is not looked at: tls verifies the certificate alone", id="a name in vain"),
        pytest.param('tls_key = "us.pem"', "tls_key: a certificate and its key go together", id="key"),
        pytest.param('tls_certificate = "ca.pem"', "tls_certificate: ca.pem can't be used: ", id="no key"),
        pytest.param('tls_certificate = "gone.pem"', "tls_certificate: gone.pem can't be used: N", id="gone"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_faults(
    tmp_path: Path, authority: Authority, settings: str, fault: str
) -> None:
    file = tmp_path / "huiyin.toml"
    file.write_text(f'[smsc.main]\nhost = "h"\nsystem_id = "s"\npassword = "p"\n{settings}')
    with pytest.raises(ConfigError) as caught:
        config.load(file, {})
    told = [each.replace(f"{tmp_path}/", "") for each in caught.value.faults]
    assert len(told) == 1
    assert told[0].partition("smsc.main.")[2].startswith(fault)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "refused"), "nothing listens there"),
        (ConnectionResetError(), "the SMSC closed the connection"),
        (TimeoutError(), "no answer in time"),
        (asyncio.CancelledError(), "CancelledError"),
        (OSError(113, "Connect call failed ('10.0.0.1', 2775)"), "No route to host"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0)"),
            "nothing listens there",
        ),
        (OSError("strange"), "strange"),
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (ssl.SSLError(1, "[SSL: STRANGE] strange (_ssl.c:1)"), "TLS: "),
    ],
)
def test_trouble_of_any_kind_has_its_words(error: BaseException, told: str) -> None:
    assert in_words(error).startswith(told)
