"""What kept a connection from coming about or ended it, in words for whoever has to mend it."""

import os
import socket
import ssl
from typing import Final

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
        case OSError(errno=None) if "Errno 111" in str(error):  # of all addresses that the name has
            return "nothing listens there"
        case OSError():
            return str(error) if error.errno is None else os.strerror(error.errno)
    return str(error) or type(error).__name__


def unbound_in_words(error: BaseException | None, *, tls: bool, connected: bool) -> str:
    """Why a session ended before it was bound; `connected`: after the TLS handshake, where there is one.

    With TLS 1.3 a server judges our certificate after the handshake, and often its alert is lost when it
    closes the connection.
    """
    if not tls or not (error is None or isinstance(error, ConnectionError)):
        return "the SMSC closed the connection" if error is None else in_words(error)
    if isinstance(error, ConnectionRefusedError):
        return in_words(error)
    if connected:
        return (
            "the SMSC closed the connection after the TLS handshake: it may want another certificate of ours"
        )
    return "the SMSC closed the connection amid the TLS handshake: does it speak TLS 1.2 on this port?"
