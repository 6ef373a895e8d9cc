"""What kept a connection from coming about or ended it, in words for whoever has to mend it."""

import os
import socket
import ssl
from typing import Final

from gateway.smpp import status

#: Of OpenSSL's X509_V_ERR_…, what operators meet.
_CERTIFICATE: Final = {
    9: "its certificate is not valid yet: compare the clocks",
    10: "its certificate has expired",
    18: "its certificate is signed by itself, and no tls_ca names it",
    19: "the authority of its certificate is not known: name it in tls_ca",
    20: "the authority of its certificate is not known: name it in tls_ca",
    21: "the authority of its certificate is not known: name it in tls_ca",
    23: "its certificate has been revoked",
    62: 'its certificate is for another name: set tls_server_name, or tls = "verify-ca"',
    64: 'its certificate is for another address: set tls_server_name, or tls = "verify-ca"',
}
#: Of OpenSSL's reasons.
_TLS: Final = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port",
    "UNEXPECTED_EOF_WHILE_READING": "it closed the connection amid the TLS handshake",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS from 1.2 on",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no TLS from 1.2 on",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants to see our certificate: set tls_certificate and tls_key",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it refuses the TLS handshake; it may want to see our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it refuses our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it refuses our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it refuses our certificate, which has expired",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know the authority of our certificate",
    "TLSV1_ALERT_ACCESS_DENIED": "it refuses our certificate",
}

#: What to look at when a bind is refused.
_REFUSED: Final = {
    status.ESME_RBINDFAIL: "Too many sessions of the account, perhaps, or the account may not bind so.",
    status.ESME_RALYBND: "It may not have noticed yet that the last session is gone; or too many are bound.",
    status.ESME_RINVSYSTYP: "Set system_type as the SMSC's operator says.",
}


def in_words(error: BaseException) -> str:
    """One clause, without the names of Python's errors."""
    match error:
        case ssl.SSLCertVerificationError():
            return "TLS: " + _CERTIFICATE.get(error.verify_code, error.verify_message)
        case ssl.SSLError():
            reason: str = getattr(error, "reason", None) or ""
            return f"TLS: {_TLS.get(reason) or reason or error}"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "nothing listens there"
        case ConnectionError():
            return "the SMSC closed the connection"
        case socket.gaierror():
            return "the host's name is not known"
        case UnicodeError():
            return "the host's name can't be one: its parts have 1 to 63 characters"
        case OSError(errno=None) if "Errno 111" in str(error):  # of all addresses that the name has
            return "nothing listens there"
        case OSError():
            return str(error) if error.errno is None else os.strerror(error.errno)
    return str(error) or type(error).__name__


def ended_in_words(error: BaseException | None) -> str:
    """Why a bound session ended."""
    return "the SMSC closed the connection" if error is None else in_words(error)


def refused_in_words(command_status: int) -> str:
    """Why the SMSC refused a bind, with its status' name."""
    row = status.lookup(command_status)
    hint = _REFUSED.get(command_status, "")
    return f"{row.sentence} ({row.name})" + (f" {hint}" if hint else "")


def unbound_in_words(error: BaseException | None, *, tls: bool, connected: bool, known: bool = False) -> str:
    """Why a session ended before it was bound; `connected`: after the TLS handshake, where there is one.

    With TLS 1.3 a server judges our certificate after the handshake, and often its alert is lost when it
    closes the connection. `known`: it was bound before, so it is not TLS.
    """
    if isinstance(error, ConnectionRefusedError) or not (error is None or isinstance(error, ConnectionError)):
        return in_words(error)
    if not tls:
        if not connected:
            return in_words(error) if error else "the SMSC closed the connection"
        told = "the SMSC closed the connection and had not answered our bind"
        return told if known else f"{told}: it may want TLS on this port"
    if connected:
        return (
            "the SMSC closed the connection after the TLS handshake: it may want another certificate of ours"
        )
    return "the SMSC closed the connection amid the TLS handshake: does it speak TLS 1.2 on this port?"
