"""Certificates and keys: read when the configuration is judged, and again when they are put to use."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import structs

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
    if tls_mode(smsc) == "off":
        return None
    context = ssl.create_default_context(cafile=str(settings.path(smsc.tls_ca)) if smsc.tls_ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls_mode(smsc) == "verify"
    if smsc.tls_certificate:
        context.load_cert_chain(
            settings.path(smsc.tls_certificate),
            settings.path(smsc.tls_key) if smsc.tls_key else None,
            password=lambda: "",
        )
    return context


def tls_mode(smsc: Smsc) -> Literal["verify", "verify-ca", "off"]:
    """What holds: allow_plaintext permits to go without, and means it where nothing else is said."""
    return smsc.tls or ("off" if smsc.allow_plaintext else "verify")


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
        yield from _judge_smsc(settings, ("smsc", name), smsc)


def _judge_smsc(settings: Settings, place: Place, smsc: Smsc) -> Iterator[tuple[Place, str]]:
    if tls_mode(smsc) == "off":
        if not smsc.allow_plaintext:
            told = "password and texts would travel in the clear; say allow_plaintext = true if they may"
            yield (*place, "tls"), told
        for key in ("tls_ca", "tls_server_name", "tls_certificate", "tls_key"):
            if getattr(smsc, key):
                why = "tls is off" if smsc.tls else 'allow_plaintext turns TLS off; say tls = "verify" too'
                yield (*place, key), f"has no effect: {why}"
        return
    if smsc.tls == "verify-ca" and smsc.tls_server_name:
        yield (*place, "tls_server_name"), "is not looked at: tls verifies the certificate alone"
    if smsc.tls_key and not smsc.tls_certificate:
        yield (*place, "tls_key"), "a certificate and its key go together; tls_certificate is missing"
        return
    for key in ("tls_ca", "tls_certificate"):
        alone = {other: "" for other in ("tls_ca", "tls_certificate") if other != key}
        try:
            smsc_tls(settings, structs.replace(smsc, **alone))
        except (OSError, ValueError) as error:
            files = [getattr(smsc, key), smsc.tls_key if key == "tls_certificate" else ""]
            told = " and ".join(str(settings.path(file)) for file in files if file)
            why = _why(error)
            if key == "tls_certificate" and not smsc.tls_key and _is_certificate(settings.path(files[0])):
                why = "its key is missing: set tls_key"
            yield (*place, key), f"{told} can't be used: {why}"


def _is_certificate(path: Path) -> bool:
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError):
        return False
    return True


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is another certificate's"
    if isinstance(error, ssl.SSLError):
        return "a file is not PEM, or is encrypted"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
