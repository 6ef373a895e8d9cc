"""Certificates and keys: read when the configuration is judged, and again when they are put to use."""

import ssl
from collections.abc import Iterator

from gateway.config.read import Place
from gateway.config.schema import Settings, Smsc


def server_tls(settings: Settings) -> ssl.SSLContext | None:
    """What the HTTP interface shows to callers; None: it speaks plainly. Raises OSError, ssl.SSLError too."""
    http = settings.http
    if not http.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(
        settings.path(http.tls_certificate),
        settings.path(http.tls_key),
        password=lambda: "",  # an encrypted key is a fault, not a question on the terminal
    )
    return context


def smsc_tls(settings: Settings, smsc: Smsc) -> ssl.SSLContext | None:
    """How an SMSC has to prove who it is; None: without TLS. Raises OSError, ssl.SSLError too."""
    if smsc.allow_plaintext:
        return None
    return ssl.create_default_context(cafile=str(settings.path(smsc.tls_ca)) if smsc.tls_ca else None)


def judge_tls(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Files that are not what they are named for."""
    http = settings.http
    if bool(http.tls_certificate) != bool(http.tls_key):
        yield ("http", "tls_key"), "a certificate and its key go together; one of them is missing"
    else:
        try:
            server_tls(settings)
        except (OSError, ValueError) as error:
            pair = f"{settings.path(http.tls_certificate)} and {settings.path(http.tls_key)}"
            yield ("http", "tls_certificate"), f"{pair} can't be used: {_why(error)}"
    for name, smsc in settings.smsc.items():
        try:
            smsc_tls(settings, smsc)
        except (OSError, ValueError) as error:
            yield ("smsc", name, "tls_ca"), f"{settings.path(smsc.tls_ca)} can't be used: {_why(error)}"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is another certificate's"
    if isinstance(error, ssl.SSLError):
        return "a file is not PEM, or is encrypted"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
