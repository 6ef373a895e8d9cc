"""A PDU's octets as an operator reads them: in words, masked, or open with numbers and texts.

Passwords never, not even open.
"""

from typing import Final

from gateway.smpp import codec, receipt, tlv
from gateway.smpp.constants import CommandId, Tag
from gateway.smpp.describe import describe, describe_frame, mask
from gateway.smpp.errors import PduError, SmppError
from gateway.smpp.fields import Destination, UnsuccessSme
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu
from gateway.sms import coding, udh

_ADDRESSES: Final = ("source_addr", "destination_addr", "esme_addr")
#: Commands that carry a password.
_SECRET: Final = frozenset(
    {
        CommandId.BIND_RECEIVER,
        CommandId.BIND_TRANSMITTER,
        CommandId.BIND_TRANSCEIVER,
        CommandId.OUTBIND,
    }
)


def decoded(frame: bytes) -> Pdu | None:
    """The PDU in it, as far as it can be read; None: not at all. Never raises."""
    try:
        return codec.decode(frame)
    except PduError as error:
        return error.salvaged


def words_of(frame: bytes, *, opened: bool = False) -> str:
    """One line for one whole frame. Never raises; without `opened` no number and no text is whole."""
    try:
        pdu = codec.decode(frame)
    except PduError:
        return describe_frame(frame)
    words = describe(pdu)
    if isinstance(pdu, DeliverSm | DataSm) and (read := receipt.parse(pdu)) is not None:
        words += _receipt(read)
    return _opened(pdu, words) if opened else words


def octets_of(frame: bytes) -> str | None:
    """The frame as hex, a password in it replaced by one sign; None where it can't be told apart."""
    command_id = int.from_bytes(frame[4:8], "big")
    if command_id not in _SECRET:
        return frame.hex()
    try:
        pdu = codec.decode(frame)
        pdu.password = "*"  # type: ignore[attr-defined]  # noqa: S105 - those above have one
        return codec.encode(pdu).hex()
    except SmppError:
        return None


def no_pdu(octets: bytes) -> str:
    """What is said of octets that can't begin a PDU."""
    length = int.from_bytes(octets[:4], "big")
    return f"no PDU: calls itself {length} octets long; {len(octets)} octets passed over"


def _receipt(read: receipt.Receipt) -> str:
    """The receipt's own words, which neither name nor quote a customer."""
    parts = [f"id={read.message_id or '(none)'}", f"stat={read.word or read.state.value}"]
    parts += [f"err={read.err}"] if read.err else []
    parts += [f"done={read.done_date}"] if read.done_date else []
    return f" [receipt {' '.join(parts)}]"


def _opened(pdu: Pdu, words: str) -> str:
    """The same line with what `describe` had masked."""
    for name in _ADDRESSES:
        address = getattr(pdu, name, "")
        if address:
            words = words.replace(f"{name}={mask(address)}", f"{name}={address}", 1)
    for name in ("dest_addresses", "unsuccess_smes"):
        for each in getattr(pdu, name, ()):
            if isinstance(each, Destination | UnsuccessSme):
                words = words.replace(mask(each.destination_addr), each.destination_addr, 1)
    text = getattr(pdu, "short_message", b"")
    if text:
        words = words.replace(f"short_message=<{len(text)} octets>", f"short_message={_text(pdu, text)}", 1)
    for tag, value in (*pdu.tlvs.items(), *pdu.more_tlvs):
        shown = _text(pdu, value) if tag == Tag.MESSAGE_PAYLOAD else value.hex()
        words = words.replace(f"{tlv.name(tag)}=<{len(value)} octets>", f"{tlv.name(tag)}={shown}", 1)
    return words


def _text(pdu: Pdu, octets: bytes) -> str:
    """The words in quotes, or the octets where they are none."""
    body = udh.take(octets, getattr(pdu, "esm_class", 0))[1]
    text = coding.decode(body, getattr(pdu, "data_coding", 0)).text
    if text.isprintable() or "\n" in text:
        return '"' + text.replace("\n", "\\n") + '"'
    return octets.hex()
