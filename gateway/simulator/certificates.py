"""TLS for the simulated SMSC: the context that it serves with, and files for tests that are made once."""

import os
import ssl
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_NAMES: Final = ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")


class TlsError(Exception):
    """Certificates that can't be used, or not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. With a client's authority, only clients with a certificate of its are let in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def server_context(tls: Tls) -> ssl.SSLContext:
    """What the server speaks. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (tls.certificate, tls.key, tls.client_ca):
        if path is not None and not os.access(path, os.R_OK):
            raise TlsError(f"{path}: can't be read")
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except ssl.SSLError as error:
        raise TlsError(f"{tls.certificate}, {tls.key}: no certificate with its key: {error.reason}") from None
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(tls.client_ca)
        except ssl.SSLError as error:
            raise TlsError(f"{tls.client_ca}: no certificate: {error.reason}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def make_or_find(folder: Path) -> Tls:
    """The files of an authority for tests, which are made if the folder has none of them yet.

    The server's are for localhost and its addresses. Raises TlsError.
    """
    missing = [name for name in _NAMES if not (folder / name).exists()]
    if missing and len(missing) < len(_NAMES):
        raise TlsError(
            f"{folder}: {', '.join(missing)} missing beside the others: remove those, or put it back"
        )
    if missing:
        try:
            from gateway.simulator import authority
        except ImportError:
            install = f"{sys.executable} -m pip install 'cryptography>=44'"
            raise TlsError(f"to make certificates, once: {install}") from None
        folder.mkdir(parents=True, exist_ok=True)
        for name, octets in authority.make(datetime.now(UTC)).items():
            _write(folder / name, octets)
    return Tls(folder / "server.pem", folder / "server.key")


def _write(path: Path, octets: bytes) -> None:
    """A file of our own: a key is for nobody else's eyes."""
    mode = 0o600 if path.suffix == ".key" else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(octets)
