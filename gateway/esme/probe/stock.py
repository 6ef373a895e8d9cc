"""The same questions through smpplib's client: what it sees too is the SMSC's doing, no mistake of ours."""

import contextlib
import struct
import time
from typing import Any, Final

import msgspec
import smpplib.client
import smpplib.exceptions

from gateway.esme.probe.target import Bounds, Target

#: What the client may raise over what it reads; each is an observation.
_FAULTS: Final[tuple[type[Exception], ...]] = (
    smpplib.exceptions.PDUError,
    smpplib.exceptions.ConnectionError,
    smpplib.exceptions.UnknownCommandError,
    OSError,
    ValueError,
    AttributeError,
    KeyError,
    TypeError,
    struct.error,
)
KINDS: Final = ("bind_transmitter", "bind_receiver", "bind_transceiver")


class Seen(msgspec.Struct, kw_only=True):
    """What the stock client saw, in words; empty: it was not asked."""

    binds: dict[str, str] = {}
    alive: str = ""
    taken: str = ""
    message_id: str = ""
    receipt: str = ""
    receipted_id: str = ""
    sent: int = 0  #: messages


def ask(target: Target, bounds: Bounds, *, send: bool) -> Seen:
    """All questions, one after the other; blocks, so it is to be called in a thread of its own."""
    seen = Seen()
    for kind in KINDS:
        client = _client(target, bounds)
        try:
            client.connect()
            answer = getattr(client, kind)(**_account(target))
            version = getattr(answer, "sc_interface_version", None)
            seen.binds[kind] = "accepted" + (f", version {version:#04x}" if version else "")
            if kind == "bind_transceiver":
                _talk(client, target, bounds, seen, send=send)
        except _FAULTS as error:
            seen.binds.setdefault(kind, _words(error))
        finally:
            _leave(client)
    return seen


def _account(target: Target) -> dict[str, str]:
    return {
        "system_id": target.system_id,
        "password": target.password,
        "system_type": target.system_type,
    }


def _client(target: Target, bounds: Bounds) -> Any:
    return smpplib.client.Client(
        target.host,
        target.port,
        timeout=min(1.0, bounds.answer),
        logger_name="huiyin.probe.stock",
        ssl_context=target.stock_tls,
        allow_unknown_opt_params=True,
    )


def _talk(client: Any, target: Target, bounds: Bounds, seen: Seen, *, send: bool) -> None:
    """enquire_link, and one message with its receipt."""
    heard: list[str] = []

    def answered(pdu: Any) -> None:
        seen.message_id = _text(pdu.message_id)
        seen.taken = f"taken as {seen.message_id}"

    def delivered(pdu: Any) -> int:
        seen.receipted_id = _text(getattr(pdu, "receipted_message_id", None))
        seen.receipt = f"esm_class {pdu.esm_class:#04x}, receipted_message_id {seen.receipted_id or 'absent'}"
        return 0

    client.set_message_sent_handler(answered)
    client.set_message_received_handler(delivered)
    client.set_error_pdu_handler(lambda pdu: heard.append(f"refused: status {pdu.status:#x}"))
    try:
        client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
        seen.alive = f"answered {client.read_pdu().command}"
        if not send:
            return
        ton, npi = (5, 0) if not target.sender.isdecimal() else (3, 0) if len(target.sender) < 10 else (1, 1)
        seen.sent = 1
        client.send_message(
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=target.sender,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=target.to,
            short_message=b"Huiyin probe, stock client",
            registered_delivery=1,
        )
        _listen(client, lambda: bool(seen.taken or heard), bounds.answer)
        if heard and not seen.taken:
            seen.taken = heard[0]
        seen.taken = seen.taken or "no answer"
        if seen.message_id:
            _listen(client, lambda: bool(seen.receipt), bounds.receipt)
            seen.receipt = seen.receipt or "none in time"
    except _FAULTS as error:
        if not seen.alive:
            seen.alive = _words(error)
        else:
            seen.receipt = seen.receipt or _words(error)


def _listen(client: Any, over: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not over() and time.monotonic() < end:
        try:
            client.read_once(auto_send_enquire_link=False)
        except TimeoutError:
            continue


def _leave(client: Any) -> None:
    with contextlib.suppress(*_FAULTS):
        client.unbind()
    client.disconnect()


def _text(value: Any) -> str:
    return value.decode("latin-1").rstrip("\0") if isinstance(value, bytes) else str(value or "")


def _words(error: Exception) -> str:
    code = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else None
    if isinstance(error, smpplib.exceptions.PDUError) and code is not None:
        return f"refused: status {code:#x}"
    if isinstance(error, TimeoutError | smpplib.exceptions.ConnectionError):
        return "no answer, or the connection was closed"
    return f"the client failed: {type(error).__name__} {error}".strip()
